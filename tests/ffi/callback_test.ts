/** Callbacks: what they throw reaches who called C, they are never collected too early, and operators run with any number of threads. */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { lib, load } from "@ggml/deno";
import { Callback } from "@ggml/deno/ffi";
import { compute, computeAsync, init } from "@ggml/deno/utils";
import { newTensor } from "../context.ts";
import { describeTinyLlama, writeTinyLlama } from "../tiny_llama.ts";
import { program } from "../process.ts";

const CORES = navigator.hardwareConcurrency;
const LENGTH = 64;

function floats(tensor: lib.ggml_tensor | null): Float32Array {
  const bytes = tensor!.data!.bytes(lib.ggml_nbytes(tensor!));
  return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
}

function graphOf(ctx: lib.ggml_context, result: lib.ggml_tensor): lib.ggml_cgraph {
  const graph = lib.ggml_new_graph_custom(ctx, 32, false);
  lib.ggml_build_forward_expand(graph, result);
  return graph;
}

/** Every way to put an operator into a graph: each result is the sum of its sources, computed by `work`. */
function operators(ctx: lib.ggml_context, work: (dst: lib.ggml_tensor, sources: lib.ggml_tensor[], ith: number, nth: number) => void) {
  const [a, b, c] = [1, 10, 100].map((value) => lib.ggml_set_f32(newTensor(ctx, lib.GGML_TYPE_F32, LENGTH), value));
  const one = new lib.ggml_custom1_op_t((dst, a, ith, nth) => work(dst!, [a!], ith, nth));
  const two = new lib.ggml_custom2_op_t((dst, a, b, ith, nth) => work(dst!, [a!, b!], ith, nth));
  const three = new lib.ggml_custom3_op_t((dst, a, b, c, ith, nth) => work(dst!, [a!, b!, c!], ith, nth));
  const any = new lib.ggml_custom_op_t((dst, ith, nth) => work(dst!, dst!.src.filter((source) => source !== null), ith, nth));
  const all = lib.GGML_N_TASKS_MAX;
  return [
    [lib.ggml_map_custom1(ctx, a, one, all, null), 1],
    [lib.ggml_map_custom1_inplace(ctx, lib.ggml_dup(ctx, a), one, all, null), 1],
    [lib.ggml_map_custom2(ctx, a, b, two, all, null), 11],
    [lib.ggml_map_custom2_inplace(ctx, lib.ggml_dup(ctx, a), b, two, all, null), 11],
    [lib.ggml_map_custom3(ctx, a, b, c, three, all, null), 111],
    [lib.ggml_map_custom3_inplace(ctx, lib.ggml_dup(ctx, a), b, c, three, all, null), 111],
    [lib.ggml_custom_4d(ctx, lib.GGML_TYPE_F32, LENGTH, 1, 1, 1, [a, b, c], 3, any, all, null), 111],
    [lib.ggml_custom_inplace(ctx, lib.ggml_dup(ctx, a), [b, c], 2, any, all, null), 111],
  ] as [lib.ggml_tensor, number][];
}

/** The part of the sum that is thread `ith`'s. */
function sum(dst: lib.ggml_tensor, sources: lib.ggml_tensor[], ith: number, nth: number): void {
  const to = floats(dst), from = sources.map(floats);
  for (let i = ith; i < LENGTH; i += nth) to[i] = from.reduce((sum, values) => sum + values[i], 0);
}

