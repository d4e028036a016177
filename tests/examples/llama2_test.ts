/** The port of llama2.c: bit for bit what libllama computes, from either format of file, and a program that behaves. */

import { assert, assertEquals, assertMatch, assertNotEquals, assertStringIncludes } from "@std/assert";
import { lib } from "@ggml/deno";
import { type GgufTensorInput, readGguf, writeGguf } from "@ggml/deno/utils";
import { generate, Llama, openModel, sampler } from "../../examples/llama2.ts";
import { Folder } from "../folder.ts";
import { deno, type Ended } from "../process.ts";
import { greedyProgram } from "../models/greedy.ts";
import { writeRandomLlama } from "../random_llama.ts";
import { likeliest, Reference } from "./reference_llama.ts";
import { smollm2 } from "../smollm2.ts";

const PROMPT = "once upon a time, in a small village by the sea, there lived";

const real = await smollm2();

/** Throws unless the port's logits are libllama's in every bit, for the prompt and so many likeliest tokens behind it. */
async function expectEqual(path: string, threads: number, count: number, options: object = {}, prompt = PROMPT): Promise<void> {
  const file = openModel(path);
  using reference = new Reference(path, threads, Math.min(1024, file.config.context));
  const model = await Llama.load(file, { threads, context: 1024, ...options });
  let tokens = reference.tokenize(prompt);
  assertEquals(file.tokenizer.encode(prompt), tokens);
  for (let made = 0, position = 0; made < count; made++) {
    const theirs = reference.forward(tokens), ours = model.forward(tokens, position);
    assertEquals(ours.length, theirs.length);
    const differing = ours.findIndex((logit, i) => logit !== theirs[i]);
    if (differing >= 0) {
      throw new Error(`after ${made} tokens: logit ${differing} is ${ours[differing]}, and libllama's ${theirs[differing]}`);
    }
    position += tokens.length;
    tokens = [likeliest(theirs)];
  }
}

/** The likeliest tokens behind a prompt. */
async function greedy(path: string, prompt: string, count: number): Promise<number[]> {
  const { tokenizer, ...file } = openModel(path);
  const model = await Llama.load(file, { context: 1024, threads: 1 });
  return [...generate(model, tokenizer.encode(prompt), count, sampler(0, 1, 1))];
}

function example(name: string, permissions: string[], ...args: string[]): Promise<Ended> {
  return deno(["run", "--no-prompt", "--quiet", ...permissions, `examples/${name}.ts`, ...args]);
}

const run = (...args: string[]) => example("llama2", ["--allow-ffi", "--allow-read"], ...args);
const convert = (...args: string[]) => example("llama2_bin", ["--allow-ffi", "--allow-read", "--allow-write"], ...args);

for (const name of ["F32", "F16", "Q8_0", "Q4_0", "Q4_1", "Q4_K"] as const) {
  const type = lib[`GGML_TYPE_${name}`];
  Deno.test(`llama2: the logits of a random llama in ${name} are libllama's, bit for bit, with 1 and 2 threads`, async () => {
    using folder = new Folder();
    const path = folder.file();
    await writeRandomLlama(path, { type, tied: name !== "F32", tokenizer: name === "F16" ? "gpt2" : "llama" });
    await expectEqual(path, 1, 300); // the cache is shown in steps of 256
    await expectEqual(path, Math.min(2, navigator.hardwareConcurrency), 6);
  });
}

Deno.test("llama2: a prompt longer than a piece, and weights that are neither mapped nor repacked, change no bit", async () => {
  using folder = new Folder();
  const path = folder.file();
  await writeRandomLlama(path, { type: lib.GGML_TYPE_Q8_0 });
  await expectEqual(path, 1, 4, {}, "the sea and the time, ".repeat(60));
  await expectEqual(path, 1, 4, { map: false });
  await writeRandomLlama(path, {
    type: lib.GGML_TYPE_F32,
    metadata: { "llama.rope.scaling.type": "linear", "llama.rope.scaling.factor": { type: "f32", value: 4 } },
  });
  await expectEqual(path, 1, 20, { repack: false });
});

/** The models that come with the clone. */
const MODELS = new URL("../../examples/models/", import.meta.url);

