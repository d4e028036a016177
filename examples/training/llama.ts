// A llama: its parameters by the names that GGUF files have for them, and the graph from tokens to what may follow them.

import { lib } from "@ggml/deno";
import { VOCABULARY } from "./text.ts";

type Tensor = lib.ggml_tensor;

/** How large the model is. */
export interface Shape {
  readonly layers: number;
  /** Numbers that a token is, between the layers. */
  readonly width: number;
  readonly heads: number;
  /** Numbers between the two products of a feed-forward network. */
  readonly hidden: number;
  /** Tokens that it looks back at. */
  readonly context: number;
}

/** Added to the mean square before its root is taken. */
export const EPSILON = 1e-5;

/** The parameters' names, each with its dimensions, ggml's way: the fastest first. */
export function parametersOf({ layers, width, hidden }: Shape): Map<string, readonly number[]> {
  const parameters: [string, readonly number[]][] = [["token_embd.weight", [width, VOCABULARY]]];
  for (let i = 0; i < layers; i++) {
    parameters.push(
      [`blk.${i}.attn_norm.weight`, [width]],
      [`blk.${i}.attn_q.weight`, [width, width]],
      [`blk.${i}.attn_k.weight`, [width, width]],
      [`blk.${i}.attn_v.weight`, [width, width]],
      [`blk.${i}.attn_output.weight`, [width, width]],
      [`blk.${i}.ffn_norm.weight`, [width]],
      [`blk.${i}.ffn_gate.weight`, [width, hidden]],
      [`blk.${i}.ffn_up.weight`, [width, hidden]],
      [`blk.${i}.ffn_down.weight`, [hidden, width]],
    );
  }
  parameters.push(["output_norm.weight", [width]], ["output.weight", [width, VOCABULARY]]);
  return new Map(parameters);
}

/** What the graph is computed from. */
export interface Inputs {
  /** The parameters by name. */
  readonly parameters: ReadonlyMap<string, Tensor>;
  /** Tokens, I32 `[context * rows]`. */
  readonly tokens: Tensor;
  /** 0, 1, 2, …: I32 `[context]`. */
  readonly positions: Tensor;
  /** 0 where a token looks at another, `-Infinity` where it must not, as that comes later: F32 `[context, context]`. */
  readonly mask: Tensor;
}

/** The logits of the tokens that may follow each, `[VOCABULARY, context * rows]`. */
export function logitsOf(ctx: lib.ggml_context, shape: Shape, inputs: Inputs): Tensor {
  const weight = (name: string) => inputs.parameters.get(`${name}.weight`)!;
  const normed = (x: Tensor, name: string) => lib.ggml_mul(ctx, lib.ggml_rms_norm(ctx, x, EPSILON), weight(name));
  let x = lib.ggml_get_rows(ctx, weight("token_embd"), inputs.tokens); // [width, context * rows]
  for (let i = 0; i < shape.layers; i++) {
    const layer = (name: string) => weight(`blk.${i}.${name}`);
    x = lib.ggml_add(ctx, x, attention(ctx, shape, inputs, layer, normed(x, `blk.${i}.attn_norm`)));
    x = lib.ggml_add(ctx, x, feedForward(ctx, layer, normed(x, `blk.${i}.ffn_norm`)));
  }
  return lib.ggml_mul_mat(ctx, weight("output"), normed(x, "output_norm"));
}

/** What each token takes from the ones before it, `[width, context * rows]`. */
function attention(ctx: lib.ggml_context, shape: Shape, inputs: Inputs, weight: (name: string) => Tensor, x: Tensor): Tensor {
  const { width, heads, context } = shape, head = width / heads, rows = x.ne[1] / context;
  const split = (name: string) => lib.ggml_reshape_4d(ctx, lib.ggml_mul_mat(ctx, weight(name), x), head, heads, context, rows);
  const turned = (name: string) => {
    const rotated = lib.ggml_rope(ctx, split(name), inputs.positions, head, lib.GGML_ROPE_TYPE_NORMAL);
    return lib.ggml_cont(ctx, lib.ggml_permute(ctx, rotated, 0, 2, 1, 3)); // [head, context, heads, rows]
  };
  const scores = lib.ggml_mul_mat(ctx, turned("attn_k"), turned("attn_q")); // [context, context, heads, rows]
  const shares = lib.ggml_soft_max_ext(ctx, scores, inputs.mask, 1 / Math.sqrt(head), 0);
  const values = lib.ggml_cont(ctx, lib.ggml_permute(ctx, split("attn_v"), 1, 2, 0, 3)); // [context, head, heads, rows]
  const mixed = lib.ggml_mul_mat(ctx, values, shares); // [head, context, heads, rows]
  const joined = lib.ggml_cont(ctx, lib.ggml_permute(ctx, mixed, 0, 2, 1, 3)); // [head, heads, context, rows]
  return lib.ggml_mul_mat(ctx, weight("attn_output"), lib.ggml_reshape_2d(ctx, joined, width, context * rows));
}

/** What each token makes of itself, `[width, context * rows]`. */
function feedForward(ctx: lib.ggml_context, weight: (name: string) => Tensor, x: Tensor): Tensor {
  const gate = lib.ggml_mul_mat(ctx, weight("ffn_gate"), x), up = lib.ggml_mul_mat(ctx, weight("ffn_up"), x);
  return lib.ggml_mul_mat(ctx, weight("ffn_down"), lib.ggml_swiglu_split(ctx, gate, up));
}
