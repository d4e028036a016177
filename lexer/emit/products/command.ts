/**
 * The `generate` command: reads headers, writes one module and the runtime beside it or, where a header is wrong, nothing.
 *
 * @module
 */

import type { Api } from "../api/api.ts";
import { printable } from "../../text/diagnostics.ts";
import { format, parse, type ParseOptions } from "../../mod.ts";
import { readFile, standardFolders } from "../../parse/stream.ts";
import type { Model, Origin } from "../../model/model.ts";
import { Globs } from "./globs.ts";
import { ownershipOf } from "./headers.ts";
import { generate } from "./module.ts";
import { unhonoured } from "./module_api.ts";
import { FOLDER, runtimeFiles } from "./runtime.ts";

/** What `generate --help` prints. */
export const GENERATE_HELP =
  `Writes a TypeScript module that binds a C library, and beside it the folder ${FOLDER}/, which all such modules share.

  deno run -RW jsr:@ggml/deno/cli generate --library NAME HEADER… --out FILE [OPTION…]

  --library NAME  a path, a file name (libz.so.1), or a bare name: z is libz.so on Linux, libz.dylib on macOS, z.dll or libz.dll on Windows.
                  The module opens it at its first call.
  HEADER          a file or, where there is none, a header of the search path (zlib.h).
  --target TARGET what it is for; with the system's own headers that can only be the machine's own, else use --no-standard.
  -include HEADER read HEADER first, unbound: for one that leaves out an #include that it needs (jpeglib.h: -include stdio.h).
  --bigint GLOB   integers of 64 bits are numbers, and beyond 2^53 a RangeError; those of the functions, callbacks, variables and fields
                  ('struct.field') that match are bigints; may be repeated.
  --out FILE      where to write the module; ${FOLDER}/ is written beside it.
  --api FILE      a C file that includes the headers and says by pragmas what their pointers are (lexer/ggml/api.h explains them): null is refused
                  where none says otherwise, lengths are checked, what C keeps stays alive, and what it frees by a function of its own (foo_free)
                  is freed with its handle. The headers that it includes are bound.
  --bind GLOB     also bind what headers whose path matches declare ('*' is any text); may be repeated.

-I DIR, -isystem DIR, -D NAME[=VALUE], -U NAME and --no-standard are as for the other commands.

What is bound: what the named headers declare, and what belongs to them: headers in or below the same folder; for a header that lies bare in
a system folder such as /usr/include, those that it includes in quotes or that begin with its name. With --bind: the named headers and what
the globs match, nothing else. System headers are read and not bound.

Variables ('extern int x;') are properties of the module's object 'variables'. Macros that compute with integers, and those that are other names
of functions, are functions. A name that JavaScript or TypeScript needs gets a '_'.`;

/** What the command line says beyond a compiler's. */
export interface GenerateArguments {
  readonly files: readonly string[];
  readonly options: ParseOptions;
  readonly library: string;
  readonly out: string;
  readonly globs: readonly string[];
  readonly bigints: readonly string[];
  readonly apis?: readonly string[];
}

