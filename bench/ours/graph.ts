// Building the decoder's graph: deno run --allow-ffi bench/ours/graph.ts warm|first

import { init } from "@ggml/deno/utils";
import { median, report } from "../rounds.ts";
import { build, describe, model } from "./decoder.ts";

const ROUNDS = 31, BUILDS = 40;

const weights = model(init({ noAlloc: true }));
const ctx = init({ memSize: 4 * 1024 * 1024, noAlloc: true });

const start = performance.now();
const graph = build(ctx, weights);
const first = (performance.now() - start) * 1e6;
if (Deno.args[0] === "first") {
  report(first, describe(ctx, graph));
} else {
  const times: number[] = [];
  let last = graph;
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    for (let i = 0; i < BUILDS; i++) last = build(ctx, weights);
    times.push((performance.now() - start) * 1e6 / BUILDS);
  }
  report(median(times), describe(ctx, last));
}
