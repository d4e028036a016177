/**
 * Text as it comes: whole characters, up to a stop text, by a grammar.
 *
 * @module
 */

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { loadModel } from "@ggml/deno/models";
import { onLog } from "@ggml/deno/utils";
import { TextStream } from "../../models/text.ts";
import { FIRST_BYTE, VOCAB_SIZE, writeByteLlama } from "./byte_llama.ts";
import { folder, read, realModel, realPath, tinyModel } from "./models.ts";
import { generator } from "../random.ts";

const quiet = onLog(() => {});
addEventListener("unload", () => quiet[Symbol.dispose]());

/** Cuts bytes into pieces at random. */
function cut(bytes: Uint8Array, below: (below: number) => number): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) pieces.push(bytes.subarray(at, at += 1 + below(4)));
  return pieces;
}

Deno.test("characters and stop texts that tokens split, 2,000 texts cut at random: what comes is what there is before the stop text", () => {
  const below = generator(5), alphabet = [..."ab\u00e4\u20ac\ud83e\udd99 \n", "\ufeff", "\u{1f468}\u200d\u{1f469}"];
  const some = (most: number) => Array.from({ length: 1 + below(most) }, () => alphabet[below(alphabet.length)]).join("");
  let stopped = 0;
  for (let round = 0; round < 2000; round++) {
    const text = some(30), stops = Array.from({ length: below(4) }, () => some(5));
    const stream = new TextStream(stops);
    let got = "";
    for (const piece of cut(new TextEncoder().encode(text), below)) {
      const certain = stream.push(piece);
      assert(!certain.endsWith("\ufffd"), "half a character");
      got += certain;
      if (stream.stopped) break;
    }
    if (!stream.stopped) got += stream.rest();
    const ends = stops.map((stop) => text.indexOf(stop)).filter((at) => at >= 0);
    assertEquals(stream.stopped, ends.length > 0);
    // Of two stop texts the one that is complete first ends the text, wherever the other would have begun.
    assert(
      stream.stopped ? text.startsWith(got) && stops.some((stop) => text.startsWith(stop, got.length)) : got === text,
      JSON.stringify([text, stops, got]),
    );
    stopped += Number(stream.stopped);
  }
  assert(stopped > 400 && stopped < 1600, `${stopped} of 2000 were stopped`);
});

Deno.test("what is no UTF-8 is shown as such, and a character that isn't whole at the end is left out", () => {
  const stream = new TextStream([]);
  assertEquals(stream.push(Uint8Array.of(0x61, 0xff, 0x62)), "a\ufffdb");
  assertEquals(stream.push(Uint8Array.of(0xf0, 0x9f, 0xa6)), "");
  assertEquals(stream.rest(), "");
});

Deno.test({
  name: "a real model that repeats emoji: each piece is whole characters, and together they are the tokens' text",
  ignore: realPath === null,
  fn: async () => {
    const model = await realModel(), text = "\ud83e\udd99\ud83e\udd99\ud83e\udd99\ud83e\udd99\ud83e\udd99\ud83e\udd99";
    using session = model.session({ context: 128, threads: 1 });
    const { texts, tokens } = await read(
      session.generate(text, { grammar: 'root ::= "\ud83e\udd99\ud83d\ude00" [\ud83e\udd99\ud83d\ude00]+', seed: 1, maxTokens: 24 }),
    );
    assert(texts.includes(""), "no token ends within a character");
    assert(texts.join("").length > 4 && !texts.join("").includes("\ufffd"));
    for (const text of texts) assertMatch(text, /^(?:\ud83e\udd99|\ud83d\ude00)*$/);
    assert(model.detokenize(tokens).startsWith(texts.join("")));
  },
});

