// Builds the decoder's graph of ../ours/decoder.ts, the same calls in the same order, by hand on Deno.dlopen:
// deno run --allow-ffi bench/peers/decoder_dlopen.ts LIBRARY warm|first

import { median, report } from "../rounds.ts";

type Pointer = Deno.PointerValue;

const [path, what] = Deno.args;
const { symbols: ggml } = Deno.dlopen(path, {
  ggml_init: { parameters: [{ struct: ["u64", "pointer", "bool"] }], result: "pointer" },
  ggml_reset: { parameters: ["pointer"], result: "void" },
  ggml_used_mem: { parameters: ["pointer"], result: "usize" },
  ggml_nelements: { parameters: ["pointer"], result: "i64" },
  ggml_element_size: { parameters: ["pointer"], result: "usize" },
  ggml_row_size: { parameters: ["i32", "i64"], result: "usize" },
  ggml_set_output: { parameters: ["pointer"], result: "void" },
  ggml_new_tensor_1d: { parameters: ["pointer", "i32", "i64"], result: "pointer" },
  ggml_new_tensor_2d: { parameters: ["pointer", "i32", "i64", "i64"], result: "pointer" },
  ggml_view_1d: { parameters: ["pointer", "pointer", "i64", "usize"], result: "pointer" },
  ggml_view_2d: { parameters: ["pointer", "pointer", "i64", "i64", "usize", "usize"], result: "pointer" },
  ggml_view_3d: { parameters: ["pointer", "pointer", "i64", "i64", "i64", "usize", "usize", "usize"], result: "pointer" },
  ggml_reshape_3d: { parameters: ["pointer", "pointer", "i64", "i64", "i64"], result: "pointer" },
  ggml_permute: { parameters: ["pointer", "pointer", "i32", "i32", "i32", "i32"], result: "pointer" },
  ggml_transpose: { parameters: ["pointer", "pointer"], result: "pointer" },
  ggml_cont_2d: { parameters: ["pointer", "pointer", "i64", "i64"], result: "pointer" },
  ggml_cpy: { parameters: ["pointer", "pointer", "pointer"], result: "pointer" },
  ggml_get_rows: { parameters: ["pointer", "pointer", "pointer"], result: "pointer" },
  ggml_add: { parameters: ["pointer", "pointer", "pointer"], result: "pointer" },
  ggml_mul: { parameters: ["pointer", "pointer", "pointer"], result: "pointer" },
  ggml_mul_mat: { parameters: ["pointer", "pointer", "pointer"], result: "pointer" },
  ggml_rms_norm: { parameters: ["pointer", "pointer", "f32"], result: "pointer" },
  ggml_silu: { parameters: ["pointer", "pointer"], result: "pointer" },
  ggml_soft_max_ext: { parameters: ["pointer", "pointer", "pointer", "f32", "f32"], result: "pointer" },
  ggml_rope_ext: {
    parameters: ["pointer", "pointer", "pointer", "pointer", "i32", "i32", "i32", "f32", "f32", "f32", "f32", "f32", "f32"],
    result: "pointer",
  },
  ggml_new_graph_custom: { parameters: ["pointer", "usize", "bool"], result: "pointer" },
  ggml_build_forward_expand: { parameters: ["pointer", "pointer"], result: "void" },
  ggml_graph_n_nodes: { parameters: ["pointer"], result: "i32" },
  ggml_graph_node: { parameters: ["pointer", "i32"], result: "pointer" },
});

const F32 = 0, F16 = 1, Q4_K = 12, I32 = 26;
const LAYERS = 32, ROTATED = 128, TRAINED = 8192, EPSILON = 1e-5, ROPE_BASE = 500000;
// 64-bit parameters are fast as bigints and slow as numbers.
const WIDTH = 4096n, HEADS = 32n, HEAD = 128n, KV_HEADS = 8n, KV_WIDTH = KV_HEADS * HEAD;
const INNER = 14336n, VOCABULARY = 128256n, ROOM = 4096n, SHOWN = 256n, PAST = 200n;
const ROUNDS = 31, BUILDS = 40;

type Model = ReturnType<typeof modelOf>;

function init(size: number): Pointer {
  return ggml.ggml_init(new Uint8Array(new BigUint64Array([BigInt(size), 0n, 1n]).buffer)); // without data
}

function weights(ctx: Pointer, inner: bigint, outer: bigint): Pointer {
  return ggml.ggml_new_tensor_2d(ctx, Q4_K, inner, outer);
}

function layerOf(ctx: Pointer) {
  const norm = () => ggml.ggml_new_tensor_1d(ctx, F32, WIDTH), cache = () => ggml.ggml_new_tensor_1d(ctx, F16, ROOM * KV_WIDTH);
  return {
    attentionNorm: norm(),
    query: weights(ctx, WIDTH, WIDTH),
    key: weights(ctx, WIDTH, KV_WIDTH),
    value: weights(ctx, WIDTH, KV_WIDTH),
    output: weights(ctx, WIDTH, WIDTH),
    innerNorm: norm(),
    gate: weights(ctx, WIDTH, INNER),
    up: weights(ctx, WIDTH, INNER),
    down: weights(ctx, INNER, WIDTH),
    keys: cache(),
    values: cache(),
  };
}

