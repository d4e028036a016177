/** compute() and computeAsync() with timing, and timings(). */

import { assert, assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { lib } from "@ggml/deno";
import { type Backend, compute, computeAsync, type ComputeOptions, copy, init, type NodeTiming, timings, view } from "@ggml/deno/utils";
import { newTensor, wave } from "../context.ts";

const WIDTH = 96, ROWS = 40;

/** A norm and a product, which the CPU computes at once unless told otherwise, a view, and products of enough work for two threads. */
function network(ctx: lib.ggml_context) {
  const x = newTensor(ctx, lib.GGML_TYPE_F32, WIDTH, ROWS), weights = newTensor(ctx, lib.GGML_TYPE_F32, WIDTH);
  const matrix = newTensor(ctx, lib.GGML_TYPE_F32, WIDTH, 512);
  const normed = lib.ggml_mul(ctx, lib.ggml_rms_norm(ctx, x, 1e-5), weights);
  const product = lib.ggml_mul_mat(ctx, matrix, normed);
  const result = lib.ggml_soft_max(ctx, lib.ggml_cont(ctx, lib.ggml_transpose(ctx, product)));
  result.name = "result";
  const graph = lib.ggml_new_graph(ctx);
  lib.ggml_build_forward_expand(graph, result);
  const fill = () => [x, weights, matrix].forEach((tensor) => copy(wave(lib.ggml_nelements(tensor)), tensor));
  return { graph, result, fill, product, inputs: [x, weights, matrix] };
}

function expectTimes(times: readonly NodeTiming[]): void {
  assertEquals(times.map(({ op }) => op), ["RMS_NORM", "MUL", "MUL_MAT", "TRANSPOSE", "CONT", "SOFT_MAX"]);
  assertEquals(times.map(({ node }) => node), [0, 1, 2, 3, 4, 5]);
  assertEquals(times[5].name, "result");
  for (const { op, ms } of times) assertEquals(ms > 0, op !== "TRANSPOSE", op);
  assert(Math.abs(times.reduce((sum, { share }) => sum + share, 0) - 1) < 1e-9);
}

const ways: Record<string, (graph: lib.ggml_cgraph, options: ComputeOptions) => void | Promise<void>> = { compute, computeAsync };

for (const [name, run] of Object.entries(ways)) {
  Deno.test(`${name}() with timing gives the same results, bit for bit, and the time of each node`, async () => {
    using ctx = init();
    const { graph, result, fill } = network(ctx);
    using backend = lib.ggml_backend_cpu_init()!;
    fill();
    compute(graph);
    const expected = view(result).data.slice();
    for (const options of [{}, { threads: 1 }, { threads: 2 }, { backend }]) {
      view(result).data.fill(-1);
      fill();
      await run(graph, { ...options, timing: true });
      assertEquals(view(result).data, expected, JSON.stringify(Object.keys(options)));
      expectTimes(timings(graph));
    }
  });

  Deno.test(`${name}() with timing uses a scheduler, whose own callback is not replaced`, async () => {
    using backend = lib.ggml_backend_cpu_init()!;
    using ctx = init({ noAlloc: true });
    const { graph, result, fill, inputs } = network(ctx);
    using sched = lib.ggml_backend_sched_new([backend], null, 1, 64, false, true);
    [...inputs, result].forEach((tensor) => lib.ggml_set_output(tensor)); // so that their memory isn't used again
    assert(lib.ggml_backend_sched_alloc_graph(sched, graph));
    fill();
    compute(graph, { backend: sched });
    const expected = view(result).data.slice();
    fill();
    await run(graph, { backend: sched as Backend, timing: true });
    assertEquals(view(result).data, expected);
    expectTimes(timings(graph));
    lib.ggml_backend_sched_set_eval_callback(sched, new lib.ggml_backend_sched_eval_callback(() => true), null);
    const failed = await assertRejects(async () => await run(graph, { backend: sched, timing: true }), Error);
    assertStringIncludes(failed.message, `${name}: the scheduler has an evaluation callback`);
  });

  Deno.test(`${name}() with timing calls operators in TypeScript, and throws what they throw`, async () => {
    using ctx = init();
    const a = newTensor(ctx, lib.GGML_TYPE_F32, 4);
    let fails = false;
    const operator = new lib.ggml_custom1_op_t((dst, a, ith) => {
      if (fails) throw new Error("no");
      if (ith === 0) view(dst!).data.set(view(a!).data.map((x) => x * 3));
    });
    const result = lib.ggml_map_custom1(ctx, lib.ggml_sqr(ctx, a), operator, lib.GGML_N_TASKS_MAX, null);
    const graph = lib.ggml_new_graph(ctx);
    lib.ggml_build_forward_expand(graph, result);
    copy([1, 2, 3, 4], a);
    await run(graph, { timing: true });
    assertEquals([...view(result).data], [3, 12, 27, 48]);
    assertEquals(timings(graph).map(({ op }) => op), ["SQR", "MAP_CUSTOM1"]);
    fails = true;
    assertEquals((await assertRejects(async () => await run(graph, { timing: true }), Error)).message, "no");
  });
}

Deno.test("computeAsync() with timing reports to the end, and is cancelled without times", async () => {
  using ctx = init();
  const { graph, fill } = network(ctx);
  fill();
  const heard: number[] = [];
  await computeAsync(graph, { timing: true, onProgress: (done, total) => heard.push(done / total) });
  assertEquals(heard.at(-1), 1);
  const other = network(ctx);
  other.fill();
  const controller = new AbortController();
  const cancelled = computeAsync(other.graph, { timing: true, signal: controller.signal, onProgress: () => controller.abort() });
  assertEquals((await assertRejects(() => cancelled, DOMException)).name, "AbortError");
  assertThrows(() => timings(other.graph), Error, "was not computed with timing");
});

Deno.test("timings() says what is wrong", () => {
  const ctx = init();
  const { graph, fill, product } = network(ctx);
  fill();
  assertThrows(() => timings(graph), Error, "timings: this graph was not computed with timing");
  assertThrows(() => timings(null as never), TypeError, "timings: expected a ggml_cgraph, got null");
  assertThrows(() => compute(graph, { timing: 1 as never }), TypeError, "compute: timing must be a boolean, got the number 1");
  compute(graph, { timing: true });
  compute(graph); // the last times stay
  assertEquals(timings(graph).length, 6);
  lib.ggml_graph_clear(graph);
  lib.ggml_build_forward_expand(graph, product);
  assertThrows(() => timings(graph), Error, "was not computed with timing"); // another graph by now
  lib.ggml_free(ctx);
  assertThrows(() => timings(graph), Error, "was freed");
});

Deno.test("a scheduler's evaluation callback is forgotten with it: another scheduler may come to lie there", () => {
  using backend = lib.ggml_backend_cpu_init()!;
  for (let i = 0; i < 20; i++) {
    using ctx = init({ noAlloc: true });
    const { graph } = network(ctx);
    using sched = lib.ggml_backend_sched_new([backend], null, 1, 64, false, true);
    compute(graph, { backend: sched, timing: true });
    lib.ggml_backend_sched_set_eval_callback(sched, new lib.ggml_backend_sched_eval_callback(() => true), null);
  }
});
