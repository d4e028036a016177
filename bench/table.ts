/**
 * Results for people: one table, and what couldn't be compared.
 *
 * @module
 */

import type { Measured, Result } from "./measure.ts";

/** The machine and what runs on it. */
export interface Machine {
  readonly deno: string;
  readonly ggml: string | null;
  readonly library: string;
  readonly os: string;
  readonly arch: string;
  readonly cores: number;
  /** Processes that wanted a core in the last minute, before the bench began. */
  readonly load: number;
}

const HEADINGS = ["", "", "median", "min – max", "× ours", "target"];

/** Says where and how was measured. */
export function heading({ deno, ggml, library, os, arch, cores, load }: Machine): string {
  const file = library.replace(/^.*[/\\]/, "");
  return `ggml ${ggml ?? "of unknown version"} (${file}), Deno ${deno}, ${os} ${arch}, ${cores} cores, load ${load.toFixed(1)}\n` +
    "Contenders take turns. × ours is a contender's time over ours, the median of each run's own ratio.";
}

/** All figures in one table, and a line that counts. */
export function table(measured: readonly Measured[]): string {
  const rows = measured.flatMap((one) => [...figureRows(one), []]);
  const widths = HEADINGS.map((heading, i) => Math.max(heading.length, ...rows.map((row) => row[i] === undefined ? 0 : row[i].length)));
  const line = (cells: readonly string[]) =>
    cells.map((cell, i) => i < 2 || i === 5 ? cell.padEnd(widths[i]) : cell.padStart(widths[i])).join("  ").trimEnd();
  return [line(HEADINGS), "─".repeat(line(HEADINGS).length), ...rows.map(line), count(measured)].join("\n");
}

function figureRows(measured: Measured): string[][] {
  const { figure, results, load } = measured;
  const how = `  (${figure.id}, ${figure.runs} runs, load ${load.toFixed(1)})`;
  const rows = results.map((result, i) => [
    i === 0 ? figure.title : i === 1 ? how : "",
    result.name,
    ...(result.problem === null ? numbers(result, figure.unit) : ["–", "", ""]),
    i === 0 ? judgement(measured) : result.problem ?? "",
  ]);
  return rows.length > 1 ? rows : [...rows, [how]];
}

function numbers({ median, min, max, timesOurs }: Result, unit: string): string[] {
  return [
    `${short(median!)} ${unit}`,
    `${short(min!)} – ${short(max!)}`,
    timesOurs === null ? "" : timesOurs.toFixed(2),
  ];
}

/** "1.12 × Deno.dlopen, to reach 1.3: reached". */
function judgement({ figure: { target, unit }, results, value, ofTarget }: Measured): string {
  const of = target.of === undefined ? ` ${unit}` : ` × ${target.of}`;
  if (value === null || ofTarget === null) return results[0].problem ?? `at most ${target.limit}${of}: can't be told`;
  return `${short(value)} of at most ${target.limit}${of}: ${ofTarget <= 1 ? "reached" : `MISSED, ${ofTarget.toFixed(2)} × too much`}`;
}

function count(measured: readonly Measured[]): string {
  const reached = measured.filter(({ ofTarget }) => ofTarget !== null && ofTarget <= 1).length;
  const untold = measured.filter(({ ofTarget }) => ofTarget === null).length;
  return `${reached} reached, ${measured.length - reached - untold} missed${untold === 0 ? "" : `, ${untold} not comparable`}`;
}

/** Three digits that count. */
function short(number: number): string {
  return number >= 100 ? number.toFixed(0) : number.toPrecision(3);
}
