/**
 * Results in the README: a table between two markers, so that nobody types numbers.
 *
 * @module
 */

import type { Measured, Result } from "./measure.ts";
import { describe, limitOf, problems, type Results, short, time } from "./results.ts";

const BEGIN = "<!-- bench: written by `deno task bench --readme` from bench/results.json -->", END = "<!-- bench: end -->";
/** Those with a column of their own; the figures' other contenders share the next. */
const COLUMNS = ["ours", "Deno.dlopen", "C", "cffi", "ctypes"];

/**
 * Puts results into the README's text.
 *
 * @throws {Error} If the text hasn't both markers, each once, in order.
 */
export function updateReadme(readme: string, results: Results): string {
  const [before, inside, ...more] = readme.split(BEGIN);
  const [, after, ...evenMore] = inside?.split(END) ?? [];
  if (after === undefined || more.length + evenMore.length > 0) {
    throw new Error(`the README must have '${BEGIN}' and, after it, '${END}', once each`);
  }
  return `${before}${BEGIN}\n\n${section(results)}\n\n${END}${after}`;
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

/** Padded as `deno fmt` pads it. */
function table(figures: readonly Measured[]): string[] {
  const rows = [["", ...COLUMNS, "others", "to reach"], ...figures.map(row)];
  const widths = rows[0].map((_, i) => Math.max(3, ...rows.map((cells) => cells[i].length)));
  const line = (cells: readonly string[]) => `| ${cells.map((cell, i) => cell.padEnd(widths[i])).join(" | ")} |`;
  return [line(rows[0]), line(widths.map((width) => "-".repeat(width))), ...rows.slice(1).map(line)];
}

function row(figure: Measured): string[] {
  const { title, unit, results, ofTarget } = figure;
  const others = results.filter(({ name }) => !COLUMNS.includes(name)).map((result) => `${result.name}: ${cell(result, unit)}`);
  const limit = limitOf(figure);
  const aim = limit === null ? "" : ofTarget === null ? limit : `${limit}: ${ofTarget <= 1 ? "yes" : `no, ${short(figure.value!)}`}`;
  return [
    title,
    ...COLUMNS.map((name) => cell(results.find((result) => result.name === name), unit)),
    others.join("; "),
    aim,
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
