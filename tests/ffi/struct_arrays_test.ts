/**
 * Arrays of structs, and lists of pointers, where C takes a pointer and a length.
 *
 * @module
 */

import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { lib } from "@ggml/deno";
import { loadTinyLlama, tinyContext, writeTinyLlama } from "../tiny_llama.ts";

/** What C makes of a conversation. */
function chat(messages: Parameters<typeof lib.llama_chat_apply_template>[1], count: number): string {
  const text = new Int8Array(500), length = lib.llama_chat_apply_template("chatml", messages, count, true, text, text.length);
  return new TextDecoder().decode(new Uint8Array(text.buffer, 0, length));
}

const CHATML = "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHé?<|im_end|>\n<|im_start|>assistant\n";

Deno.test("a chat template is applied to two messages: fields, structs, or both", () => {
  const system = { role: "system", content: "Be brief." }, user = new lib.llama_chat_message({ role: "user", content: "Hé?" });
  assertEquals(chat([system, { role: "user", content: "Hé?" }], 2), CHATML);
  assertEquals(chat([system, user], 2), CHATML);
  assertEquals(chat([new lib.llama_chat_message(system), user], 2), CHATML);
  assertEquals(chat(user, 1), "<|im_start|>user\nHé?<|im_end|>\n<|im_start|>assistant\n"); // one alone, as ever
});

Deno.test("an array is as long as C is told, and of structs of the class", () => {
  const message = { role: "user", content: "?" };
  const wrong: [() => unknown, RegExp][] = [
    [() => chat([message], 2), /^llama_chat_apply_template\(chat\): expected at least 2 structs \(n_msg\)/],
    [() => chat([], 1), /^llama_chat_apply_template\(chat\): expected at least one struct \(n_msg\)/],
    [
      () => chat([message, null as never], 2),
      /^llama_chat_apply_template\(chat\)\[1\]: expected a llama_chat_message or its fields, got null/,
    ],
    [() => chat([new lib.llama_logit_bias() as never], 1), /\[0\]: expected a llama_chat_message or its fields, got a llama_logit_bias/],
    [() => chat([{ who: "user" } as never], 1), /new llama_chat_message: it has no field "who"/],
    [() => chat([{ role: 5 } as never], 1), /llama_chat_message\.role: expected a string or null, got the number 5/],
  ];
  for (const [call, says] of wrong) assertMatch(assertThrows(call, Error).message, says);
});

Deno.test("biases of two tokens decide what a sampler takes", () => {
  const biases = [{ token: 3, bias: 5 }, new lib.llama_logit_bias({ token: 1, bias: 50 })];
  using sampler = lib.llama_sampler_init_logit_bias(4, 2, biases), greedy = lib.llama_sampler_init_greedy();
  const take = () => {
    const data = [0, 1, 2, 3].map((id) => ({ id, logit: 10 - id, p: 0 }));
    const candidates = new lib.llama_token_data_array({ size: 4, selected: -1, sorted: false });
    candidates.data = data;
    lib.llama_sampler_apply(sampler, candidates);
    lib.llama_sampler_apply(greedy, candidates);
    return candidates.selected;
  };
  assertEquals(take(), 1);
  assertThrows(
    () => lib.llama_sampler_init_logit_bias(4, 3, biases),
    RangeError,
    "expected at least 3 structs (n_logit_bias), got 2 structs",
  );
});

Deno.test("a field takes an array of structs, which ends where the fields say: a model's metadata is overridden", () => {
  const folder = Deno.makeTempDirSync(), path = `${folder}/tiny.gguf`;
  try {
    writeTinyLlama(path);
    loadTinyLlama(path)[Symbol.dispose]();
    const params = lib.llama_model_default_params();
    const override = (key: string, value: number) => ({ key, tag: lib.LLAMA_KV_OVERRIDE_TYPE_INT, val_i64: value });
    params.kv_overrides = [override("llama.context_length", 4096), override("llama.rope.dimension_count", 16)];
    using model = lib.llama_model_load_from_file(path, params)!;
    assertEquals(lib.llama_model_n_ctx_train(model), 4096);
    assertThrows(
      () => params.kv_overrides = [5 as never],
      TypeError,
      "llama_model_params.kv_overrides[0]: expected a llama_model_kv_override",
    );
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("a batch's lists of sequences, and a model's devices, are arrays", () => {
  const folder = Deno.makeTempDirSync(), path = `${folder}/tiny.gguf`;
  try {
    writeTinyLlama(path);
    const params = lib.llama_model_default_params();
    params.devices = []; // the CPU alone
    using model = lib.llama_model_load_from_file(path, params)!;
    using ctx = tinyContext(model);
    const batch = new lib.llama_batch({ n_tokens: 2 });
    batch.token = new Int32Array([1, 2]);
    batch.pos = new Int32Array([0, 1]);
    batch.n_seq_id = new Int32Array([1, 1]);
    batch.seq_id = [new Int32Array(1), new Int32Array(1)];
    assertEquals(lib.llama_decode(ctx, batch), 0);
    assertEquals(lib.llama_memory_seq_pos_max(lib.llama_get_memory(ctx)!, 0), 1);
    batch.n_seq_id = new Int32Array([1, 2]);
    assertThrows(() => lib.llama_decode(ctx, batch), RangeError, "n_seq_id[1]");
    assertThrows(() => batch.seq_id = [new BigInt64Array(1) as never], TypeError, "llama_batch.seq_id[0]: expected an Int32Array");
    assertThrows(() => batch.seq_id = [new Int32Array(0)], RangeError, "expected at least one element");
    assertThrows(() => params.devices = [model as never], TypeError, "llama_model_params.devices[0]: expected a ggml_backend_device");
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("an array is taken once: one that grows or shrinks while it is read, and one with holes", () => {
  const bias = (array: unknown, count: number) => lib.llama_sampler_init_logit_bias(8, count, array as never);
  const item = { token: 1, bias: 2 };
  let lengths = 0;
  const growing = new Proxy([item], {
    get: (target, key, receiver) =>
      key === "length" ? (++lengths > 2 ? 4000 : 1) : /^\d+$/.test(String(key)) ? item : Reflect.get(target, key, receiver),
    has: () => true,
  });
  bias(growing, 1);
  const shrinking: unknown[] = [null, item, item];
  const first = () => {
    shrinking.length = 1;
    return item;
  };
  Object.defineProperty(shrinking, 0, { get: first });
  assertThrows(() => bias(shrinking, 3), RangeError, "expected at least 3 structs (n_logit_bias), got a llama_logit_bias");
  assertThrows(() => bias([item, , item], 3), TypeError, "(logit_bias)[1]: expected a llama_logit_bias or its fields, got undefined");

  const gguf = lib.gguf_init_empty(), texts: string[] = [];
  const more = () => {
    while (texts.length < 3000) texts.push("y");
    return "x";
  };
  Object.defineProperty(texts, 0, { get: more });
  lib.gguf_set_arr_str(gguf, "key", texts, 3000);
  assertEquals([lib.gguf_get_arr_n(gguf, 0), lib.gguf_get_arr_str(gguf, 0, 2999)], [3000, "y"]);
});
