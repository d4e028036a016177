/**
 * Results as a file: what `--json` writes, and what the table, the drawing and the README's section are made of.
 *
 * @module
 */

import type { Measured, Result } from "./measure.ts";

/** The machine and what runs on it. */
export interface Machine {
  /** The day, as 2026-11-25. */
  readonly date: string;
  readonly cpu: string;
  readonly cores: number;
  /** How much memory it has. */
  readonly gibibytes: number;
  readonly os: string;
  readonly arch: string;
  /** Processes that wanted a core in the last minute, before the bench began. */
  readonly load: number;
  readonly deno: string;
  readonly ggml: string | null;
  /** The library's file, without its folder. */
  readonly library: string;
  /** The peers that are there, with their versions: "gcc 12.2.0". */
  readonly peers: readonly string[];
}

/** What a run of the bench gave. */
export interface Results {
  readonly machine: Machine;
  readonly figures: readonly Measured[];
}

/** Writes results; numbers to five digits, for that's more than they're worth. */
export function writeResults(path: string, results: Results): void {
  const rounded = (_: string, value: unknown) => typeof value === "number" ? Number(value.toPrecision(5)) : value;
  const text = JSON.stringify(results, rounded, 2);
  Deno.writeTextFileSync(path, `${text}\n`);
}

/**
 * Reads what {@linkcode writeResults} wrote.
 *
 * @throws {Error} If there is no such file, or it holds something else.
 */
export function readResults(path: string): Results {
  let text;
  try {
    text = Deno.readTextFileSync(path);
  } catch (error) {
    throw new Error(`no results to read: ${(error as Error).message}; deno task bench makes them`, { cause: error });
  }
  try {
    const results = JSON.parse(text);
    if (isResults(results)) return results;
  } catch { /* the same answer */ }
  throw new Error(`${path} doesn't hold the bench's results; deno task bench makes them`);
}

function isResults(value: unknown): value is Results {
  const { machine, figures } = Object(value) as Partial<Results>;
  return typeof machine?.cpu === "string" && Array.isArray(machine.peers) && Array.isArray(figures) &&
    figures.every((figure) => typeof figure?.title === "string" && Array.isArray(figure.results) && figure.results.length > 0);
}

/** Where was measured and what, in lines for people. */
export function describe({ date, cpu, cores, gibibytes, os, arch, load, deno, ggml, library, peers }: Machine): string[] {
  return [
    `${cpu}, ${cores} cores, ${gibibytes} GiB, ${os} ${arch}; ${date}, load ${load.toFixed(1)}`,
    [`ggml ${ggml ?? "of unknown version"} (${library})`, `Deno ${deno}`, ...peers].join(", "),
  ];
}

/** "1.12 × Deno.dlopen", "at most" what; null where there is nothing to reach. */
export function limitOf({ target, unit }: Measured): string | null {
  if (target === null) return null;
  const { limit, of, beyond } = target;
  if (of !== undefined) return `${short(limit)} × ${of}`;
  return `${short(limit)} ${unit}${beyond === undefined ? "" : ` beyond ${beyond}`}`;
}

/** What couldn't be compared, and why: each reason once, with whom it concerns. */
export function problems(figures: readonly Measured[]): string[] {
  const all = figures.flatMap(({ results }) => results).filter(({ problem }) => problem !== null);
  return [...Map.groupBy(all, ({ name, problem }) => `${name}: ${problem}`).keys()];
}

/** Three digits that count. */
export function short(number: number): string {
  return Math.abs(number) >= 1000 ? number.toFixed(0) : String(Number(number.toPrecision(3)));
}

/** "8.58 ns", or a dash. */
export function time({ median }: Result, unit: string): string {
  return median === null ? "–" : `${short(median)} ${unit}`;
}
