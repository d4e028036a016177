/**
 * Functions that are told in numbers how large a tensor shall be: paddings, factors, lengths. C multiplies what comes of them without a look whether that
 * overflows, and makes a tensor of 2^62 numbers in 16 bytes of memory, which whoever reads it or sets it believes.
 *
 * The shape is looked at when C has made it: what comes of the numbers is C's to say. Functions that are told the shape itself are checked before
 * (`checks/shapes.ts`), and those that multiply the sizes of tensors would need gigabytes to get so far.
 *
 * @module
 */

import { after } from "../core/after.ts";
import { ABI } from "../generated/layouts.js";
import { typeName } from "../load/tensor_text.ts";
import { library } from "../load/library.ts";
import { MOST_BYTES } from "./checks/shapes.ts";
import { traitsOf } from "./checks/types.ts";
import type { Wrappers } from "./watch.ts";

const NAMES = [
  "ggml_arange",
  "ggml_conv_transpose_1d",
  "ggml_conv_transpose_2d_p0",
  "ggml_diag",
  "ggml_im2col",
  "ggml_im2col_3d",
  "ggml_im2col_back",
  "ggml_interpolate",
  "ggml_pad",
  "ggml_pad_circular",
  "ggml_pad_ext",
  "ggml_pad_ext_circular",
  "ggml_pool_1d",
  "ggml_pool_2d",
  "ggml_pool_2d_back",
  "ggml_timestep_embedding",
  "ggml_upscale",
  "ggml_upscale_ext",
  "ggml_win_part",
  "ggml_win_unpart",
];

/** What is put around these functions. */
export const wrappers: Wrappers = Object.fromEntries(
  NAMES.map((name) => [name, (symbol) => (...args) => after(symbol(...args), (tensor: bigint) => expectCountable(name, tensor))]),
);

const { size: TENSOR_SIZE, fields } = ABI.records.ggml_tensor;

/** The tensor that was made, if C counts its bytes. Otherwise it is left without elements, for whoever finds it in its context. */
function expectCountable(name: string, tensor: bigint): bigint {
  if (tensor === 0n) return tensor;
  const view = new DataView(Deno.UnsafePointerView.getArrayBuffer(Deno.UnsafePointer.create(tensor)!, TENSOR_SIZE));
  const ne = [0, 1, 2, 3].map((i) => Number(view.getBigInt64(fields.ne + 8 * i, true))), type = view.getInt32(fields.type, true);
  const { size, block } = traitsOf(type);
  if (ne.every((n) => n >= 0) && ne.reduce((bytes, n) => bytes * Math.max(n, 1), size / block) <= MOST_BYTES) return tensor;
  view.setBigInt64(fields.ne, 0n, true);
  const shape = `${typeName(library(), type)} ne=[${ne.join(", ")}]`;
  throw new RangeError(
    `${name}: the result would be ${shape}, which ${ne.some((n) => n < 0) ? "is negative" : "would take more than 2^53 bytes"}`,
  );
}
