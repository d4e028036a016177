/**
 * Operands: one side of a copy, whether it is a tensor, an `ndarray` or a typed array.
 *
 * Shapes here are row-major, as `ndarray`'s are: ggml's `ne` reversed, without the dimensions of 1 that ggml adds to make four.
 *
 * @module
 */

import { lib } from "../ffi/lib.js";
import { externalBuffer } from "../ffi/handle.ts";
import { describe } from "../ffi/describe.ts";
import { isContiguous, isNdArray, type NdArray, type TypedArray } from "./ndarray.ts";
import { type TypeInfo, typeInfo, typeOfArray } from "./types.ts";

/** What can be copied from and to. */
export type TensorLike = lib.ggml_tensor | NdArray<TypedArray> | TypedArray;

/** One side of a copy. */
export interface Operand {
  readonly type: TypeInfo;
  /** Row-major, null for a typed array: it has a length only, and fits every shape of as many elements. */
  readonly shape: readonly number[] | null;
  /** Elements in all. */
  readonly count: number;
  /** Elements in a row, the fastest dimension. */
  readonly rowLength: number;
  /** The elements, contiguous. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Says what it is, for errors. */
  describe(): string;
}

/**
 * One side of a copy from what the caller gave.
 *
 * @param role "source" or "destination", for errors.
 * @throws {TypeError} If it is nothing that can be copied.
 * @throws {Error} If it isn't contiguous, or has no memory that can be reached.
 */
export function operand(value: TensorLike, role: string): Operand {
  if (value instanceof lib.ggml_tensor) return tensorOperand(value, role);
  if (isNdArray(value)) return arrayOperand(value.data, value, role);
  if (ArrayBuffer.isView(value) && "length" in value) return arrayOperand(value as TypedArray, null, role);
  throw new TypeError(`${role}: expected a tensor, an ndarray or a typed array, got ${describe(value)}`);
}

/** A tensor's type, shape and name in one phrase. */
export function describeTensor(tensor: lib.ggml_tensor): string {
  const name = tensor.name;
  return `tensor${name === "" ? "" : ` ${JSON.stringify(name)}`} of ${typeInfo(tensor.type).name}, ne=[${tensor.ne.join(", ")}]`;
}

/** A tensor's dimensions as `ndarray` orders them. */
export function shapeOf(tensor: lib.ggml_tensor): number[] {
  const ne = [...tensor.ne];
  while (ne.length > 1 && ne[ne.length - 1] === 1) ne.pop();
  return ne.reverse();
}

/**
 * A tensor's memory, not a copy.
 *
 * @throws {Error} If it has none yet, or it is on a device.
 */
export function tensorBytes(tensor: lib.ggml_tensor, role: string): Uint8Array<ArrayBuffer> {
  const { data, buffer, owner } = tensor;
  const length = byteLength(tensor);
  if (length === 0) return new Uint8Array(0);
  if (data === null) {
    throw new Error(
      `${role}: ${describeTensor(tensor)} has no memory yet (made with noAlloc, or not computed): allocate it by a backend first`,
    );
  }
  if (buffer !== null && !lib.ggml_backend_buffer_is_host(buffer)) {
    throw new Error(`${role}: ${describeTensor(tensor)} is in a backend's memory that the CPU can't address`);
  }
  if (owner.arena !== null) {
    const offset = Number(data.address - owner.base);
    if (offset >= 0 && offset + length <= owner.arena.byteLength) {
      return new Uint8Array(owner.arena.buffer as ArrayBuffer, owner.arena.byteOffset + offset, length);
    }
  }
  // The view is detached when the buffer is freed, whatever becomes of the tensor.
  return new Uint8Array(externalBuffer(data.address, length, buffer?.owner ?? owner));
}

/** How many bytes a tensor reaches over, from its first element to its last: `ggml_nbytes`. */
function byteLength({ type, ne, nb }: lib.ggml_tensor): number {
  const { blockSize, typeSize } = typeInfo(type);
  if (ne.some((n) => n === 0)) return 0;
  const row = blockSize === 1 ? typeSize + (ne[0] - 1) * nb[0] : Math.floor(ne[0] * nb[0] / blockSize);
  return row + (ne[1] - 1) * nb[1] + (ne[2] - 1) * nb[2] + (ne[3] - 1) * nb[3];
}

/** True if the elements lie one after the other, in order: `ggml_is_contiguous`. */
function isContiguousTensor({ ne, nb }: lib.ggml_tensor, { blockSize, typeSize }: TypeInfo): boolean {
  if (ne.some((n) => n === 0)) return true;
  if (ne[0] !== blockSize && nb[0] !== typeSize) return false;
  let next = typeSize * ne[0] / blockSize;
  for (let i = 1; i < ne.length; i++) {
    if (ne[i] === 1) continue;
    if (nb[i] !== next) return false;
    next *= ne[i];
  }
  return true;
}

function tensorOperand(tensor: lib.ggml_tensor, role: string): Operand {
  const type = typeInfo(tensor.type);
  if (!isContiguousTensor(tensor, type)) {
    throw new Error(`${role}: ${describeTensor(tensor)} is not contiguous (nb=[${tensor.nb.join(", ")}])`);
  }
  const rowLength = tensor.ne[0];
  if (rowLength % type.blockSize !== 0) {
    throw new Error(
      `${role}: ${describeTensor(tensor)}: a row of ${rowLength} is not a multiple of ${type.name}'s block of ${type.blockSize}`,
    );
  }
  return {
    type,
    shape: shapeOf(tensor),
    count: tensor.ne.reduce((a, b) => a * b),
    rowLength,
    bytes: tensorBytes(tensor, role),
    describe: () => describeTensor(tensor),
  };
}

function arrayOperand(data: TypedArray, array: NdArray<TypedArray> | null, role: string): Operand {
  const kind = data.constructor.name;
  const text = () => array === null ? `${kind} of ${data.length}` : `ndarray (${kind}) of shape [${array.shape.join(", ")}]`;
  const type = typeOfArray(data);
  if (type === null) throw new TypeError(`${role}: ${text()}: no tensor type has the elements of a ${kind}`);
  if (!(data.buffer instanceof ArrayBuffer)) throw new TypeError(`${role}: ${text()}: shared memory is not supported`);
  if (data.buffer.detached) throw new TypeError(`${role}: ${text()}: its memory was transferred elsewhere`);
  if (array !== null && !isContiguous(array)) {
    throw new Error(`${role}: ${text()} is not contiguous (stride [${array.stride.join(", ")}])`);
  }
  const count = array === null ? data.length : array.shape.reduce((a, b) => a * b, 1);
  const offset = array?.offset ?? 0;
  if (offset < 0 || offset + count > data.length) throw new RangeError(`${role}: ${text()} reaches past its data of ${data.length}`);
  const width = data.BYTES_PER_ELEMENT;
  const shape = array === null ? null : [...array.shape];
  return {
    type: typeInfo(type),
    shape,
    count,
    rowLength: shape?.[shape.length - 1] ?? count,
    bytes: new Uint8Array(data.buffer, data.byteOffset + offset * width, count * width),
    describe: text,
  };
}