Deno.test("a grammar is followed by a model that knows nothing, at any temperature", async () => {
  using model = await tinyModel();
  using session = model.session({ context: 64, threads: 1 });
  const grammar = 'root ::= sum ("," sum)*\nsum ::= [0-9]+ "." [0-9]{2} # two places\n';
  for (let seed = 0; seed < 30; seed++) {
    const { text, reason } = await session.complete("the", { grammar, seed, temperature: 2, topK: 0, topP: 1, minP: 0, maxTokens: 30 });
    assertMatch(text, reason === "end" ? /^\d+\.\d\d(?:,\d+\.\d\d)*$/ : /^\d[\d.,]*$/);
  }
  const greedy = await session.complete("the", { grammar: 'root ::= "in" "the" "inn"', temperature: 0 });
  assertEquals([greedy.text, greedy.reason], ["intheinn", "end"]);
});

/** Marks from which a grammar holds, with the texts that have a token of their own and come often, and what is written then. */
const MARKS: readonly (readonly [from: string, grammar: string, often: readonly string[], written: RegExp])[] = [
  ["a", 'root ::= "a" [0-9]{3} "."', ["a"], /^[^a]*a\d{3}\.$/],
  ["b", 'root ::= "b" [0-9]{3} "."', ["ab"], /^[^b]*ab\d{3}\.$/], // the end of a token
  ["b", 'root ::= "b-" [0-9]{3} "."', ["b-1"], /^[^b]*b-1\d\d\.$/], // the beginning of one, whose rest fits
  ["<call>", 'root ::= "<call>" [0-9]{3} "."', ["x-<ca", "ll>"], /^.*x-<call>\d{3}\.$/s], // parts of two
  ["<call>", 'root ::= "<call>" "?" [0-9]{3} "."', ["(<call>?"], /^.*\(<call>\?\d{3}\.$/s], // a part of one
  ["b", 'root ::= "b" [0-9]{3} "."', ["b!", "b"], /^.*b!.*b\d{3}\.$/s], // "b!" doesn't fit, and is free
];

Deno.test("grammarFrom: the text is free up to a mark, however tokens cut that, and follows the grammar from there", async () => {
  for (const [grammarFrom, grammar, often, written] of MARKS) {
    const path = `${folder}/marks.gguf`;
    writeByteLlama(path, { more: often });
    using model = await loadModel(path);
    using session = model.session({ context: 512, threads: 1, overflow: "stop" });
    const logitBias = new Map(often.map((_, i) => [VOCAB_SIZE + i, 7]));
    let count = 0;
    for (let seed = 0; seed < 20; seed++) {
      const { text, reason } = await session.complete("the", { grammarFrom, grammar, logitBias, seed, maxTokens: 200 });
      if (written.test(text)) count++;
      if (reason === "end" && often.length === 1 && text.includes(grammarFrom)) assertMatch(text, /\d{3}\.$/);
    }
    assert(count > 3, `${grammarFrom} by ${often.join()}: only ${count}`);
  }
});

Deno.test("grammarFrom: a mark in what the model thinks is none", async () => {
  const path = `${folder}/thoughts.gguf`;
  writeByteLlama(path, { more: ["<think>"] });
  using model = await loadModel(path);
  using session = model.session({ context: 512, threads: 1, overflow: "stop" });
  const logitBias = { [FIRST_BYTE + 97]: 7, [VOCAB_SIZE - 1]: 7 }, grammar = 'root ::= "a" [0-9]{3} "."'; // a, and what ends the thinking
  const hot = { temperature: 3, topK: 0, topP: 1, minP: 0, maxTokens: 200 };
  let count = 0;
  for (let seed = 0; seed < 20; seed++) {
    const { text } = await session.complete("the<think>", { grammarFrom: "a", grammar, logitBias, seed, ...hot });
    const end = text.indexOf("</think>"), thought = text.slice(0, end), answer = text.slice(end + 8);
    if (end >= 0 && thought.includes("a") && !/a\d{3}\./.test(thought) && /^[^a]*a\d{3}\.$/.test(answer)) count++;
  }
  assert(count > 3, `only ${count}`);
});

Deno.test("grammarFrom: what is wrong with it is said at once", async () => {
  const path = `${folder}/bytes.gguf`;
  writeByteLlama(path);
  using model = await loadModel(path);
  using session = model.session({ context: 64, threads: 1 });
  const wrong: [object, RegExp][] = [
    [{ grammarFrom: "ab", grammar: 'root ::= "a" [c-z]' }, /^Session\.complete: the grammar has to begin with grammarFrom, which is "ab"$/],
    [{ grammarFrom: "a" }, /^Session\.complete: grammarFrom needs a grammar$/],
    [{ grammarFrom: "", grammar: 'root ::= "a"' }, /^Session\.complete: grammarFrom: expected a text that isn't empty, got the string ""$/],
    [{ grammarFrom: "a", grammar: "root ::= a" }, /^Session\.complete: the grammar can't be used: 1:10: there is no rule a\n/],
  ];
  for (const [options, message] of wrong) assertMatch((await assertRejects(() => session.complete("a", options), Error)).message, message);
});

const MISTAKES: readonly [string, RegExp][] = [
  ['root ::= "a', /: 1:12: expected the end of the text that begins at 1:10, got the end\nroot ::= "a\n {11}\^$/],
  ["root ::= a", /: 1:10: there is no rule a\nroot ::= a\n {9}\^$/],
  ["thing ::= [a-z]", /: 1:16: there is no rule root\n/],
  ['root ::= x\nx ::= ("a" | "b"\n', /: 3:1: expected "\)" for the "\(" at 2:7, got the end\n/],
  ['root ::= "\\q"', /: 1:11: expected an escape such as \\n, \\x0a, \\u000a, got "\\\\"\n/],
  ["root = 3", /: 1:6: expected "::=", got "="\n/],
  ['root ::= "a"\nx ::= [a-z] }', /: 2:13: expected the end of the rule, or something that it may have, got "}"\n/],
  ["root ::= root", /: unsupported grammar, left recursion detected/],
];

Deno.test("a grammar that C doesn't take: the error says where", async () => {
  using model = await tinyModel();
  using session = model.session({ context: 64, threads: 1 });
  for (const [grammar, message] of MISTAKES) {
    const error = await assertRejects(() => session.complete("the", { grammar }), SyntaxError);
    assertMatch(error.message, /^Session\.complete: the grammar can't be used: /);
    assertMatch(error.message, message, grammar);
  }
  const dead = await assertRejects(() => session.complete("the", { grammar: 'root ::= "\u2603"' }), Error);
  assertEquals(dead.message, "Session.complete: the grammar allows no token of this vocabulary here");
  const both = await assertRejects(() => session.complete("the", { grammar: 'root ::= "a"', schema: true }), TypeError);
  assertEquals(both.message, "Session.complete: give grammar or schema, not both");
  assertEquals((await session.complete("the", { grammar: 'root ::= "a"' })).text, "a");
});

Deno.test({
  name: "a JSON schema's answer fits it, and one that nothing fits is an error",
  ignore: realPath === null,
  fn: async () => {
    const model = await realModel();
    using session = model.session({ context: 256, threads: 1 });
    const schema = {
      type: "object",
      properties: { name: { type: "string", maxLength: 12 }, age: { type: "integer", minimum: 0, maximum: 120 } },
      required: ["name", "age"],
    };
    for (const seed of [1, 2]) {
      const { text, reason } = await session.complete("A person, as JSON:", { schema, seed, maxTokens: 80 });
      assertEquals(reason, "end");
      const { name, age } = JSON.parse(text);
      assert(typeof name === "string" && name.length <= 12 && Number.isInteger(age) && age >= 0 && age <= 120, text);
    }
    await assertRejects(() => session.complete("a", { schema: { type: "integer", minimum: 3, maximum: 2 } }), Error);
    assertEquals((await session.complete("1 2 3 4", { schema: { const: " 5" }, temperature: 0 })).text.trim(), '" 5"');
  },
});
