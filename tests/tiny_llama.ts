/**
 * A language model of a few kilobytes, written by the test itself, so that libllama's objects can be made without a download.
 *
 * Its weights are a ramp: what it says means nothing.
 *
 * @module
 */

import { lib, load } from "@ggml/deno";
import { copy, init } from "@ggml/deno/utils";

const VOCAB = 64, EMBD = 32, HEADS = 2, FF = 64;

/** How the model's tokens are made of text: not at all, or as SentencePiece or GPT-2 do it. */
export type Tokenizer = "no_vocab" | "llama" | "gpt2";

/** Writes the model to a file. */
export function writeTinyLlama(path: string, tokenizer: Tokenizer = "no_vocab", blocks = 1): void {
  using ctx = init({ memSize: blocks << 20 });
  using gguf = describeTinyLlama(ctx, tokenizer, blocks);
  write(gguf, path);
}

/** What the model's file says of it, and its tensors, of which `ctx` holds the numbers. */
export function describeTinyLlama(ctx: lib.ggml_context, tokenizer: Tokenizer = "no_vocab", blocks = 1): lib.gguf_context {
  const gguf = lib.gguf_init_empty();
  lib.gguf_set_val_str(gguf, "general.architecture", "llama");
  lib.gguf_set_val_str(gguf, "tokenizer.ggml.model", tokenizer);
  if (tokenizer !== "no_vocab") addVocabulary(gguf, tokenizer);
  const numbers = {
    vocab_size: VOCAB,
    context_length: 64,
    embedding_length: EMBD,
    block_count: blocks,
    feed_forward_length: FF,
    "attention.head_count": HEADS,
    "attention.head_count_kv": HEADS,
    "rope.dimension_count": EMBD / HEADS,
  };
  for (const [key, value] of Object.entries(numbers)) lib.gguf_set_val_u32(gguf, `llama.${key}`, value);
  lib.gguf_set_val_f32(gguf, "llama.attention.layer_norm_rms_epsilon", 1e-5);
  addTensors(gguf, ctx, shapes(blocks));
  return gguf;
}

/** The letters, what some of them become together, and what every vocabulary has. */
function addVocabulary(gguf: lib.gguf_context, tokenizer: "llama" | "gpt2"): void {
  const space = tokenizer === "llama" ? "\u2581" : "\u0120", newline = tokenizer === "llama" ? "<0x0A>" : "\u010a";
  const letters = [..."abcdefghijklmnopqrstuvwxyz0123456789.,"];
  const merged = [`${space}a`, `${space}t`, "th", "he", "in", "er", `${space}the`, `${space}in`, "ing", `${space}i`, "ti", "on", "es"];
  const tokens = ["<unk>", "<s>", "</s>", newline, space, ...letters, ...merged];
  tokens.push(...Array.from({ length: VOCAB - tokens.length }, (_, i) => `<extra_${i}>`));
  const types: number[] = tokens.map((token, i) =>
    i === 0 ? UNKNOWN : i < 3 ? CONTROL : token.startsWith("<extra") ? USER_DEFINED : NORMAL
  );
  if (tokenizer === "llama") types[3] = BYTE;
  const setArray = (key: string, type: lib.gguf_type, values: Int32Array<ArrayBuffer> | Float32Array<ArrayBuffer>) =>
    lib.gguf_set_arr_data(gguf, `tokenizer.ggml.${key}`, type, values, values.length);
  lib.gguf_set_arr_str(gguf, "tokenizer.ggml.tokens", tokens, tokens.length);
  setArray("scores", lib.GGUF_TYPE_FLOAT32, Float32Array.from(tokens, (_, i) => -i));
  setArray("token_type", lib.GGUF_TYPE_INT32, Int32Array.from(types));
  if (tokenizer === "gpt2") lib.gguf_set_arr_str(gguf, "tokenizer.ggml.merges", ["t h", "h e", "i n", "e r", "o n"], 5);
  lib.gguf_set_val_u32(gguf, "tokenizer.ggml.bos_token_id", 1);
  lib.gguf_set_val_u32(gguf, "tokenizer.ggml.eos_token_id", 2);
  lib.gguf_set_val_u32(gguf, "tokenizer.ggml.unknown_token_id", 0);
}

/** `enum llama_token_type`, as files have it. */
const NORMAL = 1, UNKNOWN = 2, CONTROL = 3, USER_DEFINED = 4, BYTE = 6;

/** Writes an adapter of the model to a file. */
export function writeTinyAdapter(path: string): void {
  using ctx = init({ memSize: 1 << 20 });
  using gguf = lib.gguf_init_empty();
  lib.gguf_set_val_str(gguf, "general.architecture", "llama");
  lib.gguf_set_val_str(gguf, "general.type", "adapter");
  lib.gguf_set_val_str(gguf, "adapter.type", "lora");
  lib.gguf_set_val_f32(gguf, "adapter.lora.alpha", 1);
  addTensors(gguf, ctx, { "blk.0.attn_q.weight.lora_a": [EMBD, 2], "blk.0.attn_q.weight.lora_b": [2, EMBD] });
  write(gguf, path);
}

function addTensors(gguf: lib.gguf_context, ctx: lib.ggml_context, shapes: Readonly<Record<string, number[]>>): void {
  for (const [name, ne] of Object.entries(shapes)) {
    const tensor = lib.ggml_new_tensor(ctx, lib.GGML_TYPE_F32, ne.length, BigInt64Array.from(ne, BigInt));
    tensor.name = name;
    copy(Float32Array.from({ length: ne.reduce((a, b) => a * b) }, (_, i) => (i % 7 - 3) / 10), tensor);
    lib.gguf_add_tensor(gguf, tensor);
  }
}

function write(gguf: lib.gguf_context, path: string): void {
  if (!lib.gguf_write_to_file(gguf, path, false)) throw new Error(`can't write ${path}`);
}

function shapes(blocks: number): Record<string, number[]> {
  const square = [EMBD, EMBD],
    all: Record<string, number[]> = {
      "token_embd.weight": [EMBD, VOCAB],
      "output_norm.weight": [EMBD],
      "output.weight": [EMBD, VOCAB],
    };
  const block = {
    attn_norm: [EMBD],
    attn_q: square,
    attn_k: square,
    attn_v: square,
    attn_output: square,
    ffn_norm: [EMBD],
    ffn_gate: [EMBD, FF],
    ffn_up: [EMBD, FF],
    ffn_down: [FF, EMBD],
  };
  for (let i = 0; i < blocks; i++) for (const [name, ne] of Object.entries(block)) all[`blk.${i}.${name}.weight`] = ne;
  return all;
}

/** Loads it, quietly. */
export function loadTinyLlama(path: string): lib.llama_model {
  lib.ggml_backend_load_all_from_path(load().path);
  const params = lib.llama_model_default_params();
  params.n_gpu_layers = 0;
  const model = lib.llama_model_load_from_file(path, params);
  if (model === null) throw new Error(`can't load ${path}`);
  return model;
}

/** A context of it, on one thread. */
export function tinyContext(model: lib.llama_model, fields: Partial<lib.llama_context_params> = {}): lib.llama_context {
  const params = Object.assign(lib.llama_context_default_params(), { n_ctx: 64, n_threads: 1, n_threads_batch: 1, ...fields });
  const ctx = lib.llama_init_from_model(model, params);
  if (ctx === null) throw new Error("can't make a context");
  return ctx;
}
