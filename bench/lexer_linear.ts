/**
 * Whether the front end's time grows as the text does: a header 1, 10 and 100 times, each time under other names.
 *
 *     deno run -A bench/lexer_linear.ts [HEADER]
 *
 * The header is taken with what it includes and without its macros; each name that it declares gets a number.
 *
 * @module
 */

import { parse, preprocess } from "../lexer/mod.ts";

const [path = "tests/lexer/headers/preprocessor.h"] = Deno.args;
// Declarations only, so that copies don't redefine each other's macros.
const { text } = preprocess([path], { standard: true, include: [path.slice(0, path.lastIndexOf("/") + 1)] });
const { model } = parse([path], { standard: true, include: [path.slice(0, path.lastIndexOf("/") + 1)] });
const names = new Set<string>();
for (const { name } of [...model.functions, ...model.typedefs, ...model.variables]) names.add(name);
for (const { name } of [...model.records, ...model.enums]) if (name !== null) names.add(name);
for (const { values } of model.enums) for (const { name } of values) names.add(name);

const copy = (n: number) => text.replaceAll(/[A-Za-z_]\w*/g, (word) => names.has(word) ? `${word}_${n}` : word);
const once = (source: string) => {
  const start = performance.now();
  const { diagnostics } = parse(["t.h"], { read: (name) => name === "t.h" ? source : undefined });
  if (diagnostics.length > 0) throw new Error(diagnostics[0].message);
  return performance.now() - start;
};
for (let i = 0; i < 20; i++) once(copy(0));
for (const times of [1, 10, 100]) {
  let source = "";
  for (let i = 0; i < times; i++) source += copy(i);
  const best = Math.min(once(source), once(source), once(source));
  console.log(
    `${String(times).padStart(3)} ×: ${(source.length / 1000).toFixed(0)} kB in ${best.toFixed(2)} ms, ${
      (best / source.length * 1e6).toFixed(1)
    } ns a character`,
  );
}
