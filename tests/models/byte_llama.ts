/**
 * A tiny llama whose tokens are the 256 bytes and some longer texts, so that it can write anything; its weights are random.
 *
 * @module
 */

import { lib } from "@ggml/deno";
import { copy, init } from "@ggml/deno/utils";
import { generator } from "../random.ts";

const EMBD = 32, HEADS = 2, FF = 64;

/** Texts with a token of their own: of several bytes, and such as begin or end parts of JSON. */
const TEXTS = [
  "é",
  "漢",
  "😀",
  '{"',
  '":',
  '": ',
  '",',
  '"]',
  '"}',
  "}]",
  "},",
  "\\n",
  "\\u00",
  "true",
  "12",
  "the",
  "▁",
  "▁a",
  "\n▁▁",
  "</think>",
];

/** The first token of a byte: `<0x00>`. */
export const FIRST_BYTE = 3;

/** How many tokens there are. */
export const VOCAB_SIZE: number = FIRST_BYTE + 256 + TEXTS.length;

/** `enum llama_token_type`, as files have it. */
const NORMAL = 1, UNKNOWN = 2, CONTROL = 3, BYTE = 6;

/** What the model may be given. */
export interface ByteLlamaOptions {
  /** Where the weights start from; the same weights each time. */
  readonly seed?: number;
  /** A chat template. */
  readonly template?: string;
  /** The tokens before a prefix, before a suffix, and before what is between. */
  readonly fim?: readonly [number, number, number];
  /** What the file says that the model was trained with. */
  readonly context?: number;
  /** Texts with a token of their own besides: those from `VOCAB_SIZE` on. */
  readonly more?: readonly string[];
}

/** Writes the model to a file. */
export function writeByteLlama(path: string, { seed = 1, template, fim, context = 4096, more = [] }: ByteLlamaOptions = {}): void {
  using ctx = init({ memSize: 1 << 20 });
  using gguf = lib.gguf_init_empty();
  lib.gguf_set_val_str(gguf, "general.architecture", "llama");
  addVocabulary(gguf, more);
  if (template !== undefined) lib.gguf_set_val_str(gguf, "tokenizer.chat_template", template);
  fim?.forEach((token, i) => lib.gguf_set_val_u32(gguf, `tokenizer.ggml.fim_${["pre", "suf", "mid"][i]}_token_id`, token));
  const numbers = {
    vocab_size: VOCAB_SIZE + more.length,
    context_length: context,
    embedding_length: EMBD,
    block_count: 1,
    feed_forward_length: FF,
    "attention.head_count": HEADS,
    "attention.head_count_kv": HEADS,
    "rope.dimension_count": EMBD / HEADS,
  };
  for (const [key, value] of Object.entries(numbers)) lib.gguf_set_val_u32(gguf, `llama.${key}`, value);
  lib.gguf_set_val_f32(gguf, "llama.attention.layer_norm_rms_epsilon", 1e-5);
  addTensors(gguf, ctx, seed, VOCAB_SIZE + more.length);
  if (!lib.gguf_write_to_file(gguf, path, false)) throw new Error(`can't write ${path}`);
}

function addVocabulary(gguf: lib.gguf_context, more: readonly string[]): void {
  const bytes = Array.from({ length: 256 }, (_, i) => `<0x${i.toString(16).toUpperCase().padStart(2, "0")}>`);
  const tokens = ["<unk>", "<s>", "</s>", ...bytes, ...TEXTS, ...more];
  const types = tokens.map((_, i) => i === 0 ? UNKNOWN : i < FIRST_BYTE ? CONTROL : i < FIRST_BYTE + 256 ? BYTE : NORMAL);
  const setArray = (key: string, type: lib.gguf_type, values: Int32Array<ArrayBuffer> | Float32Array<ArrayBuffer>) =>
    lib.gguf_set_arr_data(gguf, `tokenizer.ggml.${key}`, type, values, values.length);
  lib.gguf_set_val_str(gguf, "tokenizer.ggml.model", "llama");
  lib.gguf_set_arr_str(gguf, "tokenizer.ggml.tokens", tokens, tokens.length);
  setArray("scores", lib.GGUF_TYPE_FLOAT32, Float32Array.from(tokens, (_, i) => -i));
  setArray("token_type", lib.GGUF_TYPE_INT32, Int32Array.from(types));
  lib.gguf_set_val_bool(gguf, "tokenizer.ggml.add_space_prefix", false);
  lib.gguf_set_val_u32(gguf, "tokenizer.ggml.bos_token_id", 1);
  lib.gguf_set_val_u32(gguf, "tokenizer.ggml.eos_token_id", 2);
  lib.gguf_set_val_u32(gguf, "tokenizer.ggml.unknown_token_id", 0);
}

function addTensors(gguf: lib.gguf_context, ctx: lib.ggml_context, seed: number, tokens: number): void {
  const below = generator(seed), square = [EMBD, EMBD];
  const shapes = {
    "token_embd.weight": [EMBD, tokens],
    "output_norm.weight": [EMBD],
    "output.weight": [EMBD, tokens],
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
  for (const [name, ne] of Object.entries(shapes)) {
    const tensor = lib.ggml_new_tensor(ctx, lib.GGML_TYPE_F32, ne.length, BigInt64Array.from(ne, BigInt));
    tensor.name = name;
    const length = ne.reduce((a, b) => a * b), scale = name.includes("norm") ? 0 : 2 / Math.sqrt(EMBD);
    copy(Float32Array.from({ length }, () => name.includes("norm") ? 1 : (below(2001) - 1000) / 1000 * scale), tensor);
    lib.gguf_add_tensor(gguf, tensor);
  }
}
