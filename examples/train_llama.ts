// Trains a small llama that reads and writes bytes, with ggml's gradients and its AdamW, and writes it as a GGUF file that llama.cpp runs.
//
// It learns Moby-Dick, or a text of yours:
//   deno run --allow-ffi --allow-read --allow-write examples/train_llama.ts moby.gguf
//   deno run --allow-ffi --allow-read --allow-write examples/train_llama.ts mine.gguf --text mine.txt --steps 2000
//
// Options, and what they are where they aren't given: see OPTIONS and DEFAULTS below. With one thread the same options give the same model,
// bit by bit. A checkpoint, MODEL.training, is written now and then and at Ctrl+C; --resume goes on there, as if nothing had happened. Only
// the number of steps may be another one then: the rate of learning depends on it in the last eighth alone.

import { parseArgs } from "@std/cli/parse-args";
import { type Losses, type Plan, readPlan, restore, writeCheckpoint } from "./training/checkpoint.ts";
import { curve, saveCurve } from "./training/curve.ts";
import { writeModel } from "./training/model_file.ts";
import { randomFrom } from "./training/random.ts";
import { batches, mobyDick, randomBatch, textOf, tokenize } from "./training/text.ts";
import { Trainer } from "./training/trainer.ts";

const OPTIONS = "[--text FILE] [--resume] [--threads N] [--curve FILE.svg], and of numbers";
const DEFAULTS: Plan = {
  layers: 6,
  width: 128,
  heads: 4,
  hidden: 352,
  context: 256,
  rows: 4,
  rate: 0.002,
  seed: 1,
  steps: 3600,
  every: 500,
};

/** The share of a step in the highest rate: it rises over the first 100 steps, and falls to nothing over the last eighth. */
export function rateAt(step: number, steps: number): number {
  return Math.min(1, step / 100, (steps - step + 1) / (steps / 8));
}

/** What else there is to say of a training. */
export interface TrainOptions {
  /** The model's file. */
  readonly out: string;
  /** The text's file; by default it is Moby-Dick. */
  readonly text?: string;
  /** How many threads to use. */
  readonly threads?: number;
  /** Whether to go on at the checkpoint. */
  readonly resume?: boolean;
  /** Where the curve of the loss goes. */
  readonly curve?: string;
  /** Ends the training after the step that it is at. */
  readonly signal?: AbortSignal;
  /** Is told what happens. */
  readonly log?: (text: string) => void;
}

/** Trains a model, and writes it if it isn't interrupted. Returns its losses. */
export async function train(asked: Partial<Plan>, options: TrainOptions): Promise<Losses> {
  const { out, text, threads = 1, resume = false, signal, log = () => {} } = options;
  const checkpoint = `${out}.training`;
  const { plan: made, losses } = resume ? readPlan(checkpoint) : { plan: { ...DEFAULTS, ...asked }, losses: { training: [], heldOut: [] } };
  const plan = resume ? { ...made, steps: asked.steps ?? made.steps } : made;
  const { context, rows, seed, steps, rate, every } = plan;
  const texts = text === undefined ? await mobyDick() : await textOf(text);
  const training = tokenize(texts.training), heldOut = tokenize(texts.heldOut);
  expectPossible(plan, heldOut.length);

  using trainer = new Trainer(plan, rows, seed, threads);
  if (resume) restore(checkpoint, trainer, losses);
  const save = () => writeCheckpoint(checkpoint, trainer, plan, losses);
  const begin = performance.now(), first = trainer.steps;
  while (trainer.steps < steps && !signal?.aborted) {
    const step = trainer.steps + 1;
    const batch = randomBatch(training, rows, context, randomFrom(seed, step));
    losses.training.push(trainer.step(batch, rate * rateAt(step, steps)));
    if (step % 10 === 0) log(`\r${progress(step, steps, losses.training, (performance.now() - begin) / (step - first))} `);
    if (step % every === 0 || step === steps) {
      losses.heldOut.push(trainer.evaluate(batches(heldOut, rows, context)));
      log(`\n${curve(losses.training)}\nheld out: ${losses.heldOut.at(-1)!.toFixed(4)} nats a byte\n`);
      await save();
    }
    await new Promise((resolve) => setTimeout(resolve)); // a signal comes through here
  }
  if (options.curve !== undefined) await saveCurve(losses.training, options.curve);
  if (trainer.steps < steps) {
    await save();
    log(`\ninterrupted after ${trainer.steps} steps: --resume goes on\n`);
    return losses;
  }
  await writeModel(out, trainer, plan, {
    "general.name": out.replace(/^.*[/\\]|\.gguf$/g, ""),
    "general.description": `A byte-level llama, trained by train_llama.ts on ${text === undefined ? "Moby-Dick" : "a text"}.`,
  });
  return losses;
}

