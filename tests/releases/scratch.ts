/**
 * A copy of the project, bound anew to a release's headers, checked and tested.
 *
 * @module
 */

import { join } from "@std/path";
import { PLACES, ROOT } from "./places.ts";
import { type Candidate, pin } from "./pin.ts";
import { deno, mustRun, run } from "./run.ts";
import { suite } from "./suite.ts";

/** What of the cache the copy uses too: what was downloaded, not what was built of it. */
const SHARED = /^(llama\.cpp-|@node-llama-cpp-|python$)/;

/** Runs something in a copy of the project, which is then removed. */
export async function inScratch<T>(act: (root: string) => Promise<T>): Promise<T> {
  const root = await Deno.makeTempDir({ prefix: "releases-" });
  try {
    await copyProject(root);
    return await act(root);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

async function copyProject(to: string): Promise<void> {
  const { success, output } = await run("git", ["ls-files", "--cached", "--others", "--exclude-standard"], ROOT);
  if (!success) throw new Error(`git ls-files, in ${ROOT}: ${output}`);
  for (const file of output.split("\n").filter((file) => file !== "")) {
    await Deno.mkdir(join(to, file, ".."), { recursive: true });
    await Deno.copyFile(join(ROOT, file), join(to, file)).catch((error) => {
      if (!(error instanceof Deno.errors.NotFound)) throw error; // removed and not yet committed
    });
  }
  await Deno.mkdir(join(to, ".cache"));
  for await (const { name } of Deno.readDir(join(ROOT, ".cache"))) {
    if (SHARED.test(name)) await Deno.symlink(join(ROOT, ".cache", name), join(to, ".cache", name));
  }
}

/** Binds the copy to a release, which is its pinned one then, or to a tree. */
export async function bind(root: string, to: Candidate | string): Promise<void> {
  if (typeof to === "string") await mustRun(["run", "-A", "--quiet", PLACES.regenerate], root, { INCLUDE: to });
  else await pin(root, to);
}

/** Type-checks what the project exports, and the tests. Gives the errors. */
export async function check(root: string, quick: boolean, llama: boolean): Promise<string[]> {
  const { exports } = JSON.parse(await Deno.readTextFile(join(root, PLACES.config)));
  const modules = Object.values<string>(exports).filter((path) => llama || !path.startsWith(PLACES.models));
  const { success, output } = await deno(["check", ...modules, ...await suite(root, quick, llama)], root);
  if (success) return [];
  const errors = [...output.matchAll(/^TS\d+ \[ERROR\]: (.*)\n[^]*?at file:\/\/(\S+)/gm)];
  return errors.length === 0
    ? [output.trim()]
    : errors.map(([, what, at]) => `${decodeURIComponent(at).replace(`${root}/`, "")}: ${what}`.replaceAll(root, ""));
}

/** How the tests ended. */
export interface Tested {
  readonly passed: number;
  readonly failed: readonly string[];
}

/** A tree, and the folder with the libraries that it was built to. */
export interface Built {
  readonly tree: string;
  readonly library: string;
}

/** Runs the tests against the copy's default library, or against a tree's, with the tree's headers. */
export async function test(root: string, quick: boolean, llama: boolean, built: Built | null): Promise<Tested> {
  const files = await suite(root, quick, llama, built !== null), together = await testFiles(root, files, built);
  if (together !== null) return together;
  // One of them ended the process: the others' results come one by one.
  let passed = 0;
  const failed: string[] = [];
  for (const file of files) {
    const alone = await testFiles(root, [file], built);
    passed += alone?.passed ?? 0;
    failed.push(...alone?.failed ?? [`${file}: it ended the process`]);
  }
  return { passed, failed };
}

async function testFiles(root: string, files: readonly string[], built: Built | null): Promise<Tested | null> {
  const report = join(root, "report.xml");
  await Deno.remove(report).catch(() => {});
  const permissions = ["ffi", "read", "write", "env", "run", "net"].map((name) => `--allow-${name}`);
  const env = { GGML_LIBRARY: built?.library ?? "", INCLUDE: built?.tree ?? "" };
  await deno(["test", "--quiet", "--no-check", ...permissions, `--junit-path=${report}`, ...files], root, env);
  const text = await Deno.readTextFile(report).catch(() => null);
  return text === null ? null : readReport(text);
}

/** The counts of a JUnit report, and the names of what failed. */
export function readReport(text: string): Tested {
  const cases = [...text.matchAll(/<testcase name="([^"]*)"[^>]*?(?:\/>|>([^]*?)<\/testcase>)/g)];
  const failed = cases.filter(([, , inside]) => /<(failure|error)\b/.test(inside ?? ""));
  const skipped = cases.filter(([, , inside]) => /<skipped\b/.test(inside ?? ""));
  return { passed: cases.length - failed.length - skipped.length, failed: failed.map(([, name]) => unescape(name)) };
}

function unescape(text: string): string {
  const entities: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", "#39": "'", "#34": '"' };
  return text.replaceAll(/&([#\w]+);/g, (whole, name) => entities[name] ?? whole);
}
