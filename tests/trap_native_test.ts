/**
 * The trap from C, without JavaScript: on this machine, and for 64-bit Arm under qemu, each on the real library of npm's package.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { ABI } from "../ffi/layouts.js";
import { CODE, type Convention } from "../ffi/native_code.ts";
import { systemWords } from "../ffi/trap.ts";
import { npmPackage } from "./npm_package.ts";

const OUT_OF_RANGE = "std:out_of_range: vector::_M_range_check: __n (which is 7) >= this->size() (which is 3)";
const FATAL = "kind 0, place 1, node 1: unary-ops.cpp: fatal error";

/** What the harness says. Kinds: 0 assertion, 1 exception, 3 null pointer, 4 stack overflow; places: 0 call, 1 kernel. */
const SAYS = `installed 1
result 0
kind 0, place 0, node 0: ggml.c: GGML_ASSERT(ggml_can_mul_mat(a, b)) failed
1000 of 1000
kind 3, place 0, node 0: 
${FATAL}
computes 1
${FATAL}
computes 1
100 of 100 at once
caught by itself: 7
${`kind 1, place 0, node 0: ${OUT_OF_RANGE}\n`.repeat(4)}kind 1, place 0, node 0: std:runtime_error: where none may
kind 0, place 0, node 0: some.cpp: failed
swallowed: 5
kind 0, place 0, node 0: some.cpp: swallowed
kind 1, place 0, node 0: ${OUT_OF_RANGE}
kind 3, place 0, node 0: 
7 destroyed
kind 0, place 0, node 0: some.cpp: first
kind 4, place 0, node 0: 
computes 1
`;

interface Target {
  readonly convention: Convention;
  readonly arch: string;
  readonly compiler: string;
  readonly runner: readonly string[];
  readonly package: string;
  readonly library: string;
}

const TARGETS: Record<string, Target> = {
  "x86-64": {
    convention: "sysv",
    arch: "x86_64",
    compiler: "gcc",
    runner: [],
    package: "linux-x64",
    library: "libggml-cpu-x64.so",
  },
  "arm64": {
    convention: "arm64",
    arch: "aarch64",
    compiler: "aarch64-linux-gnu-gcc",
    runner: ["qemu-aarch64-static", "-L", "/usr/aarch64-linux-gnu"],
    package: "linux-arm64",
    library: "libggml-cpu-armv8.0_1.so",
  },
};

for (const [name, target] of Object.entries(TARGETS)) {
  Deno.test(`the trap on ${name}: assertions, exceptions, what C++ swallows, faults, kernels, a hundred at once, destructors`, {
    ignore: Deno.build.os !== "linux" || Deno.build.arch !== "x86_64",
  }, async () => {
    const folder = await Deno.makeTempDir();
    try {
      const said = await tryOut(target, folder);
      if (said !== null) assertEquals(said, SAYS);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

/** What the harness says of a target; null where something that it takes is missing. */
async function tryOut({ convention, arch, compiler, runner, package: name, library }: Target, folder: string): Promise<string | null> {
  const here = (file: string) => fromFileUrl(new URL(file, import.meta.url));
  const harness = `${folder}/harness`, throws = `${folder}/libggml-throws.so`, code = `${folder}/code.bin`;
  const built = await output(compiler, ["-O1", "-pthread", here("trap_harness.c"), "-o", harness, "-ldl"]) !== null &&
    await output(compiler.replace(/gcc$/, "g++"), ["-O1", "-w", "-shared", "-fPIC", here("trap_throws.cpp"), "-o", throws]) !== null;
  if (!built) return console.warn(`SKIPPED: there is no ${compiler} with its g++`), null;
  const bins = await npmPackage(`@node-llama-cpp/${name}`);
  if (bins === null) return console.warn(`SKIPPED: npm's @node-llama-cpp/${name} can't be had`), null;
  const { code: hex, functions } = CODE[convention];
  await Deno.writeFile(code, Uint8Array.fromHex(hex));
  const offsets = [functions.install, functions.slot, functions.take_traps, functions.run, 0, 0];
  const words = [...systemWords(`linux ${arch}`, ABI)!];
  const [first, ...rest] = [...runner, harness, code, `${bins}/bins/${name}/${library}`, ...offsets, ...words, throws].map(String);
  const said = await output(first, rest);
  return said ?? (console.warn(`SKIPPED: there is no ${first}`), null);
}

/** What a command writes; null where there is none. */
async function output(command: string, args: string[]): Promise<string | null> {
  try {
    const { stdout, stderr, code } = await new Deno.Command(command, { args, stdin: "null" }).output();
    const decoder = new TextDecoder();
    return code === 0 ? decoder.decode(stdout) : `${decoder.decode(stdout)}exit code ${code}: ${decoder.decode(stderr)}`;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}
