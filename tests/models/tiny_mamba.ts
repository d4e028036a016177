/**
 * A language model that keeps a state, of a few kilobytes: Mamba with random weights.
 *
 * @module
 */

import { lib } from "@ggml/deno";
import { copy, init } from "@ggml/deno/utils";
import { generator } from "../random.ts";
import { describeTinyLlama } from "../tiny_llama.ts";

const VOCAB = 64, EMBD = 64, INNER = 128, STATE = 16, RANK = 32, KERNEL = 4;

/** Writes the model to a file. What its matrices are multiplied by has a dimension for the sequences. */
export function writeTinyMamba(path: string): void {
  using ctx = init({ memSize: 1 << 22 });
  using other = init({ memSize: 1 << 20 });
  using llama = describeTinyLlama(other, "llama");
  using gguf = lib.gguf_init_empty();
  lib.gguf_set_kv(gguf, llama); // the vocabulary
  lib.gguf_set_val_str(gguf, "general.architecture", "mamba");
  const numbers = {
    vocab_size: VOCAB,
    context_length: 256,
    embedding_length: EMBD,
    block_count: 1,
    feed_forward_length: 0,
    "attention.head_count": 0,
    "ssm.conv_kernel": KERNEL,
    "ssm.inner_size": INNER,
    "ssm.state_size": STATE,
    "ssm.time_step_rank": RANK,
  };
  for (const [key, value] of Object.entries(numbers)) lib.gguf_set_val_u32(gguf, `mamba.${key}`, value);
  lib.gguf_set_val_f32(gguf, "mamba.attention.layer_norm_rms_epsilon", 1e-5);
  const below = generator(1);
  for (const [name, ne] of Object.entries(SHAPES)) {
    const type = /_(in|x|dt|out)\.weight$/.test(name) && name.includes("ssm_") ? lib.GGML_TYPE_F16 : lib.GGML_TYPE_F32;
    const tensor = lib.ggml_set_name(lib.ggml_new_tensor(ctx, type, ne.length, BigInt64Array.from(ne, BigInt)), name);
    const negative = name.endsWith("ssm_a"); // a state that fades
    copy(
      Float32Array.from({ length: ne.reduce((a, b) => a * b) }, () => negative ? -below(1000) / 1000 : below(1000) / 1000 - 0.5),
      tensor,
    );
    lib.gguf_add_tensor(gguf, tensor);
  }
  if (!lib.gguf_write_to_file(gguf, path, false)) throw new Error(`can't write ${path}`);
}

const SHAPES: Record<string, number[]> = {
  "token_embd.weight": [EMBD, VOCAB],
  "output_norm.weight": [EMBD],
  "output.weight": [EMBD, VOCAB],
  "blk.0.attn_norm.weight": [EMBD],
  "blk.0.ssm_in.weight": [EMBD, 2 * INNER],
  "blk.0.ssm_conv1d.weight": [KERNEL, INNER],
  "blk.0.ssm_conv1d.bias": [INNER],
  "blk.0.ssm_x.weight": [INNER, RANK + 2 * STATE],
  "blk.0.ssm_dt.weight": [RANK, INNER],
  "blk.0.ssm_dt.bias": [INNER],
  "blk.0.ssm_a": [STATE, INNER],
  "blk.0.ssm_d": [INNER],
  "blk.0.ssm_out.weight": [INNER, EMBD],
};
