/**
 * Gives an object to another one again and again, in one loop that never lets the event loop turn:
 * `deno run -A --v8-flags=--expose-gc rounds.ts <kind> <rounds>`. Prints how many milliseconds of the processor's time the second and the
 * last tenth took, and by how many megabytes the heap grew between them.
 */

import process from "node:process";
import { lib } from "@ggml/deno";
import { compute, init } from "@ggml/deno/utils";

const { gc } = globalThis as unknown as { gc: () => void };

const backend = lib.ggml_backend_cpu_init()!;
lib.ggml_backend_cpu_set_n_threads(backend, 1);
const F32 = lib.GGML_TYPE_F32;

/** Weights in a backend's buffer. */
const weights = init({ memSize: 4096, noAlloc: true });
const weight = lib.ggml_new_tensor_1d(weights, F32, 8);
const buffer = lib.ggml_backend_alloc_ctx_tensors(weights, backend)!;

/** A context without memory for data. */
const empty = () => init({ memSize: 1 << 14, noAlloc: true });

/** A graph of the weights. */
function graphIn(ctx: lib.ggml_context): lib.ggml_cgraph {
  const input = lib.ggml_new_tensor_1d(ctx, F32, 8);
  lib.ggml_set_input(input);
  const graph = lib.ggml_new_graph_custom(ctx, 8, false);
  lib.ggml_build_forward_expand(graph, lib.ggml_add(ctx, input, weight));
  return graph;
}

/** For each kind what makes the objects; it gives what is done each round. */
const kinds: Record<string, () => () => void> = {
  allocator() {
    const ctx = empty(), allocator = lib.ggml_gallocr_new(lib.ggml_backend_get_default_buffer_type(backend)!)!;
    return () => {
      lib.ggml_reset(ctx);
      const graph = graphIn(ctx);
      lib.ggml_gallocr_alloc_graph(allocator, graph);
      lib.ggml_backend_graph_compute(backend, graph);
    };
  },
  "allocator of contexts that come and go"() {
    const allocator = lib.ggml_gallocr_new(lib.ggml_backend_get_default_buffer_type(backend)!)!;
    return () => {
      using ctx = empty();
      lib.ggml_gallocr_alloc_graph(allocator, graphIn(ctx));
    };
  },
  scheduler() {
    const ctx = empty(), scheduler = lib.ggml_backend_sched_new([backend], null, 1, 64, false, false)!;
    return () => {
      lib.ggml_reset(ctx);
      const graph = graphIn(ctx);
      lib.ggml_backend_sched_reset(scheduler);
      lib.ggml_backend_sched_alloc_graph(scheduler, graph);
      lib.ggml_backend_sched_graph_compute(scheduler, graph);
    };
  },
  buffer() {
    const ctx = empty(), base = lib.ggml_backend_buffer_get_base(buffer)!;
    return () => {
      lib.ggml_reset(ctx);
      lib.ggml_backend_tensor_alloc(buffer, lib.ggml_new_tensor_1d(ctx, F32, 8), base);
    };
  },
  operator() {
    const ctx = init({ memSize: 1 << 14 }), operator = new lib.ggml_custom1_op_t(() => {});
    return () => {
      lib.ggml_reset(ctx);
      const graph = lib.ggml_new_graph_custom(ctx, 8, false);
      lib.ggml_build_forward_expand(graph, lib.ggml_map_custom1(ctx, lib.ggml_new_tensor_1d(ctx, F32, 8), operator, 1, null));
      lib.ggml_graph_compute_with_ctx(ctx, graph, 1);
    };
  },
  compute() {
    const ctx = init({ memSize: 1 << 16 });
    return () => {
      lib.ggml_reset(ctx);
      const graph = graphIn(ctx);
      compute(graph);
      compute(graph);
    };
  },
  timing() {
    const ctx = init({ memSize: 1 << 14 });
    const graph = graphIn(ctx);
    return () => compute(graph, { timing: true });
  },
  callback() {
    const scheduler = lib.ggml_backend_sched_new([backend], null, 1, 64, false, false)!;
    const callbacks = [true, false].map((answer) => new lib.ggml_backend_sched_eval_callback(() => answer));
    let round = 0;
    return () => lib.ggml_backend_sched_set_eval_callback(scheduler, callbacks[round++ % 2], new Uint8Array(8));
  },
  plan() {
    const ctx = init({ memSize: 1 << 14 });
    const graph = lib.ggml_new_graph_custom(ctx, 8, false);
    lib.ggml_build_forward_expand(graph, lib.ggml_sqr(ctx, lib.ggml_new_tensor_1d(ctx, F32, 8)));
    const plan = lib.ggml_graph_plan(graph, 1, null);
    return () => {
      plan.work_data = new Uint8Array(plan.work_size + 1024) as never;
      lib.ggml_graph_compute(graph, plan);
      compute(graph, { threads: 1 });
    };
  },
  sampler() {
    const chain = lib.llama_sampler_chain_init(lib.llama_sampler_chain_default_params()), sampler = lib.llama_sampler_init_greedy();
    return () => {
      lib.llama_sampler_chain_add(chain, sampler);
      lib.llama_sampler_chain_remove(chain, 0);
    };
  },
  batch() {
    return () => {
      using batch = lib.llama_batch_init(4, 0, 1);
      batch.n_tokens = 1;
    };
  },
};

const [kind, count] = Deno.args, tenth = Number(count) / 10;
const round = kinds[kind](), times: number[] = [], heaps: number[] = [], residents: number[] = [];
for (let part = 0; part < 10; part++) {
  const start = process.cpuUsage();
  for (let i = 0; i < tenth; i++) round();
  const { user, system } = process.cpuUsage(start);
  times.push((user + system) / 1000);
  gc();
  const { heapUsed, rss } = Deno.memoryUsage();
  heaps.push(heapUsed / 2 ** 20);
  residents.push(rss / 2 ** 20);
}
console.log(JSON.stringify({ first: times[1], last: times[9], megabytes: heaps[9] - heaps[1], resident: residents[9] - residents[1] }));
