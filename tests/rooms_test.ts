/**
 * The rooms' rules: what each folder may import, and that no import leads back to where it came from. `docs/architecture.md` says why.
 *
 * Imports of types alone load nothing. For them the rules between the rooms of one top-level folder don't hold, nor does that against cycles.
 */

import { assertEquals } from "@std/assert";
import { dirname, fromFileUrl, join } from "@std/path";

const ROOT = fromFileUrl(new URL("../", import.meta.url));

/** A rule: whoever lies in `room` may import what begins with one of `may`. The first that fits counts. */
interface Rule {
  readonly room: string;
  readonly may: readonly string[];
  readonly why: string;
}

/** The data among the generated files: it imports nothing but `ffi/core/domain.ts`. */
const DATA = ["ffi/generated/layouts.js", "ffi/generated/enums.js", "ffi/generated/constants.js"];

const STAGES = ["lexer/text/", "lexer/tokens/", "lexer/model/", "lexer/preprocess/", "lexer/parse/"];
const FRONT_END = [...STAGES, "lexer/mod.ts"];

const RULES: readonly Rule[] = [
  ...STAGES.map((room, i) => ({
    room,
    may: STAGES.slice(0, i + 1),
    why: "data flows one way through the front end: text, tokens, model, preprocess, parse",
  })),
  { room: "lexer/mod.ts", may: STAGES, why: "the front end's entry point knows of no writer and nothing of ggml" },
  {
    room: "lexer/emit/products/runtime.ts",
    may: ["ffi/core/"],
    why: "it imports the core's files as text, to be copied beside a generated module: nothing of them runs here",
  },
  {
    room: "lexer/emit/",
    may: [...FRONT_END, "lexer/emit/"],
    why: "what writes files knows the front end, and nothing of ggml's releases and trees",
  },
  { room: "lexer/", may: ["lexer/"], why: "lexer/ imports nothing of ours outside itself" },
  {
    room: "ffi/core/",
    may: ["ffi/core/"],
    why: "the core knows nothing of ggml: what it needs of a library is provided (ffi/core/host.ts)",
  },
  {
    room: "ffi/native/",
    may: ["ffi/core/", "ffi/native/", "ffi/generated/native_code.js", ...DATA],
    why: "the machine code is set when a library is loaded: it can't need what loads one",
  },
  { room: "ffi/load/", may: ["ffi/core/", "ffi/native/", "ffi/load/", ...DATA], why: "to load a library takes nothing that calls it" },
  {
    room: "ffi/calls/",
    may: ["ffi/core/", "ffi/native/", "ffi/load/", "ffi/calls/", ...DATA],
    why: "what is special about single functions is called by the generated functions, not the other way round",
  },
  {
    room: "ffi/runtime.ts",
    may: ["ffi/core/", "ffi/native/", "ffi/load/", "ffi/calls/"],
    why: "the generated files are written against it",
  },
  { room: "ffi/generated/enums.js", may: ["ffi/core/domain.ts"], why: "data is loaded where nothing else is" },
  {
    room: "ffi/generated/",
    may: ["ffi/runtime.ts", "ffi/calls/async_call.ts", "ffi/load/default_place.ts", "ffi/generated/"],
    why: "the generated files are written against ffi/runtime.ts, the asynchronous ones against ffi/calls/async_call.ts, too",
  },
  { room: "ffi/", may: ["ffi/"], why: "ffi/ imports nothing of ours outside itself" },
  { room: "mod.ts", may: ["ffi/"], why: "the entry point re-exports" },
  { room: "utils/mod.ts", may: ["utils/", "ffi/"], why: "the entry point re-exports" },
  { room: "utils/", may: ["utils/", "ffi/"], why: "utils/ stands on ffi/" },
  { room: "models/", may: ["models/", "utils/", "ffi/", "mod.ts"], why: "models/ stands on ffi/ and utils/" },
  { room: "doctor/", may: ["doctor/", "utils/", "ffi/"], why: "the doctor looks at ffi/ and utils/" },
  { room: "examples/", may: ["examples/"], why: "examples use the public entry points, as a user would" },
];

