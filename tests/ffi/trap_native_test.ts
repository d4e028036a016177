/**
 * The trap from C, without JavaScript, each time on the real libraries of npm's packages: on this machine, for 64-bit Arm under qemu, and for
 * Windows under wine. Deno itself doesn't start under that wine.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { ABI } from "../../ffi/generated/layouts.js";
import { CODE, type Convention } from "../../ffi/generated/native_code.js";
import { layoutWords } from "../../ffi/native/trap.ts";
import { npmPackage } from "../npm_package.ts";

/** What the harness says: a call's result, which is 0 where C failed (in a kernel, that of the computation), and what was caught. */
const SAYS = `printed: nobody hears this
printed: there
printed: again
printed: nor this
heard of this thread's call: here
heard of the other's: there again
an assertion: 0; assertion in call: GGML_ASSERT(ggml_can_mul_mat(a, b)) failed
a null pointer: 0; null pointer in call 0x10
a jump to a null pointer: 0; null pointer in call 0x0
MEMORYan exception of ggml's: 0; exception in call: LENGTH
an exception with what(): 0; exception in call: sample::failure: it says why
an exception that is a number: 0; exception in call: INT
a division by zero in ggml: 0; division in call
a division by zero: 0; division in call
a stack overflow: 0; stack overflow in call
a stack overflow: 0; stack overflow in call
a stack overflow: 0; stack overflow in call
destroyed 6
it still works: 0, 1 16 81
an exception that C++ catches: 2
destroyed 3
an assertion: 0; assertion in call: GGML_ASSERT(tensor->op == GGML_OP_UNARY) failed
destroyed 1
an exception: 0; exception in call: sample::failure: it says why
destroyed 2
a null pointer: 0; null pointer in call 0x0
destroyed 1
a division: 0; division in call
destroyed 1
abort(): 0; abort in call
destroyed 1
assert(): 0; abort in call: Assertion \`how != ASSERT' failed.
destroyed 1
an exception in a catch: 0; exception in call: sample::failure: it says why
destroyed 4
an exception thrown on: 0; exception in call: THROWN_ON
destroyed 3
a null pointer in a catch: 0; null pointer in call 0x0
destroyed IN_CATCH
an exception where none may be: 0; exception in call: sample::failure: it says why
destroyed 1
around it C++ catches what it throws: 77
around it C++ catches something else: 0; exception in call: INT
around it C++ catches exceptions: 0; assertion in call: GGML_ASSERT(tensor->op == GGML_OP_UNARY) failed
around it C++ catches all, an exception: 77
around it C++ catches all, an assertion: 0; assertion in call: GGML_ASSERT(tensor->op == GGML_OP_UNARY) failed
around it C++ catches all, an assertion: 0; assertion in call: GGML_ASSERT(tensor->op == GGML_OP_UNARY) failed
an exception in a destructor after an assertion: 0; assertion in call: GGML_ASSERT(tensor->op == GGML_OP_UNARY) failed
an exception in a destructor after a null pointer: 0; null pointer in call 0x0
it still works: 0, 1 16 81
KERNELSit still works: 0, 1 16 81
aside, an assertion: 0; assertion in call: GGML_ASSERT(ggml_can_mul_mat(a, b)) failed
aside, an exception: 0; exception in call: LENGTH
aside, a null pointer: 0; null pointer in call 0x10
aside, assert(): 0; abort in call: Assertion \`how != ASSERT' failed.
abort() and assert() leave SIGABRT blocked: 0
aside, a stack overflow in ggml: 0; stack overflow in call
aside, 100 at once: 100 are right
aside, structs and numbers: 21 31 15 23 1159
invoked, an assertion: 0; assertion in call: GGML_ASSERT(ggml_can_mul_mat(a, b)) failed
invoked, a null pointer: 0; null pointer in call 0x10
invoked, a jump to a null pointer: 0; null pointer in call 0x0
invoked, an exception of ggml's: 0; exception in call: LENGTH
invoked, an exception: 0; exception in call: sample::failure: it says why
invoked, a stack overflow: 0; stack overflow in call
invoked, a stack overflow: 0; stack overflow in call
invoked, a stack overflow: 0; stack overflow in call
destroyed 8
invoked, a kernel: 4294967295; assertion in kernel of node 0: fatal error
invoked, what doesn't fail: 0
a thread of C's own: 0; exception in thread: sample::failure: it says why
20000 assertions: 20000 are right
it still works: 0, 1 16 81
`;

