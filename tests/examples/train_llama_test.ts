/** Training a llama, as `examples/train_llama.ts` does it. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { lib } from "@ggml/deno";
import { view } from "@ggml/deno/utils";
import { train } from "../../examples/train_llama.ts";
import type { Shape } from "../../examples/training/llama.ts";
import { type Batch, batches, tokenize } from "../../examples/training/text.ts";
import { Trainer } from "../../examples/training/trainer.ts";
import { deno } from "../process.ts";
import { loadTinyLlama } from "../tiny_llama.ts";

/** What a model of 0.02 million parameters learns in a second. */
const TEXT = Array.from({ length: 2000 }, (_, i) => `The ${["whale", "ship", "sea"][i * i % 3]} is ${["white", "grim"][i % 2]}.\n`).join(
  "",
);
const SMALL = { layers: 1, width: 32, heads: 2, hidden: 64, context: 32, rows: 4, rate: 0.01, steps: 40, every: 20 };

/** A folder with the text in it, which is gone afterwards. */
class Folder implements Disposable {
  readonly path: string = Deno.makeTempDirSync({ prefix: "ggml-train-" });
  readonly text: string = this.file("text.txt");
  /** Where the model goes. */
  readonly out: string = this.file("model.gguf");

  constructor() {
    Deno.writeTextFileSync(this.text, TEXT);
  }

