/**
 * Checks of libllama: batches, samplers, states, and how much of the machine is asked for.
 *
 * Most of what it doesn't check throws a C++ exception or uses a null pointer, which the trap catches. Here is what it reads or writes beyond.
 *
 * @module
 */

import type { Data } from "../../core/arguments.ts";
import { ABI } from "../../generated/layouts.js";
import type { lib as generated } from "../../generated/lib.js";
import { sequencesAt } from "../told.ts";
import { addressIn, bytesBehind } from "./room.ts";
import { expectBetween, expectIndex, functionOf, type Int, type Lib, numbersOf } from "./say.ts";
import { expectThreads } from "./thread_count.ts";

/** The API; anything where it is ggml's alone, without llama.h: then nothing here is ever called. */
// deno-lint-ignore no-explicit-any
type LlamaLib = Lib extends { readonly llama_decode: unknown } ? Lib : any;
/** A handle of it. */
// deno-lint-ignore no-explicit-any
type Of<Name extends string> = Lib extends Readonly<Record<Name, abstract new (...args: never) => infer Instance>> ? Instance : any;

const RECORDS: Readonly<Record<string, { readonly fields: Readonly<Record<string, number>> }>> = ABI.records;

type Batch = Of<"llama_batch">;
type Context = Of<"llama_context">;
type Sampler = Of<"llama_sampler">;
type Vocab = Of<"llama_vocab">;

/** The numbers of 32 bits at an address. */
function integersAt(address: bigint, count: number): Int32Array {
  return new Int32Array(Deno.UnsafePointerView.getArrayBuffer(Deno.UnsafePointer.create(address)!, 4 * count));
}

/** Throws unless there is room for so many elements where a batch's field points; null is nothing to read. */
function expectRoom(where: string, batch: Batch, field: string, count: number, width: number): bigint {
  const address = addressIn(batch, field);
  if (address === 0n) return 0n;
  const room = Math.floor(bytesBehind(batch.owner, address) / width);
  if (room < count) throw new RangeError(`${where}(batch): expected room for ${count} elements in its ${field} (n_tokens), got ${room}`);
  return address;
}

/**
 * A batch as long as it says it is. C reads each array that is there to `n_tokens`, and of each token so many sequences as `n_seq_id` says; where
 * it makes that list itself, it has one entry.
 */
function expectBatch(where: string, lib: LlamaLib, ctx: Context, batch: Batch): void {
  const { n_tokens } = batch;
  if (n_tokens <= 0) return; // C asserts that, or says so
  const model = lib.llama_get_model(ctx);
  const token = expectRoom(where, batch, "token", n_tokens, 4);
  expectRoom(where, batch, "embd", n_tokens * embeddingOf(lib, model), 4);
  expectRoom(where, batch, "pos", n_tokens * (token === 0n ? positionsOf(lib, model) : 1), 4);
  expectRoom(where, batch, "logits", n_tokens, 1);
  const lists = expectRoom(where, batch, "seq_id", n_tokens, 8), counts = expectRoom(where, batch, "n_seq_id", n_tokens, 4);
  if (counts === 0n) return;
  const most = lists === 0n ? 1 : sequencesAt(lists) ?? lib.llama_max_parallel_sequences();
  integersAt(counts, n_tokens).forEach((count, i) => {
    if (!(count >= 1 && count <= most)) expectBetween(`${where}(batch): n_seq_id[${i}]`, count, 1, most);
    if (count > 1 && lists !== 0n) expectSequences(where, batch, lists, i, count);
  });
}

/** A token's list of sequences, as long as is said. */
function expectSequences(where: string, batch: Batch, lists: bigint, i: number, count: number): void {
  const list = new Deno.UnsafePointerView(Deno.UnsafePointer.create(lists)!).getBigUint64(8 * i);
  const room = Math.floor(bytesBehind(batch.owner, list) / 4);
  if (room < count) throw new RangeError(`${where}(batch): expected ${count} sequences in seq_id[${i}] (n_seq_id[${i}]), got ${room}`);
}

/** The numbers that an embedding has. Before it had a function of its own it was as long as those that come out. */
function embeddingOf(lib: LlamaLib, model: Of<"llama_model">): number {
  const ownOf = functionOf<(model: Of<"llama_model">) => number>(lib, "llama_model_n_embd_inp");
  return (ownOf ?? lib.llama_model_n_embd)(model);
}

