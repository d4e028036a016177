// Headers, parsed over and over: deno run --allow-read bench/ours/parse.ts HEADER… -IDIR…

import { parse } from "@ggml/deno/lexer";
import { median, report } from "../rounds.ts";

const ROUNDS = 100, WARM = 50;

const include = Deno.args.filter((arg) => arg.startsWith("-I")).map((arg) => arg.slice(2));
const files = Deno.args.filter((arg) => !arg.startsWith("-I"));
const times: number[] = [];
let functions = 0;
for (let round = 0; round < ROUNDS; round++) {
  const start = performance.now();
  const { model, diagnostics } = parse(files, { include });
  times.push((performance.now() - start) * 1e6);
  if (diagnostics.length > 0) throw new Error(diagnostics[0].message);
  functions = model.functions.length;
}
report(median(times.slice(WARM)), `${functions} functions`);
