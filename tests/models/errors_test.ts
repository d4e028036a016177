/**
 * What goes wrong with a language model says what and why, and leaves the process and the model usable.
 *
 * @module
 */

import process from "node:process";
import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { lib } from "@ggml/deno";
import { loadModel, type Model, ReasoningSplitter, renderTemplate, ToolCallReader } from "@ggml/deno/models";
import { init, onLog } from "@ggml/deno/utils";
import { program } from "../process.ts";
import { folder, GREEDY, read, realModel, realPath, tinyModel, tinyPath } from "./models.ts";
import { quietly } from "../failing.ts";

const good = Deno.readFileSync(tinyPath());

/** What this process has taken of the processors, in microseconds: the same however busy others keep these. */
function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** The message of a rejection. */
async function rejection(action: () => Promise<unknown>): Promise<string> {
  return (await assertRejects(action, Error)).message;
}

/** A session of a tiny model. */
function sessionOf(model: Model, overflow: "error" | "stop" | "drop" = "error") {
  return model.session({ context: 32, threads: 1, overflow });
}

let right: string | null = null;

/** Generates with a model, as ever. */
async function assertGenerates(model: Model): Promise<void> {
  using session = sessionOf(model);
  const { text } = await session.complete("the thing", { ...GREEDY, maxTokens: 10 });
  right ??= text;
  assertEquals(text, right);
}

/** The bytes of the model's file with a text replaced by one as long. */
function replaced(from: string, to: string): Uint8Array {
  const bytes = good.slice(), [find, put] = [from, to].map((text) => new TextEncoder().encode(text));
  const at = bytes.findIndex((_, i) => find.every((byte, j) => bytes[i + j] === byte));
  bytes.set(put, at);
  return bytes;
}

/** A file that C takes long to read: an array of empty texts, and then nothing where a second value was promised. */
function longHead(texts: number): Uint8Array {
  const head = Uint8Array.of(
    ...new TextEncoder().encode("GGUF"),
    3,
    0,
    0,
    0,
    ...word(0),
    ...word(2),
    ...word(1),
    107,
    9,
    0,
    0,
    0,
    8,
    0,
    0,
    0,
  );
  const bytes = new Uint8Array(head.length + 8 + 8 * texts);
  bytes.set(head);
  bytes.set(word(texts), head.length);
  return bytes;
}

function word(value: number): Uint8Array {
  return new Uint8Array(BigUint64Array.of(BigInt(value)).buffer);
}

Deno.test("files that are no models: the error says which and why, whether somebody listens to the log or not", async () => {
  const cases: [string, Uint8Array, RegExp][] = [
    [
      "text",
      new TextEncoder().encode("no model at all, but a text that is long enough"),
      /invalid magic characters: 'no m', expected 'GGUF'/,
    ],
    ["empty", new Uint8Array(), /expected a GGUF file, which begins with "GGUF", got one that is empty, or a folder$/],
    ["cut", good.subarray(0, good.length - 1000), /not within the file bounds, model is corrupted or incomplete/],
    ["head", good.subarray(0, 100), /failed to read key-value pairs/],
    [
      "architecture",
      replaced("architecture\x08\0\0\0\x05\0\0\0\0\0\0\0llama", "architecture\x08\0\0\0\x05\0\0\0\0\0\0\0lluma"),
      /unknown model architecture: 'lluma'/,
    ],
  ];
  for (const listening of [false, true]) {
    const lines: string[] = [];
    using _ = listening ? onLog((_, text) => void lines.push(text)) : null;
    for (const [name, bytes, reason] of cases) {
      const path = `${folder}/${name}.gguf`;
      Deno.writeFileSync(path, bytes);
      const message = await rejection(() => loadModel(path));
      assertMatch(message, reason);
      assertStringIncludes(message, `loadModel: ${path}: `);
      assert(!/error loading model|failed to load model/.test(message), `that is what an error of loadModel means: ${message}`);
    }
    assertMatch(await rejection(() => loadModel(`${folder}/missing.gguf`)), /missing\.gguf: failed to open GGUF file/);
    assertMatch(await rejection(() => loadModel(folder)), /^TypeError: loadModel: .*: is not a file$|^loadModel: .*: is not a file$/);
    if (Deno.build.os !== "windows") {
      const pipe = `${folder}/pipe.gguf`; // at which C would wait for ever
      await new Deno.Command("mkfifo", { args: [pipe] }).output();
      assertMatch(await rejection(() => loadModel(pipe)), /pipe\.gguf: is not a file$/);
    }
    assertEquals(lines.length > 0, listening, "who listens hears it, too");
  }
});