/** The positions that an embedding has: of images, several. */
function positionsOf(lib: LlamaLib, model: Of<"llama_model">): number {
  const type = lib.llama_model_rope_type(model);
  return type === lib.LLAMA_ROPE_TYPE_MROPE || type === numbersOf(lib).LLAMA_ROPE_TYPE_IMROPE ? 4 : 1;
}

/** Most tokens of a batch: for each there is an allocation of its own. */
const MOST_TOKENS = 2 ** 24;
/** Most tokens that a sampler looks back on. It makes room for all at once. */
const MOST_LOOKED_BACK_ON = 2 ** 24;

/** A sampler that `llama_sampler_chain_init` made: C takes any other's memory for a chain's. */
function expectChain(where: string, lib: LlamaLib, sampler: Sampler): void {
  if (lib.llama_sampler_chain_get(sampler, -1) !== null) return;
  throw new TypeError(`${where}: expected a chain of samplers, as llama_sampler_chain_init makes, got another sampler`);
}

/** How deep groups of a grammar may lie in each other: C calls itself for each, until its stack is full, and then frees what it made on that stack. */
const DEEPEST_GROUP = 1000;

/** A grammar whose groups aren't too deep in each other. */
function expectGrammar(where: string, grammar: string | null): void {
  if (grammar === null || grammar.split("(", DEEPEST_GROUP + 2).length <= DEEPEST_GROUP + 1) return;
  let depth = 0;
  for (const [text] of grammar.matchAll(/"(?:[^"\\]|\\[^])*"|\[(?:[^\]\\]|\\[^])*\]|#.*|[()]/g)) {
    if (text === "(") depth++;
    if (text === ")") depth--;
    if (depth > DEEPEST_GROUP) {
      throw new RangeError(`${where}(grammar_str): expected at most ${DEEPEST_GROUP} groups in each other, got more`);
    }
  }
}

/** A token of the vocabulary: C looks up its attributes at any index. */
function expectToken(where: string, lib: LlamaLib, vocab: Vocab, token: number): void {
  if (lib.llama_vocab_type(vocab) === lib.LLAMA_VOCAB_TYPE_NONE) return; // C asserts that it isn't
  expectIndex(where, token, lib.llama_vocab_n_tokens(vocab), "token");
}

/** Most tokens of a context. For each there is an entry in tables that C fills at once, besides what the model keeps of it. */
const LONGEST_CONTEXT = 2 ** 24;

function expectContext(where: string, lib: LlamaLib, params: Of<"llama_context_params">): void {
  expectBetween(`${where}(params): n_ctx`, params.n_ctx, 0, LONGEST_CONTEXT);
  if (params.attention_type === lib.LLAMA_ATTENTION_TYPE_NON_CAUSAL) { // n_ctx doesn't bound it
    expectBetween(`${where}(params): n_batch`, params.n_batch, 0, LONGEST_CONTEXT);
  }
  expectThreads(`${where}(params): n_threads`, params.n_threads);
  expectThreads(`${where}(params): n_threads_batch`, params.n_threads_batch);
  expectSamplers(where, lib, params);
}

/** The samplers of a context, in releases that have any there, as many as is said. */
function expectSamplers(where: string, lib: LlamaLib, params: Of<"llama_context_params"> & Partial<Samplers>): void {
  const { n_samplers, owner } = params, address = addressIn(params, "samplers");
  if (!n_samplers || address === 0n) return;
  const room = bytesBehind(owner, address), { size } = (lib as unknown as Record<string, { size: number }>).llama_sampler_seq_config;
  if (room < n_samplers * size) {
    throw new RangeError(`${where}(params): expected ${n_samplers} samplers (n_samplers), got ${Math.floor(room / size)}`);
  }
  for (let i = 0; i < n_samplers; i++) {
    const { sampler } = params.samplers!.at(i);
    if (sampler !== null) expectChain(`${where}(params): samplers[${i}]`, lib, sampler);
  }
}

interface Samplers {
  readonly n_samplers: number;
  readonly samplers: { at(index: number): { readonly sampler: Sampler | null } } | null;
}

