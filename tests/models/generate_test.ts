/**
 * `@ggml/deno/models`: sessions generate what plain calls of `lib` do, stream, stop, cancel, and reuse their cache.
 *
 * @module
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { lib } from "@ggml/deno";
import type { Model, Piece } from "@ggml/deno/models";
import { onLog } from "@ggml/deno/utils";
import { greedyProgram } from "./greedy.ts";
import { GREEDY, read, realModel, realPath, tinyModel } from "./models.ts";

const quiet = onLog(() => {}); // C warns of contexts longer than the tiny model was trained for
addEventListener("unload", () => quiet[Symbol.dispose]());

/** The likeliest tokens after a prompt, by `llama_decode` and `llama_sampler_sample` alone. */
function plainly(model: Model, prompt: Int32Array<ArrayBuffer>, count: number, threads: number): number[] {
  const params = Object.assign(lib.llama_context_default_params(), { n_ctx: 512, n_threads: threads, n_threads_batch: threads });
  using ctx = lib.llama_init_from_model(model.handle, params)!;
  using greedy = lib.llama_sampler_init_greedy();
  const tokens: number[] = [];
  for (let next = prompt; tokens.length < count; next = Int32Array.of(tokens.at(-1)!)) {
    assertEquals(lib.llama_decode(ctx, lib.llama_batch_get_one(next, next.length)), 0);
    tokens.push(lib.llama_sampler_sample(greedy, ctx, -1));
  }
  return tokens;
}

const askC = realPath === null ? null : await greedyProgram();

for (const threads of [1, 2]) {
  const name = `200 tokens of a real model are those of plain calls and of a C program, ${threads} threads`;
  Deno.test({ name, ignore: realPath === null || navigator.hardwareConcurrency < threads }, async () => {
    const model = await realModel(), text = "Once upon a time, in a small village by the sea,", prompt = model.tokenize(text);
    using session = model.session({ context: 512, threads });
    const { tokens } = await read(session.generate(text, { temperature: 0, maxTokens: 200 }));
    assertEquals(tokens.length, 200, "the model would have ended the text");
    assertEquals(tokens, plainly(model, prompt, 200, threads));
    const byC = await askC?.(realPath!, text, threads, 200);
    if (byC !== undefined) assertEquals([byC.prompt, byC.tokens], [[...prompt], tokens]);
  });
}

Deno.test("a tiny model's tokens are those of plain calls, and what it has of a prompt isn't computed again", async () => {
  using model = await tinyModel();
  using session = model.session({ context: 64, threads: 1, overflow: "stop" });
  const prompt = model.tokenize("the thing is in the inn");
  const { tokens, texts, ended } = await read(session.generate(prompt, { ...GREEDY, maxTokens: 20 }));
  assertEquals(tokens, plainly(model, prompt, 20, 1));
  assertEquals(texts.join(""), model.detokenize([...prompt, ...tokens]).slice(model.detokenize(prompt).length));
  assertEquals(ended, { reason: "length", promptTokens: prompt.length, cachedTokens: 0, tokens: 20 });
  const again = await read(session.generate(prompt, { ...GREEDY, maxTokens: 20 }));
  assertEquals(again.tokens, tokens);
  assertEquals(again.ended.cachedTokens, prompt.length - 1);
  const longer = Int32Array.of(...prompt, ...tokens.slice(0, 10), 7);
  const more = await read(session.generate(longer, { ...GREEDY, maxTokens: 5 }));
  assertEquals(more.ended.cachedTokens, longer.length - 1);
  assertEquals(more.tokens, plainly(model, longer, 5, 1));
});

Deno.test("a prompt longer than the context is an error, and the session goes on", async () => {
  using model = await tinyModel();
  using session = model.session({ context: 32, threads: 1 });
  const error = await assertRejects(() => session.complete(new Int32Array(33).fill(5)), RangeError);
  assertEquals(
    error.message,
    "Session.complete: the prompt is longer than the context: it has 33 tokens, and there is room for 32",
  );
  assertEquals((await session.complete("the", { ...GREEDY, maxTokens: 3 })).tokens, 3);
});

Deno.test("stop texts end a text, also those that tokens split, and nothing of them is seen", async () => {
  using model = await tinyModel();
  using session = model.session({ context: 64, threads: 1, overflow: "stop" });
  const { text, texts } = await read(session.generate("the thing", { ...GREEDY, maxTokens: 30 }));
  for (let from = 1; from < Math.min(20, text.length - 5); from++) {
    const stop = text.slice(from, from + 4), at = text.indexOf(stop);
    const stopped = await read(session.generate("the thing", { ...GREEDY, maxTokens: 30, stop: [stop, "never that"] }));
    assertEquals([stopped.text, stopped.ended.reason], [text.slice(0, at), "stop"], JSON.stringify({ text, stop, texts }));
  }
  const almost = `${text.slice(0, 5)}\u2603`, last = `${text.slice(-2)}\u2603`;
  const held = await read(session.generate("the thing", { ...GREEDY, maxTokens: 30, stop: [almost, last] }));
  assertEquals([held.text, held.ended.reason], [text, "length"]);
});

