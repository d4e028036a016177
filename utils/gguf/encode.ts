/**
 * Writes what goes before the tensors' data: the head of a GGUF file, its keys and what it says of its tensors.
 *
 * @module
 */

import { quote } from "../../ffi/core/describe.ts";
import { lib } from "../../ffi/generated/lib.js";
import { alignUp, type TensorShape } from "./shape.ts";
import { encoder, encodeText } from "../../ffi/core/text.ts";
import { type GgufValue, type Kind, kindNamed, MAX_LENGTH, type NumberArray } from "./values.ts";

/** What is known of a tensor before its data is. */
export interface TensorHead extends TensorShape {
  readonly name: string;
}

/** Bytes that grow. */
class Bytes {
  #memory: Uint8Array<ArrayBuffer> = new Uint8Array(4096);
  #view: DataView = new DataView(this.#memory.buffer);
  length = 0;

  u32(value: number): void {
    const begin = this.#grow(4);
    this.#view.setUint32(begin, value, true);
  }

  u64(value: number | bigint): void {
    const begin = this.#grow(8);
    this.#view.setBigUint64(begin, BigInt(value), true);
  }

  raw(bytes: Uint8Array): void {
    const begin = this.#grow(bytes.length);
    this.#memory.set(bytes, begin);
  }

  text(text: string, where: string): void {
    const length = this.length;
    this.u64(0);
    if (text.isWellFormed()) this.#utf8(text);
    else this.raw(encodeText(text, where));
    const count = this.length - length - 8;
    if (count > MAX_LENGTH) throw new RangeError(`${where}: a string of ${count} bytes is longer than ggml reads (${MAX_LENGTH})`);
    this.#view.setBigUint64(length, BigInt(count), true);
  }

  /** Encoding in place is nine times as fast as making an array of each string. */
  #utf8(text: string): void {
    const begin = this.#grow(text.length * 3);
    this.length = begin + encoder.encodeInto(text, this.#memory.subarray(begin)).written;
  }

  /** Appends zeros. */
  pad(alignment: number): void {
    const begin = this.length;
    this.#grow(alignUp(begin, alignment) - begin);
    this.#memory.fill(0, begin, this.length); // encoding a string may have left something there
  }

  result(): Uint8Array<ArrayBuffer> {
    return this.#memory.subarray(0, this.length);
  }

  /** Makes room; where it begins. The memory may be another one afterwards. */
  #grow(count: number): number {
    const begin = this.length;
    this.length += count;
    if (this.length > this.#memory.length) {
      const memory = new Uint8Array(Math.max(this.length, this.#memory.length * 2));
      memory.set(this.#memory);
      this.#memory = memory;
      this.#view = new DataView(memory.buffer);
    }
    return begin;
  }
}

/**
 * A file up to where the data of its first tensor begins.
 *
 * @param where The function and file, for errors.
 */
export function encodeHead(
  version: number,
  metadata: ReadonlyMap<string, GgufValue>,
  tensors: readonly TensorHead[],
  alignment: number,
  where: string,
): Uint8Array<ArrayBuffer> {
  const bytes = new Bytes();
  bytes.raw(encoder.encode(lib.GGUF_MAGIC));
  bytes.u32(version);
  bytes.u64(tensors.length);
  bytes.u64(metadata.size);
  for (const [key, value] of metadata) {
    const place = `${where}: metadata ${quote(key)}`;
    bytes.text(key, place);
    encodeValue(bytes, value, place);
  }
  encodeTensors(bytes, tensors, alignment, where);
  return bytes.result();
}

function encodeTensors(bytes: Bytes, tensors: readonly TensorHead[], alignment: number, where: string): void {
  let offset = 0;
  for (const { name, type, ne, byteLength } of tensors) {
    bytes.text(name, `${where}: tensor name`);
    bytes.u32(ne.length);
    ne.forEach((n) => bytes.u64(n));
    bytes.u32(type);
    bytes.u64(offset);
    offset += alignUp(byteLength, alignment);
  }
  if (tensors.length > 0) bytes.pad(alignment);
}

function encodeValue(bytes: Bytes, { type, value }: GgufValue, where: string): void {
  const isArray = type.endsWith("[]");
  const kind = kindNamed(isArray ? type.slice(0, -2) : type)!;
  if (!isArray) {
    bytes.u32(kind.id);
    return encodeItems(bytes, kind, [value], where);
  }
  const items = value as ArrayLike<unknown>;
  if (items.length > MAX_LENGTH) throw new RangeError(`${where}: an array of ${items.length} is longer than ggml reads (${MAX_LENGTH})`);
  bytes.u32(lib.GGUF_TYPE_ARRAY);
  bytes.u32(kind.id);
  bytes.u64(items.length);
  encodeItems(bytes, kind, items, where);
}

function encodeItems(bytes: Bytes, { name, size, array }: Kind, items: ArrayLike<unknown>, where: string): void {
  if (name === "str") { for (let i = 0; i < items.length; i++) bytes.text(items[i] as string, where); }
  else if (array === null) bytes.raw(Uint8Array.from(items as boolean[], Number));
  else bytes.raw(bytesOf(items instanceof array ? items : numbersOf(array, size, items as [number | bigint])));
}

/** An array of one number. */
function numbersOf(array: NonNullable<Kind["array"]>, size: number, [value]: readonly [number | bigint]): NumberArray {
  const numbers = new array(1);
  numbers[0] = size === 8 && !(numbers instanceof Float64Array) ? BigInt(value) : value;
  return numbers;
}

function bytesOf({ buffer, byteOffset, byteLength }: NumberArray): Uint8Array<ArrayBuffer> {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
