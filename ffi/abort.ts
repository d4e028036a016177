/**
 * The last line of defence: what happens when C aborts.
 *
 * ggml aborts where it finds a mistake (`GGML_ASSERT`), C++ where nobody catches an exception, the C library where its heap is broken. By
 * default that stays as C has it, but for the debugger that ggml would start first. `load({ onAbort: "exit" })` has each print what it
 * knows and end the process with {@linkcode EXIT_ABORT}. This file can't save a process: C has no way back from an abort.
 *
 * @module
 */

import { RELEASE } from "./find.ts";
import type { Library } from "./files.ts";
import { nativeFor } from "./log.ts";
import { at, inWorker, type Native } from "./native.ts";

/**
 * The exit code of a process that ended because C aborted, with `load({ onAbort: "exit" })`: `EX_SOFTWARE` of sysexits.h.
 *
 * @example
 * ```ts
 * import { EXIT_ABORT } from "@ggml/deno";
 *
 * console.log(EXIT_ABORT); // 70
 * ```
 */
export const EXIT_ABORT = 70;

/**
 * Keeps ggml from starting gdb or lldb on this process when it aborts, which takes seconds and shows nobody's own code. It asks for the
 * environment variable when it is about to.
 */
export function noDebugger(library: Library): void {
  if (Deno.build.os === "windows") return; // it starts none there
  const setenv = library.address("setenv");
  if (setenv !== null) at(setenv, ["buffer", "buffer", "i32"], "i32")(bytes("GGML_NO_BACKTRACE"), bytes("1"), 0);
}

/** Has aborts print what they know and exit. */
export function exitOnAbort(library: Library): void {
  if (installed) return;
  const native = nativeFor(library);
  const setCallback = library.address("ggml_set_abort_callback");
  if (native === null || setCallback === null) {
    throw new Error(`load({ onAbort: "exit" }) is not possible on ${Deno.build.os} on ${Deno.build.arch} with this library`);
  }
  installed = true;
  sayWhatToPrint(native, library);
  if (!inWorker) showStacks(native, library);
  at(setCallback, ["u64"], "u64")(native.address("aborted"));
  catchOtherAborts(native, library);
}

let installed = false;

const encoder = new TextEncoder();

/** A C string. */
function bytes(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(text + "\0");
}

/** What C has a pointer to for as long as the process runs, whatever becomes of this isolate: so it lies in C's memory. */
function forever(native: Native, text: string): bigint {
  const source = bytes(text);
  const address = at(native.get("allocate"), ["usize"], "u64")(BigInt(source.length));
  new Uint8Array(Deno.UnsafePointerView.getArrayBuffer(Deno.UnsafePointer.create(address)!, source.length)).set(source);
  return address;
}

function sayWhatToPrint(native: Native, library: Library): void {
  const { os, arch } = Deno.build;
  native.set(
    "elsewhere",
    forever(native, "\n    on another thread than the one that said load({ onAbort }): there is no JavaScript stack to show\n"),
  );
  native.set(
    "report",
    forever(
      native,
      `C aborted where an Error before the call should have said what is wrong. To report it, send the lines above, the program that led
there, and this: bindings of ggml ${RELEASE.ggml}, ${library.files[0]} (ggml ${library.version}), Deno ${Deno.version.deno}, ${os} ${arch}
to https://jsr.io/@ggml/deno. The process ends with exit code ${EXIT_ABORT} (EXIT_ABORT).
`,
    ),
  );
  native.set(Deno.build.os === "windows" ? "exitSecond" : "exitFirst", BigInt(EXIT_ABORT));
}

/** Has aborts on this thread print the JavaScript stack. When the isolate ends, C forgets it, and aborts do without. */
function showStacks(native: Native, library: Library): void {
  const onAbort = new Deno.UnsafeCallback({ parameters: ["pointer"], result: "void" }, () => lastWords(true));
  const onTerminate = new Deno.UnsafeCallback({ parameters: [], result: "void" }, () => lastWords(false));
  native.set("onAbort", BigInt(Deno.UnsafePointer.value(onAbort.pointer)));
  native.set("onTerminate", BigInt(Deno.UnsafePointer.value(onTerminate.pointer)));
  const forbid = native.letCall(library, "abortThread");
  addEventListener("unload", () => {
    if (!ending) forbid();
  });
}

let ending = false;

/** Prints this thread's stack and lets the program's own `unload` listeners save what they can. C ends the process, whatever happens here. */
function lastWords(afterMessage: boolean): void {
  if (ending) return; // one of those listeners aborted, too
  ending = true;
  Error.stackTraceLimit = 100;
  const stack = new Error().stack!.split("\n").filter((line) => line.startsWith("    at ") && !line.includes(import.meta.url));
  Deno.stderr.writeSync(encoder.encode(`${afterMessage ? "\n" : ""}${stack.join("\n")}\n`));
  dispatchEvent(new Event("unload"));
}

const SIGABRT = Deno.build.os === "windows" ? 22 : 6;

/** C++ exceptions that nobody catches, and whatever else ends in `abort()`. */
function catchOtherAborts(native: Native, library: Library): void {
  const setTerminate = library.address("_ZSt13set_terminatePFvvE"); // std::set_terminate, in C++ libraries of the Itanium ABI
  if (setTerminate !== null) {
    const terminated = native.address("terminated"), previous = at(setTerminate, ["u64"], "u64")(terminated);
    if (previous !== terminated) native.set("previousTerminate", previous); // else an isolate before this one did it
  }
  const signal = Deno.build.os === "windows" ? windowsSignal() : library.address("signal");
  if (signal !== null) at(signal, ["i32", "u64"], "u64")(SIGABRT, native.address("signalled"));
}

function windowsSignal(): bigint {
  const { symbols } = Deno.dlopen("ucrtbase.dll", { signal: { type: "pointer" } });
  return BigInt(Deno.UnsafePointer.value(symbols.signal));
}
