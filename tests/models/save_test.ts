/**
 * Sessions as bytes: they go on from where they were, and what isn't one of them is an error.
 *
 * @module
 */

import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { loadModel } from "@ggml/deno/models";
import { onLog } from "@ggml/deno/utils";
import { folder, GREEDY, read, realModel, realPath, tinyModel, tinyPath } from "./models.ts";
import { tinyBert } from "./tiny_bert.ts";

const quiet = onLog(() => {});
addEventListener("unload", () => quiet[Symbol.dispose]());

const LONG = { ...GREEDY, maxTokens: 20 };

Deno.test("a session that is saved goes on in another, of another model object and length, without computing again", async () => {
  using model = await tinyModel(), again = await tinyModel();
  using session = model.session({ context: 64, threads: 1 });
  const prompt = [...model.tokenize("the thing is in")], { tokens } = await read(session.generate(prompt, LONG));
  const bytes = session.save(), whole = [...prompt, ...tokens];
  const { tokens: expected } = await read(session.generate(whole, LONG));
  using other = again.session({ context: 100, threads: 1 });
  for (const restored of [session, other]) {
    restored.restore(bytes);
    assertEquals(restored.tokens, whole.slice(0, -1), "the last token wasn't computed");
    const { tokens, ended } = await read(restored.generate(whole, LONG));
    assertEquals(tokens, expected);
    assertEquals(ended.cachedTokens, whole.length - 1);
  }
});

Deno.test("a batcher's session takes a state of its own kind", async () => {
  using model = await tinyModel();
  using batcher = model.batcher({ context: 64, sequences: 2, threads: 1 });
  using first = batcher.session();
  using second = batcher.session();
  const { text } = await first.complete("the thing", LONG), bytes = first.save();
  second.restore(bytes);
  const again = await second.complete("the thing", LONG);
  assertEquals([again.text, again.cachedTokens], [text, again.promptTokens - 1]);
  using single = model.session({ context: 64, threads: 1 });
  assertThrows(
    () => single.restore(bytes),
    Error,
    "C doesn't take this state for one of such a context: error loading state: n_stream mismatch",
  );
});

Deno.test("an empty session is saved and restored, too", async () => {
  using model = await tinyModel();
  using session = model.session({ context: 64, threads: 1 });
  const empty = session.save();
  await session.complete("the", LONG);
  session.restore(empty);
  assertEquals(session.tokens, []);
});

Deno.test("what isn't a state of such a session is an error, and the session goes on", async () => {
  using model = await tinyModel();
  using session = model.session({ context: 64, threads: 1 });
  const { text } = await session.complete("the thing", LONG), bytes = session.save();
  const message = (bytes: unknown) => assertThrows(() => session.restore(bytes as Uint8Array), Error).message;
  assertMatch(message("no"), /^Session\.restore: expected a Uint8Array, got the string "no"$/);
  assertMatch(message(new Uint8Array(100)), /^Session\.restore: expected what Session\.save gave, got other bytes$/);
  assertMatch(message(bytes.subarray(0, 30)), /^Session\.restore: the state is cut short: expected more than \d+ bytes, got 30$/);
  const newer = bytes.slice();
  newer[8] = 9;
  assertMatch(message(newer), /^Session\.restore: expected a state of version 2, got one of version 9$/);
  const DAMAGED = /^Session\.restore: the state is damaged: its checksum is another one$/;
  assertMatch(message(bytes.subarray(0, bytes.length - 100)), DAMAGED);
  using narrow = model.session({ context: 8, threads: 1 });
  assertThrows(() => narrow.restore(bytes), RangeError, "Session.restore: expected at most 8 tokens, for which there is room, got");
  using words = await loadModel(tinyPath("gpt2"));
  using same = words.session({ context: 64, threads: 1 });
  same.restore(bytes); // which has the same numbers: only its words are others
  for (let i = 12; i < bytes.length; i += 37) { // whatever byte is wrong
    const wrong = bytes.slice();
    wrong[i] ^= 1 << i % 8;
    assertMatch(message(wrong), /^Session\.restore: the state is (?:damaged|cut short): /);
  }
  session.restore(bytes);
  assertEquals((await session.complete("the thing", LONG)).text, text);
  using encoder = await loadModel(tinyBert(folder));
  assertThrows(() => encoder.session(), Error, "only encodes, and generates nothing; use embedder()");
});

Deno.test({
  name: "a real model's session goes on from its bytes",
  ignore: realPath === null,
  fn: async () => {
    const model = await realModel(), prompt = "The capital of France is";
    using session = model.session({ context: 128, threads: 1 });
    const first = await session.complete(prompt, { temperature: 0, maxTokens: 12 }), bytes = session.save();
    using other = model.session({ context: 128, threads: 1 });
    other.restore(bytes);
    const second = await other.complete(prompt + first.text, { temperature: 0, maxTokens: 12 });
    assertEquals(second.text, (await session.complete(prompt + first.text, { temperature: 0, maxTokens: 12 })).text);
    assert(second.cachedTokens >= second.promptTokens - 2);
  },
});
