/** Graphs computed at once and later: the right numbers, on every backend that is there, and errors where ggml would abort. */

import { assert, assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { lib } from "@ggml/deno";
import { compute, computeAsync, init, tensor, toArray } from "@ggml/deno/utils";
import { waiters } from "../../ffi/core/failure.ts";
import { cores } from "../../utils/computing/task.ts";
import { newTensor, withContext } from "../context.ts";
import { deno, program } from "../process.ts";

const CORES = navigator.hardwareConcurrency;

function floats(tensor: lib.ggml_tensor): Float32Array {
  return new Float32Array(tensor.data!.bytes(lib.ggml_nbytes(tensor)).slice().buffer);
}

function fill(tensor: lib.ggml_tensor, value: (i: number) => number): void {
  const bytes = tensor.data!.bytes(lib.ggml_nbytes(tensor));
  new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4).forEach((_, i, all) => all[i] = value(i));
}

/** A graph of `nodes` additions of 1 to a vector of `seed`s. */
function additions(ctx: lib.ggml_context, nodes: number, seed: number) {
  const start = newTensor(ctx, lib.GGML_TYPE_F32, 8), one = newTensor(ctx, lib.GGML_TYPE_F32, 8);
  fill(start, () => seed);
  fill(one, () => 1);
  let result = start;
  for (let i = 0; i < nodes; i++) result = lib.ggml_add(ctx, result, one);
  const graph = lib.ggml_new_graph_custom(ctx, nodes + 8, false);
  lib.ggml_build_forward_expand(graph, result);
  return { start, graph, result };
}

/** A graph that takes about `steps` times as long as a product of two square matrices; each row of the result sums up to 1. */
function products(ctx: lib.ggml_context, steps: number, size: number) {
  const stochastic = newTensor(ctx, lib.GGML_TYPE_F32, size, size);
  fill(stochastic, () => 1 / size);
  let result = stochastic;
  for (let i = 0; i < steps; i++) result = lib.ggml_mul_mat(ctx, stochastic, result);
  const graph = lib.ggml_new_graph(ctx);
  lib.ggml_build_forward_expand(graph, result);
  return { graph, result };
}

function assertProducts(result: lib.ggml_tensor): void {
  const size = result.ne[0];
  for (const value of floats(result)) assert(Math.abs(value - 1 / size) < 1e-5, String(value));
}

Deno.test("compute() computes, with any number of threads asked for", () =>
  withContext((ctx) => {
    const { graph, result, start } = additions(ctx, 10, 5);
    for (const threads of [undefined, 1, CORES, 1000]) {
      fill(result, () => 0);
      compute(graph, { threads });
      assertEquals([...floats(result)], Array(8).fill(15));
    }
    fill(start, (i) => i);
    compute(graph);
    assertEquals(floats(result)[7], 17);
    compute(lib.ggml_new_graph(ctx)); // an empty one
    const large = products(ctx, 1, 256);
    compute(large.graph);
    assertProducts(large.result);
  }));

Deno.test("compute() uses the CPU backend and a scheduler", () => {
  using ctx = init();
  const { graph, result } = additions(ctx, 10, 5);
  const cpu = lib.ggml_backend_cpu_init()!;
  compute(graph, { backend: cpu });
  assertEquals(floats(result)[0], 15);

  using empty = init({ noAlloc: true });
  const a = newTensor(empty, lib.GGML_TYPE_F32, 4), doubled = lib.ggml_add(empty, a, a);
  const other = lib.ggml_new_graph(empty);
  lib.ggml_build_forward_expand(other, doubled);
  lib.ggml_set_input(a);
  lib.ggml_set_output(doubled);
  const sched = lib.ggml_backend_sched_new([cpu], null, 1, 64, false, true);
  assert(lib.ggml_backend_sched_alloc_graph(sched, other));
  lib.ggml_backend_tensor_set(a, Float32Array.of(1, 2, 3, 4), 0, 16);
  compute(other, { backend: sched });
  const out = new Float32Array(4);
  lib.ggml_backend_tensor_get(doubled, out, 0, 16);
  assertEquals([...out], [2, 4, 6, 8]);
  // ggml would compute the first graph again, and say that all went well.
  assertThrows(() => compute(graph, { backend: sched }), Error, "compute: the scheduler has another graph allocated");
  lib.ggml_backend_sched_reset(sched);
  fill(result, () => 0);
  compute(graph, { backend: sched });
  assertEquals(floats(result)[0], 15);
  lib.ggml_backend_sched_free(sched);
  lib.ggml_backend_free(cpu);
});

