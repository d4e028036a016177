/** Domains: which numbers are values of an enum. */

import { assertEquals, assertThrows } from "@std/assert";
import { enumerator } from "../../ffi/core/arguments.ts";
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
