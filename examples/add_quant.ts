// Adds a quantized tensor to another one. Needs --allow-ffi and nothing else: deno run --allow-ffi examples/add_quant.ts

import { lib } from "@ggml/deno";
import { init, tensor, view } from "@ggml/deno/utils";

const ctx = init({ memSize: 12 * 1024 * 1024 }); // freed when garbage-collected, or at once with `using`
const n = 256, threads = navigator.hardwareConcurrency;

const a = tensor(ctx, Float32Array.from({ length: n }, (_, i) => i), { type: lib.GGML_TYPE_Q5_K }); // quantizes
const b = tensor(ctx, Float32Array.from({ length: n }, (_, i) => i * 100)); // can't both be quantized
const sum = lib.ggml_add(ctx, a, b); // quantized too

const graph = lib.ggml_new_graph(ctx);
lib.ggml_build_forward_expand(graph, sum);
lib.ggml_graph_compute_with_ctx(ctx, graph, threads);

console.log(view(a, { allowCopy: true })); // dequantized copy
console.log(view(b)); // a view: no copy
console.log(view(sum, { allowCopy: true }));
