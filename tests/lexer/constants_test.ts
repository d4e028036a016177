import { assertEquals } from "@std/assert";
import { printType } from "../../lexer/mod.ts";
import { model } from "./helpers.ts";

function constants(text: string): Record<string, unknown> {
  return Object.fromEntries(model(text).constants.map((c) => [c.name, c.value]));
}

Deno.test("macros that are constant expressions become constants", () => {
  assertEquals(
    constants(`
      #define A 1
      #define B (A << 4 | 0x0f)
      #define C -B
      #define D 1.5e3f
      #define E 'x'
      #define F "a" "b\\n"
      #define G sizeof(struct s)
      #define H ((unsigned char)300)
      #define I (VALUE + 1)
      #define J (~0ull)
      #define K (A ? 10 : 20)
      #define L ((void *)0)
      #define M (sizeof(int) * 4 / sizeof(short))
      #define N L"wide"
      enum { VALUE = 41 };
      struct s { long a, b; };`),
    {
      A: 1n,
      B: 31n,
      C: -31n,
      D: 1500,
      E: 120n,
      F: "ab\n",
      G: 16n,
      H: 44n,
      I: 42n,
      J: 18446744073709551615n,
      K: 10n,
      L: 0n,
      M: 8n,
      N: "wide",
    },
  );
});

Deno.test("a constant that a _Pragma says is deprecated has its value", () => {
  const text = `
    #define SAY_(x) _Pragma(#x)
    #define SAY(x) SAY_(GCC warning #x)
    #define OLD SAY(no more (than) this) 7
    #define OLDER (1 + SAY(gone) OLD)
    #define ONLY SAY(nothing)
    #define OPEN _Pragma 1`;
  assertEquals(constants(text), { OLD: 7n, OLDER: 8n });
});

Deno.test("a constant has the type that C gives it", () => {
  const { constants } = model(
    "#define A 1\n#define B 1u\n#define C 3000000000\n#define D 0x80000000\n#define E 1.0\n#define F 1.0f\n#define G 'a'\n#define H \"abc\"\n#define I (1 ? 1 : 1ul)\n#define J 1.0L\n#define K (short)1\n",
  );
  assertEquals(constants.map((c) => printType(c.type)), [
    "int",
    "unsigned int",
    "long",
    "unsigned int",
    "double",
    "float",
    "int",
    "char[4]",
    "unsigned long",
    "long double",
    "short",
  ]);
});

Deno.test("long is 32 bits on Windows", () => {
  const { constants } = model("#define A 3000000000\n#define B sizeof(long)\n#define C (-1L > 0u)\n", { target: "x86_64-windows" });
  assertEquals(constants.map((c) => [printType(c.type), c.value]), [["long long", 3000000000n], ["unsigned long long", 4n], ["int", 1n]]);
});

Deno.test("what is no expression is silently none; what has no value is listed with the reason", () => {
  const { constants, skipped } = model(`
    #define EMPTY
    #define API __attribute__((visibility("default"))) extern
    #define NORETURN _Noreturn
    #define TYPE unsigned long
    #define LIST 1, 2
    #define BLOCK { 0 }
    #define HALF (1 +
    #define STAR *
    #define ALIAS function
    #define CALL function(1)
    #define UNKNOWN nowhere
    #define DIVIDED (1 / 0)
    #define LINE __LINE__
    #define FUNCTION(x) (x)
    #define HUGE 1e999
    int function(int);`);
  assertEquals(constants, []);
  assertEquals(skipped.map((s) => `${s.line}: ${s.name}: ${s.reason}`), [
    "6: LIST: it is a comma expression",
    "10: ALIAS: it is another name for the function 'function'",
    "11: CALL: it calls 'function'",
    "12: UNKNOWN: it names 'nowhere', which is not declared",
    "13: DIVIDED: it divides by zero",
    "14: LINE: its value depends on where it stands",
    "15: FUNCTION: function-like macro",
    "16: HUGE: its value is not a finite double",
  ]);
});

Deno.test("the last definition counts; an undefined macro is none", () => {
  assertEquals(constants("#define A 1\n#undef A\n#define A 2\n#define B 3\n#undef B\n"), { A: 2n });
});

Deno.test("static const values are constants, in order with the macros", () => {
  const { constants, variables } = model(
    '#define A 1\nstatic const unsigned long size = sizeof(int) * 2;\n#define B 2\nstatic const float f = 0.1;\nstatic const int later = 2, two = later + 1;\nextern const int no;\nstatic const char *text = "x";\n',
  );
  assertEquals(constants.map((c) => [c.name, c.value]), [["A", 1n], ["size", 8n], ["B", 2n], ["f", Math.fround(0.1)], ["later", 2n], [
    "two",
    3n,
  ]]);
  assertEquals(variables.map((v) => v.name), ["no"]);
});

Deno.test("macros of system headers are not constants", () => {
  assertEquals(constants("#include <limits.h>\n#define MINE INT_MAX\n"), { MINE: 2147483647n });
});

Deno.test("limits.h, float.h and stdint.h have the target's values", () => {
  const text =
    "#include <limits.h>\n#include <stdint.h>\n#include <float.h>\n#define A LONG_MAX\n#define B CHAR_MIN\n#define C sizeof(wchar_t)\n#define D SIZE_MAX\n#define E INT64_MIN\n#define F DBL_EPSILON\n#define G LDBL_MANT_DIG\n#include <stddef.h>\n";
  const of = (target: Parameters<typeof model>[1]) => model(text, target).constants.map((c) => c.value);
  const min64 = -(2n ** 63n);
  const max64 = 2n ** 64n - 1n;
  assertEquals(of({ target: "x86_64-linux" }), [2n ** 63n - 1n, -128n, 4n, max64, min64, Number.EPSILON, 64n]);
  assertEquals(of({ target: "aarch64-linux" }), [2n ** 63n - 1n, 0n, 4n, max64, min64, Number.EPSILON, 113n]);
  assertEquals(of({ target: "aarch64-macos" }), [2n ** 63n - 1n, -128n, 4n, max64, min64, Number.EPSILON, 53n]);
  assertEquals(of({ target: "x86_64-windows" }), [2n ** 31n - 1n, -128n, 2n, max64, min64, Number.EPSILON, 53n]);
  assertEquals(of({ target: "aarch64-windows" }), [2n ** 31n - 1n, -128n, 2n, max64, min64, Number.EPSILON, 53n]);
});
