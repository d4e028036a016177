/**
 * `GgufTensor`: a tensor in a file, whose data is read when it is asked for.
 *
 * @module
 */

import { describe, quote } from "../../ffi/core/describe.ts";
import { freedError } from "../../ffi/core/handle.ts";
import { onBehalf } from "../../ffi/core/on_behalf.ts";
import { lib } from "../../ffi/generated/lib.js";
import type { NdArray, TypedArray } from "../arrays/ndarray.ts";
import { allocate } from "../copying/allocate.ts";
import { newTensor } from "../copying/new_tensor.ts";
import { bufferOf } from "../copying/operand.ts";
import { type TypeInfo, typeInfo } from "../copying/types.ts";
import { numbersOf } from "./numbers.ts";
import type { TensorEntry } from "./read_tensors.ts";
import type { TensorShape } from "./shape.ts";
import type { Source } from "./source.ts";

/** Bytes of a piece unless the caller says. */
const PIECE = 4 * 1024 * 1024;

/**
 * A tensor in a GGUF file: what the file says of it, and ways to its data. Nothing is read before it is asked for.
 *
 * It keeps the file open for as long as it can be reached, and can't be read when the file was closed.
 */
export class GgufTensor implements TensorShape {
  /** Its name in the file. */
  readonly name: string;
  /** ggml's number of its type: `lib.GGML_TYPE_Q5_K`. */
  readonly type: lib.ggml_type;
  /** ggml's name of the type: `q5_K`. */
  readonly typeName: string;
  /** The dimensions that the file has, none to four, fastest first. */
  readonly ne: readonly number[];
  /** The dimensions as `ndarray` has them, row-major: `ne` reversed. */
  readonly shape: readonly number[];
  /** Where the data begins, in bytes from the beginning of the file. */
  readonly offset: number;
  /** How many bytes the data has. */
  readonly byteLength: number;
  readonly #source: Source;
  readonly #info: TypeInfo;

  /** @ignore Made by `readGguf`. */
  constructor(source: Source, { name, type, ne, offset, byteLength }: TensorEntry) {
    this.#source = source;
    this.#info = typeInfo(type);
    this.name = name;
    this.type = type;
    this.typeName = this.#info.name;
    this.ne = ne;
    this.shape = ne.toReversed();
    this.offset = offset;
    this.byteLength = byteLength;
  }