Deno.test("what ggml would abort on is an Error that names the node, its types and shapes", async () => {
  using ctx = init();
  using empty = init({ noAlloc: true });
  const a = newTensor(empty, lib.GGML_TYPE_F32, 4, 2);
  a.name = "weights";
  const cases: [lib.ggml_cgraph, string][] = [];
  const graphOf = (context: lib.ggml_context, result: lib.ggml_tensor) => {
    const graph = lib.ggml_new_graph(context);
    lib.ggml_build_forward_expand(graph, result);
    return graph;
  };
  cases.push([
    graphOf(empty, lib.ggml_sqr(empty, a)),
    `node 0 (SQR "node_0": f32 ne=[4, 2]): has no memory: made with noAlloc, and to be allocated first (`,
  ]);
  cases.push([
    graphOf(ctx, lib.ggml_sqr(ctx, a)),
    `node 0 (SQR "node_0": f32 ne=[4, 2]): src[0] (NONE "weights": f32 ne=[4, 2]) has no memory: made with noAlloc, and to be allocated first (`,
  ]);
  const from = newTensor(ctx, lib.GGML_TYPE_F32, 256), to = newTensor(ctx, lib.GGML_TYPE_IQ2_XXS, 256);
  cases.push([
    graphOf(ctx, lib.ggml_cpy(ctx, from, to)),
    `node 0 (CPY " (copy)": iq2_xxs ne=[256]): is not supported by the CPU backend; src[0] is f32 ne=[256], src[1] is `,
  ]);
  const double = newTensor(ctx, lib.GGML_TYPE_F64, 4, 4); // it has no product, and C calls that at address 0
  cases.push([
    graphOf(ctx, lib.ggml_mul_mat(ctx, double, newTensor(ctx, lib.GGML_TYPE_F32, 4, 2))),
    `node 0 (MUL_MAT "node_0": f32 ne=[4, 2]): C used a null pointer, as where it has no code for such types; src[0] is f64 ne=[4, 4], src[1] is f32 ne=[4, 2]`,
  ]);
  const rows = newTensor(ctx, lib.GGML_TYPE_I32, 1); // indices that only a look at the data shows to be wrong
  lib.ggml_set_i32(rows, 9);
  const beyond = graphOf(ctx, lib.ggml_get_rows(ctx, lib.ggml_set_f32(newTensor(ctx, lib.GGML_TYPE_F32, 2, 3), 0), rows));
  assertThrows(() => compute(beyond), Error);
  await assertRejects(() => computeAsync(beyond), Error, "computeAsync: node 0");
  for (const [graph, message] of cases) {
    for (const backend of [undefined, lib.ggml_backend_cpu_init()!]) {
      assertStringIncludes(assertThrows(() => compute(graph, { backend }), Error).message, `compute: ${message}`);
      assertStringIncludes((await assertRejects(() => computeAsync(graph, { backend }), Error)).message, `computeAsync: ${message}`);
      if (backend !== undefined) lib.ggml_backend_free(backend);
    }
  }
  assertStringIncludes(assertThrows(() => compute(cases[2][0]), Error).message, "is not supported by the CPU backend");
});

Deno.test("wrong options are errors that say so", async () => {
  using ctx = init();
  const { graph } = additions(ctx, 1, 0);
  const cases: [unknown, unknown, typeof Error, string][] = [
    [ctx, {}, TypeError, "expected a ggml_cgraph, got a ggml_context"],
    [graph, null, TypeError, "expected { backend, threads, timing"],
    [graph, { threads: 0 }, RangeError, "threads must be a positive whole number, got the number 0"],
    [graph, { threads: 1.5 }, RangeError, "threads must be"],
    [graph, { threads: "2" }, TypeError, `threads must be a positive whole number, got the string "2"`],
    [graph, { backend: graph }, TypeError, "backend must be a ggml_backend or a ggml_backend_sched, got a ggml_cgraph"],
  ];
  for (const [g, options, type, message] of cases) {
    assertThrows(() => compute(g as never, options as never), type, `compute: ${message}`);
    await assertRejects(() => computeAsync(g as never, options as never), type, `computeAsync: ${message}`);
  }
  await assertRejects(() => computeAsync(graph, { signal: 5 as never }), TypeError, "computeAsync: signal must be an AbortSignal");
  await assertRejects(() => computeAsync(graph, { onProgress: 5 as never }), TypeError, "computeAsync: onProgress must be a function");
});

