/** `lib.async`: what C, a callback or a signal ends a call with is what the promise rejects with. */

import { assert, assertEquals, assertMatch, assertRejects, assertStrictEquals } from "@std/assert";
import { lib } from "@ggml/deno";
import { computeAsync, copy, init, view } from "@ggml/deno/utils";
import { waiters } from "../../ffi/core/failure.ts";
import { quietly } from "../failing.ts";
import { program } from "../process.ts";
import { tinyContext } from "../tiny_llama.ts";
import { batchOf, failure, path, products, squares, stepsOf, theModel, training } from "./async_calls.ts";

const { GGML_TYPE_F32: F32, GGML_STATUS_SUCCESS: SUCCESS } = lib;

Deno.test("an assertion in C rejects, and the others run on: 200 at once", async () => {
  const contexts = Array.from({ length: 200 }, () => init({ memSize: 1 << 14 }));
  const results = await Promise.allSettled(contexts.map((ctx, i) => {
    const a = lib.ggml_new_tensor_1d(ctx, F32, 4), b = lib.ggml_new_tensor_1d(ctx, F32, i % 2 === 0 ? 4 : 3);
    return lib.async.ggml_add(ctx, a, b);
  }));
  results.forEach((result, i) => {
    if (i % 2 === 0) assertEquals(result.status === "fulfilled" && result.value.ne[0], 4);
    else {assertMatch(
        String((result as PromiseRejectedResult).reason),
        /^Error: ggml_add: assertion failed: ggml_can_repeat\(b, a\).*: a is f32 ne=\[4\], b is/,
      );}
  });
  const mine = await assertRejects(
    () =>
      lib.async.ggml_add(
        contexts[0],
        ...[4, 3].map((n) => lib.ggml_new_tensor_1d(contexts[0], F32, n)) as [lib.ggml_tensor, lib.ggml_tensor],
      ),
    Error,
  );
  assertMatch(mine.stack!, /async_failures_test\.ts/);
});

Deno.test("an exception of C++ rejects with its type", async () => {
  using gguf = lib.gguf_init_empty();
  const call = lib.async.gguf_set_arr_data(gguf, "key", lib.GGUF_TYPE_UINT8, new Uint8Array(0), 2 ** 52);
  assertMatch(await failure(call), /^gguf_set_arr_data/);
});

Deno.test("a kernel that fails, on the call's own thread and on those of C", async () => {
  for (const threads of [1, 2]) {
    using ctx = init();
    const a = lib.ggml_new_tensor_2d(ctx, F32, 4, 4),
      indices = lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_I32, 2),
      graph = lib.ggml_new_graph(ctx);
    view(a).data.fill(1);
    const rows = lib.ggml_get_rows(ctx, a, lib.ggml_cast(ctx, indices, lib.GGML_TYPE_I32));
    copy([0, 99], indices);
    lib.ggml_build_forward_expand(graph, rows);
    assertMatch(await failure(lib.async.ggml_graph_compute_with_ctx(ctx, graph, threads)), /ggml_graph_compute_with_ctx/);
    copy([0, 3], indices);
    assertEquals(await lib.async.ggml_graph_compute_with_ctx(ctx, graph, threads), SUCCESS);
    assertEquals(view(rows).get(1, 3), 1);
  }
});

quietly("what C left half done is refused afterwards, as after a synchronous call", async () => {
  using ctx = tinyContext(theModel(), { n_batch: 4 });
  const batch = lib.llama_batch_init(1, 0, 1);
  batch.n_tokens = 1;
  batch.token!.bytes(4).set([0xff, 0xff, 0xff, 0x7f]); // no token
  const outcome = await lib.async.llama_decode(ctx, batch).catch((error) => error);
  assert(outcome === -1 || outcome instanceof Error);
  lib.llama_batch_free(batch);
  assertEquals(waiters.size, 0);
});

