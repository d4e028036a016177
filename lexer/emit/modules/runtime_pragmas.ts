/**
 * The part of a generated module's runtime that the pragmas of an API file ask for.
 *
 * @module
 */

import { $describe, $Handle, $keep, $Struct, $wrong } from "./runtime.ts";

/** Throws for null where C takes none. */
export function $notNull(value: unknown, where: string): void {
  if (value === null || value === undefined) throw $wrong(value, "something that isn't null", where);
}

/** The same for the items of an array of pointers. */
export function $noNulls(value: unknown, where: string): void {
  if (Array.isArray(value)) value.forEach((item, i) => $notNull(item, `${where}[${i}]`));
}

/** The error for a null that C gives where the API file says that it gives none. */
export function $nullResult(name: string): Error {
  return new Error(`${name} returned null: it failed`);
}

/** Throws if memory is shorter than what C will use of it. What a handle of C's or a pointer points to has a length that nobody knows. */
export function $atLeast(value: unknown, count: number, width: number, what: string, why: string, where: string): void {
  if (!(count > 0) || $byteLength(value, width) >= count * width) return;
  const message = `${where}: expected at least ${count} ${what}${why === String(count) ? "" : ` (${why})`}, got ${$describe(value)}`;
  throw value === null ? new TypeError(message) : new RangeError(message);
}

/** The bytes of memory of JavaScript's; infinitely many for C's. */
function $byteLength(value: unknown, width: number): number {
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return value.byteLength;
  if (value === null) return 0;
  if (Array.isArray(value)) return value.length * width;
  if (typeof value === "string") return new TextEncoder().encode(value).length;
  return value instanceof $Struct && value.owner.memory !== null ? value.bytes.byteLength : Infinity;
}

/** Has what a handle stands for keep alive what C keeps a pointer to. */
export function $keepIn(holder: $Handle | null, value: unknown): void {
  if (holder === null) return;
  if (value instanceof $Handle) $keep(holder.owner, value);
  else holder.owner.keep(value);
}
