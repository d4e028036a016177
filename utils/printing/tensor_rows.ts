/**
 * Tensors row by row: any layout (permuted, transposed, a slice), any type that there are numbers for, in whatever memory.
 *
 * Quantized types and BF16, for which JavaScript has no array, are read as 32-bit floats, and only the blocks that hold what is asked for:
 * `copy` is faster for the whole, but may read whatever lies between.
 *
 * @module
 */

import { freedError } from "../../ffi/core/handle.ts";
import { onBehalf } from "../../ffi/core/on_behalf.ts";
import { lib } from "../../ffi/generated/lib.js";
import { allocate } from "../copying/allocate.ts";
import { type Layout, reachOf } from "../copying/box.ts";
import type { Rows } from "./corners.ts";
import { describeTensor, layoutOf } from "../copying/layout.ts";
import type { TypedArray } from "../arrays/ndarray.ts";
import { expectReach, isOnDevice, noMemory } from "../copying/operand.ts";
import type { TensorSlice } from "../copying/tensor_slice.ts";
import { type Bytes, type TypeInfo, typeInfo } from "../copying/types.ts";

/** Reads bytes of a tensor, from an offset on. What comes back may be the memory itself. */
type Read = (offset: number, length: number) => Bytes;

/**
 * A tensor to be read row by row.
 *
 * @param slice The part of it to be read; null for all of it.
 * @param name What asks, for errors.
 * @throws {TypeError} If ggml can't convert its type.
 * @throws {Error} If it was freed, has no memory, or a row doesn't divide into blocks.
 */
export function rowsOfTensor(tensor: lib.ggml_tensor, slice: TensorSlice | null, name: string): Rows {
  if (tensor.owner.freed) throw freedError(tensor, name);
  const info = typeInfo(tensor.type);
  const array = info.array === null || info.array === Uint16Array ? Float32Array : info.array;
  if (array === Float32Array && info.toFloat === null) {
    throw new TypeError(`${name}: ggml has no conversion from ${info.name} to f32 (${describeTensor(tensor)})`);
  }
  const create = (length: number) => new array(allocate(length * array.BYTES_PER_ELEMENT, name).buffer);
  const layout = slice?.layout ?? layoutOf(tensor, info, name);
  const { shape } = layout;
  if (shape.includes(0)) return { shape, create, read: () => {} };
  let read = reader(tensor, layout, name);
  const elements = info.blockSize === 1 ? plainElements : layout.blockAxis === shape.length - 1 ? blocksOfRow : acrossBlocks;
  return {
    shape,
    create,
    fetch() {
      if (!isOnDevice(tensor)) return;
      const { begin, end } = reachOf(layout);
      read = fetched(read(begin, end - begin), begin);
    },
    read(index, start, end, to, at) {
      (to as Float32Array).set(elements(read, info, layout, index, start, end) as Float32Array, at);
    },
  };
}

/** Where the row at an index begins. */
function offsetOf({ strides, offset }: Layout, index: readonly number[]): number {
  return index.reduce((sum, i, axis) => sum + i * strides[axis], offset);
}

/** Elements of a row of a type without blocks. */
function plainElements(
  read: Read,
  { array, typeSize, toFloat }: TypeInfo,
  layout: Layout,
  index: readonly number[],
  start: number,
  end: number,
): TypedArray {
  const stride = layout.strides.at(-1) ?? typeSize;
  const bytes = run(read, offsetOf(layout, index) + start * stride, end - start, typeSize, stride);
  if (array !== null && array !== Uint16Array) return new array(bytes.buffer, 0, end - start);
  return toFloats(bytes, toFloat, end - start);
}

/** Elements of a row of blocks. */
function blocksOfRow(
  read: Read,
  { blockSize, typeSize, toFloat }: TypeInfo,
  layout: Layout,
  index: readonly number[],
  start: number,
  end: number,
): TypedArray {
  const first = Math.floor(start / blockSize), blocks = Math.ceil(end / blockSize) - first, stride = layout.strides.at(-1)!;
  const bytes = run(read, offsetOf(layout, index) + first * stride, blocks, typeSize, stride);
  return toFloats(bytes, toFloat, blocks * blockSize).subarray(start - first * blockSize, end - first * blockSize);
}

/** Elements of a row across the blocks: each is in a block of its own. */
function acrossBlocks(
  read: Read,
  { blockSize, typeSize, toFloat }: TypeInfo,
  layout: Layout,
  index: readonly number[],
  start: number,
  end: number,
): TypedArray {
  const { blockAxis } = layout, within = index[blockAxis] % blockSize, stride = layout.strides.at(-1)!;
  const begin = offsetOf(layout, index.map((i, axis) => axis === blockAxis ? Math.floor(i / blockSize) : i));
  return Float32Array.from(
    { length: end - start },
    (_, i) => toFloats(read(begin + (start + i) * stride, typeSize), toFloat, blockSize)[within],
  );
}

function toFloats(bytes: Bytes, toFloat: TypeInfo["toFloat"], count: number): Float32Array {
  const floats = new Float32Array(count);
  toFloat!(bytes, new Uint8Array(floats.buffer), count);
  return floats;
}

/** A copy of elements or blocks that are `stride` bytes apart, one after the other. */
function run(read: Read, offset: number, count: number, size: number, stride: number): Bytes {
  if (stride === size) return read(offset, count * size).slice();
  const bytes = new Uint8Array(count * size);
  for (let i = 0; i < count; i++) bytes.set(read(offset + i * stride, size), i * size);
  return bytes;
}

/** Reads from wherever the tensor's memory is. */
function reader(tensor: lib.ggml_tensor, layout: Layout, name: string): Read {
  const { data, owner } = tensor;
  if (data === null) throw noMemory(tensor, name);
  if (isOnDevice(tensor)) {
    return (offset, length) => filled(length, (bytes) => onBehalf(name, lib.ggml_backend_tensor_get, tensor, bytes, offset, length));
  }
  const { arena, base } = owner, { end } = reachOf(layout);
  expectReach(tensor, end, name);
  const begin = Number(data.address - base);
  if (arena !== null && begin >= 0 && begin + end <= arena.byteLength) {
    return fetched(new Uint8Array(arena.buffer as ArrayBuffer, arena.byteOffset + begin, end), 0);
  }
  const view = new Deno.UnsafePointerView(data.pointer);
  return (offset, length) => filled(length, (bytes) => view.copyInto(bytes, offset));
}

/** Reads from memory that is here and begins at an offset. */
function fetched(all: Bytes, begin: number): Read {
  return (offset, length) => all.subarray(offset - begin, offset - begin + length);
}

function filled(length: number, fill: (bytes: Bytes) => void): Bytes {
  const bytes = new Uint8Array(length);
  fill(bytes);
  return bytes;
}
