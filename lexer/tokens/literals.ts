/**
 * The values of literals, C17 6.4.4 and 6.4.5: spelling in, value out.
 *
 * Types are not decided here, only what the spelling says of them; see evaluate.ts and condition.ts.
 *
 * @module
 */

import { type Int, normal } from "./integer.ts";
import { hexDigit } from "./tokenize.ts";

/** What an integer constant's spelling says. */
export interface IntegerLiteral {
  readonly value: Int;
  readonly decimal: boolean;
  readonly unsigned: boolean;
  /** Number of `l` in the suffix. */
  readonly longs: number;
  /** `wb` of C23: a `_BitInt`. */
  readonly bitInt: boolean;
  /** Microsoft's `i64` and the like; 0 for none. */
  readonly bits: number;
}

/** Longest digit string that is converted at all. */
const MAX_DIGITS = 4096;

/** An integer constant; null where the preprocessing number is none. */
export function integerLiteral(spelling: string): IntegerLiteral | null {
  let text = spelling;
  if (text.length === 1) {
    const digit = text.charCodeAt(0) - 48;
    if (digit >= 0 && digit <= 9) return { value: digit, decimal: digit > 0, unsigned: false, longs: 0, bitInt: false, bits: 0 };
  }
  if (text.includes("'")) text = text.replaceAll("'", "");
  if (text.length > MAX_DIGITS) return null;
  let base = 10;
  let at = 0;
  if (text.charCodeAt(0) === 48) {
    const next = text.charCodeAt(1) | 32;
    if (next === 120) base = 16, at = 2;
    else if (next === 98) base = 2, at = 2;
    else base = 8, at = 1;
  }
  const start = at;
  let small = 0;
  for (; at < text.length; at++) {
    const digit = hexDigit(text.charCodeAt(at));
    if (digit < 0 || digit >= base) break;
    small = small * base + digit;
  }
  if (at === start && base !== 8) return null;
  let value: Int = small;
  if (!Number.isSafeInteger(small)) {
    const digits = text.slice(start, at);
    value = normal(BigInt(base === 16 ? "0x" + digits : base === 8 ? "0o" + digits : base === 2 ? "0b" + digits : digits));
  }
  // The suffix: u, l, ll, wb, z in any order that makes sense; Microsoft's i8 … i64.
  let unsigned = false;
  let longs = 0;
  let bitInt = false;
  let bits = 0;
  while (at < text.length) {
    const c = text.charCodeAt(at);
    const lower = c | 32;
    if (lower === 117 && !unsigned) unsigned = true, at++;
    else if (lower === 108 && longs === 0) {
      longs = text.charCodeAt(at + 1) === c ? 2 : 1;
      at += longs;
    } else if (lower === 119 && (text.charCodeAt(at + 1) | 32) === 98) bitInt = true, at += 2;
    else if (lower === 105 && bits === 0) {
      const width = Number(text.slice(at + 1));
      if (width !== 8 && width !== 16 && width !== 32 && width !== 64) return null;
      bits = width;
      at = text.length;
    } else return null;
  }
  return { value, decimal: base === 10, unsigned, longs, bitInt, bits };
}

/** What a floating constant's spelling says. */
export interface FloatLiteral {
  readonly value: number;
  /** Lower case: "", "f", "l", "f16", "f32", "f64", "f128", "f32x", "f64x", "q", "bf16", "df" … */
  readonly suffix: string;
  /** GNU's `i` and `j`. */
  readonly imaginary: boolean;
}

const SUFFIXES = ["", "f", "l", "f16", "f32", "f64", "f128", "f32x", "f64x", "q", "w", "bf16", "df", "dd", "dl"];

/** A floating constant; null where the preprocessing number is none. */
export function floatLiteral(spelling: string): FloatLiteral | null {
  const text = spelling.replaceAll("'", "").toLowerCase();
  if (text.length > MAX_DIGITS) return null;
  const hex = text.startsWith("0x");
  let at = hex ? 2 : 0;
  let digits = 0;
  let point = false;
  let mantissa = 0n;
  let scale = 0;
  for (; at < text.length; at++) {
    const c = text.charCodeAt(at);
    if (c === 46) {
      if (point) return null;
      point = true;
      continue;
    }
    const digit = hexDigit(c);
    if (digit < 0 || (!hex && digit > 9)) break;
    digits++;
    if (hex) {
      mantissa = mantissa * 16n + BigInt(digit);
      if (point) scale -= 4;
    }
  }
  if (digits === 0) return null;
  const mark = text.charCodeAt(at);
  let exponent = 0;
  const end = at;
  let to = at;
  if (mark === (hex ? 112 : 101)) {
    at++;
    const sign = text.charCodeAt(at);
    if (sign === 43 || sign === 45) at++;
    const from = at;
    while (at < text.length && text.charCodeAt(at) >= 48 && text.charCodeAt(at) <= 57) at++;
    if (at === from) return null;
    exponent = Number(text.slice(from, at)) * (sign === 45 ? -1 : 1);
    to = at;
  } else if (hex) return null;
  else if (!point && at < text.length && mark !== mark) return null;
  let suffix = text.slice(to);
  let imaginary = false;
  if (suffix.endsWith("i") || suffix.endsWith("j")) {
    imaginary = true;
    suffix = suffix.slice(0, -1);
  }
  if (!SUFFIXES.includes(suffix)) return null;
  if (!hex && !point && end === to && !imaginary) return null; // an integer constant
  const value = hex ? scaled(mantissa, exponent + scale) : Number(text.slice(0, to));
  return { value, suffix, imaginary };
}

