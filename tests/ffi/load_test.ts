/** Finding and loading the library, each case in a process of its own: one process holds one library. */

import { assert, assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { download, load } from "@ggml/deno";
import { toFileUrl } from "@std/path";
import { scoreOf } from "../../ffi/load/files.ts";
import { CPU_VARIANTS, fileNames, RELEASE } from "../../ffi/load/find.ts";
import { OLDEST } from "../../ffi/load/history.ts";
import { lackedBits } from "../../ffi/load/processor.ts";
import { withFolder } from "../folder.ts";
import { deno, type Ended, OF_DEFAULT, program } from "../process.ts";

const PACKAGE = load().path;
const BASE = `${PACKAGE}${Deno.build.os === "windows" ? "" : "lib"}ggml-base.${
  { darwin: "dylib", windows: "dll" }[Deno.build.os as string] ?? "so"
}`;
const USE = `console.log(lib.ggml_type_name(lib.GGML_TYPE_Q5_K));`;

if (OF_DEFAULT.ignore) console.warn("SKIPPED: tests of the default library (GGML_LIBRARY names another)");

function loading(path: string, then = USE): string {
  return `import { lib, load } from "@ggml/deno";
try { console.log(JSON.stringify(load({ path: ${
    JSON.stringify(path)
  } }))); ${then} } catch (error) { console.log(error.name + ": " + error.message); }`;
}

function assertSays({ stdout, stderr, code }: Ended, ...parts: string[]): void {
  assertEquals(code, 0, stderr);
  for (const part of parts) assertStringIncludes(stdout, part);
}

Deno.test("the default library is the pinned release's, with the CPU variant of the highest score", OF_DEFAULT, () => {
  const { version, source, files, cpu } = load();
  assertEquals(version, RELEASE.ggml);
  assertEquals(source, "npm");
  assert(cpu !== null && cpu.score > 0);
  assertStringIncludes(files[0], cpu.variant);
  let best = 0;
  for (const { name } of Deno.readDirSync(PACKAGE)) {
    if (!/ggml-cpu-/.test(name)) continue;
    const variant = Deno.dlopen(PACKAGE + name, { ggml_backend_score: { parameters: [], result: "i32" } });
    best = Math.max(best, variant.symbols.ggml_backend_score());
  }
  assertEquals(cpu.score, best);
});

Deno.test("a CPU variant that needs what the processor is said to lack doesn't run here, and isn't opened", OF_DEFAULT, async () => {
  const lacked = lackedBits(BASE), lacking = CPU_VARIANTS[Deno.build.arch].filter(([, score]) => ((score - 1) & lacked) !== 0);
  for (const [variant] of lacking) assertEquals(scoreOf(PACKAGE + fileNames(`ggml-cpu-${variant}`)[0]) ?? 0, 0, variant);
  if (Deno.build.os !== "linux") return;
  const opened = await program(`import { lib } from "@ggml/deno"; ${USE} console.log(Deno.readTextFileSync("/proc/self/maps"));`, ["-A"]);
  assertSays(opened, `ggml-cpu-${load().cpu!.variant}.`);
  for (const [variant] of lacking) assert(!opened.stdout.includes(`ggml-cpu-${variant}.`), variant);
});

Deno.test("a script needs --allow-ffi and nothing else", async () => {
  assertSays(await program(`import { lib } from "@ggml/deno"; ${USE}`), "q5_K");
});

Deno.test("without --allow-ffi the import works and the first call says what is missing", async () => {
  const denied = await program(
    `import { lib } from "@ggml/deno"; console.log(lib.GGML_TYPE_Q5_K); try { ${USE} } catch (error) { console.log(error.name, error.message); }`,
    [],
  );
  assertSays(denied, "13", "NotCapable", "--allow-ffi");
});

Deno.test("a folder, a file of a split build, and a file alone", OF_DEFAULT, async () => {
  assertSays(await program(loading(PACKAGE)), "q5_K", '"source":"load({ path })"');
  assertSays(await program(loading(PACKAGE.slice(0, -1))), "q5_K"); // without the last slash
  const split = await program(loading(BASE, "console.log(typeof lib.ggml_cpu_has_avx(), load().files)"));
  assertSays(split, "number", "libggml-cpu-"); // found beside it
});

Deno.test("load().path ends the same way, whoever named the folder and however", async () => {
  const text = `import { load } from "@ggml/deno"; console.log(load().path);`;
  assert(PACKAGE.endsWith(Deno.build.os === "windows" ? "\\" : "/"));
  for (const folder of [PACKAGE, PACKAGE.slice(0, -1)]) {
    const named = await program(text, ["--allow-ffi", "--allow-env=GGML_LIBRARY"], { GGML_LIBRARY: folder });
    assertEquals(named.stdout.trim(), PACKAGE, named.stderr);
    const then = `console.log(load({ path: ${JSON.stringify(PACKAGE.slice(0, -1))} }).path)`; // the same one again
    assertSays(await program(loading(folder, then)), JSON.stringify(PACKAGE).slice(1, -1), `\n${PACKAGE}`);
  }
});

Deno.test(
  "a llama with another release in its name is found, and what was tried is listed where the folder may not be read",
  OF_DEFAULT,
  () =>
    withFolder(async (folder) => {
      for (const { name } of Deno.readDirSync(PACKAGE)) {
        const other = name.replace(/^(libllama|libggml)\.[^/]*?(\.(?:so|dylib))$/, "$1.b4711$2");
        await Deno.symlink(PACKAGE + name, `${folder}/${name.startsWith("libllama.") ? other : name}`);
      }
      const text = `import { lib, load } from "@ggml/deno"; load({ path: ${JSON.stringify(folder)} });
      try { console.log(lib.llama_max_devices() > 0) } catch (error) { console.log(error.message) }`;
      assertSays(await program(text, ["--allow-ffi", "--allow-read"]), "true");
      const tried = await program(text);
      assertSays(
        tried,
        "llama_max_devices is not in the loaded library",
        `${folder}/libllama.`,
        `--allow-read=${folder}/ is needed to look for others`,
      );
    }),
);

Deno.test("a file: URL is as good as a path, as text and as a URL", async () => {
  const { path } = load(), url = toFileUrl(path).href;
  for (const given of [JSON.stringify(url), `new URL(${JSON.stringify(url)})`]) {
    const { stdout, stderr } = await program(`import { load } from "@ggml/deno"; console.log(load({ path: ${given} }).path);`);
    assertEquals(stdout.trim(), path, stderr);
  }
  const named = await program(`import { load } from "@ggml/deno"; console.log(load().path);`, ["--allow-ffi", "--allow-env"], {
    GGML_LIBRARY: url,
  });
  assertEquals(named.stdout.trim(), path, named.stderr);
});

Deno.test("a missing file is an error that names the path and the reason", async () => {
  assertSays(await program(loading("/nowhere/libggml.so")), "Error: no ggml library at /nowhere/libggml.so", "No such file");
  const folder = await program(loading("/nowhere"));
  assertSays(folder, "no ggml library at /nowhere", "/nowhere/libggml-base.so", "/nowhere/libggml.so", "No such file");
  assertSays(await program(loading("file:///nowhere/%zz.so")), "Error: no ggml library at file:///nowhere/%zz.so", "No such file"); // no URL
});

Deno.test("a file that is no library, and a library that is not ggml", () =>
  withFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/libggml.so`, "not a library, but text that is long enough to be a header of one, were it one");
    assertSays(await program(loading(`${folder}/libggml.so`)), "no ggml library at", `${folder}/libggml.so:`, "invalid ELF header");
    if (Deno.build.os !== "linux") return;
    assertSays(await program(loading("libm.so.6")), "libm.so.6: opens, but is not ggml: it has no ggml_tensor_overhead");
  }));

Deno.test("a partial ggml works as far as it goes, and says what it hasn't got", OF_DEFAULT, () =>
  withFolder(async (folder) => {
    const alone = `${folder}/${BASE.slice(PACKAGE.length)}`;
    await Deno.copyFile(BASE, alone);
    const then = `${USE} try { lib.ggml_cpu_has_avx() } catch (error) { console.log(error.message) }`;
    assertSays(await program(loading(alone, then)), "q5_K", `ggml_cpu_has_avx is not in the loaded library, ggml ${RELEASE.ggml}`, alone);
  }));

Deno.test("a ggml older than any that was looked at is an error that names the oldest one", async () => {
  if (Deno.build.target !== "x86_64-unknown-linux-gnu") {
    return console.warn("SKIPPED: an old ggml (the package is fetched for x86-64 Linux only)");
  }
  for (const version of ["3.1.1", "3.10.0"]) {
    const ended = await program(loading(await oldPackage(version)));
    assertSays(ended, "a ggml too old to say its version with another ABI", `these bindings work with libraries from ggml ${OLDEST} on`);
    const { package: npm, llama, ggml } = RELEASE;
    assertSays(ended, `(ggml ${ggml})`, `Load a library of that release (llama.cpp ${llama}, npm:@node-llama-cpp/linux-x64@${npm})`);
  }
});

Deno.test("after a library that doesn't fit no other one is opened, which would be linked with its files", async () => {
  if (Deno.build.target !== "x86_64-unknown-linux-gnu") {
    return console.warn("SKIPPED: an old ggml (the package is fetched for x86-64 Linux only)");
  }
  const old = await oldPackage("3.10.0");
  const ended = await program(`
    import { lib, load } from "@ggml/deno";
    import { init } from "@ggml/deno/utils";
    for (const call of [() => load({ path: "${old}" }), () => load(), () => lib.ggml_version(), () => init(), () => load({ path: "${old}" })]) {
      try {
        call();
        console.log("it works");
      } catch (error) {
        console.log(error.message.split("\\n")[0]);
      }
    }
  `);
  const lines = ended.stdout.trim().split("\n");
  assertEquals(lines.length, 5, ended.stderr);
  for (const i of [0, 4]) assertStringIncludes(lines[i], "with another ABI than the bindings'");
  for (const i of [1, 2, 3]) assertStringIncludes(lines[i], "load: no other library can be opened in this process: " + old);
});

Deno.test("where there is no library, the first call of any verb says that, and not that there is no memory or no such type", async () => {
  const first = ["init()", "quantize(new Float32Array(32), 2)", "quantizationError(new Float32Array(32), 2)"];
  for (const call of first) {
    const text = `import { init, quantizationError, quantize } from "@ggml/deno/utils"; ${call};`;
    const ended = await program(text, ["--allow-ffi", "--allow-env"], { GGML_LIBRARY: "/nowhere" });
    assertEquals(ended.code, 1);
    assertStringIncludes(ended.stderr, " Error: no ggml library at /nowhere");
  }
});

async function oldPackage(version: string): Promise<string> {
  const specifier = `npm:@node-llama-cpp/linux-x64@${version}`;
  const code = `await import("${specifier}"); console.log(import.meta.resolve("${specifier}"));`;
  const { stdout, stderr } = await deno(["eval", "--no-lock", "--quiet", code]);
  assertStringIncludes(stdout, "file:", stderr);
  return new URL("../bins/linux-x64/", stdout.trim()).pathname;
}

Deno.test("GGML_LIBRARY comes before the package, which then isn't downloaded, and load before GGML_LIBRARY", () =>
  withFolder(async (folder) => {
    const permissions = ["--allow-ffi", "--allow-env=GGML_LIBRARY"];
    const text = `import { lib, load } from "@ggml/deno"; ${USE} console.log(load().source);`;
    const ended = await program(text, permissions, { GGML_LIBRARY: BASE, DENO_DIR: folder });
    assertSays(ended, "q5_K", "GGML_LIBRARY");
    const { stdout } = await new Deno.Command("find", { args: [folder, "-name", "*.so"] }).output();
    assertEquals(new TextDecoder().decode(stdout), "");
    const wrong = await program(
      `import { lib } from "@ggml/deno"; try { ${USE} } catch (error) { console.log(error.message) }`,
      permissions,
      {
        GGML_LIBRARY: "/nowhere/libggml.so",
      },
    );
    assertSays(wrong, "no ggml library at /nowhere/libggml.so (from GGML_LIBRARY)");
    assertSays(await program(loading(PACKAGE), permissions, { GGML_LIBRARY: "/nowhere/libggml.so" }), "q5_K");
    assertSays(await program(text, ["--allow-ffi"], { GGML_LIBRARY: "/nowhere/libggml.so" }), "q5_K", "npm"); // may not be read
  }));

Deno.test("load after the first call is an error, unless it names the same library", OF_DEFAULT, async () => {
  const text = `import { lib, load } from "@ggml/deno"; ${USE}
    console.log(load().version, load({ path: load().path }).version);
    try { load({ path: "/elsewhere" }) } catch (error) { console.log(error.message) }
    try { load({ path: 5 }) } catch (error) { console.log(error.message) }`;
  assertSays(
    await program(text, ["--allow-ffi", "--no-check"]),
    `${RELEASE.ggml} ${RELEASE.ggml}`,
    `load({ path: "/elsewhere" }): ggml is already loaded, from ${PACKAGE}`,
    "expected the path of a file or folder, got the number 5",
  );
});

Deno.test("nothing is opened before the first call when load({ path }) fails, and load can be tried again", async () => {
  const text = `import { lib, load } from "@ggml/deno";
    try { load({ path: "/nowhere/libggml.so" }) } catch (error) { console.log(error.message) }
    load({ path: ${JSON.stringify(PACKAGE)} }); ${USE}`;
  assertSays(await program(text), "no ggml library at /nowhere", "q5_K");
});

Deno.test("load and download say of any wrong value what it is", async () => {
  const hostile = Object.defineProperty({}, "constructor", { get: () => JSON.parse("") });
  for (const value of [null, 5, "cuda", Symbol("s")]) {
    assertThrows(() => load(value as never), TypeError, "load: expected { path, gpu, debug, onAbort }, got ");
    await assertRejects(() => download(value as never), TypeError, "download: expected { gpu }, got ");
  }
  await assertRejects(() => download(undefined as never), TypeError, "download: expected { gpu }, got undefined");
  for (const value of [null, 5, "opencl", Symbol("s"), [], hostile]) {
    for (const key of ["path", "gpu", "debug", "onAbort"]) {
      if (key === "path" && value === "opencl") continue;
      assertThrows(() => load({ [key]: value }), TypeError, `load({ ${key} }): expected `);
    }
    await assertRejects(() => download({ gpu: value as never }), TypeError, 'download({ gpu }): expected "cuda"');
  }
  assertThrows(() => load({ guards: false } as never), TypeError, "load: there is no option guards");
  assertThrows(() => load({ path: hostile as never }), TypeError, "got an object that can't be looked at");
});
