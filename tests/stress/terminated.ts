/** Ends Workers while C computes or copies for them, and goes on: `terminated.ts <what C does> <terminate or throw> <how often>`. */

import { lib } from "@ggml/deno";
import { compute, init, view } from "@ggml/deno/utils";

const [work, error, count] = Deno.args;
for (let i = 0; i < Number(count); i++) {
  const worker = new Worker(new URL(`./uncaught.ts?work=${work}&error=${error}`, import.meta.url), { type: "module" });
  const failed = new Promise<void>((resolve) => {
    worker.onerror = (event) => {
      event.preventDefault();
      resolve();
    };
  });
  await new Promise((resolve) => worker.onmessage = resolve);
  await (error === "throw" ? failed : new Promise((resolve) => setTimeout(resolve, 20 * Math.random())));
  worker.terminate();
}
using ctx = init();
const graph = lib.ggml_new_graph(ctx), a = lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, 1), four = lib.ggml_sqr(ctx, a);
lib.ggml_build_forward_expand(graph, four);
view(a).set(0, 2);
compute(graph);
console.log(view(four).get(0));
