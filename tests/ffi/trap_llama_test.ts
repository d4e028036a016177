/**
 * libllama that fails: each wrong call is an Error, and then the same process decodes something right.
 *
 * @module
 */

import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { lib } from "@ggml/deno";
import { init } from "@ggml/deno/utils";
import { library } from "../../ffi/load/library.ts";
import { callAside } from "../../ffi/calls/aside.ts";
import { message, quietly } from "../failing.ts";
import { fuzzes } from "../fuzz/fuzzes.ts";
import { inWorker, program } from "../process.ts";
import { loadTinyLlama, tinyContext, type Tokenizer, writeTinyAdapter, writeTinyLlama } from "../tiny_llama.ts";

const folder = Deno.makeTempDirSync();
addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));

function pathOf(tokenizer: Tokenizer): string {
  const path = `${folder}/${tokenizer}.gguf`;
  writeTinyLlama(path, tokenizer);
  return path;
}

let model: lib.llama_model | null = null;

/** A model with a vocabulary as SentencePiece has it. */
function theModel(): lib.llama_model {
  return model ??= loadTinyLlama(pathOf("llama"));
}

const TOKENS = Int32Array.of(1, 2, 3);

/** The logits of three tokens. */
function decode(ctx: lib.llama_context): number[] {
  assertEquals(lib.llama_decode(ctx, lib.llama_batch_get_one(TOKENS, 3)), 0);
  return [...new Float32Array(lib.llama_get_logits_ith(ctx, -1)!.bytes(4 * 64).slice().buffer)];
}

let right: number[] | null = null;

/** Decodes in a new context, and looks whether it is as the first time. */
function assertDecodes(): void {
  using ctx = tinyContext(theModel());
  const logits = decode(ctx);
  right ??= logits;
  assert(logits.every(Number.isFinite) && new Set(logits).size > 1);
  assertEquals(logits, right);
}

quietly("what is right", assertDecodes);

quietly("llama_decode with an empty batch is an Error", () => {
  using ctx = tinyContext(theModel());
  assertMatch(
    message(() => lib.llama_decode(ctx, lib.llama_batch_get_one(null, 0))),
    /^llama_decode: assertion failed: batch_inp\.token \|\| batch_inp\.embd \(src\/llama-context\.cpp:\d+\)$/,
  );
  assertMatch(message(() => lib.llama_decode(ctx, new lib.llama_batch())), /^llama_decode: assertion failed: batch_inp\.token/);
  assertEquals(lib.llama_decode(ctx, lib.llama_batch_get_one(TOKENS, 0)), -1); // which C says itself
  assertEquals(decode(ctx).length, 64);
  assertDecodes();
});

quietly("a sampler that is asked before anything was decoded is an Error", () => {
  using ctx = tinyContext(theModel());
  using greedy = lib.llama_sampler_init_greedy();
  assertMatch(message(() => lib.llama_sampler_sample(greedy, ctx, -1)), /^llama_sampler_sample: assertion failed: logits != nullptr/);
  decode(ctx);
  assert(lib.llama_sampler_sample(greedy, ctx, -1) >= 0);
  assertDecodes();
});

quietly("an id outside of the vocabulary is an Error", () => {
  const vocab = lib.llama_model_get_vocab(theModel()), bytes = new Uint8Array(16);
  for (const id of [64, 1_000_000, -1, 2 ** 31 - 1]) {
    assertMatch(
      message(() => lib.llama_token_to_piece(vocab, id, bytes, 16, 0, true)),
      /^llama_token_to_piece: a C\+\+ exception that nobody catches: std::out_of_range: /,
    );
    assertMatch(message(() => lib.llama_vocab_get_text(vocab, id)), /^llama_vocab_get_text: .* std::out_of_range/);
    assertMatch(message(() => lib.llama_vocab_is_control(vocab, id)), /^llama_vocab_is_control\(token\): expected the index of a token/);
  }
  const length = lib.llama_token_to_piece(vocab, 44, bytes, 16, 0, true);
  assertEquals(new TextDecoder().decode(bytes.subarray(0, length)), " t");
  assertDecodes();
});

