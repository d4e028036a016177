// A small model file for the examples to work on: the shape of a llama of two layers, with a wave for weights.

import { ndarray, writeGguf } from "@ggml/deno/utils";

const EMBD = 256, FF = 512, VOCAB = 96, LAYERS = 2;

/** Writes the file. */
export async function writeDemoModel(path: string): Promise<void> {
  const vector = () => new Float32Array(EMBD).fill(1);
  const matrix = (columns: number, rows: number) => {
    return ndarray(Float32Array.from({ length: rows * columns }, (_, i) => Math.sin(i) / 10), [rows, columns]); // ne is [columns, rows]
  };
  const layers = Array.from({ length: LAYERS }, (_, i) => ({
    [`blk.${i}.attn_norm.weight`]: vector(),
    [`blk.${i}.attn_q.weight`]: matrix(EMBD, EMBD),
    [`blk.${i}.attn_k.weight`]: matrix(EMBD, EMBD),
    [`blk.${i}.attn_v.weight`]: matrix(EMBD, EMBD),
    [`blk.${i}.attn_output.weight`]: matrix(EMBD, EMBD),
    [`blk.${i}.ffn_norm.weight`]: vector(),
    [`blk.${i}.ffn_gate.weight`]: matrix(EMBD, FF),
    [`blk.${i}.ffn_up.weight`]: matrix(EMBD, FF),
    [`blk.${i}.ffn_down.weight`]: matrix(FF, EMBD),
  }));
  await writeGguf(path, {
    metadata: {
      "general.architecture": "llama",
      "general.name": "demo",
      "llama.vocab_size": VOCAB, // a whole number is a u32
      "llama.context_length": 64,
      "llama.embedding_length": EMBD,
      "llama.block_count": LAYERS,
      "llama.feed_forward_length": FF,
      "llama.attention.head_count": 4,
      "llama.rope.freq_base": { type: "f32", value: 10000 }, // and this one shall not be
      "llama.attention.layer_norm_rms_epsilon": 1e-5,
      "tokenizer.ggml.model": "no_vocab",
      "demo.letters": Array.from({ length: VOCAB }, (_, i) => String.fromCharCode(32 + i)),
    },
    tensors: {
      "token_embd.weight": matrix(EMBD, VOCAB),
      "output_norm.weight": vector(),
      "output.weight": matrix(EMBD, VOCAB),
      ...Object.assign({}, ...layers),
    },
  });
}