function* modelsOfTheClone(): Generator<string> {
  try {
    for (const { name } of Deno.readDirSync(MODELS)) if (name.endsWith(".gguf")) yield decodeURIComponent(new URL(name, MODELS).pathname);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

for (const path of modelsOfTheClone()) {
  Deno.test(`llama2: 64 tokens of examples/models/${path.replace(/.*\//, "")} are libllama's, the logits bit for bit`, () => {
    return expectEqual(path, 1, 64);
  });
}

for (const threads of [1, 2]) {
  const name = `llama2: 200 tokens of SmolLM2 are libllama's and a C program's with ${threads} threads, the logits bit for bit`;
  Deno.test({ name, ignore: real === null || threads > navigator.hardwareConcurrency }, async () => {
    await expectEqual(real!, threads, 200);
    await expectEqualToC(real!, threads, 200);
  });
}

/** The same as {@linkcode expectEqual} with a program that has nothing to do with Deno, over the same library. */
async function expectEqualToC(path: string, threads: number, count: number): Promise<void> {
  const byC = await (await greedyProgram())?.(path, PROMPT, threads, count);
  if (byC === undefined) return;
  const { tokenizer, ...file } = openModel(path), { vocab } = file.config, prompt = tokenizer.encode(PROMPT);
  assertEquals([prompt, byC.tokens.length, byC.logits.length], [byC.prompt, count, count * vocab]);
  const model = await Llama.load(file, { threads, context: 512 });
  const tokens: number[] = [], likeliest = sampler(0, 1, 1);
  const compared = generate(model, prompt, count, (logits) => {
    const theirs = byC.logits.subarray(tokens.length * vocab, (tokens.length + 1) * vocab);
    const ours = bitsOf(logits), cs = bitsOf(theirs);
    assertEquals(ours.findIndex((bits, i) => bits !== cs[i]), -1, `after ${tokens.length} tokens`);
    return likeliest(logits);
  });
  for (const token of compared) tokens.push(token);
  assertEquals(tokens, byC.tokens);
}

/** Floats as whole numbers: those tell 0 from -0, and NaN is equal to itself. */
function bitsOf({ buffer, byteOffset, length }: Float32Array): Uint32Array {
  return new Uint32Array(buffer, byteOffset, length);
}

for (const tokenizer of ["llama", "gpt2"] as const) {
  Deno.test(`llama2: a .bin file made of a random llama with a vocabulary of the kind ${tokenizer} gives the same tokens`, async () => {
    using folder = new Folder();
    const path = folder.file(), bin = folder.file("model.bin");
    for (const tied of [true, false]) {
      await writeRandomLlama(path, { tokenizer, tied });
      assertEquals(await convert(path, bin), { code: 0, stdout: "", stderr: "" });
      for (const prompt of [PROMPT, "Andé 12\n", ""]) {
        const expected = openModel(path).tokenizer.encode(prompt), { tokenizer } = openModel(bin);
        if (prompt !== "") assertEquals(tokenizer.encode(prompt), expected);
        const text = expected.map((token, i) => new TextDecoder("latin1").decode(tokenizer.decode(token, expected[i - 1])));
        assertEquals(new TextDecoder().decode(Uint8Array.from(text.join(""), (c) => c.charCodeAt(0))).trimStart(), prompt.trimStart());
      }
      assertEquals(await greedy(bin, PROMPT, 64), await greedy(path, PROMPT, 64));
    }
  });
}

Deno.test({
  name: "llama2: a .bin file made of SmolLM2 gives the 64 tokens that libllama has for the same weights as 32-bit floats",
  ignore: real === null,
  async fn() {
    using folder = new Folder();
    const floats = folder.file(), bin = folder.file("model.bin");
    {
      using file = readGguf(real!);
      const numbers = (name: string): GgufTensorInput => {
        const { ne, byteLength, type } = file.tensors.get(name)!, isFloat = type === lib.GGML_TYPE_F32;
        const data = function* () {
          const { data } = file.tensors.get(name)!.numbers();
          yield new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
        };
        return isFloat && byteLength > 0 ? file.tensors.get(name)! : { type: lib.GGML_TYPE_F32, ne, data };
      };
      await writeGguf(floats, { metadata: file.metadata, tensors: new Map([...file.tensors.keys()].map((name) => [name, numbers(name)])) });
    }
    assertEquals(await convert(real!, bin), { code: 0, stdout: "", stderr: "" });
    using reference = new Reference(floats, 1);
    const prompt = reference.tokenize(PROMPT);
    assertEquals(openModel(bin).tokenizer.encode(PROMPT), prompt);
    assertEquals(await greedy(bin, PROMPT, 64), reference.greedy(prompt, 64));
  },
});

Deno.test("llama2: text on standard output, speed on standard error, with --allow-ffi and --allow-read; a seed repeats it", async () => {
  using folder = new Folder();
  const path = folder.file();
  await writeRandomLlama(path, { tokenizer: "gpt2" });
  const first = await run(path, "--prompt", "the sea", "--tokens", "20", "--seed", "5", "--threads", "1");
  assertEquals(first.code, 0, first.stderr);
  assertMatch(first.stdout, /^the sea.+\n$/s);
  assertMatch(first.stderr, /^prompt: \d+ tokens in \d+ ms, then \d+\.\d tokens\/s\n$/);
  const again = await run(path, "--prompt", "the sea", "--tokens", "20", "--seed", "5", "--threads", "1");
  const other = await run(path, "--prompt", "the sea", "--tokens", "20", "--seed", "6", "--threads", "1");
  assertEquals(again.stdout, first.stdout);
  assertMatch((await run("--help")).stdout, /^usage: llama2\.ts MODEL \[--prompt TEXT\] .*\n$/);
  assertNotEquals(other.stdout, first.stdout);
});

Deno.test("llama2: what can't be run is said in one line, and the program ends with 1", async () => {
  using folder = new Folder();
  const path = folder.file(), other = folder.file(), biased = folder.file(), short = folder.file("short.bin"), cut = folder.file("cut.bin");
  await writeRandomLlama(path);
  await writeGguf(other, { metadata: { "general.architecture": "bert" } });
  Deno.writeFileSync(short, new Uint8Array(100));
  Deno.writeFileSync(cut, new Uint8Array(Int32Array.of(8, 8, 1, 1, 1, 8, 8).buffer));
  await writeRandomLlama(biased, { metadata: { "llama.rope.scaling.type": "yarn" } });
  const cases: [string[], string][] = [
    [[], "usage: llama2.ts MODEL"],
    [[path, path], "usage: llama2.ts MODEL"],
    [[path, "--temprature", "1"], "there is no --temprature; usage"],
    [[path, "--tokens", "many"], "expected --tokens to be a whole number from 0 to 2147483648, got many"],
    [[path, "--threads", "0"], "expected --threads to be a whole number from 1 to"],
    [[path, "--top-p", "2"], "expected --top-p to be a number from 0 to 1, got 2"],
    [[`${folder.path}/none.gguf`], "No such file or directory"],
    [[other], "expected llama as general.architecture, got bert"],
    [[biased], "expected none or linear as llama.rope.scaling.type, got yarn"],
    [[short], "short.bin: it is none of llama2.c's"],
    [[cut], "cut.bin: expected 4 bytes at 2200, and it ends there"],
    [[path, "--prompt", "a".repeat(2000)], "the prompt has 2002 tokens, and the model sees 1024 at most"],
  ];
  for (const [args, message] of cases) {
    const { code, stdout, stderr } = await run(...args);
    assertEquals([code, stdout], [1, ""], stderr);
    assertStringIncludes(stderr, message);
    assertEquals(stderr.trimEnd().split("\n").length, 1, stderr);
  }
  const { code, stderr } = await convert(other, `${folder.path}/out.bin`);
  assertEquals(code, 1);
  assertStringIncludes(stderr, "has no tensor token_embd.weight");
});

Deno.test("llama2: what is sampled follows the probabilities, among the likeliest only", () => {
  const logits = Float32Array.of(Math.log(0.5), -Infinity, Math.log(0.3), Math.log(0.15), Math.log(0.05));
  const counts = (temperature: number, topP: number) => {
    const sample = sampler(temperature, topP, 7), counts = [0, 0, 0, 0, 0];
    for (let i = 0; i < 20_000; i++) counts[sample(logits)]++;
    return counts.map((count) => count / 20_000);
  };
  const near = (got: number[], expected: number[]) => assert(got.every((share, i) => Math.abs(share - expected[i]) < 0.02), String(got));
  near(counts(1, 1), [0.5, 0, 0.3, 0.15, 0.05]);
  near(counts(1, 0.7), [5 / 8, 0, 3 / 8, 0, 0]);
  near(counts(1, 0.1), [1, 0, 0, 0, 0]);
  near(counts(0, 1), [1, 0, 0, 0, 0]);
  const squares = [0.25, 0, 0.09, 0.0225, 0.0025], sum = squares.reduce((a, b) => a + b);
  near(counts(0.5, 1), squares.map((square) => square / sum));
});