/** Every way to compute a graph. */
function computers(ctx: lib.ggml_context, cpu: lib.ggml_backend, sched: lib.ggml_backend_sched) {
  const plan = (graph: lib.ggml_cgraph, threads: number) => {
    const plan = lib.ggml_graph_plan(graph, threads, null);
    plan.work_data = new Uint8Array(plan.work_size + 1) as never;
    return plan;
  };
  const set = (threads: number) => lib.ggml_backend_cpu_set_n_threads(cpu, threads);
  return {
    ggml_graph_compute_with_ctx: (graph, threads) => lib.ggml_graph_compute_with_ctx(ctx, graph, threads),
    ggml_graph_compute: (graph, threads) => lib.ggml_graph_compute(graph, plan(graph, threads)),
    ggml_backend_graph_compute: (graph, threads) => (set(threads), lib.ggml_backend_graph_compute(cpu, graph)),
    ggml_backend_graph_compute_async: (graph, threads) => (set(threads), lib.ggml_backend_graph_compute_async(cpu, graph)),
    ggml_backend_graph_plan_compute(graph, threads) {
      set(threads);
      const plan = lib.ggml_backend_graph_plan_create(cpu, graph)!;
      try {
        return lib.ggml_backend_graph_plan_compute(cpu, plan);
      } finally {
        lib.ggml_backend_graph_plan_free(cpu, plan);
      }
    },
    ggml_backend_sched_graph_compute(graph, threads) {
      set(threads);
      lib.ggml_backend_sched_reset(sched);
      return lib.ggml_backend_sched_graph_compute(sched, graph);
    },
    compute: (graph, threads) => compute(graph, { threads }),
    "compute on a backend": (graph, threads) => compute(graph, { threads, backend: cpu }),
    computeAsync: (graph, threads) => computeAsync(graph, { threads }),
    "computeAsync with progress": (graph, threads) => computeAsync(graph, { threads, onProgress() {} }),
    async "computeAsync on a scheduler"(graph, threads) {
      lib.ggml_backend_sched_reset(sched);
      await computeAsync(graph, { threads, backend: sched });
    },
    "every thread at once": async (graph, threads) => { // computeAsync finds that such a graph wants one thread
      const { library } = await import("../../ffi/load/library.ts");
      const nonblocking = { parameters: ["u64", "u64", "i32"], result: "i32", nonblocking: true } as const;
      const compute = library().symbol("ggml_graph_compute_with_ctx", nonblocking) as (...args: unknown[]) => Promise<number>;
      assertEquals(await compute(ctx.address, graph.address, threads), 0);
    },
  } as Record<string, (graph: lib.ggml_cgraph, threads: number) => unknown>;
}

function withBackend(test: (ctx: lib.ggml_context, cpu: lib.ggml_backend, sched: lib.ggml_backend_sched) => Promise<void>) {
  return async () => {
    using ctx = init();
    const cpu = lib.ggml_backend_cpu_init()!;
    const sched = lib.ggml_backend_sched_new([cpu], null, 1, 256, false, true);
    await test(ctx, cpu, sched);
    lib.ggml_backend_sched_free(sched);
    lib.ggml_backend_free(cpu);
  };
}

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

Deno.test(
  "what an operator throws is what the function that computes throws, and computing goes on working",
  withBackend(async (ctx, cpu, sched) => {
    for (const [name, run] of Object.entries(computers(ctx, cpu, sched))) {
      if (name === "every thread at once") continue; // nobody waits for that one
      const error = new Error(name);
      let failing = true, calls = 0;
      const results = operators(ctx, (dst, sources, ith, nth) => {
        calls++;
        if (failing) throw error;
        sum(dst, sources, ith, nth);
      });
      for (const [result, expected] of results) {
        const graph = graphOf(ctx, lib.ggml_map_custom1(ctx, result, new lib.ggml_custom1_op_t(() => calls++), 1, null));
        failing = true;
        calls = 0;
        const thrown = await (async () => await run(graph, CORES))().then(() => null, (error) => error);
        assert(thrown === error, `${name}: ${thrown}`);
        assertEquals(calls, 1); // no callback after the first that failed
        failing = false;
        await run(graph, CORES);
        assertEquals([...floats(result)], Array(LENGTH).fill(expected));
      }
    }
  }),
);