Deno.test("of several files that are loaded at once each error says what is of its file", async () => {
  const wrong: [string, Uint8Array, string][] = [
    ["text", new TextEncoder().encode("no model"), "invalid magic characters: 'no m', expected 'GGUF'"],
    ["long", longHead(100_000), "failed to read key-value pairs"],
    ["other", replaced("architecture\x08\0\0\0\x05\0\0\0\0\0\0\0llama", "architecture\x08\0\0\0\x05\0\0\0\0\0\0\0lluma"), ""],
  ];
  for (const [name, bytes] of wrong) Deno.writeFileSync(`${folder}/beside_${name}.gguf`, bytes);
  const paths = [...wrong, ["missing"]].map(([name]) => `${folder}/beside_${name}.gguf`);
  const messages = await Promise.all([...paths, ...paths].map((path) => rejection(() => loadModel(path))));
  const expected = [
    `loadModel: ${paths[0]}: invalid magic characters: 'no m', expected 'GGUF'`,
    `loadModel: ${paths[1]}: failed to read key-value pairs`,
    `loadModel: ${paths[2]}: unknown model architecture: 'lluma'`,
    `loadModel: ${paths[3]}: failed to open GGUF file '${paths[3]}' (No such file or directory)`,
  ];
  assertEquals(messages, [...expected, ...expected]);
});

Deno.test("a file that is no model is read once, whatever others are loaded beside it", async () => {
  const paths = Array.from({ length: 6 }, (_, i) => `${folder}/once_${i}.gguf`), lines: string[] = [];
  for (const path of paths) Deno.writeTextFileSync(path, "no model");
  using _ = onLog((_, text) => void lines.push(text));
  await Promise.all(paths.map((path) => rejection(() => loadModel(path))));
  assertEquals(lines.filter((line) => line.includes("invalid magic characters")).length, paths.length);
});

