/**
 * What was found out about a release, as a line of a table and as text.
 *
 * @module
 */

import { join } from "@std/path";
import type { HeaderFacts } from "./headers.ts";
import { PLACES, ROOT } from "./places.ts";
import type { Tested } from "./scratch.ts";

/** One release. */
export interface Row {
  /** The package's version, or the tree's path. */
  readonly name: string;
  readonly llama: string | null;
  readonly ggml: string | null;
  readonly headers: HeaderFacts;
  /** Functions, compared with the release before. */
  readonly added: readonly string[];
  readonly gone: readonly string[];
  readonly changed: readonly string[];
  /** Of the headers, or of the type check. */
  readonly errors: readonly string[];
  /** Null where there were no libraries to test with. */
  readonly tested: Tested | null;
  readonly seconds: number;
}

const COLUMNS: readonly (readonly [title: string, cell: (row: Row) => string | number])[] = [
  ["release", ({ name }) => name],
  ["llama.cpp", ({ llama }) => llama ?? "–"],
  ["ggml", ({ ggml }) => ggml ?? "–"],
  ["functions", ({ headers }) => headers.bound],
  ["new", ({ added }) => added.length],
  ["gone", ({ gone }) => gone.length],
  ["changed", ({ changed }) => changed.length],
  ["pragmas without effect", ({ headers }) => headers.stale.length],
  ["pointers without a word", ({ headers }) => headers.unspoken.length],
  ["type errors", ({ errors }) => errors.length],
  ["tests passed", ({ tested }) => tested === null ? "–" : `${tested.passed} of ${tested.passed + tested.failed.length}`],
  ["seconds", ({ seconds }) => seconds.toFixed(0)],
];

/** The first two lines of the table, in Markdown. */
export const TITLE = `| ${COLUMNS.map(([title]) => title).join(" | ")} |\n|${COLUMNS.map((_, i) => i < 3 ? " --- |" : " ---: |").join("")}`;

/** A release's line. */
export function line(row: Row): string {
  return `| ${COLUMNS.map(([, cell]) => cell(row)).join(" | ")} |`;
}

/** All that is to be looked at by hand. */
export function details(row: Row): string {
  const { name, headers, added, gone, changed, errors, tested } = row;
  const lists: readonly (readonly [string, readonly string[]])[] = [
    ["new functions", added],
    ["functions that are gone", gone],
    ["functions that changed", changed],
    ["pragmas of api.h without effect", headers.stale],
    ["pointers of which api.h says nothing yet", headers.unspoken],
    ["not bound", headers.skipped],
    ["errors", errors],
    ["tests that failed", tested?.failed ?? []],
  ];
  const texts = lists.filter(([, list]) => list.length > 0).map(([title, list]) =>
    `  ${title}: ${list.length}\n    ${list.join("\n    ")}`
  );
  return `\n${name}${texts.length === 0 ? ": nothing is left to do" : `\n${texts.join("\n")}`}`;
}

const BEGIN = "<!-- releases: written by `deno task releases --write` -->", END = "<!-- /releases -->";

/** Puts the table where the page has its place. */
export async function writePage(rows: readonly Row[]): Promise<void> {
  const path = join(ROOT, PLACES.page), text = await Deno.readTextFile(path);
  const [before, after] = [text.split(BEGIN)[0], text.split(END)[1]];
  if (after === undefined) throw new Error(`${path}: expected ${BEGIN} and ${END}`);
  await Deno.writeTextFile(path, `${before}${BEGIN}\n\n${[TITLE, ...rows.map(line)].join("\n")}\n\n${END}${after}`);
  await new Deno.Command(Deno.execPath(), { args: ["fmt", "--quiet", path], cwd: ROOT }).output();
}
