/**
 * `chat`: what the model thinks and the tools that it calls, apart from its answer.
 *
 * @module
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { type ChatPiece, loadModel, type Model } from "@ggml/deno/models";
import { onLog } from "@ggml/deno/utils";
import { folder } from "../models.ts";
import { VOCAB_SIZE, writeByteLlama } from "./byte_llama.ts";

const quiet = onLog(() => {}); // C warns of contexts shorter than the model was trained for
addEventListener("unload", () => quiet[Symbol.dispose]());

const MESSAGES = [{ role: "user", content: "a" }], OPTIONS = { context: 256, threads: 1 }, CLOSE = VOCAB_SIZE - 1;

async function modelOf(end: string): Promise<Model> {
  const path = `${folder}/chat.gguf`;
  writeByteLlama(path, {
    template: `{% for m in messages %}{{ m.content }}{% endfor %}{% if tools %}{{ tools | tojson }}{% endif %}${end}`,
  });
  return await loadModel(path);
}

async function said(pieces: AsyncGenerator<ChatPiece, unknown, void>): Promise<{ text: string; reasoning: string; calls: unknown[] }> {
  const all = { text: "", reasoning: "", calls: [] as unknown[] };
  for await (const { text, reasoning, calls } of pieces) {
    all.text += text;
    all.reasoning += reasoning;
    all.calls.push(...calls);
  }
  return all;
}

Deno.test("chat tells what the model thinks from what it answers, leaves it out, or leaves it in", async () => {
  using model = await modelOf("<think>");
  using session = model.session(OPTIONS);
  using batcher = model.batcher({ ...OPTIONS, sequences: 2 });
  const options = { seed: 4, maxTokens: 60, logitBias: { [CLOSE]: 3 } };
  const { text: whole } = await said(session.chat(MESSAGES, { ...options, reasoning: "text" })), end = whole.indexOf("</think>");
  assert(end > 0, whole);
  const apart = { text: whole.slice(end + 8).trimStart(), reasoning: whole.slice(0, end).trim(), calls: [] };
  assertEquals(await said(session.chat(MESSAGES, options)), apart);
  assertEquals(await said(batcher.chat(MESSAGES, options)), apart);
  assertEquals(await said(session.chat(MESSAGES, { ...options, reasoning: "hidden" })), { ...apart, reasoning: "" });
  await assertRejects(
    () => session.chat(MESSAGES, { reasoning: "loud" as "text" }).next(),
    TypeError,
    'expected "apart", "hidden", "text"',
  );
});

Deno.test("chat reads the calls of tools", async () => {
  using model = await modelOf("");
  using session = model.session(OPTIONS);
  const tools = [{ type: "function", function: { name: "noon" } }, { name: "at" }];
  const call = (name: string) => `"{\\"name\\": \\"${name}\\", \\"arguments\\": {}}"`;
  const options = { maxTokens: 200, seed: 1, grammar: `root ::= "Wait: <tool_call>" (${call("noon")} | ${call("at")}) "</tool_call>"` };
  const { text, calls } = await said(session.chat(MESSAGES, { ...options, tools }));
  assertEquals(text, "Wait:");
  assert(["noon", "at"].some((name) => JSON.stringify(calls) === JSON.stringify([{ name, arguments: "{}" }])), JSON.stringify(calls));
  assertEquals((await said(session.chat(MESSAGES, options))).text.slice(0, 16), "Wait: <tool_call");
});
