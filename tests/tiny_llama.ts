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

/** Writes the model to a file. */
export function writeTinyLlama(path: string): void {
  using ctx = init({ memSize: 1 << 20 });
  using gguf = describeTinyLlama(ctx);
  write(gguf, path);
}

/** What the model's file says of it, and its tensors, of which `ctx` holds the numbers. */
export function describeTinyLlama(ctx: lib.ggml_context): lib.gguf_context {
  const gguf = lib.gguf_init_empty();
  lib.gguf_set_val_str(gguf, "general.architecture", "llama");
  lib.gguf_set_val_str(gguf, "tokenizer.ggml.model", "no_vocab");
  const numbers = {
    vocab_size: VOCAB,
    context_length: 64,
    embedding_length: EMBD,
    block_count: 1,
    feed_forward_length: FF,
    "attention.head_count": HEADS,
    "attention.head_count_kv": HEADS,
    "rope.dimension_count": EMBD / HEADS,
  };
  for (const [key, value] of Object.entries(numbers)) lib.gguf_set_val_u32(gguf, `llama.${key}`, value);
  lib.gguf_set_val_f32(gguf, "llama.attention.layer_norm_rms_epsilon", 1e-5);
  addTensors(gguf, ctx, shapes());
  return gguf;
}

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

function shapes(): Record<string, number[]> {
  const square = [EMBD, EMBD];
  return {
    "token_embd.weight": [EMBD, VOCAB],
    "output_norm.weight": [EMBD],
    "output.weight": [EMBD, VOCAB],
    "blk.0.attn_norm.weight": [EMBD],
    "blk.0.attn_q.weight": square,
    "blk.0.attn_k.weight": square,
    "blk.0.attn_v.weight": square,
    "blk.0.attn_output.weight": square,
    "blk.0.ffn_norm.weight": [EMBD],
    "blk.0.ffn_gate.weight": [EMBD, FF],
    "blk.0.ffn_up.weight": [EMBD, FF],
    "blk.0.ffn_down.weight": [FF, EMBD],
  };
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
export function tinyContext(model: lib.llama_model): lib.llama_context {
  const params = lib.llama_context_default_params();
  params.n_ctx = 64;
  params.n_threads = 1;
  params.n_threads_batch = 1;
  return lib.llama_init_from_model(model, params)!;
}
