/** What happens when C aborts, each time in a process of its own: by default, and with load({ onAbort: "exit" }). */

import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { EXIT_ABORT, load } from "@ggml/deno";
import { type Ended, program } from "./process.ts";

const WINDOWS = Deno.build.os === "windows";
/** What a shell says of a process that SIGABRT ended. */
const SIGNALLED = 128 + 6;

const START = `import { lib, load } from "@ggml/deno"; import { onLog } from "@ggml/deno/utils";
const file = load().files[0], text = (text) => new TextEncoder().encode(text + "\\0");
function open(name, parameters, nonblocking = false) { return Deno.dlopen(file, { [name]: { parameters, result: "void", nonblocking } }).symbols[name]; }
addEventListener("unload", () => console.log("unloaded"));
`;
const EXIT = `load({ onAbort: "exit" });\n`;
const ABORT = `function mine() {
  lib.ggml_abort("some.c", 12, "GGML_ASSERT(a == b) failed");
}
mine();`;
/** Runs a C function that aborts on a thread of its own, and blocks this one until it ends: for ever, then. */
const THREAD = `
const { symbols } = Deno.dlopen(file, {
  ggml_backend_buffer_get_size: { type: "pointer" },
  pthread_create: { parameters: ["buffer", "pointer", "pointer", "u64"], result: "i32" },
  pthread_join: { parameters: ["u64", "pointer"], result: "i32" },
});
const thread = new BigUint64Array(1);
symbols.pthread_create(thread, null, symbols.ggml_backend_buffer_get_size, 0n); // GGML_ASSERT(buffer)
symbols.pthread_join(thread[0], null);`;

function assertReported({ code, stderr }: Ended): void {
  assertEquals(code, EXIT_ABORT, stderr);
  assertStringIncludes(stderr, "To report it, send the lines above");
  assertStringIncludes(stderr, `bindings of ggml 0.25.1, ${load().files[0]} (ggml 0.25.1), Deno ${Deno.version.deno}, ${Deno.build.os}`);
  assertStringIncludes(stderr, "exit code 70 (EXIT_ABORT)");
  assertEquals(stderr.match(/To report it/g)?.length, 1);
}

Deno.test("with the option, an abort prints its message and the stack, calls unload, and exits", async () => {
  const ended = await program(START + EXIT + ABORT);
  assertReported(ended);
  assertEquals(ended.stdout, "unloaded\n");
  const lines = ended.stderr.split("\n");
  assertEquals(lines[0], "some.c:12: GGML_ASSERT(a == b) failed");
  assertMatch(lines[1], /^ {4}at .*ggml_abort .*ffi\/functions\.js:/);
  assertMatch(lines[2], /^ {4}at mine \(file:.*\.ts:7:7\)$/);
  assert(!ended.stderr.includes("abort.ts"));
});

Deno.test("the option may come after other calls, and twice", async () => {
  assertReported(await program(`${START} lib.ggml_version(); ${EXIT} ${EXIT} ${ABORT}`));
});

Deno.test("it is the same in a callback of the event loop, and where the program's own unload listeners fail", async () => {
  const ended = await program(`${START} ${EXIT}
    addEventListener("unload", () => { throw new Error("of mine"); });
    addEventListener("unload", () => lib.ggml_abort("other.c", 1, "again"));
    setTimeout(() => { ${ABORT} }, 0);`);
  assertReported(ended);
  assertStringIncludes(ended.stderr, "some.c:12: GGML_ASSERT(a == b) failed");
});

Deno.test("by default the process ends as C ends it, with the message", { ignore: WINDOWS }, async () => {
  for (const program_ of [ABORT, THREAD]) {
    const { code, stdout, stderr } = await program(START + program_);
    assertEquals([code, stdout], [SIGNALLED, ""]);
    assertMatch(stderr, /^\S+:\d+: GGML_ASSERT\(.*\) failed\n$/);
  }
});

