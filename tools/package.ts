/**
 * Writes the package as it is published: each entry point bundled, with what it imports, into few files, and the sources beside them, for
 * their types and documentation.
 *
 *     deno task package [--out FOLDER]
 *
 * To find, read, look up and link a module takes Deno a tenth of a millisecond, and what `lib` and the utilities are made of is more than
 * two hundred: bundled, they are imported in less than half the time, and from a registry in a dozen requests instead of two hundred.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import { basename, dirname, fromFileUrl, isAbsolute, join, relative, resolve } from "@std/path";
import { compact } from "./compact.ts";
import { compileEarly } from "./early.ts";
import { merge } from "./merge.ts";
import config from "../deno.json" with { type: "json" };

const USAGE = `deno task package [--out FOLDER]

Writes the package as it is published, for \`deno publish\` there or for another project's "links".

  --out FOLDER  into this folder instead of dist/: a new or empty one, or one that this wrote before, whose content is replaced.
`;

const ROOT = fromFileUrl(new URL("../", import.meta.url));

/** The folder of the bundled entry points, in the package. */
const BUNDLE = "bundle";

/**
 * Writes the package.
 *
 * @param folder A new or empty folder, or one that holds an older package, which is replaced.
 * @throws {Error} If the folder holds anything else or lies in what is published, or the bundler fails: with what it says.
 */
export async function writePackage(folder: string): Promise<void> {
  await expectOutside(folder);
  await expectReplaceable(folder);
  const entries = Object.values(config.exports), work = await Deno.makeTempDir(), split = join(work, "split"), made = join(work, BUNDLE);
  try {
    await bundle(entries, split); // which may fail, and the next lines: what was there stays then
    await merge(entries.map((entry) => join(split, fileOf(entry))), split, made);
    for (const file of await filesIn(made)) await Deno.writeTextFile(file, compact(withClassNames(await Deno.readTextFile(file))));
    await compileEarly(await filesIn(made), await programs(made, join(work, "deno.json")));
    await clear(folder);
    await copy(made, join(folder, BUNDLE));
  } finally {
    await Deno.remove(work, { recursive: true });
  }
  for (const name of config.publish.include) await copy(join(ROOT, name), join(folder, name), unchecked);
  await Deno.writeTextFile(join(folder, BUNDLE, "LICENSES"), await licenses());
  for (const entry of entries) await nameTypes(join(folder, bundled(entry)), join(folder, entry));
  await Deno.writeTextFile(join(folder, "deno.json"), `${JSON.stringify(configuration(await importsOf(folder)), null, 2)}\n`);
}

/** The package's own configuration. */
function configuration(imports: Readonly<Record<string, string>>): unknown {
  const { name, version, license, exports, publish } = config;
  const entries = Object.entries(exports).map(([name, entry]) => [name, `./${bundled(entry)}`]);
  return { name, version, license, exports: Object.fromEntries(entries), imports, publish: { include: [...publish.include, BUNDLE] } };
}

/** The packages that the files of this one import, in examples too: `deno install` in a project that links it is not to fetch what our tests need. */
async function importsOf(folder: string): Promise<Record<string, string>> {
  const files = (await filesIn(folder)).filter((file) => /\.[jt]s$/.test(file));
  const text = (await Promise.all(files.map((file) => Deno.readTextFile(file)))).join("\n");
  const isImported = (name: string) => new RegExp(`\\b(?:from|import\\(?) *["']${RegExp.escape(name)}(?:/[^"']*)?["']`).test(text);
  return Object.fromEntries(Object.entries(config.imports).filter(([name]) => isImported(name)));
}

/** Where an entry point is in the package when it is bundled. */
function bundled(entry: string): string {
  return `${BUNDLE}/${fileOf(entry)}`;
}

/** Where the bundler writes an entry point. */
function fileOf(entry: string): string {
  return entry.replace(/^\.\//, "").replace(/\.ts$/, ".js");
}

/**
 * What several entry points import is in files that they share, so that there is one `lib`. Packages are left to be imported, but for those
 * that are imported as text.
 */
async function bundle(entries: readonly string[], folder: string): Promise<void> {
  const packages = Object.keys(config.imports).flatMap((name) => [name, `${name}/*`]);
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "bundle",
      "--quiet",
      "--no-lock",
      "--code-splitting",
      ...packages.map((name) => `--external=${name}`),
      `--outdir=${folder}`,
      ...entries,
    ],
    cwd: ROOT,
    stdin: "null",
  }).output();
  if (!success) throw new Error(`deno bundle: ${new TextDecoder().decode(stderr).trim()}`);
}

/**
 * A module's text with classes that are called what they are. The bundler writes `var tensor = class _tensor {` where a class is used inside of it,
 * and `_tensor` is what errors and `console.log` would say. Its own `--keep-names` costs a call for each function when a module is loaded.
 */
function withClassNames(text: string): string {
  const names = Array.from(text.matchAll(/^ *(?:var )?(\w+) = class _\1\b/gm), ([, name]) => name);
  return names.length === 0 ? text : text.replace(new RegExp(`\\b_(${names.join("|")})\\b`, "g"), "$1");
}

/** The paths of the files in a folder and below. */
async function filesIn(folder: string): Promise<string[]> {
  const entries = await Array.fromAsync(Deno.readDir(folder));
  const paths = entries.map(({ name, isDirectory }) => isDirectory ? filesIn(join(folder, name)) : [join(folder, name)]);
  return (await Promise.all(paths)).flat();
}

