// A quantized layer of a network. Needs --allow-ffi and nothing else: deno run --allow-ffi examples/layer.ts

import { lib } from "@ggml/deno";
import { compute, init, ndarray, tensor } from "@ggml/deno/utils";

const ctx = init({ memSize: 1024 * 1024 }); // freed when collected, or at once with `using`
const waves = Float32Array.from({ length: 32 * 256 }, (_, i) => Math.sin(i));

const quantized = { type: lib.GGML_TYPE_Q4_K, name: "weights" };
const weights = tensor(ctx, ndarray(waves, [32, 256]), quantized); // 4.5 bits a number
const x = tensor(ctx, waves.subarray(0, 256), { name: "x" });
const y = lib.ggml_relu(ctx, lib.ggml_mul_mat(ctx, weights, x));

const graph = lib.ggml_new_graph(ctx);
lib.ggml_build_forward_expand(graph, y);
compute(graph);

console.log(weights); // what it is, and its numbers: the first and last of each dimension
console.log(y);
