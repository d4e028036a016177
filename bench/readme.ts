/**
 * Results in bench/README.md and in the README: a table between two markers, so that nobody types numbers.
 *
 * @module
 */

import type { Measured, Result } from "./measure.ts";
import { describe, problems, type Results, short, time } from "./results.ts";

const BEGIN = "<!-- bench: written by `deno task bench --readme` from bench/results.json -->", END = "<!-- bench: end -->";
/** The contenders with a column of their own; the others share the next. */
const COLUMNS = ["ours", "Deno.dlopen", "C", "cffi", "ctypes"];

/** What the README shows, by the figures' names. */
const SHOWN = ["call-nelements", "copy-q4_K-f32", "copy-f32-q4_K"];

/**
 * Puts all results into the text of bench/README.md.
 *
 * @throws {Error} If the text hasn't both markers, each once, in order.
 */
export function updateTable(text: string, results: Results): string {
  return between(text, section(results));
}

/** Puts three of them into the README's text, as {@linkcode updateTable}. */
export function updateReadme(readme: string, { machine, figures }: Results): string {
  const shown = figures.filter(({ id }) => SHOWN.includes(id));
  const rows = shown.map(({ title, unit, results }) => [
    title,
    ...["ours", "Deno.dlopen", "C", "cffi"].map((name) => textOf(results.find((result) => result.name === name), unit)),
  ]);
  return between(
    readme,
    [...aligned([["", "ours", "Deno.dlopen", "C", "cffi"], ...rows]), "", `${escape(machine.cpu)}, ${machine.date}.`].join("\n"),
  );
}

/** "8.58 ns". */
function textOf(result: Result | undefined, unit: string): string {
  return result === undefined || result.median === null ? "–" : time(result, unit);
}

function between(text: string, inside: string): string {
  const [before, old, ...more] = text.split(BEGIN);
  const [, after, ...evenMore] = old?.split(END) ?? [];
  if (after === undefined || more.length + evenMore.length > 0) {
    throw new Error(`the page must have '${BEGIN}' and, after it, '${END}', once each`);
  }
  return `${before}${BEGIN}\n\n${inside}\n\n${END}${after}`;
}

function section({ machine, figures }: Results): string {
  const lines = describe(machine).map((line) => `${escape(line)}.`);
  const missing = problems(figures);
  return [
    ...lines.flatMap((line, i) => i === 0 ? [line] : ["", line]),
    "",
    ...table(figures),
    ...(missing.length === 0 ? [] : ["", "Not compared:", "", ...missing.map((line) => `- ${escape(line)}`)]),
  ].join("\n");
}

function table(figures: readonly Measured[]): string[] {
  return aligned([["", ...COLUMNS, "others"], ...figures.map(row)]);
}

/** Rows of a table, padded as `deno fmt` pads them. */
function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0].map((_, i) => Math.max(3, ...rows.map((cells) => cells[i].length)));
  const line = (cells: readonly string[]) => `| ${cells.map((cell, i) => cell.padEnd(widths[i])).join(" | ")} |`;
  return [line(rows[0]), line(widths.map((width) => "-".repeat(width))), ...rows.slice(1).map(line)];
}

function row({ title, unit, results }: Measured): string[] {
  const others = results.filter(({ name }) => !COLUMNS.includes(name)).map((result) => `${result.name}: ${cell(result, unit)}`);
  return [
    title,
    ...COLUMNS.map((name) => cell(results.find((result) => result.name === name), unit)),
    others.join("; "),
  ].map(escape);
}

/** "8.58 ns (8.51 – 9.62)". */
function cell(result: Result | undefined, unit: string): string {
  if (result === undefined) return "";
  const { min, max } = result;
  return min === null || max === null ? "–" : `${time(result, unit)} (${short(min)} – ${short(max)})`;
}

/** What Markdown would take for markup. */
function escape(text: string): string {
  return text.replace(/[\\`*_[\]<>|]/g, (character) => `\\${character}`).replace(/\s+/g, " ");
}
