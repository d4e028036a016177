/**
 * The peers: what there is on this machine to compare with, made ready to run in a folder of its own.
 *
 * Nothing here fails for want of a tool: what is missing says how to get it.
 *
 * @module
 */

import { load } from "@ggml/deno";
import { readDeclarations } from "./cdef.ts";

/** Something that runs, with the arguments that go before its own; or how to get it. */
export type Tool = { readonly command: readonly string[] } | { readonly missing: string };

/** The llama.cpp tree whose headers are read; or how to get it. */
export type Headers = { readonly tree: string } | { readonly missing: string };

/** What the contenders need. */
export interface Peers {
  /** The file that our functions come from, which everybody calls. */
  readonly library: string;
  /** ggml's version as the library says it. */
  readonly version: string | null;
  /** A program in C under `peers/`, compiled. */
  readonly c: (source: string) => Promise<Tool>;
  /** Python, where it has cffi: `peers/FILE MODULE_FOLDER LIBRARY` follows. */
  readonly cffi: (script: string) => Tool;
  /** The same for ctypes. */
  readonly ctypes: (script: string) => Tool;
  /** Python with cffi and numpy, as ggml's own example wants it. */
  readonly numpy: (script: string) => Tool;
  /** cffi's way to make bindings. */
  readonly regenerate: Tool;
}

const FOLDER = new URL("peers/", import.meta.url);
const API = pathOf(new URL("../lexer/api.h", import.meta.url));
const GCC = "gcc: apt-get install gcc libc6-dev";
const PYTHON = "Python 3: apt-get install python3";

/**
 * Finds the peers.
 *
 * @param work An empty folder for what has to be made.
 * @param headers What the peers' declarations are read from.
 */
export async function preparePeers(work: string, headers: Headers): Promise<Peers> {
  const { files: [library], version } = load();
  if ("missing" in headers) {
    const nothing = () => headers;
    return { library, version, c: () => Promise.resolve(headers), cffi: nothing, ctypes: nothing, numpy: nothing, regenerate: headers };
  }
  const { tree } = headers;
  const { cdef, json } = readDeclarations(tree);
  Deno.writeTextFileSync(`${work}/ggml.cdef.h`, cdef);
  Deno.writeTextFileSync(`${work}/ggml.json`, json);
  const gcc = await succeeds("gcc", ["--version"]);
  const python = await findPython();
  const has = async (module: string) => python !== null && await succeeds(python, ["-c", `import ${module}`]);
  const cffi = await has("cffi"), numpy = await has("numpy"), pycparser = await has("pycparser");
  if (cffi) await run(python!, [peer("build_cffi.py"), `${work}/ggml.cdef.h`, work]);
  const script = pythonTool(python, work);
  return {
    library,
    version,
    c: (source) => gcc ? compile(source, work, tree, library) : Promise.resolve({ missing: GCC }),
    cffi: (name) => script(name, { cffi }, work, library),
    ctypes: (name) => script(name, {}, `${work}/ggml.json`, library),
    numpy: (name) => script(name, { cffi, numpy }, work, library),
    regenerate: gcc ? script("regenerate_cffi.py", { cffi, pycparser }, API, `${work}/cffi`, tree) : { missing: GCC },
  };
}

/** Makes tools of Python scripts; `modules` says which ones a script wants and whether they are there. */
function pythonTool(python: string | null, work: string) {
  return (name: string, modules: Readonly<Record<string, boolean>>, ...args: string[]): Tool => {
    if (python === null) return { missing: PYTHON };
    const wanted = Object.keys(modules).filter((module) => !modules[module]).join(" ");
    if (wanted !== "") return { missing: `${wanted.replace(" ", " and ")}: ${python} -m pip install ${wanted}` };
    // Python keeps its compiled modules in this folder, not in the repository.
    return { command: [python, "-X", `pycache_prefix=${work}/pycache`, peer(name), ...args] };
  };
}

/** The path of a file under `peers/`. */
export function peer(name: string): string {
  return pathOf(new URL(name, FOLDER));
}

/** A `file:` URL as a path. */
export function pathOf(url: URL): string {
  const path = decodeURIComponent(url.pathname);
  return Deno.build.os === "windows" ? path.slice(1) : path;
}

/** Compiles a program in C, linked with the library's own file and its neighbours. */
async function compile(source: string, work: string, tree: string, library: string): Promise<Tool> {
  const folder = library.replace(/[^/\\]*$/, "");
  const neighbours = [...Deno.readDirSync(folder)].map(({ name }) => name).filter((name) => /^libggml-base\.(so|dylib)$/.test(name));
  const libraries = [library, ...neighbours.map((name) => folder + name)];
  const program = `${work}/${source.replace(/\.c$/, "")}`;
  const includes = ["-I", `${tree}/ggml/include`, "-I", `${tree}/include`];
  try {
    await run("gcc", ["-O2", ...includes, peer(source), ...libraries, `-Wl,-rpath,${folder}`, "-lm", "-o", program]);
    return { command: [program] };
  } catch (error) {
    return { missing: `a program that gcc makes: ${(error as Error).message}` };
  }
}

/** The interpreter itself: what is on the path may be a script that looks for one, and takes longer than all that is measured. */
async function findPython(): Promise<string | null> {
  for (const name of ["python3", "python"]) {
    try {
      return (await run(name, ["-c", "import sys; assert sys.version_info >= (3, 9); print(sys.executable)"])).trim();
    } catch {
      continue;
    }
  }
  return null;
}

async function succeeds(program: string, args: string[]): Promise<boolean> {
  return await run(program, args).then(() => true, () => false);
}

async function run(program: string, args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, { args, stdin: "null" }).output();
  if (!success) throw new Error(`${program} ${args.join(" ")}: ${new TextDecoder().decode(stderr).trim()}`);
  return new TextDecoder().decode(stdout);
}
