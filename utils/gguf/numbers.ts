/**
 * A tensor's numbers from its bytes: as they are where JavaScript has an array for the type, else as 32-bit floats.
 *
 * @module
 */

import { type NdArray, ndarray, type TypedArray } from "../arrays/ndarray.ts";
import { allocate } from "../copying/allocate.ts";
import type { TypeInfo } from "../copying/types.ts";

/** Elements that are converted at once; every block size divides it. */
const PIECE = 256 * 1024;

/**
 * The numbers of a tensor whose bytes are read in pieces.
 *
 * @param read Fills an array with the bytes from an offset on.
 * @param shape Row-major.
 * @param where The method and tensor, for errors.
 * @throws {TypeError} If ggml doesn't convert the type to floats.
 */
export function numbersOf(
  read: (target: Uint8Array<ArrayBuffer>, offset: number) => void,
  { name, array, toFloat, blockSize, typeSize }: TypeInfo,
  shape: readonly number[],
  where: string,
): NdArray<TypedArray> {
  const count = shape.reduce((product, n) => product * n, 1);
  // BF16's bits are of no use as numbers.
  if (array !== null && array !== Uint16Array) {
    const bytes = allocate(count * typeSize, where);
    read(bytes, 0);
    return ndarray(new array(bytes.buffer), shape);
  }
  if (toFloat === null) throw new TypeError(`${where}: ggml has no conversion from ${name} to f32`);
  const floats = new Float32Array(allocate(count * 4, where).buffer);
  const step = Math.ceil(PIECE / blockSize) * blockSize;
  const piece = new Uint8Array(Math.min(step, count) / blockSize * typeSize);
  for (let i = 0; i < count; i += step) {
    const target = floats.subarray(i, i + step);
    const bytes = piece.subarray(0, target.length / blockSize * typeSize);
    read(bytes, i / blockSize * typeSize);
    toFloat(bytes, new Uint8Array(target.buffer, target.byteOffset, target.byteLength), target.length);
  }
  return ndarray(floats, shape);
}
