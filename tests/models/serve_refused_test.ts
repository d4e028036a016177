/**
 * What the server refuses, and how it says so.
 *
 * @module
 */

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import OpenAI from "openai";
import { handler } from "@ggml/deno/serve";
import { merge } from "../../models/serve/merge.ts";
import { program } from "../process.ts";
import { byteModel, clientOf, CONTEXT, failure, MESSAGES, NAME, served } from "./served.ts";

Deno.test("models, and what isn't there", () =>
  served(async (client, { url }) => {
    const models = await client.models.list();
    assertEquals(models.data.map(({ id }) => id), [NAME]);
    assertEquals((await client.models.retrieve(NAME)).id, NAME);
    const other = await failure(client.models.retrieve("gpt-5"));
    assertEquals([other.status, other.code], [404, "model_not_found"]);
    assertEquals((await fetch(`${url.replace("/v1", "")}/health`).then((response) => response.json())).status, "ok");
    const responses = [
      await fetch(`${url}/nothing`),
      await fetch(`${url}/completions`),
      await fetch(`${url}/models`, { method: "DELETE" }),
      await fetch(`${url}/models/%zz`),
    ];
    for (const response of responses) assertEquals(typeof (await response.json()).error.message, "string");
    assertEquals(responses.map(({ status }) => status), [404, 405, 405, 404]);
    assertEquals(responses[1].headers.get("allow"), "POST");
  }));

