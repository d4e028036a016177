/**
 * Arguments that no luck would find, or seldom: of functions whose tensors must have sizes out of ggml's own constants, or many that agree. Every
 * other function is reached without any help.
 *
 * @module
 */

import type { ArgumentSpec, Spec } from "./specs.ts";

const tensor = (type: string, ne: readonly number[]): ArgumentSpec => ({
  tensor: { type, ne: [ne[0], ne[1] ?? 1, ne[2] ?? 1, ne[3] ?? 1], layout: "plain" },
});
const F32 = (...ne: number[]): ArgumentSpec => tensor("GGML_TYPE_F32", ne);
const F16 = (...ne: number[]): ArgumentSpec => tensor("GGML_TYPE_F16", ne);
const I32 = (...ne: number[]): ArgumentSpec => tensor("GGML_TYPE_I32", ne);
const value = (value: number | null): ArgumentSpec => ({ value });
const PARAMETER: ArgumentSpec = { tensor: { type: "GGML_TYPE_F32", ne: [5, 3, 1, 1], layout: "parameter" } };
const CONTEXT: ArgumentSpec = { context: true };

/** Of rope and its like: a frequency, its scale, YaRN's factors. */
const ROPE = [4096, 10_000, 1, 0, 1, 32, 1].map(value);
/** Positions in time, height and width: how many pairs each has. */
const SECTIONS: ArgumentSpec = { value: { array: "Int32Array", items: [2, 1, 1, 0] } };

const IMAGE: ArgumentSpec = { value: { array: "BigInt64Array", items: [6, 6, 1, 1] } };