quietly("each error says what its own call had C log, not what others did at the time", async () => {
  const path = `${folder}/beside_others.gguf`;
  Deno.writeFileSync(path, longHead(500_000));
  using model = await loadModel("examples/models/moby.gguf");
  using session = model.session({ context: 32, threads: 1 });
  const loading = rejection(() => loadModel(path));
  await new Promise((resolve) => setTimeout(resolve)); // C is at it
  const { message } = assertThrows(() => model.session({ context: 2 ** 24 }), Error);
  lib.gguf_init_from_file("no such file", new lib.gguf_init_params());
  const grammar = await rejection(() => session.complete("a", { grammar: "root ::= root" }));
  const other = await lib.async.llama_model_load_from_file("no such model", lib.llama_model_default_params());
  assertEquals(await loading, `loadModel: ${path}: failed to read key-value pairs`);
  assertMatch(message, /^Model\.session: C couldn't make a context of 16777216 tokens: .*kv cache$/);
  assertMatch(grammar, /^Session\.complete: the grammar can't be used: unsupported grammar, [^;]*$/);
  assertEquals(other, null);
  for (const text of [message, grammar]) assert(!/key-value|load/.test(text), text);
});

Deno.test("Workers that load what is no model at the same time as this thread are told why, each of its own", async () => {
  const models = JSON.stringify(new URL("../../models/mod.ts", import.meta.url));
  const load = (name: string) => `
    import { loadModel } from ${models};
    const path = ${JSON.stringify(`${folder}/${name}.gguf`)};
    const load = () => loadModel(path).catch(({ message }) => message.replace(/^.*?[.]gguf: /, ""));
    const messages = new Set();
    const loadAll = async () => {
      for (let i = 0; i < 20; i++) for (const each of await Promise.all([load(), load()])) messages.add(each);
      return [...messages].join("; ");
    };`;
  Deno.writeTextFileSync(`${folder}/worker.gguf`, "worker");
  Deno.writeFileSync(`${folder}/here.gguf`, longHead(1000));
  const { code, stdout, stderr } = await program(
    `${load("here")}
    const text = ${JSON.stringify(`${load("worker")} postMessage(await loadAll());`)};
    const worker = new Worker("data:text/javascript," + encodeURIComponent(text), { type: "module" });
    const answer = new Promise((resolve) => worker.onmessage = ({ data }) => resolve(data));
    console.log(await loadAll());
    console.log(await answer);
    worker.terminate();`,
    ["--allow-all"],
  );
  assertEquals(stdout, "failed to read key-value pairs\ninvalid magic characters: 'work', expected 'GGUF'\n");
  assertEquals([code, stderr], [0, ""]);
});

Deno.test("what an error says isn't printed, too, though something else listens for its own at the time", async () => {
  const { code, stdout, stderr } = await program(
    `
    import { loadModel } from ${JSON.stringify(new URL("../../models/mod.ts", import.meta.url))};

    const path = "examples/models/moby.gguf";
    using model = await loadModel(path);
    using session = model.session({ context: 32, threads: 1 });
    const loading = loadModel(path);
    await session.complete("a", { grammar: "root ::= root" }).catch(({ message }) => console.log(message));
    model.embedder({ context: 16 })[Symbol.dispose]();
    (await loading)[Symbol.dispose]();
    `,
    ["--allow-all"],
  );
  assertMatch(stdout, /left recursion detected/);
  assertEquals([code, stderr], [0, ""]);
});

Deno.test("a program's own logger goes on having what C logs, and errors say where their reason may be", async () => {
  const { code, stdout, stderr } = await program(
    `
    import { lib } from "@ggml/deno";
    import { loadModel } from ${JSON.stringify(new URL("../../models/mod.ts", import.meta.url))};

    using model = await loadModel("examples/models/moby.gguf");
    using session = model.session({ context: 32, threads: 1 });
    let log = "";
    const logger = new lib.ggml_log_callback((_, text) => void (log += text));
    for (const set of [lib.ggml_log_set, lib.llama_log_set]) set(logger, null);
    await loadModel("deno.json").catch(({ message }) => console.log(message));
    await session.complete("a", { grammar: "root ::= root" }).catch(({ message }) => console.log(message));
    console.log(log.match(/invalid magic characters|left recursion/g).join());
    `,
    ["--allow-all"],
  );
  const expected = [
    "loadModel: deno.json: C couldn't load it, and C's log may say why",
    "Session.complete: the grammar can't be used: C's log may say why",
    "invalid magic characters,left recursion",
  ];
  assertEquals([code, stdout.trim().split("\n"), stderr], [0, expected, ""]);
});

Deno.test("a listener that ends meanwhile takes nothing from an error, and has nothing printed", async () => {
  const { code, stdout, stderr } = await program(
    `
    import { loadModel } from ${JSON.stringify(new URL("../../models/mod.ts", import.meta.url))};
    import { onLog } from ${JSON.stringify(new URL("../../utils/mod.ts", import.meta.url))};

    const listeners = [onLog(() => {})];
    const model = await loadModel("examples/models/moby.gguf"), session = model.session({ threads: 1 });
    const answer = session.complete("a".repeat(250)).catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 5)); // a part of what C takes for that
    const loading = Array.from({ length: 9 }, () => loadModel("deno.json").catch(({ message }) => console.log(message)));
    session[Symbol.dispose](); // which stops C in the middle
    for (const ending of [null, () => {}]) listeners.push(onLog(ending));
    for (const listener of listeners) listener[Symbol.dispose]();
    await Promise.all([answer, ...loading]);
    model[Symbol.dispose]();
    `,
    ["--allow-all"],
  );
  assertEquals(stdout.match(/deno\.json: invalid magic characters/g)?.length, 9);
  assertEquals([code, stderr], [0, ""]);
});

quietly("what C logs where it was stopped is no part of another's error", async () => {
  const path = `${folder}/long.gguf`;
  Deno.writeFileSync(path, longHead(500_000));
  using model = await loadModel("examples/models/moby.gguf");
  const session = model.session({ threads: 1 }), loading = rejection(() => loadModel(path));
  const answer = session.complete("a".repeat(250)).catch(() => {});
  await new Promise((resolve) => setTimeout(resolve, 5)); // a part of what C takes for that
  session[Symbol.dispose]();
  await answer;
  assertMatch(await loading, /^loadModel: .*long\.gguf: failed to read key-value pairs$/);
});

quietly("what a graph's threads fail of beside a session is no failure of the session's", async () => {
  using model = await loadModel("examples/models/moby.gguf");
  for (const threads of [1, 2]) {
    using session = model.session({ threads });
    const answer = session.complete("a".repeat(100), { maxTokens: 30, ...GREEDY });
    let ended = false;
    const answered = answer.finally(() => ended = true);
    for (let i = 0; i < 30 && !ended; i++) {
      await new Promise((resolve) => setTimeout(resolve)); // C is at the session's next token
      using ctx = init({ memSize: 4 << 20 });
      const matrix = lib.ggml_set_f32(lib.ggml_new_tensor_2d(ctx, lib.GGML_TYPE_F32, 128, 128), 1), graph = lib.ggml_new_graph(ctx);
      lib.ggml_build_forward_expand(graph, lib.ggml_mul_mat(ctx, matrix, matrix)); // the threads come together there
      lib.ggml_build_forward_expand(graph, lib.ggml_sqr(ctx, lib.ggml_set_i32(lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_I32, 4096), 1)));
      assertThrows(() => lib.ggml_graph_compute_with_ctx(ctx, graph, 4), Error, "node 1 (SQR");
      assertMatch(await rejection(() => lib.async.ggml_graph_compute_with_ctx(ctx, graph, 4)), /node 1 \(SQR/);
    }
    assertEquals((await answered).tokens, 30);
  }
});

quietly("wrong arguments of loadModel are errors before anything is loaded", async () => {
  const path = tinyPath();
  assertMatch(await rejection(() => loadModel("")), /^loadModel: expected a path, got the string ""$/);
  assertMatch(await rejection(() => loadModel(1 as never)), /^loadModel: expected a path, got the number 1$/);
  assertMatch(
    await rejection(() => loadModel(path, { gpuLayer: 1 } as never)),
    /^loadModel: there is no option gpuLayer; there are gpuLayers, /,
  );
  assertMatch(
    await rejection(() => loadModel(path, { gpuLayers: -1 })),
    /^loadModel: gpuLayers: expected a whole number of at least 0, got -1$/,
  );
  assertMatch(await rejection(() => loadModel(path, { repack: 1 as never })), /^loadModel: repack must be a boolean, got the number 1$/);
  assertMatch(
    await rejection(() => loadModel(path, { devices: ["CPU"] as never })),
    /^loadModel: devices must be some that devices\(\) lists/,
  );
  assertMatch(
    await rejection(() => loadModel(path, { signal: {} as never })),
    /^loadModel: signal must be an AbortSignal, got a plain object$/,
  );
});

quietly("loading is cancelled by a signal or by what onProgress throws", async () => {
  const path = realPath ?? tinyPath();
  assertEquals(await rejection(() => loadModel(path, { signal: AbortSignal.abort(new Error("before")) })), "before");
  const controller = new AbortController(), seen: number[] = [];
  const onProgress = (part: number) => {
    seen.push(part);
    controller.abort(new Error("meanwhile"));
  };
  assertEquals(await rejection(() => loadModel(path, { signal: controller.signal, onProgress })), "meanwhile");
  assert(seen.length >= 1 && seen.every((part) => part >= 0 && part <= 1));
  const fail = () => {
    throw new Error("by the listener");
  };
  assertEquals(await rejection(() => loadModel(path, { onProgress: fail })), "by the listener");
  using model = await loadModel(tinyPath());
  await assertGenerates(model);
});

quietly("of a vocabulary alone nothing is computed", async () => {
  using model = await loadModel(tinyPath(), { vocabOnly: true });
  assertEquals(model.detokenize(model.tokenize("the thing")), " the thing");
  assertThrows(() => model.session(), Error, "Model.session: of this model only the vocabulary was loaded (vocabOnly)");
  assertThrows(() => model.detokenize([64]), RangeError, "detokenize: expected tokens from 0 to 63, got the number 64 at index 0");
  assertThrows(() => model.detokenize([-1]), RangeError, "got the number -1 at index 0");
});

quietly("a chat without a template is an error, and so is a model without a vocabulary", async () => {
  using model = await tinyModel();
  assertThrows(() => model.applyTemplate([]), Error, "applyTemplate: this model (llama");
  using session = sessionOf(model);
  assertMatch(
    await rejection(() => session.chat([{ role: "user", content: "a" }]).next()),
    /^Session\.chat: .* has no chat template: write the messages into one text,/,
  );
  await assertGenerates(model);
  using wordless = await loadModel(tinyPath("no_vocab"));
  assertThrows(() => wordless.tokenize("a"), Error, "tokenize: this model has no vocabulary");
});

quietly("an error begins with the name of what was called, and names no function of C's", async () => {
  using model = await tinyModel();
  using session = sessionOf(model);
  using embedder = model.embedder({ context: 32, threads: 1 });
  const nul = "a\0b", messages = [{ role: "user", content: "a" }];
  const wrong: [() => unknown, string][] = [
    [() => model.tokenize(nul), "tokenize: the string has a NUL at index 1, where C would cut it off"],
    [() => model.tokenize("a", { special: 1 as never }), "tokenize: special: expected true or false, got the number 1"],
    [() => model.detokenize([1], { special: null as never }), "detokenize: special: expected true or false, got null"],
    [() => model.tokenize("\ud800"), "tokenize: the string has a lone surrogate, U+D800, which UTF-8 can't hold"],
    [() => session.generate(nul).next(), "Session.generate: the string has a NUL at index 1, where C would cut it off"],
    [() => session.complete(nul), "Session.complete: the string has a NUL at index 1, where C would cut it off"],
    [() => embedder.embed(["a", nul]), "Embedder.embed: the string has a NUL at index 1, where C would cut it off"],
    [() => loadModel(nul), 'loadModel: expected a path, got the string "a\\u0000b"'],
    [
      () => renderTemplate("{{ messages }}", null as never),
      "renderTemplate: expected { messages, tools, addGenerationPrompt, bosToken, eosToken, variables }, got null",
    ],
    [() => renderTemplate("{% if %}", { messages }), "renderTemplate: the template can't be read: "],
    [() => new ReasoningSplitter(null as never), "new ReasoningSplitter: expected { open, close, inside }, got null"],
    [() => new ReasoningSplitter({ open: 1 as never }), "new ReasoningSplitter: open: expected a text that isn't empty, got the number 1"],
    [() => new ToolCallReader(5 as never), "ToolCallReader: expected the names of tools, got the number 5"],
  ];
  for (const [call, message] of wrong) assertEquals((await rejection(async () => await call())).slice(0, message.length), message);
  await assertGenerates(model);
});

quietly("wrong options of a generation are errors, and the session goes on", async () => {
  using model = await tinyModel();
  using session = sessionOf(model);
  const cyclic: { properties: Record<string, unknown> } = { properties: {} };
  cyclic.properties.a = cyclic;
  const cases: [object, RegExp][] = [
    [{ temperatur: 1 }, /^Session\.complete: there is no option temperatur; there are temperature, topK/],
    [{ temperature: -1 }, /^Session\.complete: temperature: expected a number of at least 0, got -1$/],
    [{ temperature: "hot" }, /^Session\.complete: temperature: expected a number, got the string "hot"$/],
    [{ topK: 1.5 }, /^Session\.complete: topK: expected a whole number from 0 to 2147483647, got 1\.5$/],
    [{ topP: 2 }, /^Session\.complete: topP: expected a number from 0 to 1, got 2$/],
    [{ minP: NaN }, /^Session\.complete: minP: expected a number from 0 to 1, got NaN$/],
    [{ seed: -1 }, /^Session\.complete: seed: expected a whole number from 0 to 4294967295, got -1$/],
    [{ maxTokens: 0 }, /^Session\.complete: maxTokens: expected a whole number of at least 1, got 0$/],
    [{ stop: "" }, /^Session\.complete: stop must be a text or an array of texts, none of them empty, got the string ""$/],
    [{ stop: [1] }, /^Session\.complete: stop must be/],
    [{ signal: 1 }, /^Session\.complete: signal must be an AbortSignal, got the number 1$/],
    [{ penalties: { repeats: 1 } }, /^Session\.complete: penalties: there is no option repeats; there are last, repeat, /],
    [{ penalties: { repeat: 0 } }, /^Session\.complete: penalties\.repeat: expected more than 0, by which logits are divided, got 0$/],
    [{ penalties: { frequency: NaN } }, /^Session\.complete: penalties\.frequency: expected a finite number, got NaN$/],
    [{ logitBias: { "": 1 } }, /^Session\.complete: logitBias: expected tokens from 0 to 63, got the string "" at index 0$/],
    [{ penalties: { last: -2 } }, /^Session\.complete: penalties\.last: expected a whole number from -1 to 16777216, got -2$/],
    [{ logitBias: { 64: 1 } }, /^Session\.complete: logitBias: expected tokens from 0 to 63, got the number 64 at index 0$/],
    [{ logitBias: { 1: "x" } }, /^Session\.complete: logitBias\[1\]: expected a number, got the string "x"$/],
    [{ logitBias: Object.fromEntries(Array.from({ length: 64 }, (_, i) => [i, -Infinity])) }, /logitBias: it forbids all 64 tokens$/],
    [{ schema: cyclic }, /^the schema holds itself as an object of JavaScript: write that as a \$ref \(at #\/properties\/a\)$/],
    [{ grammar: 1 }, /^Session\.complete: grammar must be a text in GBNF, got the number 1$/],
  ];
  for (const [options, message] of cases) assertMatch(await rejection(() => session.complete("a", options)), message);
  assertMatch(await rejection(() => session.complete([])), /^Session\.complete: the prompt has no tokens$/);
  assertMatch(await rejection(() => session.complete([64])), /^Session\.complete: the prompt: expected tokens from 0 to 63, got/);
  assertMatch(
    await rejection(() => session.complete(5 as never)),
    /^Session\.complete: the prompt: expected a text or its tokens, got the number 5$/,
  );
  assertMatch(
    await rejection(() => session.complete("a", null as never)),
    /^Session\.complete: expected \{ temperature, topK, topP, … \}, got null$/,
  );
  assertMatch(
    await rejection(() => session.complete("a", 5 as never)),
    /^Session\.complete: expected \{ temperature, topK, topP, … \}, got the number 5$/,
  );
  const wrong: [object, RegExp][] = [
    [{ context: 0 }, /^Model\.session: context: expected a whole number from 1 to 16777216, got 0$/],
    [{ contexts: 1 }, /^Model\.session: there is no option contexts; there are context, batch, threads, overflow, deterministic$/],
    [{ threads: 0 }, /^Model\.session: threads: expected a whole number of at least 1, got 0$/],
    [{ deterministic: 1 }, /^Model\.session: deterministic: expected true or false, got the number 1$/],
    [{ overflow: "wrap" }, /^Model\.session: overflow: expected "error", "stop", "drop", got the string "wrap"$/],
  ];
  for (const [options, message] of wrong) assertMatch(assertThrows(() => model.session(options), Error).message, message);
  await assertGenerates(model);
});

quietly("a context that is full is an error, the end, or the oldest tokens dropped", async () => {
  using model = await tinyModel();
  const prompt = model.tokenize("the thing"), options = { ...GREEDY, maxTokens: 50 };
  using strict = sessionOf(model, "error");
  const seen: number[] = [];
  const message = await rejection(async () => {
    for await (const { token } of strict.generate(prompt, options)) seen.push(token);
  });
  assertEquals(message, "Session.generate: the context is full: it has room for 32 tokens");
  assertEquals(seen.length, 32 - prompt.length, "all but the token for which there is no room");
  using ending = sessionOf(model, "stop");
  const ended = await read(ending.generate(prompt, options));
  assertEquals([ended.ended.reason, ended.tokens.slice(0, -1)], ["length", seen]);
  using dropping = sessionOf(model, "drop");
  const all = await read(dropping.generate(prompt, options));
  assertEquals([all.ended.reason, all.tokens.length, all.tokens.slice(0, seen.length)], ["length", 50, seen]);
  assert(dropping.tokens.length <= 32);
  assertEquals(dropping.tokens[0], 1, "BOS stays");
  assertEquals((await dropping.complete(new Array(100).fill(9), { ...GREEDY, maxTokens: 4 })).promptTokens, 24);
  await assertGenerates(model);
});

quietly("a session that is used twice at once, or after its end", async () => {
  using model = await tinyModel();
  const session = sessionOf(model, "stop");
  const first = session.generate("the thing", { ...GREEDY, maxTokens: 20 });
  await first.next();
  assertEquals(
    await rejection(() => session.complete("a")),
    "Session.complete: this session is generating already: wait until that has ended, or make another session",
  );
  assertThrows(() => session.save(), Error, "Session.save: this session is generating: wait until that has ended");
  assertEquals((await read(first)).ended.tokens, 20);
  for await (const _ of session.generate("the thing", GREEDY)) break; // and then it is free
  session.save();
  assertEquals((await session.complete("a", { ...GREEDY, maxTokens: 2 })).tokens, 2);
  session[Symbol.dispose]();
  session[Symbol.dispose]();
  assertEquals(await rejection(() => session.complete("a")), "Session.complete: this session was freed");
  assertThrows(() => session.save(), Error, "Session.save: this session was freed");
  await assertGenerates(model);
});

quietly("what is freed while it generates ends with an error, at whatever moment", async () => {
  for (let round = 0; round < 40; round++) {
    const model = await tinyModel(), session = model.session({ context: 64, threads: 1, overflow: "drop" });
    const batcher = model.batcher({ context: 64, threads: 1, overflow: "drop", sequences: 2 });
    const running = [session, batcher, batcher, batcher].map((user) => read(user.generate("the thing", GREEDY)).catch((error) => error));
    await new Promise((resolve) => setTimeout(resolve, round / 8));
    const free = round % 4;
    if (free === 0) session[Symbol.dispose]();
    if (free <= 1) batcher[Symbol.dispose]();
    if (free !== 2) model[Symbol.dispose]();
    else await model[Symbol.asyncDispose]();
    for (const error of await Promise.all(running)) assertMatch(error.message, /this (session|batcher|model) was freed$/);
    await model[Symbol.asyncDispose]();
    assertThrows(() => model.session(), Error, "Model.session: this model was freed");
    assert(model.handle.owner.freed);
  }
  using model = await tinyModel();
  await assertGenerates(model);
});

quietly("of a long text another thread makes the tokens; what is freed or cancelled meanwhile ends with an error", async () => {
  const model = await loadModel("examples/models/moby.gguf"), text = "x".repeat(60_000);
  const tokens = model.tokenize(text, { parseSpecial: true }), session = model.session({ context: 32, threads: 1 });
  let turns = 0;
  const timer = setInterval(() => turns++, 1), controller = new AbortController();
  assertMatch(await rejection(() => session.complete(text)), /^Session\.complete: .* it has 60001 tokens, and there is room for 32$/);
  assert(turns > 0, "the event loop goes on");
  clearInterval(timer);
  assertEquals(await model.tokensOf(text, { parseSpecial: true }, ""), tokens);
  const batcher = model.batcher({ context: 32, sequences: 2, threads: 1 }), own = batcher.session();
  const ends = [
    rejection(() => session.complete(text, { signal: controller.signal })),
    rejection(() => own.complete(text)),
    rejection(() => batcher.complete(text)),
  ];
  controller.abort(new Error("cancelled"));
  own[Symbol.dispose]();
  await new Promise((resolve) => setTimeout(resolve, 1));
  await model[Symbol.asyncDispose]();
  assertEquals(await Promise.all(ends), ["cancelled", "this session was freed", "this model was freed"]);
});

quietly("lib's own functions don't free what C computes with", async () => {
  const model = await tinyModel();
  using session = model.session({ context: 64, threads: 1, batch: 1 });
  let refused = 0;
  for (let i = 0; refused < 5; i++) {
    const running = session.complete(new Array(60).fill(3 + i % 50), { ...GREEDY, maxTokens: 1 });
    for (let turn = 0; turn < 20; turn++) {
      await new Promise((resolve) => setTimeout(resolve));
      if (model.handle.owner.heldBy === null) continue; // C isn't at it
      const { message } = assertThrows(() => lib.llama_model_free(model.handle), Error);
      assertEquals(message, "this llama_model can't be freed by llama_model_free now: Session.generate is using it");
      refused++;
    }
    assertEquals((await running).tokens, 1);
  }
  lib.llama_model_free(model.handle);
  assertMatch(await rejection(() => session.complete("a")), /was freed$/);
});

Deno.test({
  name: "a real model: a signal ends a prompt at once, and what is right follows",
  ignore: realPath === null,
  fn: async () => {
    const model = await realModel(), prompt = new Array(400).fill(0).map((_, i) => 1000 + i);
    using session = model.session({ context: 512, threads: 1 });
    const start = processorTime();
    const whole = await session.complete(prompt, { temperature: 0, maxTokens: 1 });
    const time = processorTime() - start;
    const late: number[] = [];
    for (const part of [0.05, 0.1, 0.2]) { // soon: the whole may take less where others left the caches meanwhile
      await session.complete([5], { temperature: 0, maxTokens: 1 }); // and the prompt isn't in the cache
      const controller = new AbortController(), begin = processorTime();
      let ended = false;
      const cut = session.complete(prompt, { maxTokens: 1, signal: controller.signal }).catch((error) => error).finally(() => ended = true);
      while (processorTime() - begin < part * time && !ended) await new Promise((resolve) => setTimeout(resolve, 1));
      const aborted = processorTime();
      controller.abort();
      assertEquals((await cut).name, "AbortError");
      late.push((processorTime() - aborted) / time);
    }
    assert(late.sort()[1] < 0.25, `as parts of the whole prompt's time: ${late}`);
    assertEquals((await session.complete(prompt, { temperature: 0, maxTokens: 1 })).text, whole.text);
  },
});