Deno.test("what is wrong with a request is said in OpenAI's form", () =>
  served(async (client) => {
    const chat = (fields: object) =>
      failure(client.chat.completions.create({ model: NAME, messages: [...MESSAGES], max_tokens: 4, ...fields }));
    const wrong: readonly (readonly [fields: object, status: number, param: string | null, message: RegExp])[] = [
      [{ model: "gpt-5" }, 404, "model", /there is no model "gpt-5" here, only "bytes"/],
      [{ messages: [] }, 400, "messages", /expected an array of messages that isn't empty/],
      [{ messages: [{ role: "king", content: "" }] }, 400, "messages[0].role", /expected "system", .* got "king"/],
      [{ messages: [{ role: "user", content: [{ type: "image_url" }] }] }, 400, "messages[0].content[0]", /only parts of type "text"/],
      [{ temperature: 3 }, 400, "temperature", /expected a number from 0 to 2, got 3/],
      [{ max_tokens: 0 }, 400, "max_tokens", /expected a number from 1/],
      [{ stop: [""] }, 400, "stop", /none of them empty/],
      [{ logit_bias: { a: 1 } }, 400, "logit_bias", /expected tokens with numbers/],
      [{ logit_bias: { 99999: 1 } }, 400, null, /logitBias: expected tokens from 0/],
      [{ top_logprobs: 3 }, 400, "top_logprobs", /logprobs has to be true/],
      [{ modalities: ["audio"] }, 400, "modalities", /isn't supported by this server, got \["audio"\]/],
      [{ frobnicate: 1 }, 400, "frobnicate", /there is no such field/],
      [{ stream: true, stream_options: { include_usages: true } }, 400, "stream_options.include_usages", /there is no such field/],
      [
        { stream: true, stream_options: { include_usage: "yes" } },
        400,
        "stream_options.include_usage",
        /expected true or false, got "yes"/,
      ],
      [{ response_format: { type: "json_object", schema: {} } }, 400, "response_format.schema", /there is no such field/],
      [{ n: 100 }, 400, "n", /from 1 to 16/],
      [{ tools: [{}] }, 400, "tools[0]", /expected \{ type: "function"/],
      [{ tool_choice: "required" }, 400, "tool_choice", /expected .* one of the tools, got "required"/],
      [{ grammar: "root ::= (" }, 400, null, /grammar can't be used/],
      [{ grammar: 'root ::= "\0"' }, 400, null, /grammar can't be used: 1:11: expected text, got a NUL or half a character/],
      [{ messages: [{ role: "user", content: "a\0" }] }, 400, "messages", /the string has a NUL/],
      [{ messages: [{ role: "user", content: "a".repeat(2 * CONTEXT) }] }, 400, "messages", /longer than the context/],
    ];
    for (const [fields, status, param, message] of wrong) {
      const got = await chat(fields);
      assertEquals([got.status, got.param ?? null], [status, param], `${JSON.stringify(fields).slice(0, 100)}: ${got.message}`);
      assertMatch(got.message, message);
    }
    const right = await client.chat.completions.create({ model: NAME, messages: [...MESSAGES], max_tokens: 4 });
    assertEquals(right.choices.length, 1);
    for (const [input, message] of [["a\0", /has a NUL/], ["\ud800", /has a lone surrogate/]] as const) {
      const got = [await failure(client.completions.create({ model: NAME, prompt: input }))];
      got.push(await failure(client.embeddings.create({ model: NAME, input: ["a", input] })));
      assertEquals(got.map(({ status, param }) => [status, param]), [[400, "prompt"], [400, "input"]]);
      for (const each of got) assertMatch(each.message, message);
    }
    const long = await failure(client.completions.create({ model: NAME, prompt: "a".repeat(2 * CONTEXT) }));
    assertEquals([long.status, long.param, long.code], [400, "prompt", "context_length_exceeded"]);
  }));

Deno.test("a body that is too large is 413, one of another type 415, one that is no JSON 400", () =>
  served(async (_, { url }) => {
    const post = async (body: BodyInit, type = "application/json") => {
      const response = await fetch(`${url}/completions`, { method: "POST", body, headers: { "content-type": type } });
      assertEquals(typeof (await response.json()).error.message, "string");
      return response.status;
    };
    assertEquals(await post("x".repeat(3000)), 413);
    const endless = ReadableStream.from((function* () {
      for (let i = 0; i < 100; i++) yield new Uint8Array(1000);
    })());
    assertEquals(await post(endless), 413);
    assertEquals([await post("{}", "text/plain"), await post("{"), await post("[]")], [415, 400, 400]);
    const latin1 = Uint8Array.from('{"prompt": "caf\xe9"}', (character) => character.charCodeAt(0));
    assertEquals(await post(latin1), 400, "not UTF-8");
  }, { maxBody: 2000 }));

Deno.test("more than the queue holds is 429, and what is inside isn't disturbed", () =>
  served(async (_, __, model) => {
    await using answer = handler(model, { context: CONTEXT, threads: 1, sequences: 1, queue: 2 });
    // Without a network between them, all ask before the first has its answer.
    const fetch = (input: string | URL | Request, init?: RequestInit) => answer(new Request(input, init));
    const client = new OpenAI({ baseURL: "http://localhost/v1", apiKey: "none", maxRetries: 0, fetch });
    const ask = (seed: number) => client.completions.create({ model: NAME, prompt: "the", max_tokens: 100, seed });
    const results = await Promise.allSettled([1, 2, 3, 4, 5, 6].map(ask));
    const busy = results.filter((result) => result.status === "rejected").map(({ reason }) =>
      reason as InstanceType<typeof OpenAI.APIError>
    );
    assertEquals(busy.map(({ status, code }) => [status, code]), Array(3).fill([429, "queue_full"]));
    assertEquals(busy[0].headers?.get("retry-after"), "1");
    const never = await failure(client.completions.create({ model: NAME, prompt: Array(4).fill("the") }));
    assertEquals(
      [never.status, never.code],
      [400, "too_many_answers"],
      "there will never be room for so many, so that nobody should try again",
    );
    for (const [i, result] of results.entries()) {
      if (result.status === "fulfilled") assertEquals(result.value.choices[0].text, (await ask(i + 1)).choices[0].text);
    }
  }));

Deno.test("a client that goes away ends its computation, streamed or not", () =>
  served(async (client, server) => {
    const endless = { model: NAME, prompt: "the", max_tokens: 400, logit_bias: { 2: -100 } } as const;
    const patient = (seed: number) => client.completions.create({ model: NAME, prompt: "a", max_tokens: 3, seed });
    const stream = await client.completions.create({ ...endless, stream: true });
    for await (const _ of stream) break;
    const gone = new AbortController();
    const whole = client.completions.create(endless, { signal: gone.signal });
    setTimeout(() => gone.abort(), 5);
    await assertRejects(() => whole, OpenAI.APIUserAbortError);
    // One sequence and no queue: only whoever comes when the others are gone is let in.
    for (let tries = 0;; tries++) {
      const status = await patient(1).then(() => 200, (error: InstanceType<typeof OpenAI.APIError>) => error.status);
      if (status === 200) break;
      assert(status === 429 && tries < 500, `${status} from ${server.url}`);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }, { sequences: 1, queue: 0 }));

Deno.test("a client that doesn't read its stream ends its computation, too, after a time", async () => {
  await using model = await byteModel();
  await using answer = handler(model, { context: CONTEXT, threads: 1, sequences: 1, queue: 0, sendTimeout: 1 });
  const ask = (body: object) =>
    answer(
      new Request("http://localhost/v1/completions", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ model: NAME, prompt: "the", ...body }),
      }),
    );
  const { body } = await ask({ stream: true, max_tokens: 400, logit_bias: { 2: -100 } });
  const busy = await ask({ max_tokens: 1 });
  assertEquals([busy.status, (await busy.json()).error.code], [429, "queue_full"]);
  const other = setInterval(() => {}, 1000); // what else the program has to do
  await assertRejects(() => body!.getReader().closed, Error, "the client read nothing for 1 s");
  clearInterval(other);
  const next = await ask({ max_tokens: 1 });
  assertEquals([next.status, (await next.json()).choices.length], [200, 1]);
});

Deno.test("a program that doesn't read a stream ends when it has nothing else to do", async () => {
  const url = (path: string) => JSON.stringify(new URL(`../../models/${path}`, import.meta.url));
  const { code, stdout, stderr } = await program(
    `
    import { loadModel } from ${url("mod.ts")};
    import { handler } from ${url("serve/mod.ts")};

    const answer = handler(await loadModel("examples/models/moby.gguf"), { threads: 1, sequences: 1 });
    const body = JSON.stringify({ prompt: "the", max_tokens: 1, stream: true }), headers = { "content-type": "application/json" };
    const response = await answer(new Request("http://localhost/v1/completions", { method: "POST", headers, body }));
    response.body.getReader().closed.catch(({ message }) => console.log(message));
    await answer[Symbol.asyncDispose]();
    console.log(response.status);
    `,
    ["--allow-all"],
  );
  assertEquals([code, stdout, stderr], [0, "200\n", ""]);
});

Deno.test("what fails while the client doesn't ask for more is the answer's end, not the process'", async () => {
  async function* answer() {
    yield 1;
    throw new Error("C failed");
  }
  const answers = merge([answer()]);
  await answers.next();
  await new Promise((resolve) => setTimeout(resolve)); // by which what nobody handles ends the process
  await assertRejects(() => answers.next(), Error, "C failed");
});

Deno.test("a web page whose name leads to this machine is refused", () =>
  served(async (_, { address: { hostname, port } }) => {
    const ask = async (host: string) => {
      using connection = await Deno.connect({ hostname, port });
      await connection.write(new TextEncoder().encode(`GET /v1/models HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`));
      return (await new Response(connection.readable).text()).split("\r\n")[0];
    };
    assertEquals(await ask(`localhost:${port}`), "HTTP/1.1 200 OK");
    assertEquals(await ask("evil.example"), "HTTP/1.1 403 Forbidden");
  }));

Deno.test("a request whose headers make no URL is 400", () =>
  served(async (_, { address }) => {
    for (const host of ["[::1", "a b", "localhost:99999999"]) {
      using conn = await Deno.connect({ hostname: "127.0.0.1", port: address.port });
      await conn.write(new TextEncoder().encode(`GET /health HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`));
      const bytes = new Uint8Array(4096), answer = new TextDecoder().decode(bytes.subarray(0, (await conn.read(bytes))!));
      assertMatch(answer, /^HTTP\/1.1 400 /);
    }
  }));

Deno.test("a key that is wrong is 401", () =>
  served(async (client, server) => {
    for (const wrong of [client, clientOf(server, "secreT"), clientOf(server, "secret2")]) {
      assertEquals((await failure(wrong.models.list())).status, 401);
    }
    assertEquals((await clientOf(server, "secret").models.list()).data.length, 1);
  }, { apiKey: "secret" }));
