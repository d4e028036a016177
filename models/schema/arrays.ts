/**
 * Arrays: their items out of several schemas, and their grammar.
 *
 * @module
 */

import type { Part } from "./conjunctions.ts";
import { below, type Node, type Place, placeAt } from "./document.ts";
import { SchemaError } from "./error.ts";
import { choice, type Expr, sequence, text, times } from "./gbnf.ts";
import { countOf } from "./keywords.ts";
import { COMMA, SPACE } from "./space.ts";
import type { Arrays } from "./values.ts";

/** The arrays that all of the schemas allow, or why there are none. */
export function mergeArrays(parts: readonly Part[]): Arrays | string {
  const min = Math.max(0, ...parts.map(({ schema, pointer }) => countOf(schema, "minItems", 0, pointer)));
  const max = Math.min(...parts.map(({ schema, pointer }) => countOf(schema, "maxItems", Infinity, pointer)));
  if (min > max) return `no array has at least ${min} and at most ${max} items`;
  const unique = parts.find(({ schema }) => schema.uniqueItems === true), contains = containsOf(parts);
  const items = parts.map(itemsOf), length = Math.max(0, ...items.map(({ prefix }) => prefix.length));
  const prefix = Array.from({ length }, (_, i) => items.flatMap(({ prefix, rest }) => prefix[i] ?? rest ?? []));
  const open = items.every(({ prefix, rest }) => prefix.length === 0 || rest !== null);
  const rest = items.flatMap(({ rest }) => rest ?? []), pointer = (unique ?? parts[0])?.pointer ?? "#";
  if (contains !== null && (prefix.length > 0 || unique !== undefined)) {
    throw new SchemaError("contains can't be made into a grammar beside prefixItems or uniqueItems", pointer);
  }
  if (contains !== null && max === 0) return "an array without items contains nothing";
  return { kind: "array", prefix, rest, open, unique: unique !== undefined, contains, min, max, pointer };
}

/** What one item has to fit. */
function containsOf(parts: readonly Part[]): Node | null {
  const places = parts.flatMap(({ schema, pointer }) => {
    if (schema.contains === undefined) return [];
    const least = countOf(schema, "minContains", 1, pointer);
    for (const keyword of ["maxContains", ...least > 1 ? ["minContains"] : []]) {
      if (schema[keyword] !== undefined) {
        throw new SchemaError(`${keyword}: can't be made into a grammar: it can't count some of the items`, pointer);
      }
    }
    return least === 0 ? [] : [placeAt(schema.contains, below(pointer, "contains"))];
  });
  if (places.length > 1) throw new SchemaError("contains can't be made into a grammar twice for one array", places[1].pointer);
  return places.length === 0 ? null : places;
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

/** The item of an array that fits what the array has to contain. */
export function containedBy({ rest, contains }: Arrays): Node {
  return [...rest, ...contains ?? []];
}

/** So many items stand at most before the one that an array has to contain, beyond those that it has anyway: a model may forget what it waits for. */
const BEFORE = 8;

/** How many places of items are written out at most. */
const PLACES = 64;

/** The grammar of arrays one of whose items fits a schema more. */
function writeContaining(arrays: Arrays, possible: number, write: (node: Node) => Expr): Expr {
  const { rest, min, pointer } = arrays, item = sequence(write(rest), COMMA), more = sequence(COMMA, write(rest));
  const wanted = write(containedBy(arrays)), places = Math.min(possible, Math.max(1, min) + BEFORE);
  if (places > PLACES) {
    throw new SchemaError(
      `contains can't be made into a grammar of arrays of at least ${min} items, but up to ${PLACES - BEFORE}`,
      pointer,
    );
  }
  const ways = Array.from(
    { length: places },
    (_, before) => sequence(times(item, before, before), wanted, times(more, Math.max(0, min - 1 - before), possible - 1 - before)),
  );
  return sequence(text("["), SPACE, choice(...ways), SPACE, text("]"));
}

/** The grammar of arrays. */
export function writeArrays(arrays: Arrays, hasValues: (node: Node) => boolean, write: (node: Node) => Expr): Expr {
  const { prefix, rest, min, open } = arrays, possible = mostItems(arrays, hasValues);
  if (arrays.contains !== null) return writeContaining(arrays, possible, write);
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