Deno.test("an operator of several graphs that are computed at once: its exception is that of the graph which it throws in", async () => {
  const operator = new lib.ggml_custom1_op_t((_, a) => {
    if (view(a!).data[0] === 2) throw new Error("of two");
  });
  const compute = async (value: number, way: (ctx: lib.ggml_context, graph: lib.ggml_cgraph) => Promise<unknown>) => {
    using ctx = init();
    const a = lib.ggml_set_f32(lib.ggml_new_tensor_1d(ctx, F32, 4), value), graph = lib.ggml_new_graph(ctx);
    lib.ggml_build_forward_expand(graph, lib.ggml_map_custom1(ctx, a, operator, 1, null));
    return await way(ctx, graph).then(() => "computed", ({ message }) => message);
  };
  const here = (ctx: lib.ggml_context, graph: lib.ggml_cgraph) => lib.async.ggml_graph_compute_with_ctx(ctx, graph, 1);
  const other = (_: lib.ggml_context, graph: lib.ggml_cgraph) => computeAsync(graph);
  for (let i = 0; i < 20; i++) {
    const all = [compute(1, here), compute(2, here), compute(1, here), compute(2, other), compute(1, other)];
    assertEquals(await Promise.all(all), ["computed", "of two", "computed", "of two", "computed"]);
  }
});

quietly("parameters with a callback that several calls at once are given: what ends one of them ends no other", async () => {
  theModel(); // loads the backends
  const params = lib.llama_model_default_params(), controller = new AbortController(), reason = new Error("enough");
  let calls = 0, failing = false;
  params.progress_callback = new lib.llama_progress_callback(() => {
    calls++;
    if (failing) {
      failing = false;
      throw reason;
    }
    controller.abort(reason);
    return true;
  });
  const load = async (options?: { signal: AbortSignal }) => {
    const model = await lib.async.llama_model_load_from_file(path, params, options).catch((error) => error);
    if (model instanceof lib.llama_model) model[Symbol.dispose]();
    return model instanceof lib.llama_model ? "loaded" : model;
  };
  assertEquals(await Promise.all([load({ signal: controller.signal }), load(), load()]), [reason, "loaded", "loaded"]);
  failing = true;
  const results = await Promise.all([load(), load(), load()]);
  assertEquals([results.filter((result) => result === "loaded").length, results.includes(reason)], [2, true]);
  assert(calls > 5);
});

Deno.test("a signal stops what computes graphs, and they can be computed again", async () => {
  using ctx = init({ memSize: 1 << 27 });
  const graph = products(ctx, 200), cpu = lib.ggml_backend_cpu_init()!, plan = lib.ggml_graph_plan(graph, 1, null);
  if (plan.work_size > 0) plan.work_data = new Uint8Array(plan.work_size) as never;
  const [first, last] = [0, 199].map((node) => view(lib.ggml_graph_node(graph, node)).data), reason = new Error("enough");
  const stoppable: ((signal: AbortSignal) => Promise<number>)[] = [
    (signal) => lib.async.ggml_backend_graph_compute(cpu, graph, { signal }),
    (signal) => lib.async.ggml_graph_compute(graph, plan, { signal }),
  ];
  for (const compute of stoppable) {
    const controller = new AbortController();
    for (const data of [first, last]) data.fill(-1);
    const computed = compute(controller.signal);
    while (first[0] === -1) await new Promise((resolve) => setTimeout(resolve));
    controller.abort(reason);
    assertStrictEquals(await assertRejects(() => computed), reason);
    assertEquals(last[0], -1, "the last node wasn't reached");
    assertStrictEquals(await assertRejects(() => compute(controller.signal)), reason); // before it begins
  }
  assertEquals(plan.abort_callback, null);
  assertEquals(await lib.async.ggml_graph_compute(squares(ctx).graph, plan, { signal: new AbortController().signal }), SUCCESS);
  lib.ggml_backend_free(cpu);
});

