// The trained model as a GGUF file that llama.cpp reads: matrices in Q8_0, and a vocabulary whose tokens are bytes.

import { lib } from "@ggml/deno";
import { type GgufTensorInput, quantize, view, writeGguf } from "@ggml/deno/utils";
import { EPSILON, type Shape } from "./llama.ts";
import type { Trainer } from "./trainer.ts";
import { BEGIN, END, VOCABULARY } from "./text.ts";

/** `llama_token_type`s, as files have them. */
const NORMAL = 1, UNKNOWN = 2, CONTROL = 3, BYTE = 6;

export async function writeModel(path: string, trainer: Trainer, shape: Shape, about: Readonly<Record<string, string>>): Promise<void> {
  const tensors = new Map<string, GgufTensorInput>();
  for (const [name, { weight }] of trainer.parameters) {
    const ne = weight.ne.slice(0, lib.ggml_n_dims(weight)), isMatrix = ne.length > 1;
    const data = () => quantize(view(weight), lib.GGML_TYPE_Q8_0);
    tensors.set(name, isMatrix ? { type: lib.GGML_TYPE_Q8_0, ne, data } : weight);
  }
  await writeGguf(path, { metadata: { ...about, ...describe(shape), ...vocabulary() }, tensors });
}

function describe({ layers, width, heads, hidden, context }: Shape) {
  return {
    "general.architecture": "llama",
    "general.file_type": lib.LLAMA_FTYPE_MOSTLY_Q8_0,
    "general.quantization_version": lib.GGML_QNT_VERSION,
    "llama.vocab_size": VOCABULARY,
    "llama.context_length": context,
    "llama.embedding_length": width,
    "llama.block_count": layers,
    "llama.feed_forward_length": hidden,
    "llama.attention.head_count": heads,
    "llama.attention.head_count_kv": heads,
    "llama.attention.layer_norm_rms_epsilon": EPSILON,
    "llama.rope.dimension_count": width / heads,
    "llama.rope.freq_base": { type: "f32", value: 10000 },
  } as const;
}

/** SentencePiece's form of it, which has a letter of its own for the space. */
function vocabulary() {
  const bytes = Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`);
  const tokens = ["<unk>", "<s>", "</s>", ...bytes.with(32, "▁")];
  const types = [UNKNOWN, CONTROL, CONTROL, ...new Array<number>(256).fill(BYTE).with(32, NORMAL)];
  return {
    "tokenizer.ggml.model": "llama",
    "tokenizer.ggml.tokens": tokens,
    "tokenizer.ggml.scores": new Float32Array(tokens.length),
    "tokenizer.ggml.token_type": Int32Array.from(types),
    "tokenizer.ggml.unknown_token_id": 0,
    "tokenizer.ggml.bos_token_id": BEGIN,
    "tokenizer.ggml.eos_token_id": END,
    "tokenizer.ggml.add_bos_token": true,
    "tokenizer.ggml.add_eos_token": false,
    "tokenizer.ggml.add_space_prefix": false,
  };
}
