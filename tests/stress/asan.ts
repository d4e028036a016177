/**
 * AddressSanitizer: builds ggml from the pinned sources with it, once, and runs random programs over that build: COUNT that compute (20,000 by
 * default), see `computing.ts`, and up to 1,000 that create, use and free, see `programs.ts`.
 *
 *     deno task asan [COUNT [SEED [FUNCTION…]]]
 *
 * First a use of freed memory, and a read beyond a tensor, both made on purpose, must be reported, or silence proves nothing; the latter after calls
 * that the trap ended, which must not hide it. JavaScript's own reads aren't instrumented; what is freed is overwritten instead, so that they read
 * wrong numbers. The exit status is 1 if there is a report.
 *
 * @module
 */

import { fromFileUrl } from "@std/path";
import { existsSync } from "node:fs";
import { pinnedTree } from "../../lexer/ggml/release.ts";
import { expectKnown, readCommandLine } from "../command_line.ts";
import { catalogue } from "../fuzz/catalogue.ts";
import { computeSanitized } from "./computing.ts";

const ROOT = new URL("../../", import.meta.url);
/** Git ignores it; a build is named after its sources and its flags. */
const CACHE = new URL(".cache/", ROOT);

/**
 * The flags that decide what is built: one CPU variant, little optimization, line numbers. Stacks have no red zones, which a call would leave behind that
 * the trap ends in the middle; and C's `assert` asserts, which it doesn't in a release.
 */
const FLAGS = "-O1 -g1 -fsanitize=address --param asan-stack=0 -fno-omit-frame-pointer";
const OPTIONS = [
  "-DBUILD_SHARED_LIBS=ON",
  "-DCMAKE_BUILD_TYPE=None",
  "-DCMAKE_BUILD_RPATH_USE_ORIGIN=ON", // the folder is moved once it is whole
  ...["NATIVE", "OPENMP", "LLAMAFILE", "CPU_REPACK", "CCACHE", "BUILD_TESTS", "BUILD_EXAMPLES"].map((name) => `-DGGML_${name}=OFF`),
  `-DCMAKE_C_FLAGS=${FLAGS}`,
  `-DCMAKE_CXX_FLAGS=${FLAGS}`,
];

/** What a program needs in its environment to run over the build. */
export type Environment = Record<string, string>;

/** Why there can be no such build here; null if there can. */
export async function whyNot(): Promise<string | null> {
  if (Deno.build.os !== "linux") return "only done on Linux";
  for (const tool of ["cmake", "g++"]) {
    if (await output(tool, ["--version"]) === null) return `needs ${tool}`;
  }
  return await runtime() === null ? "g++ has no AddressSanitizer" : null;
}

/** Builds ggml with AddressSanitizer unless that was done, and says how to run over it. */
export async function asan(): Promise<Environment> {
  const folder = await build(), library = (await runtime())!;
  return {
    ASAN_RUNTIME: library,
    LD_PRELOAD: library, // it must be there before the allocator's first call
    ASAN_OPTIONS: [
      "detect_leaks=0", // Deno frees nothing when it ends
      "allocator_may_return_null=1", // as anywhere, where there isn't as much memory
      "max_free_fill_size=1048576",
      "free_fill_byte=238",
      "abort_on_error=0",
      "exitcode=86",
    ].join(":"),
    GGML_LIBRARY: `${folder}/libggml.so`,
    GGML_NO_BACKTRACE: "1",
  };
}

async function build(): Promise<string> {
  const tree = (await pinnedTree()).replace(/\/$/, "");
  const folder = fromFileUrl(new URL(`asan-${await digest([tree, ...OPTIONS].join("\n"))}`, CACHE));
  if (existsSync(`${folder}/libggml.so`)) return folder;
  const started = performance.now();
  console.error("Building ggml with AddressSanitizer, once …");
  const work = Deno.makeTempDirSync({ prefix: "ggml-asan-" });
  try {
    const sources = linkSources(`${tree}/ggml`, `${work}/ggml`);
    await must("cmake", ["-S", sources, "-B", `${work}/build`, ...OPTIONS]);
    await must("cmake", ["--build", `${work}/build`, "--parallel", String(navigator.hardwareConcurrency), "--target", "ggml"]);
    keepLibraries(`${work}/build/src`, folder);
  } finally {
    Deno.removeSync(work, { recursive: true });
  }
  console.error(`Built in ${((performance.now() - started) / 1000).toFixed(0)} s`);
  return folder;
}

