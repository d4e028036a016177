/**
 * The first token of a session after the last generation was aborted: `abort.ts THREADS MODEL`.
 *
 * The session has a prompt in its cache, which is continued after each of two aborts: one while a long prompt is computed, one while tokens come.
 * Prints how long the slower one takes from `abort()` to the first token, and that token.
 *
 * @module
 */

import { loadModel } from "@ggml/deno/models";
import { median, report } from "../rounds.ts";

const [threads, path] = Deno.args;
const TEXT = "Once upon a time, in a small village by the sea, there lived";
const LONG = 512, ROUNDS = 9, CONTEXT = 1024;

using model = await loadModel(path, { gpuLayers: 0 });
using session = model.session({ context: CONTEXT, threads: Number(threads) });
const prompt = [...model.tokenize(TEXT)], long = Array.from({ length: LONG }, (_, i) => prompt[i % prompt.length]);

/** The first token that follows the prompt. */
async function first(): Promise<number> {
  for await (const { token } of session.generate(prompt, { temperature: 0, maxTokens: 1 })) return token;
  throw new Error("no token came");
}

/** Begins to compute something, aborts it when `isDue` settles, and gives the nanoseconds until the first token of the prompt. */
async function abort(tokens: readonly number[], isDue: (started: Promise<unknown>) => Promise<unknown>): Promise<number> {
  const controller = new AbortController(), pieces = session.generate(tokens, { signal: controller.signal });
  const started = pieces.next(), failed = started.then(() => drain(pieces)).then(() => "ended", () => "aborted");
  await isDue(started);
  const start = performance.now();
  controller.abort();
  if (await failed !== "aborted") throw new Error("what was to be aborted has ended");
  answers.add(await first());
  return (performance.now() - start) * 1e6;
}

async function drain(pieces: AsyncGenerator<unknown>): Promise<void> {
  while (!(await pieces.next()).done);
}

const answers = new Set([await first()]), delay = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms)), times: number[] = [];
for (let round = 0; round < ROUNDS; round++) {
  const inPrompt = await abort(long, () => delay(30 + 7 * round));
  const inTokens = await abort(prompt, (started) => started.then(() => delay(20 + 3 * round)));
  times.push(Math.max(inPrompt, inTokens));
}
report(median(times), [...answers].join(" "));