Deno.test(
  "what abort and evaluation callbacks throw is thrown by what computes, and stops it",
  withBackend(async (_, cpu, sched) => {
    using ctx = init({ noAlloc: true });
    const start = newTensor(ctx, lib.GGML_TYPE_F32, LENGTH);
    let nodes = start;
    for (let i = 0; i < 9; i++) nodes = lib.ggml_scale(ctx, nodes, 2);
    const graph = graphOf(ctx, nodes);
    const buffer = lib.ggml_backend_alloc_ctx_tensors(ctx, cpu)!;
    lib.ggml_set_f32(start, 1);
    let calls = 0;
    const error = new RangeError("no");
    const abort = new lib.ggml_abort_callback(() => {
      calls++;
      throw error;
    });
    const plan = lib.ggml_graph_plan(graph, 1, null);
    plan.abort_callback = abort;
    const evaluate = new lib.ggml_backend_sched_eval_callback(() => {
      calls++;
      throw error;
    });
    const compare = new lib.ggml_backend_eval_callback(() => {
      calls++;
      throw error;
    });
    const other = lib.ggml_backend_cpu_init()!;
    const cases: (() => unknown)[] = [
      () => lib.ggml_graph_compute(graph, plan),
      () => {
        lib.ggml_backend_cpu_set_abort_callback(cpu, abort, null);
        try {
          lib.ggml_backend_graph_compute(cpu, graph);
        } finally {
          lib.ggml_backend_cpu_set_abort_callback(cpu, null, null);
        }
      },
      () => {
        lib.ggml_backend_sched_set_eval_callback(sched, evaluate, null);
        try {
          lib.ggml_backend_sched_graph_compute(sched, graph);
        } finally {
          lib.ggml_backend_sched_set_eval_callback(sched, null, null);
        }
      },
      () => lib.ggml_backend_compare_graph_backend(cpu, other, graph, compare, null, null, 0),
    ];
    for (const run of cases) {
      calls = 0;
      lib.ggml_set_zero(nodes);
      assert(assertThrows(run) === error);
      assertEquals([calls, floats(nodes)[0]], [1, 0], String(run)); // it stopped before the last node
    }
    // The same from another thread: the scheduler's callback runs from the event loop.
    lib.ggml_backend_sched_set_eval_callback(sched, evaluate, null);
    assert(await computeAsync(graph, { backend: sched }).then(() => null, (thrown) => thrown) === error);
    lib.ggml_backend_sched_set_eval_callback(sched, null, null);
    await computeAsync(graph, { backend: sched });
    assertEquals(floats(nodes)[0], 512);
    lib.ggml_backend_free(other);
    lib.ggml_backend_buffer_free(buffer);
  }),
);

Deno.test("a result of the wrong type is an exception too", () => {
  using ctx = init();
  const graph = graphOf(ctx, lib.ggml_sqr(ctx, newTensor(ctx, lib.GGML_TYPE_F32, 4)));
  const plan = lib.ggml_graph_plan(graph, 1, null);
  plan.abort_callback = new lib.ggml_abort_callback((() => "no") as never);
  assertThrows(
    () => lib.ggml_graph_compute(graph, plan),
    TypeError,
    `the result of a ggml_abort_callback: expected a boolean, got the string "no"`,
  );
});

Deno.test("what a GGUF reader throws is thrown by gguf_init_from_callback", () => {
  const error = new Error("disk");
  const reader = new lib.gguf_reader_callback_t(() => {
    throw error;
  });
  const params = new lib.gguf_init_params();
  assert(assertThrows(() => lib.gguf_init_from_callback(reader, null, 4096, 1 << 20, params)) === error);
});

