/**
 * Builds ggml's RPC backend, which the prebuilt packages lack, for the library that is loaded: two files of the pinned sources and one of
 * ours (`rpc_guard.cpp`) become one library, linked with the package's own `ggml-base`.
 *
 *     deno task build:rpc [--out FOLDER]
 *
 * @module
 */

import { load } from "@ggml/deno";
import { parseArgs } from "@std/cli/parse-args";
import { fromFileUrl, join } from "@std/path";
import { fileNames, folderOf } from "../ffi/load/find.ts";
import { pinnedTree } from "../lexer/ggml/release.ts";

const USAGE = `deno task build:rpc [--out FOLDER]

Builds ggml's RPC backend for the library that is used (GGML_LIBRARY names another), and puts it where rpc.serve and rpc.connect look for
it: into the folder rpc in the library's. It takes a C++ compiler on Linux, with GNU's C++ library and a linker that has --wrap: g++, c++ or
clang++, or what the variable CXX says. The sources are those of the pinned release, which are downloaded once.

  --out FOLDER  into this folder instead; then name the file with { library }.
`;

const GUARD = fromFileUrl(new URL("rpc_guard.cpp", import.meta.url));

/** The file's name. */
export const NAME = fileNames("ggml-rpc")[0];

/**
 * Builds the backend.
 *
 * @param folder Where the library is put, made if need be.
 * @param compilers The C++ compilers to try, each with options of its own: the first that is there is taken.
 * @returns Its path.
 * @throws {Error} If there is no compiler, or it fails: with what it says.
 */
export async function buildRpc(folder: string, compilers: readonly string[] = compilersOf(Deno.env.get("CXX"))): Promise<string> {
  refuse(Deno.build.os);
  const ggml = join(await pinnedTree(), "ggml"), libraries = folderOf(load().files[0]);
  await Deno.mkdir(folder, { recursive: true });
  const path = join(folder, NAME), work = `${path}.${crypto.randomUUID()}`;
  const sources = [...["ggml-rpc.cpp", "transport.cpp"].map((name) => join(ggml, "src/ggml-rpc", name)), GUARD];
  const macros = ["GGML_BACKEND_DL", "GGML_BACKEND_SHARED", "GGML_BACKEND_BUILD", "GGML_SHARED"].map((name) => `-D${name}`);
  const includes = ["include", "src"].map((name) => `-I${join(ggml, name)}`);
  // Where it lies beside the others, and in a folder of its own in theirs.
  const linked = [`-L${libraries}`, "-lggml-base", "-Wl,-rpath,$ORIGIN:$ORIGIN/..", "-Wl,-z,defs", ...await wrapped()];
  const args = [
    "-O2",
    "-std=c++17",
    "-fPIC",
    "-shared",
    "-pthread",
    "-fno-builtin",
    ...macros,
    ...includes,
    ...sources,
    "-o",
    work,
    ...linked,
  ];
  try {
    await compile(compilers, args);
    await Deno.rename(work, path);
  } finally {
    await Deno.remove(work).catch(() => {}); // it was renamed, or never made
  }
  return path;
}

/** The linker's options for what rpc_guard.cpp puts between. */
async function wrapped(): Promise<string[]> {
  const names = (await Deno.readTextFile(GUARD)).matchAll(/(?:__wrap_|prefix##)([A-Za-z_]\w*)/g);
  return [...new Set(Array.from(names, ([, name]) => `-Wl,--wrap=${name}`))];
}

/** What CXX says, as make takes it: a command and its options. By default what Linux's systems have. */
export function compilersOf(variable: string | undefined): string[] {
  return variable === undefined || variable.trim() === "" ? ["g++", "c++", "clang++"] : [variable.trim()];
}

/** Says what other systems lack for this. */
export function refuse(os: typeof Deno.build.os): void {
  if (os === "linux") return;
  const lacks = os === "windows" ? "POSIX threads and sockets, which it is written for" : "a linker that has --wrap, and GNU's C++ library";
  throw new Error(
    `the RPC backend with what keeps a process alive when a server goes can be built on Linux only, and this is ${os}, which lacks ${lacks}. ` +
      "Without it: build ggml with -DGGML_RPC=ON and load that (GGML_LIBRARY); then whoever waits for a server that goes does so for ever",
  );
}

async function compile(compilers: readonly string[], args: readonly string[]): Promise<void> {
  for (const compiler of compilers) {
    const [command, ...own] = compiler.split(/\s+/);
    try {
      const { success, stderr } = await new Deno.Command(command, { args: [...own, ...args], stdin: "null" }).output();
      if (!success) throw new Error(`${compiler} ${args.join(" ")}\n${new TextDecoder().decode(stderr)}`);
      return;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  throw new Error(
    `the RPC backend is built by a C++ compiler, and ${compilers.join(", ")} ${compilers.length === 1 ? "isn't" : "aren't"} there ` +
      "(on Debian: apt-get install g++; CXX names another)",
  );
}

async function main(args: string[]): Promise<number> {
  const unknown: string[] = [];
  const { out, help, _ } = parseArgs(args, { string: ["out"], boolean: ["help"], unknown: (arg) => void unknown.push(arg) });
  if (help) {
    console.log(USAGE.trimEnd());
    return 0;
  }
  if (unknown.length > 0 || out === "") {
    console.error(`${out === "" ? "--out wants a folder" : `unknown argument: ${unknown.join(" ")}`}\n\n${USAGE.trimEnd()}`);
    return 2;
  }
  try {
    const start = performance.now(), path = await buildRpc(out ?? join(folderOf(load().files[0]), "rpc"));
    const { size } = await Deno.stat(path);
    console.log(`${path}: ${(size / 1000).toFixed(0)} kB, in ${((performance.now() - start) / 1000).toFixed(1)} s`);
    return 0;
  } catch (error) {
    console.error(`build:rpc: ${(error as Error).message}`);
    return 1;
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
