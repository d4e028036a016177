/**
 * Chat templates: what they write, and what is said where they can't.
 *
 * @module
 */

import { assertEquals, assertRejects } from "@std/assert";
import { loadModel, renderTemplate } from "@ggml/deno/models";
import { folder } from "./models.ts";
import { deno } from "../process.ts";
import { writeByteLlama } from "./byte_llama.ts";

const CHATML =
  "{{ bos_token }}{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}" +
  "{% if tools %}{{ tools | tojson }}{% endif %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";

const MESSAGES = [{ role: "system", content: "Be short." }, { role: "user", content: "Why?" }];

Deno.test("renderTemplate writes messages, tools, BOS, and the beginning of the answer", async () => {
  const expected = "<s><|im_start|>system\nBe short.<|im_end|>\n<|im_start|>user\nWhy?<|im_end|>\n";
  assertEquals(await renderTemplate(CHATML, { messages: MESSAGES, addGenerationPrompt: false, bosToken: "<s>" }), expected);
  const tools = [{ type: "function", function: { name: "f" } }];
  assertEquals(
    await renderTemplate(CHATML, { messages: MESSAGES, tools, bosToken: "<s>" }),
    `${expected}[{"type": "function", "function": {"name": "f"}}]<|im_start|>assistant\n`,
  );
  const asks = "{% if enable_thinking %}<think>{% endif %}{{ eos_token }}";
  assertEquals(await renderTemplate(asks, { messages: [], variables: { enable_thinking: true }, eosToken: "</s>" }), "<think></s>");
});

const REFUSES = "{% if messages[0].role == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}";

Deno.test("renderTemplate says what is wrong: no template, one that can't be read, one that refuses, messages that are none", async () => {
  const fails = (source: string | null, messages: unknown, message: string) =>
    assertRejects(() => renderTemplate(source, { messages: messages as [] }), Error, message);
  await fails(null, MESSAGES, "renderTemplate: there is no chat template to write the messages by");
  await fails("{% if %}", MESSAGES, "renderTemplate: the template can't be read: ");
  await fails("{{ messages | nothing }}", MESSAGES, "renderTemplate: the template refuses these messages: Unknown");
  await fails(REFUSES, MESSAGES, "renderTemplate: the template refuses these messages: System role not supported");
  await fails(CHATML, "Hello", 'renderTemplate: expected an array of messages, got the string "Hello"');
  await assertRejects(() => renderTemplate(CHATML, { message: [] } as never), TypeError, "renderTemplate: there is no option message");
  await fails(CHATML, [null], "renderTemplate: messages[0]: expected { role, content }, got null");
  await fails(CHATML, [{ content: "Hello" }], "renderTemplate: messages[0].role: expected a text, got undefined");
  await fails(
    CHATML,
    [MESSAGES[0], { role: "user", content: [] }],
    "renderTemplate: messages[1].content: expected a text, got an array of 0",
  );
});

Deno.test("a model's own template: the prompt has BOS once", async () => {
  const path = `${folder}/template.gguf`;
  writeByteLlama(path, { template: CHATML });
  using model = await loadModel(path);
  const prompt = model.applyTemplate([{ role: "user", content: "a" }]);
  assertEquals(prompt, "<s><|im_start|>user\na<|im_end|>\n<|im_start|>assistant\n");
  const tokens = await model.tokenizeChat([{ role: "user", content: "a" }], {});
  assertEquals([tokens[0], tokens.filter((token) => token === 1).length], [1, 1]);
});

Deno.test("who imports models doesn't load what renders templates", async () => {
  const { stdout } = await deno(["info", "--json", new URL("../../models/mod.ts", import.meta.url).href]);
  interface Module {
    specifier: string;
    dependencies?: { isDynamic?: boolean; code?: { specifier?: string } }[];
  }
  const { modules, roots } = JSON.parse(stdout) as { modules: Module[]; roots: string[] };
  const seen = new Set<string>(),
    visit = (specifier: string) => {
      if (seen.has(specifier)) return;
      seen.add(specifier);
      for (const { isDynamic, code } of modules.find((module) => module.specifier === specifier)?.dependencies ?? []) {
        if (!isDynamic && code?.specifier !== undefined) visit(code.specifier);
      }
    };
  visit(roots[0]);
  assertEquals([...seen].filter((specifier) => /jinja/.test(specifier)), []);
  assertEquals([...seen].some((specifier) => specifier.endsWith("/models/template.ts")), true);
});