Deno.test("the event loop goes on during computeAsync(): a timer fires, a server answers", async () => {
  using ctx = init({ memSize: 128 * 1024 * 1024 });
  const { graph, result } = products(ctx, 16, 768);
  await using server = Deno.serve({ port: 0, onListen() {} }, () => new Response("here"));
  let done = false, ticks = 0, answers = 0;
  const timer = setInterval(() => ticks++, 1);
  const computing = computeAsync(graph).finally(() => done = true);
  while (!done) {
    assertEquals(await (await fetch(`http://localhost:${server.addr.port}`)).text(), "here");
    if (!done) answers++;
  }
  clearInterval(timer);
  await computing;
  assert(ticks >= 5, `the timer fired ${ticks} times`);
  assert(answers >= 2, `the server answered ${answers} times`);
  assertProducts(result);
});

Deno.test("a signal stops it within a node, with its reason, and the graph can be computed again", async () => {
  using ctx = init({ memSize: 256 * 1024 * 1024 });
  const { graph, result } = products(ctx, 60, 512);
  for (const reason of [undefined, new Error("enough"), "a string"]) {
    fill(result, () => -1);
    const controller = new AbortController();
    setTimeout(() => controller.abort(reason), 5);
    const thrown = await computeAsync(graph, { signal: controller.signal }).then(
      () => assert(false, "was not cancelled"),
      (error) => error,
    );
    assertEquals(thrown, controller.signal.reason);
    if (reason === undefined) {
      assert(thrown instanceof DOMException);
      assertEquals(thrown.name, "AbortError");
    }
    assertEquals(floats(result)[0], -1); // the last node was not reached
  }
  await assertRejects(() => computeAsync(graph, { signal: AbortSignal.abort() }), DOMException);
  await computeAsync(graph);
  assertProducts(result);
});

Deno.test("onProgress hears of the nodes done, and its exception cancels", async () => {
  using ctx = init({ memSize: 64 * 1024 * 1024 });
  const { graph, result } = products(ctx, 20, 256);
  const heard: number[] = [];
  await computeAsync(graph, { threads: 1, onProgress: (done, total) => heard.push(done, total) });
  const done = heard.filter((_, i) => i % 2 === 0);
  assertEquals(heard.filter((_, i) => i % 2 === 1), done.map(() => 20));
  assertEquals(done, [...new Set(done)].sort((a, b) => a - b));
  assert(done.length > 5 && done.at(-1) === 20, String(done));
  assertProducts(result);
  const error = new Error("mine");
  const onProgress = (done: number) => {
    if (done > 3) throw error;
  };
  assertEquals(await computeAsync(graph, { threads: 1, onProgress }).catch((error) => error), error);
  await computeAsync(graph, { threads: 1 });
});

Deno.test("a scheduler and the CPU backend compute asynchronously, report and are cancelled", async () => {
  using ctx = init({ memSize: 64 * 1024 * 1024 });
  const cpu = lib.ggml_backend_cpu_init()!;
  const sched = lib.ggml_backend_sched_new([cpu], null, 1, 256, false, true);
  const { graph, result } = products(ctx, 30, 256);
  for (const backend of [cpu, sched]) {
    await computeAsync(graph, { threads: 1, backend });
    assertProducts(result);
    fill(result, () => -1);
    let last = 0, calls = 0;
    await computeAsync(graph, { threads: 1, backend, onProgress: (done) => (last = done, calls++) });
    assertProducts(result);
    assert(last === 30 && calls > 5, `${calls} calls`);
    fill(result, () => -1);
    const controller = new AbortController();
    const { reason } = await computeAsync(graph, {
      threads: 1,
      backend,
      signal: controller.signal,
      onProgress: (done) => done > 2 && controller.abort({ reason: done }),
    }).catch((reason) => reason);
    assert(reason < 30);
    assertEquals(floats(result)[0], -1);
    await computeAsync(graph, { threads: 1, backend });
    assertProducts(result);
  }
  lib.ggml_backend_sched_free(sched);
  lib.ggml_backend_free(cpu);
});

