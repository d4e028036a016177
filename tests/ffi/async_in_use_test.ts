/** `lib.async`: what a call uses lives until it has settled, and nobody else changes it meanwhile. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { lib } from "@ggml/deno";
import { computeAsync, init } from "@ggml/deno/utils";
import { waiters } from "../../ffi/core/failure.ts";
import { message, quietly } from "../failing.ts";
import { deno, program } from "../process.ts";
import { tinyContext } from "../tiny_llama.ts";
import { batchOf, failure, logitsOf, products, squares, theModel } from "./async_calls.ts";

const { GGML_TYPE_F32: F32, GGML_STATUS_SUCCESS: SUCCESS } = lib;

const LENT = /this \w+ can't be used now: lib\.async\.\w+ is using its \w+, and has not settled$/;

Deno.test("until it has settled, what a call uses can be neither freed nor changed, nor what it changes be used", async () => {
  await lib.async.ggml_type_name(F32); // they are loaded
  using ctx = init({ memSize: 1 << 26 }), work = init({ memSize: 1 << 24 });
  const graph = products(ctx), cpu = lib.ggml_backend_cpu_init()!, other = squares(work);
  const computed = lib.async.ggml_backend_graph_compute(cpu, graph);
  assertMatch(message(() => lib.ggml_free(ctx)), /can't be freed by ggml_free now: lib\.async\.ggml_backend_graph_compute is using it$/);
  assertMatch(
    message(() => lib.ggml_backend_free(cpu)),
    /can't be freed by ggml_backend_free now: lib\.async\.ggml_backend_graph_compute is using it$/,
  );
  assertMatch(message(() => lib.ggml_graph_clear(graph)), /this graph is being computed by lib\.async\.ggml_backend_graph_compute/);
  assertMatch(message(() => lib.ggml_backend_graph_compute(cpu, graph)), LENT);
  assertMatch(await failure(lib.async.ggml_backend_graph_compute(cpu, other.graph)), LENT);
  assertMatch(await failure(computeAsync(graph)), /is being computed/);
  assertMatch(message(() => lib.ggml_backend_name(cpu)), LENT);
  assertEquals(lib.ggml_graph_n_nodes(graph), 12); // reading is harmless
  assertEquals(await computed, SUCCESS);
  assertEquals(lib.ggml_backend_name(cpu), "CPU");
  assertEquals(lib.ggml_backend_graph_compute(cpu, other.graph), SUCCESS);
  lib.ggml_backend_free(cpu);
});

quietly("a llama_context has one call at a time; its model any number", async () => {
  using ctx = tinyContext(theModel());
  const decoded = lib.async.llama_decode(ctx, batchOf([1, 2]));
  assertMatch(message(() => lib.llama_decode(ctx, batchOf([1]))), LENT);
  assertMatch(message(() => lib.llama_get_logits_ith(ctx, -1)), LENT);
  assertMatch(await failure(lib.async.llama_decode(ctx, batchOf([1]))), LENT);
  assertMatch(
    message(() => lib.llama_model_free(theModel())),
    /can't be freed by llama_model_free now: lib\.async\.llama_decode is using it$/,
  );
  assertEquals(await decoded, 0);
  const params = () => Object.assign(lib.llama_context_default_params(), { n_ctx: 64, n_threads: 1, n_threads_batch: 1 });
  const contexts = await Promise.all(Array.from({ length: 4 }, () => lib.async.llama_init_from_model(theModel(), params())));
  assertEquals(await Promise.all(contexts.map((each) => lib.async.llama_decode(each!, batchOf([1, 2])))), [0, 0, 0, 0]);
  for (const each of contexts) assertEquals(logitsOf(each!), logitsOf(ctx));
  await Promise.all(contexts.map((each) => lib.async.llama_free(each!)));
});

Deno.test("what computes two graphs at once is refused: a pool of threads, a backend of two schedulers", async () => {
  using ctx = init({ memSize: 1 << 26 }), work = init({ memSize: 1 << 20 });
  const graph = products(ctx), other = squares(work), pool = lib.ggml_threadpool_new(lib.ggml_threadpool_params_default(1));
  const planOf = (graph: lib.ggml_cgraph) => {
    const plan = lib.ggml_graph_plan(graph, 1, pool);
    if (plan.work_size > 0) plan.work_data = new Uint8Array(plan.work_size) as never;
    return plan;
  };
  const computed = lib.async.ggml_graph_compute(graph, planOf(graph));
  assertMatch(
    message(() => lib.ggml_graph_compute(other.graph, planOf(other.graph))),
    /this ggml_threadpool is being used by ggml_graph_compute/,
  );
  assertMatch(message(() => lib.ggml_threadpool_free(pool)), /can't be freed by ggml_threadpool_free now/);
  assertEquals(await computed, SUCCESS);
  lib.ggml_threadpool_free(pool);

  const cpu = lib.ggml_backend_cpu_init()!,
    placed = init({ memSize: 1 << 20, noAlloc: true }),
    also = init({ memSize: 1 << 20, noAlloc: true });
  const [first, second] = [placed, also].map((ctx) => {
    const scheduler = lib.ggml_backend_sched_new([cpu], null, 1, 64, false, false), graph = products(ctx, 4);
    lib.ggml_backend_sched_alloc_graph(scheduler, graph);
    return { scheduler, graph };
  });
  const scheduled = lib.async.ggml_backend_sched_graph_compute(first.scheduler, first.graph);
  const refused = await failure(lib.async.ggml_backend_sched_graph_compute(second.scheduler, second.graph));
  assertMatch(refused, /this ggml_backend can't be used now: lib\.async\.ggml_backend_sched_graph_compute is using its ggml_backend/);
  assertEquals(await scheduled, SUCCESS);
  assertEquals(await lib.async.ggml_backend_sched_graph_compute(second.scheduler, second.graph), SUCCESS);
  for (const { scheduler } of [first, second]) lib.ggml_backend_sched_free(scheduler);
  await lib.async.ggml_backend_free(cpu);
  assertMatch(message(() => lib.ggml_backend_name(cpu)), /was freed by ggml_backend_free/);
});

Deno.test("what nobody else holds any more lives until the call has settled", async () => {
  const { code, stdout, stderr } = await program(
    `
    import { lib } from "@ggml/deno";
    import { copy, init } from "@ggml/deno/utils";
    const gc = (globalThis as unknown as { gc(): void }).gc;
    function begin(): Promise<number> {
      const ctx = init({ memSize: 1 << 26 }), a = lib.ggml_new_tensor_2d(ctx, lib.GGML_TYPE_F32, 384, 384), graph = lib.ggml_new_graph(ctx);
      copy(new Float32Array(384 * 384).fill(1), a);
      let product = a;
      for (let i = 0; i < 12; i++) product = lib.ggml_mul_mat(ctx, a, product);
      lib.ggml_build_forward_expand(graph, product);
      return lib.async.ggml_backend_graph_compute(lib.ggml_backend_cpu_init()!, graph);
    }
    for (let i = 0; i < 5; i++) {
      const computed = begin();
      for (let k = 0; k < 5; k++) {
        gc();
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      console.log(await computed);
    }
    `,
    ["--allow-ffi", "--v8-flags=--expose-gc"],
  );
  assertEquals([code, stdout], [0, "0\n".repeat(5)], stderr);
});

Deno.test("twenty thousand calls leave nothing behind", async () => {
  const { code, stdout, stderr } = await program(`
    import { lib } from "@ggml/deno";
    import { init } from "@ggml/deno/utils";
    using ctx = init();
    const graph = lib.ggml_new_graph(ctx), cpu = lib.ggml_backend_cpu_init()!;
    lib.ggml_build_forward_expand(graph, lib.ggml_sqr(ctx, lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, 3)));
    lib.ggml_backend_cpu_set_n_threads(cpu, 1);
    async function rounds(count: number): Promise<number> {
      for (let i = 0; i < count; i++) {
        await lib.async.ggml_backend_graph_compute(cpu, graph);
        if (i % 4 === 0) await lib.async.ggml_add(ctx, graph as never, null as never).catch(() => {});
      }
      return Deno.memoryUsage().rss;
    }
    const before = await rounds(4000), after = await rounds(20_000);
    console.log(Math.round((after - before) / 20_000));
  `);
  assertEquals(code, 0, stderr);
  assert(Number(stdout) < 1000, `${stdout} bytes a call`);
  assertEquals(waiters.size, 0);
});

for (const work of ["async graph", "async decode"]) {
  for (const end of ["throw", "reject"]) {
    Deno.test(`an uncaught error elsewhere is printed, and the exit code is 1: ${work}, ${end}`, async () => {
      const { code, stderr } = await deno(["run", "--quiet", "-A", "tests/stress/uncaught.ts", work, end]);
      assertMatch(stderr, /oops/);
      assertEquals(code, 1, stderr);
    });
  }
  Deno.test(`a Worker that ends leaves the others alive: ${work}`, async () => {
    const { code, stdout, stderr } = await deno(["run", "--quiet", "-A", "tests/stress/terminated.ts", work, "terminate", "6"]);
    assertEquals([code, stdout], [0, "4\n"], stderr);
  });
}
