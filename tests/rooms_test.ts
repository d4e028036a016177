/**
 * The rooms' rules: what each folder may import, what tests may reach into, and that no import leads back to where it came from.
 * `docs/architecture.md` says more of it.
 *
 * Imports of types alone load nothing. For them the rules between the rooms of one top-level folder don't hold, nor does that against cycles.
 */

import { assertEquals, assertMatch } from "@std/assert";
import { dirname, fromFileUrl, join } from "@std/path";
import { INHERENT, PROGRAMS, REACHES, RULES } from "./rooms.ts";

const ROOT = fromFileUrl(new URL("../", import.meta.url));

interface Import {
  readonly path: string;
  /** True if only types are imported. */
  readonly isType: boolean;
}

type Modules = ReadonlyMap<string, readonly Import[]>;

/** The modules of the project by path, with what each imports of ours. */
const modules: Modules = readModules(["lexer", "ffi", "utils", "models", "doctor", "examples", "mod.ts"]);

/** The modules of the tests. */
const tests: Modules = readModules(["tests"]);

/** What `deno.json` exports. */
const PUBLIC: readonly string[] = Object.values(
  JSON.parse(Deno.readTextFileSync(join(ROOT, "deno.json"))).exports as Record<string, string>,
)
  .map((path) => path.slice(2));

function readModules(folders: readonly string[]): Map<string, Import[]> {
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

Deno.test("each room imports what its rule says", () => assertEquals(againstRules(modules), []));

/** What is against the rules: who imports what, whose rule that is, and why there is one. */
function againstRules(modules: Modules): string[] {
  return [...modules].flatMap(([path, imports]) => {
    const rule = RULES.find(({ room }) => path.startsWith(room));
    if (rule === undefined) return [`${path}: no rule is for it: say in RULES what its room may import`];
    const { room, may, why } = rule;
    return imports.filter(({ path: to, isType }) => !(isType && topOf(to) === topOf(path)) && !may.some((place) => to.startsWith(place)))
      .map(({ path: to }) => `${path} imports ${to}, and ${room} may import ${may.join(", ")} only: ${why}`);
  });
}

Deno.test("a folder under utils/ doesn't import the verbs that stand on it", () => assertEquals(againstVerbs(modules), []));

function isVerb(path: string): boolean {
  return /^utils\/\w+\.ts$/.test(path);
}

function againstVerbs(modules: Modules): string[] {
  const why =
    "what a verb and a folder both need belongs into a folder, so that the verbs stand on the folders and not the other way round";
  return [...modules].filter(([path]) => /^utils\/\w+\//.test(path)).flatMap(([path, imports]) =>
    imports.filter(({ path: to, isType }) => !isType && isVerb(to)).map(({ path: to }) => `${path} imports the verb ${to}: ${why}`)
  );
}

Deno.test("utils/ itself holds the verbs, a file each or each pair, and nothing else", () => {
  const text = Deno.readTextFileSync(join(ROOT, "utils/mod.ts"));
  const exported = Array.from(text.matchAll(/^export \{(.*)\} from "\.\/(.*)";$/gm), ([, names, path]) => [names, `utils/${path}`]);
  const verbs = exported.filter(([names]) => /(?:^|, )[a-z]\w*(?:,|$)/.test(names.trim()));
  assertEquals(
    verbs.filter(([, path]) => !isVerb(path)).map(([, path]) => path),
    ["utils/arrays/ndarray.ts"],
    "the folders stand on ndarrays",
  );
  const others = [...modules.keys()].filter((path) => isVerb(path) && path !== "utils/mod.ts" && !verbs.some(([, verb]) => verb === path));
  assertEquals(others, [], "what is no verb belongs into a folder");
});

Deno.test("no import leads back to where it came from", () => assertEquals(cycles(modules), []));

/** The modules that import each other and needn't. */
function cycles(modules: Modules): string[] {
  const why = "who wants to understand or load one of them needs all: what they share belongs into a file that imports neither";
  return componentsOf(modules).filter((files) => !INHERENT.some((known) => files.every((file) => known.files.test(file))))
    .map((files) => `${files.join(", ")} import each other: ${why}`);
}

Deno.test("tests reach into what isn't public only where a rule says so", () => {
  const [broken, used] = reachesOf(tests);
  assertEquals(broken, []);
  const idle = REACHES.flatMap((reach) =>
    reach.into.filter((place) => !used.has(`${reach.tests} ${place}`)).map((place) => [reach.tests, place])
  );
  assertEquals(idle, [], "nobody reaches there any more: take it out of REACHES");
});

/** What no rule allows, and which rules were needed. */
function reachesOf(tests: Modules): [broken: string[], used: Set<string>] {
  const broken: string[] = [], used = new Set<string>();
  const why = "tests use the public entry points, as a user does; what these can't show has a line in REACHES that says why";
  for (const [path, imports] of tests) {
    for (const { path: to } of imports) {
      if (PUBLIC.includes(to) || PROGRAMS.some((place) => to.startsWith(place)) || to === "deno.json") continue;
      const found = REACHES.filter((reach) => path.startsWith(reach.tests)).flatMap((reach) =>
        reach.into.filter((place) => place.endsWith("/") ? to.startsWith(place) : to === place).map((place) => `${reach.tests} ${place}`)
      );
      if (found.length === 0) broken.push(`${path} imports ${to}: ${why}`);
      for (const rule of found) used.add(rule);
    }
  }
  return [broken, used];
}

/** The groups of modules in which each can be reached from each other one: Tarjan's algorithm. */
function componentsOf(modules: Modules): string[][] {
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
  const fake = (...imports: [from: string, to: string][]) => new Map(imports.map(([from, to]) => [from, [{ path: to, isType: false }]]));
  assertEquals(componentsOf(fake(["a", "b"], ["b", "a"])), [["a", "b"]]);
  assertMatch(cycles(fake(["a", "b"], ["b", "a"])).join(), /^a, b import each other: who wants /);
  assertMatch(
    againstRules(fake(["ffi/core/a.ts", "utils/b.ts"])).join(),
    /^ffi\/core\/a.ts imports utils\/b.ts, and ffi\/core\/ may .*: the core knows/,
  );
  assertMatch(againstRules(fake(["elsewhere/a.ts", "mod.ts"])).join(), /^elsewhere\/a.ts: no rule is for it/);
  assertMatch(againstVerbs(fake(["utils/display/a.ts", "utils/copy.ts"])).join(), /imports the verb utils\/copy.ts: what a verb /);
  assertMatch(
    reachesOf(fake(["tests/utils/a_test.ts", "ffi/core/at.ts"]))[0].join(),
    /^tests\/utils\/a_test.ts imports ffi\/core\/at.ts: tests use/,
  );
});

