/**
 * Ranges of numbers as grammars: which digits may come, place by place, from the left.
 *
 * @module
 */

import { chars, choice, type Expr, sequence, text, times } from "./gbnf.ts";

/** Numbers have so many digits before and behind the point, unless a bound has more: what JavaScript's numbers hold. */
const DIGITS = 16;

const ZERO = 0x30;

/** One digit from `first` to `last`. */
function digit(first: number, last: number): Expr {
  return first === last ? text(String(first)) : chars([[ZERO + first, ZERO + last]]);
}

/** So many digits of any kind. */
function anyDigits(min: number, max: number = min): Expr {
  return times(digit(0, 9), min, max);
}

/** The numbers from `low` to `high`, both with the same count of digits, zeros in front included. */
function sameLength(low: string, high: string): Expr {
  if (low === "") return text("");
  if (/^0*$/.test(low) && /^9*$/.test(high)) return anyDigits(low.length);
  const first = Number(low[0]), last = Number(high[0]), rest = low.length - 1;
  if (first === last) return sequence(digit(first, first), sameLength(low.slice(1), high.slice(1)));
  const lowest = /^0*$/.test(low.slice(1)), highest = /^9*$/.test(high.slice(1)), options: Expr[] = [];
  if (!lowest) options.push(sequence(digit(first, first), sameLength(low.slice(1), "9".repeat(rest))));
  const from = lowest ? first : first + 1, to = highest ? last : last - 1;
  if (from <= to) options.push(sequence(digit(from, to), anyDigits(rest)));
  if (!highest) options.push(sequence(digit(last, last), sameLength("0".repeat(rest), high.slice(1))));
  return choice(...options);
}

/** The whole numbers from `low`, which is not negative, to `high`, or without end, as JSON writes them; null if there are none. */
function magnitudes(low: bigint, high: bigint | null): Expr | null {
  if (high !== null && low > high) return null;
  const first = String(low).length, last = high === null ? Math.max(DIGITS, first) : String(high).length;
  const lowest = (length: number) => length === 1 ? "0" : "1" + "0".repeat(length - 1);
  const options: Expr[] = [];
  for (let length = first; length <= last; length++) {
    const from = length === first ? String(low) : lowest(length);
    const to = length === last && high !== null ? String(high) : "9".repeat(length);
    if (from === lowest(length) && length > 1 && (length < last || high === null)) {
      const until = high === null ? last : last - 1;
      options.push(sequence(digit(1, 9), anyDigits(length - 1, until - 1)));
      length = until;
    } else options.push(sameLength(from, to));
  }
  return choice(...options);
}

/** The whole numbers in bounds, each of which may be missing; null if there are none. */
export function integers(low: bigint | null, high: bigint | null): Expr | null {
  return signed(low, high, magnitudes);
}

/** Splits a range into what is below zero, whose sign is written first, and the rest. */
function signed(low: bigint | null, high: bigint | null, write: (low: bigint, high: bigint | null) => Expr | null): Expr | null {
  const options: Expr[] = [];
  if (low === null || low < 0n) {
    const nearest = high !== null && high < 0n ? -high : 1n;
    const negative = write(nearest, low === null ? null : -low);
    if (negative !== null) options.push(sequence(text("-"), negative));
  }
  if (high === null || high >= 0n) {
    const positive = write(low === null || low < 0n ? 0n : low, high);
    if (positive !== null) options.unshift(positive);
  }
  return options.length === 0 ? null : choice(...options);
}

/** The decimal numbers from `low` to `high`, both in units of 10^-`places`; null if there are none. */
export function decimals(low: bigint | null, high: bigint | null, places: number): Expr | null {
  return signed(low, high, (from, to) => {
    const unit = 10n ** BigInt(places);
    const whole = magnitudes((from + unit - 1n) / unit, to === null ? null : to / unit);
    const options = [whole, ...fractions(from, to, places)].filter((option) => option !== null);
    return options.length === 0 ? null : choice(...options);
  });
}

/** With a point: each multiple of the unit, which digits may follow that stay below the next one. */
function fractions(low: bigint, high: bigint | null, places: number): (Expr | null)[] {
  if (places === 0) {
    const whole = magnitudes(low, high === null ? null : high - 1n);
    return [whole === null ? null : sequence(whole, text("."), anyDigits(1, DIGITS))];
  }
  const below = fixed(low, high === null ? null : high - 1n, places);
  const more = anyDigits(0, Math.max(1, DIGITS - places));
  return [below === null ? null : sequence(below, more), high === null ? null : fixed(high, high, places)];
}

/** The multiples of 10^-`places` from `low` to `high`, both in that unit, written with all of the places; null if there are none. */
export function fixed(low: bigint, high: bigint | null, places: number): Expr | null {
  if (high !== null && low > high) return null;
  const unit = 10n ** BigInt(places), point = text("."), part = (value: bigint) => String(value % unit).padStart(places, "0");
  const start = low / unit, end = high === null ? null : high / unit;
  const fraction = (from: string, to: string) => sequence(point, sameLength(from, to));
  if (start === end) return sequence(text(String(start)), fraction(part(low), part(high!)));
  const middle = magnitudes(start + 1n, end === null ? null : end - 1n), nines = "9".repeat(places);
  const options = [sequence(text(String(start)), fraction(part(low), nines))];
  if (middle !== null) options.push(sequence(middle, point, anyDigits(places)));
  if (end !== null) options.push(sequence(text(String(end)), fraction("0".repeat(places), part(high!))));
  return choice(...options);
}

/** Rules that are made when they are first wanted, by their names. */
type Shared = (name: string, make: () => Expr) => Expr;

/**
 * The positive multiples of a small whole number, as long as other numbers: digits from the left, with a rule for each remainder so far and
 * count of digits that may still come.
 */
export function multiples(step: number, shared: Shared): Expr {
  const options = range(1, 9).flatMap((value) => after(value % step, value, DIGITS - 2) ?? []);
  return choice(...options);

  /** A digit, and what may follow where it leaves that remainder; null if it can't become a multiple any more. */
  function after(remainder: number, value: number, left: number): Expr | null {
    return reaches(remainder, left) ? sequence(text(String(value)), rest(remainder, left)) : null;
  }

  function rest(remainder: number, left: number): Expr {
    if (left === 0) return text("");
    return shared(`multiple-${step}-${remainder}-${left}`, () => {
      const options = range(0, 9).flatMap((value) => after((remainder * 10 + value) % step, value, left - 1) ?? []);
      return remainder === 0 ? times(choice(...options), 0, 1) : choice(...options);
    });
  }

  function reaches(remainder: number, left: number): boolean {
    if (remainder === 0) return true;
    const ends = (remainder: number, digits: number) => (step - remainder * 10 ** digits % step) % step < 10 ** digits;
    return range(1, left).some((digits) => ends(remainder, digits));
  }
}

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}
