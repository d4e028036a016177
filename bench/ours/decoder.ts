/**
 * The graph that the bench builds: one token through a llama of 8 billion parameters, as llama.cpp builds it without flash attention.
 *
 * `peers/decoder.c`, `peers/decoder.py` and `peers/decoder_dlopen.ts` are the same calls in the same order, line by line; change all or
 * none. 32 layers of 37 calls and 11 calls around them make 1195 calls and 1028 nodes. No tensor has data.
 *
 * @module
 */

import { lib } from "@ggml/deno";

type Tensor = lib.ggml_tensor;

const LAYERS = 32;
const WIDTH = 4096, HEADS = 32, HEAD = 128;
const KV_HEADS = 8, KV_WIDTH = KV_HEADS * HEAD;
const INNER = 14336, VOCABULARY = 128256;
const EPSILON = 1e-5, ROPE_BASE = 500000, TRAINED = 8192;
/** Tokens that the cache has room for, that it shows, and that are in it already. */
const ROOM = 4096, SHOWN = 256, PAST = 200;

/** What a layer is made of, and its cache. */
interface Layer {
  readonly attentionNorm: Tensor; // [WIDTH]
  readonly query: Tensor; // [WIDTH, WIDTH]
  readonly key: Tensor; // [WIDTH, KV_WIDTH]
  readonly value: Tensor; // [WIDTH, KV_WIDTH]
  readonly output: Tensor; // [WIDTH, WIDTH]
  readonly innerNorm: Tensor; // [WIDTH]
  readonly gate: Tensor; // [WIDTH, INNER]
  readonly up: Tensor; // [WIDTH, INNER]
  readonly down: Tensor; // [INNER, WIDTH]
  readonly keys: Tensor; // [KV_WIDTH · ROOM]
  readonly values: Tensor; // [ROOM · KV_WIDTH]
}

/** The weights. */
export interface Model {
  readonly embedding: Tensor; // [WIDTH, VOCABULARY]
  readonly layers: readonly Layer[];
  readonly norm: Tensor; // [WIDTH]
  readonly head: Tensor; // [WIDTH, VOCABULARY]
}

/** The weights' tensors, in a context of their own. */
export function model(ctx: lib.ggml_context): Model {
  const weights = (inner: number, outer: number) => lib.ggml_new_tensor_2d(ctx, lib.GGML_TYPE_Q4_K, inner, outer);
  const norm = () => lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, WIDTH);
  const cache = () => lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F16, ROOM * KV_WIDTH);
  return {
    embedding: weights(WIDTH, VOCABULARY),
    layers: Array.from({ length: LAYERS }, () => ({
      attentionNorm: norm(),
      query: weights(WIDTH, WIDTH),
      key: weights(WIDTH, KV_WIDTH),
      value: weights(WIDTH, KV_WIDTH),
      output: weights(WIDTH, WIDTH),
      innerNorm: norm(),
      gate: weights(WIDTH, INNER),
      up: weights(WIDTH, INNER),
      down: weights(INNER, WIDTH),
      keys: cache(),
      values: cache(),
    })),
    norm: norm(),
    head: weights(WIDTH, VOCABULARY),
  };
}

/** Builds the graph in a context that it resets first. */
export function build(ctx: lib.ggml_context, { embedding, layers, norm, head }: Model): lib.ggml_cgraph {
  lib.ggml_reset(ctx);
  const graph = lib.ggml_new_graph_custom(ctx, 2048, false);
  const tokens = lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_I32, 1);
  const positions = lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_I32, 1);
  const mask = lib.ggml_new_tensor_2d(ctx, lib.GGML_TYPE_F32, SHOWN, 1);

  let state = lib.ggml_get_rows(ctx, embedding, tokens); // [WIDTH, 1]
  for (const layer of layers) {
    const input = lib.ggml_mul(ctx, lib.ggml_rms_norm(ctx, state, EPSILON), layer.attentionNorm);
    let q = lib.ggml_mul_mat(ctx, layer.query, input);
    let k = lib.ggml_mul_mat(ctx, layer.key, input);
    const v = lib.ggml_mul_mat(ctx, layer.value, input);
    q = lib.ggml_reshape_3d(ctx, q, HEAD, HEADS, 1);
    k = lib.ggml_reshape_3d(ctx, k, HEAD, KV_HEADS, 1);
    q = lib.ggml_rope_ext(ctx, q, positions, null, HEAD, 0, TRAINED, ROPE_BASE, 1, 0, 1, 32, 1);
    k = lib.ggml_rope_ext(ctx, k, positions, null, HEAD, 0, TRAINED, ROPE_BASE, 1, 0, 1, 32, 1);

    const row = lib.ggml_row_size(lib.GGML_TYPE_F16, KV_WIDTH);
    const newKeys = lib.ggml_view_1d(ctx, layer.keys, KV_WIDTH, PAST * row);
    lib.ggml_build_forward_expand(graph, lib.ggml_cpy(ctx, k, newKeys));
    const size = lib.ggml_element_size(layer.values);
    const newValues = lib.ggml_view_2d(ctx, layer.values, 1, KV_WIDTH, ROOM * size, PAST * size);
    lib.ggml_build_forward_expand(graph, lib.ggml_cpy(ctx, lib.ggml_transpose(ctx, v), newValues));

    q = lib.ggml_permute(ctx, q, 0, 2, 1, 3);
    const keys = lib.ggml_view_3d(ctx, layer.keys, HEAD, SHOWN, KV_HEADS, row, lib.ggml_row_size(lib.GGML_TYPE_F16, HEAD), 0);
    let scores = lib.ggml_mul_mat(ctx, keys, q); // [SHOWN, 1, HEADS]
    scores = lib.ggml_soft_max_ext(ctx, scores, mask, 1 / Math.sqrt(HEAD), 0);
    const values = lib.ggml_view_3d(ctx, layer.values, SHOWN, HEAD, KV_HEADS, ROOM * size, ROOM * size * HEAD, 0);
    let attended = lib.ggml_mul_mat(ctx, values, scores); // [HEAD, 1, HEADS]
    attended = lib.ggml_permute(ctx, attended, 0, 2, 1, 3);
    attended = lib.ggml_cont_2d(ctx, attended, WIDTH, 1);
    state = lib.ggml_add(ctx, lib.ggml_mul_mat(ctx, layer.output, attended), state);

    const normed = lib.ggml_mul(ctx, lib.ggml_rms_norm(ctx, state, EPSILON), layer.innerNorm);
    const gate = lib.ggml_silu(ctx, lib.ggml_mul_mat(ctx, layer.gate, normed));
    const inner = lib.ggml_mul(ctx, gate, lib.ggml_mul_mat(ctx, layer.up, normed)); // [INNER, 1]
    state = lib.ggml_add(ctx, lib.ggml_mul_mat(ctx, layer.down, inner), state);
  }
  const logits = lib.ggml_mul_mat(ctx, head, lib.ggml_mul(ctx, lib.ggml_rms_norm(ctx, state, EPSILON), norm)); // [VOCABULARY, 1]
  lib.ggml_set_output(logits);
  lib.ggml_build_forward_expand(graph, logits);
  return graph;
}

/** What the graph is, in a line: equal for equal graphs. */
export function describe(ctx: lib.ggml_context, graph: lib.ggml_cgraph): string {
  const nodes = lib.ggml_graph_n_nodes(graph);
  let elements = 0;
  for (let i = 0; i < nodes; i++) elements += lib.ggml_nelements(lib.ggml_graph_node(graph, i));
  return `${nodes} nodes, ${elements} elements, ${lib.ggml_used_mem(ctx)} bytes`;
}
