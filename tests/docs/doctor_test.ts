/** The doctor, where all is well and where something is broken, each in a process of its own. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { load } from "@ggml/deno";
import { trapFinding } from "../../doctor/library.ts";
import { OLDEST } from "../../doctor/runtime.ts";
import { RELEASE } from "../../ffi/load/find.ts";
import { deno, type Ended, OF_DEFAULT } from "../process.ts";

if (OF_DEFAULT.ignore) console.warn("SKIPPED: tests of the default library (GGML_LIBRARY names another)");

async function doctor(args: string[] = [], permissions = ["--allow-ffi", "--allow-env"], env: Record<string, string> = {}): Promise<Ended> {
  return await deno(["run", "--no-prompt", "--quiet", ...permissions, "doctor/mod.ts", ...args], env);
}

function assertSays({ code, stdout, stderr }: Ended, expectedCode: number, ...parts: string[]): void {
  assertEquals(code, expectedCode, stdout + stderr);
  for (const part of parts) assertStringIncludes(stdout, part);
}

Deno.test("the doctor says what was chosen, and why, and exits with 0", OF_DEFAULT, async () => {
  const { variant, score } = load().cpu!;
  assertSays(
    await doctor(),
    0,
    `Deno ${Deno.version.deno}`,
    "ffi: granted",
    "GGML_LIBRARY is not set",
    `ggml ${RELEASE.ggml}`,
    `${load().path} (from npm)`,
    `${variant}: ${score}, chosen: the highest`,
    "ABI: structs and types",
    "ok    trap: C's failures",
    "256 sums, Q5_K + F32",
    "CPU (cpu, CPU)",
    "ggml can be used.",
  );
});

Deno.test("the doctor's --json says the same", async () => {
  const { usable, sections } = JSON.parse((await doctor(["--json"])).stdout);
  assertEquals(usable, true);
  assertEquals(
    sections.map(({ title }: { title: string }) => title),
    ["Runtime", "Permissions", "Environment", "Library", "CPU variants", "Self test", "Devices"],
  );
  for (const { findings } of sections) assert(findings.every(({ status }: { status: string }) => status !== "problem"));
  const library = sections.find(({ title }: { title: string }) => title === "Library");
  assertEquals(library.findings.filter(({ text }: { text: string }) => text.includes("trap")), [trapFinding(true)]);
});

Deno.test("the doctor says where there is no trap, which is no reason not to use ggml", () => {
  const { status, text } = trapFinding(false);
  assertEquals(status, "note");
  assertEquals(text, `no trap on ${Deno.build.os} on ${Deno.build.arch} with this library: a failed assertion of C's ends the process`);
});

Deno.test("the doctor without permissions says which is missing, and what each would give", async () => {
  assertSays(await doctor([], []), 1, "BAD   ffi: prompt", "run with --allow-ffi", "with --allow-read", "may not be read", "can't be used");
  assertSays(await doctor([], ["--allow-ffi", "--deny-env"]), 0, "env=GGML_LIBRARY: denied", "with --allow-env=GGML_LIBRARY");
});

Deno.test("the doctor of a library that is missing, or none, or not ggml", async () => {
  const env = { GGML_LIBRARY: "/nowhere/libggml.so" };
  assertSays(await doctor([], undefined, env), 1, "BAD   no ggml library at /nowhere/libggml.so (from GGML_LIBRARY)", "No such file", "→");
  const text = await doctor(["--path", new URL("../../README.md", import.meta.url).pathname]);
  assertSays(text, 1, "BAD   no ggml library at");
  if (Deno.build.os === "linux") assertSays(await doctor(["--path", "libm.so.6"]), 1, "opens, but is not ggml");
});

Deno.test("the doctor of a library with another ABI", async () => {
  if (Deno.build.target !== "x86_64-unknown-linux-gnu") {
    return console.warn("SKIPPED: an old ggml (the package is fetched for x86-64 Linux only)");
  }
  const specifier = "npm:@node-llama-cpp/linux-x64@3.1.1";
  const code = `await import("${specifier}"); console.log(import.meta.resolve("${specifier}"));`;
  const { stdout } = await deno(["eval", "--no-lock", "--quiet", code]);
  const old = await doctor(["--path", new URL("../bins/linux-x64/", stdout.trim()).pathname]);
  assertSays(old, 1, "with another ABI than the bindings'", "these bindings work with libraries from ggml", "→ Unset GGML_LIBRARY");
});

Deno.test("the doctor where the package can't be downloaded, or not be written down", OF_DEFAULT, async () => {
  const folder = await Deno.makeTempDir();
  try {
    const run = ["--allow-ffi", "--cached-only", "--no-lock"];
    const offline = await doctor([], run, { DENO_DIR: folder });
    assertSays(offline, 1, "the prebuilt package is not to be had", "it needs a network, and a cache (DENO_DIR) that can be written");
    await Deno.writeTextFile(`${folder}/file`, "");
    const unwritable = await doctor([], ["--allow-ffi", "--no-lock"], { DENO_DIR: `${folder}/file` });
    assertSays(unwritable, 1, "the prebuilt package is not to be had", "a cache (DENO_DIR) that can be written");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("the doctor of a GPU that isn't there, and of a wrong command line", async () => {
  assertSays(await doctor(["--gpu", "rocm"]), 1, `expected "cuda", "vulkan", "metal" or false, got the string "rocm"`);
  if (Deno.build.os === "linux") assertSays(await doctor(["--gpu", "metal"]), 1, "there is no such prebuilt library for linux-", "→");
  const { code, stderr } = await doctor(["--nope"]);
  assertEquals(code, 2);
  assertStringIncludes(stderr, "usage: doctor");
});

Deno.test("the doctor and README name the same oldest Deno", async () => {
  assertStringIncludes(await Deno.readTextFile(new URL("../../README.md", import.meta.url)), `It needs Deno ${OLDEST} or newer`);
});
