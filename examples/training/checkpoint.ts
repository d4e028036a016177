// A training that was interrupted, in a GGUF file: the parameters with what AdamW keeps of each, how it was asked for, and its losses.

import { copy, type GgufTensorInput, readGguf, writeGguf } from "@ggml/deno/utils";
import type { Shape } from "./llama.ts";
import type { Trainer } from "./trainer.ts";

/** How a model is trained. Whoever asks for the same gets the same model, whether the training was interrupted or not. */
export interface Plan extends Shape {
  readonly steps: number;
  /** Rows of a batch. */
  readonly rows: number;
  /** The highest rate of learning. */
  readonly rate: number;
  readonly seed: number;
  /** Steps after which the held-out text is looked at, and a checkpoint is written. */
  readonly every: number;
}

/** What was learned so far. */
export interface Losses {
  /** The loss of each step's batch, in nats a byte. */
  readonly training: number[];
  /** The loss of the held-out text, after each `every` steps. */
  readonly heldOut: number[];
}

const NUMBERS = ["layers", "width", "heads", "hidden", "context", "steps", "rows", "rate", "seed", "every"] as const;
const PARTS = ["weight", "mean", "square"] as const;

/** Writes a checkpoint, in place of the one before. */
export async function writeCheckpoint(path: string, trainer: Trainer, plan: Plan, losses: Losses): Promise<void> {
  const numbers = NUMBERS.map((name) => [`training.${name}`, { type: "f64", value: plan[name] }] as const);
  const tensors = new Map<string, GgufTensorInput>();
  for (const [name, parameter] of trainer.parameters) {
    for (const part of PARTS) tensors.set(`${name}.${part}`, parameter[part]);
  }
  await writeGguf(path, {
    metadata: {
      "general.architecture": "training",
      ...Object.fromEntries(numbers),
      "training.losses": { type: "f64[]", value: losses.training },
      "training.held_out": { type: "f64[]", value: losses.heldOut },
    },
    tensors,
  });
}

/** What a checkpoint says of its training. */
export function readPlan(path: string): { plan: Plan; losses: Losses } {
  using file = readGguf(path);
  const value = (name: string) => {
    const found = file.metadata.get(`training.${name}`)?.value;
    if (found === undefined) throw new Error(`${path} is no checkpoint: it has no training.${name}`);
    return found;
  };
  const numbers = Object.fromEntries(NUMBERS.map((name) => [name, Number(value(name))])) as unknown as Plan;
  const list = (name: string) => Array.from(value(name) as Float64Array);
  return { plan: numbers, losses: { training: list("losses"), heldOut: list("held_out") } };
}

/** Goes on where a checkpoint ends. */
export function restore(path: string, trainer: Trainer, losses: Losses): void {
  using file = readGguf(path);
  for (const [name, parameter] of trainer.parameters) {
    for (const part of PARTS) copy(file.tensors.get(`${name}.${part}`)!.numbers(), parameter[part]);
  }
  trainer.steps = losses.training.length;
}
