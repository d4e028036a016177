/** Ends by an error that nobody catches while C computes or copies on another thread: `uncaught.ts <what C does> <how the error comes>`. */

import { lib } from "@ggml/deno";
import { compute, computeAsync, copyAsync, init } from "@ggml/deno/utils";
import { loadTinyLlama, tinyContext, writeTinyLlama } from "../tiny_llama.ts";

const [work, error] = Deno.args, N = 512, BUSY = 2;

/** Keeps the thread busy for some milliseconds, as an operator does. */
function busy(): void {
  for (const start = performance.now(); performance.now() - start < BUSY;);
}

/** A graph of operators in TypeScript, each after a product. */
function operators(ctx: lib.ggml_context): lib.ggml_cgraph {
  const a = lib.ggml_new_tensor_2d(ctx, lib.GGML_TYPE_F32, 64, 64), graph = lib.ggml_new_graph(ctx);
  const operator = new lib.ggml_custom1_op_t(busy);
  let last = a;
  for (let i = 0; i < 200; i++) last = lib.ggml_map_custom1(ctx, lib.ggml_mul_mat(ctx, a, last), operator, 1, null);
  lib.ggml_build_forward_expand(graph, last);
  return graph;
}

/** A graph of twenty products: it takes longer than the process lives. */
function products(ctx: lib.ggml_context): lib.ggml_cgraph {
  const a = lib.ggml_new_tensor_2d(ctx, lib.GGML_TYPE_F32, N, N), graph = lib.ggml_new_graph(ctx);
  lib.ggml_set_input(a);
  let product = a;
  for (let i = 0; i < 20; i++) product = lib.ggml_mul_mat(ctx, a, product);
  lib.ggml_build_forward_expand(graph, product);
  return graph;
}

/** A context of a small model, for works that decode. */
function decoder(): lib.llama_context {
  const file = Deno.makeTempFileSync();
  writeTinyLlama(file);
  const context = tinyContext(loadTinyLlama(file));
  Deno.removeSync(file);
  return context;
}

let context: lib.llama_context | null = null;

const works: Record<string, () => Promise<unknown>> = {
  graph: () => computeAsync(products(init({ memSize: 1 << 26 }))),
  slices: () => computeAsync(products(init({ memSize: 1 << 26 })), { onProgress() {} }),
  scheduler() {
    const scheduler = lib.ggml_backend_sched_new([lib.ggml_backend_cpu_init()!], null, 1, 64, false, false)!;
    const graph = products(init({ memSize: 1 << 20, noAlloc: true }));
    lib.ggml_backend_sched_alloc_graph(scheduler, graph);
    return computeAsync(graph, { backend: scheduler });
  },
  operator: () => computeAsync(operators(init({ memSize: 1 << 24 })), { threads: 2 }),
  async "sync operator"() {
    await new Promise((resolve) => setTimeout(resolve, 1));
    compute(operators(init({ memSize: 1 << 24 })));
  },
  async sync() {
    await new Promise((resolve) => setTimeout(resolve, 1));
    compute(products(init({ memSize: 1 << 26 })));
  },
  async "abort callback"() {
    const backend = lib.ggml_backend_cpu_init()!, graph = products(init({ memSize: 1 << 26 }));
    lib.ggml_backend_cpu_set_abort_callback(backend, new lib.ggml_abort_callback(() => false), null);
    while (true) await lib.async.ggml_backend_graph_compute(backend, graph);
  },
  async evaluation() {
    const scheduler = lib.ggml_backend_sched_new([lib.ggml_backend_cpu_init()!], null, 1, 64, false, false)!;
    const graph = products(init({ memSize: 1 << 20, noAlloc: true }));
    lib.ggml_backend_sched_alloc_graph(scheduler, graph);
    lib.ggml_backend_sched_set_eval_callback(scheduler, new lib.ggml_backend_sched_eval_callback(() => true), null);
    while (true) await lib.async.ggml_backend_sched_graph_compute(scheduler, graph);
  },
  copy() {
    const tensor = lib.ggml_new_tensor_2d(init({ memSize: 1 << 26 }), lib.GGML_TYPE_Q4_K, 4096, 2048);
    return copyAsync(new Float32Array(4096 * 2048).fill(0.5), tensor);
  },
  "async graph"() {
    const graph = products(init({ memSize: 1 << 26 })), plan = lib.ggml_graph_plan(graph, 1, null);
    if (plan.work_size > 0) plan.work_data = new Uint8Array(plan.work_size) as never;
    return lib.async.ggml_graph_compute(graph, plan);
  },
  async "async decode"() {
    context ??= decoder();
    while (true) {
      lib.llama_memory_clear(lib.llama_get_memory(context)!, true);
      await lib.async.llama_decode(context, lib.llama_batch_get_one(Int32Array.from({ length: 48 }, (_, i) => i), 48));
    }
  },
};

if ("WorkerGlobalScope" in globalThis) {
  const { searchParams } = new URL(import.meta.url);
  (globalThis as unknown as { postMessage(message: string): void }).postMessage("");
  if (searchParams.get("error") === "throw") setTimeout(() => JSON.parse("{ oops"), 20 * Math.random());
  while (true) await works[searchParams.get("work")!]();
} else {
  const done = works[work]();
  await new Promise((resolve) => setTimeout(resolve, 20 * Math.random()));
  if (error === "throw") JSON.parse("{ oops");
  await Promise.reject(new Error("{ oops"));
  await done;
}