/** The kernels among them, each computed by a call and by one on a thread that Deno lends. */
const KERNELS = [
  ["an assertion", "assertion in kernel of node 0: fatal error"],
  ["an exception", "exception in kernel of node 1: sample::failure: it says why"],
  ["a null pointer", "null pointer in kernel of node 1 0x0"],
  ["abort()", "abort in kernel of node 1"],
  ["assert()", "abort in kernel of node 1: Assertion `how != ASSERT' failed."],
].flatMap(([name, caught]) =>
  [1, 2].flatMap((threads) => ["", "aside, "].map((aside) => `${aside}a kernel, ${threads} threads, ${name}: 4294967295; ${caught}\n`))
);

interface Target {
  readonly convention: Convention;
  readonly system: string;
  /** Compiles the harness, and the library of C++ that fails. */
  readonly build: (harness: string, library: string) => readonly (readonly string[])[];
  readonly runner: readonly string[];
  readonly package: readonly [name: string, version?: string];
  readonly libraries: readonly [base: string, cpu: string];
  /** What differs from one system to another in what it says. */
  readonly says: Readonly<Record<string, string>>;
  /** What of it this system can't say. */
  readonly cases: (text: string) => string;
  /** How a process ends, by what it does that isn't ggml's. */
  readonly ends: Readonly<Record<string, readonly [code: number, says: string]>>;
}

const HARNESS = here("trap_harness.c"), LIBRARY = here("trap_library.cpp");
const GNU_SAYS = {
  MEMORY: "a file that became shorter: 0; short file in call\nmemory that may only be read: 0; read only in call\n",
  LENGTH: "std::length_error: cannot create std::vector larger than max_size()",
  INT: "int",
  THROWN_ON: "sample::failure: it says why",
  IN_CATCH: "3",
};
/** A signal ends a process with 128 and its number, where nobody has a handler. */
const GNU_ENDS = {
  "fault": [3, "passed on\n"],
  "fault in the C library": [128 + 11, ""],
  "abort": [128 + 6, ""],
  "abort, reported": [70, "printed: report\nexit -1 70\n"],
  "SIGABRT ignored": [0, "ignored\n"],
  "SIGABRT handled": [3, "passed on\n"],
  "SIGABRT in a handler": [128 + 6, ""],
  "SIGABRT of a broken heap": [128 + 6, ""],
} as const;

function gnu(prefix: string, harness: string, library: string): string[][] {
  return [
    [`${prefix}gcc`, "-O1", "-pthread", HARNESS, "-o", harness, "-ldl"],
    [`${prefix}g++`, "-O1", "-shared", "-fPIC", LIBRARY, "-o", library],
  ];
}

/** C++ as MSVC compiles it, by clang; there is no import library for its run-time library, so that is made. */
function mingw(harness: string, library: string): string[][] {
  const folder = library.replace(/[^/]*$/, "");
  Deno.writeTextFileSync(
    `${folder}runtime.def`,
    "LIBRARY vcruntime140.dll\nEXPORTS\n__CxxFrameHandler3\n_CxxThrowException\n__std_terminate\n",
  );
  return [
    ["x86_64-w64-mingw32-gcc", "-O1", HARNESS, "-o", harness],
    ["x86_64-w64-mingw32-dlltool", "-d", `${folder}runtime.def`, "-l", `${folder}runtime.a`],
    ["clang", "--target=x86_64-pc-windows-msvc", "-O1", "-fexceptions", "-fcxx-exceptions", "-c", LIBRARY, "-o", `${folder}library.o`],
    ["x86_64-w64-mingw32-gcc", "-shared", "-nostdlib", "-Wl,-e0", `${folder}library.o`, `${folder}runtime.a`, "-o", library],
  ];
}

const TARGETS: Record<string, Target> = {
  "x86-64 Linux": {
    convention: "sysv",
    system: "linux x86_64",
    build: (harness, library) => gnu("", harness, library),
    runner: [],
    package: ["linux-x64"],
    libraries: ["libggml-base.so", "libggml-cpu-x64.so"],
    says: GNU_SAYS,
    cases: (text) => text,
    ends: GNU_ENDS,
  },
  "64-bit Arm Linux": {
    convention: "arm64",
    system: "linux aarch64",
    build: (harness, library) => gnu("aarch64-linux-gnu-", harness, library),
    runner: ["qemu-aarch64-static", "-L", "/usr/aarch64-linux-gnu"],
    package: ["linux-arm64"],
    libraries: ["libggml-base.so", "libggml-cpu-armv8.0_1.so"],
    says: GNU_SAYS,
    cases: (text) => without(/a division/, text), // this processor divides by zero without a word
    ends: GNU_ENDS,
  },
  "x86-64 Windows": {
    convention: "windows",
    system: "windows x86_64",
    build: mingw,
    runner: ["wine"],
    package: ["win-x64", "3.21.1"],
    libraries: ["ggml-base.dll", "ggml-cpu-x64.dll"],
    // wine's own C++ doesn't destroy what a catch has.
    says: {
      MEMORY: "",
      LENGTH: "std::length_error: vector too long",
      INT: ".H",
      THROWN_ON: "an exception that was caught and thrown again",
      IN_CATCH: "2",
    },
    cases: (text) => without(/abort\(\)|assert\(\)/, text), // its own C tells of aborts as of exceptions
    ends: {
      "fault": [3, "passed on\n"],
      "fault in the C library": [3, "passed on\n"],
      "abort": [3, ""],
      "abort, reported": [70, "printed: report\nexit -1 70\n"],
    },
  },
};