Deno.test("no debugger is started", { ignore: WINDOWS }, async () => {
  const folder = await Deno.makeTempDir();
  try {
    for (const name of ["gdb", "lldb"]) {
      await Deno.writeTextFile(`${folder}/${name}`, `#!/bin/sh\ntouch ${folder}/started\n`, { mode: 0o755 });
    }
    const path = `${folder}:${Deno.env.get("PATH")}`;
    for (const start of [START, START + EXIT]) {
      const { stderr } = await program(start + ABORT, ["--allow-ffi"], { PATH: path });
      assertStringIncludes(stderr, "some.c:12");
      assertThrows(() => Deno.statSync(`${folder}/started`), Deno.errors.NotFound);
    }
    // The two would have been found: with the variable taken away again, ggml starts one.
    const without =
      `Deno.dlopen(file, { unsetenv: { parameters: ["buffer"], result: "i32" } }).symbols.unsetenv(text("GGML_NO_BACKTRACE"));`;
    if (Deno.build.os !== "linux") return;
    await program(START + without + ABORT, ["--allow-ffi"], { PATH: path });
    Deno.statSync(`${folder}/started`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("an abort on another thread doesn't deadlock a call that waits for it", { ignore: WINDOWS }, async () => {
  const ended = await program(START + EXIT + THREAD);
  assertReported(ended);
  assertMatch(ended.stderr, /^\S+:\d+: GGML_ASSERT\(buffer\) failed\n {4}on another thread than/);
});

Deno.test("an abort in a nonblocking call ends the process, blocked or not", async () => {
  const abort = `open("ggml_abort", ["buffer", "i32", "buffer"], true)(text("some.c"), 12, text("failed"));`;
  for (const meanwhile of ["for (;;);", "setInterval(() => {}, 1000);"]) {
    const ended = await program(`${START} ${EXIT} ${abort} ${meanwhile}`);
    assertReported(ended);
    assertStringIncludes(ended.stderr, "some.c:12: failed\n    on another thread");
  }
});

Deno.test("a C++ exception that nobody catches says what it is", { ignore: WINDOWS }, async () => {
  const name = "_ZSt20__throw_length_errorPKc";
  if (Deno.build.os !== "linux") return console.warn("SKIPPED: only GNU's C++ library has a function that throws on demand");
  const here = await program(
    `${START} ${EXIT} const fail = open("${name}", ["buffer"]);\nfunction mine() {\n  fail(text("too long"));\n}\nmine();`,
  );
  assertReported(here);
  assertMatch(here.stderr, /^ {4}at mine \(file:.*\.ts:\d+:3\)\n/);
  assertStringIncludes(here.stderr, "std::length_error");
  assertStringIncludes(here.stderr, "too long");
  assertEquals(here.stdout, "unloaded\n");
  const there = await program(`${START} ${EXIT} open("${name}", ["buffer"], true)(text("too long")); for (;;);`);
  assertReported(there);
  assertStringIncludes(there.stderr, "on another thread");
  assertStringIncludes(there.stderr, "too long");
  const byDefault = await program(`${START} open("${name}", ["buffer"])(text("too long"));`);
  assertEquals(byDefault.code, SIGNALLED);
  assertStringIncludes(byDefault.stderr, "too long");
});

Deno.test("so does whatever else aborts", async () => {
  assertReported(
    await program(
      `${START} ${EXIT} ${
        WINDOWS ? `Deno.dlopen("ucrtbase.dll", { abort: { parameters: [], result: "void" } }).symbols.abort()` : `open("abort", [])()`
      };`,
    ),
  );
});

Deno.test("what was logged before the abort is not lost", async () => {
  const log = `onLog((level, text) => console.log(level, text)); open("ggml_log_internal", ["i32", "buffer"])(2, text("just before\\n"));`;
  const here = await program(`${START} ${EXIT} ${log} ${ABORT}`);
  assertReported(here);
  assertStringIncludes(here.stdout, "info just before");
  if (WINDOWS) return;
  const there = await program(`${START} ${EXIT} ${log} ${THREAD}`);
  assertReported(there);
  assertMatch(there.stderr, /^just before\n\S+:\d+: GGML_ASSERT\(buffer\) failed\n/);
});

Deno.test("so is an abort while the process exits", { ignore: WINDOWS }, async () => {
  for (const end of ["", "throw new Error();", "await new Promise(() => {});"]) {
    const ended = await program(`${START}
      const { symbols } = Deno.dlopen(file, {
        __cxa_atexit: { parameters: ["pointer", "u64", "u64"], result: "i32" }, ggml_backend_buffer_get_size: { type: "pointer" },
      });
      symbols.__cxa_atexit(symbols.ggml_backend_buffer_get_size, 0n, 0n); // GGML_ASSERT(buffer)
      ${EXIT} ${end}`);
    assertReported(ended);
  }
});

Deno.test("it works in a Worker, without the stack", async () => {
  const ended = await program(
    `
    const text = 'import { lib, load } from "${new URL(
      "../mod.ts",
      import.meta.url,
    )}"; load({ onAbort: "exit" }); lib.ggml_abort("some.c", 12, "failed");';
    new Worker("data:text/javascript," + encodeURIComponent(text), { type: "module" });`,
    ["--allow-ffi", "--allow-import", "--allow-read"],
  );
  assertReported(ended);
  assertStringIncludes(ended.stderr, "some.c:12: failed\n    on another thread");
});

Deno.test("other values of the option are refused", () => {
  for (const wrong of ["abort", null, 70, true]) {
    assertThrows(() => load({ onAbort: wrong as never }), TypeError, `load({ onAbort }): expected "exit", got `);
  }
});