quietly("groups of a grammar that are too deep in each other are an Error, and many beside each other, or in texts, are not", () => {
  const vocab = lib.llama_model_get_vocab(theModel()), nested = (depth: number) => `root ::= ${"(".repeat(depth)}"a"${")".repeat(depth)}`;
  for (const grammar of [nested(1000), `root ::= ${'("a") '.repeat(2000)}`, `root ::= "${"(".repeat(2000)}\\"(" [(${"(".repeat(2000)}]`]) {
    using sampler = lib.llama_sampler_init_grammar(vocab, grammar, "root");
    assert(sampler !== null);
  }
  const says = "(grammar_str): expected at most 1000 groups in each other, got more";
  assertEquals(message(() => lib.llama_sampler_init_grammar(vocab, nested(1001), "root")), `llama_sampler_init_grammar${says}`);
  assertEquals(
    message(() => lib.llama_sampler_init_grammar_lazy_patterns(vocab, nested(30_000), "root", [], 0, new Int32Array(), 0)),
    `llama_sampler_init_grammar_lazy_patterns${says}`,
  );
  assertDecodes();
});

/** Calls with something wrong, by what they are about. Each is an Error, or C has an answer of its own. */
const WRONG: Readonly<Record<string, (ctx: lib.llama_context, n: number) => unknown>> = {
  "a token": (ctx, n) => lib.llama_decode(ctx, lib.llama_batch_get_one(Int32Array.of(n), 1)),
  "more tokens than the batch has": (ctx, n) => {
    const batch = lib.llama_batch_get_one(TOKENS, 3);
    batch.n_tokens = Math.abs(n);
    return lib.llama_decode(ctx, batch);
  },
  "more tokens than there was room for": (ctx, n) => {
    using batch = lib.llama_batch_init(4, 0, 1);
    batch.n_tokens = Math.abs(n);
    return lib.llama_decode(ctx, batch);
  },
  "positions": (ctx, n) => {
    const batch = lib.llama_batch_get_one(TOKENS, 3);
    batch.pos = Int32Array.of(n, n, 7);
    return lib.llama_decode(ctx, batch);
  },
  "positions that are too few": (ctx) => {
    const batch = lib.llama_batch_get_one(TOKENS, 3);
    batch.pos = Int32Array.of(0);
    return lib.llama_decode(ctx, batch);
  },
  "numbers of sequences": (ctx, n) => {
    using batch = lib.llama_batch_init(4, 0, 1);
    batch.n_tokens = 1;
    new Int32Array(batch.token!.bytes(4).buffer)[0] = 1;
    new Int32Array(batch.n_seq_id!.bytes(4).buffer)[0] = n;
    return lib.llama_decode(ctx, batch);
  },
  "lists of sequences without their lengths": (ctx) => {
    using batch = lib.llama_batch_init(4, 0, 1);
    const wrong = lib.llama_batch_get_one(TOKENS, 3);
    wrong.seq_id = batch.seq_id;
    return lib.llama_decode(ctx, wrong);
  },
  "embeddings for a narrower model": (ctx) => {
    using batch = lib.llama_batch_init(4, 8, 1);
    batch.n_tokens = 4;
    return lib.llama_decode(ctx, batch);
  },
  "a batch of negative size": (_ctx, n) => lib.llama_batch_init(-Math.abs(n), 0, 1),
  "a sequence of the memory": (ctx, n) => lib.llama_memory_seq_pos_max(lib.llama_get_memory(ctx)!, n),
  "sequences to copy": (ctx, n) => lib.llama_memory_seq_cp(lib.llama_get_memory(ctx)!, n, n + 1, 0, -1),
  "positions to divide": (ctx) => lib.llama_memory_seq_div(lib.llama_get_memory(ctx)!, 0, 0, -1, 0),
  "the state of a sequence": (ctx, n) => lib.llama_state_seq_get_size(ctx, n),
  "a state of a wrong length": (ctx) => lib.llama_state_set_data(ctx, new Uint8Array(3), 3),
  "a state of noise": (ctx) => lib.llama_state_set_data(ctx, new Uint8Array(100).fill(0x7f), 100),
  "a state of a length that isn't said": (ctx) => lib.llama_set_state_data(ctx, new Uint8Array(8).fill(1)),
  "a state of a sequence of noise": (ctx) => lib.llama_state_seq_set_data(ctx, new Uint8Array(50).fill(9), 50, 0),
  "a state's file that isn't there": (ctx) =>
    lib.llama_state_load_file(ctx, `${folder}/missing`, new Int32Array(4), 4, new BigUint64Array(1)),
  "logits": (ctx, n) => lib.llama_get_logits_ith(ctx, n),
  "embeddings": (ctx, n) => lib.llama_get_embeddings_ith(ctx, n),
  "a sampler's index": (ctx, n) => lib.llama_sampler_sample(lib.llama_sampler_init_greedy(), ctx, n),
  "an encoder": (ctx) => lib.llama_encode(ctx, lib.llama_batch_get_one(TOKENS, 3)),
  "threads": (ctx) => lib.llama_set_n_threads(ctx, 100_000, 1),
  "an adapter's file": () => lib.llama_adapter_lora_init(theModel(), "/dev/null"),
  "a text of negative length": (_ctx, n) => lib.llama_tokenize(vocab(), "abc", -Math.abs(n), new Int32Array(4), 4, false, false),
  "a text that no token stands for": () => lib.llama_tokenize(vocab(), "\u2603", 3, new Int32Array(9), 9, false, false),
  "tokens that are no text": (_ctx, n) => lib.llama_detokenize(vocab(), Int32Array.of(n), 1, new Uint8Array(8), 8, false, false),
  "a grammar that doesn't parse": () => lib.llama_sampler_init_grammar(vocab(), "root ::= (", "root"),
  "a grammar without a root": () => lib.llama_sampler_init_grammar(vocab(), "foo ::= [a-z]", "root"),
  "a grammar that calls itself first": () => lib.llama_sampler_init_grammar(vocab(), "root ::= root", "root"),
  "what a grammar doesn't accept": (_ctx, n) =>
    lib.llama_sampler_accept(lib.llama_sampler_init_grammar(vocab(), 'root ::= "a"', "root"), n),
  "a sampler that is no chain": () => lib.llama_sampler_chain_n(lib.llama_sampler_init_greedy()),
  "another sampler's state": () => lib.llama_sampler_copy(lib.llama_sampler_init_dist(1), lib.llama_sampler_init_greedy()),
  "a sampler without functions": () => lib.llama_sampler_name(lib.llama_sampler_init(new lib.llama_sampler_i(), null)),
  "a sampler that isn't a chain in a context": (ctx) => lib.llama_set_sampler(ctx, 0, lib.llama_sampler_init_greedy()),
  "candidates that aren't there": () =>
    lib.llama_sampler_apply(
      lib.llama_sampler_init_greedy(),
      new lib.llama_token_data_array({ size: 10, data: new lib.llama_token_data() }),
    ),
  "how far a sampler looks back": () => lib.llama_sampler_init_penalties(64, 2 ** 31 - 1, 1, 0, 0),
  "a control vector": (ctx) => lib.llama_set_adapter_cvec(ctx, new Float32Array(3), 3, 7, 0, 1),
  "a chat without messages": () => lib.llama_chat_apply_template("chatml", new lib.llama_chat_message(), 1, true, null, 0),
  "a path that is no part": () => lib.llama_split_prefix(new Uint8Array(9), 9, "nothing", 1, 2),
  "training with a mapped model": trainMapped,
};

