/**
 * The translation of assertions, on sources small enough to see through. What it makes of ggml's own is judged by the fuzzer.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { asC } from "../../lexer/guards/cplusplus.ts";
import { type Assertion, Functions } from "../../lexer/guards/functions.ts";
import { TokenStream } from "../../lexer/stream.ts";
import { Parser } from "../../lexer/parser.ts";
import { translationUnit } from "../../lexer/parse.ts";
import { texts } from "./helpers.ts";

const PRELUDE = `
  typedef long int64_t; typedef unsigned long size_t; typedef _Bool bool;
  enum ggml_type { GGML_TYPE_F32, GGML_TYPE_F16 };
  struct ggml_tensor { enum ggml_type type; int64_t ne[4]; size_t nb[4]; int op; struct ggml_tensor * src[10]; char name[64]; int op_params[16]; };
  void ggml_abort(const char * file, int line, const char * fmt, ...);
  void * memcpy(void *, const void *, size_t);
  #define GGML_ASSERT(x) if (!(x)) ggml_abort("", 0, "GGML_ASSERT(%s) failed", #x)
`;

/** The translation of the function f, the lines of it alone, and what became of the assertions. */
function translate(text: string): { lines: string[]; assertions: readonly Assertion[] } {
  const stream = new TokenStream(["t.c"], { target: "x86_64-linux", read: texts({ "t.c": PRELUDE + text }) });
  const parser = new Parser(stream, stream.pp, stream.target, stream.c23, true);
  translationUnit(parser);
  assertEquals(stream.diagnostics.list.map(({ message }) => message), []);
  const functions = new Functions(parser, new Set(["ne", "nb", "type"]));
  const { lines } = functions.translate("f");
  return { lines: lines.slice(1, -1).map((line) => line.trim()), assertions: functions.assertions };
}

Deno.test("an assertion throws; what doesn't decide about it is left out", () => {
  const { lines } = translate(`
    void f(struct ggml_tensor * a, int64_t n) {
      int64_t half = n / 2;
      int unused = 3;
      a->op = 7;
      a->ne[0] = half;
      GGML_ASSERT(a->ne[0] == half && a->type == GGML_TYPE_F16);
    }`);
  assertEquals(lines, [
    "const half = $divide(n, 2);",
    "a.ne[0] = half;",
    'if (!((a.ne[0] === half) && (a.type === GGML_TYPE_F16))) throw $failed("f", "a->ne[0] == half && a->type == GGML_TYPE_F16", { a, half });',
  ]);
});

Deno.test("arithmetic is C's: integers divide to integers, narrow types wrap, booleans are numbers", () => {
  const { lines } = translate(`
    void f(int64_t n, bool b, float x) {
      int narrow = n * 2;
      bool any = n;
      float y = x / 3;
      GGML_ASSERT(narrow % 4 == 0 && any && b == 1 && y > 0 && ((n + 16 - 1) & ~(16 - 1)) == n);
    }`);
  assertEquals(lines.slice(0, 3), [
    "const narrow = (n * 2 | 0);",
    "const any = !!(n);",
    "const y = Math.fround(x / 3);",
  ]);
  assert(
    lines[3].startsWith("if (!(((((($remainder(narrow, 4)) === 0) && any) && (b == 1)) && (y > 0)) && (($pad(n, 16)) === n)))"),
    lines[3],
  );
});

Deno.test("loops, switches and calls of other functions are translated; a predicate says which of its conditions fails", () => {
  const { lines } = translate(`
    static bool same(const struct ggml_tensor * a, const struct ggml_tensor * b) { return a->ne[0] == b->ne[0] && a->ne[1] == b->ne[1]; }
    void f(struct ggml_tensor * a, struct ggml_tensor * b, int mode) {
      for (int i = 0; i < 4; ++i) { if (a->ne[i] < 0) { ggml_abort("", 0, "negative"); } }
      switch (mode) { case 1: GGML_ASSERT(same(a, b)); break; default: ggml_abort("", 0, "no such mode"); }
    }`);
  assertEquals(lines, [
    "for (let i = 0; i < 4; ++i) {",
    "if (a.ne[i] < 0) {",
    'throw $aborted("f", "negative");',
    "}",
    "}",
    "switch (mode) {",
    "case 1:",
    'if (!(same(a, b))) throw $failed("f", "same(a, b)", { a, b }, same$why(a, b));',
    "break;",
    "default:",
    'throw $aborted("f", "no such mode");',
    "}",
  ]);
});

Deno.test("what can't be translated is reported with the reason, and takes with it only what depends on it", () => {
  const { lines, assertions } = translate(`
    int unknown(void);
    void f(struct ggml_tensor * a, const float * p) {
      int x = unknown();
      GGML_ASSERT(x == 1);
      GGML_ASSERT(*p > 0);
      GGML_ASSERT(a->ne[0] == 1);
      if (x) return;
      GGML_ASSERT(a->ne[1] == 1);
    }`);
  assertEquals(lines, ['if (!(a.ne[0] === 1)) throw $failed("f", "a->ne[0] == 1", { a });']);
  assertEquals(assertions.map(({ text, reason }) => `${text}: ${reason}`), [
    "x == 1: x is not known: it calls unknown",
    "*p > 0: it follows a pointer",
    "a->ne[0] == 1: null",
    "a->ne[1] == 1: x is not known: it calls unknown",
  ]);
});

Deno.test("the parameters of an operation are read as C copies them out", () => {
  const { lines } = translate(`
    void f(struct ggml_tensor * a) {
      float eps;
      memcpy(&eps, (const float *) a->op_params + 1, sizeof(float));
      GGML_ASSERT(eps >= 0);
    }`);
  assertEquals(lines.slice(0, 2), ["let eps;", 'eps = $parameter(a.op_params, 1, "float");']);
});

Deno.test("templates that are called become functions; namespaces, defaults and structured bindings become C", () => {
  const text = asC(`
template <typename src_t, float (*op)(float)>
static void apply(const params * p, int n = 2) {
    const auto [first, last] = range(p);
    if constexpr (std::is_same_v<src_t, float>) { op(sizeof(src_t)); }
}

void run(const params * p) { apply<float, op_sqr>(p); apply<half, op_neg>(p, std::min(1, 2)); }
`);
  assert(text.includes("void run(const params * p) { apply__float__op_sqr(p); apply__half__op_neg(p, std_min(1, 2)); }"), text);
  assert(text.includes("static void apply__float__op_sqr(const params * p, int n) {"), text);
  assert(text.includes("if (1) { op_sqr(sizeof(float)); }") && text.includes("if (0) { op_neg(sizeof(half)); }"), text);
  assert(text.includes("const int64_t first = unknown(), last = unknown();"), text);
});
