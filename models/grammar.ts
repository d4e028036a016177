/**
 * Grammars in GBNF, and the errors for those that don't parse.
 *
 * @module
 */

import { lib } from "../ffi/lib.js";
import { overhear } from "../utils/on_log.ts";
import type { Vocabulary } from "./vocabulary.ts";

/**
 * A sampler that refuses what a grammar doesn't allow. The caller frees it.
 *
 * @throws {SyntaxError} If the grammar doesn't parse, with the place: C's log has the rest of the text from there on.
 */
export function grammarSampler(where: string, vocabulary: Vocabulary, grammar: string): lib.llama_sampler {
  const heard = overhear();
  let sampler: lib.llama_sampler | null = null;
  try {
    sampler = lib.llama_sampler_init_grammar(vocabulary.handle, grammar, "root");
    if (sampler === null) throw new SyntaxError(`${where}: the grammar can't be used: ${reasonOf(heard.texts(), grammar)}`);
    return sampler;
  } finally {
    heard.end(sampler !== null);
  }
}

/** What C says of it, with the place instead of the text from there on. */
function reasonOf(lines: readonly string[], grammar: string): string {
  const text = lines.map((line) => line.replace(/^(?:\w+: )+/, "")).join("\n");
  if (text === "") return "C doesn't say why";
  const rest = / at ([^]*)$/.exec(text);
  if (rest === null) return text;
  const place = grammar.lastIndexOf(rest[1]);
  return place < 0 ? text : `${text.slice(0, rest.index)} at ${placeIn(grammar, place)}`;
}

/** `line:column`, and the line with a caret under it. */
function placeIn(text: string, offset: number): string {
  const before = text.slice(0, offset).split("\n"), column = before.at(-1)!.length;
  const line = text.split("\n")[before.length - 1];
  return `${before.length}:${column + 1}\n${line}\n${" ".repeat(column)}^`;
}
