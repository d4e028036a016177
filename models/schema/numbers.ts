/**
 * Numbers: their bounds out of several schemas, whether one is within, and their grammar.
 *
 * @module
 */

import type { Part } from "./conjunctions.ts";
import { decimals, fixed, integers, multiples } from "./digits.ts";
import { SchemaError } from "./error.ts";
import { chars, choice, type Expr, type Grammar, sequence, text, times } from "./gbnf.ts";
import type { Bound, Numbers } from "./values.ts";

/** The numbers that all of the schemas allow, or why there are none. */
export function mergeNumbers(parts: readonly Part[], whole: boolean): Numbers | string {
  const pointer = parts.find(({ schema }) => BOUNDS.some((keyword) => keyword in schema))?.pointer ?? parts[0]?.pointer ?? "#";
  const lower = parts.flatMap((part) => [...boundOf(part, "minimum"), ...boundOf(part, "exclusiveMinimum")]);
  const upper = parts.flatMap((part) => [...boundOf(part, "maximum"), ...boundOf(part, "exclusiveMaximum")]);
  const tighter = (sign: number) => (a: Bound, b: Bound) => sign * (b.value - a.value) || Number(b.exclusive) - Number(a.exclusive);
  const min = lower.toSorted(tighter(1))[0] ?? null, max = upper.toSorted(tighter(-1))[0] ?? null, step = stepOf(parts);
  const numbers: Numbers = { kind: "number", whole: whole || step !== null && Number.isInteger(step), min, max, step, pointer };
  return isEmpty(numbers) ? `no ${whole ? "whole number" : "number"} is ${describe(numbers)}` : numbers;
}

const BOUNDS = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"];

function boundOf({ schema, pointer }: Part, keyword: string): Bound[] {
  const value = schema[keyword];
  if (value === undefined) return [];
  if (typeof value !== "number" || !Number.isFinite(value)) {
    throw new SchemaError(`${keyword}: expected a number, got ${JSON.stringify(value)}`, pointer);
  }
  return [{ value, exclusive: keyword.startsWith("exclusive") }];
}

function stepOf(parts: readonly Part[]): number | null {
  let step: number | null = null;
  for (const { schema: { multipleOf }, pointer } of parts) {
    if (multipleOf === undefined) continue;
    if (typeof multipleOf !== "number" || !(multipleOf > 0)) {
      throw new SchemaError(`multipleOf: expected a number above 0, got ${JSON.stringify(multipleOf)}`, pointer);
    }
    if (step !== null && step !== multipleOf && !(Number.isInteger(step) && Number.isInteger(multipleOf))) {
      throw new SchemaError(`multipleOf ${step} and ${multipleOf} at once can't be made into a grammar`, pointer);
    }
    step = step === null || step === multipleOf ? multipleOf : step / greatestDivisor(step, multipleOf) * multipleOf;
  }
  return step;
}

function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b);
}

function describe({ min, max, step }: Numbers): string {
  const low = min === null ? [] : [`${min.exclusive ? "above" : "at least"} ${min.value}`];
  const high = max === null ? [] : [`${max.exclusive ? "below" : "at most"} ${max.value}`];
  return [...low, ...high, ...step === null ? [] : [`a multiple of ${step}`]].join(" and ");
}

function isEmpty(numbers: Numbers): boolean {
  const { min, max, step, whole } = numbers;
  if (min === null || max === null) return false;
  if (step !== null || whole) {
    const [low, high] = scaledBounds(numbers, step === null ? 0 : placesOf(step)), unit = scaled(step ?? 1, placesOf(step ?? 1));
    return ceil(low!, unit) * unit > high!;
  }
  return min.value > max.value || min.value === max.value && (min.exclusive || max.exclusive);
}

function ceil(value: bigint, unit: bigint): bigint {
  return value / unit + (value > 0n && value % unit !== 0n ? 1n : 0n);
}

/** Whether a number is one of them. */
export function holdsNumber({ whole, min, max, step }: Numbers, value: number): boolean {
  if (whole && !Number.isInteger(value)) return false;
  if (min !== null && (min.exclusive ? value <= min.value : value < min.value)) return false;
  if (max !== null && (max.exclusive ? value >= max.value : value > max.value)) return false;
  if (step === null) return true;
  const places = Math.max(placesOf(value), placesOf(step));
  return scaled(value, places) % scaled(step, places) === 0n;
}

/** Whether no number is one of both. */
export function numbersApart(a: Numbers, b: Numbers): boolean {
  const above = (low: Bound | null, high: Bound | null) =>
    low !== null && high !== null && (low.value > high.value || low.value === high.value && (low.exclusive || high.exclusive));
  return above(a.min, b.max) || above(b.min, a.max);
}

