/**
 * Random and mutated headers: whatever the text, `parse` gives a result in bounded time and never throws.
 *
 *     deno run -RE tests/lexer/fuzz.ts [COUNT [SEED [HEADER…]]]
 *
 * @module
 */

import { COMPILER_HEADERS, HOSTED_HEADERS } from "../../lexer/preprocess/include/mod.ts";
import { dump, format, parse } from "../../lexer/mod.ts";
import { readCommandLine } from "../command_line.ts";
import { generator } from "../random.ts";

/** No input of this size may take longer, in milliseconds. */
const MAX_TIME = 2000;
/** Inputs are cut to this many characters. */
const MAX_LENGTH = 20_000;

const PIECES = [
  "#define f(x, ...) #x x ## __VA_ARGS__ __VA_OPT__(,)\n",
  "#define f f f\n",
  "#if defined(f) && f(1) || 1 / 0\n",
  "#elif __has_include(<stdio.h>)\n",
  "#else\n",
  "#endif\n",
  "#include <stddef.h>\n",
  '#include "t.h"\n',
  '#line 7 "x"\n',
  "#pragma pack(push, 1)\n",
  '_Pragma("pack(pop)")',
  "f(f(1,2), f)",
  "struct s { int a : 3, : 0; struct { char b; }; long c[]; };",
  "union u; enum e { A, B = A + 1, C = 1 << 40 };",
  "typedef int (*fn)(struct s *, const char *restrict, ...);",
  "__attribute__((packed, aligned(8)))",
  '[[gnu::packed, deprecated("x")]]',
  '_Static_assert(sizeof(struct s) == 8, "x");',
  "_Generic(1, int: 2, default: 3)",
  "__typeof__(x)",
  "static inline int g(void) { return ({ 1; }); }",
  'extern "C" {',
  "_Alignas(16)",
  "((((",
  "))))",
  "{{{{",
  "}}}}",
  "[[[[",
  "/*",
  "*/",
  "//",
  "\\\n",
  '"',
  "'",
  "L'\\x",
  "0x1p",
  "1e99999",
  "99999999999999999999999",
  "##",
  "...",
  "int",
  "unsigned long",
  "*",
  "=",
  ",",
  ";",
  "\0",
  "\ufffd",
  "é",
  "\r\n",
];

/** A random text out of pieces, characters and cut-ups of `corpus`. */
function randomText(random: (below: number) => number, corpus: readonly string[]): string {
  const kind = random(4);
  if (kind === 0) {
    let text = "";
    for (let n = random(60); n >= 0; n--) text += random(3) === 0 ? String.fromCharCode(random(128)) : PIECES[random(PIECES.length)] + " ";
    return text;
  }
  let text = corpus[random(corpus.length)];
  if (text.length > MAX_LENGTH) {
    const from = random(text.length - MAX_LENGTH);
    text = text.slice(from, from + MAX_LENGTH);
  }
  for (let n = 1 + random(8); n > 0; n--) {
    const at = random(text.length + 1);
    const length = random(random(4) === 0 ? 2000 : 40);
    switch (random(5)) {
      case 0: // cut
        text = text.slice(0, at) + text.slice(at + length);
        break;
      case 1: // repeat
        text = text.slice(0, at) + text.slice(at, at + length).repeat(2 + random(3)) + text.slice(at + length);
        break;
      case 2: // move
        text = text.slice(0, at) + text.slice(at + length) + text.slice(at, at + length);
        break;
      case 3:
        text = text.slice(0, at) + PIECES[random(PIECES.length)] + text.slice(at);
        break;
      default:
        text = text.slice(0, at) + String.fromCharCode(random(256)) + text.slice(at + 1);
    }
    text = text.slice(0, 2 * MAX_LENGTH);
  }
  return text;
}

/** The texts that are always at hand. */
const STANDARD_CORPUS: readonly string[] = [...Object.values(COMPILER_HEADERS), ...Object.values(HOSTED_HEADERS)];

/** Parses `count` random texts; the first failure is thrown with its text. */
export function fuzz(
  count: number,
  seed: number,
  corpus: readonly string[] = STANDARD_CORPUS,
): { errors: number; slowest: number } {
  const random = generator(seed);
  let errors = 0;
  let slowest = 0;
  for (let i = 0; i < count; i++) {
    const text = randomText(random, corpus);
    const start = performance.now();
    try {
      const { model, diagnostics } = parse(["t.h"], { read: (path) => path === "t.h" ? text : undefined, target: "x86_64-linux" });
      JSON.stringify(dump(model));
      diagnostics.forEach(format);
      if (diagnostics.length > 0) errors++;
    } catch (error) {
      throw new Error(`input ${i} of seed ${seed} threw ${error instanceof Error ? error.stack : error}:\n${text}`);
    }
    const time = performance.now() - start;
    slowest = Math.max(slowest, time);
    if (time > MAX_TIME) throw new Error(`input ${i} of seed ${seed} took ${time} ms:\n${text}`);
  }
  return { errors, slowest };
}

if (import.meta.main) {
  const { numbers: [count, seed], names: headers } = readCommandLine("fuzz [COUNT [SEED [HEADER…]]]", [100_000, 1]);
  const corpus = [...STANDARD_CORPUS, ...headers.map((path) => Deno.readTextFileSync(path))];
  const start = performance.now();
  const { errors, slowest } = fuzz(count, seed, corpus);
  const seconds = (performance.now() - start) / 1000;
  console.log(`${count} inputs in ${seconds.toFixed(1)} s, ${errors} of them with diagnostics, the slowest ${slowest.toFixed(0)} ms`);
}
