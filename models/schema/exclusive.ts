/**
 * Whether two kinds of values can't have one in common, as far as it can be told.
 *
 * @module
 */

import type { Node } from "./document.ts";
import { itemAt } from "./arrays.ts";
import { numbersApart } from "./numbers.ts";
import { type Arrays, type Objects, typeOf, type Values } from "./values.ts";

/** What schemas mean. */
export interface Meanings {
  readonly written: (node: Node) => readonly Values[];
  readonly valid: (node: Node) => readonly Values[];
  readonly holds: (values: Values, value: unknown) => boolean;
}

/** So deep it is looked for a difference; schemas may go on without end. */
const DEPTH = 8;

/** Whether nothing that a grammar writes for `a` fits `b`. False where it can't be told. */
export function apart(a: Values, b: Values, meanings: Meanings, depth: number = DEPTH): boolean {
  if (depth === 0) return false;
  const kind = (values: Values) => values.kind === "literal" ? typeOf(values.value) : values.kind;
  if (kind(a) !== kind(b)) return true;
  if (a.kind === "literal") return !meanings.holds(b, a.value);
  if (b.kind === "literal") return !meanings.holds(a, b.value);
  if (a.kind === "number" && b.kind === "number") return numbersApart(a, b);
  if (a.kind === "string" && b.kind === "string") return a.min > b.max || b.min > a.max;
  if (a.kind === "array" && b.kind === "array") return arraysApart(a, b, meanings, depth);
  return a.kind === "object" && b.kind === "object" && objectsApart(a, b, meanings, depth);
}

function nodesApart(a: Node, b: Node, meanings: Meanings, depth: number): boolean {
  return meanings.written(a).every((one) => meanings.valid(b).every((other) => apart(one, other, meanings, depth - 1)));
}

function arraysApart(a: Arrays, b: Arrays, meanings: Meanings, depth: number): boolean {
  if (a.min > b.max || b.min > a.max) return true;
  const both = Math.min(Math.max(a.min, b.min), Math.max(a.prefix.length, b.prefix.length) + 1);
  return Array.from({ length: both }, (_, i) => i).some((i) => nodesApart(itemAt(a, i), itemAt(b, i), meanings, depth));
}

/** Apart are objects of which one needs a property that the other never has, or both have one whose values are apart. */
function objectsApart(a: Objects, b: Objects, meanings: Meanings, depth: number): boolean {
  const never = (name: string) => a.others === "none" && !a.properties.has(name);
  if ([...b.required].some(never)) return true;
  const inB = (name: string): Node => b.properties.get(name) ?? (typeof b.others === "string" ? b.rest : []);
  return [...a.required].some((name) => nodesApart(a.properties.get(name)!, inB(name), meanings, depth)) ||
    [...b.required].some((name) => a.properties.has(name) && nodesApart(a.properties.get(name)!, inB(name), meanings, depth));
}