/** Runs the command. The result is its exit status. */
export function generateCommand({ files, options, library, out, globs, bigints, apis = [] }: GenerateArguments): number {
  const standard = standardFolders();
  const folders = [...options.include ?? [], ...options.system ?? [], ...options.standard === true ? standard : []];
  const headers = files.map((name) => findHeader(name, folders));
  const bound = new Globs(globs), exact = new Globs(bigints);
  const byRule = ownershipOf(headers, standard, globs.length === 0 ? null : bound);
  const own: typeof byRule = (path, includer, quoted) => apis.includes(includer) || byRule(path, includer, quoted);
  const { model, diagnostics } = parse([...apis, ...headers], { ...options, own, macros: true });
  for (const diagnostic of diagnostics) console.error(format(diagnostic));
  if (diagnostics.some(({ severity }) => severity === "error")) {
    console.error(`generate: nothing was written: there are errors in the headers`);
    return 1;
  }
  const spelled = new Map(headers.map((path) => [path, shorten(path, folders)]));
  const place = ({ header, line }: Origin) => `${spelled.get(header) ?? header}:${line}`;
  const named = [...apis.map((path) => shorten(path, [])), ...spelled.values()];
  const { text, api } = generate(model, {
    library,
    headers: named,
    place,
    exact: (name) => exact.test(name),
    annotated: apis.length > 0,
  });
  try {
    for (const [name, copy] of runtimeFiles()) writeBeside(out, name, copy);
    Deno.writeTextFileSync(out, text);
  } catch (error) {
    console.error(`generate: can't write ${out}: ${(error as Error).message}`);
    return 1;
  }
  report(apis.length === 0 ? api : { ...api, skipped: [...api.skipped, ...api.elsewhere, ...unhonoured(model.pragmas)] }, model, out);
  for (const glob of bound.unmatched()) console.error(printable(`generate: --bind ${glob} matches no header that was read`));
  for (const glob of exact.unmatched()) console.error(printable(`generate: --bigint ${glob} matches nothing with an integer of 64 bits`));
  return 0;
}

/** Writes a file whose path is from the folder of another one. */
function writeBeside(path: string, name: string, text: string): void {
  const beside = path.slice(0, Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1) + name;
  Deno.mkdirSync(beside.slice(0, beside.lastIndexOf("/")), { recursive: true });
  Deno.writeTextFileSync(beside, text);
}

/** The path of a named header: a file, else the first of that name along the search path. */
function findHeader(name: string, folders: readonly string[]): string {
  if (isThere(name)) return name;
  for (const folder of folders) {
    const path = `${folder.replace(/\/+$/, "")}/${name}`;
    if (!name.startsWith("/") && isThere(path)) return path;
  }
  return name; // parse says what is wrong with it
}

function isThere(path: string): boolean {
  try {
    return readFile(path) !== undefined;
  } catch {
    return true; // parse says why it can't be read
  }
}

/** A header as a program would include it: without the folder of the search path, or without any. */
function shorten(path: string, folders: readonly string[]): string {
  const folder = folders.map((folder) => folder.replace(/\/*$/, "/")).filter((folder) => path.startsWith(folder))
    .sort((a, b) => b.length - a.length)[0];
  return folder === undefined ? path.slice(Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1) : path.slice(folder.length);
}

/** The functions of headers that are read and not bound, the most first. */
function unbound({ functions }: Model): string | null {
  const counts = new Map<string, number>();
  for (const { system, header } of functions) if (system) counts.set(header, (counts.get(header) ?? 0) + 1);
  if (counts.size === 0) return null;
  const most = [...counts].sort(([, a], [, b]) => b - a).map(([header, count]) => `${count} of ${header}`);
  const shown = most.slice(0, 5).join(", ");
  return most.length > 5 ? `${shown} and of ${most.length - 5} more headers` : shown;
}

/** Says what was bound and what was not. */
function report(
  { functions, variables, records, enums, constants, macros, synonyms, callbacks, skipped }: Api,
  model: Model,
  out: string,
): void {
  console.log(
    `Wrote ${out}: ${functions.length} functions, ${variables.length} variables, ${records.length} structs, ${enums.length} enums, ${constants.length} constants, ` +
      `${macros.length} macros as functions, ${callbacks.length} callback types`,
  );
  const variadic = functions.filter(({ declaration }) => declaration.type.variadic).map(({ name }) => name);
  if (variadic.length > 0) console.log(`  variadic, bound without their variable arguments: ${variadic.join(", ")}`);
  if (synonyms.length > 0) console.log(`  macros that are other names of functions: ${synonyms.length}`);
  const others = unbound(model);
  if (others !== null) console.log(`  functions of other headers, which --bind '*/NAME.h' binds: ${printable(others)}`);
  console.log(skipped.length === 0 ? "Skipped nothing" : `Skipped ${skipped.length}:`);
  for (const { name, reason, file, line } of skipped) console.log(printable(`  ${file}:${line}: ${name}: ${reason}`));
}
