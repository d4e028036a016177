/** Finding and loading the library, each case in a process of its own: one process holds one library. */

import { assert, assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { download, load } from "@ggml/deno";
import { deno, type Ended, program } from "../process.ts";

const PACKAGE = load().path;
const BASE = `${PACKAGE}${Deno.build.os === "windows" ? "" : "lib"}ggml-base.${
  { darwin: "dylib", windows: "dll" }[Deno.build.os as string] ?? "so"
}`;
const USE = `console.log(lib.ggml_type_name(lib.GGML_TYPE_Q5_K));`;

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

async function inTempFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("the default library is the pinned release's, with the CPU variant of the highest score", () => {
  const { version, source, files, cpu } = load();
  assertEquals(version, "0.25.1");
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

Deno.test("a folder, a file of a split build, and a file alone", async () => {
  assertSays(await program(loading(PACKAGE)), "q5_K", '"source":"load({ path })"');
  assertSays(await program(loading(PACKAGE.slice(0, -1))), "q5_K"); // without the last slash
  const split = await program(loading(BASE, "console.log(typeof lib.ggml_cpu_has_avx(), load().files)"));
  assertSays(split, "number", "libggml-cpu-"); // found beside it
});

Deno.test("a missing file is an error that names the path and the reason", async () => {
  assertSays(await program(loading("/nowhere/libggml.so")), "Error: no ggml library at /nowhere/libggml.so", "No such file");
  const folder = await program(loading("/nowhere"));
  assertSays(folder, "no ggml library at /nowhere", "/nowhere/libggml-base.so", "/nowhere/libggml.so", "No such file");
});

Deno.test("a file that is no library, and a library that is not ggml", () =>
  inTempFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/libggml.so`, "not a library, but text that is long enough to be a header of one, were it one");
    assertSays(await program(loading(`${folder}/libggml.so`)), "no ggml library at", `${folder}/libggml.so:`, "invalid ELF header");
    if (Deno.build.os !== "linux") return;
    assertSays(await program(loading("libm.so.6")), "libm.so.6: opens, but is not ggml: it has no ggml_tensor_overhead");
  }));

Deno.test("a partial ggml works as far as it goes, and says what it hasn't got", () =>
  inTempFolder(async (folder) => {
    const alone = `${folder}/${BASE.slice(PACKAGE.length)}`;
    await Deno.copyFile(BASE, alone);
    const then = `${USE} try { lib.ggml_cpu_has_avx() } catch (error) { console.log(error.message) }`;
    assertSays(await program(loading(alone, then)), "q5_K", "ggml_cpu_has_avx is not in the loaded library, ggml 0.25.1", alone);
  }));

Deno.test("an old ggml with other structs is an error that says which fields moved", async () => {
  if (Deno.build.target !== "x86_64-unknown-linux-gnu") {
    return console.warn("SKIPPED: an old ggml (the package is fetched for x86-64 Linux only)");
  }
  const old = await oldPackage("3.1.1");
  const ended = await program(loading(old));
  assertSays(
    ended,
    "a ggml too old to say its version with another ABI",
    "flags, src, view_src, view_offs (8 bytes more",
    "data is at 256, not at 248",
  );
});

/** Those whose operations are numbered otherwise, by version of the package: what is said of them. */
const RENUMBERED = {
  "3.10.0": ["a ggml too old to say its version with another ABI", "operation 3 is ADD1 there and ADD_ID (GGML_OP_ADD_ID) here"],
  "3.14.2": ["is ggml 0.9.4 with another ABI", "operation 16 is MEAN there and CUMSUM (GGML_OP_CUMSUM) here"],
};

Deno.test("an old ggml whose operations have other numbers is an error that names the release that fits", async () => {
  if (Deno.build.target !== "x86_64-unknown-linux-gnu") {
    return console.warn("SKIPPED: an old ggml (the package is fetched for x86-64 Linux only)");
  }
  for (const [version, parts] of Object.entries(RENUMBERED)) {
    const ended = await program(loading(await oldPackage(version)));
    assertSays(ended, ...parts, "(ggml 0.25.1)", "Load a library of that release (llama.cpp v0.5.0, npm:@node-llama-cpp/linux-x64@3.22.1)");
  }
});

Deno.test("an older ggml with the same structs and numbers works; what it lacks, and its llama, are errors when they are used", async () => {
  if (Deno.build.target !== "x86_64-unknown-linux-gnu") {
    return console.warn("SKIPPED: an old ggml (the package is fetched for x86-64 Linux only)");
  }
  const folder = await oldPackage("3.20.0");
  const then = `${USE} for (const name of ["llama_context_default_params", "llama_max_devices"]) {
    try { lib[name]() } catch (error) { console.log(name, error.message) } }
    using ctx = lib.ggml_init(new lib.ggml_init_params({ mem_size: 1e6 }));
    const a = lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, 2), b = lib.ggml_floor(ctx, a), graph = lib.ggml_new_graph(ctx);
    lib.ggml_set_f32_1d(a, 0, 0.6);
    lib.ggml_set_f32_1d(a, 1, 1.4);
    lib.ggml_build_forward_expand(graph, b);
    lib.ggml_graph_compute_with_ctx(ctx, graph, 1);
    console.log("floor", lib.ggml_get_f32_1d(b, 0), lib.ggml_get_f32_1d(b, 1));`;
  const ended = await program(loading(folder, then));
  assertSays(ended, "q5_K", "floor 0 1", "is ggml 0.19.0 with another ABI", "so only its ggml can be used", "llama_max_devices");
});

async function oldPackage(version: string): Promise<string> {
  const specifier = `npm:@node-llama-cpp/linux-x64@${version}`;
  const code = `await import("${specifier}"); console.log(import.meta.resolve("${specifier}"));`;
  const { stdout, stderr } = await deno(["eval", "--no-lock", "--quiet", code]);
  assertStringIncludes(stdout, "file:", stderr);
  return new URL("../bins/linux-x64/", stdout.trim()).pathname;
}

Deno.test("GGML_LIBRARY comes before the package, which then isn't downloaded, and load before GGML_LIBRARY", () =>
  inTempFolder(async (folder) => {
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

Deno.test("load after the first call is an error, unless it names the same library", async () => {
  const text = `import { lib, load } from "@ggml/deno"; ${USE}
    console.log(load().version, load({ path: load().path }).version);
    try { load({ path: "/elsewhere" }) } catch (error) { console.log(error.message) }
    try { load({ path: 5 }) } catch (error) { console.log(error.message) }`;
  assertSays(
    await program(text, ["--allow-ffi", "--no-check"]),
    "0.25.1 0.25.1",
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
    assertThrows(() => load(value as never), TypeError, "load: expected options such as { path }, got ");
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
