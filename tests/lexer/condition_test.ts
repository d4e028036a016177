import { assertEquals } from "@std/assert";
import { expand, messages } from "./helpers.ts";

function holds(condition: string, before = ""): boolean {
  return expand(`${before}\n#if ${condition}\nyes\n#else\nno\n#endif\n`) === "yes";
}

Deno.test("#if evaluates with the precedence and associativity of C", () => {
  for (
    const condition of [
      "1 + 2 * 3 == 7",
      "(1 + 2) * 3 == 9",
      "10 - 4 - 3 == 3",
      "1 << 2 + 1 == 8",
      "7 & 3 == 3",
      "1 ? 0 ? 0 : 1 : 0",
      "1 || 0 && 0",
      "!0 && ~0 == -1",
      "-7 / 2 == -3 && -7 % 2 == -1",
      "'a' == 97",
      "0x7fffffffffffffff + 0u > 0",
    ]
  ) assertEquals(holds(condition), true, condition);
});

Deno.test("#if computes in 64 bits, signed or unsigned as C17 6.3.1.8 says", () => {
  for (
    const condition of [
      "-1 > 0u",
      "18446744073709551615u == -1",
      "0xffffffffffffffff > 0",
      "(2 - 3) < 0",
      "-1 >> 1 == -1",
      "1 ? -1 : 0u",
      "(1 ? -1 : 0u) > 0",
      "9223372036854775807 + 1 < 0",
      "0u - 1 == 18446744073709551615u",
    ]
  ) assertEquals(holds(condition), true, condition);
});

Deno.test("#if doesn't evaluate what a short circuit leaves out", () => {
  assertEquals(holds("0 && 1 / 0"), false);
  assertEquals(holds("1 || 1 / 0"), true);
  assertEquals(holds("1 ? 2 : 1 / 0"), true);
  assertEquals(messages("#if 1 / 0\n#endif\n"), ["1:7: error: division by zero in #if"]);
});

Deno.test("defined works by itself, in parentheses and out of a macro", () => {
  assertEquals(holds("defined X", "#define X"), true);
  assertEquals(holds("defined(X)", "#define X 0"), true);
  assertEquals(holds("defined X || defined Y"), false);
  assertEquals(holds("HAS_X", "#define X\n#define HAS_X (defined X && defined(X))"), true);
});

Deno.test("identifiers that are no macros are 0", () => {
  assertEquals(holds("unknown"), false);
  assertEquals(holds("int + 1"), true);
});

Deno.test("a function-like macro that is not defined is an error", () => {
  assertEquals(messages("#if VERSION_AT_LEAST(1, 2)\n#endif\n"), [
    "1:5: error: missing binary operator before token \"(\": function-like macro 'VERSION_AT_LEAST' is not defined",
  ]);
});

Deno.test("malformed conditions are errors and count as false", () => {
  for (const condition of ["", "1 +", "(1", "1)", "1 2", '"a"', "1.0", "0x", "= 1", "1 ? 2", "1, 2", "@"]) {
    assertEquals(messages(`#if ${condition}\nint wrong\n#endif\n`).length, 1, condition);
  }
});

Deno.test("the rest of a chain is not looked at once a group was taken", () => {
  assertEquals(expand("#if 1\na\n#elif 1 / 0\nb\n#elif\nc\n#else\nd\n#endif"), "a");
  assertEquals(expand("#if 0\na\n#elif 0\nb\n#elif 1\nc\n#else\nd\n#endif"), "c");
});

Deno.test("#elifdef and #elifndef", () => {
  assertEquals(expand("#define X\n#ifdef Y\na\n#elifdef X\nb\n#endif"), "b");
  assertEquals(expand("#ifdef Y\na\n#elifndef X\nb\n#endif"), "b");
});

Deno.test("groups left out nest", () => {
  assertEquals(expand("#if 0\n#if 1\na\n#else\nb\n#endif\n#else\nc\n#endif\nd"), "c d");
});

Deno.test("__has_include looks without reading, __has_attribute and __has_builtin know gcc's", () => {
  const files = { "there.h": "#error" };
  assertEquals(expand('#if __has_include("there.h")\nyes\n#endif', files), "yes");
  assertEquals(expand("#if __has_include(<stddef.h>) && !__has_include(<nowhere.h>)\nyes\n#endif"), "yes");
  assertEquals(expand('#define H "there.h"\n#if __has_include(H)\nyes\n#endif', files), "yes");
  assertEquals(holds("__has_attribute(__aligned__) && __has_attribute(packed) && !__has_attribute(nonsense)"), true);
  assertEquals(holds("__has_builtin(__builtin_expect) && !__has_builtin(__builtin_fclose)"), true);
  assertEquals(holds("defined __has_include && !defined __has_feature"), true);
});

Deno.test("very deep conditions are an error, not a crash", () => {
  const [message] = messages(`#if ${"(".repeat(100_000)}1${")".repeat(100_000)}\n#endif\n`);
  assertEquals(message.includes("nested deeper than"), true);
  assertEquals(messages(`#if ${"!".repeat(100_000)}1\n#endif\n`).length, 1);
});
