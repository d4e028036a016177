/** Callbacks: operators run with any number of threads, strings and calls from TypeScript. */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { lib } from "@ggml/deno";
import { compute, computeAsync, init } from "@ggml/deno/utils";
import { newTensor } from "../context.ts";
import { computers, CORES, floats, graphOf, LENGTH, operators, sum, withBackend } from "./callbacks.ts";

Deno.test(
  "operators in TypeScript compute right by every function that computes, with 1 to the cores' and more threads",
  withBackend(async (ctx, cpu, sched) => {
    for (const [name, run] of Object.entries(computers(ctx, cpu, sched))) {
      for (const threads of [1, CORES, 3]) {
        let seen = 0;
        const results = operators(ctx, (dst, sources, ith, nth) => {
          seen = Math.max(seen, nth);
          sum(dst, sources, ith, nth);
        });
        for (const [result, expected] of results) {
          await run(graphOf(ctx, result), threads);
          assertEquals([...floats(result)], Array(LENGTH).fill(expected), `${name}, ${threads} threads`);
        }
        assert(seen === (name === "every thread at once" ? threads : 1), `${name}, ${threads} threads: ${seen}`);
      }
    }
  }),
);

Deno.test("computeAsync uses as many threads as the work is worth and the machine has, and operators see how many", async () => {
  using ctx = init({ memSize: 64 * 1024 * 1024 });
  const seen = new Set<number>();
  const op = new lib.ggml_custom1_op_t((_dst, _a, _ith, nth) => void seen.add(nth));
  const threadsFor = async (size: number, nodes: number, threads?: number) => {
    const matrix = newTensor(ctx, lib.GGML_TYPE_F32, size, size);
    const graph = graphOf(ctx, lib.ggml_map_custom1(ctx, matrix, op, lib.GGML_N_TASKS_MAX, null));
    for (let i = 0; i < nodes; i++) lib.ggml_build_forward_expand(graph, lib.ggml_mul_mat(ctx, matrix, matrix));
    seen.clear();
    await computeAsync(graph, { threads });
    return [...seen];
  };
  assertEquals(await threadsFor(8, 20), [1]);
  assertEquals(await threadsFor(512, 4, 1), [1]);
  assertEquals(await threadsFor(512, 4, 1000), [Math.min(CORES, 23)]); // 27 ms, for which 23 threads pay
});

Deno.test(
  "a CPU backend keeps its threads when an operator in TypeScript made it use one",
  withBackend(async (ctx, cpu) => {
    const large = lib.ggml_set_f32(newTensor(ctx, lib.GGML_TYPE_F32, LENGTH), 1);
    const seen: number[] = [];
    const note = new lib.ggml_custom1_op_t((dst, a, ith, nth) => {
      seen.push(nth);
      sum(dst!, [a!], ith, nth);
    });
    const graph = graphOf(ctx, lib.ggml_map_custom1(ctx, large, note, lib.GGML_N_TASKS_MAX, null));
    lib.ggml_backend_cpu_set_n_threads(cpu, CORES);
    lib.ggml_backend_graph_compute(cpu, graph);
    assertEquals(seen, [1]);
    // Off this thread nothing holds it back, and the backend's own number shows.
    const { library } = await import("../../ffi/load/library.ts");
    const nonblocking = { parameters: ["u64", "u64"], result: "i32", nonblocking: true } as const;
    const symbol = library().symbol("ggml_backend_graph_compute", nonblocking) as (...args: unknown[]) => Promise<number>;
    await symbol(cpu.address, graph.address);
    assertEquals(seen.slice(1), Array(CORES).fill(CORES));
  }),
);

Deno.test("an optimizer's graph with an operator in TypeScript is computed by one thread", () => {
  using fixed = init({ noAlloc: true }), ctx = init({ noAlloc: true });
  const cpu = lib.ggml_backend_cpu_init()!; // of 4 threads, as C makes it
  const sched = lib.ggml_backend_sched_new([cpu], null, 1, 2048, false, true);
  const dataset = lib.ggml_opt_dataset_init(lib.GGML_TYPE_F32, lib.GGML_TYPE_F32, 1, 0, 8, 1); // no labels: the loss is the sum
  const inputs = newTensor(fixed, lib.GGML_TYPE_F32, 1, 4);
  const buffer = lib.ggml_backend_alloc_ctx_tensors(fixed, cpu)!;
  const seen = new Set<number>();
  const op = new lib.ggml_custom1_op_t((_dst, _a, _ith, nth) => void seen.add(nth));
  const outputs = lib.ggml_map_custom1(ctx, inputs, op, lib.GGML_N_TASKS_MAX, null);
  lib.ggml_set_input(inputs);
  lib.ggml_set_output(outputs);
  const params = lib.ggml_opt_default_params(sched, lib.GGML_OPT_LOSS_TYPE_SUM);
  Object.assign(params, { ctx_compute: ctx, inputs, outputs, build_type: lib.GGML_OPT_BUILD_TYPE_FORWARD });
  const optimizer = lib.ggml_opt_init(params);
  const result = lib.ggml_opt_result_init();
  lib.ggml_opt_epoch(optimizer, dataset, null, result, 0, null, null);
  assertEquals([...seen], [1]);
  lib.ggml_opt_result_free(result);
  lib.ggml_opt_free(optimizer);
  lib.ggml_opt_dataset_free(dataset);
  lib.ggml_backend_buffer_free(buffer);
  lib.ggml_backend_sched_free(sched);
  lib.ggml_backend_free(cpu);
});

Deno.test("strings that callbacks return stay valid while C reads them", () => {
  let n = 0;
  const name = new lib.llama_sampler_i_name(() => `sampler ${n++} größe`);
  const smpl = lib.llama_sampler_init(new lib.llama_sampler_i({ name }), null as never);
  assertEquals([lib.llama_sampler_name(smpl), lib.llama_sampler_name(smpl)], ["sampler 0 größe", "sampler 1 größe"]);
  lib.llama_sampler_free(smpl);
});

Deno.test("a callback can be called from TypeScript, and throws there too", () => {
  const error = new Error("here");
  const reader = new lib.gguf_reader_callback_t((_userdata, _output, offset) => {
    if (offset > 5) throw error;
    return offset * 2;
  });
  assertEquals(reader.call(null, null, 4, 0), 8);
  assert(assertThrows(() => reader.call(null, null, 6, 0)) === error);
});

Deno.test("a callback that was disposed of is an Error when C calls it, not a crash", async () => {
  using ctx = init();
  const op = new lib.ggml_custom1_op_t(() => {});
  const source = newTensor(ctx, lib.GGML_TYPE_F32, 4);
  const graph = graphOf(ctx, lib.ggml_map_custom1(ctx, source, op, 1, null));
  compute(graph);
  op[Symbol.dispose]();
  op[Symbol.dispose]();
  assertThrows(() => compute(graph), Error, "this ggml_custom1_op_t was disposed of, and C called it");
  await assertRejects(() => computeAsync(graph), Error, "was disposed of");
  assertThrows(() => lib.ggml_map_custom1(ctx, source, op, 1, null), Error, "ggml_map_custom1(fun)");
});
