/**
 * `@ggml/deno/models`: sessions generate what plain calls of `lib` do, stream, stop, cancel, and reuse their cache.
 *
 * @module
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { lib } from "@ggml/deno";
import { type Ended, loadModel, type Model, type Piece } from "@ggml/deno/models";
import { smollm2 } from "./smollm2.ts";
import { writeTinyLlama } from "./tiny_llama.ts";

const folder = Deno.makeTempDirSync();
addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));

const tinyPath = `${folder}/tiny.gguf`;
writeTinyLlama(tinyPath, "llama");

const path = await smollm2(), ignore = path === null;

let real: Promise<Model> | null = null;

/** SmolLM2, loaded once. */
function theModel(): Promise<Model> {
  return real ??= loadModel(path!);
}

const GREEDY = { temperature: 0 } as const;

/** All pieces, and how it ended. */
async function read(pieces: AsyncGenerator<Piece, Ended, void>): Promise<{ tokens: number[]; texts: string[]; ended: Ended }> {
  const tokens: number[] = [], texts: string[] = [];
  for (;;) {
    const next = await pieces.next();
    if (next.done) return { tokens, texts, ended: next.value };
    tokens.push(next.value.token);
    texts.push(next.value.text);
  }
}

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

for (const threads of [1, 2]) {
  const name = `200 tokens of a real model are those of plain calls, ${threads} threads`;
  Deno.test({ name, ignore: ignore || navigator.hardwareConcurrency < threads }, async () => {
    const model = await theModel(), prompt = model.tokenize("Once upon a time, in a small village by the sea,");
    using session = model.session({ context: 512, threads });
    const { tokens } = await read(session.generate(prompt, { ...GREEDY, maxTokens: 200 }));
    const expected = plainly(model, prompt, 200, threads), ends = expected.findIndex((token) => model.vocabulary.isEnd(token));
    assertEquals(tokens, ends < 0 ? expected : expected.slice(0, ends));
    assert(tokens.length > 100, `only ${tokens.length} tokens`);
  });
}

Deno.test("a tiny model's tokens are those of plain calls, and what it has of a prompt isn't computed again", async () => {
  using model = await loadModel(tinyPath);
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
  using model = await loadModel(tinyPath);
  using session = model.session({ context: 32, threads: 1 });
  const error = await assertRejects(() => session.complete(new Int32Array(33).fill(5)), RangeError);
  assertEquals(
    error.message,
    "Session.generate: the prompt is longer than the context: it has 33 tokens, and there is room for 32",
  );
  assertEquals((await session.complete("the", { ...GREEDY, maxTokens: 3, logitBias: { 2: -Infinity } })).tokens, 3);
});
