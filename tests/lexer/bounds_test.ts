/** Headers that would take all time or memory: each is an error with its place, soon. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { dump, format, parse } from "../../lexer/mod.ts";
import { deno } from "../process.ts";

const MANY = 300_000;
/** Most take a fraction of a second, none more than two; but tests share their machine. */
const MOST_MS = 15_000;

/** Reads a header, and gives the first line of its first diagnostic. */
function first(text: string): string {
  const began = performance.now();
  const { model, diagnostics } = parse(["t.h"], {
    read: (path) => path === "t.h" ? text : undefined,
    macros: true,
    target: "x86_64-linux",
  });
  dump(model);
  const took = performance.now() - began;
  assert(took < MOST_MS, `took ${took} ms`);
  return diagnostics.length === 0 ? "" : format(diagnostics[0]).split("\n")[0];
}

/** Macros of which each names the one before twice. */
function doubling(levels: number, base: string, each: (name: string) => string): string {
  return `#define A0 ${base}\n` + Array.from({ length: levels }, (_, i) => `#define A${i + 1} ${each(`A${i}`)}\n`).join("");
}

/** Function-like macros of which each uses the one before. */
function chain(levels: number): string {
  return `#define A0(x) x\n` + Array.from({ length: levels }, (_, i) => `#define A${i + 1}(x) A${i}(x)\n`).join("");
}

/** One function-like macro's use in another's arguments, and so on. */
function nested(name: string, levels: number, inner: string): string {
  return `${name}(`.repeat(levels) + inner + ")".repeat(levels);
}

const EXPRESSION = /^t\.h:\d+:\d+: error: an expression of more than 2000 operators$/;
const TOO_DEEP = /^t\.h:\d+:\d+: error: nested deeper than 250 levels$/;

