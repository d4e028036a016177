/**
 * Exact integer arithmetic on values that are mostly small.
 *
 * An {@linkcode Int} is a `number` while it is a safe integer, and a `bigint` beyond. Every function takes and returns that form, so that
 * two equal values are `===`. Results are mathematically exact; {@linkcode wrap} brings them into a C type.
 *
 * @module
 */

/** An integer: a `number` where that is exact, else a `bigint`. */
export type Int = number | bigint;

/** The one form of a value. */
export function normal(value: bigint): Int {
  const small = Number(value);
  return Number.isSafeInteger(small) ? small : value;
}

/** Into the range of a type of `bits` bits: modulo 2^bits, two's complement. */
export function wrap(value: Int, bits: number, signed: boolean): Int {
  if (typeof value === "number") {
    if (bits === 32) return signed ? value | 0 : value >>> 0;
    if (bits > 53) {
      if (signed || value >= 0) return value;
    } else if (bits < 32) {
      const shift = 32 - bits;
      return signed ? (value << shift) >> shift : (value << shift) >>> shift;
    }
  }
  const wide = BigInt(value);
  return normal(signed ? BigInt.asIntN(bits, wide) : BigInt.asUintN(bits, wide));
}

export function add(a: Int, b: Int): Int {
  if (typeof a === "number" && typeof b === "number") {
    const sum = a + b;
    if (Number.isSafeInteger(sum)) return sum;
  }
  return normal(BigInt(a) + BigInt(b));
}

export function subtract(a: Int, b: Int): Int {
  if (typeof a === "number" && typeof b === "number") {
    const difference = a - b;
    if (Number.isSafeInteger(difference)) return difference;
  }
  return normal(BigInt(a) - BigInt(b));
}

export function multiply(a: Int, b: Int): Int {
  if (typeof a === "number" && typeof b === "number") {
    const product = a * b;
    if (Number.isSafeInteger(product)) return product + 0; // no -0
  }
  return normal(BigInt(a) * BigInt(b));
}

/** Truncates towards zero, C17 6.5.5p6. `b` is not zero. */
export function divide(a: Int, b: Int): Int {
  // Exact: with |a| below 2^53 a quotient that is no integer never rounds to one.
  if (typeof a === "number" && typeof b === "number") return Math.trunc(a / b) + 0;
  return normal(BigInt(a) / BigInt(b));
}

/** The sign of the dividend, C17 6.5.5p6. `b` is not zero. */
export function remainder(a: Int, b: Int): Int {
  if (typeof a === "number" && typeof b === "number") return (a % b) + 0;
  return normal(BigInt(a) % BigInt(b));
}

/** `count` is from 0 to 127. */
export function shiftLeft(a: Int, count: number): Int {
  if (typeof a === "number") {
    const product = a * 2 ** count;
    if (Number.isSafeInteger(product)) return product;
  }
  return normal(BigInt(a) << BigInt(count));
}

/** Arithmetic: the sign stays. `count` is from 0 to 127. */
export function shiftRight(a: Int, count: number): Int {
  if (typeof a === "number") return Math.floor(a / 2 ** count);
  return normal(BigInt(a) >> BigInt(count));
}

export function and(a: Int, b: Int): Int {
  if (a === (Number(a) | 0) && b === (Number(b) | 0)) return a & b;
  return normal(BigInt(a) & BigInt(b));
}

export function or(a: Int, b: Int): Int {
  if (a === (Number(a) | 0) && b === (Number(b) | 0)) return a | b;
  return normal(BigInt(a) | BigInt(b));
}

export function xor(a: Int, b: Int): Int {
  if (a === (Number(a) | 0) && b === (Number(b) | 0)) return a ^ b;
  return normal(BigInt(a) ^ BigInt(b));
}

/** `~a`. */
export function complement(a: Int): Int {
  return subtract(-1, a);
}
