/**
 * Commits each misuse, and then computes something right. A process of its own: it must come to its end.
 *
 * Prints each before it is tried, and at last how many there were and how many of them were Errors.
 *
 * @module
 */

import { compute, copy, onLog, view } from "@ggml/deno/utils";
import { misuses as ofComputing } from "./computing.ts";
import { misuses as ofGgml } from "./ggml.ts";
import { misuses as ofLlama } from "./llama.ts";
import { computable } from "./made.ts";

onLog(() => {});

let errors = 0;
const misuses = [...Object.entries(ofComputing), ...Object.entries(ofGgml), ...Object.entries(ofLlama)];
for (const [name, misuse] of misuses) {
  console.log(name);
  try {
    misuse();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    errors++;
  }
  expectRight();
}
console.log(`${misuses.length} misuses, ${errors} Errors`);

function expectRight(): void {
  const { ctx, a, r, g } = computable(3);
  copy([1, 2, 3], a);
  compute(g);
  if (String([...view(r).data as Float32Array]) !== "1,4,9") throw new Error("a right graph is computed wrong");
  ctx[Symbol.dispose]();
}
