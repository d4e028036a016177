/**
 * `deno task regenerate`: reads ggml's headers and writes the bindings.
 *
 * It writes all of the files or, where a header is wrong, none. The task gives V8 a young generation of 8 MB to begin with: syntax trees outlive
 * the usual one, and to copy them on takes a fifth of the time.
 *
 * @module
 */

import { format } from "../mod.ts";
import type { Api } from "../emit/api/api.ts";
import { emit } from "../emit/products/bindings.ts";
import { pathOf, pinnedTree } from "./release.ts";
import { SENTENCES } from "./sentences.ts";
import { readHeader, readTree } from "./tree.ts";

const USAGE = `Writes the bindings anew from ggml's C headers.

  deno task regenerate [--include TREE] [--api FILE] [--out FOLDER] [--check]

  --include TREE  the llama.cpp or ggml tree (or the folder) that holds the headers; also INCLUDE=TREE.
                  By default the headers of the pinned release, downloaded once.
  --api FILE      what to bind: a C file that includes the headers; also API=FILE. By default lexer/ggml/api.h.
  --out FOLDER    where to write. By default ffi/generated/.
  --check         write nothing; fail, and show the difference, where a file is not what would be written.
`;

interface Options {
  include?: string;
  api?: string;
  out?: string;
  check?: boolean;
  help?: boolean;
}

/** Runs the command. The result is its exit status. */
export async function regenerate(args: readonly string[]): Promise<number> {
  const { options, unknown } = await parseOptions(args);
  if (options.help) {
    console.log(USAGE.trimEnd());
    return 0;
  }
  const empty = (["include", "api", "out"] as const).find((name) => options[name] === "");
  if (empty !== undefined) { // the default in its place would overwrite what was not meant
    console.error(`--${empty} wants a path\n\n${USAGE.trimEnd()}`);
    return 2;
  }
  if (unknown.length > 0) {
    console.error(`unknown argument: ${unknown.join(" ")}\n\n${USAGE.trimEnd()}`);
    return 2;
  }
  try {
    const tree = options.include ?? (Deno.env.get("INCLUDE") || await pinnedTree());
    const api = options.api ?? (Deno.env.get("API") || pathOf(new URL("api.h", import.meta.url)));
    return await writeBindings(tree, api, options.out ?? pathOf(new URL("../../ffi/generated", import.meta.url)), options.check === true);
  } catch (error) {
    console.error(`regenerate: ${(error as Error).message}`);
    return 1;
  }
}

async function parseOptions(args: readonly string[]): Promise<{ options: Options; unknown: unknown[] }> {
  if (args.length === 0) return { options: {}, unknown: [] }; // the common case needs no parser, nor the time to load one
  const { parseArgs } = await import("@std/cli/parse-args");
  const unknown: unknown[] = [];
  const { _: rest, ...options } = parseArgs([...args], {
    string: ["include", "api", "out"],
    boolean: ["check", "help"],
    unknown: (arg) => void unknown.push(arg),
  });
  return { options: options as Options, unknown: [...new Set([...unknown, ...rest])] };
}

async function writeBindings(tree: string, api: string, out: string, check: boolean): Promise<number> {
  const { model, diagnostics, release } = readTree(tree, api);
  for (const diagnostic of diagnostics) console.error(format(diagnostic));
  if (diagnostics.some(({ severity }) => severity === "error")) {
    console.error(`regenerate: nothing was written: ${api} can't be read with the headers in ${tree}`);
    return 1;
  }
  const { files, api: bound } = emit(model, { release, runtime: runtimeFrom(out), sentences: SENTENCES, reference: "`deno task docs`" });
  const status = check ? await compare(files, out) : write(files, out);
  report(bound, check ? null : out);
  return status;
}

/** The module specifier of the runtime as the files in `out` import it. */
function runtimeFrom(out: string): string {
  const url = new URL("../../ffi/runtime.ts", import.meta.url);
  if (url.protocol !== "file:") return url.href;
  const from = absolute(out).split("/"), to = pathOf(url).split("/");
  let shared = 0;
  while (shared < from.length && from[shared] === to[shared]) shared++;
  const up = "../".repeat(from.length - shared);
  return (up === "" ? "./" : up) + to.slice(shared).join("/");
}

function write(files: ReadonlyMap<string, string>, out: string): number {
  Deno.mkdirSync(out, { recursive: true });
  for (const [name, text] of files) Deno.writeTextFileSync(`${out}/${name}`, text);
  return 0;
}

async function compare(files: ReadonlyMap<string, string>, out: string): Promise<number> {
  let status = 0;
  for (const [name, text] of files) {
    const path = `${out}/${name}`;
    const committed = readHeader(path);
    if (committed === text) continue;
    status = 1;
    if (committed === undefined) console.error(`${path} is missing`);
    else console.error((await import("diff")).createTwoFilesPatch(path, `${path} (regenerated)`, committed, text));
  }
  if (status !== 0) console.error("regenerate --check: stale: run `deno task regenerate` and commit what it writes");
  return status;
}

/** Says what was bound and what was not. */
function report(api: Api, out: string | null): void {
  const perHeader = new Map<string, number>();
  for (const { declaration } of api.functions) perHeader.set(declaration.header, (perHeader.get(declaration.header) ?? 0) + 1);
  const { functions, records, enums, constants, callbacks, macros, skipped, elsewhere } = api;
  console.log(
    `${out === null ? "Up to date" : `Wrote ${out}`}: ${functions.length} functions, ${records.length} structs, ${enums.length} enums, ` +
      `${constants.length} constants, ${callbacks.length} callback types`,
  );
  console.log(`  functions: ${[...perHeader].map(([header, count]) => `${header} ${count}`).join(", ")}`);
  if (macros.length > 0) console.log(`  macros, as functions: ${macros.map(({ name }) => name).join(", ")}`);
  const variadic = functions.filter(({ declaration }) => declaration.type.variadic).map(({ name }) => name);
  if (variadic.length > 0) console.log(`  variadic, bound without their variable arguments: ${variadic.join(", ")}`);
  const renamed = [...records, ...enums].flatMap(({ name, declaration }) => {
    const cName = declaration.name ?? declaration.alias;
    return cName === null || name === cName ? [] : [`${cName} is ${name}`];
  });
  if (renamed.length > 0) console.log(`  renamed, because a function has the name: ${renamed.join(", ")}`);
  console.log(skipped.length === 0 ? "Skipped nothing" : `Skipped ${skipped.length}:`);
  for (const { name, reason, file, line } of skipped) console.log(`  ${file}:${line}: ${name}: ${reason}`);
  if (elsewhere.length > 0) console.log(`Pragmas for what these headers don't declare: ${elsewhere.length}:`);
  for (const { name, reason, file, line } of elsewhere) console.log(`  ${file}:${line}: ${name}: ${reason}`);
}

function absolute(path: string): string {
  const full = path.startsWith("/") || /^[A-Za-z]:/.test(path) ? path : `${Deno.cwd()}/${path}`;
  return pathOf(new URL(`file://${full.replaceAll("\\", "/").replace(/^(?=[A-Za-z]:)/, "/")}`)).replace(/\/$/, "");
}

if (import.meta.main) Deno.exit(await regenerate(Deno.args));