/** The libraries without what CMake left around them: it names its makefiles .ts, and `deno check` would read those. */
function keepLibraries(from: string, to: string): void {
  const part = Deno.makeTempDirSync({ dir: fromFileUrl(CACHE) });
  const walk = (folder: string) => {
    for (const { name, isDirectory, isSymlink } of Deno.readDirSync(folder)) {
      if (isDirectory) walk(`${folder}/${name}`);
      else if (!/\.so\b/.test(name)) continue;
      else if (isSymlink) Deno.symlinkSync(Deno.readLinkSync(`${folder}/${name}`), `${part}/${name}`);
      else Deno.copyFileSync(`${folder}/${name}`, `${part}/${name}`);
    }
  };
  walk(from);
  if (existsSync(to)) Deno.removeSync(part, { recursive: true }); // another process was faster
  else Deno.renameSync(part, to); // at once and whole, or not at all
}

/** The sources as CMake wants them: with a template for pkg-config, which the release's tree hasn't got. */
function linkSources(from: string, to: string): string {
  Deno.mkdirSync(to);
  for (const { name } of Deno.readDirSync(from)) Deno.symlinkSync(`${from}/${name}`, `${to}/${name}`);
  if (!existsSync(`${to}/ggml.pc.in`)) Deno.writeTextFileSync(`${to}/ggml.pc.in`, "");
  return to;
}

/** The runtime library of g++'s AddressSanitizer; null if it has none. */
async function runtime(): Promise<string | null> {
  const path = (await output("g++", ["-print-file-name=libasan.so"]))?.trim();
  return path?.startsWith("/") ? Deno.realPathSync(path) : null; // a bare name: not found
}

/** What a command prints; null if it fails or isn't there. */
async function output(command: string, args: readonly string[]): Promise<string | null> {
  try {
    const { success, stdout } = await new Deno.Command(command, { args: [...args], stdin: "null" }).output();
    return success ? new TextDecoder().decode(stdout) : null;
  } catch {
    return null;
  }
}

async function must(command: string, args: readonly string[]): Promise<void> {
  const { success, stdout, stderr } = await new Deno.Command(command, { args: [...args], stdin: "null" }).output();
  if (success) return;
  const decoder = new TextDecoder();
  throw new Error(`${command} ${args.join(" ")} failed:\n${decoder.decode(stdout).slice(-4000)}\n${decoder.decode(stderr).slice(-4000)}`);
}

async function digest(text: string): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return new Uint8Array(hash).toHex().slice(0, 12);
}

/** How a program over the build ended. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs one of the programs beside this file over the build. */
export async function run(environment: Environment, name: string, args: readonly string[] = []): Promise<Ended> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--quiet",
      "--no-prompt",
      "--no-check",
      "-A",
      "--v8-flags=--expose-gc",
      fromFileUrl(new URL(name, import.meta.url)),
      ...args,
    ],
    cwd: fromFileUrl(ROOT),
    env: { NO_COLOR: "1", ...environment },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** What must be reported. */
const PROOFS: readonly { readonly program: string; readonly what: string; readonly says: string }[] = [
  { program: "use_after_free.ts", what: "a use of freed memory", says: "AddressSanitizer: heap-use-after-free" },
  { program: "overflow.ts", what: "a read beyond a tensor, after trapped calls", says: "AddressSanitizer: heap-buffer-overflow" },
];

/** Prints whether what is done on purpose is reported. */
async function prove(environment: Environment): Promise<boolean> {
  let proved = true;
  for (const { program, what, says } of PROOFS) {
    const { stderr } = await run(environment, program);
    const isReported = stderr.includes(says);
    console.log(isReported ? `${what}, made on purpose, is reported` : `NOT REPORTED: ${what}\n${stderr}`);
    proved &&= isReported;
  }
  return proved;
}

if (import.meta.main) {
  const usage = "asan [COUNT [SEED [FUNCTION…]]]", { numbers: [count, seed], names: functions } = readCommandLine(usage, [20_000, 1]);
  expectKnown(usage, functions, functions.length === 0 ? [] : (await catalogue()).builders.map(({ name }) => name));
  const why = await whyNot();
  if (why !== null) {
    console.error(`can't build ggml with AddressSanitizer: ${why}`);
    Deno.exit(2);
  }
  const environment = await asan();
  const proved = await prove(environment);
  const lives = await run(environment, "programs.ts", [Math.min(count, 1000), seed].map(String));
  // What ggml logs is of no interest but where something went wrong.
  console.log(lives.code === 0 ? lives.stdout.trimEnd() : lives.stdout + lives.stderr);
  const start = performance.now();
  const { programs, computations, kinds, reports, text } = await computeSanitized(environment, count, seed, functions);
  console.log(text);
  console.log(
    `${programs} programs in ${
      ((performance.now() - start) / 1000).toFixed(1)
    } s: ${computations} computations of ${kinds} kinds passed, ` +
      `${reports} were reported`,
  );
  Deno.exitCode = proved && lives.code === 0 && reports === 0 ? 0 : 1;
}
