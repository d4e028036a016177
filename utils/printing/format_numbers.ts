/**
 * Numbers as text, as numpy prints arrays of them: every number with as few digits as tell it from its neighbours of the same type, at most
 * eight after the point, all equally wide.
 *
 * The rules are those of `numpy.array2string` with its default options (where numpy 2.3 changed one, at which size numbers get exponents, the
 * older: from 1e8 for every type). Numbers are rounded from their exact value, ties to even. Brackets and lines are `format_array.ts`'s.
 *
 * @module
 */

import type { TypedArray } from "../arrays/ndarray.ts";

type Floats = Float16Array | Float32Array | Float64Array;

/** What differs between the floating-point types. */
interface FloatKind {
  /** Rounds to the type. */
  readonly round: (x: number) => number;
  /** So many digits always survive a way through the type and back: fewer needn't be tried. */
  readonly digits: number;
  /** The least number of full precision: below it fewer digits may do. */
  readonly least: number;
}

const F16: FloatKind = { round: Math.f16round, digits: 3, least: 2 ** -14 };
const F32: FloatKind = { round: Math.fround, digits: 6, least: 2 ** -126 };
const F64: FloatKind = { round: (x) => x, digits: 15, least: 2 ** -1022 };

/**
 * The numbers' texts, all equally long.
 *
 * @param precision How many digits after the point at most.
 */
export function formatNumbers(values: TypedArray, precision: number): string[] {
  if (values instanceof Float16Array) return formatFloats(values, F16, precision);
  if (values instanceof Float32Array) return formatFloats(values, F32, precision);
  if (values instanceof Float64Array) return formatFloats(values, F64, precision);
  return padded(Array.from(values as ArrayLike<number | bigint>, String));
}

function formatFloats(values: Floats, kind: FloatKind, precision: number): string[] {
  const finite = values.filter((x) => Number.isFinite(x));
  const texts = needExponents(finite, kind) ? withExponents(finite, kind, precision) : padded(alignPoints(finite, kind, precision));
  if (finite.length === values.length) return texts;
  let next = 0;
  const all = Array.from(values, (x) => Number.isFinite(x) ? texts[next++] : Number.isNaN(x) ? "nan" : x < 0 ? "-inf" : "inf");
  return padded(all);
}

/** True if some number is so large or small, or so much larger than another, that places after the point would say little. */
function needExponents(finite: Floats, { round }: FloatKind): boolean {
  let most = 0, least = Infinity;
  for (const x of finite) {
    const size = Math.abs(x);
    if (size > most) most = size;
    if (size !== 0 && size < least) least = size;
  }
  return most !== 0 && (most >= 1e8 || least < round(1e-4) || round(most / least) > 1000);
}

/** With the points under each other, and spaces for the digits that are not there. */
function alignPoints(finite: Floats, kind: FloatKind, precision: number): string[] {
  const texts = Array.from(finite, (x) => withSign(x, positional(Math.abs(x), kind, precision)));
  const width = texts.reduce((most, text) => Math.max(most, text.length - text.indexOf(".")), 0);
  return texts.map((text) => text.padEnd(text.indexOf(".") + width));
}

/** Without an exponent, with a point and no zeros at the end. */
function positional(x: number, kind: FloatKind, precision: number): string {
  // Whole numbers are written out: 16777216 as a 32-bit float needs but seven digits, and all eight are shown.
  const text = String(Number.isInteger(x) ? x : shortest(x, kind));
  const point = text.indexOf(".");
  if (point < 0) return `${text}.`;
  if (text.length - point - 1 <= precision) return text;
  const rounded = fixed(x, precision);
  return rounded.includes(".") ? rounded.replace(/0+$/, "") : `${rounded}.`;
}

/** `toFixed` with ties to even. In a tie all digits of the number are known: it is a whole number of halves of the last place. */
function fixed(x: number, precision: number): string {
  const text = x.toFixed(precision);
  const isTie = (x * 2 ** (precision + 1)) % 2 === 1;
  return isTie && Number(text.at(-1)) % 2 === 1 ? text.slice(0, -1) + (Number(text.at(-1)) - 1) : text;
}

/** All with as many digits as the one with the most needs, and as long exponents. */
function withExponents(finite: Floats, kind: FloatKind, precision: number): string[] {
  const shortests = Array.from(finite, (x) => scientific(Math.abs(x), kind, precision));
  const digits = shortests.reduce((most, text) => Math.max(most, fractionDigits(text)), 0);
  const texts = Array.from(finite, (x, i) => {
    // What needs fewer digits gets more of its exact value: 0.1 as a 32-bit float is 1.00000001e-01.
    const text = fractionDigits(shortests[i]) === digits ? shortests[i] : exponential(Math.abs(x), digits);
    return withSign(x, digits === 0 ? text.replace("e", ".e") : text);
  });
  const width = texts.reduce((most, text) => Math.max(most, text.length - text.indexOf("e") - 2), 2);
  return padded(texts.map((text) => {
    const end = text.indexOf("e") + 2;
    return text.slice(0, end) + text.slice(end).padStart(width, "0");
  }));
}

/** With an exponent, and no zeros at the end of what is before it. */
function scientific(x: number, kind: FloatKind, precision: number): string {
  const text = shortest(x, kind).toExponential();
  return fractionDigits(text) <= precision ? text : exponential(x, precision).replace(/\.?0*e/, "e");
}

/** How many digits stand between the point and the exponent. */
function fractionDigits(text: string): number {
  return Math.max(text.indexOf("e") - 2, 0);
}

/** `toExponential` with ties to even. */
function exponential(x: number, digits: number): string {
  const text = x.toExponential(digits), exact = x.toExponential(100), end = exact.indexOf("e");
  const kept = exact.slice(0, digits === 0 ? 1 : digits + 2);
  const isTie = /^\.?50*$/.test(exact.slice(kept.length, end));
  return isTie && Number(kept.at(-1)) % 2 === 0 ? kept + exact.slice(end) : text;
}

/** The double with the fewest decimal digits that rounds to `x` in its type: of 32-bit floats the one that is written 0.1 is 0.1. */
function shortest(x: number, { round, digits, least }: FloatKind): number {
  if (round === F64.round || x === 0) return x;
  for (let n = x < least ? 1 : digits; n < 17; n++) {
    const text = exponential(x, n - 1), decimal = Number(text);
    if (round(decimal) === x) return decimal;
    // Below a power of two numbers are twice as close as above it: of the two decimals around, the farther may be the one that rounds to it.
    const next = Number((decimal + 10 ** (Number(text.slice(text.indexOf("e") + 1)) - n + 1)).toPrecision(n));
    if (round(next) === x) return next;
  }
  return x;
}

function withSign(x: number, text: string): string {
  return x < 0 || Object.is(x, -0) ? `-${text}` : text;
}

function padded(texts: string[]): string[] {
  const width = texts.reduce((most, text) => Math.max(most, text.length), 0);
  return texts.map((text) => text.padStart(width));
}
