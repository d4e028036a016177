/**
 * How a process ends while C computes in it.
 *
 * `exit` runs the destructors of C++'s static objects while other threads go on: what computes on one of them uses such objects of ggml's,
 * and the process would end by a segmentation fault, not by its own code. So the process ends before them, by `end_process` of trap.c, where
 * C may be computing: while a call is under way on another thread (an uncaught error, `Deno.exit`), and in a process with Workers that use
 * ggml (they may be in the middle of a call). C's streams are written out; what else was to be called at the end is not, and in any other
 * process all of it is.
 *
 * Windows ends a process's other threads first, so there is nothing to do. macOS doesn't tell with which code a process ends: there nothing
 * is done.
 *
 * @module
 */

import { at } from "../core/at.ts";
import type { Library } from "../load/files.ts";
import { inWorker, type Native } from "./native.ts";

/** Where `busy` lies in `struct slot` of trap.c: the index of its word; and the bytes of the struct. */
const BUSY = 4, SLOT_BYTES = 40;

/** This isolate's slot, once a library is loaded and there is something to do. */
let busy: DataView | null = null;

/** Has the process end before the destructors where C may be computing then. `slot` is this thread's. */
export function watchExit(library: Library, native: Native, slot: bigint): void {
  const onExit = native.get("onExit"), atThreadEnd = library.address("__cxa_thread_atexit_impl");
  if (onExit === 0n || native.get("flush") === 0n || atThreadEnd === null) return;
  busy = new DataView(Deno.UnsafePointerView.getArrayBuffer(Deno.UnsafePointer.create(slot)!, SLOT_BYTES));
  const first = native.address("leave_first");
  if (inWorker) {
    makeStatics(library);
    at(first, ["u64"], "void")(0n); // it is another thread that exits
  } else at(atThreadEnd, ["u64", "u64", "u64"], "i32")(first, 0n, 0n);
  say(0);
}

/** Says how many calls of this isolate's are under way on other threads. */
export function say(calls: number): void {
  busy?.setInt32(8 * BUSY, inWorker || calls > 0 ? 1 : 0, true);
}

/** Has ggml make the static object that its kernels ask for at each node: `exit` destroys what was made last first. */
function makeStatics(library: Library): void {
  const make = library.address("ggml_backend_cpu_reg"), device = library.address("ggml_backend_reg_dev_get");
  const find = library.address("ggml_backend_reg_get_proc_address");
  if (make === null || device === null || find === null) return;
  const reg = at(make, [], "u64")(), name = new TextEncoder().encode("ggml_backend_dev_get_extra_bufts\0");
  const extra = at(find, ["u64", "buffer"], "u64")(reg, name);
  if (extra !== 0n) at(extra, ["u64"], "u64")(at(device, ["u64", "usize"], "u64")(reg, 0n));
}