for (const [name, target] of Object.entries(TARGETS)) {
  Deno.test(`the trap on ${name}: whatever C fails of, wherever`, {
    ignore: Deno.build.os !== "linux" || Deno.build.arch !== "x86_64",
  }, async () => {
    const folder = await Deno.makeTempDir();
    try {
      const run = await prepare(target, folder);
      if (typeof run === "string") return console.warn(`SKIPPED: ${run}`);
      const expected = Object.entries({ ...target.says, KERNELS: KERNELS.join("") }).reduce(
        (text, [mark, says]) => text.replaceAll(mark, says),
        SAYS,
      );
      assertEquals(await run("all"), { code: 0, stdout: target.cases(expected) });
      for (const [scenario, [code, stdout]] of Object.entries(target.ends)) assertEquals(await run(scenario), { code, stdout }, scenario);
    } finally {
      if (target.convention === "windows") await run("wineserver", ["--kill", "--wait"], wineIn(folder)); // it writes to the folder when it ends
      await Deno.remove(folder, { recursive: true });
    }
  });
}

/** Leaves out cases, each a line, with what was destroyed then. */
function without({ source }: RegExp, text: string): string {
  return text.replace(new RegExp(`^.*(?:${source}).*\\n(?:destroyed 1\\n)?`, "gm"), "");
}

interface Ended {
  readonly code: number;
  readonly stdout: string;
}

/** Builds what a target takes. Returns what runs the harness, or what is missing. */
async function prepare(target: Target, folder: string): Promise<((scenario: string) => Promise<Ended>) | string> {
  const { convention, system, build, runner, package: [name, version], libraries } = target;
  const windows = convention === "windows";
  const env = wineIn(folder);
  const harness = `${folder}/harness${windows ? ".exe" : ""}`, library = `${folder}/libggml-test${windows ? ".dll" : ".so"}`;
  for (const [command, ...args] of build(harness, library)) {
    const built = await run(command, args);
    if (built === null) return `there is no ${command}`;
    assertEquals(built.code, 0, `${command}: ${built.stderr}`);
  }
  const root = await npmPackage(`@node-llama-cpp/${name}`, version);
  if (root === null) return `npm's @node-llama-cpp/${name} can't be had`;
  if (runner.length > 0 && await run(runner[0], ["--version"], env) === null) return `there is no ${runner[0]}`;
  const { code, functions } = CODE[convention];
  await Deno.writeFile(`${folder}/code.bin`, Uint8Array.fromBase64(code));
  const offsets = [
    functions.install,
    functions.slot,
    functions.take_traps,
    functions.forward,
    functions.invoke,
    functions.quiet,
    functions.take,
  ];
  const paths = [...libraries.map((file) => `${root}/bins/${name}/${file}`), library];
  // wine has this system's files on a drive of its own.
  const files = windows ? paths.map((path) => `Z:${path.replaceAll("/", "\\")}`) : paths;
  return async (scenario) => {
    const words = layoutWords(system, ABI)!;
    const [command, ...args] = [...runner, harness, `${folder}/code.bin`, ...offsets, ...files, scenario, ...words].map(String);
    const { code, stdout } = (await run(command, args, env))!;
    return { code, stdout: stdout.replaceAll("\r\n", "\n") };
  };
}

/** The environment for a wine that has its own world in a folder, and says nothing. */
function wineIn(folder: string): Record<string, string> {
  return { WINEPREFIX: `${folder}/wine`, WINEDEBUG: "-all", WINEDLLOVERRIDES: "mscoree,mshtml=" };
}

/** Runs a command; null where there is none. */
async function run(command: string, args: string[], env: Record<string, string> = {}): Promise<Ended & { stderr: string } | null> {
  try {
    const { code, stdout, stderr } = await new Deno.Command(command, { args, env, stdin: "null" }).output();
    const decoder = new TextDecoder();
    return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

function here(file: string): string {
  return fromFileUrl(new URL(file, import.meta.url));
}
