/**
 * `deno task pin VERSION`: makes another release of npm's `node-llama-cpp` the pinned one, with everything that follows from it.
 *
 * It writes the version where the project keeps it, the lock's hashes, the bindings, and what changed since the other releases; and it names what
 * it can't do. `deno task releases VERSION`, before it, says whether the project works with that release.
 *
 * @module
 */

import { join } from "@std/path";
import { parseArgs } from "@std/cli/parse-args";
import { type Package, packageOf, PINNED, releaseTree } from "../../lexer/ggml/release.ts";
import { readTree } from "../../lexer/ggml/tree.ts";
import { RELEASES } from "../../ffi/load/releases.ts";
import { historyText, type Release, unspeakable } from "./history.ts";
import { llamaRelease } from "./llama.ts";
import { PLACES, ROOT } from "./places.ts";
import { mustRun } from "./run.ts";
import { surfaceOf } from "./surface.ts";

const USAGE = `Makes another release the pinned one: the versions, the lock, the bindings, what changed since the releases before.

  deno task pin VERSION

  VERSION  of npm's node-llama-cpp, such as ${PINNED.version}, or latest
`;

/** What `regenerate` says if it found some. */
const STALE = /^Pragmas for what these headers don't declare/m;

/** A release that may be pinned. */
export interface Candidate {
  readonly release: Release;
  readonly package: Package;
  /** The llama.cpp tree of it. */
  readonly tree: string;
}

/** A version of the package, with its tree. */
export async function candidate(version: string): Promise<Candidate> {
  const found = await packageOf(version), tree = await releaseTree(found.version);
  const { release: ggml } = readTree(tree, join(ROOT, PLACES.api));
  if (ggml === null) throw new Error(`${tree} doesn't say which ggml it is`);
  return { package: found, tree, release: { package: found.version, llama: await llamaRelease(found.version), ggml } };
}

/**
 * Pins a release in a checkout.
 *
 * @param root The checkout, which may be a copy of this one.
 * @returns What `regenerate` says.
 */
export async function pin(root: string, { release, package: found, tree }: Candidate): Promise<string> {
  await edit(join(root, PLACES.find), /(?<=export const RELEASE = ){.*}(?= as const;)/, () => {
    const { package: npm, llama, ggml } = release;
    return `{ package: "${npm}", llama: "${llama}", ggml: "${ggml}" }`;
  });
  await edit(join(root, PLACES.release), /(?<=export const PINNED = {\n {2}version: ").*(?=")/, () => found.version);
  await edit(join(root, PLACES.release), /(?<=export const PINNED = {\n.*\n {2}integrity: ").*(?=")/, () => found.integrity);
  await edit(join(root, PLACES.readme), /(?<=pinned release \()ggml [\d.]+, llama\.cpp [\w.]+(?=,)/, () => {
    return `ggml ${release.ggml}, llama.cpp ${release.llama}`;
  });
  await lock(join(root, PLACES.lock), release.package);
  return await mustRun(["run", "-A", "--quiet", PLACES.regenerate], root, { INCLUDE: tree });
}

/** Writes what changed, with one more release. Gives what is left to do by hand. */
async function record(root: string, { release }: Candidate): Promise<string[]> {
  const releases = [...RELEASES.filter(({ package: npm }) => npm !== release.package), release].sort(byVersion);
  const recorded = [];
  for (const release of releases) {
    const tree = readTree(await releaseTree(release.package), join(ROOT, PLACES.api));
    recorded.push({ release, surface: surfaceOf(tree) });
  }
  await Deno.writeTextFile(join(root, PLACES.history), historyText(recorded));
  await mustRun(["fmt", "--quiet", PLACES.history], root);
  return unspeakable(recorded);
}

function byVersion(a: Release, b: Release): number {
  return a.package.localeCompare(b.package, "en", { numeric: true });
}

/** The hashes of the platforms' packages, as the registry gives them. */
async function lock(path: string, version: string): Promise<void> {
  let text = await Deno.readTextFile(path);
  const platforms = new Set([...text.matchAll(/"npm:(@node-llama-cpp\/[\w-]+)@/g)].map(([, name]) => name));
  for (const name of platforms) {
    const { integrity } = await packageOf(version, name);
    text = text
      .replace(new RegExp(`"npm:${name}@[^"]*": "[^"]*"`), `"npm:${name}@${version}": "${version}"`)
      .replace(new RegExp(`"${name}@[^"]*": {(\\s*)"integrity": "[^"]*"`), `"${name}@${version}": {$1"integrity": "${integrity}"`);
  }
  await Deno.writeTextFile(path, text);
}

async function edit(path: string, pattern: RegExp, replacement: () => string): Promise<void> {
  const text = await Deno.readTextFile(path);
  if (!pattern.test(text)) throw new Error(`${path}: expected ${pattern}: it is written there, or this tool is told where`);
  await Deno.writeTextFile(path, text.replace(pattern, replacement));
}

async function main(args: string[]): Promise<number> {
  const { _: [version, ...others], help } = parseArgs(args, { boolean: ["help"], string: ["_"] });
  if (help) return console.log(USAGE.trimEnd()), 0;
  if (version === undefined || others.length > 0) return console.error(`expected one VERSION\n\n${USAGE.trimEnd()}`), 2;
  const wanted = await candidate(String(version));
  const byHand = await record(ROOT, wanted);
  const said = await pin(ROOT, wanted);
  console.log(said);
  const { package: npm, llama, ggml } = wanted.release;
  console.log(
    `Pinned ${npm}: ggml ${ggml}, llama.cpp ${llama}. Now \`deno task releases ${npm}\`, \`deno task test\`, and \`deno task bench --readme\`.`,
  );
  if (STALE.test(said)) {
    console.log(`By hand: take the pragmas above, for what this release lacks, out of ${PLACES.api}; a test wants none of them`);
  }
  for (const text of byHand) console.log(`By hand: an enum that C can't name was renumbered: ${text}`);
  return 0;
}

if (import.meta.main) {
  Deno.exit(
    await main(Deno.args).catch((error) => {
      console.error(`pin: ${error.message}`);
      return 1;
    }),
  );
}