Deno.test("what an optimizer's callbacks throw is thrown by what optimizes", () => {
  using fixed = init({ noAlloc: true }), ctx = init({ noAlloc: true });
  const cpu = lib.ggml_backend_cpu_init()!;
  const sched = lib.ggml_backend_sched_new([cpu], null, 1, 2048, false, true);
  const dataset = lib.ggml_opt_dataset_init(lib.GGML_TYPE_F32, lib.GGML_TYPE_F32, 1, 1, 8, 1);
  lib.ggml_set_f32(lib.ggml_opt_dataset_data(dataset), 1);
  lib.ggml_set_f32(lib.ggml_opt_dataset_labels(dataset)!, 3);
  const weight = newTensor(fixed, lib.GGML_TYPE_F32, 1, 1), inputs = newTensor(fixed, lib.GGML_TYPE_F32, 1, 4);
  lib.ggml_set_param(weight);
  const buffer = lib.ggml_backend_alloc_ctx_tensors(fixed, cpu)!;
  lib.ggml_set_f32(weight, 1);
  const outputs = lib.ggml_mul_mat(ctx, weight, inputs);
  lib.ggml_set_input(inputs);
  lib.ggml_set_output(outputs);
  const error = new Error("no parameters");
  const bad = () => {
    throw error;
  };
  const params = lib.ggml_opt_default_params(sched, lib.GGML_OPT_LOSS_TYPE_MEAN_SQUARED_ERROR);
  params.ctx_compute = ctx;
  params.inputs = inputs;
  params.outputs = outputs;
  params.get_opt_pars = new lib.ggml_opt_get_optimizer_params(bad);
  const optimizer = lib.ggml_opt_init(params);
  const result = lib.ggml_opt_result_init();
  assert(assertThrows(() => lib.ggml_opt_epoch(optimizer, dataset, result, null, 8, null, null)) === error);
  assertEquals(floats(weight)[0], 1); // a step was taken, of no size
  const epoch = new lib.ggml_opt_epoch_callback(bad);
  assert(assertThrows(() => lib.ggml_opt_epoch(optimizer, dataset, null, result, 0, null, epoch)) === error);
  assert(
    assertThrows(() =>
      lib.ggml_opt_fit(
        sched,
        ctx,
        inputs,
        outputs,
        dataset,
        lib.GGML_OPT_LOSS_TYPE_MEAN_SQUARED_ERROR,
        lib.GGML_OPT_OPTIMIZER_TYPE_ADAMW,
        new lib.ggml_opt_get_optimizer_params(bad),
        1,
        4,
        0,
        true,
      )
    ) === error,
  );
  lib.ggml_opt_result_free(result);
  lib.ggml_opt_free(optimizer);
  lib.ggml_opt_dataset_free(dataset);
  lib.ggml_backend_buffer_free(buffer);
  lib.ggml_backend_sched_free(sched);
  lib.ggml_backend_free(cpu);
});

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

