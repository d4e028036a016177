/**
 * The server, asked by OpenAI's own client. What it refuses is in `serve_refused_test.ts`.
 *
 * @module
 */

import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { Ajv2020 } from "ajv/dist/2020.js";
import OpenAI from "openai";
import { handler, serve } from "@ggml/deno/serve";
import { loadModel } from "@ggml/deno/models";
import { FIRST_BYTE, VOCAB_SIZE, writeByteLlama } from "./byte_llama.ts";
import { folder, realModel, realPath } from "./models.ts";
import { byteModel, clientOf, CONTEXT, failure, MESSAGES, NAME, served, TEMPLATE } from "./served.ts";
import { load } from "../stress/serve_load.ts";

/** Tools as chat completions have them. */
type Call = OpenAI.ChatCompletionMessageFunctionToolCall;

Deno.test("chat: an answer as a whole, and the same streamed", () =>
  served(async (client, _, model) => {
    const ask = { model: NAME, messages: [...MESSAGES], max_tokens: 40, seed: 7 };
    const answer = await client.chat.completions.create(ask), [choice] = answer.choices;
    assertEquals([answer.object, answer.model, choice.index, choice.message.role], ["chat.completion", NAME, 0, "assistant"]);
    const prompt = (await model.tokenizeChat([...MESSAGES], {})).length, { usage } = answer;
    assertEquals([usage!.prompt_tokens, usage!.total_tokens], [prompt, prompt + usage!.completion_tokens]);
    const three = await client.chat.completions.create({ ...ask, n: 3 });
    assertEquals([three.choices.length, three.usage!.prompt_tokens], [3, prompt], "a prompt counts once");
    assert(choice.finish_reason === "length" ? usage!.completion_tokens === 40 : choice.finish_reason === "stop");
    let text = "", finish: string | null = null, total = 0;
    for await (const chunk of await client.chat.completions.create({ ...ask, stream: true, stream_options: { include_usage: true } })) {
      assertEquals(chunk.object, "chat.completion.chunk");
      text += chunk.choices[0]?.delta.content ?? "";
      finish ??= chunk.choices[0]?.finish_reason ?? null;
      total = chunk.usage?.total_tokens ?? total;
    }
    assertEquals([text, finish, total], [choice.message.content, choice.finish_reason, usage!.total_tokens]);
    using session = model.session({ context: CONTEXT, threads: 1 });
    assertEquals((await session.complete(await model.tokenizeChat([...MESSAGES], {}), { maxTokens: 40, seed: 7 })).text, text);
  }));

Deno.test("completions: texts, tokens, several of them, stop texts, biases", () =>
  served(async (client, _, model) => {
    const ask = { model: NAME, prompt: "the", max_tokens: 30, seed: 3 };
    const { choices: [{ text, finish_reason }], usage } = await client.completions.create(ask);
    assert(text.length > 0 && (finish_reason === "length" || finish_reason === "stop"));
    const tokens = [...model.tokenize("the")];
    assertEquals((await client.completions.create({ ...ask, prompt: tokens })).choices[0].text, text);
    assertEquals(usage!.prompt_tokens, tokens.length);
    const several = await client.completions.create({ ...ask, prompt: ["the", "a"], n: 2 });
    assertEquals(several.choices.map(({ index }) => index), [0, 1, 2, 3]);
    assertEquals(several.choices[0].text, text);
    assert(several.choices[1].text !== text); // whose seed is another
    let streamed = "";
    for await (const chunk of await client.completions.create({ ...ask, stream: true })) streamed += chunk.choices[0].text;
    assertEquals(streamed, text);
    const stop = [...text].slice(5, 7).join("");
    assertEquals((await client.completions.create({ ...ask, stop })).choices[0].text, text.slice(0, text.indexOf(stop)));
    const bias = await client.completions.create({ ...ask, temperature: 0, max_tokens: 3, logit_bias: { "100": 100 } });
    assertEquals(bias.choices[0].text, model.detokenize([100, 100, 100]));
  }));

