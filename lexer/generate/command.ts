/**
 * The `generate` command: reads headers, writes one module or, where a header is wrong, nothing.
 *
 * @module
 */

import type { Api } from "../emit/api.ts";
import { format, parse, type ParseOptions } from "../mod.ts";
import { readFile, standardFolders } from "../stream.ts";
import type { Origin } from "../model.ts";
import { generate } from "./mod.ts";
import { ownershipOf } from "./ownership.ts";

/** What `generate --help` prints. */
export const GENERATE_HELP = `Writes one self-contained TypeScript module that binds a C library.

  deno run -RW lexer/cli.ts generate --library NAME HEADER… --out FILE [-I DIR] [-isystem DIR] [-D NAME=VALUE] [--target TARGET]

  --library NAME  a path, a file name (libz.so.1), or a bare name: z is libz.so on Linux, libz.dylib on macOS, z.dll or libz.dll on Windows.
                  The module opens it at its first call.
  HEADER          a file or, where there is none, a header of the search path (zlib.h).
  --target TARGET what it is for; with the system's own headers that can only be the machine's own, else use --no-standard.
  --out FILE      where to write the module.
  --bind GLOB     also bind what headers whose path matches declare ('*' is any text); may be repeated.

What is bound: what the named headers declare, and what belongs to them: headers in or below the same folder; for a header that lies bare in
a system folder such as /usr/include, those that it includes in quotes or that begin with its name. With --bind: the named headers and what
the globs match, nothing else. System headers are read and not bound.

Variables ('extern int x;') are properties of the module's object 'variables'. A name that JavaScript or TypeScript needs gets a '_'.`;

/** What the command line says beyond a compiler's. */
export interface GenerateArguments {
  readonly files: readonly string[];
  readonly options: ParseOptions;
  readonly library: string;
  readonly out: string;
  readonly globs: readonly string[];
}

/** Runs the command. The result is its exit status. */
export function generateCommand({ files, options, library, out, globs }: GenerateArguments): number {
  const standard = standardFolders();
  const folders = [...options.include ?? [], ...options.system ?? [], ...options.standard === true ? standard : []];
  const headers = files.map((name) => findHeader(name, folders));
  const own = ownershipOf(headers, standard, globs.length === 0 ? null : globs);
  const { model, diagnostics } = parse(headers, { ...options, own, macros: true });
  for (const diagnostic of diagnostics) console.error(format(diagnostic));
  if (diagnostics.some(({ severity }) => severity === "error")) {
    console.error(`generate: nothing was written: there are errors in the headers`);
    return 1;
  }
  const spelled = new Map(headers.map((path) => [path, shorten(path, folders)]));
  const place = ({ header, line }: Origin) => `${spelled.get(header) ?? header}:${line}`;
  const { text, api } = generate(model, { library, headers: [...spelled.values()], place });
  try {
    Deno.writeTextFileSync(out, text);
  } catch (error) {
    console.error(`generate: can't write ${out}: ${(error as Error).message}`);
    return 1;
  }
  report(api, out);
  return 0;
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

/** Says what was bound and what was not. */
function report({ functions, variables, records, enums, constants, macros, callbacks, skipped }: Api, out: string): void {
  console.log(
    `Wrote ${out}: ${functions.length} functions, ${variables.length} variables, ${records.length} structs, ${enums.length} enums, ${constants.length} constants, ` +
      `${macros.length} macros as functions, ${callbacks.length} callback types`,
  );
  const variadic = functions.filter(({ declaration }) => declaration.type.variadic).map(({ name }) => name);
  if (variadic.length > 0) console.log(`  variadic, bound without their variable arguments: ${variadic.join(", ")}`);
  console.log(skipped.length === 0 ? "Skipped nothing" : `Skipped ${skipped.length}:`);
  for (const { name, reason, file, line } of skipped) console.log(`  ${file}:${line}: ${name}: ${reason}`);
}