const LONG: Record<string, [text: string, message: RegExp]> = {
  "a sum in an enum": [`enum e { A = 1${"+1".repeat(MANY)} };\n`, EXPRESSION],
  "a sum in brackets": [`extern int x[1${"+1".repeat(MANY)}];\n`, EXPRESSION],
  "a sum of a constant": [`static const int x = 1${"+1".repeat(MANY)};\n`, EXPRESSION],
  "a sum in an assertion": [`_Static_assert(1${"+1".repeat(MANY)}, "");\n`, EXPRESSION],
  "a sum whose type is asked": [`extern int z; enum e { A = sizeof(z${"+1".repeat(MANY)}) };\n`, EXPRESSION],
  "commas": [`enum e { A = (1${",1".repeat(MANY)}) };\n`, EXPRESSION],
  "indices": [`extern int *z; enum e { A = sizeof(z${"[0]".repeat(MANY)}) };\n`, EXPRESSION],
  "members": [`extern int z; enum e { A = sizeof(z${".a".repeat(MANY)}) };\n`, EXPRESSION],
  "calls": [`int z(); enum e { A = sizeof(z${"()".repeat(MANY)}) };\n`, EXPRESSION],
  "increments": [`extern int z; enum e { A = sizeof(z${"++".repeat(MANY)}) };\n`, EXPRESSION],
  "a sum that is a macro": [`#define A 1${"+1".repeat(MANY)}\n#define F(x) x${"+1".repeat(MANY)}\n`, /^$/],
  "__extension__": [`enum e { A = ${"__extension__ ".repeat(MANY)}1 };\n`, /^$/],
  "__real__": [`enum e { A = ${"__real__ ".repeat(MANY)}1 };\n`, TOO_DEEP],
  "typeof": [`${"__typeof__(".repeat(MANY)}int${")".repeat(MANY)} x;\n`, TOO_DEEP],
  "?: without a middle": [`enum e { A = ${"(".repeat(120)}1${"?:1)".repeat(120)} };\n`, /^$/],
  "a string": [`int x[sizeof("${"x".repeat(5_000_000)}")];\n`, /^t\.h:1:14: error: a string of more than 4194304 characters is too long$/],
  "dimensions": [`int x${"[1]".repeat(MANY)};\n`, /^t\.h:1:5: error: a declarator of more than 1000 pointers, arrays and functions$/],
  "pointers": [`int ${"*".repeat(MANY)}x;\n`, /^t\.h:1:300005: error: a declarator of more than 1000 pointers, arrays and functions$/],
  "typedefs of arrays": [
    "typedef int T0;\n" + Array.from({ length: 20_000 }, (_, i) => `typedef T${i} T${i + 1}[1];\n`).join(""),
    /^t\.h:1002:\d+: error: an array of more than 1000 dimensions$/,
  ],
  "a bomb in #if": [
    `${doubling(40, "1+1", (a) => `${a} + ${a}`)}#if A40\n#endif\n`,
    /^t\.h:42:5: error: the expansion of a macro gives more than/,
  ],
  "a bomb of arguments in #if": [
    `#define F(x) x x\n#if ${nested("F", 40, "1")}\n#endif\n`,
    /^t\.h:2:\d+: error: the expansion of a macro gives/,
  ],
  "many uses in #if": [`${doubling(16, "1+1", (a) => `${a} + ${a}`)}${"#if A16\n#endif\n".repeat(1000)}`, /error: macros gave more than/],
  "macros that name each other": [
    Array.from({ length: 5000 }, (_, i) => `#define A${i} A${i + 1}\n`).join("") + "int A0;\n",
    /^t\.h:5001:5: error: macros name each other more than 4096 levels deep/,
  ],
  "function-like macros that name each other": [
    `${chain(5000)}enum e { A = A5000(1) };\n`,
    /^t\.h:5002:14: error: macros name each other more than/,
  ],
  "## that doubles": [
    `#define D(x) x##x\n#define X(x) D(x)\nint ${nested("X", 40, "a")};\n`,
    /^t\.h:3:\d+: error: '#' and '##' made more than/,
  ],
  "## one after the other": [`#define P a${"##a".repeat(MANY)}\nint P;\n`, /^t\.h:2:5: error: '#' and '##' made more than/],
  "## in #if": [`#define P 1${"##1".repeat(MANY)}\n#if P\n#endif\n`, /^t\.h:2:5: error: '#' and '##' made more than/],
  "## in arguments": [
    `#define C(a,b) a##b\n#define X(a,b) C(a,b)\nint ${"X(a,".repeat(MANY)}b${")".repeat(MANY)};\n`,
    /^t\.h:3:\d+: error: the expansion of a macro gives more than/,
  ],
  "# that doubles": [
    `#define S(x) #x\n#define X(x) S(x)\nchar *a = ${nested("X", 60, '"a"')};\n`,
    /^t\.h:3:\d+: error: '#' and '##' made more/,
  ],
  "_Pragma": [`_Pragma(${nested("_Pragma", MANY, '"a"')})\n`, /^t\.h:1:\d+: error: _Pragma nested deeper than 300 levels/],
  "_Atomic": [`${"_Atomic(".repeat(MANY)}int${")".repeat(MANY)} x;\n`, /^t\.h:1:\d+: error: nested deeper than 250 levels/],
  "_Alignas": [`${"_Alignas(const ".repeat(MANY)}int${")".repeat(MANY)} x;\n`, /^t\.h:1:\d+: error: nested deeper than 250 levels/],
  "aligned": [`${"__attribute__((aligned(".repeat(MANY)}int x;\n`, /^t\.h:1:\d+: error: nested deeper than 250 levels/],
  "enums over enums": [`${"enum e : ".repeat(MANY)} int x;\n`, /^t\.h:1:\d+: error: nested deeper than 250 levels/],
  "a wide _BitInt": ["_BitInt(99999999999) x;\n", /^t\.h:1:9: error: the width of a _BitInt is 1 to 65535, got 99999999999/],
  "a negative vector": ["int x __attribute__((vector_size(-16)));\n", /^t\.h:1:34: error: a vector of -16 bytes/],
  "a long _Pragma": [`_Pragma("${"a".repeat(3_000_000)}")\n`, /^$/],
  "__VA_OPT__": [
    `#define F(x, ...) ${nested("__VA_OPT__", MANY, "x")}\n`,
    /^t\.h:1:30: error: __VA_OPT__ may not appear in a __VA_OPT__$/,
  ],
};

for (const [what, [text, message]] of Object.entries(LONG)) {
  Deno.test(`bounds: ${what}`, () => assertMatch(first(text), message));
}

