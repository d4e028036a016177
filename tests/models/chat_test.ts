/**
 * Chats: a model's own template, turns that are in the cache, turns that are dropped, thinking and tools apart from the answer.
 *
 * @module
 */

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { type ChatPiece, type Ended, loadModel, type Message } from "@ggml/deno/models";
import { onLog } from "@ggml/deno/utils";
import { GREEDY, read, realModel, realPath, tinyPath } from "./models.ts";

const quiet = onLog(() => {});
addEventListener("unload", () => quiet[Symbol.dispose]());

/** In letters that the tiny model has. BOS is the template's own. */
const TEMPLATE =
  "{{ bos_token }}{% for m in messages %}{{ m.role }} {{ m.content }}\n{% endfor %}{% if add_generation_prompt %}assistant{% endif %}";

const tiny = () => loadModel(tinyPath("llama", TEMPLATE));

const user = (content: string): Message => ({ role: "user", content });

Deno.test("the template's BOS is the only one", async () => {
  using model = await tiny();
  using session = model.session({ context: 64, threads: 1 });
  assertEquals(model.applyTemplate([user("the thing")]), "<s>user the thing\nassistant");
  assertEquals(model.applyTemplate([user("a")], { addGenerationPrompt: false }), "<s>user a\n");
  await read(session.chat([user("the thing")], { ...GREEDY, maxTokens: 1 }));
  assertEquals(session.tokens.filter((token) => token === 1), [1]);
  assertEquals(session.tokens[0], 1);
});

Deno.test("a chat is what its template's text is, and of the next turn only what is new is computed", async () => {
  using model = await tiny();
  using session = model.session({ context: 128, threads: 1 });
  using other = model.session({ context: 128, threads: 1 });
  const messages = [user("the thing")], options = { ...GREEDY, maxTokens: 8 };
  const answer = await read(session.chat(messages, options));
  const prompt = model.tokenize(model.applyTemplate(messages), { special: false, parseSpecial: true });
  assertEquals(answer.tokens, (await read(other.generate(prompt, options))).tokens);
  messages.push({ role: "assistant", content: "the inn" }, user("in it"));
  const { ended, tokens } = await read(session.chat(messages, options));
  assert(ended.cachedTokens >= prompt.length, `${ended.cachedTokens} of ${ended.promptTokens}`);
  const whole = model.tokenize(model.applyTemplate(messages), { special: false, parseSpecial: true });
  assertEquals(tokens, (await read(other.generate(whole, options))).tokens);
});

Deno.test("a chat that is too long: an error, or the oldest turns dropped, and what comes before the first turn stays", async () => {
  using model = await tiny();
  const system = { role: "system", content: "sing" },
    turns = Array.from({ length: 6 }, (_, i) => [
      user(`the thing ${i}`),
      { role: "assistant", content: "in the inn" },
    ]).flat();
  const messages = [system, ...turns, user("a")], options = { ...GREEDY, maxTokens: 4 };
  using strict = model.session({ context: 64, threads: 1 });
  assertMatch(
    (await assertRejects(() => strict.chat(messages, options).next(), RangeError)).message,
    /^Session\.chat: the prompt is longer than the context: it has \d+ tokens, and there is room for 64$/,
  );
  using dropping = model.session({ context: 64, threads: 1, overflow: "drop" });
  const { ended, tokens } = await read(dropping.chat(messages, options));
  const kept = [6, 7, 8, 9, 10, 11].map((first) => [system, ...turns.slice(first), user("a")]).map((some) =>
    model.tokenize(model.applyTemplate(some), { special: false, parseSpecial: true })
  ).find(({ length }) => length === ended.promptTokens);
  assert(kept !== undefined, `${ended.promptTokens} tokens are those of no shorter chat`);
  assertEquals(tokens, (await read(strict.generate(kept, options))).tokens);
  assertEquals(dropping.tokens.slice(0, kept.length), [...kept]);
  const long = await read(dropping.chat(messages, { ...GREEDY, maxTokens: 200 }));
  const begin = model.tokenize(model.applyTemplate([system], { addGenerationPrompt: false }), { special: false, parseSpecial: true });
  assertEquals(long.tokens.length, 200);
  assertEquals(dropping.tokens.slice(0, begin.length), [...begin], "the system's message is still there");
});

