/**
 * The server's command line.
 *
 * @module
 */

import { parseArgs } from "node:util";
import type { ServeOptions } from "./serve.ts";

/** How the command is called. */
export const USAGE = "usage: serve MODEL [OPTION…]; --help lists the options";

/** What `--help` prints. */
export const HELP = `usage: serve MODEL [OPTION…]

Serves a language model, a GGUF file, with OpenAI's API.

  --host ADDRESS    whom it listens to: 127.0.0.1, this machine alone, by default; 0.0.0.0 for everybody: then set --api-key
  --port N          8080 by default, 0 for any that is free
  --api-key KEY     what clients have to send; by default nobody is asked
  --name NAME       what the model is called; by default its file's name without .gguf
  --context TOKENS  the most of one answer, with its prompt; by default as many as the model was trained with, and at most 4096
  --sequences N     how many answers are computed together, 4 by default
  --queue N         how many more may wait, 64 by default; whoever comes then gets status 429
  --batch TOKENS    the most that are computed at once, 512 by default
  --threads N       the most threads of the CPU; by default as many as the machine has cores
  --gpu-layers N    how many layers lie on GPUs; by default all, where there is a GPU
  --max-body BYTES  the most of a request's body, 1 MiB by default
  --send-timeout SECONDS
                    the most that a stream waits for a client that reads nothing, 60 by default
  --reasoning apart|none|text
                    what the model thinks before it answers: in reasoning_content (apart, the default), nowhere, or as text
  --deterministic   the same answer to the same request with a seed, whatever else is computed; that costs speed`;

/** What a command line asks for. */
export interface Command {
  readonly path: string;
  readonly gpuLayers: number | undefined;
  readonly options: ServeOptions;
}

const TEXTS = ["host", "name", "api-key", "reasoning"] as const;
const NUMBERS = ["port", "context", "sequences", "queue", "batch", "threads", "gpu-layers", "max-body", "send-timeout"] as const;

/** Reads a command line; a TypeError says what is wrong with it. */
export function readCommand(args: readonly string[]): Command {
  const options: Record<string, { type: "string" | "boolean" }> = {
    ...Object.fromEntries([...TEXTS, ...NUMBERS].map((name) => [name, { type: "string" }])),
    deterministic: { type: "boolean" },
  };
  const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
  if (positionals.length !== 1) throw new TypeError(`expected one model, got ${positionals.length}`);
  const text = (name: (typeof TEXTS)[number]) => values[name] as string | undefined;
  const number = (name: (typeof NUMBERS)[number]) => numberOf(name, values[name] as string | undefined);
  const reasoning = text("reasoning");
  if (reasoning !== undefined && !["apart", "none", "text"].includes(reasoning)) {
    throw new TypeError(`--reasoning: expected apart, none or text, got ${reasoning}`);
  }
  const given = {
    hostname: text("host"),
    name: text("name"),
    apiKey: text("api-key"),
    reasoning,
    port: number("port"),
    context: number("context"),
    sequences: number("sequences"),
    queue: number("queue"),
    batch: number("batch"),
    threads: number("threads"),
    maxBody: number("max-body"),
    sendTimeout: number("send-timeout"),
    deterministic: values.deterministic as boolean | undefined,
  };
  const set = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  return { path: positionals[0], gpuLayers: number("gpu-layers"), options: set };
}

function numberOf(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d+$/.test(text)) return Number(text);
  throw new TypeError(`--${name}: expected a whole number, got ${JSON.stringify(text)}`);
}
