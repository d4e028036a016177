/**
 * An encoder of a few kilobytes with random weights, as BERT is built, with or without a head that ranks.
 *
 * @module
 */

import { lib } from "@ggml/deno";
import { copy, init } from "@ggml/deno/utils";
import { generator } from "../random.ts";

const EMBD = 16, HEADS = 2, FF = 32, CONTEXT = 64;

const PIECES = [
  ...["[PAD]", "[CLS]", "[SEP]", "[UNK]", "[MASK]", "\u2581the", "\u2581thing", "\u2581in", "\u2581inn", "\u2581a"],
  ...Array.from("abcdefghijklmnopqrstuvwxyz", (letter) => [letter, `\u2581${letter}`]).flat().filter((piece) => piece !== "\u2581a"),
];

/** Numbers from -0.5 to 0.5, the same for the same name. */
function weights(name: string, count: number): Float32Array<ArrayBuffer> {
  const below = generator(Array.from(name, (c) => c.charCodeAt(0)).reduce((a, b) => (31 * a + b) >>> 0, 7));
  const norm = /norm\.weight$/.test(name) ? 1 : 0;
  return Float32Array.from({ length: count }, () => norm + below(1000) / 1000 - 0.5);
}

function shapes(kind: "plain" | "head"): Record<string, number[]> {
  const norm = (name: string) => ({ [`${name}.weight`]: [EMBD], [`${name}.bias`]: [EMBD] });
  const linear = (name: string, from: number, to: number) => ({ [`${name}.weight`]: [from, to], [`${name}.bias`]: [to] });
  return {
    "token_embd.weight": [EMBD, PIECES.length],
    "position_embd.weight": [EMBD, CONTEXT],
    "token_types.weight": [EMBD, 2],
    ...norm("token_embd_norm"),
    ...linear("blk.0.attn_q", EMBD, EMBD),
    ...linear("blk.0.attn_k", EMBD, EMBD),
    ...linear("blk.0.attn_v", EMBD, EMBD),
    ...linear("blk.0.attn_output", EMBD, EMBD),
    ...norm("blk.0.attn_output_norm"),
    ...linear("blk.0.ffn_up", EMBD, FF),
    ...linear("blk.0.ffn_down", FF, EMBD),
    ...norm("blk.0.layer_output_norm"),
    ...kind === "head" ? { ...linear("cls", EMBD, EMBD), ...linear("cls.output", EMBD, 1) } : {},
  };
}

/** Writes it into a folder; gives its path. */
export function tinyBert(folder: string, kind: "plain" | "head" = "plain"): string {
  const path = `${folder}/bert_${kind}.gguf`;
  using ctx = init({ memSize: 1 << 20 });
  using gguf = lib.gguf_init_empty();
  lib.gguf_set_val_str(gguf, "general.architecture", "bert");
  const numbers = {
    context_length: CONTEXT,
    embedding_length: EMBD,
    feed_forward_length: FF,
    block_count: 1,
    "attention.head_count": HEADS,
  };
  for (const [key, value] of Object.entries(numbers)) lib.gguf_set_val_u32(gguf, `bert.${key}`, value);
  lib.gguf_set_val_f32(gguf, "bert.attention.layer_norm_epsilon", 1e-12);
  lib.gguf_set_val_bool(gguf, "bert.attention.causal", false);
  lib.gguf_set_val_u32(gguf, "bert.pooling_type", kind === "head" ? lib.LLAMA_POOLING_TYPE_RANK : lib.LLAMA_POOLING_TYPE_CLS);
  lib.gguf_set_val_str(gguf, "tokenizer.ggml.model", "bert");
  lib.gguf_set_val_u32(gguf, "tokenizer.ggml.token_type_count", 2);
  lib.gguf_set_arr_str(gguf, "tokenizer.ggml.tokens", PIECES, PIECES.length);
  const ids = { bos: 1, cls: 1, eos: 2, seperator: 2, unknown: 3, padding: 0, mask: 4 };
  for (const [name, id] of Object.entries(ids)) lib.gguf_set_val_u32(gguf, `tokenizer.ggml.${name}_token_id`, id);
  for (const [name, ne] of Object.entries(shapes(kind))) {
    const tensor = lib.ggml_new_tensor(ctx, lib.GGML_TYPE_F32, ne.length, BigInt64Array.from(ne, BigInt));
    tensor.name = name;
    copy(weights(name, ne.reduce((a, b) => a * b)), tensor);
    lib.gguf_add_tensor(gguf, tensor);
  }
  if (!lib.gguf_write_to_file(gguf, path, false)) throw new Error(`can't write ${path}`);
  return path;
}

/** What the head makes of a vector: a layer with tanh, and one number. */
tinyBert.head = (vector: Float32Array): number => {
  const matrix = weights("cls.weight", EMBD * EMBD), bias = weights("cls.bias", EMBD);
  const hidden = Array.from(bias, (b, i) => Math.tanh(vector.reduce((sum, value, j) => sum + value * matrix[i * EMBD + j], b)));
  const output = weights("cls.output.weight", EMBD);
  return hidden.reduce((sum, value, i) => sum + value * output[i], weights("cls.output.bias", 1)[0]);
};
