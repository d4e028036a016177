/** What is published: without a warning, the needed files only, bundled, and they work alone, without a configuration file. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { dirname, fromFileUrl, join, relative } from "@std/path";
import { withFolder } from "../folder.ts";
import { STRICTEST } from "../lexer/generate.ts";
import { deno, type Ended } from "../process.ts";

const ROOT = new URL("../../", import.meta.url);

const folder = await Deno.makeTempDir(), PACKAGE = join(folder, "package");
globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));

const made = await deno(["task", "package", "--out", PACKAGE]);
/** The bundler is esbuild, which Deno downloads from npm. */
const ignore = made.code !== 0 && /esbuild|registry/.test(made.stderr);
if (ignore) console.warn("SKIPPED: what is published: deno bundle's esbuild can't be had");
else assertEquals(made.code, 0, made.stderr);

const dryRun = ignore ? made : await command(Deno.execPath(), ["publish", "--dry-run", "--allow-dirty"], PACKAGE);

/** The published files, by their paths in the package. */
const published = [...dryRun.stderr.matchAll(/^ {3}(file:\S+) \(/gm)].map(([, url]) => relative(PACKAGE, fromFileUrl(url)));

/** What is neither TypeScript nor JavaScript, and who needs it. */
const OTHERS = [
  "LICENSE",
  "README.md",
  "deno.json",
  "bundle/LICENSES", // of what npm's packages have in the bundle
  // The sources of ffi/generated/native_code.js.
  ...[
    "ffi/native/gate.c",
    "ffi/native/native.c",
    "ffi/native/native.h",
    "ffi/native/native.ld",
    "ffi/native/native_windows.ld",
    "ffi/native/trap.c",
    "ffi/native/trap_posix.c",
    "ffi/native/trap_windows.c",
  ],
  "lexer/ggml/api.h", // lexer/ggml/regenerate.ts reads it
];

/** A test of what is published. */
function test(name: string, run: () => void | Promise<void>): void {
  Deno.test({ name, ignore, fn: run });
}

test("deno publish --dry-run has nothing to say, and needs no --allow-slow-types", () => {
  assertEquals(dryRun.code, 0, dryRun.stderr);
  assert(!/^(warning|error)\b/im.test(dryRun.stderr), dryRun.stderr);
  assertStringIncludes(dryRun.stderr, "Dry run complete");
});

test("the published files are the needed ones", async () => {
  const others = published.filter((path) => !/^(mod|(bundle|doctor|ffi|lexer|models|utils)\/.+)\.(ts|js)$/.test(path));
  assertEquals(others.sort(), OTHERS.toSorted());
  const { exports } = await configuration(ROOT);
  for (const entry of [...Object.values(exports), "./lexer/ggml/regenerate.ts"]) {
    for (const path of await imported(entry)) assert(published.includes(path), `${path}, which ${entry} imports, is not published`);
  }
});

test("it names the packages that it needs, and none that only its tests need", async () => {
  const { imports } = await configuration(new URL(`file://${PACKAGE}/`));
  const names = ["@huggingface/jinja", "@std/assert", "@std/cli", "@eslint-community/regexpp", "diff"];
  assertEquals(Object.keys(imports).sort(), names.sort());
});

test("each entry point is bundled, and lib and the utilities are few files", async () => {
  const sources = (await configuration(ROOT)).exports, { exports } = await configuration(new URL(`file://${PACKAGE}/`));
  assertEquals(Object.keys(exports), Object.keys(sources));
  for (const entry of Object.values(exports)) assert(published.includes(entry.replace("./", "")), entry);
  const loaded = new Set([".", "./utils"].flatMap((name) => [...bundled(join(PACKAGE, exports[name]))]));
  assertEquals(loaded.size, 4); // each and what is behind it, of which the second has what the first hasn't got
  const licenses = await Deno.readTextFile(join(PACKAGE, "bundle/LICENSES"));
  for (const name of ["is-buffer", "iota-array", "ndarray"]) assertMatch(licenses, new RegExp(`^npm:${name}@[\\d.]+\n\n.*MIT`, "m"));
});

test("the package isn't written into what it is made of, and a symbolic link to its folder stays", async () => {
  const inside = await deno(["task", "package", "--out", "utils/package"]);
  assertMatch(inside.stderr, /package: .*utils.package lies in utils, which is published: name a folder outside of it/);
  assertEquals(inside.code, 1);
  const older = join(folder, "older"), link = join(folder, "link");
  await Deno.mkdir(join(older, "bundle"), { recursive: true });
  await Deno.copyFile(join(PACKAGE, "deno.json"), join(older, "deno.json"));
  await Deno.symlink(older, link, { type: "dir" });
  const written = await deno(["task", "package", "--out", link]);
  assertEquals(written.code, 0, written.stderr);
  assert((await Deno.lstat(link)).isSymlink);
  assert((await Deno.stat(join(older, "bundle/mod.js"))).isFile);
});

test("what another copy of the package made is refused, and the error says so", async () => {
  const text = `
    import { lib } from "./ggml/bundle/mod.js";
    import { init } from "./other/ggml/bundle/utils/mod.js";

    try {
      lib.ggml_new_tensor_1d(init(), lib.GGML_TYPE_F32, 4);
    } catch (error) {
      console.log(error.message);
    }`;
  await alone(async (run, folder) => {
    await Deno.mkdir(join(folder, "other"));
    await Deno.rename(join(folder, "ggml"), join(folder, "other/ggml"));
    await Deno.symlink(PACKAGE, join(folder, "ggml"), { type: "dir" });
    await Deno.writeTextFile(join(folder, "copies.ts"), text);
    const { stdout, stderr } = await run(["run", "--no-check", "--allow-ffi", "--allow-read", "copies.ts"]);
    const message = "ggml_new_tensor_1d(ctx): expected a ggml_context, got a ggml_context that another copy of these modules made\n";
    assertEquals(stdout, message, stderr);
  });
});

test("a project that names it in its links may ask more of TypeScript than the package does, and is told of its own mistakes", () =>
  withFolder(async (folder) => {
    const compilerOptions = STRICTEST, imports = { "@ggml/deno": "jsr:@ggml/deno@*" };
    await Deno.writeTextFile(join(folder, "deno.json"), JSON.stringify({ links: [PACKAGE], imports, compilerOptions }));
    const entries = Object.keys((await configuration(ROOT)).exports).map((name, i) =>
      `import * as _${i} from "@ggml/deno${name.slice(1)}";`
    );
    const text = `${entries.join("\n")}
console.log(${entries.map((_, i) => `_${i}`)});
const ne: readonly number[] = _1.tensor(_1.init(), [1]).ne;
const wrong: string = _1.tensor(_1.init(), [1]);
console.log(ne, wrong);
`;
    await Deno.writeTextFile(join(folder, "project.ts"), text);
    const { code, stderr } = await command(Deno.execPath(), ["check", "project.ts"], folder);
    assertEquals(code, 1);
    const errors = [...stderr.matchAll(/^TS\d+ \[ERROR\]: .*/gm)].map(([line]) => line);
    assertEquals(errors, ["TS2322 [ERROR]: Type 'ggml_tensor' is not assignable to type 'string'."], stderr);
  }));

test("classes are called in the package what they are in the sources, also where a user bundles it, and errors say as much", async () => {
  const text = `
    import { lib } from "./ggml/bundle/mod.js";
    import { init, tensor } from "./ggml/bundle/utils/mod.js";

    console.log(JSON.stringify(Object.entries(lib).filter(([name, value]) => typeof value === "function" && value.name !== name)));
    using ctx = init();
    try {
      lib.ggml_add(ctx, tensor(ctx, Float32Array.of(1, 2, 3)), tensor(ctx, Float32Array.of(1, 2)));
    } catch (error) {
      console.log(error.message.replace(/ggml\\.c:\\d+/, ""));
    }`;
  await alone(async (run, folder) => {
    await Deno.writeTextFile(join(folder, "names.ts"), text);
    for (const minify of [[], ["--minify"]]) {
      assertEquals((await run(["bundle", "--quiet", ...minify, "--output", `names${minify}.js`, "names.ts"])).code, 0);
    }
    for (const file of ["names.ts", "names.js", "names--minify.js"]) {
      const { stdout, stderr } = await run(["run", "--no-check", "--allow-ffi", file]);
      assertEquals(stdout, "[]\nggml_add: assertion failed: ggml_can_repeat(b, a) (): a is f32 ne=[3], b is f32 ne=[2]\n", stderr);
    }
  });
});

async function configuration(folder: URL): Promise<{ exports: Record<string, string>; imports: Record<string, string> }> {
  return JSON.parse(await Deno.readTextFile(new URL("deno.json", folder)));
}

/** A bundled file and the others that it imports. */
function bundled(file: string, seen: Set<string> = new Set()): Set<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  for (const [, path] of Deno.readTextFileSync(file).matchAll(/(?:^import|\}from)['"](\..+?)['"];$/gm)) {
    bundled(join(dirname(file), path), seen);
  }
  return seen;
}

/** The files of this project that an entry point imports. */
async function imported(entry: string): Promise<string[]> {
  const { stdout } = await deno(["info", "--json", entry]);
  const modules: { specifier: string }[] = JSON.parse(stdout).modules;
  const own = modules.map(({ specifier }) => specifier).filter((specifier) => specifier.startsWith(ROOT.href));
  return own.map((specifier) => specifier.slice(ROOT.href.length)).filter((path) => !path.startsWith("links/"));
}

/** Calls `test` with a folder that holds nothing but the published files, without deno.json, under `ggml/`. */
async function alone(test: (run: (args: string[], env?: Record<string, string>) => Promise<Ended>, folder: string) => Promise<void>) {
  const folder = await Deno.makeTempDir();
  try {
    for (const path of published) {
      if (path === "deno.json") continue;
      await Deno.mkdir(join(folder, "ggml", dirname(path)), { recursive: true });
      await Deno.copyFile(join(PACKAGE, path), join(folder, "ggml", path));
    }
    const example = await Deno.readTextFile(new URL("examples/add_quant.ts", ROOT));
    await Deno.writeTextFile(
      join(folder, "example.ts"),
      example.replace('"@ggml/deno"', '"./ggml/bundle/mod.js"').replace('"@ggml/deno/utils"', '"./ggml/bundle/utils/mod.js"'),
    );
    await test((args, env) => command(Deno.execPath(), args, folder, env), folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function command(path: string, args: string[], cwd: string, env: Record<string, string> = {}): Promise<Ended> {
  const { code, stdout, stderr } = await new Deno.Command(path, {
    args,
    cwd,
    env: { NO_COLOR: "1", GGML_LIBRARY: "", ...env },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

test("alone in a folder, they run the first example with --allow-ffi, and fetch no other platform's package", () =>
  alone(async (run, folder) => {
    const { code, stdout, stderr } = await run(["run", "--no-prompt", "--allow-ffi", "example.ts"], { DENO_DIR: join(folder, "cache") });
    assertEquals(code, 0, stderr);
    assertStringIncludes(stdout, "104.125");
    const packages = [...Deno.readDirSync(join(folder, "cache/npm/registry.npmjs.org/@node-llama-cpp"))].filter((entry) =>
      entry.isDirectory
    );
    assertEquals(packages.length, 1);
    const checked = await run(["check", "example.ts"]); // the types are those of the sources
    assertEquals(checked.code, 0, checked.stderr);
  }));

test("of what the first example calls in the package, most was compiled with its module", () =>
  alone(async (run, folder) => {
    const log = join(folder, "v8.log"), flags = `--v8-flags=--log-function-events,--no-logfile-per-isolate,--logfile=${log}`;
    const args = ["run", flags, "--allow-ffi", "example.ts"], env = { DENO_DIR: join(folder, "cache") };
    await run(args, env); // after which Deno has what it compiled
    await Deno.remove(log);
    const { code, stderr } = await run(args, env);
    assertEquals(code, 0, stderr);
    const events = (await Deno.readTextFile(log)).split("\n").map((line) => line.split(","));
    const own = new Set(events.flatMap(([event, script, url]) => event === "script-details" && url.includes("/bundle/") ? [script] : []));
    const late = events.filter(([event, kind, script]) => event === "function" && kind === "parse-function" && own.has(script));
    assertEquals(own.size, 4);
    assert(late.length < 150, `${late.length} functions`); // of some 520
  }));

test("alone in a folder, the doctor is well", () =>
  alone(async (run) => {
    const { code, stdout, stderr } = await run(["run", "--no-prompt", "--allow-ffi", "ggml/bundle/doctor/mod.js"]);
    assertEquals(code, 0, stdout + stderr);
  }));

test("in a project with a package.json, whose packages Deno doesn't download by itself, the doctor says what to add", () =>
  alone(async (run, folder) => {
    await Deno.writeTextFile(join(folder, "package.json"), "{}");
    const { code, stdout, stderr } = await run(["run", "--no-prompt", "--allow-ffi", "ggml/bundle/doctor/mod.js"]);
    assertEquals(code, 1, stdout + stderr);
    assertMatch(stdout, /→ Where there is a package\.json, .*: `deno add npm:@node-llama-cpp\/[\w-]+@[\d.]+`, or "nodeModulesDir": "auto"/);
  }));

test("deno compile of the first example gives a binary that runs with the library that GGML_LIBRARY names", () =>
  alone(async (run, folder) => {
    const args = ["compile", "--quiet", "--allow-ffi", "--allow-env=GGML_LIBRARY", "--output", "example", "example.ts"];
    const compiled = await run(args);
    if (compiled.code !== 0 && /dl\.deno\.land|denort/.test(compiled.stderr)) {
      return console.warn("SKIPPED: deno compile (it downloads its runtime from dl.deno.land, which can't be reached)");
    }
    assertEquals(compiled.code, 0, compiled.stderr);
    const { load } = await import("@ggml/deno");
    const { code, stdout, stderr } = await command(join(folder, "example"), [], folder, { GGML_LIBRARY: load().path });
    assertEquals(code, 0, stderr);
    assertStringIncludes(stdout, "104.125");
  }));

test("a project that links it gets types, commands, models, and errors with its own line", async () => {
  const project = join(folder, "project");
  const standard = ["assert", "cli", "path"].map((name) => fromFileUrl(new URL(`links/${name}`, ROOT)));
  const imports = Object.fromEntries(["", "/utils", "/models"].map((name) => [`@ggml/deno${name}`, `jsr:@ggml/deno${name}`]));
  await Deno.mkdir(project);
  await Deno.writeTextFile(join(project, "deno.json"), JSON.stringify({ imports, links: [PACKAGE, ...standard] }));
  await Deno.writeTextFile(join(project, "point.h"), "struct point { double x, y; };\nstruct point mirrored(struct point p);\n");
  const run = async (...args: string[]) => {
    const ended = await command(Deno.execPath(), args, project);
    assert(!/^warning\b/im.test(ended.stderr), ended.stderr);
    return ended;
  };
  const printed = async (...args: string[]) => {
    const { code, stdout, stderr } = await run(...args);
    assertEquals(code, 0, stderr);
    return stdout;
  };

  await Deno.writeTextFile(join(project, "mistake.ts"), 'import { view } from "@ggml/deno/utils";\n\nview(5);\n');
  assertStringIncludes(
    (await run("check", "mistake.ts")).stderr,
    "Argument of type 'number' is not assignable to parameter of type 'ggml_tensor",
  );
  assertStringIncludes((await run("run", "--allow-ffi", "mistake.ts")).stderr, "project/mistake.ts:3:1");

  const model = fromFileUrl(new URL("examples/models/moby.gguf", ROOT));
  const text = 'import { loadModel } from "@ggml/deno/models";\n' +
    "using model = await loadModel(Deno.args[0]);\nconsole.log(model.tokenize('whale'));\n";
  await Deno.writeTextFile(join(project, "model.ts"), text);
  assertStringIncludes(await printed("run", "--allow-ffi", "--allow-read", "model.ts", model), "[");

  // By their files: Deno 2.9.0 looks for jsr:@ggml/deno/cli on JSR, whatever is linked.
  const { exports } = await configuration(new URL(`file://${PACKAGE}/`)), entry = (name: string) => join(PACKAGE, exports[name]);
  assertStringIncludes(await printed("run", "-R", entry("./cli"), "dump", "point.h"), '"name":"mirrored"');
  await printed("run", "-RW", entry("./cli"), "generate", "--library", "m", "point.h", "--out", "point.ts");
  await printed("check", "point.ts");
  assertStringIncludes(await printed("run", entry("./serve"), "--help"), "--sequences");
});

test("the examples in the documentation run over the package", async () => {
  const examples = join(PACKAGE, "examples"); // some load a model from there
  await Deno.symlink(new URL("examples", ROOT), examples);
  try {
    const args = ["test", "--no-lock", "--doc", "--allow-ffi", "--allow-read", "--allow-write", "--allow-env", "--allow-net"];
    const { code, stdout } = await command(Deno.execPath(), [...args, "ffi", "models", "utils"], PACKAGE);
    assertEquals(code, 0, stdout);
    assertMatch(stdout, /^ok \| \d{2,} passed \| 0 failed/m);
  } finally {
    await Deno.remove(examples);
  }
});

test("the package is written into no folder that holds something else", async () => {
  const { code, stderr } = await deno(["task", "package", "--out", "tests"]);
  assertEquals(code, 1);
  assertStringIncludes(stderr, "tests holds something else than this package: name a new or empty folder");
  assertEquals((await deno(["task", "package", "--out", PACKAGE])).code, 0, "an older package is replaced");
});
