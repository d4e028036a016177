/**
 * Arrays whose items all differ, out of a few values: a rule for each set of values that are left.
 *
 * @module
 */

import { isDeepStrictEqual } from "node:util";
import { SchemaError } from "./error.ts";
import { choice, type Expr, type Grammar, rule, sequence, text, times } from "./gbnf.ts";
import { COMMA, SPACE } from "./space.ts";
import type { Arrays, Values } from "./values.ts";

/** How many values there may be at most: twice as many rules come with each. */
const MOST = 8;

/** The grammar of such arrays; `items` is what an item may be. */
export function writeUnique(arrays: Arrays, items: readonly Values[], grammar: Grammar): Expr {
  const { min, max, pointer } = arrays, values = itemsOf(arrays, items), least = Math.max(0, values.length - max);
  if (min > values.length) throw new SchemaError(`no value fits the schema: of ${values.length} values no ${min} items differ`, pointer);
  const names = new Map<number, string>();
  return sequence(text("["), SPACE, from((1 << values.length) - 1), SPACE, text("]"));

  /** What may follow when the values of a set are left, which is a number with a bit for each. */
  function from(left: number): Expr {
    const known = names.get(left), count = values.filter((_, i) => left >> i & 1).length, written = values.length - count;
    if (known !== undefined) return rule(known);
    if (count <= least) return text("");
    const name = grammar.reserve(`unique-${count}`);
    names.set(left, name);
    const next = values.flatMap((value, i) => {
      if ((left >> i & 1) === 0) return [];
      return [sequence(written === 0 ? text("") : COMMA, text(JSON.stringify(value)), from(left & ~(1 << i)))];
    });
    grammar.define(name, written < min ? choice(...next) : times(choice(...next), 0, 1));
    return rule(name);
  }
}

/** The values that an item may have, each once. */
function itemsOf({ prefix, pointer }: Arrays, items: readonly Values[]): unknown[] {
  const refuse = (why: string) =>
    new SchemaError(`uniqueItems can't be made into a grammar: it can't look back at other items${why}`, pointer);
  if (prefix.length > 0) throw refuse(", and there are prefixItems");
  const values = items.flatMap((one) => {
    if (one.kind === "literal") return [one.value];
    if (one.kind === "boolean") return [false, true];
    if (one.kind === "null") return [null];
    throw refuse("; it can where these are out of an enum");
  });
  const different = values.filter((value, i) => values.findIndex((other) => isDeepStrictEqual(value, other)) === i);
  if (different.length > MOST) throw refuse(`; it can where these are out of an enum of up to ${MOST} values`);
  return different;
}
