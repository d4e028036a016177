/**
 * The peers: what there is on this machine to compare with, made ready to run in a folder of its own.
 *
 * Nothing here fails for want of a tool: what is missing says how to get it.
 *
 * @module
 */

import { fromFileUrl } from "@std/path";
import { load } from "@ggml/deno";
import { readDeclarations } from "./cdef.ts";

/** Something that runs, with the arguments that go before its own; or how to get it. */
export type Tool = { readonly command: readonly string[] } | { readonly missing: string };

/** The llama.cpp tree whose headers are read; or how to get it. */
export type HeaderTree = { readonly tree: string } | { readonly missing: string };

/** The ways from Python to C that are compared. */
export type Way = "cffi" | "ctypes";

/** What the contenders need. */
export interface Peers {
  /** The file that our functions come from, which everybody calls. */
  readonly library: string;
  /** ggml's version as the library says it. */
  readonly version: string | null;
  /** The other tools that are there, with theirs. */
  readonly versions: readonly string[];
  /** A program in C under `peers/`, compiled the first time. */
  readonly c: (source: string) => Promise<Tool>;
  /** A script in Python under `peers/`: `SCRIPT cffi MODULE_FOLDER LIBRARY` or `SCRIPT ctypes DUMP LIBRARY`; it may want numpy. */
  readonly python: (script: string, way: Way, numpy?: boolean) => Tool;
  /** cffi's way to make bindings. */
  readonly regenerate: Tool;
  /** gcc and clang themselves. */
  readonly compiler: (name: "gcc" | "clang") => Tool;
}

const FOLDER = new URL("peers/", import.meta.url);
const API = fromFileUrl(new URL("../lexer/ggml/api.h", import.meta.url));
/** How many modules `peers/versions.py` looks for. */
const MODULES = 3;
const INSTALL = { gcc: "apt-get install gcc libc6-dev", clang: "apt-get install clang", python: "apt-get install python3" };

/**
 * Finds the peers.
 *
 * @param work An empty folder for what has to be made.
 * @param headers What the peers' declarations are read from.
 */
export async function preparePeers(work: string, headers: HeaderTree): Promise<Peers> {
  const { files: [library], version } = load();
  const compilers = { gcc: await versionOf("gcc"), clang: await versionOf("clang") };
  const python = await findPython();
  const found = {
    library,
    version,
    versions: versionsOf(compilers, python),
    compiler: (name: "gcc" | "clang") => compilerTool(compilers, name),
  };
  if ("missing" in headers) {
    const nothing = () => headers;
    return { ...found, c: () => Promise.resolve(headers), python: nothing, regenerate: headers };
  }
  const { tree } = headers;
  const { cdef, json } = readDeclarations(tree);
  Deno.writeTextFileSync(`${work}/ggml.cdef.h`, cdef);
  Deno.writeTextFileSync(`${work}/ggml.json`, json);
  if (python?.modules.cffi !== undefined) await run(python.executable, [peer("build_cffi.py"), `${work}/ggml.cdef.h`, work]);
  const gcc = compilerTool(compilers, "gcc"), script = pythonTool(python, work);
  const where = { cffi: work, ctypes: `${work}/ggml.json` }, needs = { cffi: ["cffi"], ctypes: [] };
  const programs: Record<string, Promise<Tool>> = {};
  return {
    ...found,
    c: (source) => "missing" in gcc ? Promise.resolve(gcc) : programs[source] ??= compile(source, work, tree, library),
    python: (name, way, numpy = false) => script(name, [...needs[way], ...(numpy ? ["numpy"] : [])], way, where[way], library),
    regenerate: "missing" in gcc ? gcc : script("regenerate_cffi.py", ["cffi", "pycparser"], API, `${work}/cffi`, tree),
  };
}

