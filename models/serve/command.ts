/**
 * The server's command line.
 *
 * @module
 */

import { parseArgs } from "node:util";
import type { ServeOptions } from "./serve.ts";

/** How the command is called. */
export const USAGE =
  `usage: serve MODEL [--host ADDRESS] [--port N] [--context TOKENS] [--sequences N] [--queue N] [--batch TOKENS] [--threads N]
             [--gpu-layers N] [--max-body BYTES] [--name NAME] [--api-key KEY] [--reasoning apart|none|text] [--deterministic]`;

/** What a command line asks for. */
export interface Command {
  readonly path: string;
  readonly gpuLayers: number | undefined;
  readonly options: ServeOptions;
}

const TEXTS = ["host", "name", "api-key", "reasoning"] as const;
const NUMBERS = ["port", "context", "sequences", "queue", "batch", "threads", "gpu-layers", "max-body"] as const;

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