/**
 * What users' programs are like when they start: three examples, a language model's first word, and the C front end's command.
 *
 * @param made The folder of the bundled entry points.
 * @param configuration A file to write: the configuration of a project that imports them.
 */
async function programs(made: string, configuration: string): Promise<string[][]> {
  const exports = Object.entries(config.exports).map(([name, entry]) => [config.name + name.slice(1), join(made, fileOf(entry))]);
  const imports = { ...config.imports, ...Object.fromEntries(exports) }, links = config.links.map((folder) => join(ROOT, folder));
  await Deno.writeTextFile(configuration, JSON.stringify({ imports, links }));
  const programs = [
    ["examples/layer.ts"],
    ["examples/add_quant.ts"],
    ["examples/async.ts"],
    ["examples/llama2.ts", join(ROOT, "examples/models/moby.gguf"), "--tokens", "2"],
    ["bench/ours/graph.ts", "first"],
    [join(made, fileOf(config.exports["./cli"])), "dump", join(ROOT, "ffi/native/native.h")],
  ];
  const options = ["--no-lock", "--config", configuration, "--allow-ffi", "--allow-read"];
  return programs.map(([file, ...args]) => [...options, resolve(ROOT, file), ...args]);
}

/** The licences of the packages whose code is in the bundle: those that are imported as text. */
async function licenses(): Promise<string> {
  const source = await Deno.readTextFile(join(ROOT, "utils/arrays/ndarray.ts"));
  const names = Array.from(source.matchAll(/ from "npm:([^/]+)\/.*" with \{ type: "text" \};/g), ([, name]) => name);
  const texts = names.map(async (name) => {
    const { default: text } = await import(`npm:${name}/LICENSE`, { with: { type: "text" } });
    return `npm:${name}\n\n${text.trim()}\n`;
  });
  return (await Promise.all(texts)).join("\n\n");
}

/** Has the types of a bundled entry point be those of its source. */
async function nameTypes(file: string, source: string): Promise<void> {
  const types = relative(dirname(file), source).replaceAll("\\", "/");
  await Deno.writeTextFile(file, `/* @ts-self-types="${types}" */\n${await Deno.readTextFile(file)}`);
}

/** Copies a file, or a folder with what is in it. `change` is given what is TypeScript. */
async function copy(from: string, to: string, change: (text: string) => string = (text) => text): Promise<void> {
  if ((await Deno.stat(from)).isDirectory) {
    for await (const { name } of Deno.readDir(from)) await copy(join(from, name), join(to, name), change);
  } else {
    await Deno.mkdir(dirname(to), { recursive: true });
    if (/(?<!\.d)\.ts$/.test(from)) await Deno.writeTextFile(to, change(await Deno.readTextFile(from)));
    else await Deno.copyFile(from, to);
  }
}

/**
 * A source whose body isn't checked any more: to a project that names the package in its "links", Deno checks the sources by that project's own
 * `compilerOptions`, which may ask for more than ours (`noUncheckedIndexedAccess`). What it declares has its types as before.
 */
function unchecked(text: string): string {
  return `// @ts-nocheck: it was, where it was written\n${text}`;
}

/** Throws if a folder lies in one that is copied into it: that would never end. */
async function expectOutside(folder: string): Promise<void> {
  const real = await realPath(folder);
  for (const name of config.publish.include) {
    const path = relative(join(await realPath(ROOT), name), real);
    if (!path.startsWith("..") && !isAbsolute(path)) {
      throw new Error(`${folder} lies in ${name}, which is published: name a folder outside of it`);
    }
  }
}

/** Where a folder is, or will be, without symbolic links. */
async function realPath(folder: string): Promise<string> {
  try {
    return await Deno.realPath(folder);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return join(await realPath(dirname(folder)), basename(folder));
  }
}

/** Throws unless a folder is new or empty, or holds an older package. */
async function expectReplaceable(folder: string): Promise<void> {
  const names = await namesIn(folder);
  if (names.length === 0 || (names.includes(BUNDLE) && (await nameOfPackage(folder)) === config.name)) return;
  throw new Error(`${folder} holds something else than this package: name a new or empty folder`);
}

/** Removes an older package. The folder itself stays, and so does a symbolic link to it. */
async function clear(folder: string): Promise<void> {
  for (const name of await namesIn(folder)) await Deno.remove(join(folder, name), { recursive: true });
}

/** The names of the files in a folder, none if it isn't there. */
async function namesIn(folder: string): Promise<string[]> {
  try {
    return await Array.fromAsync(Deno.readDir(folder), ({ name }) => name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

/** The name in a folder's configuration; null if there is none that can be read. */
async function nameOfPackage(folder: string): Promise<unknown> {
  try {
    return JSON.parse(await Deno.readTextFile(join(folder, "deno.json"))).name;
  } catch {
    return null;
  }
}

async function main(args: string[]): Promise<number> {
  const unknown: string[] = [];
  const { out, help } = parseArgs(args, { string: ["out"], boolean: ["help"], unknown: (arg) => void unknown.push(arg) });
  if (help) {
    console.log(USAGE.trimEnd());
    return 0;
  }
  if (unknown.length > 0 || out === "") {
    console.error(`${out === "" ? "--out wants a folder" : `unknown argument: ${unknown.join(" ")}`}\n\n${USAGE.trimEnd()}`);
    return 2;
  }
  try {
    const folder = resolve(out ?? join(ROOT, "dist"));
    await writePackage(folder);
    console.log(`Wrote the package into ${folder}.`);
    return 0;
  } catch (error) {
    console.error(`package: ${(error as Error).message}`);
    return 1;
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
