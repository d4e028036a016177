/**
 * Tensors that go into a GGUF file: whatever a caller gives as one, with its shape checked and its bytes ready to be asked for.
 *
 * @module
 */

import { describe, quote } from "../../ffi/core/describe.ts";
import { freedError } from "../../ffi/core/handle.ts";
import { onBehalf } from "../../ffi/core/on_behalf.ts";
import { lib } from "../../ffi/generated/lib.js";
import { type Elements, expectInside, expectThere, isContiguous, isNdArray, type NdArray, type TypedArray } from "../arrays/ndarray.ts";
import { plainArray, plainElements } from "../arrays/plain.ts";
import { bufferOf } from "../copying/operand.ts";
import { expectType, typeOfArray } from "../copying/types.ts";
import type { SafetensorsTensor } from "../safetensors/tensor.ts";
import type { TensorHead } from "./encode.ts";
import { GgufTensor } from "./tensor.ts";

/** Pieces of bytes, one after the other: each is written before the next one is asked for. */
export type Pieces = Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/** A tensor as its bytes: all of them at once, or in pieces, so that a file may be larger than memory. */
export interface GgufTensorData {
  /** Its name, unless it is given under one. */
  readonly name?: string;
  /** ggml's number of its type. */
  readonly type: lib.ggml_type;
  /** The dimensions, one to four, fastest first. */
  readonly ne: readonly number[];
  /** As many bytes as the type and shape take; a function is called when it is the tensor's turn. */
  readonly data: Uint8Array | Pieces | (() => Uint8Array | Pieces);
}

/** A tensor for `writeGguf`. */
export type GgufTensorInput = lib.ggml_tensor | GgufTensor | SafetensorsTensor | NdArray<TypedArray> | TypedArray | GgufTensorData;

/** A tensor that is ready to be written. */
export interface PlannedTensor extends TensorHead {
  /** Its bytes. */
  data(): Uint8Array | Pieces;
}

/** Bytes that are fetched from a device at once. */
const PIECE = 4 * 1024 * 1024;

/** What to give for an array or tensor whose elements no type of ggml's has. */
const INSTEAD = "give an Int32Array of its numbers, or { type, ne, data } with its bytes";

/**
 * A tensor to be written.
 *
 * @param name What it shall be called; null for its own name.
 * @param where The function and file, for errors.
 */
export function planTensor(name: string | null, input: GgufTensorInput, where: string): PlannedTensor {
  if (input instanceof lib.ggml_tensor && input.owner.freed) {
    throw freedError(input, `${where}: tensor${name === null ? "" : ` ${quote(name)}`}`);
  }
  const own = (input as { name?: unknown } | null | undefined)?.name;
  const called = name ?? own;
  if (typeof called !== "string") throw new TypeError(`${where}: a tensor has no name: ${describe(input)}`);
  const place = `${where}: tensor ${quote(called)}`;
  if (input instanceof GgufTensor) return plan(called, input.type, input.ne, () => input.pieces(), place);
  if (input instanceof lib.ggml_tensor) return planGgml(called, input, place);
  if (isNdArray(input)) {
    const elements = plainElements(input);
    return planArray(called, elements.data, elements, place);
  }
  if (ArrayBuffer.isView(input) && "length" in input) return planArray(called, plainArray(input as TypedArray), null, place);
  if (typeof input === "object" && input !== null && "data" in input) {
    if ("dtype" in input && input.type === null) {
      throw new TypeError(`${place}: ggml has no type ${input.dtype}: ${INSTEAD}`);
    }
    return planData(called, input as GgufTensorData, place);
  }
  throw new TypeError(`${place}: expected a tensor, an ndarray, a typed array or { type, ne, data }, got ${describe(input)}`);
}

function planData(name: string, { type, ne, data }: GgufTensorData, where: string): PlannedTensor {
  const planned = plan(name, type, ne, () => typeof data === "function" ? data() : data, where);
  if (data instanceof Uint8Array && data.length !== planned.byteLength) {
    throw new RangeError(`${where}: expected ${planned.byteLength} bytes for its type and shape, got ${data.length}`);
  }
  return planned;
}

