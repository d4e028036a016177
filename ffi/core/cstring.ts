/**
 * C strings: NUL-terminated UTF-8. Bytes that are none are kept, see `text.ts`.
 *
 * A short ASCII string is written into a buffer that is used again by the next call: making a fresh one costs ten times as much, most of
 * it in FFI. A call's string arguments each have a slot of their own, and a callback that runs inside a call gets a set of its own, so C
 * never sees a string change under it.
 *
 * @module
 */

import { describe } from "./describe.ts";
import { decodeText, encodeText } from "./text.ts";

/** The size of a slot; longer strings get memory of their own. */
const SLOT_BYTES = 256;

type Slots = Uint8Array<ArrayBuffer>[];

/** The slots of the calls that are running, outermost first: one level more for each callback that C is in. */
const levels: Slots[] = [[]];
let slots: Slots = levels[0];

/**
 * A string as C takes it.
 *
 * @param value The string.
 * @param slot Which of the call's string arguments it is, from 0.
 * @param where The function and parameter, for the error.
 * @throws {TypeError} If it isn't a string, or holds a NUL, at which C would cut it off, or a lone surrogate that stands for no byte.
 */
export function cstring(value: string, slot: number, where: string): Uint8Array<ArrayBuffer> {
  if (typeof value !== "string") throw new TypeError(`${where}: expected a string, got ${describe(value)}`);
  const length = value.length;
  if (length >= SLOT_BYTES) return encode(value, where);
  const bytes = slots[slot] ??= new Uint8Array(SLOT_BYTES);
  for (let i = 0; i < length; i++) {
    const code = value.charCodeAt(i);
    if (code === 0 || code > 127) return encode(value, where);
    bytes[i] = code;
  }
  bytes[length] = 0;
  return bytes;
}

/** A string in memory of its own, NUL-terminated. */
export function encode(value: string, where: string): Uint8Array<ArrayBuffer> {
  const nul = value.indexOf("\0");
  if (nul >= 0) throw new TypeError(`${where}: the string has a NUL at index ${nul}, where C would cut it off`);
  return encodeText(value + "\0", where);
}

/** The string at a C pointer. */
export function cstringAt(pointer: Deno.PointerObject): string {
  const text = Deno.UnsafePointerView.getCString(pointer);
  return text.includes(REPLACEMENT) ? decodeText(bytesAt(pointer)) : text;
}

/** What `getCString` gives for bytes that are no UTF-8. */
const REPLACEMENT = "\ufffd";

/** A C string's bytes, before the NUL. */
export function bytesAt(pointer: Deno.PointerObject): Uint8Array {
  const view = new Deno.UnsafePointerView(pointer);
  let length = 0;
  while (view.getUint8(length) !== 0) length++;
  return new Uint8Array(view.getArrayBuffer(length)).slice();
}

/** The string at a C pointer, null for null. */
export function readCString(pointer: Deno.PointerValue): string | null {
  return pointer === null ? null : cstringAt(pointer);
}

/** Gives the calls inside a callback string slots of their own. */
export function enterCallback(): void {
  slots = [];
  levels.push(slots);
}

/** Ends what {@linkcode enterCallback} began. */
export function leaveCallback(): void {
  levels.pop();
  slots = levels[levels.length - 1];
}
