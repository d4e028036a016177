/**
 * Many generations at once, on one context: each gives what it gives alone, whatever becomes of the others.
 *
 * @module
 */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { loadModel, type Model, type Piece } from "@ggml/deno/models";
import { onLog } from "@ggml/deno/utils";
import { writeByteLlama } from "./byte_llama.ts";
import { folder, GREEDY, read, realModel, realPath, tinyModel } from "./models.ts";

const quiet = onLog(() => {}); // C warns of contexts longer than the tiny model was trained for
addEventListener("unload", () => quiet[Symbol.dispose]());

const PROMPTS = [
  "the thing",
  "in the inn",
  "an inn is on the hill",
  "a",
  "the others sing, the others ring",
  "is it in there",
  "one",
  "10",
];

/** What each of some prompts gives alone. */
async function alone(
  model: Model,
  options: readonly Parameters<Model["session"]>[0][],
  generate: (i: number) => object,
): Promise<number[][]> {
  const results: number[][] = [];
  for (const [i, prompt] of PROMPTS.entries()) {
    using session = model.session(options[i % options.length]);
    results.push((await read(session.generate(prompt, generate(i)))).tokens);
  }
  return results;
}

Deno.test("eight generations on three sequences: each has the tokens that it has alone, and they wait their turn", async () => {
  using model = await tinyModel();
  const options = (i: number) => ({ ...GREEDY, temperature: i % 2, seed: i, maxTokens: 3 + 4 * i });
  const expected = await alone(model, [{ context: 64, threads: 1 }], options);
  using batcher = model.batcher({ context: 64, sequences: 3, threads: 1 });
  for (let round = 0; round < 3; round++) {
    const running = PROMPTS.map((prompt, i) => read(batcher.generate(prompt, options(i))));
    await null;
    assert(batcher.waiting + batcher.active <= PROMPTS.length);
    assertEquals((await Promise.all(running)).map(({ tokens }) => tokens), expected);
    assertEquals([batcher.active <= 3, batcher.waiting], [true, 0]);
  }
});

Deno.test("a third cancelled, at any time: the others have their tokens, and the sequences are free again", async () => {
  using model = await tinyModel();
  const options = (i: number) => ({ ...GREEDY, seed: i, maxTokens: 30 });
  const expected = await alone(model, [{ context: 64, threads: 1 }], options);
  using batcher = model.batcher({ context: 64, sequences: 4, threads: 1, batch: 8 });
  for (let round = 0; round < 30; round++) {
    await Promise.all(PROMPTS.map(async (prompt, i) => {
      if (i % 3 !== round % 3) return assertEquals((await read(batcher.generate(prompt, options(i)))).tokens, expected[i]);
      const controller = new AbortController();
      const running = read(batcher.generate(prompt, { ...options(i), signal: controller.signal }));
      setTimeout(() => controller.abort(), round / 10);
      const result = await running.catch((error) => error);
      if (result instanceof Error) assertEquals(result.name, "AbortError");
      else assertEquals(result.tokens, expected[i]); // it was faster
    }));
  }
  assertEquals((await read(batcher.generate(PROMPTS[0], options(0)))).tokens, expected[0]);
});

Deno.test("who reads slowly holds nobody up, and loses nothing", async () => {
  using model = await tinyModel();
  const options = { ...GREEDY, maxTokens: 40 };
  using batcher = model.batcher({ context: 64, sequences: 2, threads: 1 });
  const slow = batcher.generate("the thing", options), tokens = [(await slow.next()).value!];
  assertEquals((await batcher.complete("in the inn", options)).tokens, 40);
  for await (const piece of slow) tokens.push(piece);
  assertEquals(tokens.map((piece) => "token" in piece ? piece.token : -1), (await read(batcher.generate("the thing", options))).tokens);
});

Deno.test("sessions of a batcher keep a sequence each, and give it back", async () => {
  using model = await tinyModel();
  using batcher = model.batcher({ context: 64, sequences: 2, threads: 1 });
  const first = batcher.session(), second = batcher.session();
  assertThrows(() => batcher.session(), Error, "Batcher.session: none of the 2 sequences is free");
  const [one, two] = await Promise.all([
    read(first.generate("the thing", { ...GREEDY, maxTokens: 9 })),
    read(second.generate("in the inn", { ...GREEDY, maxTokens: 9 })),
  ]);
  assert(one.tokens.join() !== two.tokens.join());
  assert(first.tokens.length > 9 && second.tokens.length > 9);
  const pending = read(batcher.generate("a", { ...GREEDY, maxTokens: 4 })); // waits for a sequence
  const cut = read(first.generate("a thing", { ...GREEDY, maxTokens: 40 }));
  await new Promise((resolve) => setTimeout(resolve));
  first[Symbol.dispose]();
  await assertRejects(() => cut, Error, "this session was freed");
  assertEquals((await pending).tokens.length, 4);
  await assertRejects(() => first.complete("a"), Error, "Session.complete: this session was freed");
  const third = batcher.session(), idle = read(batcher.generate("a", { ...GREEDY, maxTokens: 4 }));
  await new Promise((resolve) => setTimeout(resolve));
  third[Symbol.dispose](); // nothing is computed that would look who waits
  assertEquals((await idle).tokens.length, 4);
  second[Symbol.dispose]();
});

Deno.test("a deterministic batcher: every probability is to the last bit what it is alone, with long prompts, cancelled and cached ones", async () => {
  const path = `${folder}/bytes.gguf`;
  writeByteLlama(path); // in F32, which C multiplies by other kernels in company
  using model = await loadModel(path);
  const prompts = Array.from(
    { length: 9 },
    (_, i) => "is it there, the ring? ".repeat(1 + i % 5) + "the other ring is in the inn".slice(0, 3 * i),
  );
  const options = (i: number) => ({ seed: i, maxTokens: 5 + 4 * i, top: 2, logitBias: { 2: -Infinity } });
  const place = { context: 256, threads: 1, deterministic: true };
  const likelihoods = async (pieces: AsyncGenerator<Piece>) => {
    const all: number[] = [];
    for await (const { likelihood } of pieces) all.push(likelihood!.probability, ...likelihood!.top.map(({ probability }) => probability));
    return all;
  };
  const expected: number[][] = [];
  for (const [i, prompt] of prompts.entries()) {
    using session = model.session(place);
    expected.push(await likelihoods(session.generate(prompt, options(i))));
  }
  assert(prompts[4].length > 100, "more than C computes attention in one way of");
  for (const batch of [8, 50, 256]) {
    using batcher = model.batcher({ ...place, sequences: 4, batch });
    for (let round = 0; round < 2; round++) { // the second finds prompts in caches
      const cut = new AbortController();
      const stopped = likelihoods(batcher.generate(prompts[4], { ...options(8), signal: cut.signal })).catch((error) => error);
      const running = prompts.map((prompt, i) => likelihoods(batcher.generate(prompt, options(i))));
      setTimeout(() => cut.abort(), 3 * round);
      assertEquals(await Promise.all(running), expected);
      await stopped;
    }
  }
});

Deno.test({
  name: "a real model: eight generations in one batch have the tokens that they have alone",
  ignore: realPath === null,
  fn: async () => {
    const model = await realModel(), options = () => ({ temperature: 0, maxTokens: 24 });
    const expected = await alone(model, [{ context: 256, threads: 1 }], options);
    using batcher = model.batcher({ context: 256, sequences: 8, threads: 1 });
    const together = await Promise.all(PROMPTS.map((prompt) => read(batcher.generate(prompt, options()))));
    assertEquals(together.map(({ tokens }) => tokens), expected);
  },
});
