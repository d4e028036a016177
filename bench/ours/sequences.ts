/**
 * 16 sequences of a model in one batch: `sequences.ts THREADS MODEL`.
 *
 * Each has a prompt of 16 tokens, all of the same in another order, and the 32 likeliest that follow. Prints how long one of these takes, from
 * when all prompts are computed, and which they are. With one thread it counts processor time.
 *
 * @module
 */

import { type Batcher, loadModel } from "@ggml/deno/models";
import { report } from "../rounds.ts";
import { clock } from "./clock.ts";

const [threads, path] = Deno.args;
const TEXT = "Once upon a time, in a small village by the sea, there lived";
const now = clock(threads);
const SEQUENCES = 16, PROMPT = 16, TOKENS = 32, CONTEXT = 256;

/** The tokens of one sequence; `onFirst` hears when there is one. */
async function answer(batcher: Batcher, prompt: readonly number[], onFirst: () => void): Promise<number[]> {
  const tokens: number[] = [];
  for await (const { token } of batcher.generate(prompt, { temperature: 0, maxTokens: TOKENS + 1 })) {
    if (tokens.push(token) === 1) onFirst();
  }
  if (tokens.length !== TOKENS + 1) throw new Error(`${tokens.length} tokens came, and ${TOKENS + 1} were expected`);
  return tokens;
}

/** The nanoseconds of a token, and the tokens of each sequence. */
async function compute(): Promise<{ ns: number; tokens: number[][] }> {
  using batcher = model.batcher({ sequences: SEQUENCES, context: CONTEXT, batch: 512, threads: Number(threads) });
  let started = 0, start = 0;
  const onFirst = () => {
    if (++started === SEQUENCES) start = now();
  };
  const tokens = await Promise.all(prompts.map((prompt) => answer(batcher, prompt, onFirst)));
  return { ns: (now() - start) * 1e6 / (SEQUENCES * TOKENS), tokens };
}

using model = await loadModel(path, { gpuLayers: 0 });
const ids = [...model.tokenize(TEXT)];
const prompts = Array.from({ length: SEQUENCES }, (_, s) => Array.from({ length: PROMPT }, (_, i) => ids[(i + s) % ids.length]));
const { ns, tokens } = await compute();
report(ns, tokens.map((some) => some.join(" ")).join(" "));