function planGgml(name: string, tensor: lib.ggml_tensor, where: string): PlannedTensor {
  const ne = [...tensor.ne].slice(0, lib.ggml_n_dims(tensor));
  if (!lib.ggml_is_contiguous(tensor)) {
    throw new Error(`${where}: it is not contiguous (ne=[${ne.join(", ")}], nb=[${tensor.nb.join(", ")}]): copy it to one that is`);
  }
  const { data } = tensor, onBackend = bufferOf(tensor) !== null;
  const planned = plan(name, tensor.type, ne, () => {
    if (tensor.owner.freed) throw freedError(tensor, where); // while those before it were written
    return onBackend ? fetch(tensor, planned.byteLength, where) : data!.bytes(planned.byteLength);
  }, where);
  if (planned.byteLength > 0 && data === null && !onBackend) {
    throw new Error(`${where}: it has no memory yet: allocate and compute it first`);
  }
  return planned.byteLength > 0 ? planned : { ...planned, data: () => new Uint8Array(0) };
}

/** A tensor's bytes out of a backend's memory. */
function* fetch(tensor: lib.ggml_tensor, length: number, where: string): Generator<Uint8Array<ArrayBuffer>> {
  const memory = new Uint8Array(Math.min(PIECE, length));
  for (let begin = 0; begin < length; begin += PIECE) {
    const piece = memory.subarray(0, length - begin);
    onBehalf(where, lib.ggml_backend_tensor_get, tensor, piece, begin, piece.length);
    yield piece;
  }
}

function planArray(name: string, data: TypedArray, array: Elements | null, where: string): PlannedTensor {
  const type = typeOfArray(data);
  if (type === null) throw new TypeError(`${where}: no tensor type has the elements of ${describe(data)}: ${INSTEAD}`);
  if (data instanceof Uint16Array) {
    throw new TypeError(`${where}: a Uint16Array may be integers or the bits of BF16: ${INSTEAD}`);
  }
  expectThere(data, () => `${where}: ${describe(data)}`);
  if (array !== null) expectInside(array, () => `${where}: the ndarray of shape [${array.shape}]`);
  if (array !== null && !isContiguous(array)) {
    throw new Error(`${where}: the ndarray is not contiguous (shape [${array.shape}], stride [${array.stride}]): copy it to one that is`);
  }
  const width = data.BYTES_PER_ELEMENT, ne = array === null ? [data.length] : array.shape.toReversed();
  const begin = (array?.offset ?? 0) * width;
  const planned = plan(name, type, ne, () => new Uint8Array(data.buffer, data.byteOffset + begin, planned.byteLength), where);
  return planned;
}

function plan(name: string, type: lib.ggml_type, ne: readonly number[], data: () => Uint8Array | Pieces, where: string): PlannedTensor {
  if (!Array.isArray(ne)) throw new TypeError(`${where}: expected ne, the dimensions, fastest first, got ${describe(ne)}`);
  const wrong = ne.findIndex((n) => !Number.isSafeInteger(n) || n < 0);
  if (wrong >= 0) throw new RangeError(`${where}: ne must be whole numbers, 0 or more, and ne[${wrong}] is ${describe(ne[wrong])}`);
  const shape = `ne=[${ne.join(", ")}]`;
  if (ne.length > lib.GGML_MAX_DIMS) throw new RangeError(`${where}: ${shape} has more than ${lib.GGML_MAX_DIMS} dimensions`);
  const { blockSize, typeSize, name: typeName } = expectType(where, type);
  const row = ne[0] ?? 1;
  if (row % blockSize !== 0) throw new RangeError(`${where}: its rows of ${row} are no multiple of ${typeName}'s block of ${blockSize}`);
  const byteLength = ne.reduce((product, n) => product * n, 1) / blockSize * typeSize;
  if (!Number.isSafeInteger(byteLength)) throw new RangeError(`${where}: ${shape} is too large`);
  return { name, type, ne, byteLength, data };
}