  /**
   * The data as it is in the file, or a part of it.
   *
   * @param begin Where in the data the part begins, in bytes.
   * @param end Where it ends.
   * @returns New memory.
   * @throws {TypeError} If an argument is no number.
   * @throws {RangeError} If there is no such part, or no memory for it.
   * @throws {Error} If the file was closed, or can't be read.
   */
  bytes(begin = 0, end: number = this.byteLength): Uint8Array<ArrayBuffer> {
    for (const n of [begin, end]) {
      if (typeof n !== "number") throw new TypeError(`${this.#where("bytes")}: expected a number of bytes, got ${describe(n)}`);
    }
    if (!Number.isInteger(begin) || !Number.isInteger(end) || begin < 0 || begin > end || end > this.byteLength) {
      throw new RangeError(
        `${this.#where("bytes")}: there is no part from ${begin} to ${end} of ${this.byteLength} bytes`,
      );
    }
    const bytes = allocate(end - begin, this.#where("bytes"));
    this.#read(bytes, begin, "bytes");
    return bytes;
  }

  /**
   * The data in pieces, for tensors larger than memory. `writeGguf` takes a tensor as it is, and needs no pieces.
   *
   * @param size How many bytes a piece has; the last one may have fewer. 4 MiB by default.
   * @returns The pieces in order. Each is in the same memory as the one before it: it is good until the next one is asked for.
   * @throws {RangeError} If the size is no positive integer, or there is no memory for a piece: when the first piece is asked for.
   * @throws {Error} If the file was closed, or can't be read.
   */
  *pieces(size: number = PIECE): Generator<Uint8Array<ArrayBuffer>, void, void> {
    if (!Number.isSafeInteger(size) || size < 1) {
      throw new RangeError(`${this.#where("pieces")}: expected a size of 1 byte or more, got ${describe(size)}`);
    }
    const memory = allocate(Math.min(size, this.byteLength), this.#where("pieces"));
    for (let begin = 0; begin < this.byteLength; begin += size) {
      const piece = memory.subarray(0, this.byteLength - begin);
      this.#read(piece, begin, "pieces");
      yield piece;
    }
  }

  /**
   * The numbers as a row-major `ndarray`: as they are where JavaScript has an array for them, else (quantized types and BF16) as 32-bit floats.
   *
   * @returns New memory. What the array holds follows the type, which TypeScript doesn't know: say `numbers<Int32Array>()`.
   * @throws {TypeError} If ggml doesn't convert the type to floats (`to_float` of `ggml_get_type_traits`).
   * @throws {RangeError} If there is no memory for them.
   * @throws {Error} If the file was closed, or can't be read.
   */
  numbers<D extends TypedArray = Float32Array>(): NoInfer<NdArray<D>> {
    const read = (target: Uint8Array<ArrayBuffer>, offset: number) => this.#read(target, offset, "numbers");
    return numbersOf(read, this.#info, this.shape, this.#where("numbers")) as NdArray<TypedArray> as NdArray<D>;
  }

  /**
   * Makes a tensor of the same name, type and shape in a context, and reads the data into it.
   *
   * In a context without memory for data (`noAlloc`) the tensor has none yet: allocate it by a backend, then call {@linkcode loadInto}.
   *
   * @param ctx The context (`ggml_new_tensor`).
   * @returns The tensor.
   * @throws {TypeError} If it is no context.
   * @throws {Error} If the context is full, or the file was closed or can't be read.
   */
  load(ctx: lib.ggml_context): lib.ggml_tensor {
    if (!(ctx instanceof lib.ggml_context)) throw new TypeError(`${this.#where("load")}: expected a ggml_context, got ${describe(ctx)}`);
    if (ctx.owner.freed) throw freedError(ctx, this.#where("load"));
    const tensor = newTensor(ctx, this.#info, this.shape, this.name, this.#where("load"));
    if (!lib.ggml_get_no_alloc(ctx)) this.loadInto(tensor);
    return tensor;
  }

  /**
   * Reads the data into a tensor that is there already, also one on a device, in pieces (`ggml_backend_tensor_set`).
   *
   * @param tensor A contiguous tensor of the same type and shape.
   * @throws {TypeError} If it is no tensor, or of another type.
   * @throws {RangeError} If it has another shape.
   * @throws {Error} If it has no memory or isn't contiguous, or the file was closed or can't be read.
   */
  loadInto(tensor: lib.ggml_tensor): void {
    const where = this.#where("loadInto");
    if (!(tensor instanceof lib.ggml_tensor)) throw new TypeError(`${where}: expected a ggml_tensor, got ${describe(tensor)}`);
    if (tensor.owner.freed) throw freedError(tensor, where);
    const { type } = tensor, ne = [...tensor.ne];
    if (type !== this.type) throw new TypeError(`${where}: expected a tensor of ${this.typeName}, got one of ${typeInfo(type).name}`);
    if (ne.some((n, i) => n !== (this.ne[i] ?? 1))) {
      throw new RangeError(`${where}: expected a tensor of ne=[${this.ne.join(", ")}], fastest first, got ne=[${ne.join(", ")}]`);
    }
    if (!lib.ggml_is_contiguous(tensor)) throw new Error(`${where}: the tensor is not contiguous (nb=[${tensor.nb.join(", ")}])`);
    if (this.byteLength > 0) this.#fill(tensor, where);
  }

  /** What `console.log` shows, in a line: name, type, shape, and where the data is. */
  [Symbol.for("Deno.customInspect")](): string {
    if (!(#source in this)) return "GgufTensor {}"; // the prototype
    return `GgufTensor ${quote(this.name)} ${this.typeName} ne=[${
      this.ne.join(", ")
    }], ${this.byteLength} bytes from byte ${this.offset} on`;
  }

  #fill(tensor: lib.ggml_tensor, where: string): void {
    const { data } = tensor, buffer = bufferOf(tensor);
    if (buffer === null) {
      if (data === null) throw new Error(`${where}: the tensor has no memory yet: allocate it by a backend first`);
      return this.#read(data.bytes(this.byteLength), 0, "loadInto");
    }
    let done = 0;
    for (const piece of this.pieces()) {
      onBehalf(where, lib.ggml_backend_tensor_set, tensor, piece, done, piece.length);
      done += piece.length;
    }
  }

  #read(target: Uint8Array<ArrayBuffer>, begin: number, method: string): void {
    this.#source.readInto(target, this.offset + begin, this.#where(method));
  }

  #where(method: string): string {
    return `${method} of tensor ${quote(this.name)}`;
  }
}