/** The first arguments of each, to be varied. */
export const SEEDS: Readonly<Record<string, Spec>> = {
  // seven parameters of AdamW, for a tensor that is marked as trainable
  ggml_opt_step_adamw: [CONTEXT, PARAMETER, F32(5, 3), F32(5, 3), F32(5, 3), F32(7)],
  // an even number of dimensions, a position for each token, or four
  ggml_rope: [CONTEXT, F32(8, 3, 5, 2), I32(5), value(4), value(2)],
  ggml_rope_inplace: [CONTEXT, F32(8, 3, 5, 2), I32(5), value(8), value(0)],
  ggml_rope_ext: [CONTEXT, F32(8, 3, 5, 2), I32(5), F32(4), value(4), value(0), ...ROPE],
  ggml_rope_ext_inplace: [CONTEXT, F32(8, 3, 5, 2), I32(5), F32(4), value(8), value(2), ...ROPE],
  ggml_rope_ext_back: [CONTEXT, F32(8, 3, 5, 2), I32(5), F32(4), value(6), value(2), ...ROPE],
  ggml_rope_custom: [CONTEXT, F32(8, 3, 5, 2), I32(5), value(4), value(2), ...ROPE],
  ggml_rope_custom_inplace: [CONTEXT, F32(8, 3, 5, 2), I32(5), value(8), value(0), ...ROPE],
  ggml_rope_multi: [CONTEXT, F32(8, 3, 5, 2), I32(20), F32(4), value(8), SECTIONS, value(8), ...ROPE],
  ggml_rope_multi_inplace: [CONTEXT, F32(8, 3, 5, 2), I32(20), value(null), value(4), SECTIONS, value(24), ...ROPE],
  ggml_rope_multi_back: [CONTEXT, F32(8, 3, 5, 2), I32(20), value(null), value(8), SECTIONS, value(40), ...ROPE],
  // heads that are shared out, a mask for each row of q
  ggml_flash_attn_ext: [CONTEXT, F32(8, 5, 4, 2), F32(8, 7, 2, 2), F32(8, 7, 2, 2), F16(7, 5), value(0.5), value(0), value(0)],
  ggml_lightning_indexer: [CONTEXT, F32(8, 2, 3), F32(8, 1, 5), F32(2, 3), F16(5, 3)],
  ggml_get_rel_pos: [CONTEXT, F16(5, 7), value(4), value(4)],
  ggml_add_cast: [CONTEXT, F16(6, 5), F32(6, 5), { value: { name: "GGML_TYPE_F32" } }],
  // states of sequences
  ggml_ssm_conv: [CONTEXT, F32(9, 5, 2), F32(4, 5)],
  ggml_ssm_scan: [CONTEXT, F32(4, 3, 2, 2), F32(3, 2, 5, 2), F32(2, 5, 2), F32(1, 2), F32(4, 1, 5, 2), F32(4, 1, 5, 2), I32(2), value(1)],
  ggml_gated_delta_net: [
    CONTEXT,
    F32(4, 2, 3, 2),
    F32(4, 2, 3, 2),
    F32(4, 2, 3, 2),
    F32(1, 2, 3, 2),
    F32(1, 2, 3, 2),
    F32(4, 4, 2, 2),
    value(1),
  ],
  ggml_gated_linear_attn: [CONTEXT, F32(4, 2, 6), F32(4, 2, 6), F32(4, 2, 6), F32(4, 2, 6), F32(32, 2), { value: 0.5 }],
  ggml_rwkv_wkv6: [CONTEXT, F32(4, 2, 6), F32(4, 2, 6), F32(4, 2, 6), F32(4, 2), F32(4, 2, 6), F32(32, 2)],
  // heads of whole vectors
  ggml_rwkv_wkv7: [CONTEXT, ...Array.from({ length: 6 }, () => F32(64, 1, 2)), F32(4096)],
  // images, kernels and their channels
  ggml_conv_2d_direct: [CONTEXT, F32(3, 2, 4, 5), F32(7, 6, 4, 2), ...[1, 2, 1, 0, 1, 1].map(value)],
  ggml_conv_2d_dw_direct: [CONTEXT, F32(3, 2, 1, 4), F32(7, 6, 4, 2), ...[1, 2, 1, 0, 1, 1].map(value)],
  ggml_conv_3d_direct: [CONTEXT, F32(3, 2, 2, 6), F32(5, 4, 3, 4), ...[1, 1, 1, 1, 0, 0, 1, 1, 1, 2, 2, 3].map(value)],
  ggml_conv_transpose_1d: [CONTEXT, F32(3, 4, 5), F32(6, 5), ...[2, 0, 1].map(value)],
  ggml_conv_transpose_2d_p0: [CONTEXT, F32(3, 2, 4, 5), F32(4, 3, 5, 2), value(2)],
  ggml_win_unpart: [CONTEXT, F32(4, 3, 3, 4), value(5), value(4), value(3)],
  // two of SGD
  ggml_opt_step_sgd: [CONTEXT, PARAMETER, F32(5, 3), F32(2)],
  // four hyper-connections: mixes of 4 + 4 + 4 * 4
  ggml_dsv4_hc_comb: [CONTEXT, F32(24, 2), F32(3), F32(24), { value: 0.5 }, { value: 2 }],
  // four matrices, of which two are taken for each of three columns
  ggml_mul_mat_id: [CONTEXT, F32(8, 5, 4), F32(8, 2, 3), I32(2, 3)],
  ggml_soft_max_ext_back: [CONTEXT, F32(8, 3), F32(8, 3), value(1), value(0)],
  ggml_im2col_back: [CONTEXT, F32(9, 36), F32(3, 3), IMAGE, ...[1, 1, 1, 1, 1, 1].map(value), { value: true }],
  ggml_roll: [CONTEXT, F32(5, 4, 3, 2), ...[1, 2, -1, 0].map(value)],
  ggml_set_rows: [CONTEXT, tensor("GGML_TYPE_Q8_0", [32, 4]), F16(32, 2), I32(2)],
  ggml_pad_ext_circular: [CONTEXT, F32(3, 3, 3, 3), ...[3, 2, 1, 0, 0, 1, 2, 3].map(value)],
};