/** Throws unless ggml can compute such a model, write it as Q8_0, and there is enough text. */
function expectPossible({ width, heads, hidden, context, rows }: Plan, heldOut: number): void {
  if (width / heads % 2 !== 0) throw new Error(`expected a --width of --heads times an even number, got ${width} and ${heads}`);
  if (width % 32 !== 0 || hidden % 32 !== 0) {
    throw new Error(`expected a --width and --hidden of whole blocks of Q8_0, which are 32, got ${width} and ${hidden}`);
  }
  const batch = context * rows;
  if (heldOut < batch) throw new Error(`the text is too short: its held-out part has ${heldOut} bytes, and a batch ${batch}`);
}

function progress(step: number, steps: number, losses: readonly number[], ms: number): string {
  const recent = losses.slice(-50), loss = recent.reduce((a, b) => a + b, 0) / recent.length;
  const left = ms * (steps - step) / 60_000;
  return `step ${step} of ${steps}, loss ${loss.toFixed(3)}, ${ms.toFixed(0)} ms a step, ${left.toFixed(0)} minutes left`;
}

/** A number of the command line. */
function numberOf(name: string, text: string): number {
  const value = Number(text), isWhole = name !== "rate";
  if (text !== "" && value > 0 && (Number.isInteger(value) || !isWhole)) return value;
  throw new Error(`--${name}: expected a positive ${isWhole ? "whole " : ""}number, got ${JSON.stringify(text)}`);
}

async function main(): Promise<void> {
  const numbers = Object.keys(DEFAULTS) as (keyof Plan)[];
  const usage = `usage: train_llama.ts MODEL ${OPTIONS} ${numbers.map((name) => `[--${name} ${DEFAULTS[name]}]`).join(" ")}`;
  if (Deno.args.includes("--help")) return console.log(usage);
  const args = parseArgs(Deno.args, {
    string: ["text", "threads", "curve", ...numbers],
    boolean: ["resume"],
    unknown: (argument, key) => {
      if (key !== undefined) throw new Error(`unknown option ${argument}; ${usage}`);
    },
  });
  const given = numbers.filter((name) => args[name] !== undefined);
  if (args._.length !== 1) throw new Error(usage);
  const other = given.find((name) => name !== "steps");
  if (args.resume && other !== undefined) {
    throw new Error(`--${other}: the checkpoint says it; of --resume's numbers only --steps may be another`);
  }
  const asked = Object.fromEntries(given.map((name) => [name, numberOf(name, args[name]!)]));
  const threads = args.threads === undefined ? undefined : numberOf("threads", args.threads);
  const stop = new AbortController(), encoder = new TextEncoder();
  Deno.addSignalListener("SIGINT", () => stop.abort());
  const losses = await train(asked, {
    out: String(args._[0]),
    text: args.text,
    curve: args.curve,
    resume: args.resume,
    threads,
    signal: stop.signal,
    log: (text) => Deno.stderr.writeSync(encoder.encode(text)),
  });
  console.log(`${losses.training.length} steps; the held-out text: ${losses.heldOut.at(-1)?.toFixed(4)} nats a byte`);
  Deno.exit();
}

if (import.meta.main) {
  try {
    await main();
  } catch (error) {
    console.error((error as Error).message);
    Deno.exit(1);
  }
}
