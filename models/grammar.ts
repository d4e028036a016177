/**
 * Grammars in GBNF as samplers, and the errors for those that C doesn't take.
 *
 * @module
 */

import { Heard } from "../ffi/calls/heard.ts";
import { lib } from "../ffi/generated/lib.js";
import { findGrammarError, placeIn, showPlace } from "./gbnf_place.ts";
import type { Vocabulary } from "./vocabulary.ts";

/** The rule that {@linkcode grammarSampler} adds. */
const AFTER = "after-what-came";

/**
 * A sampler that refuses what a grammar doesn't allow. The caller frees it.
 *
 * @param before A text that stands before what the grammar describes.
 * @throws {SyntaxError} If the grammar can't be used, with the place of the mistake. C's parser, which prints to stderr whatever happens, sees only
 * grammars in which none was found before.
 */
export function grammarSampler(where: string, vocabulary: Vocabulary, grammar: string, before: string = ""): lib.llama_sampler {
  if (!vocabulary.hasText) throw new Error(`${where}: this model has no vocabulary, so that no grammar says anything of its tokens`);
  const refuse = (reason: string) => new SyntaxError(`${where}: the grammar can't be used: ${reason}`);
  const error = findGrammarError(grammar);
  if (error !== null) throw refuse(`${placeIn(grammar, error.offset)}: ${error.message}\n${showPlace(grammar, error.offset)}`);
  const heard = new Heard(),
    [rules, root] = before === "" ? [grammar, "root"] : [`${grammar}\n${AFTER} ::= ${literal(before)} root\n`, AFTER];
  const sampler = heard.during(() => lib.llama_sampler_init_grammar(vocabulary.handle, rules, root));
  if (sampler === null) throw refuse(heard.why());
  heard.print();
  return sampler;
}

/** A text as GBNF has it, whatever its characters. */
function literal(text: string): string {
  return `"${Array.from(text, (character) => `\\U${character.codePointAt(0)!.toString(16).padStart(8, "0")}`).join("")}"`;
}
