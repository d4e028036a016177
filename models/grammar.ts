/**
 * Grammars in GBNF as samplers, and the errors for those that C doesn't take.
 *
 * @module
 */

import { lib } from "../ffi/lib.js";
import { overhear } from "../utils/on_log.ts";
import { findGrammarError, placeIn, showPlace } from "./gbnf_place.ts";
import type { Vocabulary } from "./vocabulary.ts";

/**
 * A sampler that refuses what a grammar doesn't allow. The caller frees it.
 *
 * @throws {SyntaxError} If C doesn't take the grammar, with the place. (C's parser prints a line of its own to stderr, in nobody's hands.)
 */
export function grammarSampler(where: string, vocabulary: Vocabulary, grammar: string): lib.llama_sampler {
  if (!vocabulary.hasText) throw new Error(`${where}: this model has no vocabulary, so that no grammar says anything of its tokens`);
  const heard = overhear();
  let sampler: lib.llama_sampler | null = null;
  try {
    sampler = lib.llama_sampler_init_grammar(vocabulary.handle, grammar, "root");
    if (sampler === null) throw new SyntaxError(`${where}: the grammar can't be used: ${reasonOf(grammar, heard.texts())}`);
    return sampler;
  } finally {
    heard.end(sampler !== null);
  }
}

function reasonOf(grammar: string, lines: readonly string[]): string {
  const error = findGrammarError(grammar);
  if (error === null) return lines.map((line) => line.replace(/^(?:\w+: )+/, "")).join("; ") || "C doesn't say why";
  return `${placeIn(grammar, error.offset)}: ${error.message}\n${showPlace(grammar, error.offset)}`;
}