/** An array that ends with an element that `isEnd` says, if it is known how long it is. C reads on until there. */
function expectEnd(
  where: string,
  struct: Of<"llama_model_params"> | Of<"llama_model_quantize_params">,
  field: string,
  end: End,
): void {
  const address = addressIn(struct, field);
  if (address === 0n) return;
  const bytes = bytesBehind(struct.owner, address), count = Math.floor(bytes / end.width);
  if (bytes === Infinity) return;
  const view = new DataView(Deno.UnsafePointerView.getArrayBuffer(Deno.UnsafePointer.create(address)!, count * end.width));
  for (let i = 0; i < count; i++) if (end.isEnd(view, i * end.width)) return;
  throw new RangeError(`${where}(params): expected ${field} to end with ${end.what}, got ${count} without one`);
}

interface End {
  readonly width: number;
  readonly what: string;
  readonly isEnd: (view: DataView, offset: number) => boolean;
}

const isNull: End["isEnd"] = (view, offset) => view.getBigUint64(offset, true) === 0n;
const NULL: End = { width: 8, what: "null", isEnd: isNull };
const MINUS_ONE: End = { width: 4, what: "-1", isEnd: (view, offset) => view.getInt32(offset, true) < 0 };

/** Structs up to one whose first field is null. */
function structs(lib: LlamaLib, type: string): End {
  return { width: (lib as unknown as Record<string, { size: number }>)[type].size, what: "one that is all zeros", isEnd: isNull };
}

/** Overrides up to one without a key. */
function overrides(lib: LlamaLib): End {
  const { size } = lib.llama_model_kv_override, { key } = RECORDS.llama_model_kv_override.fields;
  return { width: size, what: "one without a key", isEnd: (view, offset) => view.getUint8(offset + key) === 0 };
}

function expectModel(where: string, lib: LlamaLib, params: Of<"llama_model_params">): void {
  expectEnd(where, params, "devices", NULL);
  expectEnd(where, params, "tensor_buft_overrides", structs(lib, "llama_model_tensor_buft_override"));
  expectEnd(where, params, "kv_overrides", overrides(lib));
  const split = addressIn(params, "tensor_split");
  if (split === 0n) return;
  const room = Math.floor(bytesBehind(params.owner, split) / 4), needed = lib.llama_max_devices();
  if (room < needed) throw new RangeError(`${where}(params): expected ${needed} floats in tensor_split (llama_max_devices()), got ${room}`);
}

/** Bytes that a caller passed, if they are JavaScript's own. */
function bytesOf(data: Data): Uint8Array<ArrayBuffer> | null {
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
  return data instanceof ArrayBuffer ? new Uint8Array(data) : null;
}

/** A state begins with a text and its length. C makes room for as much as that says, up to 4 GB, before it looks how much there is. */
function expectState(where: string, bytes: Uint8Array<ArrayBuffer>, size: number): void {
  if (size < 4 || bytes.length < 4) return;
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  if (length > size - 4) {
    throw new RangeError(`${where}: expected a state, got ${size} bytes of which the first say that ${length} follow`);
  }
}

/** Throws unless a file holds a state, where reading is allowed: a magic number, a version and the prompt's tokens, with their number, come first. */
function expectStateFile(where: string, path: string): void {
  if (Deno.permissions.querySync({ name: "read", path }).state !== "granted") return;
  try {
    using file = Deno.openSync(path);
    const { size } = file.statSync(), head = new Uint8Array(12);
    if (file.readSync(head) !== 12) return;
    const begin = 12 + 4 * new DataView(head.buffer).getUint32(8, true), length = new Uint8Array(4);
    file.seekSync(begin, Deno.SeekMode.Start);
    if (file.readSync(length) === 4) expectState(where, length, size - begin);
  } catch (error) {
    if (error instanceof RangeError) throw error; // else C says what is wrong with the file
  }
}