Deno.test("no type has the name of a global", () => {
  const utilities = [
    "Record",
    "Partial",
    "Required",
    "Readonly",
    "Pick",
    "Omit",
    "Exclude",
    "Extract",
    "NonNullable",
    "Parameters",
    "ReturnType",
  ];
  const others = [
    "Awaited",
    "Iterable",
    "AsyncIterable",
    "Generator",
    "AsyncGenerator",
    "ArrayLike",
    "PromiseLike",
    "PropertyKey",
    "Disposable",
  ];
  const globals = new Set([...Object.getOwnPropertyNames(globalThis), ...utilities, ...others, "AsyncDisposable", "InstanceType"]);
  const paths = ["bench", "docs/build", "tools"].flatMap((folder) => [...filesIn(folder)]);
  const broken = [...modules.keys(), ...tests.keys(), ...paths].filter((path) => !path.startsWith("ffi/generated/")).flatMap((path) => {
    const text = Deno.readTextFileSync(join(ROOT, path));
    return [...text.matchAll(/^\s*(?:export )?(?:declare )?(?:abstract )?(?:type|interface|class|enum) (\w+)/gm)]
      .filter(([, name]) => globals.has(name)).map(([, name]) => `${path}: ${name} hides the global of that name from whoever reads on`);
  });
  assertEquals(broken, []);
});
