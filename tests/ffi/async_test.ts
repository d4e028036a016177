/**
 * `lib.async`: what the synchronous functions do, on another thread; and what happens to the rest meanwhile.
 *
 * @module
 */

import { assert, assertEquals, assertMatch, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { lib } from "@ggml/deno";
import { computeAsync, copy, init, onLog, view } from "@ggml/deno/utils";
import { waiters } from "../../ffi/core/failure.ts";
import { deno, program } from "../process.ts";
import { Random } from "../random.ts";
import { loadTinyLlama, tinyContext, writeTinyLlama } from "../tiny_llama.ts";

const { GGML_TYPE_F32: F32, GGML_STATUS_SUCCESS: SUCCESS } = lib;

const folder = Deno.makeTempDirSync(), path = `${folder}/tiny.gguf`;
addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
writeTinyLlama(path, "llama");

let model: lib.llama_model | null = null;

/** A model with a vocabulary as SentencePiece has it. */
function theModel(): lib.llama_model {
  return model ??= loadTinyLlama(path);
}

/** Runs a test without the log of libllama. */
function quietly(name: string, test: () => void | Promise<void>): void {
  Deno.test(name, async () => {
    using _silence = onLog(() => {});
    await test();
  });
}

/** What an asynchronous call rejects with. */
async function failure(call: Promise<unknown>): Promise<string> {
  return (await assertRejects(() => call, Error)).message;
}

/** What a synchronous call throws. */
function message(call: () => unknown): string {
  return assertThrows(call, Error).message;
}

const N = 384;

/** A graph of products, which takes a while. */
function products(ctx: lib.ggml_context, count = 12): lib.ggml_cgraph {
  const a = lib.ggml_new_tensor_2d(ctx, F32, N, N), graph = lib.ggml_new_graph(ctx);
  lib.ggml_set_input(a);
  let product = a;
  for (let i = 0; i < count; i++) product = lib.ggml_mul_mat(ctx, a, product);
  lib.ggml_build_forward_expand(graph, product);
  return graph;
}

/** A graph of squares, and what it is computed of. */
function squares(ctx: lib.ggml_context) {
  const a = lib.ggml_new_tensor_1d(ctx, F32, 3), graph = lib.ggml_new_graph(ctx), result = lib.ggml_sqr(ctx, a);
  copy([1, 2, 3], a);
  lib.ggml_build_forward_expand(graph, result);
  return { a, graph, result };
}

/** The logits after three tokens. */
function logitsOf(ctx: lib.llama_context): number[] {
  return [...new Float32Array(lib.llama_get_logits_ith(ctx, -1)!.bytes(4 * 64).slice().buffer)];
}

/** A batch in memory of its own. */
function batchOf(tokens: readonly number[]): lib.llama_batch {
  return lib.llama_batch_get_one(Int32Array.from(tokens), tokens.length);
}

Deno.test("results of every kind are those of the synchronous functions", async () => {
  using ctx = init();
  const a = await lib.async.ggml_new_tensor_2d(ctx, F32, 3, 4);
  assert(a instanceof lib.ggml_tensor);
  assertEquals(a.ne, [3, 4, 1, 1]); // a handle
  assertEquals(await lib.async.ggml_nbytes(a), 48); // a size
  assertEquals(await lib.async.ggml_type_name(F32), "f32"); // a string
  assertEquals(await lib.async.ggml_is_quantized(lib.GGML_TYPE_Q4_K), true); // a boolean
  assertEquals(await lib.async.ggml_get_f32_1d(await lib.async.ggml_set_f32(a, 2.5), 1), 2.5); // a float
  assertEquals(await lib.async.ggml_get_tensor(ctx, "nobody"), null);
  assertEquals(await lib.async.ggml_set_param(a), undefined);
  const params = await lib.async.llama_model_default_params(); // a struct by value
  assertEquals(params.bytes, lib.llama_model_default_params().bytes);
  const context = await lib.async.ggml_init(new lib.ggml_init_params({ mem_size: 1 << 16, no_alloc: true }));
  assertEquals(lib.ggml_get_no_alloc(context), true);
  await lib.async.ggml_free(context);
  assertMatch(message(() => lib.ggml_used_mem(context)), /was freed by ggml_free/);
  assertEquals(await lib.async.GGML_PAD(13, 8), 16); // a macro is computed here
});

Deno.test("arrays and strings: C reads what they were, and what it writes is in them", async () => {
  using gguf = lib.gguf_init_empty();
  const key = `key.${"é".repeat(300)}`, written = new Float32Array(3);
  await Promise.all([
    lib.async.ggml_fp16_to_fp32_row(Uint16Array.of(0x3c00, 0x4000, 0x4200), written, 3),
    lib.async.gguf_set_val_str(gguf, key, "value"),
  ]);
  assertEquals([...written], [1, 2, 3]);
  assertEquals(lib.gguf_get_val_str(gguf, lib.gguf_find_key(gguf, key)), "value");
  const names = ["first", "second"];
  await lib.async.gguf_set_arr_str(gguf, "names", names, 2);
  assertEquals(lib.gguf_get_arr_str(gguf, lib.gguf_find_key(gguf, "names"), 1), "second");
});

Deno.test("arguments are checked as those of the synchronous functions, and the promise rejects", async () => {
  using ctx = init();
  const a = lib.ggml_new_tensor_1d(ctx, F32, 4);
  // deno-lint-ignore no-explicit-any
  const async = lib.async as any;
  const wrong: [string, unknown[]][] = [
    ["ggml_add", [ctx, a, "b"]],
    ["ggml_new_tensor_1d", [ctx, 4711, 1]],
    ["ggml_new_tensor_1d", [ctx, F32, 1.5]],
    ["ggml_type_name", [undefined]],
    ["ggml_fp16_to_fp32_row", [new Uint16Array(2), new Float32Array(1), 2]],
    ["gguf_find_key", [ctx, "key"]],
    ["llama_decode", [ctx, a]],
  ];
  // deno-lint-ignore no-explicit-any
  for (const [name, args] of wrong) assertEquals(await failure(async[name](...args)), message(() => (lib as any)[name](...args)));
  assertMatch(await failure(async.ggml_type_name(F32, 7)), /^ggml_type_name: expected options such as \{ signal \}, got the number 7$/);
  assertMatch(await failure(async.ggml_graph_compute_with_ctx(ctx, squares(ctx).graph, 1, { signal: 7 })), /signal must be an AbortSignal/);
  const { signal } = new AbortController();
  assertMatch(await failure(async.ggml_type_name(F32, { signal })), /^ggml_type_name: C can't be told to stop, so there is no signal/);
});

Deno.test("lib.async lists the functions, and nothing else", () => {
  const names = Object.keys(lib.async);
  assert(names.includes("llama_decode") && names.includes("ggml_add") && !names.includes("ggml_tensor"));
  assertEquals(names.length, Object.entries(lib).filter(([, value]) => typeof value === "function" && !("prototype" in value)).length);
  assert("ggml_add" in lib.async && !("GGML_TYPE_F32" in lib.async));
  assertStrictEquals(lib.async.ggml_add, lib.async.ggml_add);
  assertEquals([lib.async.ggml_add.name, lib.async.ggml_add.length], ["ggml_add", 3]);
  assertThrows(() => Object.assign(lib.async, { ggml_add: null }), TypeError);
});

Deno.test("nothing is loaded or bound before the first call", async () => {
  const { code, stdout, stderr } = await program(
    `
    import { lib } from "@ggml/deno";
    const loaded = [], { UnsafeFnPointer } = Deno;
    Deno.UnsafeFnPointer = class extends UnsafeFnPointer { constructor(pointer, definition) { super(pointer, definition); if (definition.nonblocking) loaded.push(definition.parameters.length); } };
    const { ggml_type_name } = lib.async;
    console.log(loaded.length);
    for (let i = 0; i < 3; i++) await ggml_type_name(0);
    console.log(loaded.length);
    `.replaceAll("const loaded = [],", "const loaded: number[] = [],").replaceAll(
      "constructor(pointer, definition)",
      "constructor(pointer: any, definition: any)",
    )
      .replace("Deno.UnsafeFnPointer =", "(Deno as any).UnsafeFnPointer ="),
  );
  assertEquals([code, stdout], [0, "0\n1\n"], stderr);
});

Deno.test("timers fire while C computes, and the result is that of the synchronous call", async () => {
  using ctx = init({ memSize: 1 << 27 });
  const graph = products(ctx), [first] = [lib.ggml_graph_node(graph, 0).src[0]!];
  view(first).data.fill(0.001);
  let ticks = 0;
  const timer = setInterval(() => ticks++, 1);
  assertEquals(await lib.async.ggml_graph_compute_with_ctx(ctx, graph, 1), SUCCESS);
  clearInterval(timer);
  assert(ticks > 3, `${ticks} ticks`);
  const last = lib.ggml_graph_node(graph, -1), computed = view(last).data.slice();
  view(last).data.fill(0);
  lib.ggml_graph_compute_with_ctx(ctx, graph, 1);
  assertEquals(computed, view(last).data);
});

quietly("models are loaded, quantized, decoded and encoded as they are synchronously", async () => {
  lib.llama_model_free(loadTinyLlama(path)); // the backends are there
  const params = lib.llama_model_default_params();
  const loaded = (await lib.async.llama_model_load_from_file(path, params))!;
  assertEquals(await lib.async.llama_model_load_from_file(`${folder}/nothing`, params), null);
  using expected = tinyContext(theModel()),
    ctx = (await lib.async.llama_init_from_model(loaded, Object.assign(lib.llama_context_default_params(), { n_ctx: 64 })))!;
  lib.llama_decode(expected, batchOf([1, 2, 3]));
  assertEquals(await lib.async.llama_decode(ctx, batchOf([1, 2, 3])), 0);
  assertEquals(logitsOf(ctx), logitsOf(expected));

  // Structs that point to memory of TypeScript's, which points to more of it.
  const [token, pos, counts, sequence, logits] = [Int32Array.of(7), Int32Array.of(3), Int32Array.of(1), Int32Array.of(0), Int8Array.of(1)];
  const batch = Object.assign(new lib.llama_batch(), { n_tokens: 1, token, pos, n_seq_id: counts, seq_id: [sequence], logits });
  assertEquals(await lib.async.llama_decode(ctx, batch), 0);
  assertEquals(batch.n_seq_id!.bytes(4), Uint8Array.of(1, 0, 0, 0)); // it points to the same again
  lib.llama_decode(expected, batchOf([7]));
  assertEquals(logitsOf(ctx), logitsOf(expected));

  const tokens = new Int32Array(8), text = "the";
  const count = await lib.async.llama_tokenize(lib.llama_model_get_vocab(loaded), text, 3, tokens, 8, false, false);
  const same = new Int32Array(8);
  assertEquals(count, lib.llama_tokenize(lib.llama_model_get_vocab(loaded), text, 3, same, 8, false, false));
  assertEquals(tokens, same);

  const quantize = lib.llama_model_quantize_default_params();
  Object.assign(quantize, { ftype: lib.LLAMA_FTYPE_MOSTLY_Q8_0, nthread: 1 });
  assertEquals(await lib.async.llama_model_quantize(path, `${folder}/aside.gguf`, quantize), 0);
  assertEquals(lib.llama_model_quantize(path, `${folder}/here.gguf`, quantize), 0);
  assertEquals(Deno.readFileSync(`${folder}/aside.gguf`), Deno.readFileSync(`${folder}/here.gguf`));
  assertMatch(await failure(lib.async.llama_encode(ctx, batchOf([1]))), /llama_encode/); // this model has no encoder
});

quietly("a sampler in TypeScript changes an array of TypeScript's", async () => {
  const pick = new lib.llama_sampler_i_apply((_, candidates) => void (candidates!.selected = 1));
  using sampler = lib.llama_sampler_init(new lib.llama_sampler_i({ apply: pick }), null);
  const data = new lib.llama_token_data({ id: 7, logit: 1, p: 0.5 });
  const candidates = new lib.llama_token_data_array({ data, size: 1, selected: -1, sorted: false });
  await lib.async.llama_sampler_apply(sampler, candidates);
  assertEquals([candidates.selected, candidates.data!.id], [1, 7]);
});

/** What is trained: an output of one weight that is to become 3. */
function training() {
  const fixed = init({ noAlloc: true }), ctx = init({ noAlloc: true }), cpu = lib.ggml_backend_cpu_init()!;
  lib.ggml_backend_cpu_set_n_threads(cpu, 1);
  const sched = lib.ggml_backend_sched_new([cpu], null, 1, 2048, false, true);
  const dataset = lib.ggml_opt_dataset_init(F32, F32, 1, 1, 8, 1);
  lib.ggml_set_f32(lib.ggml_opt_dataset_data(dataset), 1);
  lib.ggml_set_f32(lib.ggml_opt_dataset_labels(dataset)!, 3);
  const weight = lib.ggml_new_tensor_2d(fixed, F32, 1, 1), inputs = lib.ggml_new_tensor_2d(fixed, F32, 1, 4);
  lib.ggml_set_param(weight);
  const buffer = lib.ggml_backend_alloc_ctx_tensors(fixed, cpu)!;
  lib.ggml_set_f32(weight, 1);
  const outputs = lib.ggml_mul_mat(ctx, weight, inputs);
  lib.ggml_set_input(inputs);
  lib.ggml_set_output(outputs);
  const epochs = (optimizer: lib.ggml_opt_get_optimizer_params) =>
    [
      ...[sched, ctx, inputs, outputs, dataset, lib.GGML_OPT_LOSS_TYPE_MEAN_SQUARED_ERROR, lib.GGML_OPT_OPTIMIZER_TYPE_ADAMW],
      ...[optimizer, 3, 4, 0, true],
    ] as unknown as Parameters<typeof lib.ggml_opt_fit>;
  const optimizer = () => {
    const params = lib.ggml_opt_default_params(sched, lib.GGML_OPT_LOSS_TYPE_MEAN_SQUARED_ERROR);
    Object.assign(params, { ctx_compute: ctx, inputs, outputs });
    return lib.ggml_opt_init(params);
  };
  return { fixed, ctx, cpu, sched, dataset, buffer, weight, epochs, optimizer };
}

/** Steps of a size that is decided in TypeScript. */
function stepsOf(alpha: number, asked: () => void = () => {}): lib.ggml_opt_get_optimizer_params {
  return new lib.ggml_opt_get_optimizer_params(() => {
    asked();
    const params = lib.ggml_opt_get_default_optimizer_params(null as never);
    params.adamw.alpha = alpha;
    return params;
  });
}

quietly("training calls back into TypeScript, which may use what is trained, and ends as it does synchronously", async () => {
  let asked = 0;
  const here = training(), aside = training();
  lib.ggml_opt_fit(...here.epochs(stepsOf(0.1)));
  await lib.async.ggml_opt_fit(...aside.epochs(stepsOf(0.1, () => {
    asked++;
    lib.ggml_backend_sched_get_n_backends(aside.sched); // lent to the call, and so to its callbacks
  })));
  assert(asked > 0);
  const [expected, weight] = [here, aside].map(({ weight }) => lib.ggml_get_f32_1d(weight, 0));
  assert(expected > 1);
  assertEquals(weight, expected);

  const optimizer = aside.optimizer(), result = lib.ggml_opt_result_init(), batches: number[] = [];
  const report = new lib.ggml_opt_epoch_callback((_train, _optimizer, dataset, _result, batch) => {
    batches.push(batch);
    assertEquals(lib.ggml_opt_dataset_ndata(dataset!), 8);
  });
  await lib.async.ggml_opt_epoch(optimizer, aside.dataset, null, result, 0, null, report);
  assertEquals(batches, [1, 2]);

  const error = new Error("enough");
  const bad = new lib.ggml_opt_epoch_callback(() => {
    throw error;
  });
  assertStrictEquals(await assertRejects(() => lib.async.ggml_opt_epoch(optimizer, aside.dataset, null, result, 0, null, bad)), error);
});

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
  assertMatch(mine.stack!, /async_test\.ts/);
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

Deno.test("a signal stops what computes graphs, and they can be computed again", async () => {
  using ctx = init({ memSize: 1 << 27 });
  const graph = products(ctx, 200), cpu = lib.ggml_backend_cpu_init()!, plan = lib.ggml_graph_plan(graph, 1, null);
  if (plan.work_size > 0) plan.work_data = new Uint8Array(plan.work_size) as never;
  const whole = performance.now();
  assertEquals(await lib.async.ggml_backend_graph_compute(cpu, graph), SUCCESS);
  const duration = performance.now() - whole, reason = new Error("enough");
  const stoppable: ((signal: AbortSignal) => Promise<number>)[] = [
    (signal) => lib.async.ggml_backend_graph_compute(cpu, graph, { signal }),
    (signal) => lib.async.ggml_graph_compute(graph, plan, { signal }),
  ];
  for (const compute of stoppable) {
    const controller = new AbortController(), start = performance.now();
    const computed = compute(controller.signal);
    setTimeout(() => controller.abort(reason), 5);
    assertStrictEquals(await assertRejects(() => computed), reason);
    assert(performance.now() - start < duration / 2, `${performance.now() - start} of ${duration} ms`);
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

Deno.test("every function rejects what its synchronous form throws for missing arguments, in its words", async () => {
  // deno-lint-ignore no-explicit-any
  const both = lib as any;
  for (const name of Object.keys(lib.async)) {
    const missing = Array.from({ length: both[name].length }, () => undefined);
    if (missing.length === 0) continue;
    assertEquals(await failure(both.async[name](...missing)), message(() => both[name](...missing)), name);
  }
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

Deno.test("tensors are built, or refused, as by the synchronous functions", async () => {
  const random = new Random(7), types = [F32, lib.GGML_TYPE_F16, lib.GGML_TYPE_I32];
  const operations = ["ggml_add", "ggml_mul", "ggml_mul_mat", "ggml_out_prod", "ggml_get_rows", "ggml_repeat", "ggml_cpy"] as const;
  const outcome = async (build: () => Promise<lib.ggml_tensor>) => {
    try {
      return (await build()).ne;
    } catch (error) {
      return (error as Error).message;
    }
  };
  let refused = 0;
  for (let i = 0; i < 300; i++) {
    using ctx = init({ memSize: 1 << 16 });
    const dims = () => Array.from({ length: 2 }, () => 1 + random.below(3));
    const [a, b] = [dims(), dims()].map(([n, m]) => lib.ggml_new_tensor_2d(ctx, random.pick(types), n, m));
    const operation = random.pick(operations);
    // deno-lint-ignore require-await
    const expected = await outcome(async () => lib[operation](ctx, a, b));
    if (typeof expected === "string") refused++;
    assertEquals(await outcome(() => lib.async[operation](ctx, a, b)), expected, operation);
  }
  assert(refused > 30 && refused < 270, `${refused} were refused`);
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

Deno.test("in Workers", async () => {
  const text = `
    import { lib } from "${new URL("../../mod.ts", import.meta.url)}";
    const ctx = lib.ggml_init(new lib.ggml_init_params({ mem_size: 1 << 20, mem_buffer: null, no_alloc: false }));
    const a = lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, 4), b = lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, 3);
    const said = [(await lib.async.ggml_sqr(ctx, a)).ne[0]];
    try { await lib.async.ggml_add(ctx, a, b); } catch (error) { said.push(error.message); }
    postMessage(said);`;
  const worker = new Worker("data:text/javascript," + encodeURIComponent(text), { type: "module" });
  const [length, failed] = await new Promise<[number, string]>((resolve) => worker.onmessage = ({ data }) => resolve(data));
  worker.terminate();
  assertEquals(length, 4);
  assertMatch(failed, /^ggml_add: assertion failed/);
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