function vocab(): lib.llama_vocab {
  return lib.llama_model_get_vocab(theModel());
}

/** Trains a model whose weights are its file's. */
function trainMapped(): void {
  using model = loadTinyLlama(pathOf("no_vocab"));
  using ctx = tinyContext(model, { n_ctx: 256, n_batch: 64, n_ubatch: 64, type_k: lib.GGML_TYPE_F32, type_v: lib.GGML_TYPE_F32 });
  const get_opt_pars = new lib.ggml_opt_get_optimizer_params(() => lib.ggml_opt_get_default_optimizer_params(null));
  const param_filter = new lib.llama_opt_param_filter(() => true);
  lib.llama_opt_init(ctx, model, new lib.llama_opt_params({ param_filter, get_opt_pars }));
  using texts = lib.ggml_opt_dataset_init(lib.GGML_TYPE_I32, lib.GGML_TYPE_I32, 256, 256, 2, 1);
  for (const tensor of [lib.ggml_opt_dataset_data(texts), lib.ggml_opt_dataset_labels(texts)!]) {
    tensor.data!.bytes(lib.ggml_nbytes(tensor)).fill(0);
  }
  lib.llama_opt_epoch(ctx, texts, lib.ggml_opt_result_init(), null, 1, null, null);
}

quietly("300 calls with wrong ids, positions, sequences, samplers, grammars and files are Errors, or have an answer", () => {
  let calls = 0, errors = 0;
  for (const n of [1_000_000, 64, -1, -7, 2 ** 31 - 1, 257, 1000, 65_536]) {
    for (const [what, call] of Object.entries(WRONG)) {
      using ctx = tinyContext(theModel());
      calls++;
      try {
        call(ctx, n);
      } catch (error) {
        errors++;
        assertMatch((error as Error).message, /^(llama|ggml)_\w+/, `${what}, ${n}`);
      }
    }
    assertDecodes();
  }
  assert(calls >= 300 && errors >= 150, `${calls} calls, ${errors} Errors`);
});

