/**
 * Strings: their length and patterns out of several schemas, whether one fits, and their grammar.
 *
 * @module
 */

import { anyCharacter, anyString } from "./characters.ts";
import type { Part } from "./conjunctions.ts";
import { SchemaError } from "./error.ts";
import { FORMAT_NAMES, patternOfFormat } from "./formats.ts";
import { type Expr, type Grammar, sequence, text, times } from "./gbnf.ts";
import { countOf } from "./keywords.ts";
import { type Pattern, readPattern, writePattern } from "./pattern.ts";
import type { Strings } from "./values.ts";

/** The strings that all of the schemas allow, or why there are none. */
export function mergeStrings(parts: readonly Part[]): Strings | string {
  const min = Math.max(0, ...parts.map(({ schema, pointer }) => countOf(schema, "minLength", 0, pointer)));
  const max = Math.min(...parts.map(({ schema, pointer }) => countOf(schema, "maxLength", Infinity, pointer)));
  if (min > max) return `no string has at least ${min} and at most ${max} characters`;
  const patterns = parts.flatMap((part) => patternsOf(part));
  const pointer = parts.find(({ schema }) => "minLength" in schema || "maxLength" in schema || "pattern" in schema)?.pointer ?? "#";
  return { kind: "string", min, max, patterns, pointer };
}

/** Beside a pattern, a format is a word about the schema, as it is by default in JSON Schema 2020-12 (Validation 7.2.1): libraries write both. */
function patternsOf({ schema: { pattern, format }, pointer }: Part): Pattern[] {
  if (pattern !== undefined) {
    if (typeof pattern !== "string") throw new SchemaError(`pattern: expected a text, got ${JSON.stringify(pattern)}`, pointer);
    return [readPattern(pattern, pointer)];
  }
  if (format === undefined) return [];
  const source = patternOfFormat(String(format));
  if (source === null) {
    throw new SchemaError(`format: expected one of ${FORMAT_NAMES.join(", ")}, got ${JSON.stringify(format)}`, pointer);
  }
  return [readPattern(source, pointer)];
}

/** Whether a string is one of them. */
export function holdsString({ min, max, patterns }: Strings, value: string): boolean {
  const length = [...value].length;
  return length >= min && length <= max && patterns.every(({ source }) => new RegExp(source, "u").test(value));
}

/** The grammar of strings. */
export function writeStrings({ min, max, patterns, pointer }: Strings, grammar: Grammar): Expr {
  const [pattern, ...others] = patterns;
  const other = others.find(({ source }) => source !== pattern.source);
  if (other !== undefined) throw new SchemaError(`a grammar can't say that both ${pattern.source} and ${other.source} fit`, pointer);
  if (pattern !== undefined) return sequence(text('"'), writePattern(pattern, { min, max }, grammar), text('"'));
  if (min === 0 && max === Infinity) return anyString(grammar);
  return sequence(text('"'), times(anyCharacter(grammar), min, max), text('"'));
}
