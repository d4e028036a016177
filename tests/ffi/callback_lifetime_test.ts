/** Callbacks are collected when C can't call them any more, and never earlier. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { lib } from "@ggml/deno";
import { compute, copy, init, tensor, toArray } from "@ggml/deno/utils";
import { Callback } from "@ggml/deno/ffi";
import { writeTinyLlama } from "../tiny_llama.ts";
import { program } from "../process.ts";
import { collecting } from "./callbacks.ts";

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

Deno.test("a tensor that a callback was given ends with its context: it was read when that was freed", () => {
  for (const ctx of [init(), lib.ggml_init(new lib.ggml_init_params({ mem_size: 1 << 20 }))]) {
    let given: (lib.ggml_tensor | null)[] = [];
    const operator = new lib.ggml_custom1_op_t((dst, a) => {
      given = [dst, a];
      copy(a!, dst!);
    });
    const graph = lib.ggml_new_graph(ctx);
    lib.ggml_build_forward_expand(graph, lib.ggml_map_custom1(ctx, tensor(ctx, [1, 2]), operator, 1, null));
    compute(graph);
    for (const each of given) assertEquals([...toArray(each!)], [1, 2]);
    lib.ggml_free(ctx);
    for (const each of given) {
      assertThrows(() => toArray(each!), Error, "was freed: its ggml_context was freed by ggml_free");
      assertThrows(() => lib.ggml_nelements(each!), Error, "was freed: its ggml_context was freed by ggml_free");
    }
  }
});

Deno.test("what C lends to a callback for a call ends with that", async () => {
  const sees = (value: { size: number } | lib.ggml_tensor) => value instanceof lib.ggml_tensor ? value.ne : value.size;
  const kept: (lib.ggml_tensor | lib.llama_token_data_array)[] = [];
  const apply = new lib.llama_sampler_i_apply((_, candidates) => {
    kept.push(candidates!);
    candidates!.selected = 0;
  });
  const sampler = lib.llama_sampler_init(new lib.llama_sampler_i({ apply }), null);
  const data = [new lib.llama_token_data(), new lib.llama_token_data()];
  lib.llama_sampler_apply(sampler, new lib.llama_token_data_array({ data, size: 2 }));
  await lib.async.llama_sampler_apply(sampler, new lib.llama_token_data_array({ data, size: 2 }));

  using one = lib.ggml_backend_cpu_init()!, other = lib.ggml_backend_cpu_init()!, ctx = init({ noAlloc: true });
  const result = lib.ggml_sqr(ctx, lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, 1 << 20)), graph = lib.ggml_new_graph(ctx);
  lib.ggml_build_forward_expand(graph, result);
  using _buffer = lib.ggml_backend_alloc_ctx_tensors(ctx, one);
  const compared = new lib.ggml_backend_eval_callback((_, a, b) => {
    assert(a!.equals(result));
    assertEquals(toArray(b!).length, 1 << 20);
    kept.push(b!);
    return true;
  });
  assert(lib.ggml_backend_compare_graph_backend(one, other, graph, compared, null, null, 0));
  assertEquals(kept.length, 3);
  for (const each of kept) assertThrows(() => sees(each), Error, "its call was over, for which C lent it to a callback");
});