Deno.test("logprobs: of each token, and of the likeliest", () =>
  served(async (client, _, model) => {
    const ask = { model: NAME, messages: [...MESSAGES], max_tokens: 6, temperature: 0, logprobs: true, top_logprobs: 3 };
    const { choices: [{ message, logprobs }], usage } = await client.chat.completions.create(ask), tokens = logprobs!.content!;
    assertEquals(tokens.length, usage!.completion_tokens);
    assertEquals(new TextDecoder().decode(Uint8Array.from(tokens.flatMap(({ bytes }) => bytes!))), message.content);
    for (const { logprob, top_logprobs } of tokens) {
      assertEquals([top_logprobs.length, top_logprobs[0].logprob], [3, logprob]); // the likeliest was taken
      assert(logprob < 0 && top_logprobs[1].logprob <= logprob);
    }
    const streamed: typeof tokens = [];
    for await (const { choices: [choice] } of await client.chat.completions.create({ ...ask, stream: true })) {
      streamed.push(...choice.logprobs?.content ?? []);
    }
    /** The prompt's beginning was in the cache, and C rounds otherwise where it computes one token alone. */
    const rounded = (some: readonly { logprob: number }[]) => some.map(({ logprob }) => logprob.toFixed(4));
    assertEquals(streamed.map(({ bytes }) => bytes), tokens.map(({ bytes }) => bytes));
    assertEquals(rounded(streamed), rounded(tokens));
    const prompt = [...await model.tokenizeChat([...MESSAGES], {})];
    const { choices: [text] } = await client.completions.create({ model: NAME, prompt, max_tokens: 6, temperature: 0, logprobs: 2 });
    assertEquals(text.logprobs!.token_logprobs!.map((logprob) => logprob.toFixed(4)), rounded(tokens));
    assertEquals(text.logprobs!.text_offset!.at(-1), text.text.length - text.logprobs!.tokens!.at(-1)!.length);
    assertEquals(Object.keys(text.logprobs!.top_logprobs![0]).length, 2);
  }));

