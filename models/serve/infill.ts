/**
 * What stands between two texts: the prompt of a model that was trained to fill in.
 *
 * @module
 */

import { lib } from "../../ffi/generated/lib.js";
import type { Model } from "../model.ts";

/**
 * The tokens after which a model writes what stands between a prefix and a suffix; null if its vocabulary has no tokens for that.
 *
 * In C: `llama_vocab_fim_pre`, `llama_vocab_fim_suf`, `llama_vocab_fim_mid`.
 */
export async function infillPrompt(model: Model, prefix: string, suffix: string): Promise<number[] | null> {
  const { handle, special } = model.vocabulary, tokensOf = (text: string) => model.tokensOf(text, { special: false }, "prompt");
  const marks = [lib.llama_vocab_fim_pre(handle), lib.llama_vocab_fim_suf(handle), lib.llama_vocab_fim_mid(handle)];
  if (marks.some((token) => token < 0)) return null;
  const begin = lib.llama_vocab_get_add_bos(handle) && special.bos !== null ? [special.bos] : [];
  return [...begin, marks[0], ...await tokensOf(prefix), marks[1], ...await tokensOf(suffix), marks[2]];
}