/** All of a chat's answer, by kind. */
async function readChat(pieces: AsyncGenerator<ChatPiece, Ended, void>) {
  const all = { text: "", reasoning: "", calls: [] as unknown[] };
  for await (const { text, reasoning, calls } of pieces) {
    all.text += text;
    all.reasoning += reasoning;
    all.calls.push(...calls);
  }
  return all;
}

Deno.test("wrong options of a chat are errors", async () => {
  using model = await tiny();
  using session = model.session({ context: 64, threads: 1 });
  const message = async (messages: unknown, options?: object) =>
    (await assertRejects(() => session.chat(messages as Message[], options).next(), Error)).message;
  assertEquals(await message("hello"), 'Session.chat: expected an array of messages, got the string "hello"');
  assertMatch(await message([{ content: "x" }]), /role/);
  assertMatch(await message([], { reasonings: 1 }), /^Session\.chat: there is no option reasonings; there are /);
  assertMatch(
    await message([], { reasoning: "loud" }),
    /^Session\.chat: reasoning: expected "text", "apart", "none", got the string "loud"$/,
  );
  assertMatch(await message([], { calls: true }), /^Session\.chat: calls: expected "text", "apart", got the boolean true$/);
  assertMatch(await message([], { tools: {} }), /^Session\.chat: tools must be an array, got a plain object$/);
  assertMatch(await message([user("a")], { temperature: -1 }), /^Session\.chat: temperature: expected/);
});

Deno.test({
  name: "a real model: what it thinks and the tools that it asks for are told from the answer",
  ignore: realPath === null,
  fn: async () => {
    const model = await realModel();
    using session = model.session({ context: 512, threads: 1 });
    const say = (text: string, options: object) =>
      readChat(session.chat([user("Hello")], { temperature: 0, grammar: `root ::= ${JSON.stringify(text)}`, ...options }));
    const thought = "<think>It is 2.</think>\n\nTwo.";
    assertEquals(await say(thought, {}), { text: thought, reasoning: "", calls: [] });
    assertEquals(await say(thought, { reasoning: "apart" }), { text: "Two.", reasoning: "It is 2.", calls: [] });
    assertEquals(await say(thought, { reasoning: "none" }), { text: "Two.", reasoning: "", calls: [] });
    const tools = [{ type: "function", function: { name: "weather", parameters: { type: "object" } } }];
    const call = '<tool_call>{"name": "weather", "arguments": {"city": "Bonn"}}</tool_call>';
    assertEquals(await say(`<think>Hm</think>${call}`, { reasoning: "apart", calls: "apart", tools }), {
      text: "",
      reasoning: "Hm",
      calls: [{ name: "weather", arguments: '{"city":"Bonn"}' }],
    });
    assertEquals((await say(call, { tools })).text, call);
  },
});

Deno.test({
  name: "a real model answers, and remembers what was said",
  ignore: realPath === null,
  fn: async () => {
    const model = await realModel(), messages: Message[] = [user("What is the capital city of France? Answer in one word.")];
    using session = model.session({ context: 512, threads: 1 });
    const first = await read(session.chat(messages, { temperature: 0, maxTokens: 30 }));
    assertMatch(first.text, /Paris/);
    messages.push({ role: "assistant", content: first.text }, user("Name the capital of Italy."));
    const second = await read(session.chat(messages, { temperature: 0, maxTokens: 30 }));
    assertMatch(second.text, /Rome/);
    assert(second.ended.cachedTokens > first.ended.promptTokens);
  },
});