/** Checks of functions of llama.h. */
export const llama = {
  llama_decode(lib: LlamaLib, ctx: Context, batch: Batch): void {
    expectBatch("llama_decode", lib, ctx, batch);
  },
  /** Computes a decoder without its memory, which is a null pointer, and leaves the context as if it were an encoder's. */
  llama_encode(lib: LlamaLib, ctx: Context, batch: Batch): void {
    if (lib.llama_get_memory(ctx) !== null && !lib.llama_model_has_encoder(lib.llama_get_model(ctx))) {
      throw new Error("llama_encode(ctx): expected a context of a model that has an encoder; call llama_decode for this one");
    }
    expectBatch("llama_encode", lib, ctx, batch);
  },
  /** Writes the end of its lists before their beginning. */
  llama_batch_init(_lib: LlamaLib, n_tokens: number, embd: number, n_seq_max: number): void {
    expectBetween("llama_batch_init(n_tokens)", n_tokens, 0, MOST_TOKENS);
    expectBetween("llama_batch_init(embd)", embd, 0, Infinity);
    expectBetween("llama_batch_init(n_seq_max)", n_seq_max, 0, MOST_TOKENS);
  },
  llama_set_n_threads(_lib: LlamaLib, _ctx: Context, n_threads: number, n_threads_batch: number): void {
    expectThreads("llama_set_n_threads(n_threads)", n_threads);
    expectThreads("llama_set_n_threads(n_threads_batch)", n_threads_batch);
  },
  llama_init_from_model(lib: LlamaLib, _model: unknown, params: Of<"llama_context_params">): void {
    expectContext("llama_init_from_model", lib, params);
  },
  llama_new_context_with_model(lib: LlamaLib, _model: unknown, params: Of<"llama_context_params">): void {
    expectContext("llama_new_context_with_model", lib, params);
  },
  llama_model_load_from_file(lib: LlamaLib, _path: unknown, params: Of<"llama_model_params">): void {
    expectModel("llama_model_load_from_file", lib, params);
  },
  llama_load_model_from_file(lib: LlamaLib, _path: unknown, params: Of<"llama_model_params">): void {
    expectModel("llama_load_model_from_file", lib, params);
  },
  llama_model_load_from_file_ptr(lib: LlamaLib, _file: unknown, params: Of<"llama_model_params">): void {
    expectModel("llama_model_load_from_file_ptr", lib, params);
  },
  llama_model_load_from_splits(lib: LlamaLib, _paths: unknown, _n_paths: unknown, params: Of<"llama_model_params">): void {
    expectModel("llama_model_load_from_splits", lib, params);
  },
  llama_model_init_from_user(
    lib: LlamaLib,
    _metadata: unknown,
    _set_tensor_data: unknown,
    _set_tensor_data_ud: unknown,
    params: Of<"llama_model_params">,
  ): void {
    expectModel("llama_model_init_from_user", lib, params);
  },
  llama_model_quantize(lib: LlamaLib, _from: unknown, _to: unknown, params: Of<"llama_model_quantize_params">): void {
    const where = "llama_model_quantize";
    expectThreads(`${where}(params): nthread`, params.nthread);
    if (!Object.hasOwn(lib, "llama_model_imatrix_data")) return; // a release whose fields point to C++ objects
    expectEnd(where, params, "imatrix", structs(lib, "llama_model_imatrix_data"));
    expectEnd(where, params, "kv_overrides", overrides(lib));
    expectEnd(where, params, "tt_overrides", structs(lib, "llama_model_tensor_override"));
    expectEnd(where, params, "prune_layers", MINUS_ONE);
  },
  llama_vocab_is_control(lib: LlamaLib, vocab: Vocab, token: number): void {
    expectToken("llama_vocab_is_control(token)", lib, vocab, token);
  },
  llama_token_is_control(lib: LlamaLib, vocab: Vocab, token: number): void {
    expectToken("llama_token_is_control(token)", lib, vocab, token);
  },
  llama_sampler_init_grammar(_lib: LlamaLib, _vocab: unknown, grammar_str: string | null): void {
    expectGrammar("llama_sampler_init_grammar", grammar_str);
  },
  llama_sampler_init_grammar_lazy(_lib: LlamaLib, _vocab: unknown, grammar_str: string | null): void {
    expectGrammar("llama_sampler_init_grammar_lazy", grammar_str);
  },
  llama_sampler_init_grammar_lazy_patterns(_lib: LlamaLib, _vocab: unknown, grammar_str: string | null): void {
    expectGrammar("llama_sampler_init_grammar_lazy_patterns", grammar_str);
  },
  llama_sampler_chain_add(lib: LlamaLib, chain: Sampler): void {
    expectChain("llama_sampler_chain_add(chain)", lib, chain);
  },
  llama_sampler_chain_n(lib: LlamaLib, chain: Sampler): void {
    expectChain("llama_sampler_chain_n(chain)", lib, chain);
  },
  llama_sampler_chain_remove(lib: LlamaLib, chain: Sampler): void {
    expectChain("llama_sampler_chain_remove(chain)", lib, chain);
  },
  llama_set_sampler(lib: LlamaLib, _ctx: Context, _seq_id: number, smpl: Sampler | null): void {
    if (smpl !== null) expectChain("llama_set_sampler(smpl)", lib, smpl);
  },
  /** Reads and sorts as many candidates as there are said to be. */
  llama_sampler_apply(lib: LlamaLib, _smpl: unknown, cur_p: Of<"llama_token_data_array">): void {
    const address = addressIn(cur_p, "data"), { size } = lib.llama_token_data;
    const room = address === 0n ? 0 : Math.floor(bytesBehind(cur_p.owner, address) / size);
    if (cur_p.size > room) {
      throw new RangeError(`llama_sampler_apply(cur_p): expected room for ${cur_p.size} candidates (size), got ${room}`);
    }
  },
  llama_sampler_init_penalties(_lib: LlamaLib, _n_vocab: number, penalty_last_n: number): void {
    expectBetween("llama_sampler_init_penalties(penalty_last_n)", penalty_last_n, -Infinity, MOST_LOOKED_BACK_ON);
  },
  llama_sampler_init_dry(
    _lib: LlamaLib,
    _vocab: Vocab,
    _dry_multiplier: number,
    _dry_base: number,
    _dry_allowed_length: number,
    dry_penalty_last_n: number,
  ): void {
    expectBetween("llama_sampler_init_dry(dry_penalty_last_n)", dry_penalty_last_n, -Infinity, MOST_LOOKED_BACK_ON);
  },
  llama_state_set_data(_lib: LlamaLib, _ctx: Context, src: Data, size: Int): void {
    const bytes = bytesOf(src);
    if (bytes !== null) expectState("llama_state_set_data(src)", bytes, Number(size));
  },
  llama_state_load_file(_lib: LlamaLib, _ctx: Context, path_session: string): void {
    expectStateFile("llama_state_load_file(path_session)", path_session);
  },
  llama_load_session_file(_lib: LlamaLib, _ctx: Context, path_session: string): void {
    expectStateFile("llama_load_session_file(path_session)", path_session);
  },
  /** Reads as much as the state says it has. So it is first read to where the memory ends, which sets it, too. */
  llama_set_state_data(lib: LlamaLib, ctx: Context, src: Data): void {
    const bytes = bytesOf(src);
    if (bytes === null || lib.llama_state_set_data(ctx, bytes, bytes.length) > 0) return;
    throw new RangeError(`llama_set_state_data(src): expected a state of this context, which ${bytes.length} bytes don't hold`);
  },
  /** Copies a text and its labels into memory for as many tokens as the context has, and reads as many as the model is trained for. */
  llama_opt_epoch(lib: LlamaLib, lctx: Context, dataset: generated.ggml_opt_dataset): void {
    const where = "llama_opt_epoch", room = lib.llama_n_ctx(lctx), read = lib.llama_model_n_ctx_train(lib.llama_get_model(lctx));
    if (read > room) {
      throw new RangeError(`${where}(lctx): expected a context of at least the ${read} tokens that its model is trained for, got ${room}`);
    }
    const data = lib.ggml_opt_dataset_data(dataset), labels = lib.ggml_opt_dataset_labels(dataset);
    if (labels === null || labels.data === null) return; // C asserts that there are labels
    const [bytes, expected] = [labels, data].map(({ nb }) => nb[1]);
    if (bytes !== expected) throw new RangeError(`${where}(dataset): expected labels of ${expected} bytes, as its data, got ${bytes}`);
    const tokens = integersAt(labels.data.address, lib.ggml_nbytes(labels) >> 2);
    const wrong = tokens.findIndex((token) => token < 0);
    if (wrong >= 0) throw new RangeError(`${where}(dataset): expected tokens as labels, got ${tokens[wrong]}`);
  },
};
