/**
 * A llama of random weights, small enough to be written by a test: two layers, grouped-query attention, a vocabulary of SentencePiece's or
 * GPT-2's kind with a token for each byte. It says nothing that means anything, but all of it is used.
 *
 * @module
 */

import { lib } from "@ggml/deno";
import { type GgufTensorInput, type GgufValueInput, ndarray, quantize, writeGguf } from "@ggml/deno/utils";
import { generator } from "./random.ts";

/** What may differ. */
export interface RandomLlama {
  /** The matrices' type. */
  readonly type?: lib.ggml_type;
  /** Whether the head is the embedding. */
  readonly tied?: boolean;
  readonly tokenizer?: "llama" | "gpt2";
  readonly metadata?: Readonly<Record<string, GgufValueInput>>;
  readonly seed?: number;
}

const DIM = 256, HIDDEN = 512, LAYERS = 2, HEADS = 8, KV_HEADS = 2, CONTEXT = 1024;

/** `enum llama_token_type`, as files have it. */
const NORMAL = 1, UNKNOWN = 2, CONTROL = 3, BYTE = 6;

/** Writes the model to a file. */
export async function writeRandomLlama(path: string, options: RandomLlama = {}): Promise<void> {
  const { type = lib.GGML_TYPE_F32, tied = false, tokenizer = "llama", seed = 1 } = options;
  const below = generator(seed), vocabulary = tokenizer === "llama" ? llamaVocabulary() : gpt2Vocabulary();
  const count = (vocabulary["tokenizer.ggml.tokens"] as string[]).length;
  const numbers = (length: number, scale: number, offset = 0) =>
    Float32Array.from({ length }, () => (below(2 ** 24) / 2 ** 23 - 1) * scale + offset);
  const norm = () => numbers(DIM, 0.2, 1);
  const matrix = (columns: number, rows: number, scale = 2 / Math.sqrt(columns)): GgufTensorInput => {
    const values = numbers(columns * rows, scale);
    if (type === lib.GGML_TYPE_F32) return ndarray(values, [rows, columns]);
    return { type, ne: [columns, rows], data: quantize(values, type, { rowLength: columns }) };
  };
  const kv = DIM / HEADS * KV_HEADS;
  const layers = Array.from({ length: LAYERS }, (_, i) => ({
    [`blk.${i}.attn_norm.weight`]: norm(),
    [`blk.${i}.attn_q.weight`]: matrix(DIM, DIM),
    [`blk.${i}.attn_k.weight`]: matrix(DIM, kv),
    [`blk.${i}.attn_v.weight`]: matrix(DIM, kv),
    [`blk.${i}.attn_output.weight`]: matrix(DIM, DIM),
    [`blk.${i}.ffn_norm.weight`]: norm(),
    [`blk.${i}.ffn_gate.weight`]: matrix(DIM, HIDDEN),
    [`blk.${i}.ffn_up.weight`]: matrix(DIM, HIDDEN),
    [`blk.${i}.ffn_down.weight`]: matrix(HIDDEN, DIM),
  }));
  await writeGguf(path, {
    metadata: {
      "general.architecture": "llama",
      "llama.vocab_size": count,
      "llama.context_length": CONTEXT,
      "llama.embedding_length": DIM,
      "llama.block_count": LAYERS,
      "llama.feed_forward_length": HIDDEN,
      "llama.attention.head_count": HEADS,
      "llama.attention.head_count_kv": KV_HEADS,
      "llama.rope.dimension_count": DIM / HEADS,
      "llama.rope.freq_base": { type: "f32", value: 50000 },
      "llama.attention.layer_norm_rms_epsilon": { type: "f32", value: 1e-5 },
      ...vocabulary,
      ...options.metadata,
    },
    tensors: {
      "token_embd.weight": matrix(DIM, count, 1),
      "output_norm.weight": norm(),
      ...(tied ? {} : { "output.weight": matrix(DIM, count) }),
      ...Object.assign({}, ...layers) as Record<string, GgufTensorInput>,
    },
  });
}

/** Words that have tokens, and what they are merged from. */
const WORDS = ["th", "the", "he", "in", "an", "and", "er", "on", "once", "up", "upon", "ti", "time", "sea"];

function llamaVocabulary(): Record<string, GgufValueInput> {
  const bytes = Array.from({ length: 256 }, (_, i) => `<0x${i.toString(16).toUpperCase().padStart(2, "0")}>`);
  const spaced = WORDS.map((word) => `\u2581${word}`),
    parts = ["on", "ce", "onc", "po", "im", "me", "se"].filter((part) => !WORDS.includes(part));
  const tokens = ["<unk>", "<s>", "</s>", ...bytes, "\u2581", ..."etaoinshrdlucmfwypvbgkjqxzEOTA.,!'é", ...WORDS, ...parts, ...spaced];
  const types = tokens.map((_, i) => i === 0 ? UNKNOWN : i < 3 ? CONTROL : i < 259 ? BYTE : NORMAL);
  return {
    "tokenizer.ggml.model": "llama",
    "tokenizer.ggml.tokens": tokens,
    "tokenizer.ggml.scores": Float32Array.from(tokens, (_, i) => i < 259 ? 0 : -i),
    "tokenizer.ggml.token_type": Int32Array.from(types),
    "tokenizer.ggml.bos_token_id": 1,
    "tokenizer.ggml.eos_token_id": 2,
    "tokenizer.ggml.unknown_token_id": 0,
  };
}

function gpt2Vocabulary(): Record<string, GgufValueInput> {
  let next = 256;
  const bytes = Array.from({ length: 256 }, (_, byte) => {
    const isItself = byte > 0x20 && byte < 0x7f || byte > 0xa0 && byte !== 0xad;
    return String.fromCharCode(isItself ? byte : next++);
  });
  const words = "h e,i n,a n,\u0120 t,\u0120t he,an d,e r,o n,c e,on ce,\u0120 s,e a,\u0120s ea,\u0120 in,m e", merges = words.split(",");
  const tokens = [...bytes, ...merges.map((merge) => merge.replace(" ", "")), "<|end|>"];
  return {
    "tokenizer.ggml.model": "gpt2",
    "tokenizer.ggml.pre": "smollm",
    "tokenizer.ggml.tokens": tokens,
    "tokenizer.ggml.merges": merges,
    "tokenizer.ggml.token_type": Int32Array.from(tokens, (_, i) => i === tokens.length - 1 ? CONTROL : NORMAL),
    "tokenizer.ggml.bos_token_id": tokens.length - 1,
    "tokenizer.ggml.eos_token_id": tokens.length - 1,
    "tokenizer.ggml.add_bos_token": false,
  };
}
