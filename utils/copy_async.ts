/**
 * `copyAsync`: what `copy` does, later, on several threads, with the event loop free meanwhile.
 *
 * How it does that is in `carrier.ts`, which is loaded by the first call.
 *
 * @module
 */

import { describe } from "../ffi/describe.ts";
import type { CopyOptions } from "./copy.ts";
import type { NestedNumbers } from "./nested.ts";
import type { TensorLike } from "./operand.ts";
import { plan } from "./plan.ts";
import { cores } from "./task.ts";

/** What {@linkcode copyAsync} takes besides its two sides. */
export interface CopyAsyncOptions extends CopyOptions {
  /** The most threads to convert on; by default as many as the machine has cores, and never more than those. */
  threads?: number;
  /** Cancels the copy. */
  signal?: AbortSignal;
  /** Called from time to time, and at the end, with the number of elements that are done and the number of all. */
  onProgress?: (done: number, total: number) => void;
}

/**
 * Copies as `copy` does while the event loop goes on, and converts on several threads.
 *
 * The result is bit for bit that of `copy`. What takes less than a few milliseconds is done at once on the thread that JavaScript runs on. Neither side
 * may be written until it is done, and neither can be freed. Its threads are taken from those that `computeAsync` shares.
 *
 * @param from What `copy` takes.
 * @param to Where it goes.
 * @param options As for `copy`; `threads`; `signal`, after which what is written so far stays written; `onProgress(done, total)`.
 * @throws What `copy` throws; the signal's reason (by default an `AbortError`); what `onProgress` threw. All as a rejection.
 *
 * @example
 * ```ts
 * import { lib } from "@ggml/deno";
 * import { copyAsync, init } from "@ggml/deno/utils";
 *
 * using ctx = init();
 * const weights = lib.ggml_new_tensor_2d(ctx, lib.GGML_TYPE_Q4_K, 1024, 256);
 * const numbers = Float32Array.from({ length: 1024 * 256 }, Math.sin);
 * let last = 0;
 * await copyAsync(numbers, weights, { onProgress: (done, total) => last = done / total });
 * console.log(last); // 1
 * ```
 */
export async function copyAsync(from: TensorLike | NestedNumbers, to: TensorLike, options: CopyAsyncOptions = {}): Promise<void> {
  if (typeof options !== "object" || options === null) throw new TypeError(`copyAsync: expected options, got ${describe(options)}`);
  const { threads = cores.capacity, signal, onProgress } = options;
  if (!Number.isInteger(threads) || threads < 1) {
    const error = typeof threads === "number" ? RangeError : TypeError;
    throw new error(`copyAsync: threads must be a positive whole number, got ${describe(threads)}`);
  }
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new TypeError(`copyAsync: signal must be an AbortSignal, got ${describe(signal)}`);
  }
  if (onProgress !== undefined && typeof onProgress !== "function") {
    throw new TypeError(`copyAsync: onProgress must be a function, got ${describe(onProgress)}`);
  }
  const work = plan("copyAsync", from, to, options);
  signal?.throwIfAborted();
  const { carry } = await import("./carrier.ts");
  await carry(work, Math.min(threads, cores.capacity), signal, onProgress);
}
