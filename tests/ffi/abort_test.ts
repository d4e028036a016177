/**
 * What still aborts, each time in a process of its own: what the trap has no way out of, by default and with load({ onAbort: "exit" }).
 *
 * @module
 */

import { assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { EXIT_ABORT, load } from "@ggml/deno";
import { type Ended, program } from "../process.ts";

const WINDOWS = Deno.build.os === "windows";
/** What a shell says of a process that SIGABRT ended. */
const SIGNALLED = 128 + 6;

const START = `import { lib, load } from "@ggml/deno"; import { init, onLog } from "@ggml/deno/utils";
const file = load().files[0], text = (text) => new TextEncoder().encode(text + "\\0");
function open(name, parameters, nonblocking = false) { return Deno.dlopen(file, { [name]: { parameters, result: "void", nonblocking } }).symbols[name]; }
`;
const EXIT = `load({ onAbort: "exit" });\n`;
const ABORT = WINDOWS
  ? `Deno.dlopen("ucrtbase.dll", { abort: { parameters: [], result: "void" } }).symbols.abort();`
  : `open("abort", [])();`;
/** Runs a C function that fails on a thread of its own, and blocks this one until it ends. */
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
  assertStringIncludes(stderr, `${load().files[0]} (ggml ${load().version}), Deno ${Deno.version.deno}, ${Deno.build.os}`);
  assertStringIncludes(stderr, "to https://github.com/ggml-org/ggml/issues:"); // which takes reports
  assertStringIncludes(stderr, "exit code 70 (EXIT_ABORT)");
  assertEquals(stderr.match(/To report it/g)?.length, 1);
}

Deno.test("what C aborts of without a way out ends the process; with the option by a code and a report", async () => {
  const { code } = await program(START + ABORT);
  if (!WINDOWS) assertEquals(code, SIGNALLED);
  assertReported(await program(START + EXIT + ABORT));
});

Deno.test("the option may come after other calls, and twice", async () => {
  assertReported(await program(`${START} lib.ggml_version(); ${EXIT} ${EXIT} ${ABORT}`));
});

Deno.test("it works in a Worker", async () => {
  const url = new URL("../../mod.ts", import.meta.url);
  const text = `import { load } from "${url}"; const file = load({ onAbort: "exit" }).files[0];
    Deno.dlopen(file, { abort: { parameters: [], result: "void" } }).symbols.abort();`;
  if (WINDOWS) return console.warn("SKIPPED: abort is another library's on Windows");
  assertReported(
    await program(
      `new Worker("data:text/javascript," + encodeURIComponent(${JSON.stringify(text)}), { type: "module" });`,
      ["--allow-ffi", "--allow-import", "--allow-read"],
    ),
  );
});

Deno.test("what ggml itself aborts of is an Error, with the option or without", { ignore: WINDOWS }, async () => {
  for (const start of [START, START + EXIT]) {
    const { code, stdout } = await program(`${start}
      try { lib.ggml_abort("some.c", 12, "GGML_ASSERT(a == b) failed"); } catch (error) { console.log(error.message); }`);
    assertEquals([code, stdout], [0, "ggml_abort: assertion failed: a == b (some.c:12)\n"]);
  }
});

Deno.test("a thread of C's own that fails ends, and whoever waits for it goes on", { ignore: WINDOWS }, async () => {
  const { code, stdout } = await program(`${START} ${THREAD}
    try { lib.ggml_time_init(); } catch (error) { console.log(error.message); }`);
  assertEquals(code, 0);
  assertMatch(stdout, /^ggml_time_init: assertion failed: buffer \(ggml-backend\.cpp:\d+\)\n$/);
});

Deno.test("C that fails while the process exits doesn't keep it from exiting", { ignore: WINDOWS }, async () => {
  for (const [end, expected] of [["", 0], ["throw new Error();", 1], ["Deno.exit(3);", 3]] as const) {
    const { code } = await program(`${START}
      const { symbols } = Deno.dlopen(file, {
        __cxa_atexit: { parameters: ["pointer", "u64", "u64"], result: "i32" }, ggml_backend_buffer_get_size: { type: "pointer" },
      });
      symbols.__cxa_atexit(symbols.ggml_backend_buffer_get_size, 0n, 0n); // GGML_ASSERT(buffer)
      ${end}`);
    assertEquals(code, expected);
  }
});

Deno.test("other values of the option are refused", () => {
  for (const wrong of ["abort", null, 70, true]) {
    assertThrows(() => load({ onAbort: wrong as never }), TypeError, `load({ onAbort }): expected "exit", got `);
  }
});
