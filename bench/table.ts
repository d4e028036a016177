/**
 * Results for a terminal: one table, and what couldn't be compared.
 *
 * @module
 */

import type { Measured, Result } from "./measure.ts";
import { describe, limitOf, type Machine, problems, short, time } from "./results.ts";

const HEADINGS = ["", "", "median", "min – max", "× ours", "target"];

/** Says where and how was measured. */
export function heading(machine: Machine): string {
  return [...describe(machine), "Contenders take turns. × ours is a contender's time over ours, the median of each run's own ratio."].join(
    "\n",
  );
}

/** All figures in one table, what is missing, and a line that counts. */
export function table(figures: readonly Measured[]): string {
  const rows = figures.flatMap((figure) => [...figureRows(figure), []]);
  const widths = HEADINGS.map((heading, i) => Math.max(heading.length, ...rows.map((row) => row[i] === undefined ? 0 : row[i].length)));
  const line = (cells: readonly string[]) =>
    cells.map((cell, i) => i < 2 || i === 5 ? cell.padEnd(widths[i]) : cell.padStart(widths[i])).join("  ").trimEnd();
  const missing = problems(figures);
  return [
    line(HEADINGS),
    "─".repeat(line(HEADINGS).length),
    ...rows.map(line),
    ...missing,
    ...(missing.length === 0 ? [] : [""]),
    count(figures),
  ].join("\n");
}

function figureRows(figure: Measured): string[][] {
  const { id, title, runs, load, unit, results } = figure;
  const how = `  (${id}, ${runs} ${runs === 1 ? "run" : "runs"}, load ${load.toFixed(1)})`;
  const rows = results.map((result, i) => [
    i === 0 ? title : i === 1 ? how : "",
    result.name,
    ...numbers(result, unit),
    i === 0 ? judgement(figure) : "",
  ]);
  return rows.length > 1 ? rows : [...rows, [how]];
}

function numbers(result: Result, unit: string): string[] {
  const { min, max, timesOurs } = result;
  return [
    time(result, unit),
    min === null || max === null ? "" : `${short(min)} – ${short(max)}`,
    timesOurs === null ? "" : timesOurs.toFixed(2),
  ];
}

/** "1.12 of at most 1.3 × Deno.dlopen: reached". */
function judgement(figure: Measured): string {
  const { value, ofTarget } = figure, limit = limitOf(figure);
  if (limit === null) return "";
  if (value === null || ofTarget === null) return `at most ${limit}: can't be told`;
  return `${short(value)} of at most ${limit}: ${ofTarget <= 1 ? "reached" : `MISSED, ${ofTarget.toFixed(2)} × too much`}`;
}

function count(figures: readonly Measured[]): string {
  const aimed = figures.filter(({ target }) => target !== null);
  const reached = aimed.filter(({ ofTarget }) => ofTarget !== null && ofTarget <= 1).length;
  const untold = aimed.filter(({ ofTarget }) => ofTarget === null).length;
  return `${reached} reached, ${aimed.length - reached - untold} missed${untold === 0 ? "" : `, ${untold} not comparable`}`;
}
