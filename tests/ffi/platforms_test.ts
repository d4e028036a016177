/**
 * npm's packages for the systems that no test runs on: their files have the names that the loader looks for, in the order in which they are
 * linked, and need what the README says.
 *
 * Of the pinned release there are none for macOS and Windows in every registry: these are the newest before it.
 */

import { assert, assertEquals } from "@std/assert";
import { CPU_VARIANTS, fileNames, platformPackage, RELEASE } from "../../ffi/load/find.ts";
import { importedDlls, newestGlibc, oldestMacOs } from "./binaries.ts";
import { npmPackage } from "../npm_package.ts";

const README = await Deno.readTextFile(new URL("../../README.md", import.meta.url));

/** By Node's name of the platform: Deno's of its processor, and the version of the package. */
const PLATFORMS: Readonly<Record<string, readonly [arch: string, version: string]>> = {
  "mac-arm64": ["aarch64", "3.21.1"],
  "mac-x64": ["x86_64", "3.21.1"],
  "win-x64": ["x86_64", "3.21.1"],
  "win-arm64": ["aarch64", "3.21.1"],
  "linux-x64": ["x86_64", RELEASE.package],
  "linux-arm64": ["aarch64", RELEASE.package],
};

/** What is no library of ggml's and llama's that the bindings call. */
const OTHERS = /^(_nlcBuildMetadata\.json|llama-addon\.(lib|node)|(lib)?llama-common\..*)$/;

interface Files {
  readonly names: readonly string[];
  readonly llama: string;
  readonly read: (name: string) => Promise<Uint8Array>;
}

/** The files of a platform's package; null if it can't be had. */
async function filesOf(platform: string): Promise<Files | null> {
  const name = platformPackage(null, platform)!, folder = await npmPackage(`@node-llama-cpp/${name}`, PLATFORMS[platform][1]);
  if (folder === null) {
    console.warn(`SKIPPED: @node-llama-cpp/${name}@${PLATFORMS[platform][1]} can't be had`);
    return null;
  }
  const bins = `${folder}/bins/${name}`, names = Array.from(Deno.readDirSync(bins), ({ name }) => name).sort();
  const { buildOptions } = JSON.parse(await Deno.readTextFile(`${bins}/_nlcBuildMetadata.json`));
  return { names, llama: buildOptions.llamaCpp.release, read: (name) => Deno.readFile(`${bins}/${name}`) };
}

for (const [platform, [arch]] of Object.entries(PLATFORMS)) {
  Deno.test(`the package for ${platform} has the file names that the loader looks for, and no others`, async () => {
    const files = await filesOf(platform);
    if (files === null) return;
    const { names, llama } = files;
    const find = (part: string) => fileNames(part, { platform, llama }).filter((name) => names.includes(name));
    for (const part of ["ggml-base", "ggml", "llama"]) assertEquals(find(part).length, 1, `${part}: ${names}`);
    const cpus = ["ggml-cpu", ...CPU_VARIANTS[arch].map(([variant]) => `ggml-cpu-${variant}`)].flatMap(find);
    assert(cpus.length > 0, String(names));
    const known = ["ggml-base", "ggml", "llama", "ggml-blas", "ggml-metal"].flatMap(find);
    assertEquals(names.filter((name) => !OTHERS.test(name)), [...known, ...cpus].sort());
  });
}

/** In which order the loader opens the parts. */
const ORDER = ["ggml-base", "ggml-cpu", "ggml", "llama"];

for (const platform of ["win-x64", "win-arm64"]) {
  Deno.test(`each DLL for ${platform} is linked with those of ggml's alone that the loader opens before it`, async () => {
    const files = await filesOf(platform);
    if (files === null) return;
    const partOf = (name: string) => ORDER.find((part) => name.startsWith(`${part}-`) || name.startsWith(`${part}.`)) ?? "";
    for (const name of files.names.filter((name) => name.endsWith(".dll") && !OTHERS.test(name))) {
      const linked = importedDlls(await files.read(name)).filter((dll) => /^(ggml|llama)/.test(dll));
      assertEquals(linked.length > 0, name !== "ggml-base.dll", `${name}: ${linked}`);
      for (const dll of linked) assert(ORDER.indexOf(partOf(dll)) < ORDER.indexOf(partOf(name)), `${name}: ${dll}`);
      for (const dll of linked) assert(files.names.includes(dll), `${name}: ${dll}`);
    }
  });
}

Deno.test("what the prebuilt libraries need of a system is what the README says", async () => {
  const needs: Record<string, Set<number | string>> = { linux: new Set(), mac: new Set(), win: new Set() };
  for (const platform of Object.keys(PLATFORMS)) {
    const files = await filesOf(platform), [system] = platform.split("-");
    if (files === null) return;
    for (const name of files.names.filter((name) => /\.(so|dylib|dll)$/.test(name) && !OTHERS.test(name))) {
      const file = await files.read(name);
      if (system === "win") { for (const dll of importedDlls(file)) needs.win.add(dll); }
      else needs[system].add(system === "mac" ? oldestMacOs(file)! : newestGlibc(file));
    }
  }
  const said = (text: string) => assert(README.includes(text), `the README doesn't say ${text}`);
  said(`glibc 2.${Math.max(...needs.linux as Set<number>)}`);
  said(`macOS ${Math.max(...needs.mac as Set<number>)}`);
  const runtime = ["MSVCP140.dll", "VCRUNTIME140.dll", "VCRUNTIME140_1.dll"];
  assertEquals([...needs.win].filter((dll) => /140/.test(String(dll))).sort(), runtime);
  runtime.forEach(said);
});
