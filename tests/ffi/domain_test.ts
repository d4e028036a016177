/** Domains: which numbers are values of an enum. */

import { assertEquals, assertThrows } from "@std/assert";
import { enumerator, flags } from "../../ffi/core/arguments.ts";
import { Domain } from "../../ffi/core/domain.ts";

const ENUMERATORS = {
  BEFORE: 5,
  COLOR_NONE: -1,
  COLOR_RED: 0,
  COLOR_GREEN: 4,
  COLOR_LIME: 4,
  COLOR_COUNT: 5,
  FAR_NEAR: 1,
  FAR_AWAY: 1_000_000,
  FLAG_A: 1,
  FLAG_B: 4,
  FLAG_HIGH: 2 ** 31,
};

Deno.test("a domain holds the values from its first enumerator to its last, negative ones too", () => {
  const color = new Domain("color", ENUMERATORS, "COLOR_NONE", "COLOR_LIME");
  assertEquals([-1, 0, 4].map((value) => enumerator(value, color, "f(x)")), [-1, 0, 4]);
  for (const value of [-2, 1, 3, 5, 0.5, NaN, Infinity, 2 ** 32]) assertThrows(() => enumerator(value, color, "f(x)"), RangeError, "f(x)");
  const { message } = assertThrows(() => enumerator(5, color, "f(x)"), RangeError);
  assertEquals(message, "f(x): expected a color, got the number 5; there are COLOR_NONE (-1), COLOR_RED (0), COLOR_LIME (4)");
  assertThrows(() => enumerator("red" as unknown as number, color, "f(x)"), TypeError, "did you mean lib.COLOR_RED?");
  assertThrows(() => enumerator(0n as unknown as number, color, "f(x)"), RangeError, "got the bigint 0n");
});

Deno.test("values that lie far apart need no table", () => {
  const far = new Domain("far", ENUMERATORS, "FAR_NEAR", "FAR_AWAY");
  assertEquals([1, 1_000_000].map((value) => enumerator(value, far, "f(x)")), [1, 1_000_000]);
  assertEquals(far.table.length, 0);
  assertThrows(() => enumerator(2, far, "f(x)"), RangeError, "there are FAR_NEAR (1), FAR_AWAY (1000000)");
});

Deno.test("flags are taken one by one, all together, and none", () => {
  const flag = new Domain("flag", ENUMERATORS, "FLAG_A", "FLAG_HIGH");
  for (const value of [0, 1, 4, 5, 2 ** 31, 2 ** 31 + 5]) assertEquals(flags(value, flag, "f(x)"), value);
  for (const value of [2, 3, 7, -1, 0.5, NaN, 2 ** 32]) {
    assertThrows(() => flags(value, flag, "f(x)"), RangeError, "f(x): expected flag values, or'ed");
  }
  assertThrows(() => flags("1" as unknown as number, flag, "f(x)"), TypeError, "FLAG_A (1), FLAG_B (4), FLAG_HIGH (2147483648)");
});