quietly("files that are no models are null, those that are nearly models too, or an Error", () => {
  const good = Deno.readFileSync(pathOf("llama")), path = `${folder}/broken.gguf`;
  const params = lib.llama_model_default_params();
  for (const bytes of [new Uint8Array(), new Uint8Array(1000), good.subarray(0, 100), good.subarray(0, good.length - 1000)]) {
    Deno.writeFileSync(path, bytes);
    assertEquals(lib.llama_model_load_from_file(path, params), null);
  }
  assertEquals(lib.llama_model_load_from_file(`${folder}/missing`, params), null);
  assertEquals(lib.llama_model_load_from_file(folder, params), null);
  const none = good.slice(), key = new TextEncoder().encode("llama.block_count");
  const at = none.findIndex((_, i) => key.every((byte, j) => none[i + j] === byte)) + key.length + 4;
  new DataView(none.buffer).setUint32(at, 0, true);
  Deno.writeFileSync(path, none);
  assertMatch(
    message(() => lib.llama_model_load_from_file(path, params)),
    /^llama_model_load_from_file: assertion failed: hparams\.n_layer_all > 0/,
  );
  assertDecodes();
});

quietly("more threads than the machine can be asked for, contexts longer than any are Errors", () => {
  assertMatch(
    message(() => tinyContext(theModel(), { n_threads: 100_000 })),
    /^llama_init_from_model\(params\): n_threads: expected at most \d+ threads/,
  );
  assertMatch(
    message(() => tinyContext(theModel(), { n_ctx: 2 ** 31 })),
    /^llama_init_from_model\(params\): n_ctx: expected 0 to 16777216, got/,
  );
  using ctx = tinyContext(theModel());
  assertMatch(message(() => lib.llama_set_n_threads(ctx, 1, 100_000)), /^llama_set_n_threads\(n_threads_batch\): expected at most/);
  decode(ctx);
});

quietly("what a batch points to is as long as the batch says, in JavaScript's memory and in C's", () => {
  using ctx = tinyContext(theModel());
  const batch = lib.llama_batch_get_one(TOKENS, 3);
  batch.logits = new Int8Array(2);
  assertMatch(
    message(() => lib.llama_decode(ctx, batch)),
    /^llama_decode\(batch\): expected room for 3 elements in its logits \(n_tokens\), got 2$/,
  );
  batch.logits = new Int8Array(3).fill(1);
  assertEquals(lib.llama_decode(ctx, batch), 0);
  lib.llama_memory_clear(lib.llama_get_memory(ctx), true);
  using made = lib.llama_batch_init(4, 0, 2);
  made.n_tokens = 5;
  assertMatch(
    message(() => lib.llama_decode(ctx, made)),
    /^llama_decode\(batch\): expected room for 5 elements in its token \(n_tokens\), got 4$/,
  );
  made.n_tokens = 4;
  new Int32Array(made.token!.bytes(16).buffer).fill(1);
  new Int32Array(made.pos!.bytes(16).buffer).set([0, 1, 2, 3]);
  new Int32Array(made.n_seq_id!.bytes(16).buffer).fill(3);
  assertMatch(message(() => lib.llama_decode(ctx, made)), /^llama_decode\(batch\): n_seq_id\[0\]: expected 1 to 2, got 3$/);
  new Int32Array(made.n_seq_id!.bytes(16).buffer).fill(1);
  for (const list of new BigUint64Array(made.seq_id!.bytes(32).buffer)) {
    new Int32Array(Deno.UnsafePointerView.getArrayBuffer(Deno.UnsafePointer.create(list)!, 4))[0] = 0;
  }
  made.logits!.bytes(4).fill(1);
  assertEquals(lib.llama_decode(ctx, made), 0);
});

