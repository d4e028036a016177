// Builds a small network, measures how long each of its operations takes, and draws it into a file.
// Run it: deno run --allow-ffi --allow-read --allow-write examples/show_graph.ts [graph.svg]

import { lib } from "@ggml/deno";
import { compute, init, ndarray, save, tensor, timings } from "@ggml/deno/utils";

const path = Deno.args[0] ?? "graph.svg";
const inputs = 784, hidden = 500, classes = 10, images = 100;

using ctx = init({ memSize: 64 * 1024 * 1024 });

/** Some numbers, of a shape (row-major). */
function made(name: string, type: lib.ggml_type, ...shape: number[]): lib.ggml_tensor {
  const count = shape.reduce((a, b) => a * b);
  return tensor(ctx, ndarray(Float32Array.from({ length: count }, (_, i) => Math.sin(i * i) / 10), shape), { type, name });
}

const x = made("images", lib.GGML_TYPE_F32, images, inputs);
const w1 = made("layer 1 weights", lib.GGML_TYPE_F16, hidden, inputs);
const b1 = made("layer 1 bias", lib.GGML_TYPE_F32, hidden);
const w2 = made("layer 2 weights", lib.GGML_TYPE_F16, classes, hidden);
const b2 = made("layer 2 bias", lib.GGML_TYPE_F32, classes);

const activations = lib.ggml_relu(ctx, lib.ggml_add(ctx, lib.ggml_mul_mat(ctx, w1, x), b1)); // ne: [500, 100]
const probabilities = lib.ggml_soft_max(ctx, lib.ggml_add(ctx, lib.ggml_mul_mat(ctx, w2, activations), b2)); // ne: [10, 100]
probabilities.name = "probabilities";

const graph = lib.ggml_new_graph(ctx);
lib.ggml_build_forward_expand(graph, probabilities);

compute(graph, { timing: true });
for (const { op, name, ms, share } of timings(graph)) {
  console.log(`${op.padEnd(8)} ${name.padEnd(13)} ${ms.toFixed(3)} ms, ${(share * 100).toFixed()}%`);
}

await save(graph, path);
console.log(`drew ${lib.ggml_graph_n_nodes(graph)} nodes into ${path}`);
