/** What is published: without a warning, the needed files only, and they work alone, without a configuration file. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { dirname, join } from "@std/path";
import { deno, type Ended } from "../process.ts";

const ROOT = new URL("../../", import.meta.url);

const dryRun = await deno(["publish", "--dry-run", "--allow-dirty"]);

/** The published files, by their paths in the package. */
const published = [...dryRun.stderr.matchAll(/^ {3}(file:\S+) \(/gm)].map(([, url]) => decodeURIComponent(url.slice(ROOT.href.length)));

/** What is neither TypeScript nor JavaScript, and who needs it. */
const OTHERS = [
  "LICENSE",
  "README.md",
  "deno.json",
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

Deno.test("deno publish --dry-run has nothing to say, and needs no --allow-slow-types", () => {
  assertEquals(dryRun.code, 0, dryRun.stderr);
  assert(!/^(warning|error)\b/m.test(dryRun.stderr), dryRun.stderr);
  assertStringIncludes(dryRun.stderr, "Dry run complete");
});

Deno.test("the published files are the needed ones", async () => {
  assertEquals(published.filter((path) => !/^(mod|(doctor|ffi|lexer|models|utils)\/.+)\.(ts|js)$/.test(path)).sort(), OTHERS.toSorted());
  const { exports } = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));
  for (const entry of [...Object.values<string>(exports), "./lexer/cli.ts", "./lexer/ggml/regenerate.ts"]) {
    for (const path of await imported(entry)) assert(published.includes(path), `${path}, which ${entry} imports, is not published`);
  }
});

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
      await Deno.copyFile(new URL(path, ROOT), join(folder, "ggml", path));
    }
    const example = await Deno.readTextFile(new URL("examples/add_quant.ts", ROOT));
    await Deno.writeTextFile(
      join(folder, "example.ts"),
      example.replace('"@ggml/deno"', '"./ggml/mod.ts"').replace('"@ggml/deno/utils"', '"./ggml/utils/mod.ts"'),
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

Deno.test("alone in a folder, they run the first example with --allow-ffi, and fetch no other platform's package", () =>
  alone(async (run, folder) => {
    const { code, stdout, stderr } = await run(["run", "--no-prompt", "--allow-ffi", "example.ts"], { DENO_DIR: join(folder, "cache") });
    assertEquals(code, 0, stderr);
    assertStringIncludes(stdout, "104.125");
    const packages = [...Deno.readDirSync(join(folder, "cache/npm/registry.npmjs.org/@node-llama-cpp"))].filter((entry) =>
      entry.isDirectory
    );
    assertEquals(packages.length, 1);
    const checked = await run(["check", "example.ts"]);
    assertEquals(checked.code, 0, checked.stderr);
  }));

Deno.test("alone in a folder, the doctor is well", () =>
  alone(async (run) => {
    const { code, stdout, stderr } = await run(["run", "--no-prompt", "--allow-ffi", "ggml/doctor/mod.ts"]);
    assertEquals(code, 0, stdout + stderr);
  }));

Deno.test("deno compile of the first example gives a binary that runs with the library that GGML_LIBRARY names", () =>
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
