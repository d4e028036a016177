/**
 * `deno task docs`: the reference and the guide as HTML that needs no server.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import { join, resolve } from "@std/path";
import { pinnedTree } from "../../lexer/ggml/release.ts";
import { ROOT } from "./root.ts";

const USAGE = `Builds the reference of ggml's C API and of this package's modules, with the guide, as HTML.

  deno task docs [--include TREE] [--api FILE] [--out FOLDER] [--screenshot FILE]

  --include TREE     the llama.cpp or ggml tree (or the folder) whose headers and comments are shown; also INCLUDE=TREE.
                     By default the headers of the pinned release, downloaded once.
  --api FILE         what is shown: a C file that includes the headers; also API=FILE. By default lexer/ggml/api.h.
  --out FOLDER       where to write: a new folder, or that of an earlier reference, which is replaced. By default
                     docs/reference/.
  --screenshot FILE  take a picture of it too, with Chromium.
`;

/** Runs the command. The result is its exit status. */
export async function docs(args: readonly string[]): Promise<number> {
  const unknown: unknown[] = [];
  const options = parseArgs([...args], {
    string: ["include", "api", "out", "screenshot"],
    boolean: ["help"],
    unknown: (arg: string) => void unknown.push(arg),
  });
  if (options.help) {
    console.log(USAGE.trimEnd());
    return 0;
  }
  const empty = (["include", "api", "out", "screenshot"] as const).find((name) => options[name] === "");
  if (empty !== undefined) {
    console.error(`--${empty} wants a path\n\n${USAGE.trimEnd()}`);
    return 2;
  }
  unknown.push(...options._);
  if (unknown.length > 0) {
    console.error(`unknown argument: ${[...new Set(unknown)].join(" ")}\n\n${USAGE.trimEnd()}`);
    return 2;
  }
  try {
    const tree = options.include ?? (Deno.env.get("INCLUDE") || await pinnedTree());
    const out = resolve(options.out ?? join(ROOT, "docs/reference"));
    await build(tree, options.api ?? (Deno.env.get("API") || join(ROOT, "lexer/ggml/api.h")), out);
    console.log(`Wrote ${join(out, "index.html")}`);
    if (options.screenshot) await (await import("./screenshot.ts")).screenshot(out, options.screenshot);
    return 0;
  } catch (error) {
    console.error(`docs: ${(error as Error).message}`);
    return 1;
  }
}

async function build(tree: string, api: string, out: string): Promise<void> {
  expectReplaceable(out);
  const { stage } = await import("./stage.ts");
  const { writeSite } = await import("./site.ts");
  const folder = await Deno.makeTempDir({ prefix: "ggml-docs-" });
  try {
    await writeSite(await stage(tree, api, folder), out);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The folder is emptied: it must hold an earlier reference, or nothing. */
function expectReplaceable(out: string): void {
  if (!exists(out) || exists(join(out, "assets/search.js"))) return;
  if ([...Deno.readDirSync(out)].length > 0) throw new Error(`${out} holds something else than an earlier reference: name another folder`);
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

if (import.meta.main) Deno.exit(await docs(Deno.args));
