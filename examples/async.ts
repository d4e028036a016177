// Computes for a while with the event loop free, and cancels a second computation. Run it: deno run --allow-ffi examples/async.ts

import { lib } from "@ggml/deno";
import { computeAsync, init, ndarray, tensor, view } from "@ggml/deno/utils";

using ctx = init({ memSize: 64 * 1024 * 1024 });
const n = 512;

const mean = tensor(ctx, ndarray(new Float32Array(n * n).fill(1 / n), [n, n])); // every row sums up to 1
let x = tensor(ctx, ndarray(Float32Array.from({ length: n * n }, (_, i) => i % n), [n, n]));

// An operator in TypeScript: C calls it from each of its threads, for thread ith of nth.
const addOne = new lib.ggml_custom1_op_t((dst, a, ith, nth) => {
  const from = view(a!).data, to = view(dst!).data;
  for (let i = ith; i < to.length; i += nth) to[i] = Number(from[i]) + 1;
});
for (let i = 0; i < 20; i++) x = lib.ggml_mul_mat(ctx, mean, x);
x = lib.ggml_map_custom1(ctx, x, addOne, lib.GGML_N_TASKS_MAX, null);

const graph = lib.ggml_new_graph(ctx);
lib.ggml_build_forward_expand(graph, x);

let ticks = 0, steps = 0;
const timer = setInterval(() => ticks++, 1);
await computeAsync(graph, { onProgress: () => steps++ });
clearInterval(timer);
console.log(`mean + 1: ${view(x).get(0, 0)}`);
console.log(`the timer fired meanwhile: ${ticks > 0}, progress was reported: ${steps > 1}`);

try {
  await computeAsync(graph, { signal: AbortSignal.timeout(1) });
} catch (error) {
  console.log(`cancelled: ${(error as Error).name}`);
}
