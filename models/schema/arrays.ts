/**
 * Arrays: their items out of several schemas, and their grammar.
 *
 * @module
 */

import type { Part } from "./conjunctions.ts";
import { below, type Node, type Place, placeAt } from "./document.ts";
import { SchemaError } from "./error.ts";
import { type Expr, sequence, text, times } from "./gbnf.ts";
import { countOf } from "./keywords.ts";
import { COMMA, SPACE } from "./space.ts";
import type { Arrays } from "./values.ts";

/** The arrays that all of the schemas allow, or why there are none. */
export function mergeArrays(parts: readonly Part[]): Arrays | string {
  const min = Math.max(0, ...parts.map(({ schema, pointer }) => countOf(schema, "minItems", 0, pointer)));
  const max = Math.min(...parts.map(({ schema, pointer }) => countOf(schema, "maxItems", Infinity, pointer)));
  if (min > max) return `no array has at least ${min} and at most ${max} items`;
  const unique = parts.find(({ schema }) => schema.uniqueItems === true);
  if (unique !== undefined && max > 1) {
    throw new SchemaError("uniqueItems can't be made into a grammar: it can't look back at other items", unique.pointer);
  }
  const items = parts.map(itemsOf), length = Math.max(0, ...items.map(({ prefix }) => prefix.length));
  const prefix = Array.from({ length }, (_, i) => items.flatMap(({ prefix, rest }) => prefix[i] ?? rest ?? []));
  const open = items.every(({ prefix, rest }) => prefix.length === 0 || rest !== null);
  return { kind: "array", prefix, rest: items.flatMap(({ rest }) => rest ?? []), open, min, max, pointer: parts[0]?.pointer ?? "#" };
}

/** The schemas of the first items, and of the others; null where nothing is said of them. An array under `items` is how older drafts say it. */
function itemsOf({ schema, pointer }: Part): { prefix: Place[]; rest: Place | null } {
  const old = Array.isArray(schema.items), keyword = old ? "items" : "prefixItems", first = schema[keyword] ?? [];
  if (!Array.isArray(first)) throw new SchemaError(`${keyword}: expected an array of schemas, got ${JSON.stringify(first)}`, pointer);
  const prefix = first.map((item, i) => placeAt(item, below(pointer, keyword, i))), other = old ? "additionalItems" : "items";
  return { prefix, rest: schema[other] === undefined ? null : placeAt(schema[other], below(pointer, other)) };
}

/** The schema of one item. */
export function itemAt({ prefix, rest }: Arrays, index: number): Node {
  return prefix[index] ?? rest;
}

/** How many items there can be: up to the first that no value fits. */
export function mostItems({ prefix, rest, max }: Arrays, hasValues: (node: Node) => boolean): number {
  const missing = prefix.findIndex((node) => !hasValues(node));
  return Math.min(max, missing >= 0 ? missing : hasValues(rest) ? Infinity : prefix.length);
}

/** The grammar of arrays. */
export function writeArrays(arrays: Arrays, hasValues: (node: Node) => boolean, write: (node: Node) => Expr): Expr {
  const { prefix, rest, min, open } = arrays, possible = mostItems(arrays, hasValues);
  const max = open ? possible : Math.min(possible, Math.max(min, prefix.length));
  return sequence(text("["), SPACE, from(0), SPACE, text("]"));

  /** What may follow when so many items were written. */
  function from(written: number): Expr {
    if (written >= max) return text("");
    if (written < prefix.length || written === 0) {
      const next = sequence(written === 0 ? text("") : COMMA, write(itemAt(arrays, written)), from(written + 1));
      return written < min ? next : times(next, 0, 1);
    }
    return times(sequence(COMMA, write(rest)), Math.max(0, min - written), max - written);
  }
}
