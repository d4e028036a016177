/** What callbacks throw reaches who called C, and C goes on working. */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { lib, load } from "@ggml/deno";
import { compute, computeAsync, init } from "@ggml/deno/utils";
import { newTensor } from "../context.ts";
import { describeTinyLlama, writeTinyLlama } from "../tiny_llama.ts";
import { collecting, computers, CORES, floats, graphOf, LENGTH, operators, sum, withBackend } from "./callbacks.ts";

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

Deno.test("an async function can't be an operator, whose numbers C reads at once, and may be a log's", async () => {
  using ctx = init();
  const a = lib.ggml_set_f32(newTensor(ctx, lib.GGML_TYPE_F32, 4), 1);
  const operator = new lib.ggml_custom1_op_t(async (dst) => {
    await Promise.resolve();
    lib.ggml_set_f32(dst!, 2);
  });
  const graph = graphOf(ctx, lib.ggml_map_custom1(ctx, a, operator, 1, null));
  const message =
    "the result of a ggml_custom1_op_t: expected nothing, got a Promise, for which C doesn't wait: it can't be an async function";
  assertThrows(() => compute(graph), TypeError, message);
  await assertRejects(() => computeAsync(graph), TypeError, message);
  const told: string[] = [];
  new lib.ggml_log_callback(async (_level, text) => {
    await Promise.resolve();
    told.push(text!);
  }).call(lib.GGML_LOG_LEVEL_INFO, "later", null);
  await Promise.resolve();
  assertEquals(told, ["later"]);
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
