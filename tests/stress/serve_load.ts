/**
 * Many requests at once to a server, a part of them cancelled: each answer has to be what the same seed gives alone.
 *
 * A server that isn't deterministic gives that nearly always: C multiplies by other kernels where a batch has one token than where it has more, so
 * that logits differ by some millionths (seen: 0.000002 of about 3), and where chance falls just between two tokens the other one is taken (seen: 2 of
 * 400 answers). So an answer of such a server that isn't what its seed gives alone has to be what it gives beside one other sequence that goes on
 * for ever. A deterministic one has to give what its seed gives alone, always.
 *
 * @module
 */

import OpenAI from "openai";
import { assertEquals } from "@std/assert";
import type { Model, SessionOptions } from "@ggml/deno/models";
import { serve } from "@ggml/deno/serve";
import { generator } from "../random.ts";

/** How much is asked. */
export interface Load {
  readonly requests: number;
  readonly atOnce: number;
  readonly sequences: number;
  readonly context: number;
  /** Whether the server and the sessions that are alone are deterministic. */
  readonly deterministic: boolean;
  /** Told now and then how many are done. */
  readonly onProgress?: (done: number) => void;
}

/** What became of the requests. */
export interface LoadResult {
  readonly answered: number;
  readonly cancelled: number;
  /** How many of the answers are what the seed gives in company, and not alone. */
  readonly rounded: number;
  /** The most tokens that the answers have. */
  readonly tokens: number;
  readonly seconds: number;
}

/** Some requests are the same but for the seed, so that they share the beginning of their prompts. */
function requestOf(index: number) {
  const prompt = ["the others sing", "in the inn there is one", "a", "is it there, the ring? ".repeat(4)][index % 4];
  return { prompt, max_tokens: 5 + 7 * (index % 8), seed: index };
}

/** Asks a server of the model, in this very process. */
export async function load(
  model: Model,
  { requests, atOnce, sequences, context, deterministic, onProgress = () => {} }: Load,
): Promise<LoadResult> {
  const expected = await alone(model, requests, { context, threads: 1, deterministic });
  await using server = serve(model, { port: 0, context, sequences, threads: 1, queue: atOnce, deterministic });
  const client = new OpenAI({ baseURL: server.url, apiKey: "none", maxRetries: 0 }), { data: [{ id }] } = await client.models.list();
  let next = 0, answered = 0, cancelled = 0, rounded = 0, tokens = 0;
  const started = performance.now(), below = generator(1);
  const work = async () => {
    for (let index = next++; index < requests; index = next++) {
      const isCancelled = index % 3 === 2;
      const text = await (isCancelled ? cancel(client, id, index, below(12)) : ask(client, id, index));
      if (text === null) cancelled++;
      else {
        if (text !== expected[index]) {
          assertEquals(text, deterministic ? expected[index] : await inCompany(model, index, context), `request ${index}`);
          rounded++;
        }
        answered++;
        tokens += requestOf(index).max_tokens;
      }
      if (index % 100 === 99) onProgress(index + 1);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return { answered, cancelled, rounded, tokens, seconds: (performance.now() - started) / 1000 };
}

/** What each seed gives when nothing else is computed. */
async function alone(model: Model, requests: number, options: SessionOptions): Promise<string[]> {
  const texts: string[] = [];
  for (let index = 0; index < requests; index++) {
    using session = model.session(options);
    const { prompt, max_tokens, seed } = requestOf(index);
    texts.push((await session.complete(prompt, { maxTokens: max_tokens, seed })).text);
  }
  return texts;
}

/** What a seed gives when another sequence is in each batch. */
async function inCompany(model: Model, index: number, context: number): Promise<string> {
  using batcher = model.batcher({ context, sequences: 2, threads: 1 });
  const done = new AbortController(), { prompt, max_tokens, seed } = requestOf(index);
  const company = (async () => {
    while (!done.signal.aborted) {
      await batcher.complete("the", { maxTokens: context - 8, logitBias: { 2: -Infinity }, signal: done.signal });
    }
  })().catch(() => {});
  const { text } = await batcher.complete(prompt, { maxTokens: max_tokens, seed });
  done.abort();
  await company;
  return text;
}

/** The whole text; every second request is streamed. */
async function ask(client: OpenAI, model: string, index: number): Promise<string> {
  const body = { model, ...requestOf(index) };
  if (index % 2 === 0) return (await client.completions.create(body)).choices[0].text;
  let text = "";
  for await (const chunk of await client.completions.create({ ...body, stream: true })) text += chunk.choices[0].text;
  return text;
}

/** Goes away after some milliseconds, or some pieces. The text if it came before; null if not. */
async function cancel(client: OpenAI, model: string, index: number, after: number): Promise<string | null> {
  const gone = new AbortController(), body = { model, ...requestOf(index) };
  try {
    if (index % 2 === 0) {
      setTimeout(() => gone.abort(), after);
      return (await client.completions.create(body, { signal: gone.signal })).choices[0].text;
    }
    let text = "", pieces = 0;
    for await (const chunk of await client.completions.create({ ...body, stream: true }, { signal: gone.signal })) {
      text += chunk.choices[0].text;
      if (++pieces > after) return null; // which closes the connection
    }
    return text;
  } catch (error) {
    if (error instanceof OpenAI.APIUserAbortError) return null;
    throw error;
  }
}