Deno.test("what libllama's callbacks throw is thrown by the function that ran them", () => {
  const path = Deno.makeTempFileSync({ suffix: ".gguf" });
  writeTinyLlama(path);
  lib.ggml_backend_load_all_from_path(load().path); // libllama loads no model without
  const error = new Error("stop");
  const bad = () => {
    throw error;
  };
  const failing = lib.llama_model_default_params();
  failing.progress_callback = new lib.llama_progress_callback(bad);
  assert(assertThrows(() => lib.llama_model_load_from_file(path, failing)) === error);
  using memory = init();
  const gguf = describeTinyLlama(memory);
  const setter = new lib.llama_model_set_tensor_data_t(bad);
  assert(assertThrows(() => lib.llama_model_init_from_user(gguf, setter, null, lib.llama_model_default_params())) === error);
  lib.gguf_free(gguf);

  const model = lib.llama_model_load_from_file(path, lib.llama_model_default_params())!;
  const batch = () => lib.llama_batch_get_one(Int32Array.of(1, 2, 3), 3);
  for (
    const callbacks of [
      { cb_eval: new lib.ggml_backend_sched_eval_callback(bad) },
      { abort_callback: new lib.ggml_abort_callback(bad) },
    ]
  ) {
    const params = Object.assign(lib.llama_context_default_params(), { n_ctx: 64, n_threads: 1, n_threads_batch: 1 }, callbacks);
    const ctx = lib.llama_init_from_model(model, params)!;
    assert(assertThrows(() => lib.llama_decode(ctx, batch())) === error);
    lib.llama_free(ctx);
  }
  const ctx = lib.llama_init_from_model(model, Object.assign(lib.llama_context_default_params(), { n_ctx: 64, n_threads: 1 }))!;
  lib.llama_set_abort_callback(ctx, new lib.ggml_abort_callback(bad), null);
  assert(assertThrows(() => lib.llama_decode(ctx, batch())) === error);
  lib.llama_set_abort_callback(ctx, null, null);
  assertEquals(lib.llama_decode(ctx, batch()), 0);

  const filter = new lib.llama_opt_params({ param_filter: new lib.llama_opt_param_filter(bad) });
  assert(assertThrows(() => lib.llama_opt_init(ctx, model, filter)) === error);

  // A sampler throws in each of its functions; libllama asserts that one was chosen, and still doesn't abort.
  const sampler = () =>
    lib.llama_sampler_init(
      new lib.llama_sampler_i({
        name: new lib.llama_sampler_i_name(bad),
        accept: new lib.llama_sampler_i_accept(bad),
        apply: new lib.llama_sampler_i_apply(bad),
        reset: new lib.llama_sampler_i_reset(bad),
        clone: new lib.llama_sampler_i_clone(bad),
        free: new lib.llama_sampler_i_free(bad),
      }),
      null as never,
    );
  const smpl = sampler();
  const cases: (() => unknown)[] = [
    () => lib.llama_sampler_name(smpl),
    () => lib.llama_sampler_accept(smpl, 1),
    () => lib.llama_sampler_reset(smpl),
    () => lib.llama_sampler_clone(smpl),
    () => lib.llama_sampler_sample(smpl, ctx, -1),
    () => lib.llama_sampler_free(smpl),
  ];
  for (const run of cases) assert(assertThrows(run) === error, String(run));
  assertThrows(() => lib.llama_sampler_name(smpl), Error, "freed");
  lib.llama_free(ctx);
  lib.llama_model_free(model);
  Deno.removeSync(path);
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

Deno.test("a callback inside a callback: each exception reaches the call that it was thrown in", () => {
  using ctx = init();
  const inner = new lib.ggml_custom1_op_t(() => {
    throw new Error("inner");
  });
  const source = newTensor(ctx, lib.GGML_TYPE_F32, 4);
  const innerGraph = graphOf(ctx, lib.ggml_map_custom1(ctx, source, inner, 1, null));
  const caught: string[] = [];
  const outer = new lib.ggml_custom1_op_t(() => {
    try {
      compute(innerGraph);
    } catch (error) {
      caught.push((error as Error).message);
    }
  });
  const graph = graphOf(ctx, lib.ggml_map_custom1(ctx, source, outer, 1, null));
  compute(graph);
  assertEquals(caught, ["inner"]);
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

/** Runs a program that may collect garbage. */
async function collecting(text: string) {
  return await program(
    `
    import { lib, load } from "@ggml/deno";
    import { compute, computeAsync, init } from "@ggml/deno/utils";
    const collect = async () => {
      for (let i = 0; i < 4; i++) { globalThis.gc(); await new Promise((resolve) => setTimeout(resolve, 0)); }
    };
    const LENGTH = 4;
    ${text}
  `,
    ["--allow-ffi", "--allow-env=GGML_LIBRARY", "--v8-flags=--expose-gc", "--no-check"],
  );
}

Deno.test("a callback lives as long as C may call it, whatever it was given to", async () => {
  const { code, stdout, stderr } = await collecting(`
    let collected = 0;
    const registry = new FinalizationRegistry(() => collected++);
    const watch = (f) => { registry.register(f, 0); return f; };
    const ctx = init();
    const calls = {};
    const count = (name, result) => watch(() => { calls[name] = (calls[name] ?? 0) + 1; return result; });
    const source = lib.ggml_set_f32(lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, LENGTH), 1);
    function graphOf(result) {
      const graph = lib.ggml_new_graph(ctx);
      lib.ggml_build_forward_expand(graph, result);
      return graph;
    }
    const one = () => new lib.ggml_custom1_op_t(count("map_custom1"));
    const graphs = [
      graphOf(lib.ggml_map_custom1(ctx, source, one(), 1, null)),
      graphOf(lib.ggml_map_custom2(ctx, source, source, new lib.ggml_custom2_op_t(count("map_custom2")), 1, null)),
      graphOf(lib.ggml_map_custom3(ctx, source, source, source, new lib.ggml_custom3_op_t(count("map_custom3")), 1, null)),
      graphOf(lib.ggml_custom_4d(ctx, 0, LENGTH, 1, 1, 1, [source], 1, new lib.ggml_custom_op_t(count("custom_4d")), 1, null)),
      graphOf(lib.ggml_custom_inplace(ctx, source, [source], 1, new lib.ggml_custom_op_t(count("custom_inplace")), 1, null)),
    ];
    const scaled = graphOf(lib.ggml_scale(ctx, source, 1));
    const plan = lib.ggml_graph_plan(scaled, 1, null);
    plan.abort_callback = new lib.ggml_abort_callback(count("cplan.abort_callback", false));
    const cpu = lib.ggml_backend_cpu_init();
    lib.ggml_backend_cpu_set_abort_callback(cpu, new lib.ggml_abort_callback(count("cpu abort", false)), null);
    const sched = lib.ggml_backend_sched_new([cpu], null, 1, 64, false, true);
    lib.ggml_backend_sched_set_eval_callback(sched, new lib.ggml_backend_sched_eval_callback(count("sched eval", true)), null);
    const sampler = (() => lib.llama_sampler_init(new lib.llama_sampler_i({
      name: new lib.llama_sampler_i_name(count("sampler name", "mine")),
      reset: new lib.llama_sampler_i_reset(count("sampler reset")),
      free: new lib.llama_sampler_i_free(count("sampler free")),
    }), null))();
    const read = (() => { // a struct's field gives the callback back
      const params = lib.llama_model_default_params();
      params.progress_callback = new lib.llama_progress_callback(count("progress", true));
      return params.progress_callback;
    })();
    await collect();
    // New callbacks would get the memory of those that were freed.
    for (let i = 0; i < 200; i++) new lib.ggml_custom1_op_t(() => { throw new Error("another's callback"); });
    await collect();
    for (let i = 0; i < 3; i++) {
      for (const graph of graphs) compute(graph), await computeAsync(graph);
      lib.ggml_graph_compute(scaled, plan);
      lib.ggml_backend_graph_compute(cpu, scaled);
      lib.ggml_backend_sched_graph_compute(sched, scaled);
      lib.llama_sampler_name(sampler);
      lib.llama_sampler_reset(sampler);
      read.call(0.5, null);
      await collect();
    }
    lib.llama_sampler_free(sampler);
    console.log(collected, Object.keys(calls).length, Object.entries(calls).filter(([, n]) => n < 3).join(" "));
    lib.ggml_backend_sched_free(sched);
    lib.ggml_backend_free(cpu);
  `);
  assertEquals([code, stdout], [0, "0 12 sampler free,1\n"], stderr);
});

Deno.test("callbacks in what libllama and the optimizer were made from live as long", async () => {
  const path = Deno.makeTempFileSync({ suffix: ".gguf" });
  writeTinyLlama(path);
  const { code, stdout, stderr } = await collecting(`
    const calls = {};
    const count = (name, result) => () => { calls[name] = (calls[name] ?? 0) + 1; return result; };
    const model = (() => {
      const params = lib.llama_model_default_params();
      params.progress_callback = new lib.llama_progress_callback(count("progress", true));
      return lib.llama_model_load_from_file(${JSON.stringify(path)}, (lib.ggml_backend_load_all_from_path(load().path), params));
    })();
    const llama = (() => {
      const params = lib.llama_context_default_params();
      Object.assign(params, { n_ctx: 64, n_threads: 1, n_threads_batch: 1 });
      params.cb_eval = new lib.ggml_backend_sched_eval_callback(count("cb_eval", true));
      params.abort_callback = new lib.ggml_abort_callback(count("abort_callback", false));
      return lib.llama_init_from_model(model, params);
    })();
    const fixed = init({ noAlloc: true }), ctx = init({ noAlloc: true });
    const cpu = lib.ggml_backend_cpu_init();
    lib.ggml_backend_cpu_set_n_threads(cpu, 1);
    const sched = lib.ggml_backend_sched_new([cpu], null, 1, 2048, false, true);
    const dataset = lib.ggml_opt_dataset_init(0, 0, 1, 1, 8, 1);
    const weight = lib.ggml_new_tensor_2d(fixed, 0, 1, 1), inputs = lib.ggml_new_tensor_2d(fixed, 0, 1, 4);
    lib.ggml_set_param(weight);
    const buffer = lib.ggml_backend_alloc_ctx_tensors(fixed, cpu);
    lib.ggml_set_f32(weight, 1);
    lib.ggml_set_f32(lib.ggml_opt_dataset_data(dataset), 1);
    lib.ggml_set_f32(lib.ggml_opt_dataset_labels(dataset), 1);
    const outputs = lib.ggml_mul_mat(ctx, weight, inputs);
    lib.ggml_set_input(inputs), lib.ggml_set_output(outputs);
    const optimizer = (() => {
      const params = lib.ggml_opt_default_params(sched, lib.GGML_OPT_LOSS_TYPE_MEAN_SQUARED_ERROR);
      Object.assign(params, { ctx_compute: ctx, inputs, outputs });
      params.get_opt_pars = new lib.ggml_opt_get_optimizer_params(() => {
        count("get_opt_pars")();
        return lib.ggml_opt_get_default_optimizer_params(null);
      });
      return lib.ggml_opt_init(params);
    })();
    const result = lib.ggml_opt_result_init();
    for (let i = 0; i < 3; i++) {
      await collect();
      for (let i = 0; i < 200; i++) new lib.ggml_custom1_op_t(() => { throw new Error("another's callback"); });
      await collect();
      if (lib.llama_decode(llama, lib.llama_batch_get_one(Int32Array.of(1, 2, 3), 3)) !== 0) throw new Error("decode");
      lib.ggml_opt_epoch(optimizer, dataset, result, null, 8, null, null);
    }
    console.log(Object.keys(calls).join(), Object.values(calls).every((n) => n > 1), buffer !== null);
  `);
  await Deno.remove(path);
  assertEquals([code, stdout], [0, "progress,cb_eval,abort_callback,get_opt_pars true true\n"], stderr);
});

Deno.test("every function of lib that takes a callback, or a struct that holds one, has it kept", () => {
  const all = Object.entries(lib as unknown as Record<string, unknown>).filter(([, value]) => typeof value === "function");
  const isCallback = (name: string) => {
    const value = (lib as unknown as Record<string, unknown>)[name];
    return typeof value === "function" && value.prototype instanceof Callback;
  };
  const holds = (name: string) => {
    const { prototype } = (lib as unknown as Record<string, { prototype: object }>)[name];
    const getters = Object.values(Object.getOwnPropertyDescriptors(prototype)).map(({ get }) => String(get));
    return getters.some((text) => isCallback(/\$getHandle\(this, \d+, (\w+)\)/.exec(text)?.[1] ?? ""));
  };
  let callbacks = 0, structs = 0;
  for (const [name, value] of all) {
    const text = String(value);
    for (const [, parameter, type] of text.matchAll(/\((\w+) instanceof (\w+)\)/g)) {
      if (!isCallback(type)) continue;
      callbacks++;
      assert(new RegExp(`\\$(keep(Latest)?|created\\w*)\\([^;]*\\b${parameter}\\b`).test(text), `${name}(${parameter})`);
    }
    for (const [, parameter, type] of text.matchAll(/\$struct\((\w+), (\w+),/g)) {
      if (!holds(type)) continue;
      structs++;
      assert(new RegExp(`\\$(keep|created\\w*)\\([^;]*\\b${parameter}\\b`).test(text), `${name}(${parameter})`);
    }
  }
  assert(callbacks > 20 && structs > 5, `${callbacks} and ${structs}`);
});

Deno.test("callbacks that C can't call any more are collected, with contexts that they refer to", async () => {
  const { code, stdout, stderr } = await collecting(`
    let collected = 0;
    const registry = new FinalizationRegistry(() => collected++);
    function once() {
      const ctx = init({ memSize: 256 * 1024 });
      const source = lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, LENGTH);
      const f = () => ctx.address; // a ring: the context keeps the callback, which keeps the context
      registry.register(f, 0);
      const graph = lib.ggml_new_graph(ctx);
      lib.ggml_build_forward_expand(graph, lib.ggml_map_custom1(ctx, source, new lib.ggml_custom1_op_t(f), 1, null));
      compute(graph);
    }
    const cpu = lib.ggml_backend_cpu_init();
    const warm = async (rounds) => {
      for (let i = 0; i < rounds; i++) {
        once();
        const f = () => false;
        registry.register(f, 0);
        lib.ggml_backend_cpu_set_abort_callback(cpu, new lib.ggml_abort_callback(f), null); // replaces the one before
        if (i % 100 === 99) await collect();
      }
    };
    await warm(1000);
    await collect();
    console.log(collected > 1900, collected);
  `);
  assertEquals(code, 0, stderr);
  assertEquals(stdout.split(" ")[0], "true", stdout + stderr);
});

Deno.test("what a callback throws when nobody waits is reported as an uncaught exception", async () => {
  const { code, stdout } = await collecting(`
    globalThis.addEventListener("error", (event) => {
      console.log("reported", event.error.message);
      event.preventDefault();
    });
    const { library } = await import("${new URL("../../ffi/load/library.ts", import.meta.url)}");
    const ctx = init();
    const source = lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, LENGTH);
    const graph = lib.ggml_new_graph(ctx);
    const op = new lib.ggml_custom1_op_t(() => { throw new Error("nobody waits"); });
    lib.ggml_build_forward_expand(graph, lib.ggml_map_custom1(ctx, source, op, 1, null));
    const symbol = library().symbol("ggml_graph_compute_with_ctx", { parameters: ["u64", "u64", "i32"], result: "i32", nonblocking: true });
    console.log(await symbol(ctx.address, graph.address, 1));
  `);
  assertEquals([code, stdout], [0, "reported nobody waits\n0\n"]);
});

Deno.test("a callback that was made before the library was chosen doesn't choose it, and works", async () => {
  const { code, stdout, stderr } = await program(
    `
    import { lib, load } from "@ggml/deno";
    import { compute, init, view } from "@ggml/deno/utils";
    const operator = new lib.ggml_custom1_op_t((result, a) => view(result).set(0, 2 * view(a).get(0)));
    load({ gpu: false });
    using ctx = init();
    const a = lib.ggml_set_f32(lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, 1), 21), doubled = lib.ggml_map_custom1(ctx, a, operator, 1, null);
    const graph = lib.ggml_new_graph(ctx);
    lib.ggml_build_forward_expand(graph, doubled);
    compute(graph);
    console.log(view(doubled).get(0), lib.ggml_custom1_op_t.from(operator.address).owner === operator.owner);
  `,
    ["-A"],
  );
  assertEquals([code, stdout], [0, "42 true\n"], stderr);
});