/** How many digits a number has behind the point. */
function placesOf(value: number): number {
  const [mantissa, exponent = "0"] = String(value).split("e");
  return Math.max(0, (mantissa.split(".")[1] ?? "").length - Number(exponent));
}

/** The number in units of 10^-`places`, rounded down. */
function scaled(value: number, places: number): bigint {
  const [mantissa, exponent = "0"] = String(value).split("e"), [before, behind = ""] = mantissa.split(".");
  const shift = Number(exponent) + places - behind.length, digits = BigInt(before + behind);
  if (shift >= 0) return digits * 10n ** BigInt(shift);
  const unit = 10n ** BigInt(-shift), down = digits / unit;
  return digits < 0n && digits % unit !== 0n ? down - 1n : down;
}

/** The lowest and highest number in units of 10^-`places` that belong to them. */
function scaledBounds({ min, max }: Numbers, places: number): [bigint | null, bigint | null] {
  const isWhole = (value: number) => placesOf(value) <= places;
  const low = min === null ? null : scaled(min.value, places) + (min.exclusive || !isWhole(min.value) ? 1n : 0n);
  const high = max === null ? null : scaled(max.value, places) - (max.exclusive && isWhole(max.value) ? 1n : 0n);
  return [low, high];
}

/** The grammar of numbers. */
export function writeNumbers(numbers: Numbers, grammar: Grammar): Expr {
  const { whole, min, max, step } = numbers;
  if (step !== null) return writeMultiples(numbers, step, grammar);
  if (min === null && max === null) return whole ? anyInteger(grammar) : anyNumber(grammar);
  if (whole) return integers(...scaledBounds(numbers, 0))!;
  const exclusive = (min?.exclusive ?? false) || (max?.exclusive ?? false);
  const places = Math.max(placesOf(min?.value ?? 0), placesOf(max?.value ?? 0)) + (exclusive ? 1 : 0);
  return decimals(...scaledBounds(numbers, places), places)!;
}

/** So many multiples are written out one by one. */
const LISTED = 1000;

/** A rule for each remainder and each digit: larger steps make too many. */
const LARGEST = 100;

function writeMultiples(numbers: Numbers, step: number, grammar: Grammar): Expr {
  const places = placesOf(step), unit = scaled(step, places), [low, high] = scaledBounds(numbers, places);
  const first = low === null ? null : ceil(low, unit), last = high === null ? null : -ceil(-high, unit);
  if (first !== null && last !== null && last - first < BigInt(LISTED)) {
    return choice(...Array.from({ length: Number(last - first) + 1 }, (_, i) => text(decimalText((first + BigInt(i)) * unit, places))));
  }
  if (places > 0 && unit === 1n && low !== null && low >= 0n) return fixed(low, high, places)!;
  if (places > 0 || step > LARGEST || first !== null && first !== 0n && first !== 1n || last !== null && last !== 0n) {
    throw new SchemaError(`a grammar can't say: numbers that are ${describe(numbers)}`, numbers.pointer);
  }
  const positive = multiples(step, (name, make) => grammar.shared(name, make));
  if (first === 1n) return positive;
  if (last !== null) return choice(text("0"), sequence(text("-"), positive));
  return choice(text("0"), first === null ? sequence(times(text("-"), 0, 1), positive) : positive);
}

function decimalText(value: bigint, places: number): string {
  if (places === 0) return String(value);
  const digits = String(value < 0n ? -value : value).padStart(places + 1, "0");
  return String(Number(`${value < 0n ? "-" : ""}${digits.slice(0, -places)}.${digits.slice(-places)}`));
}

const DIGIT = chars([[0x30, 0x39]]), NOT_ZERO = chars([[0x31, 0x39]]);

/** Any whole number that JavaScript can hold nearly: sixteen digits. */
function anyInteger(grammar: Grammar): Expr {
  return grammar.shared("integer", () => sequence(times(text("-"), 0, 1), choice(text("0"), sequence(NOT_ZERO, times(DIGIT, 0, 15)))));
}

/** Any number, none of which is too large for JavaScript. */
function anyNumber(grammar: Grammar): Expr {
  return grammar.shared("number", () => {
    const fraction = sequence(text("."), times(DIGIT, 1, 16));
    const sign = chars([[0x2b, 0x2b], [0x2d, 0x2d]]);
    const exponent = sequence(chars([[0x45, 0x45], [0x65, 0x65]]), times(sign, 0, 1), times(DIGIT, 1, 2));
    return sequence(anyInteger(grammar), times(fraction, 0, 1), times(exponent, 0, 1));
  });
}
