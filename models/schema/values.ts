/**
 * What a schema allows, kind by kind: the form that grammars are written from.
 *
 * @module
 */

import type { Node } from "./document.ts";
import type { Lengths, Pattern } from "./pattern.ts";

/** One kind of value that a schema allows. */
export type Values = Literal | Simple | Numbers | Strings | Arrays | Objects;

/** Exactly one value. */
export interface Literal {
  readonly kind: "literal";
  readonly value: unknown;
}

/** `null`, or both of the booleans. */
export interface Simple {
  readonly kind: "null" | "boolean";
}

/** Numbers in bounds. */
export interface Numbers {
  readonly kind: "number";
  readonly whole: boolean;
  readonly min: Bound | null;
  readonly max: Bound | null;
  /** What the numbers are multiples of. */
  readonly step: number | null;
  readonly pointer: string;
}

/** A bound that belongs to the numbers, or doesn't. */
export interface Bound {
  readonly value: number;
  readonly exclusive: boolean;
}

/** Strings, by their length in code points and by regular expressions that all have to fit. */
export interface Strings extends Lengths {
  readonly kind: "string";
  readonly patterns: readonly Pattern[];
  readonly pointer: string;
}

/** Arrays: the first items each with a schema of its own, the others with one. */
export interface Arrays {
  readonly kind: "array";
  readonly prefix: readonly Node[];
  readonly rest: Node;
  /** Whether a grammar writes items behind the first ones without being forced to. */
  readonly open: boolean;
  /** Whether no two items are the same. */
  readonly unique: boolean;
  /** What one item has to fit besides; null for nothing. */
  readonly contains: Node | null;
  readonly min: number;
  readonly max: number;
  readonly pointer: string;
}

export interface Objects {
  readonly kind: "object";
  readonly properties: ReadonlyMap<string, Node>;
  readonly required: ReadonlySet<string>;
  /** What the value of any other property has to be. */
  readonly rest: Node;
  /** Which names a grammar writes other properties by: any, none, or those that a pattern fits. */
  readonly others: "any" | "none" | Pattern;
  /** What the values of those are. */
  readonly othersNode: Node;
  readonly min: number;
  readonly max: number;
  readonly pointer: string;
}

/** The JSON type of a value, where a whole number is a number. */
export function typeOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}