quietly("2,000 times more tokens than a batch may have: no memory grows, and the next is right", () => {
  using ctx = tinyContext(theModel());
  const many = lib.llama_batch_get_one(new Int32Array(1000), 1000);
  const fail = () =>
    assertMatch(message(() => lib.llama_decode(ctx, many)), /^llama_decode: assertion failed: n_tokens_all <= cparams\.n_batch/);
  for (let i = 0; i < 500; i++) fail();
  const before = Deno.memoryUsage().rss;
  for (let i = 0; i < 2000; i++) fail();
  const grown = Deno.memoryUsage().rss - before;
  assert(grown < 16 << 20, `${grown} bytes more`);
  assertEquals(decode(ctx), right ?? decode(tinyContext(theModel())));
  assertDecodes();
});

/** Throws `std::length_error` out of libllama. */
function throwInC(): never {
  return lib.llama_tokenize(vocab(), "abc", -1, new Int32Array(4), 4, false, false) as never;
}

const LENGTH_ERROR = /^llama_tokenize: a C\+\+ exception that nobody catches: std::length_error: basic_string::_M_create$/;

quietly("an exception of C++ is an Error with its type and what(), called for the first time and compiled by V8", () => {
  for (let i = 0; i < 20_000; i++) {
    const error = assertThrows(throwInC, Error);
    if (i % 1000 === 0) assertMatch(error.message, LENGTH_ERROR);
  }
  assertDecodes();
});

quietly("an exception of C++ within a callback, which C++ calls", () => {
  using ctx = tinyContext(theModel());
  decode(ctx);
  let caught = 0;
  const sampler = (apply: (candidates: lib.llama_token_data_array) => void) => {
    const iface = new lib.llama_sampler_i({ apply: new lib.llama_sampler_i_apply((_, candidates) => apply(candidates!)) });
    return lib.llama_sampler_init(iface, null);
  };
  using careful = sampler((candidates) => {
    assertMatch(message(throwInC), LENGTH_ERROR);
    caught++;
    candidates.selected = 5;
  });
  for (let i = 0; i < 100; i++) assertEquals(lib.llama_sampler_sample(careful, ctx, -1), 5);
  assertEquals(caught, 100);
  using careless = sampler(throwInC);
  assertMatch(message(() => lib.llama_sampler_sample(careless, ctx, -1)), LENGTH_ERROR);
  using beyond = sampler((candidates) => void (candidates.selected = 1_000_000));
  assertMatch(message(() => lib.llama_sampler_sample(beyond, ctx, -1)), /^llama_sampler_sample: assertion failed: cur_p\.selected >= 0/);
  assertEquals(lib.llama_sampler_sample(careful, ctx, -1), 5);
});

quietly("exceptions of C++ on other threads reject, each with its own, and the others are right", async () => {
  const text = new TextEncoder().encode("the\0"), room = new Int32Array(8);
  const addressOf = (memory: Uint8Array<ArrayBuffer> | Int32Array<ArrayBuffer>) =>
    BigInt(Deno.UnsafePointer.value(Deno.UnsafePointer.of(memory)));
  const args = (length: bigint) => [vocab().address, addressOf(text), length, addressOf(room), 8n, 0n, 0n];
  const calls = Array.from({ length: 60 }, async (_, i) => {
    if (i % 2 === 0) return assertEquals(Number(await callAside("llama_tokenize", "tokenize", args(3n))) > 0, true);
    const { message } = await assertRejects(() => callAside("llama_tokenize", "tokenize", args(-1n)), Error);
    assertMatch(message, /^tokenize: a C\+\+ exception that nobody catches: std::length_error/);
  });
  await Promise.all(calls);
  assertDecodes();
});

