/**
 * Writes a copy of the package whose generated declaration files say what the headers say, for TypeDoc to read.
 *
 * The headers' comments are theirs and aren't committed here: they are read when the reference is built.
 *
 * @module
 */

import { join } from "@std/path";
import config from "../../deno.json" with { type: "json" };
import { emit } from "../../lexer/emit/products/bindings.ts";
import { format } from "../../lexer/mod.ts";
import { SENTENCES } from "../../lexer/ggml/sentences.ts";
import { readTree } from "../../lexer/ggml/tree.ts";
import { annotate } from "./annotate.ts";
import { Descriptions } from "./describe.ts";
import { ROOT } from "./root.ts";

/** The package as TypeDoc reads it. */
export interface Staged {
  readonly entryPoints: readonly string[];
  readonly tsconfig: string;
  /** The release of the headers, null where they don't say. */
  readonly release: string | null;
  /** The categories of the C API, in order. */
  readonly categories: readonly string[];
}

/**
 * Writes the copy.
 *
 * @param tree Where the headers are.
 * @param api The C file that includes those that are wanted.
 * @param folder An empty folder.
 * @throws {Error} If a header is wrong.
 */
export async function stage(tree: string, api: string, folder: string): Promise<Staged> {
  const { model, diagnostics, release } = readTree(tree, api);
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  if (errors.length > 0) throw new Error(`${api} can't be read with the headers in ${tree}:\n${errors.map(format).join("\n")}`);
  const { files, api: bound } = emit(model, { release, runtime: "../runtime.ts", sentences: SENTENCES, reference: null });
  const descriptions = new Descriptions(bound, (path) => Deno.readTextFileSync(path));

  for (const name of config.publish.include) copy(join(ROOT, name), join(folder, name));
  for (const [name, text] of files) {
    if (!name.endsWith(".d.ts")) continue;
    Deno.writeTextFileSync(join(folder, "ffi/generated", name), annotate(text, (name, member) => descriptions.entryOf(name, member)));
  }
  shorten(join(folder, "ffi/generated/symbols.ts"));
  const entryPoints = Object.entries(config.exports).map(([name, path]) => entryPoint(join(folder, path), join(config.name, name)));
  return { entryPoints, tsconfig: await typescript(folder, entryPoints), release, categories: descriptions.categories };
}

/** Names an entry point as programs import it, and has the types of `lib` documented in one place only: there. */
function entryPoint(path: string, name: string): string {
  const text = Deno.readTextFileSync(path).replace(/^ \* @module$/m, ` * @module ${name}`);
  Deno.writeTextFileSync(path, text.replace(/^\/\*\*.*\*\/\nexport type \* from "\.\/generated\/all\.d\.ts";$/m, ""));
  return path;
}

/** Takes the symbols out of their map: each function is documented in `lib`, and a search would find it twice. */
function shorten(path: string): void {
  const text = Deno.readTextFileSync(path);
  Deno.writeTextFileSync(
    path,
    text.replace(/^export const symbols\b[^]*/m, "export const symbols = {} as Deno.ForeignLibraryInterface;\n"),
  );
}

/** Says how TypeScript has to read it, and what Deno brings. */
async function typescript(folder: string, entryPoints: readonly string[]): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["types"], stdin: "null" }).output();
  Deno.writeFileSync(join(folder, "deno.d.ts"), stdout);
  const compilerOptions = {
    target: "esnext",
    module: "esnext",
    moduleResolution: "bundler",
    allowImportingTsExtensions: true,
    allowJs: true,
    noEmit: true,
    strict: true,
    types: [],
    lib: ["esnext"],
  };
  const path = join(folder, "tsconfig.json");
  Deno.writeTextFileSync(path, JSON.stringify({ compilerOptions, files: [join(folder, "deno.d.ts"), ...entryPoints] }));
  return path;
}

/** Copies a file or a folder. TypeDoc leaves out which class is thrown, unless it is part of the text. */
function copy(from: string, to: string): void {
  if (Deno.statSync(from).isFile) {
    return Deno.writeTextFileSync(to, Deno.readTextFileSync(from).replaceAll(/@throws \{(\w+)\} /g, "@throws `$1`: "));
  }
  Deno.mkdirSync(to, { recursive: true });
  for (const { name } of Deno.readDirSync(from)) copy(join(from, name), join(to, name));
}