Deno.test("an abort callback of one's own is there again after a signal", async () => {
  using ctx = init();
  const { graph } = squares(ctx), cpu = lib.ggml_backend_cpu_init()!;
  lib.ggml_backend_cpu_set_n_threads(cpu, 1);
  const stop = new lib.ggml_abort_callback(() => true);
  lib.ggml_backend_cpu_set_abort_callback(cpu, stop, null);
  assertEquals(await lib.async.ggml_backend_graph_compute(cpu, graph, { signal: new AbortController().signal }), SUCCESS);
  assertEquals(lib.ggml_backend_graph_compute(cpu, graph), lib.GGML_STATUS_ABORTED);
  lib.ggml_backend_cpu_set_abort_callback(cpu, null, null);
  lib.ggml_backend_free(cpu);
});

quietly("a signal stops decoding, loading and training", async () => {
  const controller = new AbortController(), reason = new Error("enough"), { signal } = controller;
  const evaluated = new lib.ggml_backend_sched_eval_callback((_, ask) => {
    if (!ask) controller.abort(reason);
    return true;
  });
  using ctx = tinyContext(theModel(), { cb_eval: evaluated });
  assertStrictEquals(await assertRejects(() => lib.async.llama_decode(ctx, batchOf([1, 2, 3]), { signal })), reason);
  assertEquals(lib.llama_decode(ctx, batchOf([1, 2, 3])), 0);

  const params = lib.llama_model_default_params(), loading = new AbortController();
  const seen: number[] = [];
  params.progress_callback = new lib.llama_progress_callback((progress) => {
    seen.push(progress);
    loading.abort(reason);
    return true;
  });
  assertStrictEquals(await assertRejects(() => lib.async.llama_model_load_from_file(path, params, { signal: loading.signal })), reason);
  assert(seen.length > 0 && !seen.includes(1));
  const loaded = await lib.async.llama_model_load_from_file(path, lib.llama_model_default_params(), {
    signal: new AbortController().signal,
  });
  assert(loaded !== null);

  const stopping = new AbortController(), trained = training();
  const fit = lib.async.ggml_opt_fit(...trained.epochs(stepsOf(0.1, () => stopping.abort(reason))), { signal: stopping.signal });
  assertStrictEquals(await assertRejects(() => fit), reason);
});

Deno.test("indices that a graph computes are looked at before they are used, whatever computes it", async () => {
  for (const way of ["context", "plan", "backend", "scheduler"]) {
    const ctx = init({ noAlloc: way === "scheduler" }), cpu = lib.ggml_backend_cpu_init()!;
    const experts = lib.ggml_new_tensor_3d(ctx, F32, 4, 2, 4), tokens = lib.ggml_new_tensor_3d(ctx, F32, 4, 1, 3);
    const numbers = lib.ggml_new_tensor_2d(ctx, F32, 2, 3), graph = lib.ggml_new_graph(ctx);
    for (const input of [experts, tokens, numbers]) lib.ggml_set_input(input);
    const ids = lib.ggml_cast(ctx, numbers, lib.GGML_TYPE_I32), result = lib.ggml_mul_mat_id(ctx, experts, tokens, ids);
    lib.ggml_build_forward_expand(graph, result);
    const scheduler = lib.ggml_backend_sched_new([cpu], null, 1, 64, false, false);
    if (way === "scheduler") lib.ggml_backend_sched_alloc_graph(scheduler, graph);
    for (const tensor of [experts, tokens]) copy(new Float32Array(lib.ggml_nelements(tensor)).fill(1), tensor);
    const ways: Record<string, () => Promise<number>> = {
      context: () => lib.async.ggml_graph_compute_with_ctx(ctx, graph, 2),
      plan: () => {
        const plan = lib.ggml_graph_plan(graph, 2, null);
        if (plan.work_size > 0) plan.work_data = new Uint8Array(plan.work_size) as never;
        return lib.async.ggml_graph_compute(graph, plan);
      },
      backend: () => lib.async.ggml_backend_graph_compute(cpu, graph),
      scheduler: () => lib.async.ggml_backend_sched_graph_compute(scheduler, graph),
    };
    for (const [last, expected] of [[0, null], [4, /index 4/], [1, null]] as const) {
      copy([[0, 1], [2, 3], [0, last]], numbers);
      if (expected !== null) assertMatch(await failure(ways[way]()), expected, way);
      else {
        assertEquals(await ways[way](), SUCCESS, way);
        assertEquals(view(result, { allowCopy: true }).get(2, 1, 1), 4, way);
      }
    }
    lib.ggml_backend_sched_free(scheduler);
    lib.ggml_backend_free(cpu);
  }
});

