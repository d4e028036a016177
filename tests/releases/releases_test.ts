/** The maintainer's tools: what is told apart of two releases, and that everything that names the pinned one names the same. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { load } from "@ggml/deno";
import { RELEASE } from "../../ffi/load/find.ts";
import { ABI } from "../../ffi/generated/layouts.js";
import { RELEASES } from "../../ffi/load/releases.ts";
import { PINNED } from "../../lexer/ggml/release.ts";
import { parse } from "../../lexer/mod.ts";
import { compare, renumbered } from "./compare.ts";
import { lookAt } from "./headers.ts";
import { historyText } from "./history.ts";
import { PLACES, ROOT } from "./places.ts";
import { pin } from "./pin.ts";
import { details, line, type Row } from "./print.ts";
import { bind, check, inScratch, readReport } from "./scratch.ts";
import { type Surface, surfaceOf } from "./surface.ts";
import { headers } from "../lexer/headers.ts";
import { deno, program } from "../process.ts";

function treeOf(header: string) {
  const files: Record<string, string> = {
    "api.h": '#include "a.h"\n#pragma nullable f(nothing)\n#pragma length g(data: n)\n',
    "a.h": header,
  };
  return { ...parse(["api.h"], { read: (path) => files[path.replace("./", "")] }), release: null };
}

function surface(header: string): Surface {
  return surfaceOf(treeOf(header));
}

const BEFORE = `enum kind { KIND_A, KIND_B, KIND_COUNT };
struct grows { int a; };
struct moves { int a; struct grows inner; };
typedef void (*called)(int);
int f(const char * s, struct grows * g);
void g(struct moves m, called c);
void same(const int * p, int n);
void gone(void);
`;
const AFTER = `enum kind { KIND_NEW, KIND_A, KIND_B, KIND_COUNT };
struct grows { int a; int b; };
struct moves { int before; int a; struct grows inner; };
typedef void (*called)(int);
int f(char * text, struct grows * g);
void g(struct moves m, called c);
void same(int * p, int count);
void added(enum kind k, void * data, int n);
`;

Deno.test("releases are compared by what a caller depends on", () => {
  const { added, gone, changed } = compare(surface(BEFORE), surface(AFTER));
  assertEquals([added, gone], [["added"], ["gone"]]);
  assertEquals(Object.fromEntries(changed), {
    f: { what: "another grows", grew: true },
    g: { what: "another moves", grew: false },
  });
  const called = compare(surface(BEFORE), surface(BEFORE.replace("(*called)(int)", "(*called)(int, int)")));
  assertEquals([...called.changed], [["g", { what: "other arguments", grew: false }]]);
  assertEquals(renumbered(surface(BEFORE), surface(AFTER)), ["kind: KIND_A was 0 and is 1", "kind: KIND_B was 1 and is 2"]);
  assertEquals(compare(surface(BEFORE), surface(BEFORE)), { added: [], gone: [], changed: new Map() });
});

Deno.test("what changed is written down between the versions that were looked at", () => {
  const recorded = [["1.0.0", BEFORE], ["1.1.0", BEFORE], ["1.1.0", AFTER], ["1.2.0", AFTER]].map(([ggml, header], i) => ({
    release: { package: `3.${i}.0`, llama: `b${i}`, ggml },
    surface: surface(header),
  }));
  const text = historyText(recorded);
  // Nobody knows which build of 1.1.0 is loaded, so it is taken for neither.
  assertStringIncludes(text, '"f":[["1.0.0","1.2.0","another grows",true]],"g":[["1.0.0","1.2.0","another moves"]]');
  assertStringIncludes(text, '"since":{"1.2.0":["KIND_NEW","grows.b","moves.before"]}');
});

Deno.test("pragmas without effect and pointers without a word are listed", () => {
  const { bound, stale, unspoken } = lookAt(treeOf(AFTER), surface(BEFORE).functions, true);
  assertEquals(bound, 4);
  assertEquals(
    stale,
    ["#pragma nullable f(nothing): f has no parameter nothing", "#pragma length g(data: n): g has no parameter data"],
  );
  assertEquals(unspoken, ["added(data: how long it is)"]);
});

Deno.test("a release's line and its list say all that was found", () => {
  const row: Row = {
    name: "3.1.0",
    llama: "b1",
    ggml: "1.2.0",
    headers: { bound: 7, stale: ["#pragma a"], unspoken: ["f(x: how long it is)"], skipped: [] },
    added: ["f"],
    gone: [],
    changed: ["g: other arguments"],
    errors: [],
    tested: readReport(
      `<testcase name="one" time="1"><system-out>x</system-out></testcase><testcase name="a &quot;b&quot;" time="1">
      <failure message="no">text</failure></testcase><testcase name="two"/><testcase name="three"><skipped/></testcase>`,
    ),
    seconds: 12.3,
  };
  assertEquals(row.tested, { passed: 2, failed: ['a "b"'] });
  assertEquals(line(row), "| 3.1.0 | b1 | 1.2.0 | 7 | 1 | 0 | 1 | 1 | 1 | 0 | 2 of 3 | 12 |");
  assertMatch(details(row), /new functions: 1\n {4}f\n.*changed: 1\n {4}g: other arguments\n[^]*tests that failed: 1\n {4}a "b"/);
});

Deno.test("programs that tests run use the library that the tests were told to use, unless a test names theirs", async () => {
  const own = `import { load } from "@ggml/deno"; console.log(load().source);`;
  const text = `import { program } from ${JSON.stringify(new URL("../process.ts", import.meta.url))};
    for (const env of [{}, { GGML_LIBRARY: "" }]) {
      const { stdout, stderr } = await program(${JSON.stringify(own)}, ["--allow-ffi"], env);
      console.log(stdout.trim(), stderr);
    }`;
  const { stdout } = await program(text, ["--allow-all"], { GGML_LIBRARY: load().path });
  assertEquals(stdout.trim().split(/\s+/), ["GGML_LIBRARY", "npm"]);
});

Deno.test("a path that is no folder, or no tree, is said", async () => {
  for (const [path, said] of [["/nowhere", "there is no folder /nowhere"], [`${ROOT}docs`, `${ROOT}docs is no llama.cpp or ggml tree`]]) {
    const { code, stderr } = await deno(["task", "--quiet", "releases", path, "--quick"]);
    assertEquals(code, 1);
    assertStringIncludes(stderr, `releases: ${said}`);
  }
});

Deno.test("bound to a tree of ggml's alone, all but the language models has no type error", async () => {
  const errors = await inScratch(async (root) => {
    await bind(root, `${await headers()}/ggml`);
    assert(!(await Deno.readTextFile(`${root}/ffi/generated/functions.js`)).includes("llama_decode"));
    return await check(root, true, false);
  });
  assertEquals(errors, []);
});

Deno.test("all that names the pinned release names the same one", async () => {
  assertEquals(PINNED.version, RELEASE.package);
  assertEquals(ABI.release, RELEASE.ggml);
  const { package: npm, llama, ggml } = RELEASES.find((release) => release.package === RELEASE.package)!;
  assertEquals([npm, llama, ggml], [RELEASE.package, RELEASE.llama, RELEASE.ggml]);
  assertStringIncludes(await Deno.readTextFile(ROOT + PLACES.readme), `pinned release (ggml ${ggml}, llama.cpp ${llama},`);
  assertStringIncludes(await Deno.readTextFile(ROOT + PLACES.lock), `"npm:@node-llama-cpp/linux-x64@${npm}": "${npm}"`);
});

Deno.test("no test holds the pinned version, which `deno task pin` would leave behind", async () => {
  const { ggml, package: npm } = RELEASE;
  for await (const path of filesIn(`${ROOT}tests`)) {
    if (!/_test\.ts$/.test(path) || path.endsWith("/range_test.ts")) continue; // that is about releases that are what they are
    const text = await Deno.readTextFile(path);
    assert(!text.includes(`"${ggml}"`) && !text.includes(`@${npm}`) && !text.includes(`ggml ${ggml}`), path);
  }
});

async function* filesIn(folder: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) yield* filesIn(`${folder}/${name}`);
    else yield `${folder}/${name}`;
  }
}

Deno.test("pinning the pinned release changes nothing but what it must", async () => {
  const root = await Deno.makeTempDir() + "/";
  try {
    for (const path of [PLACES.find, PLACES.release, PLACES.readme, PLACES.lock]) {
      await Deno.mkdir(`${root}${path}/..`.replace(/[^/]*\/\.\.$/, ""), { recursive: true });
      await Deno.copyFile(ROOT + path, root + path);
    }
    // Instead of the generator, one that says what it was told to read.
    await Deno.writeTextFile(root + PLACES.regenerate, 'console.log(Deno.env.get("INCLUDE"));');
    const tree = await headers(), release = { ...RELEASE, package: RELEASE.package };
    const said = await pin(root, { tree, release, package: PINNED }).catch((error) => {
      if (!/can't reach/.test(error.message)) throw error;
      return null;
    });
    if (said === null) return console.warn("SKIPPED: pinning (npm's registry can't be reached)");
    assertEquals(said.trim(), tree);
    for (const path of [PLACES.find, PLACES.release, PLACES.readme, PLACES.lock]) {
      assertEquals(await Deno.readTextFile(root + path), await Deno.readTextFile(ROOT + path), path);
    }
    const other = { ...release, package: "3.20.0", llama: "b10361", ggml: "0.19.0" };
    await pin(root, { tree, release: other, package: { version: "3.20.0", integrity: "sha512-x" } });
    assertStringIncludes(await Deno.readTextFile(root + PLACES.find), 'RELEASE = { package: "3.20.0", llama: "b10361", ggml: "0.19.0" }');
    assertStringIncludes(await Deno.readTextFile(root + PLACES.release), 'version: "3.20.0",\n  integrity: "sha512-x"');
    assertStringIncludes(await Deno.readTextFile(root + PLACES.readme), "pinned release (ggml 0.19.0, llama.cpp b10361,");
    const lock = await Deno.readTextFile(root + PLACES.lock);
    assert(!lock.includes(`linux-x64@${RELEASE.package}`) && lock.includes('"npm:@node-llama-cpp/linux-x64@3.20.0": "3.20.0"'));
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});