Deno.test("the same seed gives the same text, another one another, and each option has its effect", async () => {
  using model = await tinyModel();
  using session = model.session({ context: 64, threads: 1, overflow: "stop" });
  const tokensOf = async (options: Parameters<typeof session.generate>[1]) =>
    (await read(session.generate("the thing", { maxTokens: 25, logitBias: { 2: -Infinity }, ...options }))).tokens;
  const hot = { temperature: 3, topK: 0, topP: 1, minP: 0, seed: 7 };
  const first = await tokensOf(hot);
  assertEquals(await tokensOf(hot), first);
  assert(new Set(first).size > 10);
  assert((await tokensOf({ ...hot, seed: 8 })).join() !== first.join());
  const last = await tokensOf({ ...hot, seed: 2 ** 32 - 1 }); // by which C means any
  assertEquals(await tokensOf({ ...hot, seed: 2 ** 32 - 1 }), last);
  const greedy = await tokensOf({ temperature: 0 });
  for (const narrow of [{ topK: 1 }, { topP: 0.0001 }, { minP: 1 }]) assertEquals(await tokensOf({ ...hot, ...narrow }), greedy);
  const banned = greedy[0];
  const biased = await tokensOf({ temperature: 0, logitBias: new Map([[2, -Infinity], [banned, -Infinity], [9, 1000]]) });
  assertEquals(new Set(biased), new Set([9]));
  const repeated = await tokensOf({ temperature: 0, penalties: { last: -1, presence: 1000 } });
  assertEquals(new Set(repeated).size, 25, "no token twice");
});

Deno.test("how likely tokens were is the softmax of C's logits", async () => {
  using model = await tinyModel();
  using session = model.session({ context: 64, threads: 1 });
  const prompt = model.tokenize("the thing");
  const first = async (top?: number): Promise<Piece> => {
    for await (const piece of session.generate(prompt, { ...GREEDY, maxTokens: 1, top })) return piece;
    throw new Error("no token came");
  };
  const { token, likelihood } = await first(64), top = likelihood!.top;
  using ctx = lib.llama_init_from_model(model.handle, Object.assign(lib.llama_context_default_params(), { n_ctx: 256, n_threads: 1 }))!;
  lib.llama_decode(ctx, lib.llama_batch_get_one(prompt, prompt.length));
  const logits = new Float32Array(lib.llama_get_logits_ith(ctx, -1)!.bytes(4 * 64).slice().buffer);
  const sum = logits.reduce((sum, logit) => sum + Math.exp(logit), 0);
  const expected = [...logits].map((logit, id) => [id, Math.exp(logit) / sum]).sort(([, a], [, b]) => b - a);
  assertEquals(top.map(({ token }) => token), expected.map(([id]) => id));
  for (const [i, { probability }] of top.entries()) assert(Math.abs(probability / expected[i][1] - 1) < 1e-4);
  assertEquals(likelihood!.probability, top.find((each) => each.token === token)!.probability);
  assertEquals(top.find((each) => each.token === 47)!.text, model.detokenize([47]));
  assertEquals((await first(3)).likelihood!.top.map(({ token }) => token), top.slice(0, 3).map(({ token }) => token));
  assertEquals((await first(0)).likelihood!.top, []);
  assertEquals((await first()).likelihood, undefined);
});

Deno.test({
  name: "the event loop goes on while a real model computes, and 100 sessions give their memory back",
  ignore: realPath === null,
  fn: async () => {
    const model = await realModel();
    let turns = 0;
    const timer = setInterval(() => turns++, 5), start = performance.now();
    using session = model.session({ context: 512, threads: 1 });
    await session.complete(new Array(256).fill(7), { temperature: 0, maxTokens: 1 });
    clearInterval(timer);
    assert(turns > (performance.now() - start) / 5 / 20, `${turns} turns in ${performance.now() - start} ms`);
    const make = async () => {
      using session = model.session({ context: 2048, threads: 1 });
      await session.complete("a", { temperature: 0, maxTokens: 1 });
    };
    for (let i = 0; i < 10; i++) await make();
    const before = Deno.memoryUsage().rss;
    for (let i = 0; i < 100; i++) await make();
    const grown = (Deno.memoryUsage().rss - before) / 2 ** 20;
    assert(grown < 100, `${grown} MiB more`); // each has 90 MiB of its own
  },
});
