/**
 * What the writers of generated modules share.
 *
 * @module
 */

import type { BoundRecord } from "../api/api.ts";
import type { Origin } from "../../model/model.ts";

/** Says where something is declared, without the machine's own folders. */
export type Place = (origin: Origin) => string;

/** The function that frees a handle of an opaque struct, null if there is none. */
export function freeOf({ declaration, free }: BoundRecord): string | null {
  return declaration.size === null && free !== null && /_free_*$/.test(free) ? free : null;
}

/** A string literal with the quotes that need fewer escapes, as `deno fmt` has it. */
export function quoted(text: string): string {
  const count = (quote: string) => text.split(quote).length;
  const literal = JSON.stringify(text);
  return count('"') > count("'") ? `'${literal.slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'` : literal;
}