/** Makes tools of Python scripts; `needs` are the modules that a script wants. */
function pythonTool(python: Python | null, work: string) {
  return (name: string, needs: readonly string[], ...args: string[]): Tool => {
    if (python === null) return { missing: `Python 3: ${INSTALL.python}` };
    const wanted = needs.filter((module) => python.modules[module] === undefined);
    if (wanted.length > 0) return { missing: `${wanted.join(" and ")}: ${installOf(python, wanted)}` };
    // Python keeps its compiled modules in this folder, not in the repository.
    return { command: [python.executable, "-X", `pycache_prefix=${work}/pycache`, peer(name), ...args] };
  };
}

/** A Python of the system's own takes no modules from pip. */
function installOf({ name, executable }: Python, modules: readonly string[]): string {
  if (executable.startsWith("/usr/bin/")) return `apt-get install ${modules.map((module) => `python3-${module}`).join(" ")}`;
  return `${name} -m pip install ${modules.join(" ")}`;
}

function compilerTool(compilers: Readonly<Record<"gcc" | "clang", string | null>>, name: "gcc" | "clang"): Tool {
  return compilers[name] === null ? { missing: `${name}: ${INSTALL[name]}` } : { command: [name] };
}

function versionsOf(compilers: Readonly<Record<string, string | null>>, python: Python | null): string[] {
  const versions = { ...compilers, Python: python?.version, ...python?.modules };
  return Object.entries(versions).flatMap(([name, version]) => version === null || version === undefined ? [] : [`${name} ${version}`]);
}

/** The path of a file under `peers/`. */
export function peer(name: string): string {
  return fromFileUrl(new URL(name, FOLDER));
}

/** Programs that are linked with libllama, too. */
const MODELS = ["llama.c", "sequences.c"];

/** Compiles a program in C, linked with the library's own file and its neighbours. */
async function compile(source: string, work: string, tree: string, library: string): Promise<Tool> {
  const folder = library.replace(/[^/\\]*$/, "");
  const wanted = MODELS.includes(source) ? /^lib(ggml-base|ggml|llama)(\.v[\d.]+)?\.(so|dylib)$/ : /^libggml-base\.(so|dylib)$/;
  const neighbours = [...Deno.readDirSync(folder)].map(({ name }) => name).filter((name) => wanted.test(name));
  const libraries = [library, ...neighbours.map((name) => folder + name)];
  const program = `${work}/${source.replace(/\.c$/, "")}`;
  const includes = ["-I", `${tree}/ggml/include`, "-I", `${tree}/include`];
  try {
    await run("gcc", ["-O2", ...includes, peer(source), ...libraries, `-Wl,-rpath,${folder}`, "-lm", "-pthread", "-o", program]);
    return { command: [program] };
  } catch (error) {
    const lines = (error as Error).message.split("\n");
    return { missing: `a ${source} that gcc compiles: ${lines.find((line) => line.includes("error")) ?? lines[0]}` };
  }
}

/** A Python and what it has. */
interface Python {
  /** What it's called by. */
  readonly name: string;
  /** The interpreter itself: what is on the path may be a script that looks for one, and takes longer than all that is measured. */
  readonly executable: string;
  readonly version: string;
  /** The modules that it can import, with their versions. */
  readonly modules: Readonly<Record<string, string>>;
}

/** The Python with most of the modules: the first on the path needn't be the one that Debian's packages are for. */
async function findPython(): Promise<Python | null> {
  let best: Python | null = null;
  for (const name of ["python3", "python", "/usr/bin/python3"]) {
    const text = await run(name, [peer("versions.py")]).catch(() => null);
    if (text === null) continue;
    const found: Python = { name, ...JSON.parse(text) };
    if (best === null || Object.keys(found.modules).length > Object.keys(best.modules).length) best = found;
    if (Object.keys(best.modules).length === MODULES) break;
  }
  return best;
}

/** A compiler's version; null where there is no such compiler. */
async function versionOf(compiler: string): Promise<string | null> {
  const text = await run(compiler, ["--version"]).catch(() => null);
  return text?.match(/\d+(\.\d+)+/)?.[0] ?? null;
}

async function run(program: string, args: readonly string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, { args: [...args], stdin: "null" }).output();
  if (!success) throw new Error(`${program} ${args.join(" ")}: ${new TextDecoder().decode(stderr).trim()}`);
  return new TextDecoder().decode(stdout);
}
