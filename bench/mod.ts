/**
 * `deno task bench`: how fast this is beside what else there is, on this machine.
 *
 *     deno task bench [--json FILE] [FILTER…]
 *
 * A filter is a part of a figure's id: `demo`, `call`, `field`, `graph`, `regenerate`. The headers are those of the pinned release; `INCLUDE=TREE`
 * names others. It measures, and fails only if our own programs don't run: being slow is no failure, nor is a peer that isn't there.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import { pinnedTree } from "../lexer/release.ts";
import { figures } from "./figures.ts";
import { type Measured, measureFigure } from "./measure.ts";
import { type Headers, pathOf, type Peers, preparePeers } from "./peers.ts";
import { heading, type Machine, table } from "./table.ts";

const ROOT = pathOf(new URL("../", import.meta.url));

async function main(args: string[]): Promise<number> {
  const unknown: string[] = [];
  const { json, _: filters } = parseArgs(args, {
    string: ["json", "_"],
    unknown: (arg) => !arg.startsWith("-") || (unknown.push(arg), false),
  });
  if (unknown.length > 0) {
    console.error(`unknown option ${unknown.join(" ")}\nusage: deno task bench [--json FILE] [FILTER…]`);
    return 2;
  }
  const work = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "ggml-bench-" }));
  try {
    return await bench(work, filters.map(String), json);
  } finally {
    Deno.removeSync(work, { recursive: true });
  }
}

/** Measures what the filters choose. The result is the exit status. */
async function bench(work: string, filters: string[], json: string | undefined): Promise<number> {
  const headers = await findHeaders();
  const peers = await preparePeers(work, headers);
  const all = await figures(peers, work, headers);
  const chosen = all.filter(({ id }) => filters.length === 0 || filters.some((filter) => id.includes(filter)));
  if (chosen.length === 0) {
    console.error(`no figure matches ${filters.join(" ")}; there are ${all.map(({ id }) => id).join(", ")}`);
    return 2;
  }
  const machine = describeMachine(peers);
  console.log(`${heading(machine)}\n`);
  const measured: Measured[] = [];
  for (const figure of chosen) {
    progress(`${figure.id} (${measured.length + 1} of ${chosen.length})`);
    measured.push(await measureFigure(figure, ROOT));
  }
  progress("");
  console.log(table(measured));
  if (json !== undefined) Deno.writeTextFileSync(json, `${JSON.stringify({ machine, figures: measured.map(forJson) }, null, 2)}\n`);
  return measured.some(({ results }) => results[0].problem?.startsWith("failed")) ? 1 : 0;
}

/** The llama.cpp tree; without one (it comes out of an archive by git and tar) there is still much to measure. */
async function findHeaders(): Promise<Headers> {
  try {
    return { tree: Deno.realPathSync(Deno.env.get("INCLUDE") || await pinnedTree()) };
  } catch (error) {
    console.error(`No headers: ${(error as Error).message}`);
    return { missing: "the headers: apt-get install git tar, or name a tree, INCLUDE=<llama.cpp tree>" };
  }
}

function describeMachine({ library, version }: Peers): Machine {
  const { os, arch } = Deno.build;
  return { deno: Deno.version.deno, ggml: version, library, os, arch, cores: navigator.hardwareConcurrency, load: Deno.loadavg()[0] };
}

/** What a machine wants to know of a figure. */
function forJson({ figure: { id, title, unit, how, target }, results, value, ofTarget, load }: Measured): unknown {
  return { id, title, unit, how, target, value, ofTarget, reached: ofTarget === null ? null : ofTarget <= 1, load, results };
}

/** Says, on a terminal, what is going on. */
function progress(text: string): void {
  if (Deno.stderr.isTerminal()) Deno.stderr.writeSync(new TextEncoder().encode(`\r\x1b[K${text}`));
}

if (import.meta.main) Deno.exit(await main(Deno.args));
