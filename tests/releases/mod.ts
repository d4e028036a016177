/**
 * `deno task releases`: what another release of ggml's would change here, and whether the project works with it.
 *
 * For each release it binds a copy of the project to that release's headers, checks it, runs the tests that are meant for every release over that
 * release's own libraries, and prints a line; below, all that is left to do by hand. It is what to run on the day of a release.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import { join } from "@std/path";
import { RELEASES } from "../../ffi/load/releases.ts";
import { packageOf, PINNED, releaseTree } from "../../lexer/ggml/release.ts";
import { isTree, readTree, type Tree } from "../../lexer/ggml/tree.ts";
import { compare } from "./compare.ts";
import { lookAt } from "./headers.ts";
import { type Candidate, candidate } from "./pin.ts";
import { PLACES, ROOT } from "./places.ts";
import { details, line, type Row, TITLE, writePage } from "./print.ts";
import { bind, type Built, check, inScratch, test } from "./scratch.ts";
import { type Surface, surfaceOf } from "./surface.ts";

const USAGE = `Binds a copy of the project to other releases of ggml's, checks it and tests it over their libraries.

  deno task releases [VERSION|TREE…] [--json FILE] [--quick] [--write]

  VERSION      of npm's node-llama-cpp, or latest, oldest, between, pinned; by default all that the table of releases has, and the newest
  TREE         the path of a llama.cpp or ggml tree; it is tested if it has libraries in build/bin (llama.cpp) or build/src (ggml)
  --json FILE  write what was found there, too
  --quick      only the tests that take no time
  --write      write the table into ${PLACES.page}
`;

/** What is looked at. */
interface Source {
  readonly name: string;
  readonly tree: string;
  /** What it is compared with. */
  readonly before: Surface | null;
  readonly candidate: Candidate | null;
}

/** Words for releases, so that who calls this need not name any. */
const WORDS: Readonly<Record<string, string>> = {
  oldest: RELEASES[0].package,
  between: RELEASES[Math.floor(RELEASES.length / 2)].package,
  pinned: PINNED.version,
};

async function sourceOf(given: string): Promise<Source> {
  const name = WORDS[given] ?? given;
  const isFolder = await Deno.stat(name).then(({ isDirectory }) => isDirectory, () => false);
  if (!isFolder && /[/\\]/.test(name)) throw new Error(`there is no folder ${name}`);
  if (isFolder) {
    if (!isTree(name)) throw new Error(`${name} is no llama.cpp or ggml tree: there is no ggml.h in it, its include or its ggml/include`);
    return { name, tree: await Deno.realPath(name), before: surfaceOf(read(await releaseTree(PINNED.version))), candidate: null };
  }
  const wanted = await candidate(name), version = wanted.release.package;
  const index = RELEASES.findIndex((release) => release.package === version);
  const before = index === 0 ? null : RELEASES.at(index < 0 ? -1 : index - 1)!.package;
  return {
    name: version,
    tree: wanted.tree,
    before: before === null ? null : surfaceOf(read(await releaseTree(before))),
    candidate: wanted,
  };
}

function read(tree: string): Tree {
  return readTree(tree, join(ROOT, PLACES.api));
}

async function look({ name, tree, before, candidate }: Source, quick: boolean): Promise<Row> {
  const begin = performance.now(), parsed = read(tree), surface = surfaceOf(parsed);
  const broken = parsed.diagnostics.filter(({ severity }) => severity === "error").map(({ message }) => message);
  const llama = surface.functions.has("llama_decode");
  const difference = before === null ? null : compare(before, surface);
  const about = {
    name,
    llama: candidate?.release.llama ?? null,
    ggml: surface.release,
    headers: lookAt(parsed, before?.functions ?? surface.functions, llama),
    added: difference?.added ?? [],
    gone: (difference?.gone ?? []).filter((name) => llama || !name.startsWith("llama_")), // a tree of ggml's alone
    changed: [...difference?.changed ?? []].map(([name, { what }]) => `${name}: ${what}`),
  };
  const tried = broken.length > 0 ? { errors: broken, tested: null } : await attempt(candidate ?? tree, quick, llama);
  return { ...about, ...tried, seconds: Math.round((performance.now() - begin) / 100) / 10 };
}

async function attempt(to: Candidate | string, quick: boolean, llama: boolean): Promise<Pick<Row, "errors" | "tested">> {
  return await inScratch(async (root) => {
    try {
      await bind(root, to);
    } catch (error) {
      return { errors: [(error as Error).message], tested: null };
    }
    const errors = await check(root, quick, llama), built = typeof to === "string" ? await builtIn(to) : null;
    return { errors, tested: typeof to === "string" && built === null ? null : await test(root, quick, llama, built) };
  });
}

/** The folder with the libraries that a tree was built to, which is another in llama.cpp than in ggml by itself; null if it wasn't. */
async function builtIn(tree: string): Promise<Built | null> {
  for (const folder of ["bin", "src"]) {
    const library = join(tree, "build", folder);
    const names = await Array.fromAsync(Deno.readDir(library), ({ name }) => name).catch(() => []);
    if (names.some((name) => /ggml.*\.(so|dylib|dll)$/.test(name))) return { tree, library };
  }
  return null;
}

async function main(args: string[]): Promise<number> {
  const unknown: string[] = [];
  const { _: names, json, quick, write, help } = parseArgs(args, {
    string: ["json", "_"],
    boolean: ["quick", "write", "help"],
    unknown: (arg) => !arg.startsWith("-") || void unknown.push(arg),
  });
  if (help) return console.log(USAGE.trimEnd()), 0;
  if (unknown.length > 0) return console.error(`unknown argument: ${unknown.join(" ")}\n\n${USAGE.trimEnd()}`), 2;
  const sources: Source[] = []; // a name that nothing has is said before the others take their minutes
  for (const name of names.length > 0 ? names.map(String) : await all()) sources.push(await sourceOf(name));
  const rows: Row[] = [];
  console.log(TITLE);
  for (const source of sources) {
    const row = await look(source, quick);
    rows.push(row);
    console.log(line(row));
  }
  for (const row of rows) console.log(details(row));
  if (json !== undefined) await Deno.writeTextFile(json, JSON.stringify(rows, null, 2) + "\n");
  if (write) await writePage(rows);
  return rows.every(({ errors, tested }) => errors.length === 0 && (tested?.failed.length ?? 0) === 0) ? 0 : 1;
}

/** The table's releases, and the registry's newest. */
async function all(): Promise<string[]> {
  const latest = await packageOf("latest").then(({ version }) => [version], () => []);
  return [...new Set([...RELEASES.map((release) => release.package), ...latest])];
}

if (import.meta.main) {
  Deno.exit(
    await main(Deno.args).catch((error) => {
      console.error(`releases: ${error.message}`);
      return 1;
    }),
  );
}
