/**
 * GGUF files byte by byte, right or wrong.
 *
 * @module
 */

/** Bytes put one after the other; it remembers where each began. */
export class Builder {
  readonly #parts: Uint8Array[] = [];
  length = 0;

  #add(bytes: Uint8Array): this {
    this.#parts.push(bytes);
    this.length += bytes.length;
    return this;
  }

  raw(...bytes: number[]): this {
    return this.#add(new Uint8Array(bytes));
  }

  u32(value: number): this {
    return this.#add(new Uint8Array(new Uint32Array([value]).buffer));
  }

  u64(value: number | bigint): this {
    return this.#add(new Uint8Array(new BigInt64Array([BigInt.asIntN(64, BigInt(value))]).buffer));
  }

  /** A string with its length in front, which may lie. */
  text(text: string | Uint8Array, length?: number | bigint): this {
    const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
    return this.u64(length ?? bytes.length).#add(bytes);
  }

  /** The head of a file. */
  head(tensors: number | bigint, keys: number | bigint, version = 3): this {
    return this.#add(new TextEncoder().encode("GGUF")).u32(version).u64(tensors).u64(keys);
  }

  /** What a file says of a tensor. */
  tensor(name: string, ne: readonly (number | bigint)[], type: number, offset: number | bigint): this {
    this.text(name).u32(ne.length);
    ne.forEach((n) => this.u64(n));
    return this.u32(type).u64(offset);
  }

  /** Zeros up to the next multiple of the usual alignment. */
  pad(): this {
    return this.zeros((32 - this.length % 32) % 32);
  }

  zeros(count: number): this {
    return this.#add(new Uint8Array(count));
  }

  result(): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(this.length);
    let at = 0;
    for (const part of this.#parts) {
      bytes.set(part, at);
      at += part.length;
    }
    return bytes;
  }
}
