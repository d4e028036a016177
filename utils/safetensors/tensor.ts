/**
 * `SafetensorsTensor`: a tensor in a safetensors file, whose data is read when it is asked for.
 *
 * @module
 */

import { printable, quote } from "../../ffi/core/describe.ts";
import { lib } from "../../ffi/generated/lib.js";
import { GgufTensor } from "../gguf/tensor.ts";
import type { Source } from "../gguf/source.ts";
import { type NdArray, ndarray, type TypedArray } from "../arrays/ndarray.ts";
import type { SafetensorsEntry } from "./header.ts";

/** The types that ggml has, too. */
const TYPES: ReadonlyMap<string, lib.ggml_type> = new Map<string, lib.ggml_type>([
  ["F32", lib.GGML_TYPE_F32],
  ["F16", lib.GGML_TYPE_F16],
  ["BF16", lib.GGML_TYPE_BF16],
  ["F64", lib.GGML_TYPE_F64],
  ["I8", lib.GGML_TYPE_I8],
  ["I16", lib.GGML_TYPE_I16],
  ["I32", lib.GGML_TYPE_I32],
  ["I64", lib.GGML_TYPE_I64],
]);

/** The arrays of those that it hasn't. */
const ARRAYS = new Map<string, new (buffer: ArrayBuffer) => TypedArray>([
  ["BOOL", Uint8Array],
  ["U8", Uint8Array],
  ["U16", Uint16Array],
  ["U32", Uint32Array],
  ["U64", BigUint64Array],
]);

/**
 * A tensor in a safetensors file: what the file says of it, and ways to its data. Nothing is read before it is asked for.
 *
 * It keeps the file open for as long as it can be reached, and can't be read when the file was closed. `writeGguf` takes it as it is.
 */
export class SafetensorsTensor {
  /** Its name in the file. */
  readonly name: string;
  /** The file's name of its type: `BF16`. */
  readonly dtype: string;
  /** ggml's number of its type: `lib.GGML_TYPE_BF16`; null if ggml hasn't got it. */
  readonly type: lib.ggml_type | null;
  /** The dimensions, row-major. */
  readonly shape: readonly number[];
  /** The dimensions as ggml has them, fastest first: `shape` reversed. */
  readonly ne: readonly number[];
  /** Where the data begins, in bytes from the beginning of the file. */
  readonly offset: number;
  /** How many bytes the data has. */
  readonly byteLength: number;
  /** The data in pieces, as `writeGguf` asks for it. */
  readonly data: () => Generator<Uint8Array<ArrayBuffer>, void, void>;
  /** What reads it; as bytes where ggml hasn't got the type. */
  readonly #reader: GgufTensor;

  /** @ignore Made by `readSafetensors`. */
  constructor(source: Source, { name, dtype, shape, begin, end }: SafetensorsEntry) {
    this.name = name;
    this.dtype = dtype;
    this.type = TYPES.get(dtype) ?? null;
    this.shape = shape;
    this.ne = shape.toReversed();
    this.offset = begin;
    this.byteLength = end - begin;
    const typed = this.type === null ? { type: lib.GGML_TYPE_I8, ne: [end - begin] } : { type: this.type, ne: this.ne };
    this.#reader = new GgufTensor(source, { name, ...typed, offset: begin, byteLength: end - begin });
    this.data = () => this.pieces();
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
    return this.#reader.bytes(begin, end);
  }

  /**
   * The data in pieces, for tensors larger than memory.
   *
   * @param size How many bytes a piece has; the last one may have fewer. 4 MiB by default.
   * @returns The pieces in order. Each is in the same memory as the one before it: it is good until the next one is asked for.
   * @throws {RangeError} If the size is no positive integer, or there is no memory for a piece: when the first piece is asked for.
   * @throws {Error} If the file was closed, or can't be read.
   */
  pieces(size?: number): Generator<Uint8Array<ArrayBuffer>, void, void> {
    return this.#reader.pieces(size);
  }

  /**
   * The numbers as a row-major `ndarray`: as they are where JavaScript has an array for them, BF16 as 32-bit floats, booleans as 0 and 1.
   *
   * @returns New memory. What the array holds follows the type, which TypeScript doesn't know: say `numbers<Int32Array>()`.
   * @throws {TypeError} If there is no array for the type (8-bit floats and smaller ones, complex numbers).
   * @throws {RangeError} If there is no memory for them.
   * @throws {Error} If the file was closed, or can't be read.
   */
  numbers<D extends TypedArray = Float32Array>(): NoInfer<NdArray<D>> {
    if (this.type !== null) return this.#reader.numbers<D>();
    const array = ARRAYS.get(this.dtype);
    if (array === undefined) throw new TypeError(`numbers of tensor ${quote(this.name)}: no typed array holds ${this.dtype}`);
    return ndarray(new array(this.bytes().buffer), this.shape) as NdArray<TypedArray> as NdArray<D>;
  }

  /**
   * Makes a tensor of the same name, type and shape in a context, and reads the data into it.
   *
   * In a context without memory for data (`noAlloc`) the tensor has none yet: allocate it by a backend, then call {@linkcode loadInto}.
   *
   * @param ctx The context (`ggml_new_tensor`).
   * @returns The tensor.
   * @throws {TypeError} If it is no context, or ggml hasn't got the type.
   * @throws {RangeError} If ggml has no tensors of so many dimensions, or no names of so many bytes.
   * @throws {Error} If the context is full, or the file was closed or can't be read.
   */
  load(ctx: lib.ggml_context): lib.ggml_tensor {
    this.#expectType("load");
    return this.#reader.load(ctx);
  }

  /**
   * Reads the data into a tensor that is there already, also one on a device, in pieces (`ggml_backend_tensor_set`).
   *
   * @param tensor A contiguous tensor of the same type and shape.
   * @throws {TypeError} If it is no tensor, or of another type, or ggml hasn't got the type.
   * @throws {RangeError} If it has another shape.
   * @throws {Error} If it has no memory or isn't contiguous, or the file was closed or can't be read.
   */
  loadInto(tensor: lib.ggml_tensor): void {
    this.#expectType("loadInto");
    this.#reader.loadInto(tensor);
  }

  /** What `console.log` shows, in a line: name, type, shape, and where the data is. */
  [Symbol.for("Deno.customInspect")](): string {
    if (!(#reader in this)) return "SafetensorsTensor {}"; // the prototype
    return `SafetensorsTensor ${quote(this.name)} ${printable(this.dtype)} [${
      this.shape.join(", ")
    }], ${this.byteLength} bytes from byte ${this.offset} on`;
  }

  #expectType(method: string): void {
    if (this.type !== null) return;
    throw new TypeError(`${method} of tensor ${quote(this.name)}: ggml has no type ${this.dtype}: copy its numbers() or bytes()`);
  }
}