Deno.test("a freed graph and a freed backend are named", async () => {
  const gone = init(), graph = lib.ggml_new_graph(gone);
  gone[Symbol.dispose]();
  using ctx = init();
  const backend = lib.ggml_backend_cpu_init()!, live = lib.ggml_new_graph(ctx);
  lib.ggml_backend_free(backend);
  assertThrows(() => compute(graph), Error, "compute: the owner of this ggml_cgraph was freed");
  await assertRejects(() => computeAsync(graph), Error, "computeAsync: the owner of this ggml_cgraph was freed");
  assertThrows(() => compute(live, { backend }), Error, "compute: this ggml_backend was freed");
});

Deno.test("a graph is not computed twice at once, nor freed meanwhile", async () => {
  using ctx = init({ memSize: 64 * 1024 * 1024 });
  const { graph, result } = products(ctx, 10, 256);
  const computing = computeAsync(graph);
  await assertRejects(
    () => computeAsync(graph),
    Error,
    "computeAsync: this graph is being computed by computeAsync: wait until that has ended",
  );
  assertThrows(() => compute(graph), Error, "compute: this graph is being computed");
  assertThrows(() => ctx[Symbol.dispose](), Error, "computeAsync is using it");
  await computing;
  compute(graph);
  assertProducts(result);
});

Deno.test("what computes lives until it is done, though nobody else holds it", async () => {
  const { code, stdout, stderr } = await program(
    `
    import { lib } from "@ggml/deno";
    import { computeAsync, init } from "@ggml/deno/utils";
    const collect = () => { globalThis.gc(); };
    function start(seed) {
      const ctx = init({ memSize: 4 * 1024 * 1024 });
      const a = lib.ggml_new_tensor_2d(ctx, lib.GGML_TYPE_F32, 256, 256);
      new Float32Array(a.data.bytes(4 * 256 * 256).buffer, a.data.bytes(1).byteOffset).fill(0);
      new Float32Array(a.data.bytes(4).buffer, 0, 1).fill(seed);
      const other = init({ memSize: 8 * 1024 * 1024 });
      let x = a;
      for (let i = 0; i < 20; i++) x = lib.ggml_mul_mat(other, a, x);
      const graph = lib.ggml_new_graph(other);
      lib.ggml_build_forward_expand(graph, lib.ggml_scale(other, x, 0));
      return computeAsync(graph, { threads: 1, onProgress: () => collect() });
    }
    const all = Array.from({ length: 8 }, (_, i) => start(i));
    const timer = setInterval(collect, 10);
    await Promise.all(all);
    clearInterval(timer);
    console.log("done");
  `,
    ["--allow-ffi", "--v8-flags=--expose-gc", "--no-check"],
  );
  assertEquals([code, stdout], [0, "done\n"], stderr);
});

Deno.test("100 concurrent computations with random cancellations: no result is lost, wrong or mixed up, and nothing is held after", async () => {
  let seed = 1;
  const random = () => (seed = seed * 16807 % 2147483647) / 2147483647;
  let cancellations = 0;
  const outcomes = await Promise.all(Array.from({ length: 100 }, async (_, i) => {
    using ctx = init({ memSize: 4 * 1024 * 1024 });
    const heavy = i % 3 === 0;
    const { graph, result } = heavy ? products(ctx, 8, 256) : additions(ctx, 50 + i, i);
    const controller = new AbortController();
    const cancelled = random() < 0.5;
    if (cancelled) setTimeout(() => controller.abort(), random() * 300);
    const onProgress = random() < 0.3 ? () => {} : undefined;
    try {
      await computeAsync(graph, { signal: controller.signal, threads: 1 + Math.floor(random() * CORES), onProgress });
    } catch (error) {
      assertEquals(error, controller.signal.reason);
      assert(cancelled);
      cancellations++;
      await computeAsync(graph);
    }
    if (heavy) assertProducts(result);
    else assertEquals([...floats(result)], Array(8).fill(50 + i + i));
    return i;
  }));
  assertEquals(outcomes, Array.from({ length: 100 }, (_, i) => i));
  assert(cancellations > 0);
  assertEquals([cores.inUse, cores.idle, waiters.size], [0, true, 0]);
});

