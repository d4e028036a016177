/**
 * The last line of defence: what happens where C aborts and the trap (`trap.ts`) has no way out, as when the C library finds its heap broken.
 *
 * By default that stays as C has it. `load({ onAbort: "exit" })` has the process end with {@linkcode EXIT_ABORT} instead.
 *
 * @module
 */

import { at } from "../core/at.ts";
import type { Library } from "../load/files.ts";
import { ABI } from "../generated/layouts.js";
import { encoder } from "../core/text.ts";
import { nativeFor } from "./log.ts";
import type { Native } from "./native.ts";
import { hasTrap } from "./trap.ts";

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
  const native = nativeFor(library), signal = Deno.build.os === "windows" ? windowsSignal() : library.address("signal");
  if (native === null || signal === null) {
    throw new Error(`load({ onAbort: "exit" }) is not possible on ${Deno.build.os} on ${Deno.build.arch} with this library`);
  }
  installed = true;
  const { os, arch } = Deno.build;
  native.set(
    "report",
    forever(
      native,
      `C aborted, and there was no way back into JavaScript. To report it, send the lines above, the program that led there, and this:
bindings of ggml ${ABI.release}, ${library.files[0]} (ggml ${library.version}), Deno ${Deno.version.deno}, ${os} ${arch}
to https://github.com/ggml-org/ggml/issues: it is ggml's code that aborted. The process ends with exit code ${EXIT_ABORT} (EXIT_ABORT).
`,
    ),
  );
  native.set(os === "windows" ? "exitSecond" : "exitFirst", BigInt(EXIT_ABORT));
  if (hasTrap()) return; // it has a handler of its own, which says the same
  at(signal, ["i32", "u64"], "u64")(SIGABRT, native.address("signalled"));
}

let installed = false;

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

const SIGABRT = Deno.build.os === "windows" ? 22 : 6;

function windowsSignal(): bigint {
  const { symbols } = Deno.dlopen("ucrtbase.dll", { signal: { type: "pointer" } });
  return BigInt(Deno.UnsafePointer.value(symbols.signal));
}
