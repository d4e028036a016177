/**
 * Ends while C computes, some tenths of a second after `exit` has destroyed what C computes with: `exits.ts <what ends it>`. For Linux.
 *
 * What is to be called at the end is called last first: what was noted before ggml was there comes after its destructors.
 */

import { lib } from "@ggml/deno";
import { compute, computeAsync, init } from "@ggml/deno/utils";

const end = Deno.args[0] ?? new URL(import.meta.url).searchParams.get("end"), CODE = 3;

/** A graph that takes longer than the process lives. */
function products(): lib.ggml_cgraph {
  const ctx = init({ memSize: 1 << 28 }), a = lib.ggml_new_tensor_2d(ctx, lib.GGML_TYPE_F32, 512, 512), graph = lib.ggml_new_graph(ctx);
  let product = a;
  for (let i = 0; i < 200; i++) product = lib.ggml_mul_mat(ctx, a, product);
  lib.ggml_build_forward_expand(graph, product);
  return graph;
}

/** Has the end take a while. */
function endSlowly(): void {
  const { symbols } = Deno.dlopen("libc.so.6", {
    __cxa_atexit: { parameters: ["pointer", "u64", "u64"], result: "i32" },
    usleep: { type: "pointer" },
  });
  symbols.__cxa_atexit(symbols.usleep as never, 300_000n, 0n);
}

const turn = () => new Promise((resolve) => setTimeout(resolve, 30));

const ends: Record<string, () => unknown> = {
  async throw() {
    const done = computeAsync(products());
    await turn();
    JSON.parse("{ oops");
    await done;
  },
  async exit() {
    const done = computeAsync(products());
    await turn();
    Deno.exit(CODE);
    await done;
  },
  worker: () => withWorker(),
  "worker's asynchronous call": () => withWorker(),
  nothing() {
    compute(products());
    console.log("computed");
    Deno.exit(CODE);
  },
};

/** Ends a Worker that computes, and then the process. */
async function withWorker(): Promise<void> {
  const worker = new Worker(new URL(`./exits.ts?end=${end}`, import.meta.url), { type: "module" });
  await new Promise((resolve) => worker.onmessage = resolve);
  await turn();
  worker.terminate();
  Deno.exit(CODE);
}

if ("WorkerGlobalScope" in globalThis) {
  const graph = products();
  (globalThis as unknown as { postMessage(message: string): void }).postMessage("");
  if (end === "worker") compute(graph);
  else await computeAsync(graph);
} else {
  endSlowly();
  await ends[end!]();
}