quietly("exceptions of C++ in Workers", async () => {
  const path = pathOf("llama");
  const text = `
    import { lib } from "${new URL("../../mod.ts", import.meta.url)}";
    import { loadTinyLlama } from "${new URL("../tiny_llama.ts", import.meta.url)}";
    const vocab = lib.llama_model_get_vocab(loadTinyLlama(${JSON.stringify(path)}));
    const messages = new Set();
    for (let i = 0; i < 3000; i++) {
      try { lib.llama_tokenize(vocab, "abc", -1, new Int32Array(4), 4, false, false); } catch (error) { messages.add(error.message); }
    }
    postMessage([...messages]);`;
  for (const messages of await Promise.all([inWorker(text), inWorker(text)]) as string[][]) {
    assertEquals(messages.length, 1);
    assertMatch(messages[0], LENGTH_ERROR);
  }
  assertDecodes();
});

/** A sampler that C fails to free: its interface has it call a function of C's that asserts. */
function unfreeable(): lib.llama_sampler {
  const free = lib.llama_sampler_i_free.from(library().address("llama_perf_sampler_reset")!)!;
  return lib.llama_sampler_init(new lib.llama_sampler_i({ free }), null);
}

const INVALID = /llama_sampler_free: .*invalid sampler passed/;

quietly("what fails inside of C when it is freed is an Error there, by hand and by `using`", () => {
  const sampler = unfreeable();
  assertMatch(message(() => lib.llama_sampler_free(sampler)), INVALID);
  assertMatch(
    message(() => {
      using _sampler = unfreeable();
    }),
    INVALID,
  );
  assertDecodes();
});

Deno.test("what fails inside of C when it is collected is reported, and not the next call's", async () => {
  const { code, stdout, stderr } = await program(
    `
    import { lib } from "@ggml/deno";
    import { library } from "${new URL("../../ffi/load/library.ts", import.meta.url)}";
    const free = lib.llama_sampler_i_free.from(library().address("llama_perf_sampler_reset"));
    const make = () => { for (let i = 0; i < 10; i++) lib.llama_sampler_init(new lib.llama_sampler_i({ free }), null); };
    make();
    for (let i = 0; i < 20; i++) { gc(); await new Promise((resolve) => setTimeout(resolve, 5)); }
    console.log(lib.ggml_type_name(lib.GGML_TYPE_F32), lib.llama_max_devices() > 0);`,
    ["--allow-ffi", "--v8-flags=--expose-gc"],
  );
  assertEquals([code, stdout], [0, "f32 true\n"], stderr);
  const reports =
    stderr.match(/a llama_sampler that nobody holds could not be freed: Error: llama_sampler_free: .*invalid sampler passed/g) ?? [];
  assert(reports.length >= 8, stderr);
});

quietly("a function of C's that is called by its pointer", () => {
  const callback = lib.llama_sampler_i_free.from(library().address("llama_perf_sampler_reset")!)!;
  using greedy = lib.llama_sampler_init_greedy();
  assertMatch(message(() => callback.call(greedy)), /^llama_sampler_i_free: .*invalid sampler passed/);
  assertDecodes();
});

quietly("adapters, memory of a context, and tokens go on after all that", () => {
  writeTinyAdapter(`${folder}/adapter.gguf`);
  using ctx = tinyContext(theModel());
  using adapter = lib.llama_adapter_lora_init(theModel(), `${folder}/adapter.gguf`)!;
  assertEquals(lib.llama_set_adapters_lora(ctx, [adapter], 1, Float32Array.of(1)), 0);
  decode(ctx);
  const size = lib.llama_state_get_size(ctx), state = new Uint8Array(size);
  assertEquals(lib.llama_state_get_data(ctx, state, size), size);
  assertEquals(lib.llama_state_set_data(ctx, state, size), size);
  using context = init();
  assert(lib.ggml_used_mem(context) >= 0);
});

fuzzes("llama", 3000);
fuzzes("files", 400);

quietly("llama's default number of threads is this machine's, and more than it can be asked for are an Error", () => {
  const cores = navigator.hardwareConcurrency, { n_threads, n_threads_batch } = lib.llama_context_default_params();
  assertEquals([n_threads, n_threads_batch], [cores, cores]);
  using ctx = tinyContext(theModel());
  assertEquals(message(() => lib.llama_set_n_threads(ctx, 100000, 1)).includes("llama_set_n_threads(n_threads): expected at most"), true);
  assertDecodes();
});