Deno.test("2,000 computations, cancelled and not, with operators in TypeScript, leave no memory behind", async () => {
  const { code, stdout, stderr } = await program(
    `
    import { lib } from "@ggml/deno";
    import { computeAsync, init } from "@ggml/deno/utils";
    async function once(i) {
      const ctx = init({ memSize: 64 * 1024 });
      const a = lib.ggml_set_f32(lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, 8), i);
      const op = new lib.ggml_custom1_op_t((dst, src) => ctx.address && dst.data.bytes(32).set(src.data.bytes(32)));
      const result = lib.ggml_map_custom1(ctx, a, op, 1, null);
      const graph = lib.ggml_new_graph_custom(ctx, 32, false);
      lib.ggml_build_forward_expand(graph, result);
      const controller = new AbortController();
      if (i % 2 === 0) queueMicrotask(() => controller.abort());
      await computeAsync(graph, { signal: controller.signal, onProgress: i % 3 === 0 ? () => {} : undefined }).catch((error) => {
        if (error !== controller.signal.reason) throw error;
      });
    }
    const sizes = [];
    for (let round = 0; round < 20; round++) {
      await Promise.all(Array.from({ length: 100 }, (_, i) => once(i)));
      for (let i = 0; i < 3; i++) globalThis.gc(), await new Promise((resolve) => setTimeout(resolve, 60));
      sizes.push(Deno.memoryUsage().rss / 2 ** 20);
    }
    console.log(sizes.at(-1) - sizes[9]);
  `,
    ["--allow-ffi", "--v8-flags=--expose-gc", "--no-check"],
  );
  assertEquals(code, 0, stderr);
  assert(Number(stdout) < 16, `resident memory grew by ${stdout.trim()} MiB`); // 1,000 contexts alone are 64
});

Deno.test("the asynchronous example prints what it says", async () => {
  const { code, stdout, stderr } = await deno(["run", "--no-prompt", "--allow-ffi", "examples/async.ts"]);
  const expected = ["mean + 1: 256.5", "the timer fired meanwhile: true, progress was reported: true", "cancelled: TimeoutError"];
  assertEquals([code, stdout], [0, expected.join("\n") + "\n"], stderr);
});

Deno.test("a graph that is being computed is neither computed again, changed, nor placed anew", async () => {
  using backend = lib.ggml_backend_cpu_init()!, ctx = init({ memSize: 1 << 20, noAlloc: true });
  using allocator = lib.ggml_gallocr_new(lib.ggml_backend_get_default_buffer_type(backend)!)!;
  const graph = lib.ggml_new_graph(ctx), other = lib.ggml_new_graph(ctx), a = lib.ggml_new_tensor_2d(ctx, lib.GGML_TYPE_F32, 256, 256);
  lib.ggml_set_input(a);
  const product = lib.ggml_mul_mat(ctx, a, a);
  lib.ggml_build_forward_expand(graph, product);
  lib.ggml_build_forward_expand(other, lib.ggml_sqr(ctx, a));
  lib.ggml_gallocr_alloc_graph(allocator, graph);
  const done = computeAsync(graph);
  const calls: (() => unknown)[] = [
    () => lib.ggml_graph_clear(graph),
    () => lib.ggml_graph_reset(graph),
    () => lib.ggml_build_forward_expand(graph, product),
    () => lib.ggml_gallocr_alloc_graph(allocator, graph),
    () => lib.ggml_gallocr_alloc_graph(allocator, other),
    () => lib.ggml_gallocr_reserve(allocator, graph),
    () => lib.ggml_gallocr_reserve(allocator, other),
    () => lib.ggml_backend_graph_compute(backend, graph),
    () => lib.ggml_graph_compute_with_ctx(ctx, graph, 1),
  ];
  for (const call of calls) assertThrows(call, Error, "computeAsync");
  await done;
  lib.ggml_gallocr_alloc_graph(allocator, graph);
  lib.ggml_backend_graph_compute(backend, graph);
});

Deno.test("a graph that grew, or is computed by another number of threads, has the plan for that", () => {
  using ctx = init({ memSize: 1 << 22 });
  const a = tensor(ctx, new Float32Array(64 * 64).fill(1)), square = lib.ggml_reshape_2d(ctx, a, 64, 64);
  const graph = lib.ggml_new_graph(ctx), sum = lib.ggml_sum(ctx, square);
  lib.ggml_build_forward_expand(graph, sum);
  for (const threads of [1, 2, 1, 1]) compute(graph, { threads });
  assertEquals(toArray(sum)[0], 64 * 64);
  // A product with a half-precision matrix, for which C converts the other one in memory that the plan has.
  const product = lib.ggml_mul_mat(ctx, lib.ggml_cast(ctx, square, lib.GGML_TYPE_F16), square);
  lib.ggml_build_forward_expand(graph, product);
  for (const threads of [1, 2, 1, 1]) {
    lib.ggml_set_f32(product, 0);
    compute(graph, { threads });
    assertEquals(toArray(product).every((x) => x === 64), true);
  }
});
