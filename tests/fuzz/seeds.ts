/**
 * Arguments that no luck would find: of functions whose tensors must have sizes out of ggml's own constants. Every other function is reached
 * without any help.
 *
 * @module
 */

import type { ArgumentSpec, Spec } from "./specs.ts";

const F32 = (...ne: number[]): ArgumentSpec => ({
  tensor: { type: "GGML_TYPE_F32", ne: [ne[0], ne[1] ?? 1, ne[2] ?? 1, ne[3] ?? 1], layout: "plain" },
});
const PARAMETER: ArgumentSpec = { tensor: { type: "GGML_TYPE_F32", ne: [5, 3, 1, 1], layout: "parameter" } };
const CONTEXT: ArgumentSpec = { context: true };

/** The first arguments of each, to be varied. */
export const SEEDS: Readonly<Record<string, Spec>> = {
  // seven parameters of AdamW, for a tensor that is marked as trainable
  ggml_opt_step_adamw: [CONTEXT, PARAMETER, F32(5, 3), F32(5, 3), F32(5, 3), F32(7)],
  // two of SGD
  ggml_opt_step_sgd: [CONTEXT, PARAMETER, F32(5, 3), F32(2)],
  // four hyper-connections: mixes of 4 + 4 + 4 * 4
  ggml_dsv4_hc_comb: [CONTEXT, F32(24, 2), F32(3), F32(24), { value: 0.5 }, { value: 2 }],
};