  file(name: string): string {
    return `${this.path}/${name}`;
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}

/** Trains a small model on the text; the bytes of its file, and its losses. */
async function trained({ text, out }: Folder, steps: number, stopAt?: number) {
  const stop = new AbortController();
  const log = (message: string) => message.includes(`step ${stopAt} `) && stop.abort();
  const losses = await train({ ...SMALL, steps }, { out, text, log, signal: stop.signal });
  if (stopAt === undefined) return { model: await Deno.readFile(out), losses };
  assertEquals(losses.training.length, stopAt);
  const resumed = await train({ steps: Math.min(steps, 40) }, { out, text, resume: true });
  return { model: await Deno.readFile(out), losses: resumed };
}

Deno.test("a short training lowers the loss of what it learns and of what is held out", async () => {
  using folder = new Folder();
  const { losses: { training, heldOut } } = await trained(folder, 120);
  assert(training[0] > 5, `expected about ln 259, which is 5.6, got ${training[0]}`);
  // A choice of three and one of two in 17 bytes are 0.11 nats a byte.
  assert(heldOut.at(-1)! < 1, `got ${heldOut}`);
  assertEquals([training.length, heldOut.length], [120, 6]);
});

Deno.test("the gradients are what the loss does when a weight changes a little", () => {
  const shape = { layers: 2, width: 32, heads: 2, hidden: 64, context: 8 }, text = tokenize(["Call me Ishmael."]);
  const batch = [...batches(text, 2, 8)];
  const exact = new Map(gradientsOf(shape, batch[0]));
  using trainer = new Trainer(shape, 2, 1, 1);
  const change = 1e-2;
  for (const [name, { weight }] of trainer.parameters) {
    const numbers = view<Float32Array>(weight).data, gradient = exact.get(name)!;
    const at = gradient.indexOf(gradient.reduce((a, b) => Math.abs(a) > Math.abs(b) ? a : b)), before = numbers[at];
    const [more, less] = [change, -change].map((difference) => {
      numbers[at] = before + difference;
      return trainer.evaluate(batch);
    });
    numbers[at] = before;
    const found = (more - less) / (2 * change), expected = gradient[at];
    assert(Math.abs(found - expected) < 1e-3 + Math.abs(expected) / 50, `${name}: expected ${expected}, got ${found}`);
  }
});

/** A model's gradients at its beginning: AdamW's means of them are a tenth of it after the first step. */
function gradientsOf(shape: Shape, batch: Batch): [string, Float32Array][] {
  using trainer = new Trainer(shape, 2, 1, 1);
  trainer.step(batch, 1e-30);
  return Array.from(trainer.parameters, ([name, { mean }]) => [name, view<Float32Array>(mean).data.map((x) => x * 10)]);
}

Deno.test("a training that is interrupted and resumed makes the same model, bit by bit", async () => {
  using folder = new Folder();
  const straight = await trained(folder, 40);
  const resumed = await trained(folder, 40, 10);
  assertEquals(resumed, straight);
  // Longer was asked for at first, but the rate of learning had not begun to fall.
  const shortened = await trained(folder, 80, 20);
  assertEquals(shortened, straight);
  const other = await trained(folder, 39);
  assert(!straight.model.every((byte, i) => byte === other.model[i]));
});

/** The command with its options, for a small model. */
function command(...args: string[]) {
  return deno(["run", "--no-prompt", "--quiet", "--allow-ffi", "--allow-read", "--allow-write", "examples/train_llama.ts", ...args]);
}

Deno.test("the command trains a model that libllama loads, and draws the loss", async () => {
  using folder = new Folder();
  const { text, out } = folder, picture = folder.file("loss.svg");
  const numbers = Object.entries(SMALL).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const { code, stdout, stderr } = await command(out, "--text", text, "--curve", picture, ...numbers);
  assertEquals(code, 0, stderr);
  assertMatch(stdout, /^40 steps; the held-out text: [0-5]\.\d{4} nats a byte\n$/);
  assertMatch(stderr, / 5\.\d\d │█[^]*└─{20} 20 steps[^]*└─{40} 40 steps\nheld out: [0-5]\.\d{4} nats a byte\n$/);
  assertMatch(await Deno.readTextFile(picture), /<svg[^]*loss, nats a byte[^]*<polyline points="([\d.]+,[\d.]+ ?){40}"/);
  using model = loadTinyLlama(out);
  assertEquals(lib.llama_model_n_layer(model), 1);
});

Deno.test({
  name: "Ctrl+C leaves a checkpoint, at which the command goes on",
  ignore: Deno.build.os === "windows", // where a process can't be sent it
  fn: async () => {
    using folder = new Folder();
    const { text, out } = folder;
    const numbers = Object.entries({ ...SMALL, steps: 100_000, every: 100_000 }).flatMap(([name, value]) => [`--${name}`, String(value)]);
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--allow-ffi", "--allow-read", "--allow-write", "examples/train_llama.ts", out, "--text", text, ...numbers],
      cwd: new URL("../..", import.meta.url),
      stdout: "null",
      stderr: "piped",
    }).spawn();
    let said = "";
    for await (const piece of child.stderr.pipeThrough(new TextDecoderStream())) {
      if (said === "" && piece.includes("step 10 of 100000, loss ")) child.kill("SIGINT");
      said += piece;
    }
    assertEquals((await child.status).code, 0, said);
    const steps = Number(said.match(/\ninterrupted after (\d+) steps: --resume goes on\n$/)![1]);
    const { code, stdout, stderr } = await command(out, "--text", text, "--resume", "--steps", String(steps + 5));
    assertEquals(code, 0, stderr);
    assertMatch(stdout, new RegExp(`^${steps + 5} steps; `));
  },
});

Deno.test("the command says what is wrong with its options", async () => {
  using folder = new Folder();
  const { text, out } = folder;
  const wrong: [string[], RegExp][] = [
    [[], /^usage: train_llama\.ts MODEL .*\[--seed 1\]/],
    [[out, "--sed", "2"], /^unknown option --sed; usage: /],
    [[out, "--steps", "1.5"], /^--steps: expected a positive whole number, got "1\.5"\n$/],
    [[out, "--heads", "5", "--text", text], /^expected a --width of --heads times an even number, got 128 and 5\n$/],
    [[out, "--width", "48", "--text", text], /^expected a --width and --hidden of whole blocks of Q8_0, which are 32, got 48 and 352\n$/],
    [[out, "--context", "8000", "--text", text], /^the text is too short: its held-out part has \d+ bytes, and a batch 32000\n$/],
    [[out, "--resume"], /training/],
  ];
  for (const [args, message] of wrong) {
    const { code, stderr } = await command(...args);
    assertEquals(code, 1, stderr);
    assertMatch(stderr, message);
  }
  const { code, stdout, stderr } = await command("--help");
  assertEquals([code, stderr], [0, ""]);
  assertMatch(stdout, /^usage: train_llama\.ts MODEL /);
});
