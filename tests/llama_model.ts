/**
 * A Llama model small enough to be made in a test: one layer, 16 wide, a vocabulary of 32 tokens without text.
 *
 * @module
 */

import { lib, load } from "@ggml/deno";
import { init } from "@ggml/deno/utils";

const WIDTH = 16, HIDDEN = 32, VOCABULARY = 32;

const TENSORS: Readonly<Record<string, readonly number[]>> = {
  "token_embd.weight": [WIDTH, VOCABULARY],
  "output_norm.weight": [WIDTH],
  "blk.0.attn_norm.weight": [WIDTH],
  "blk.0.attn_q.weight": [WIDTH, WIDTH],
  "blk.0.attn_k.weight": [WIDTH, WIDTH],
  "blk.0.attn_v.weight": [WIDTH, WIDTH],
  "blk.0.attn_output.weight": [WIDTH, WIDTH],
  "blk.0.ffn_norm.weight": [WIDTH],
  "blk.0.ffn_gate.weight": [WIDTH, HIDDEN],
  "blk.0.ffn_down.weight": [HIDDEN, WIDTH],
  "blk.0.ffn_up.weight": [WIDTH, HIDDEN],
};

/** What the model's file says of it, and its tensors, of which `ctx` holds the numbers. */
export function metadata(ctx: lib.ggml_context): lib.gguf_context {
  const gguf = lib.gguf_init_empty();
  lib.gguf_set_val_str(gguf, "general.architecture", "llama");
  lib.gguf_set_val_str(gguf, "tokenizer.ggml.model", "no_vocab");
  const numbers = {
    vocab_size: VOCABULARY,
    context_length: 64,
    embedding_length: WIDTH,
    block_count: 1,
    feed_forward_length: HIDDEN,
    "attention.head_count": 2,
  };
  for (const [key, value] of Object.entries(numbers)) lib.gguf_set_val_u32(gguf, `llama.${key}`, value);
  lib.gguf_set_val_f32(gguf, "llama.attention.layer_norm_rms_epsilon", 1e-5);
  for (const [name, [rows, columns]] of Object.entries(TENSORS)) {
    const tensor = columns === undefined
      ? lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, rows)
      : lib.ggml_new_tensor_2d(ctx, lib.GGML_TYPE_F32, rows, columns);
    lib.ggml_set_f32(tensor, 0.1);
    lib.ggml_set_name(tensor, name);
    lib.gguf_add_tensor(gguf, tensor);
  }
  return gguf;
}

/** Writes the model to a file and gives its path. */
export function writeModel(): string {
  lib.ggml_backend_load_all_from_path(load().path); // libllama loads no model without
  using ctx = init();
  const gguf = metadata(ctx);
  const path = Deno.makeTempFileSync({ suffix: ".gguf" });
  lib.gguf_write_to_file(gguf, path, false);
  lib.gguf_free(gguf);
  return path;
}