/** Files that import each other, and why that can't be otherwise. */
const INHERENT: readonly { readonly files: RegExp; readonly why: string }[] = [
  { files: /^lexer\/parse\//, why: "C's grammar is recursive: an expression holds types, a type holds expressions" },
  {
    files: /^ffi\/generated\/(?:callbacks|functions|structs)\.js$/,
    why: "C's types are: a struct has callbacks for fields, a callback takes structs",
  },
];

interface Import {
  readonly path: string;
  /** True if only types are imported. */
  readonly isType: boolean;
}

/** The modules of the project by path, with what each imports of ours. */
const modules: ReadonlyMap<string, readonly Import[]> = readModules();

function readModules(): Map<string, Import[]> {
  const folders = ["lexer", "ffi", "utils", "models", "doctor", "examples", "mod.ts"];
  const paths = folders.flatMap((folder) => [...filesIn(folder)]);
  return new Map(paths.map((path) => [path, importsOf(path, Deno.readTextFileSync(join(ROOT, path)))]));
}

function* filesIn(path: string): Generator<string> {
  let isDirectory = false;
  try {
    isDirectory = Deno.statSync(join(ROOT, path)).isDirectory;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw error;
  }
  if (!isDirectory) yield path;
  else {
    for (const { name, isDirectory } of Deno.readDirSync(join(ROOT, path))) {
      if (isDirectory || /(?<!\.d)\.(?:ts|js)$/.test(name)) yield* filesIn(`${path}/${name}`);
    }
  }
}

/** The relative imports of a module, dynamic ones among them. */
function importsOf(path: string, text: string): Import[] {
  const found: Import[] = [];
  for (const [, type, names, to] of text.matchAll(/^(?:import|export)\s+(type\s+)?([^"';=()]*?)["'](\.[^"']+)["']/gm)) {
    const all = /^\{([^]*)\}/.exec(names)?.[1].split(",").map((name) => name.trim()).filter((name) => name !== "") ?? [];
    const isType = type !== undefined || (all.length > 0 && all.every((name) => name.startsWith("type ")));
    found.push({ path: join(dirname(path), to), isType });
  }
  for (const [, to] of text.matchAll(/\bimport\(\s*"(\.[^"]+)"\s*\)/g)) {
    found.push({ path: join(dirname(path), to), isType: true });
  }
  return found;
}

/** The top-level folder of a path. */
function topOf(path: string): string {
  return path.slice(0, path.indexOf("/") + 1);
}

Deno.test("each room imports what its rule says", () => {
  const broken: string[] = [];
  for (const [path, imports] of modules) {
    const rule = RULES.find(({ room }) => path.startsWith(room));
    if (rule === undefined) broken.push(`${path}: no rule is for it`);
    for (const { path: to, isType } of imports) {
      if (isType && topOf(to) === topOf(path)) continue;
      if (!rule?.may.some((place) => to.startsWith(place))) broken.push(`${path} imports ${to}: ${rule?.why}`);
    }
  }
  assertEquals(broken, []);
});

Deno.test("a folder under utils/ doesn't import the verbs that stand on it", () => {
  const verbs = new Set([...modules.keys()].filter((path) => /^utils\/\w+\.ts$/.test(path)));
  const broken = [...modules].filter(([path]) => /^utils\/\w+\//.test(path)).flatMap(([path, imports]) =>
    imports.filter(({ path: to, isType }) => !isType && verbs.has(to)).map(({ path: to }) => `${path} imports ${to}`)
  );
  assertEquals(broken, []);
});

Deno.test("no import leads back to where it came from", () => {
  const cycles = componentsOf(modules).filter((files) => !INHERENT.some((known) => files.every((file) => known.files.test(file))));
  assertEquals(cycles, []);
});

/** The groups of modules in which each can be reached from each other one: Tarjan's algorithm. */
function componentsOf(modules: ReadonlyMap<string, readonly Import[]>): string[][] {
  const index = new Map<string, number>(), low = new Map<string, number>(), stack: string[] = [], found: string[][] = [];
  const visit = (path: string) => {
    index.set(path, index.size);
    low.set(path, index.get(path)!);
    stack.push(path);
    for (const { path: to, isType } of modules.get(path) ?? []) {
      if (isType || !modules.has(to)) continue;
      if (!index.has(to)) {
        visit(to);
        low.set(path, Math.min(low.get(path)!, low.get(to)!));
      } else if (stack.includes(to)) low.set(path, Math.min(low.get(path)!, index.get(to)!));
    }
    if (low.get(path) !== index.get(path)) return;
    const component = stack.splice(stack.indexOf(path));
    if (component.length > 1) found.push(component.sort());
  };
  for (const path of modules.keys()) if (!index.has(path)) visit(path);
  return found;
}

Deno.test("the rules see a broken one", () => {
  const [{ isType, path }] = importsOf("utils/copying/a.ts", 'import { type A, b } from "../copy.ts";');
  assertEquals([path, isType], ["utils/copy.ts", false]);
  assertEquals(importsOf("a.ts", 'import { type A } from "./b.ts";\nimport type { C } from "./c.ts";').map(({ isType }) => isType), [
    true,
    true,
  ]);
  const cycle = new Map([["a", [{ path: "b", isType: false }]], ["b", [{ path: "a", isType: false }]], ["c", [{
    path: "c",
    isType: true,
  }]]]);
  assertEquals(componentsOf(cycle), [["a", "b"]]);
});

Deno.test("no type has the name of a global", () => {
  const globals = new Set([
    "Symbol",
    "Record",
    "Object",
    "Function",
    "Error",
    "Map",
    "Set",
    "Array",
    "String",
    "Number",
    "Date",
    "Promise",
    "Proxy",
    "Event",
  ]);
  const broken = [...modules.keys()].filter((path) => !path.startsWith("ffi/generated/")).flatMap((path) => {
    const text = Deno.readTextFileSync(join(ROOT, path));
    return [...text.matchAll(/^\s*(?:export )?(?:declare )?(?:type|interface|class) (\w+)/gm)].filter(([, name]) => globals.has(name))
      .map(([, name]) => `${path}: ${name}`);
  });
  assertEquals(broken, []);
});