Deno.test("response_format: JSON that fits a schema, or any object", () =>
  served(async (client) => {
    const schema = {
      type: "object",
      properties: {
        city: { type: "string", maxLength: 8 },
        size: { type: "integer", minimum: 1, maximum: 99 },
        kind: { enum: ["a", "b"] },
      },
      required: ["city", "size", "kind"],
      additionalProperties: false,
    };
    const validate = new Ajv2020().compile(schema);
    for (let seed = 0; seed < 10; seed++) {
      const { choices: [{ message }] } = await client.chat.completions.create({
        model: NAME,
        messages: [...MESSAGES],
        max_tokens: 400,
        seed,
        logit_bias: Object.fromEntries(Array.from({ length: 128 }, (_, i) => [131 + i, -100])), // halves of characters
        response_format: { type: "json_schema", json_schema: { name: "place", schema, strict: true } },
      });
      assert(validate(JSON.parse(message.content!)), message.content!);
    }
    const ask = { model: NAME, messages: [...MESSAGES], max_tokens: 60, seed: 1 };
    const { choices: [{ message }] } = await client.chat.completions.create({ ...ask, response_format: { type: "json_object" } });
    assertMatch(message.content!, /^\{/);
    const wrong = await failure(client.chat.completions.create({
      ...ask,
      response_format: {
        type: "json_schema",
        json_schema: { name: "x", schema: { properties: { a: { type: "string", not: { const: "x" } } } } },
      },
    }));
    assertEquals([wrong.status, wrong.param], [400, "response_format.json_schema.schema"]);
    assertMatch(wrong.message, /not: can't be made into a grammar: .* \(at #\/properties\/a\)$/);
  }));

const TOOLS: OpenAI.ChatCompletionTool[] = [
  {
    type: "function",
    function: {
      name: "weather",
      parameters: {
        $defs: { city: { enum: ["Bonn", "Rome"] } },
        type: "object",
        properties: { city: { $ref: "#/$defs/city" } },
        required: ["city"],
      },
    },
  },
  { type: "function", function: { name: "noon", parameters: { type: "object", properties: {}, additionalProperties: false } } },
];

Deno.test("tools: a call that has to be made is one, as a whole and streamed; the history of calls reaches the template", () =>
  served(async (client) => {
    const seen = new Set<string>();
    for (let seed = 0; seed < 8; seed++) {
      const ask = { model: NAME, messages: [...MESSAGES], max_tokens: 400, seed, tools: TOOLS, tool_choice: "required" as const };
      const { choices: [{ message, finish_reason }] } = await client.chat.completions.create(ask);
      const call = message.tool_calls![0] as Call;
      assertEquals([message.content, finish_reason, message.tool_calls!.length], [null, "tool_calls", 1]);
      assertMatch(call.id, /^call_\w+$/);
      const given = JSON.parse(call.function.arguments);
      assert(call.function.name === "weather" ? ["Bonn", "Rome"].includes(given.city) : Object.keys(given).length === 0);
      seen.add(call.function.name);
      const runner = client.chat.completions.stream(ask);
      const streamed = (await runner.finalChatCompletion()).choices[0].message
        .tool_calls![0] as Call;
      assertEquals([streamed.function.name, streamed.function.arguments], [call.function.name, call.function.arguments]);
    }
    assertEquals(seen.size, 2);
    const only = await client.chat.completions.create({
      model: NAME,
      messages: [
        ...MESSAGES,
        { role: "assistant", content: null, tool_calls: [{ id: "1", type: "function", function: { name: "noon", arguments: "{}" } }] },
        { role: "tool", tool_call_id: "1", content: [{ type: "text", text: "12:00" }] },
      ],
      max_tokens: 400,
      tools: TOOLS,
      tool_choice: { type: "function", function: { name: "noon" } },
    });
    assertEquals((only.choices[0].message.tool_calls![0] as Call).function.name, "noon");
  }));

Deno.test("tools: a call that the model begins by itself fits its schema, one or several, as a whole and streamed", async () => {
  const path = `${folder}/calls.gguf`;
  writeByteLlama(path, { template: TEMPLATE, more: ["<tool_call>", "\n<tool_call>"] });
  await using model = await loadModel(path);
  await using server = serve(model, { port: 0, context: CONTEXT, threads: 1, name: NAME });
  const client = clientOf(server), logit_bias = { [VOCAB_SIZE]: 7, [VOCAB_SIZE + 1]: 7 };
  const ask = { model: NAME, messages: [...MESSAGES], max_tokens: 400, tools: TOOLS, logit_bias };
  let called = 0, several = 0, before = 0;
  for (let seed = 0; seed < 12; seed++) {
    const { choices: [{ message, finish_reason }] } = await client.chat.completions.create({ ...ask, seed });
    const calls = (message.tool_calls ?? []) as Call[];
    for (const { function: { name, arguments: text } } of calls) {
      const given = JSON.parse(text);
      assert(name === "weather" ? ["Bonn", "Rome"].includes(given.city) : name === "noon" && Object.keys(given).length === 0, text);
    }
    if (finish_reason === "stop") assert(!message.content!.includes("<tool_call>"), message.content!);
    called += Number(calls.length > 0);
    several += Number(calls.length > 1);
    before += Number(calls.length > 0 && message.content !== null);
    const streamed = (await client.chat.completions.stream({ ...ask, seed }).finalChatCompletion()).choices[0].message;
    assertEquals(
      (streamed.tool_calls ?? []).map((call) => (call as Call).function.arguments),
      calls.map((call) => call.function.arguments),
    );
    const one = await client.chat.completions.create({ ...ask, seed, parallel_tool_calls: false });
    assert((one.choices[0].message.tool_calls ?? []).length <= 1);
  }
  assert(called > 6 && several > 0 && before > 0, `${[called, several, before]}`);
  const strange = (strict: boolean): OpenAI.ChatCompletionTool => {
    return { type: "function", function: { name: "noon", strict, parameters: { type: "object", dependentRequired: { a: ["b"] } } } };
  };
  const { choices: [{ message }] } = await client.chat.completions.create({ ...ask, tools: [strange(false)], seed: 1 });
  assert(message.role === "assistant"); // its arguments are any object
  const wrong = await failure(client.chat.completions.create({ ...ask, tools: [strange(true)] }));
  assertEquals([wrong.status, wrong.param], [400, "tools"]);
  assertMatch(wrong.message, /dependentRequired/);
});

Deno.test("tools together with a format: a call, where there has to be one, or an answer in that format", async () => {
  const schema = { type: "object", properties: { a: { enum: [1, 2] } }, required: ["a"], additionalProperties: false };
  const response_format = { type: "json_schema", json_schema: { name: "x", schema } } as const;
  for (const template of [TEMPLATE, TEMPLATE.replace("<tool_call>", "")]) {
    await served(
      async (client) => {
        const ask = { model: NAME, messages: [...MESSAGES], max_tokens: 400, tools: TOOLS, parallel_tool_calls: false, response_format };
        const seen = new Set<string>();
        const required = await client.chat.completions.create({ ...ask, tool_choice: "required", seed: 1 });
        assertEquals([required.choices[0].finish_reason, required.choices[0].message.content], ["tool_calls", null]);
        for (let seed = 0; seed < 20; seed++) {
          const { choices: [{ message: { content, tool_calls = [] }, finish_reason }] } = await client.chat.completions.create({
            ...ask,
            seed,
          });
          if (finish_reason === "tool_calls") assert(tool_calls.length > 0 && content === null);
          if (finish_reason === "stop") assert([1, 2].includes(JSON.parse(content!).a) && tool_calls.length === 0, content!);
          seen.add(finish_reason);
        }
        assert(seen.has("tool_calls") && seen.has("stop"), [...seen].join());
        const none = await client.chat.completions.create({ ...ask, tool_choice: "none" });
        assertEquals(Object.keys(JSON.parse(none.choices[0].message.content!)), ["a"]);
        const named = await client.chat.completions.create(
          { ...ask, response_format: undefined, grammar: 'root ::= "call" | other {1,2}\nother ::= ["a-z] # "' } as never,
        );
        assert(named.choices[0].message.tool_calls !== undefined || /^(call|[a-z"]{1,2})$/.test(named.choices[0].message.content!));
      },
      {},
      template,
    );
  }
});

Deno.test("without tools, an answer that looks like a call is streamed as any other", () =>
  served(async (client) => {
    const logit_bias = { [FIRST_BYTE + "[".charCodeAt(0)]: 100 };
    const stream = await client.chat.completions.create({ model: NAME, messages: [...MESSAGES], max_tokens: 8, logit_bias, stream: true });
    const parts: string[] = [];
    for await (const { choices: [{ delta: { content } }] } of stream) parts.push(content ?? "");
    assertEquals(parts.filter((part) => part !== ""), Array(8).fill("["));
  }));

Deno.test("reasoning: apart, left out, or as text", async () => {
  const thinking = `${TEMPLATE}{% if add_generation_prompt %}<think>\n{% endif %}`, CLOSE = "</think>";
  const ask = { model: NAME, messages: [...MESSAGES], max_tokens: 60, seed: 1, logit_bias: { [VOCAB_SIZE - 1]: 5 } };
  const answers: Record<string, { content: string; reasoning_content?: string }> = {};
  for (const reasoning of ["apart", "none", "text"] as const) {
    await served(
      async (client) => {
        const { choices: [{ message }] } = await client.chat.completions.create(ask);
        answers[reasoning] = message as unknown as { content: string; reasoning_content?: string };
        let content = "", thought = "";
        for await (const { choices: [{ delta }] } of await client.chat.completions.create({ ...ask, stream: true })) {
          content += delta.content ?? "";
          thought += (delta as { reasoning_content?: string }).reasoning_content ?? "";
        }
        assertEquals([content, thought], [message.content, answers[reasoning].reasoning_content ?? ""]);
      },
      { reasoning },
      thinking,
    );
  }
  const said = answers.text.content, end = said.indexOf(CLOSE);
  assert(end > 0 && end + CLOSE.length < said.length, said);
  assertEquals(answers.apart.reasoning_content, said.slice(0, end).trim());
  assertEquals(answers.apart.content, said.slice(end + CLOSE.length).trimStart());
  assertEquals(answers.none.content, answers.apart.content);
  assertEquals([answers.none.reasoning_content, answers.text.reasoning_content], [undefined, undefined]);
});

Deno.test("embeddings: floats, and base64, which the client asks for by itself", () =>
  served(async (client, _, model) => {
    const { data, usage } = await client.embeddings.create({ model: NAME, input: ["the", "in"], encoding_format: "float" });
    using embedder = model.embedder({ threads: 1, context: CONTEXT });
    const expected = await embedder.embed(["the", "in"]);
    assertEquals(data.map(({ embedding }) => Float32Array.from(embedding)), expected);
    assertEquals(usage.prompt_tokens, model.tokenize("the").length + model.tokenize("in").length);
    const encoded = await client.embeddings.create({ model: NAME, input: "the" });
    assertEquals(Float32Array.from(encoded.data[0].embedding), expected[0]);
  }));

Deno.test("handler answers without a port; only this machine is listened to; what is freed is 503", async () => {
  const model = await byteModel();
  const answer = handler(model, { context: CONTEXT, threads: 1, name: "mine" });
  const ask = () =>
    answer(
      new Request("http://here/v1/completions", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ model: "mine", prompt: "the", max_tokens: 2 }),
      }),
    );
  assertEquals([(await ask()).status, (await answer(new Request("http://here/v1/models"))).status], [200, 200]);
  {
    await using server = serve(model, { port: 0, context: CONTEXT, threads: 1 });
    assertEquals(server.address.hostname, "127.0.0.1");
    const { port } = server.address;
    assertThrows(() => serve(model, { port, context: CONTEXT }), Deno.errors.AddrInUse, `serve: 127.0.0.1:${port}: Address already in use`);
    await server.shutdown();
    await server.shutdown(); // twice is harmless, and so is the end of the block
  }
  const health = async () => (await answer(new Request("http://here/health"))).status;
  assertEquals([(await ask()).status, await health()], [200, 200]); // the server's end isn't the model's
  await model[Symbol.asyncDispose]();
  assertEquals([(await ask()).status, await health()], [503, 503]);
  await answer[Symbol.asyncDispose]();
});

Deno.test("what is no model, and options that there aren't, are errors before anything listens", async () => {
  for (const wrong of [null, 7, {}, "model.gguf"]) {
    assertThrows(() => serve(wrong as never), TypeError, "handler: expected a Model, as loadModel gives it, got ");
  }
  using model = await loadModel("examples/models/moby.gguf");
  assertThrows(() => serve(model, null as never), TypeError, "serve: expected { hostname, port, onListen, … }, got null");
  assertThrows(() => handler(model, { sequence: 2 } as never), TypeError, "handler: there is no option sequence");
  assertThrows(() => serve(model, { host: "0.0.0.0" } as never), TypeError, "serve: there is no option host; there are hostname, port, ");
  const wrong: [options: object, message: string][] = [
    [{ apiKey: 5 }, "handler: apiKey: expected a text that isn't empty, got the number 5"],
    [{ apiKey: "" }, 'handler: apiKey: expected a text that isn\'t empty, got the string ""'],
    [{ name: 5 }, "handler: name: expected a text that isn't empty, got the number 5"],
    [{ reasoning: "x" }, 'handler: reasoning: expected "apart", "none", "text", got the string "x"'],
    [{ deterministic: "x" }, 'deterministic: expected true or false, got the string "x"'],
    [{ port: "x" }, 'serve: port: expected a number, got the string "x"'],
    [{ port: 65536 }, "serve: port: expected a whole number from 0 to 65535, got 65536"],
    [{ hostname: 5 }, "serve: hostname: expected a text that isn't empty, got the number 5"],
    [{ onListen: 5 }, "serve: onListen must be a function, got the number 5"],
  ];
  for (const [options, message] of wrong) assertThrows(() => serve(model, options), Error, message);
  const names = "name context sequences queue batch threads deterministic maxBody sendTimeout apiKey reasoning";
  for (const option of names.split(" ")) { // null isn't what is meant by leaving them out
    assertThrows(() => handler(model, { [option]: null } as never), TypeError, `${option}: expected `);
  }
  assertThrows(
    () => handler(model, { sendTimeout: 0 }),
    RangeError,
    "handler: sendTimeout: expected a whole number from 1 to 86400, got 0",
  );
  assertThrows(() => handler(model, { queue: -1 }), RangeError, "handler: queue: expected a whole number of at least 0, got -1");
});

Deno.test("a server, or a model, that ends while it answers: the client hears of it, and the process goes on", async () => {
  const endless = { model: NAME, prompt: "the", max_tokens: 450, logit_bias: { 2: -100 } } as const;
  for (const ends of ["server", "model"] as const) {
    const model = await byteModel(),
      server = serve(model, { port: 0, context: CONTEXT, threads: 1, sequences: 2 }),
      client = clientOf(server);
    const stream = await client.completions.create({ ...endless, stream: true }), whole = client.completions.create(endless);
    const wholeFails = assertRejects(() => whole, OpenAI.APIError);
    const readAll = async () => {
      let pieces = 0;
      for await (const _ of stream) if (++pieces === 3) void (ends === "server" ? server : model)[Symbol.asyncDispose]();
    };
    await assertRejects(readAll, Error);
    await wholeFails;
    await server[Symbol.asyncDispose]();
    if (ends === "server") {
      using session = model.session({ context: CONTEXT, threads: 1 });
      assertEquals((await session.complete("the", { maxTokens: 3, temperature: 0 })).promptTokens > 0, true);
    }
    await model[Symbol.asyncDispose]();
  }
});

Deno.test("the command serves until it is told to end, and says what is wrong with its arguments or the model", async () => {
  const path = `${folder}/command.gguf`, script = decodeURIComponent(new URL("../../models/serve/mod.ts", import.meta.url).pathname);
  writeByteLlama(path, { template: TEMPLATE });
  const run = (...args: string[]) =>
    new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", "--allow-ffi", "--allow-read", "--allow-net", script, ...args],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  const child = run(path, "--port", "0", "--context", "128", "--threads", "1", "--name", "mine"), decoder = new TextDecoderStream();
  const lines = child.stderr.pipeThrough(decoder as unknown as TransformStream<Uint8Array, string>).getReader();
  let said = "", address: RegExpExecArray | null = null;
  while (address === null) {
    const { value, done } = await lines.read();
    assert(!done, said);
    address = /served at (\S+)\n/.exec(said += value);
  }
  const [, baseURL] = address;
  const client = new OpenAI({ baseURL, apiKey: "none", maxRetries: 0 });
  assertEquals((await client.completions.create({ model: "mine", prompt: "a", max_tokens: 2 })).model, "mine");
  child.kill("SIGTERM");
  await lines.cancel();
  await child.stdout.cancel();
  assertEquals((await child.status).code, 0);
  const { code, stdout, stderr } = await run("--help").output();
  assertEquals([code, stderr.length], [0, 0]);
  const help = new TextDecoder().decode(stdout);
  assertMatch(help, /^usage: serve MODEL/);
  const options = "host port api-key name context sequences queue batch threads gpu-layers max-body send-timeout reasoning deterministic"
    .split(" ");
  assertEquals(Array.from(help.matchAll(/^ {2}--(\S+) /gm), ([, name]) => name), options);
  const wrong: readonly (readonly [args: string[], code: number, message: RegExp])[] = [
    [[], 2, /^expected one model, got 0\nusage: serve MODEL/],
    [[path, "--port", "x"], 2, /^--port: expected a whole number, got "x"/],
    [[path, "--frobnicate"], 2, /--frobnicate/],
    [[`${folder}/nothing.gguf`], 1, /^loadModel: .*nothing\.gguf/],
  ];
  for (const [args, code, message] of wrong) {
    const ended = await run(...args).output();
    assertEquals(ended.code, code);
    assertMatch(new TextDecoder().decode(ended.stderr), message);
  }
});

Deno.test("completions: echo gives the prompt before the answer, streamed and as a whole, of texts and of tokens", () =>
  served(async (client, _, model) => {
    const ask = { model: NAME, prompt: ["the ring ", "a"], max_tokens: 6, seed: 3 };
    const texts = ({ choices }: OpenAI.Completion) => choices.map(({ text }) => text);
    const alone = texts(await client.completions.create(ask)), expected = alone.map((text, i) => ask.prompt[i] + text);
    assertEquals(texts(await client.completions.create({ ...ask, echo: true })), expected);
    const prompt = ask.prompt.map((text) => [...model.tokenize(text)]);
    assertEquals(texts(await client.completions.create({ ...ask, prompt, echo: true })), expected);
    const streamed = ["", ""];
    for await (const { choices } of await client.completions.create({ ...ask, echo: true, stream: true })) {
      for (const { index, text } of choices) streamed[index] += text;
    }
    assertEquals(streamed, expected);
    const { status, message, param } = await failure(client.completions.create({ ...ask, echo: true, logprobs: 1 }));
    assertEquals([status, param], [400, "echo"]);
    assertMatch(message, /echo: isn't supported together with logprobs/);
  }));

Deno.test("completions: a suffix is filled in before by a model that has tokens for that, and an error of any other", async () => {
  const path = `${folder}/infill.gguf`, fim = [FIRST_BYTE + 17, FIRST_BYTE + 18, FIRST_BYTE + 19] as const;
  writeByteLlama(path, { fim });
  await using model = await loadModel(path);
  await using server = serve(model, { port: 0, context: CONTEXT, threads: 1, sequences: 1 });
  const client = clientOf(server), ask = { model: "infill", max_tokens: 12, seed: 5 }, [pre, suf, mid] = fim;
  const tokensOf = (text: string) => [...model.tokenize(text, { special: false })];
  const prompt = [...model.tokenize(""), pre, ...tokensOf("the in"), suf, ...tokensOf("ring"), mid];
  const expected = (await client.completions.create({ ...ask, prompt })).choices[0].text;
  assertEquals((await client.completions.create({ ...ask, prompt: "the in", suffix: "ring" })).choices[0].text, expected);
  assertEquals(
    (await client.completions.create({ ...ask, prompt: "the in", suffix: "ring", echo: true })).choices[0].text,
    `the in${expected}`,
  );
  const tokens = await failure(client.completions.create({ ...ask, prompt, suffix: "ring" }));
  assertEquals([tokens.status, tokens.param], [400, "prompt"]);
  await served(async (client) => {
    const { status, message, param } = await failure(client.completions.create({ model: NAME, prompt: "a", suffix: "b" }));
    assertEquals([status, param], [400, "suffix"]);
    assertMatch(message, /wasn't trained to fill in/);
  });
});

for (const deterministic of [false, true]) {
  const how = deterministic ? "what the same seed gives alone, to the last bit" : "what the same seed gives alone, or in company";
  Deno.test(`60 requests, 16 at once, a third cancelled: each answer is ${how}`, async () => {
    await using model = await byteModel();
    const { answered, cancelled, rounded } = await load(model, { requests: 60, atOnce: 16, sequences: 6, context: CONTEXT, deterministic });
    assertEquals(answered + cancelled, 60);
    const most = deterministic ? 0 : 3;
    assert(
      cancelled >= 10 && answered >= 30 && rounded <= most,
      `${answered} answered, ${cancelled} cancelled, ${rounded} by other kernels`,
    );
  });
}

Deno.test({
  name: "a real model answers a chat",
  ignore: realPath === null,
  fn: async () => {
    await using server = serve(await realModel(), { port: 0, context: 256, threads: 1, sequences: 2 });
    const { data: [{ id }] } = await clientOf(server).models.list();
    const { choices: [{ message }] } = await clientOf(server).chat.completions.create({
      model: id,
      messages: [{ role: "user", content: "What is the capital of France? One word." }],
      max_tokens: 12,
      temperature: 0,
    });
    assertMatch(message.content!, /Paris/);
  },
});
