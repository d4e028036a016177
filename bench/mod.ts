/**
 * `deno task bench`: how fast this is beside what else there is, on this machine.
 *
 *     deno task bench [--runs N] [--json FILE] [FILTER…]    measures
 *     deno task bench --plot [--json FILE]                  draws FILE's results beside it, as SVG
 *     deno task bench --readme [--json FILE]                writes them into the README
 *
 * A filter is a part of a figure's id: `demo`, `call`, `field`, `build`, `graph`, `compute`, `copy`, `regenerate`, `parse`, `llama`. A run of all figures
 * with all their runs writes `bench/results.json`; a partial one writes only what `--json` names. The headers are those of the pinned release;
 * `INCLUDE=TREE` names others. It fails only if our own programs don't run: being slow is no failure, nor is a peer that isn't there.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import { dirname, fromFileUrl, resolve } from "@std/path";
import { pinnedTree } from "../lexer/ggml/release.ts";
import { figures } from "./figures.ts";
import { describeMachine } from "./machine.ts";
import { type Figure, type Measured, measureFigure } from "./measure.ts";
import { type HeaderTree, preparePeers } from "./peers.ts";
import { plot } from "./plot.ts";
import { updateReadme, updateTable } from "./readme.ts";
import { readResults, writeResults } from "./results.ts";
import { heading, table } from "./table.ts";

const ROOT = fromFileUrl(new URL("../", import.meta.url));
const RESULTS = `${ROOT}bench/results.json`, README = `${ROOT}README.md`, TABLE = `${ROOT}bench/README.md`;
const USAGE = "usage: deno task bench [--runs N] [--json FILE] [FILTER…] | --plot [--json FILE] | --readme [--json FILE]";

/** What the command line asks for. */
interface Options {
  readonly filters: readonly string[];
  readonly runs: number | null;
  readonly json: string | null;
  readonly plot: boolean;
  readonly readme: boolean;
}

/** Runs a command line; the result is the exit status. */
async function main(args: readonly string[]): Promise<number> {
  if (args.includes("--help") || args.includes("-h")) {
    console.log(USAGE);
    return 0;
  }
  const options = parse(args);
  if (typeof options === "string") {
    console.error(`${options}\n${USAGE}`);
    return 2;
  }
  try {
    return options.plot || options.readme ? show(options) : await inWorkFolder((work) => bench(work, options));
  } catch (error) {
    console.error((error as Error).message);
    return 1;
  }
}

/** The options, or what is wrong with them. */
function parse(args: readonly string[]): Options | string {
  const unknown: string[] = [];
  const { json, runs, plot, readme, _ } = parseArgs([...args], {
    string: ["json", "runs", "_"],
    boolean: ["plot", "readme"],
    unknown: (arg) => !arg.startsWith("-") || (unknown.push(arg), false),
  });
  if (unknown.length > 0) return `unknown option ${unknown.join(" ")}`;
  if (json !== undefined && (typeof json !== "string" || json === "")) return "--json wants a file";
  if (runs !== undefined && !/^[1-9]\d*$/.test(String(runs))) return `--runs wants a whole number from 1 on`;
  const filters = _.map(String);
  if ((plot || readme) && (filters.length > 0 || runs !== undefined)) return "--plot and --readme measure nothing";
  return { filters, runs: runs === undefined ? null : Number(runs), json: json ?? null, plot, readme };
}

/** Draws results and writes them into the README, as asked. */
function show({ json, plot: drawn, readme }: Options): number {
  const results = readResults(json ?? RESULTS);
  if (drawn) {
    const path = `${(json ?? RESULTS).replace(/\.json$/, "")}.svg`;
    Deno.writeTextFileSync(path, plot(results));
    console.log(`drew ${path}`);
  }
  if (readme) {
    Deno.writeTextFileSync(README, updateReadme(Deno.readTextFileSync(README), results));
    Deno.writeTextFileSync(TABLE, updateTable(Deno.readTextFileSync(TABLE), results));
    console.log(`wrote ${README} and ${TABLE}`);
  }
  return 0;
}

async function inWorkFolder(use: (work: string) => Promise<number>): Promise<number> {
  const work = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "ggml-bench-" }));
  try {
    return await use(work);
  } finally {
    Deno.removeSync(work, { recursive: true });
  }
}

/** Measures what the filters choose. */
async function bench(work: string, { filters, runs, json }: Options): Promise<number> {
  const headers = await findHeaders();
  const peers = await preparePeers(work, headers);
  const all = figures(peers, work, headers);
  const chosen = all.filter(({ id }) => filters.length === 0 || filters.some((filter) => id.includes(filter)));
  const strays = filters.filter((filter) => !all.some(({ id }) => id.includes(filter)));
  if (strays.length > 0) {
    console.error(`no figure matches ${strays.join(" ")}; there are ${all.map(({ id }) => id).join(", ")}`);
    return 2;
  }
  const path = json ?? (chosen.length === all.length && runs === null ? RESULTS : null);
  if (path !== null) Deno.statSync(dirname(resolve(path))); // rather now than after it all
  const machine = describeMachine(peers);
  console.log(`${heading(machine)}\n`);
  const measured = await measureAll(chosen.map((figure) => ({ ...figure, runs: runs ?? figure.runs })));
  console.log(table(measured));
  if (path !== null) writeResults(path, { machine, figures: measured });
  return measured.some(({ results }) => results[0].problem?.startsWith("failed")) ? 1 : 0;
}

async function measureAll(figures: readonly Figure[]): Promise<Measured[]> {
  const measured: Measured[] = [];
  for (const figure of figures) {
    progress(`${figure.id} (${measured.length + 1} of ${figures.length})`);
    measured.push(await measureFigure(figure, ROOT));
  }
  progress("");
  return measured;
}

/** The llama.cpp tree; without one (it comes out of an archive by git and tar) there is still much to measure. */
async function findHeaders(): Promise<HeaderTree> {
  try {
    return { tree: Deno.realPathSync(Deno.env.get("INCLUDE") || await pinnedTree()) };
  } catch (error) {
    console.error(`No headers: ${(error as Error).message}`);
    return { missing: "the headers: apt-get install git tar, or name a tree, INCLUDE=<llama.cpp tree>" };
  }
}

/** Says, on a terminal, what is going on. */
function progress(text: string): void {
  if (Deno.stderr.isTerminal()) Deno.stderr.writeSync(new TextEncoder().encode(`\r\x1b[K${text}`));
}

if (import.meta.main) Deno.exit(await main(Deno.args));
