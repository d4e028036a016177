/**
 * Lengths: that a typed array has as many elements as C will read or write.
 *
 * How many that are is in `lexer/ggml/api.h` and, for arrays of fixed length, in the headers. The generated functions work it out and ask here.
 * What a handle or a Deno pointer points to has a length that nobody knows: it is taken as it is, but for a struct that was made here.
 *
 * @module
 */

import { describe } from "./describe.ts";
import { Handle } from "./handle.ts";

/**
 * Throws if memory is shorter than what C will use of it, null among it.
 *
 * @param value What was passed: it has the right type by now.
 * @param count How many elements C will use.
 * @param width The bytes of one.
 * @param what What the elements are, in plural.
 * @param why Where `count` comes from: the expression in `api.h`.
 * @param where `function(parameter)`.
 */
export function atLeast(value: unknown, count: number, width: number, what: string, why: string, where: string): void {
  if (bytesOf(value, width) >= count * width || !(count > 0)) return;
  const number = count === 1 ? `one ${what.slice(0, -1)}` : `${count} ${what}`;
  const message = `${where}: expected at least ${number}${why === String(count) ? "" : ` (${why})`}, got ${told(value, width, what)}`;
  throw value === null ? new TypeError(message) : new RangeError(message);
}

/** Structs that lie one after the other look like the first: what comes is how many there are. */
function told(value: unknown, width: number, what: string): string {
  const count = value instanceof Handle ? Math.floor(bytesOfHandle(value) / width) : 0;
  return count > 1 ? `${count} ${what}` : describe(value);
}

/** The language's own lengths: a subclass may call something else so, and C reads as many bytes as there are. */
const [typedLength, viewLength, bufferLength] = [Object.getPrototypeOf(Uint8Array.prototype), DataView.prototype, ArrayBuffer.prototype]
  .map(
    (prototype) => Object.getOwnPropertyDescriptor(prototype, "byteLength")!.get!,
  );

/** The bytes of memory; infinitely many where nobody knows. `width` is that of what an array of JavaScript holds. */
export function bytesOf(value: unknown, width: number): number {
  if (ArrayBuffer.isView(value)) return value instanceof DataView ? viewLength.call(value) : typedLength.call(value);
  if (value instanceof ArrayBuffer) return bufferLength.call(value);
  if (value === null) return 0;
  if (Array.isArray(value)) return value.length * width;
  if (typeof value === "string") return new TextEncoder().encode(value).length;
  return value instanceof Handle ? bytesOfHandle(value) : Infinity;
}

/** The bytes from a struct to the end of the memory that was made for it here. */
function bytesOfHandle({ owner, address }: Handle): number {
  const { arena, base } = owner;
  return arena !== null && owner.address === base && address >= base ? arena.byteLength - Number(address - base) : Infinity;
}
