/**
 * Numbers for tensors that are computed from: mostly small ones, now and then the worst there are.
 *
 * @module
 */

import { lib } from "@ggml/deno";
import { Random } from "../random.ts";

const WORST = [NaN, Infinity, -Infinity, 3e38, -3e38, 1e-45, -0, 2 ** 31, -(2 ** 31)];
const INDICES = [-1, 1, 2, 7, 255, 100_000, 2 ** 31 - 1, -(2 ** 31)];

/** What is written of a tensor: of those that are larger it takes longer than a process may say nothing. */
const MOST_BYTES = 2 ** 22;

/** Writes numbers into a tensor, or its beginning. Integers are often taken for indices, and are zeros or ones then. */
export function fill(tensor: lib.ggml_tensor, seed: number): void {
  const { data } = tensor;
  if (data === null) return;
  const bytes = data.bytes(Math.min(lib.ggml_nbytes(tensor), MOST_BYTES));
  const random = new Random(seed), isBad = seed % 8 === 0;
  switch (tensor.type) {
    case lib.GGML_TYPE_F32:
    case lib.GGML_TYPE_F16: {
      const number = (i: number) => isBad && random.percent(30) ? random.pick(WORST) : Math.sin(seed + i);
      return write(
        bytes,
        tensor.type === lib.GGML_TYPE_F32 ? 4 : 2,
        (view, at, i) => tensor.type === lib.GGML_TYPE_F32 ? view.setFloat32(at, number(i), true) : view.setFloat16(at, number(i), true),
      );
    }
    case lib.GGML_TYPE_I32:
      return write(
        bytes,
        4,
        (view, at) => view.setInt32(at, isBad && random.percent(20) ? random.pick(INDICES) : seed % 4 === 1 ? 1 : 0, true),
      );
    case lib.GGML_TYPE_I64:
      return write(
        bytes,
        8,
        (view, at) => view.setBigInt64(at, isBad && random.percent(20) ? BigInt(random.pick(INDICES)) : seed % 4 === 1 ? 1n : 0n, true),
      );
    default:
      for (let i = 0; i < bytes.length; i++) bytes[i] = seed % 3 === 0 ? random.below(256) : 0;
  }
}

function write(bytes: Uint8Array<ArrayBuffer>, width: number, set: (view: DataView, at: number, i: number) => void): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at + width <= bytes.length; at += width) set(view, at, at / width);
}
