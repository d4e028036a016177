/** Listing devices and choosing a library by its GPU, each case in a process of its own: one process holds one library. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { load } from "@ggml/deno";
import { devices } from "@ggml/deno/utils";
import { RELEASE } from "../../ffi/load/find.ts";
import { program } from "../process.ts";

const LINUX = Deno.build.target === "x86_64-unknown-linux-gnu";

/** Runs statements; prints the message of what they throw. */
async function say(body: string, env: Record<string, string> = {}, permissions: string[] = ["--allow-ffi"]): Promise<string> {
  const text =
    `import { download, lib, load } from "@ggml/deno"; import { devices } from "@ggml/deno/utils"; void download; void lib; void load; void devices;
    try { ${body} } catch (error) { console.log(error.name + ": " + error.message) }`;
  const { stdout, stderr, code } = await program(text, [...permissions, "--no-check"], env);
  assertEquals(code, 0, stderr);
  return stdout;
}

Deno.test("devices() lists the CPU of the default library, with memory that views can show", () => {
  const [cpu, ...rest] = devices();
  assertEquals([cpu.name, cpu.type, cpu.backend, cpu.host], ["CPU", "cpu", "CPU", true]);
  assert(cpu.description !== "" && cpu.memory.total > 0 && cpu.memory.free <= cpu.memory.total);
  assertEquals(rest, []);
  assertEquals(devices().length, 1); // loaded once
});

Deno.test("devices() of a single file of a split build says that it has no registry", async () => {
  const file = load().path + (Deno.build.os === "windows" ? "ggml-base.dll" : "libggml-base.so");
  const folder = await Deno.makeTempDir();
  try {
    await Deno.copyFile(file, `${folder}/libggml-base.so`);
    const text = await say(`load({ path: ${JSON.stringify(folder)} }); devices()`);
    assertStringIncludes(text, `Error: ggml_backend_reg_count is not in the loaded library, ggml ${RELEASE.ggml}`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("load({ gpu }) says what is wrong with its options", async () => {
  assertStringIncludes(
    await say(`load({ gpu: "rocm" })`),
    `load({ gpu }): expected "cuda", "vulkan", "metal" or false, got the string "rocm"`,
  );
  assertStringIncludes(await say(`load({ gpu: true })`), `or false, got the boolean true`);
  assertStringIncludes(await say(`load({ gpu: null })`), `or false, got null`);
  assertStringIncludes(await say(`load({ gpu: false, path: "x" })`), "TypeError: load({ path, gpu }): the path says which library");
});

Deno.test({
  name: "load({ gpu }) names what there is for this platform, takes the CPU's for false, and refuses a second library",
  ignore: !LINUX,
  async fn() {
    assertStringIncludes(
      await say(`load({ gpu: "metal" })`),
      `there is no such prebuilt library for linux-x64, but there is "cuda", "vulkan", false`,
    );
    const env = { GGML_LIBRARY: "/nowhere/libggml.so" };
    const cpu = await say(`console.log(load({ gpu: false }).path)`, env, ["--allow-ffi", "--allow-env=GGML_LIBRARY"]);
    assertStringIncludes(cpu, "/linux-x64/");
    const second = await say(`await download({ gpu: "vulkan" }); load(); load({ gpu: false }); load({ gpu: "vulkan" });`, {
      GGML_VK_VISIBLE_DEVICES: "0",
    });
    assertStringIncludes(second, `Error: load({ gpu: "vulkan" }): ggml is already loaded, from `);
  },
});

Deno.test({
  name: "load({ gpu }) of a package that wasn't downloaded says what downloads it, download() does, and then it is there for good",
  ignore: !LINUX,
  async fn() {
    const folder = await Deno.makeTempDir(), permissions = ["--allow-ffi", "--no-lock"];
    const env = { DENO_DIR: folder, GGML_VK_VISIBLE_DEVICES: "0" };
    try {
      const path = `console.log(load({ gpu: "vulkan" }).path);`;
      const missing = await say(path, env, permissions);
      assertStringIncludes(
        missing,
        'Error: load({ gpu: "vulkan" }): the prebuilt library was not downloaded yet: say `await download({ gpu: "vulkan" })`',
      );
      assertStringIncludes(missing, `\`deno cache npm:@node-llama-cpp/linux-x64-vulkan@${RELEASE.package}\``);
      const offline = `await download({ gpu: "vulkan" })`;
      assertStringIncludes(
        await say(offline, env, [...permissions, "--cached-only"]),
        `is not to be had: npm:@node-llama-cpp/linux-x64-vulkan@${RELEASE.package}`,
      );
      assertEquals(await say(offline, env, permissions), "");
      const again = await say(`try { ${path} } catch (error) { console.log(error.message); }`, env, [...permissions, "--cached-only"]);
      // Where there is no driver it is another error, which names the file.
      assertStringIncludes(again, `linux-x64-vulkan/${RELEASE.package}/bins/linux-x64-vulkan/`);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test("no backend is loaded that nobody named: GGML_BACKEND_PATH only if it may be read, the current folder never", {
  ignore: Deno.build.os !== "linux",
}, async () => {
  const folder = await Deno.makeTempDir();
  try {
    const source = `#include <stdio.h>\n__attribute__((constructor)) static void begin(void) { puts("loaded"); fflush(stdout); }\n`;
    await Deno.writeTextFile(`${folder}/evil.c`, source);
    const built = await compile(`${folder}/evil.c`, `${folder}/libggml-blas.so`);
    if (!built) return console.warn("SKIPPED: there is no gcc");
    const env = { GGML_BACKEND_PATH: `${folder}/libggml-blas.so` };
    const loads = ["devices()", "lib.ggml_backend_load_all()", "lib.ggml_backend_load_all_from_path(null)"];
    for (const call of [...loads, "lib.ggml_backend_load_all_from_path(load().path)"]) {
      const count = `${call}; console.log(lib.ggml_backend_reg_count())`;
      assertEquals(await say(count, env), "1\n", call);
      assertStringIncludes(await say(count, env, ["--allow-ffi", "--allow-env=GGML_BACKEND_PATH"]), "loaded\n");
      assertEquals(await say(`Deno.chdir(${JSON.stringify(folder)}); ${count}`, {}, ["--allow-ffi", "--allow-read"]), "1\n", call);
    }
    const kept = await say(
      `devices(); 
      console.log(new TextDecoder().decode(new Deno.Command("printenv", { args: ["GGML_BACKEND_PATH"] }).outputSync().stdout))`,
      env,
      [
        "--allow-ffi",
        "--allow-run=printenv",
      ],
    );
    assertStringIncludes(kept, env.GGML_BACKEND_PATH);
    assertStringIncludes(
      await say(`lib.ggml_backend_load_all_from_path("")`),
      "TypeError: ggml_backend_load_all_from_path(dir_path): expected",
    );
    assertStringIncludes(await say(`lib.ggml_backend_load_all_from_path(${JSON.stringify(folder)})`), "loaded"); // the call says so
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

/** Makes a library; false where there is no compiler. */
async function compile(source: string, out: string): Promise<boolean> {
  try {
    return (await new Deno.Command("gcc", { args: ["-shared", "-fPIC", "-o", out, source] }).output()).success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
