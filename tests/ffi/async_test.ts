/**
 * `lib.async`: what the synchronous functions do, on another thread.
 *
 * @module
 */

import { assert, assertEquals, assertMatch, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { lib } from "@ggml/deno";
import { init, view } from "@ggml/deno/utils";
import { message, quietly } from "../failing.ts";
import { inWorker, program } from "../process.ts";
import { Random } from "../random.ts";
import { loadTinyLlama, tinyContext } from "../tiny_llama.ts";
import { batchOf, failure, folder, logitsOf, path, products, squares, stepsOf, theModel, training } from "./async_calls.ts";

const { GGML_TYPE_F32: F32, GGML_STATUS_SUCCESS: SUCCESS } = lib;

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
  assertMatch(await failure(async.ggml_type_name(F32, 7)), /^ggml_type_name: expected \{ signal \}, got the number 7$/);
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

Deno.test("every function rejects what its synchronous form throws for missing arguments, in its words", async () => {
  // deno-lint-ignore no-explicit-any
  const both = lib as any;
  for (const name of Object.keys(lib.async)) {
    const missing = Array.from({ length: both[name].length }, () => undefined);
    if (missing.length === 0) continue;
    assertEquals(await failure(both.async[name](...missing)), message(() => both[name](...missing)), name);
  }
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

Deno.test("in Workers", async () => {
  const text = `
    import { lib } from "${new URL("../../mod.ts", import.meta.url)}";
    const ctx = lib.ggml_init(new lib.ggml_init_params({ mem_size: 1 << 20, mem_buffer: null, no_alloc: false }));
    const a = lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, 4), b = lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, 3);
    const said = [(await lib.async.ggml_sqr(ctx, a)).ne[0]];
    try { await lib.async.ggml_add(ctx, a, b); } catch (error) { said.push(error.message); }
    postMessage(said);`;
  const [length, failed] = await inWorker(text) as [number, string];
  assertEquals(length, 4);
  assertMatch(failed, /^ggml_add: assertion failed/);
});
