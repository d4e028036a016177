/**
 * Embeddings and reranking: those of a real model beside onnxruntime's, those of tiny ones beside the same computed here.
 *
 * @module
 */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { loadModel } from "@ggml/deno/models";
import { onLog } from "@ggml/deno/utils";
import { minilm } from "./minilm.ts";
import { tinyBert } from "./tiny_bert.ts";
import { folder, tinyModel } from "./models.ts";

const quiet = onLog(() => {}); // C warns of vocabularies without what ends a text
addEventListener("unload", () => quiet[Symbol.dispose]());

const path = await minilm();

function assertNear(actual: number, expected: number, tolerance: number): void {
  assert(Math.abs(actual - expected) <= tolerance, `${actual} isn't ${expected}`);
}

function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const dot = (x: ArrayLike<number>, y: ArrayLike<number>) => Array.from(x).reduce((sum, value, i) => sum + value * y[i], 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

Deno.test({
  name: "sentences by all-MiniLM-L6-v2 have onnxruntime's tokens and vectors, alone and in one batch",
  ignore: path === null,
  fn: async () => {
    const { sentences } = JSON.parse(await Deno.readTextFile(new URL("minilm.json", import.meta.url)));
    using model = await loadModel(path!);
    using embedder = model.embedder({ threads: 1 });
    for (const { text, ids } of sentences) assertEquals([...model.tokenize(text)], ids, text);
    const together = await embedder.embed(sentences.map(({ text }: { text: string }) => text));
    for (const [i, { text, vector }] of sentences.entries()) {
      const [alone] = await embedder.embed([text]);
      assertEquals(alone.length, 384);
      assertNear(Math.hypot(...alone), 1, 1e-5);
      assert(cosine(alone, vector) >= 0.9999, `${text}: ${cosine(alone, vector)}`);
      assert(cosine(together[i], vector) >= 0.9999, `${text} among others: ${cosine(together[i], vector)}`);
    }
    assert(cosine(together[0], together[1]) > cosine(together[0], together[2]) + 0.3);
  },
});

Deno.test("poolings, normalized or not, of a model with and one without memory", async () => {
  for (const model of [await tinyModel(), await loadModel(tinyBert(folder))]) {
    using _ = model;
    const tokens = [[1, 5, 9, 12], [1, 7], [1, 20, 21, 22, 23, 24, 2]];
    const by = async (options: object) => {
      using embedder = model.embedder({ threads: 1, normalize: false, ...options });
      return await embedder.embed(tokens);
    };
    const [mean, cls, last] = await Promise.all([by({ pooling: "mean" }), by({ pooling: "cls" }), by({ pooling: "last" })]);
    for (const [i, text] of tokens.entries()) {
      if (text.length === 2) mean[i].forEach((value, j) => assertNear(value, (cls[i][j] + last[i][j]) / 2, 1e-4));
      assert(cosine(cls[i], last[i]) < 0.9999);
    }
    const unit = await by({ pooling: "mean", normalize: true, sequences: 1 });
    for (const [i, vector] of unit.entries()) {
      assertNear(Math.hypot(...vector), 1, 1e-5);
      assert(cosine(vector, mean[i]) > 0.99999, "alone as among others");
    }
  }
});

Deno.test("who is cancelled while others are embedded doesn't wait for them", async () => {
  using model = await tinyModel();
  using embedder = model.embedder({ threads: 1, context: 64, sequences: 1 });
  const order: string[] = [], controller = new AbortController();
  const first = embedder.embed(new Array(300).fill([1, 2, 3])).then((vectors) => order.push(`${vectors.length} vectors`));
  const second = embedder.embed([[4]], { signal: controller.signal }).catch(({ message }) => order.push(message));
  const third = embedder.embed([[5]]).then(() => order.push("third"));
  await new Promise((resolve) => setTimeout(resolve)); // C is at the first
  controller.abort(new Error("cancelled"));
  await Promise.all([first, second, third]);
  assertEquals(order, ["cancelled", "300 vectors", "third"]);
});

Deno.test("an embedder's errors", async () => {
  const model = await tinyModel(), embedder = model.embedder({ threads: 1, context: 16 });
  const message = async (action: () => Promise<unknown>) => (await assertRejects(action, Error)).message;
  assertEquals(await message(() => embedder.embed("a" as never)), 'Embedder.embed: expected an array of texts, got the string "a"');
  assertEquals(await message(() => embedder.embed([[]])), "Embedder.embed: text 0 has no tokens");
  assertEquals(
    await message(() => embedder.embed([[1], new Array(17).fill(1)])),
    "Embedder.embed: text 1 is too long: it has 17 tokens, and there is room for 16",
  );
  assertEquals(await message(() => embedder.embed(["a"], { signal: AbortSignal.abort(new Error("no")) })), "no");
  assertThrows(
    () => model.embedder({ pooling: "max" as never }),
    TypeError,
    'pooling: expected "mean", "cls", "last", got the string "max"',
  );
  assertThrows(() => model.reranker(), Error, "is no reranker");
  assertEquals(await embedder.embed([]), []);
  const running = [1, 2, 3].map(() => embedder.embed(new Array(200).fill([1, 2, 3])).catch((error) => error.message));
  await new Promise((resolve) => setTimeout(resolve));
  model[Symbol.dispose]();
  assertEquals(new Set(await Promise.all(running)), new Set(["this model was freed"]));
});

Deno.test("a reranker's scores are its head's, of the vector of the first token", async () => {
  const head = tinyBert(folder, "head"), plain = tinyBert(folder);
  using model = await loadModel(head);
  using body = await loadModel(plain);
  using reranker = model.reranker({ threads: 1 });
  using embedder = body.embedder({ threads: 1, pooling: "cls", normalize: false });
  const documents = ["the thing", "a", "in the inn"];
  const vectors = await embedder.embed(await Promise.all(documents.map((document) => reranker.tokensOf("the", document))));
  const expected = vectors.map((vector, index) => ({ index, score: tinyBert.head(vector) })).sort((a, b) => b.score - a.score);
  const ranked = await reranker.rank("the", documents);
  await assertRejects(() => reranker.rank("the", documents, { signal: AbortSignal.abort(new Error("no")) }), Error, "no");
  assertEquals(ranked.map(({ index }) => index), expected.map(({ index }) => index));
  ranked.forEach(({ score }, i) => assertNear(score, expected[i].score, 1e-3));
  assert(new Set(ranked.map(({ score }) => score)).size === 3);
});