/** mantissa × 2^exponent, rounded once. */
function scaled(mantissa: bigint, exponent: number): number {
  if (mantissa === 0n) return 0;
  // Keep 64 bits and a sticky bit, so that the conversion below rounds correctly.
  const length = mantissa.toString(2).length;
  if (length > 64) {
    const drop = BigInt(length - 64);
    const low = mantissa & ((1n << drop) - 1n);
    mantissa = (mantissa >> drop) | (low === 0n ? 0n : 1n);
    exponent += length - 64;
  }
  if (exponent >= 0) return exponent > 1100 ? Infinity : Number(mantissa << BigInt(exponent));
  let value = Number(mantissa);
  for (; exponent < -1000; exponent += 1000) value *= 2 ** -1000;
  return value * 2 ** exponent;
}

/** Width of the code units of a string or character constant. */
export type Encoding = "" | "L" | "u" | "U" | "u8";

/** A string or character constant's prefix. */
export function encodingOf(spelling: string): Encoding {
  const quote = spelling.search(/['"]/);
  return spelling.slice(0, quote) as Encoding;
}

/** The code points of a literal; escapes that name a code unit (`\xff`, `\377`) come as negative numbers, -1 - unit. */
export function contents(spelling: string): number[] | string {
  const open = spelling.endsWith('"') ? spelling.indexOf('"') : spelling.indexOf("'");
  const out: number[] = [];
  for (let at = open + 1; at < spelling.length - 1;) {
    const c = spelling.codePointAt(at)!;
    if (c !== 92) {
      out.push(c);
      at += c > 0xffff ? 2 : 1;
      continue;
    }
    const escape = spelling.charAt(++at);
    at++;
    const simple = SIMPLE[escape];
    if (simple !== undefined) out.push(simple);
    else if (escape >= "0" && escape <= "7") {
      let unit = Number(escape);
      for (let i = 0; i < 2; i++, at++) {
        const digit = spelling.charCodeAt(at) - 48;
        if (!(digit >= 0 && digit <= 7)) break;
        unit = unit * 8 + digit;
      }
      out.push(-1 - unit);
    } else if (escape === "x") {
      let unit = 0;
      const from = at;
      for (; hexDigit(spelling.charCodeAt(at)) >= 0; at++) unit = (unit * 16 + hexDigit(spelling.charCodeAt(at))) % 2 ** 32;
      if (at === from) return "\\x used with no following hex digits";
      out.push(-1 - unit);
    } else if (escape === "u" || escape === "U") {
      const digits = escape === "u" ? 4 : 8;
      const point = parseInt(spelling.slice(at, at + digits), 16);
      if (!(point >= 0 && point <= 0x10ffff)) return `\\${escape} is not a universal character`;
      out.push(point);
      at += digits;
    } else return `unknown escape sequence '\\${escape}'`;
  }
  return out;
}

const SIMPLE: Record<string, number> = {
  n: 10,
  t: 9,
  r: 13,
  a: 7,
  b: 8,
  f: 12,
  v: 11,
  e: 27,
  E: 27,
  "\\": 92,
  "'": 39,
  '"': 34,
  "?": 63,
};

/** The UTF-8 bytes, or code units of `bits` bits, of what {@linkcode contents} gave. */
export function units(points: readonly number[], bits: number): number[] {
  const out: number[] = [];
  for (const point of points) {
    if (point < 0) out.push(bits === 32 ? (-1 - point) >>> 0 : (-1 - point) & (2 ** bits - 1));
    else if (bits === 32) out.push(point);
    else if (bits === 16) {
      if (point > 0xffff) out.push(0xd800 + ((point - 0x10000) >> 10), 0xdc00 + ((point - 0x10000) & 0x3ff));
      else out.push(point);
    } else if (point < 0x80) out.push(point);
    else if (point < 0x800) out.push(0xc0 | (point >> 6), 0x80 | (point & 63));
    else if (point < 0x10000) out.push(0xe0 | (point >> 12), 0x80 | ((point >> 6) & 63), 0x80 | (point & 63));
    else out.push(0xf0 | (point >> 18), 0x80 | ((point >> 12) & 63), 0x80 | ((point >> 6) & 63), 0x80 | (point & 63));
  }
  return out;
}

/** The value of a character constant in `#if` and elsewhere, C17 6.4.4.4; a message where it has none. `wide` is the width of `wchar_t`. */
export function characterValue(spelling: string, charSigned: boolean, wide: number, wideSigned: boolean): number | string {
  const points = contents(spelling);
  if (typeof points === "string") return points;
  if (points.length === 0) return "empty character constant";
  const encoding = encodingOf(spelling);
  if (encoding === "") {
    // GNU C: several characters count as base 256 digits, as an int.
    const bytes = units(points, 8);
    if (bytes.length === 1) return charSigned ? (bytes[0] << 24) >> 24 : bytes[0];
    return bytes.reduce((value, byte) => (value << 8) | byte, 0);
  }
  const bits = encoding === "L" ? wide : encoding === "U" ? 32 : encoding === "u" ? 16 : 8;
  const unit = units(points.slice(-1), bits).at(-1)!;
  return encoding === "L" && wideSigned && bits === 32 ? unit | 0 : unit;
}

/** Code points as text. There may be more of them than a call takes arguments. */
export function textOf(points: readonly number[]): string {
  let text = "";
  for (const point of points) text += String.fromCodePoint(point);
  return text;
}