function modelOf(ctx: Pointer) {
  return {
    embedding: weights(ctx, WIDTH, VOCABULARY),
    layers: Array.from({ length: LAYERS }, () => layerOf(ctx)),
    norm: ggml.ggml_new_tensor_1d(ctx, F32, WIDTH),
    head: weights(ctx, WIDTH, VOCABULARY),
  };
}

/** Builds the graph in a context that it resets first. */
function build(ctx: Pointer, { embedding, layers, norm, head }: Model): Pointer {
  ggml.ggml_reset(ctx);
  const graph = ggml.ggml_new_graph_custom(ctx, 2048n, false);
  const tokens = ggml.ggml_new_tensor_1d(ctx, I32, 1n);
  const positions = ggml.ggml_new_tensor_1d(ctx, I32, 1n);
  const mask = ggml.ggml_new_tensor_2d(ctx, F32, SHOWN, 1n);

  let state = ggml.ggml_get_rows(ctx, embedding, tokens); // [WIDTH, 1]
  for (const layer of layers) {
    const input = ggml.ggml_mul(ctx, ggml.ggml_rms_norm(ctx, state, EPSILON), layer.attentionNorm);
    let q = ggml.ggml_mul_mat(ctx, layer.query, input);
    let k = ggml.ggml_mul_mat(ctx, layer.key, input);
    const v = ggml.ggml_mul_mat(ctx, layer.value, input);
    q = ggml.ggml_reshape_3d(ctx, q, HEAD, HEADS, 1n);
    k = ggml.ggml_reshape_3d(ctx, k, HEAD, KV_HEADS, 1n);
    q = ggml.ggml_rope_ext(ctx, q, positions, null, ROTATED, 0, TRAINED, ROPE_BASE, 1, 0, 1, 32, 1);
    k = ggml.ggml_rope_ext(ctx, k, positions, null, ROTATED, 0, TRAINED, ROPE_BASE, 1, 0, 1, 32, 1);

    const row = ggml.ggml_row_size(F16, KV_WIDTH);
    const newKeys = ggml.ggml_view_1d(ctx, layer.keys, KV_WIDTH, PAST * row);
    ggml.ggml_build_forward_expand(graph, ggml.ggml_cpy(ctx, k, newKeys));
    const size = ggml.ggml_element_size(layer.values);
    const newValues = ggml.ggml_view_2d(ctx, layer.values, 1n, KV_WIDTH, ROOM * size, PAST * size);
    ggml.ggml_build_forward_expand(graph, ggml.ggml_cpy(ctx, ggml.ggml_transpose(ctx, v), newValues));

    q = ggml.ggml_permute(ctx, q, 0, 2, 1, 3);
    const keys = ggml.ggml_view_3d(ctx, layer.keys, HEAD, SHOWN, KV_HEADS, row, ggml.ggml_row_size(F16, HEAD), 0n);
    let scores = ggml.ggml_mul_mat(ctx, keys, q); // [SHOWN, 1, HEADS]
    scores = ggml.ggml_soft_max_ext(ctx, scores, mask, 1 / Math.sqrt(ROTATED), 0);
    const values = ggml.ggml_view_3d(ctx, layer.values, SHOWN, HEAD, KV_HEADS, ROOM * size, ROOM * size * HEAD, 0n);
    let attended = ggml.ggml_mul_mat(ctx, values, scores); // [HEAD, 1, HEADS]
    attended = ggml.ggml_permute(ctx, attended, 0, 2, 1, 3);
    attended = ggml.ggml_cont_2d(ctx, attended, WIDTH, 1n);
    state = ggml.ggml_add(ctx, ggml.ggml_mul_mat(ctx, layer.output, attended), state);

    const normed = ggml.ggml_mul(ctx, ggml.ggml_rms_norm(ctx, state, EPSILON), layer.innerNorm);
    const gate = ggml.ggml_silu(ctx, ggml.ggml_mul_mat(ctx, layer.gate, normed));
    const inner = ggml.ggml_mul(ctx, gate, ggml.ggml_mul_mat(ctx, layer.up, normed)); // [INNER, 1]
    state = ggml.ggml_add(ctx, ggml.ggml_mul_mat(ctx, layer.down, inner), state);
  }
  const logits = ggml.ggml_mul_mat(ctx, head, ggml.ggml_mul(ctx, ggml.ggml_rms_norm(ctx, state, EPSILON), norm)); // [VOCABULARY, 1]
  ggml.ggml_set_output(logits);
  ggml.ggml_build_forward_expand(graph, logits);
  return graph;
}

/** What the graph is, in a line: equal for equal graphs. */
function describe(ctx: Pointer, graph: Pointer): string {
  const nodes = ggml.ggml_graph_n_nodes(graph);
  let elements = 0n;
  for (let i = 0; i < nodes; i++) elements += ggml.ggml_nelements(ggml.ggml_graph_node(graph, i));
  return `${nodes} nodes, ${elements} elements, ${ggml.ggml_used_mem(ctx)} bytes`;
}

const model = modelOf(init(16 * 1024 * 1024)), ctx = init(4 * 1024 * 1024);
const start = performance.now();
let graph = build(ctx, model);
const first = (performance.now() - start) * 1e6;
if (what === "first") {
  report(first, describe(ctx, graph));
} else {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    for (let i = 0; i < BUILDS; i++) graph = build(ctx, model);
    times.push((performance.now() - start) * 1e6 / BUILDS);
  }
  report(median(times), describe(ctx, graph));
}
