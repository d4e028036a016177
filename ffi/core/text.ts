/**
 * Text of C's and of GGUF files: UTF-8, in which some have bytes that are none. C cuts a name off after 63 bytes, also within a character.
 *
 * Such a byte becomes a lone surrogate, U+DC00 + byte, and goes back to the byte that it was: what Python calls `surrogateescape` (PEP 383).
 * Nothing is lost, and text that is UTF-8 is just text.
 *
 * @module
 */

/** Made when it is first needed: that takes Deno 0.1 ms. */
let strict: TextDecoder | null = null;

/** The encoder of all modules: one more takes 0.05 ms when they are loaded. */
export const encoder: TextEncoder = new TextEncoder();

/** What is added to a byte that is no UTF-8. */
const ESCAPE = 0xdc00;

/** Strings of up to so many bytes are tried as ASCII first, which is five times as fast: a vocabulary has 100,000s of them. */
const SHORT = 24;

/** A string from its bytes. */
export function decodeText(bytes: Uint8Array): string {
  const ascii = bytes.length <= SHORT ? decodeAscii(bytes) : null;
  if (ascii !== null) return ascii;
  try {
    return decodeStrictly(bytes);
  } catch (error) {
    if (error instanceof TypeError) return decodeEscaped(bytes);
    throw error;
  }
}

function decodeStrictly(bytes: Uint8Array): string {
  strict ??= new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  return strict.decode(bytes);
}

/** The string; null if there is anything but ASCII in it. */
function decodeAscii(bytes: Uint8Array): string | null {
  let text = "";
  for (let i = 0; i < bytes.length; i++) {
    if (bytes[i] > 0x7f) return null;
    text += String.fromCharCode(bytes[i]);
  }
  return text;
}

/** In pieces, for a string that is put together letter by letter takes much memory. */
function decodeEscaped(bytes: Uint8Array): string {
  const parts: string[] = [];
  const units = new Uint16Array(8192);
  let count = 0;
  for (let i = 0; i < bytes.length;) {
    const length = sequenceAt(bytes, i);
    if (length === 0) units[count++] = ESCAPE + bytes[i];
    else count = putCharacter(units, count, decodeStrictly(bytes.subarray(i, i + length)));
    i += length || 1;
    if (count < units.length - 1 && i < bytes.length) continue;
    parts.push(String.fromCharCode(...units.subarray(0, count)));
    count = 0;
  }
  return parts.join("");
}

/** Appends one character, of one unit or two. */
function putCharacter(units: Uint16Array, count: number, character: string): number {
  for (let i = 0; i < character.length; i++) units[count++] = character.charCodeAt(i);
  return count;
}

/** How many bytes the character takes that begins there; 0 if none does. Unicode 16, table 3-7. */
function sequenceAt(bytes: Uint8Array, i: number): number {
  const lead = bytes[i];
  if (lead < 0x80) return 1;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  const length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  const low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  const high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  if (!(bytes[i + 1] >= low && bytes[i + 1] <= high)) return 0;
  for (let j = 2; j < length; j++) if (!(bytes[i + j] >= 0x80 && bytes[i + j] <= 0xbf)) return 0;
  return length;
}

/**
 * A string's bytes.
 *
 * @param where What the string is, for the error.
 * @throws {TypeError} If it has a lone surrogate that stands for no byte.
 */
export function encodeText(text: string, where: string): Uint8Array<ArrayBuffer> {
  if (text.isWellFormed()) return encoder.encode(text);
  const parts: number[] = [];
  for (const character of text) {
    const code = character.codePointAt(0)!;
    if (code < 0xd800 || code > 0xdfff) parts.push(...encoder.encode(character));
    else if (code >= ESCAPE + 0x80 && code <= ESCAPE + 0xff) parts.push(code - ESCAPE);
    else throw new TypeError(`${where}: the string has a lone surrogate, U+${code.toString(16).toUpperCase()}, which UTF-8 can't hold`);
  }
  return new Uint8Array(parts);
}