Deno.test("operators in TypeScript are called, and what one throws is what the promise rejects with", async () => {
  using ctx = init();
  const error = new Error("no"), a = lib.ggml_new_tensor_1d(ctx, F32, 2), graph = lib.ggml_new_graph(ctx);
  let fails = false;
  const operator = new lib.ggml_custom1_op_t((dst, a) => {
    if (fails) throw error;
    copy(a!, dst!);
  });
  const result = lib.ggml_map_custom1(ctx, a, operator, 1, null), other = squares(ctx);
  lib.ggml_build_forward_expand(graph, result);
  copy([1, 2], a);
  assertEquals(await lib.async.ggml_graph_compute_with_ctx(ctx, graph, 2), SUCCESS);
  assertEquals([...view(result).data], [1, 2]);
  fails = true;
  assertStrictEquals(await assertRejects(() => lib.async.ggml_graph_compute_with_ctx(ctx, graph, 2)), error);
  assertEquals(await lib.async.ggml_graph_compute_with_ctx(ctx, other.graph, 2), SUCCESS);
});

quietly("a model that was loaded all the same, when its signal came too late, is freed", async () => {
  if (Deno.build.os !== "linux") return console.warn("SKIPPED: only Linux says what is mapped");
  const { code, stdout, stderr } = await program(
    `
    import { lib } from "@ggml/deno";
    import { onLog } from "@ggml/deno/utils";
    onLog(() => {});
    lib.ggml_backend_load_all();
    const mapped = () => Deno.readTextFileSync("/proc/self/maps").split("\\n").filter((line) => line.includes("tiny.gguf")).length;
    let kept = 0;
    for (let i = 0; i < 20; i++) {
      const controller = new AbortController(), params = lib.llama_model_default_params();
      params.progress_callback = new lib.llama_progress_callback((progress) => {
        if (progress === 1) controller.abort();
        return true;
      });
      await lib.async.llama_model_load_from_file(${JSON.stringify(path)}, params, { signal: controller.signal }).catch(() => {});
      kept = Math.max(kept, mapped());
    }
    for (let i = 0; i < 50 && mapped() > 0; i++) {
      (globalThis as unknown as { gc(): void }).gc();
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    console.log(kept > 0, mapped());
    `,
    ["--allow-all", "--v8-flags=--expose-gc"],
  );
  assertEquals([code, stdout], [0, "true 0\n"], stderr);
});

Deno.test("memory for what C gives that was transferred elsewhere meanwhile is named, and what the call used is free again", async () => {
  const cpu = (await lib.async.ggml_backend_cpu_init())!, ctx = init({ noAlloc: true }), a = lib.ggml_new_tensor_1d(ctx, F32, 1 << 18);
  const buffer = lib.ggml_backend_alloc_ctx_tensors(ctx, cpu)!;
  await lib.async.ggml_backend_tensor_get(a, new Uint8Array(4), 0, 4); // what the first call loads is there from now on
  const given = new Uint8Array(1 << 20), got = lib.async.ggml_backend_tensor_get(a, given, 0, given.length);
  await null;
  structuredClone(given, { transfer: [given.buffer] });
  const expected =
    "lib.async.ggml_backend_tensor_get: memory of 1048576 bytes, for what C gives, was transferred elsewhere meanwhile, or shrank";
  await assertRejects(() => got, TypeError, expected);
  lib.ggml_backend_buffer_free(buffer);
});