Deno.test("bounds: headers that each include the next one twice", () => {
  const read = (path: string) => {
    const next = `#include "h${Number(/\d+/.exec(path)) + 1}.h"\n`;
    return !/^h\d+\.h$/.test(path) ? undefined : path === "h40.h" ? "int f(void);\n" : next + next;
  };
  const began = performance.now();
  const { diagnostics } = parse(["h0.h"], { read });
  assertMatch(format(diagnostics[0]), /h39\.h:\d:10: error: more than 50000 files included: gave up here/);
  assert(performance.now() - began < MOST_MS);
});

Deno.test("what a compiler takes is within the bounds", () => {
  const text = `enum e { A = 1${"+1".repeat(2000)} };\nstruct s { int x${"[1]".repeat(60)}; };\nextern int ${"*".repeat(900)}p;\n`;
  const { model, diagnostics } = parse(["t.h"], { read: (path) => path === "t.h" ? text : undefined });
  assertEquals(diagnostics.map(format), []);
  assertEquals(model.enums[0].values[0].value, 2001n);
});

Deno.test("devices and pipes are no headers", { ignore: Deno.build.os === "windows" }, async () => {
  const folder = await Deno.makeTempDir();
  try {
    await new Deno.Command("mkfifo", { args: [`${folder}/fifo.h`] }).output();
    const text = `#include "/dev/zero"\n#include "fifo.h"\n#if __has_include("fifo.h")\n#error found\n#endif\nint f(void);\n`;
    await Deno.writeTextFile(`${folder}/t.h`, text);
    const { model, diagnostics } = parse([`${folder}/t.h`]);
    const lines = diagnostics.map((diagnostic) => format(diagnostic).split("\n")[0]);
    assertEquals(lines.length, 2);
    assertMatch(lines[0], /t\.h:1:10: error: .*'\/dev\/zero' can't be read: it is no regular file/);
    assertMatch(lines[1], /t\.h:2:10: error: .*fifo\.h' can't be read: it is no regular file/);
    assertEquals(model.functions.map(({ name }) => name), ["f"]);
    const cli = ["run", "--quiet", "-RW", "lexer/cli.ts"];
    for (const args of [["dump", "/dev/zero"], ["generate", "--library", "z", "--out", `${folder}/z.ts`, `${folder}/fifo.h`]]) {
      const { code, stderr } = await deno([...cli, ...args]);
      assertEquals(code, 1);
      assertStringIncludes(stderr, "it is no regular file");
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a chain of 4,000 function-like macros is read in less than a second: it took two, while each joined two lists of names anew", () => {
  const text = `${chain(4000)}enum e { A = A4000(1) };\n`;
  const times = Array.from({ length: 3 }, () => {
    const began = performance.now();
    const { model, diagnostics } = parse(["t.h"], { read: (path) => path === "t.h" ? text : undefined, target: "x86_64-linux" });
    assertEquals(diagnostics, []);
    assertStringIncludes(JSON.stringify(dump(model)), `"A"`);
    return performance.now() - began;
  });
  assert(Math.min(...times) < 1000, `took ${times} ms`);
});

Deno.test("5,000 macros each of which is another name of the next have the value of the last, or the reason why it has none", () => {
  const names = Array.from({ length: 5000 }, (_, i) => `#define A${i} A${i + 1}\n`).join("");
  const circle = "#define B0 B1\n#define B1 B2\n#define B2 B0\n";
  for (const [last, expected] of [["#define A5000 7\n", "number"], ["", "reason"]]) {
    const began = performance.now();
    const { model, diagnostics } = parse(["t.h"], { read: (path) => path === "t.h" ? names + last + circle : undefined, macros: true });
    const took = performance.now() - began,
      { constants, skipped } = dump(model) as { constants: { name: string }[]; skipped: { name: string }[] };
    assertEquals(diagnostics, []);
    assertEquals([constants.length, skipped.length], expected === "number" ? [5001, 3] : [0, 5003]);
    for (const { name } of skipped) assertMatch(name, expected === "number" ? /^B\d$/ : /^[AB]\d+$/);
    assert(took < MOST_MS, `took ${took} ms`);
  }
});
