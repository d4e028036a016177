/**
 * Arguments that no luck would find, or that luck would seldom find where a kernel is to be reached: sizes out of ggml's own constants, shapes of
 * many tensors that depend on each other. Every other function is reached without any help.
 *
 * @module
 */

import type { ArgumentSpec, Spec } from "./specs.ts";

function tensor(type: string, ...ne: number[]): ArgumentSpec {
  return { tensor: { type: `GGML_TYPE_${type}`, ne: [ne[0], ne[1] ?? 1, ne[2] ?? 1, ne[3] ?? 1], layout: "plain" } };
}

const F32 = (...ne: number[]) => tensor("F32", ...ne),
  F16 = (...ne: number[]) => tensor("F16", ...ne),
  I32 = (n: number) => tensor("I32", n);
const PARAMETER: ArgumentSpec = { tensor: { type: "GGML_TYPE_F32", ne: [5, 3, 1, 1], layout: "parameter" } };
const CONTEXT: ArgumentSpec = { context: true };
const NULL: ArgumentSpec = { value: null };
const TRUE: ArgumentSpec = { value: true };

function numbers(...values: number[]): ArgumentSpec[] {
  return values.map((value) => ({ value }));
}

function integers(array: "Int32Array" | "BigInt64Array", ...items: number[]): ArgumentSpec {
  return { value: { array, items } };
}

/** What comes after the mode of a rotation: n_ctx_orig, freq_base, freq_scale, ext_factor, attn_factor, beta_fast, beta_slow. */
const YARN = numbers(16, 1e4, 1, 0, 1, 32, 1);
const ROTATED = F32(8, 3, 4), SECTIONS = integers("Int32Array", 2, 1, 1, 0);

/** The first arguments of each, to be varied. */
export const SEEDS: Readonly<Record<string, Spec>> = {
  // seven parameters of AdamW, for a tensor that is marked as trainable
  ggml_opt_step_adamw: [CONTEXT, PARAMETER, F32(5, 3), F32(5, 3), F32(5, 3), F32(7)],
  // two of SGD
  ggml_opt_step_sgd: [CONTEXT, PARAMETER, F32(5, 3), F32(2)],
  // four hyper-connections: mixes of 4 + 4 + 4 * 4
  ggml_dsv4_hc_comb: [CONTEXT, F32(24, 2), F32(3), F32(24), ...numbers(0.5, 2)],
  // an even number of dimensions, and modes that there are
  ggml_rope: [CONTEXT, ROTATED, I32(4), ...numbers(6, 0)],
  ggml_rope_inplace: [CONTEXT, ROTATED, I32(4), ...numbers(6, 2)],
  ggml_rope_ext: [CONTEXT, ROTATED, I32(4), F32(4), ...numbers(8, 0), ...YARN],
  ggml_rope_ext_inplace: [CONTEXT, ROTATED, I32(4), NULL, ...numbers(6, 2), ...YARN],
  ggml_rope_ext_back: [CONTEXT, ROTATED, I32(4), F32(4), ...numbers(6, 2), ...YARN],
  ggml_rope_custom: [CONTEXT, ROTATED, I32(4), ...numbers(6, 0), ...YARN],
  ggml_rope_custom_inplace: [CONTEXT, ROTATED, I32(4), ...numbers(6, 2), ...YARN],
  ggml_rope_multi: [CONTEXT, ROTATED, I32(16), F32(4), ...numbers(6), SECTIONS, ...numbers(8), ...YARN],
  ggml_rope_multi_inplace: [CONTEXT, ROTATED, I32(16), NULL, ...numbers(4), SECTIONS, ...numbers(24), ...YARN],
  ggml_rope_multi_back: [CONTEXT, ROTATED, I32(16), F32(4), ...numbers(6), SECTIONS, ...numbers(40), ...YARN],
  // four matrices, of which two are taken for each of three columns
  ggml_mul_mat_id: [CONTEXT, F32(8, 5, 4), F32(8, 2, 3), tensor("I32", 2, 3)],
  ggml_soft_max_ext_back: [CONTEXT, F32(8, 3), F32(8, 3), ...numbers(1, 0)],
  ggml_conv_3d_direct: [CONTEXT, F32(2, 2, 2, 6), F32(5, 4, 3, 4), ...numbers(1, 1, 1, 0, 1, 0, 1, 1, 1, 2, 2, 3)],
  ggml_im2col_back: [CONTEXT, F32(9, 36), F32(3, 3), integers("BigInt64Array", 6, 6, 1, 1), ...numbers(1, 1, 1, 1, 1, 1), TRUE],
  ggml_roll: [CONTEXT, F32(5, 4, 3, 2), ...numbers(1, 2, -1, 0)],
  // heads as large as the vectors of any processor
  ggml_rwkv_wkv7: [CONTEXT, ...Array.from({ length: 6 }, () => F32(64, 2, 4)), F32(64 * 64 * 2, 2)],
  ggml_lightning_indexer: [CONTEXT, F32(8, 2, 3), tensor("F16", 8, 1, 5), F32(2, 3), F16(5, 3)],
  ggml_flash_attn_ext: [CONTEXT, F32(8, 3, 4), F16(8, 5, 2), F16(8, 5, 2), F16(5, 3), ...numbers(1, 0, 0)],
  ggml_set_rows: [CONTEXT, tensor("Q8_0", 32, 4), F16(32, 2), I32(2)],
  ggml_pad_ext_circular: [CONTEXT, F32(3, 3, 3, 3), ...numbers(3, 2, 1, 0, 0, 1, 2, 3)],
};
