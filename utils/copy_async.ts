/**
 * `copyAsync`: what `copy` does, later, on several threads, with the event loop free meanwhile.
 *
 * How it does that is in `copying/carrier.ts`, which is loaded by the first call.
 *
 * @module
 */

import { describe } from "../ffi/core/describe.ts";
import { freedError } from "../ffi/core/handle.ts";
import { expectFunction, expectSignal } from "../ffi/core/options.ts";
import { lib } from "../ffi/generated/lib.js";
import type { CopyOptions } from "./copy.ts";
import type { NestedNumbers } from "./copying/nested.ts";
import { bufferOf, type TensorLike } from "./copying/operand.ts";
import { expectCopying, type Plan, plan } from "./copying/plan.ts";
import { cores, expectThreads } from "./computing/task.ts";

/** What {@linkcode copyAsync} takes besides its two sides. */
export interface CopyAsyncOptions extends CopyOptions {
  /**
   * The most cores to be busy with converting: by default all, and never more. On all of them a few threads more than cores take turns, so that
   * none is idle.
   */
  threads?: number;
  /**
   * The backend whose queue the bytes of a tensor on its device go through (`ggml_backend_tensor_get_2d_async` and its like), after what was
   * begun on it before. By default they go by themselves.
   */
  backend?: lib.ggml_backend;
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
 * @param options As for `copy`; `threads`; `backend`; `signal`, after which what is written so far stays written; `onProgress(done, total)`.
 * @throws What `copy` throws; the signal's reason (by default an `AbortError`); what `onProgress` threw. All as a rejection.
 *
 * @example
 * ```ts
 * import { lib } from "@ggml/deno";
 * import { copyAsync, init } from "@ggml/deno/utils";
 *
 * using ctx = init();
 * const weights = lib.ggml_new_tensor_2d(ctx, lib.GGML_TYPE_Q4_K, 1024, 256);
 * const numbers = Float32Array.from({ length: 1024 * 256 }, (_, i) => Math.sin(i));
 * let last = 0;
 * await copyAsync(numbers, weights, { onProgress: (done, total) => last = done / total });
 * console.log(last); // 1
 * ```
 */
export async function copyAsync(from: TensorLike | NestedNumbers, to: TensorLike, options: CopyAsyncOptions = {}): Promise<void> {
  const given = expectCopying("copyAsync", options, "threads", "signal", "onProgress", "backend");
  const { threads = cores.capacity, signal, onProgress, backend } = given;
  expectThreads("copyAsync", threads);
  expectSignal("copyAsync", signal);
  expectFunction("copyAsync: onProgress", onProgress);
  const work = plan("copyAsync", from, to, given);
  if (backend !== undefined) expectBackend(backend, work);
  signal?.throwIfAborted();
  const releases = holdsOf(work, backend);
  try {
    const { carry } = await import("./copying/carrier.ts");
    await carry(work, Math.min(threads, cores.capacity), backend ?? null, signal, onProgress);
  } finally {
    for (const release of releases) release();
  }
}

/** Has nobody free what is copied, from the call on. */
function holdsOf({ source, destination }: Plan, backend: lib.ggml_backend | undefined): (() => void)[] {
  const handles = [source, destination].flatMap(({ tensor }) => tensor === null ? [] : [tensor, bufferOf(tensor)]);
  return [...handles, backend].flatMap((handle) => handle ? [handle.owner.hold("copyAsync is using it")] : []);
}

/** Throws unless the tensors that are on a device are on the backend's: C asserts it. */
function expectBackend(backend: lib.ggml_backend, { source, destination }: Plan): void {
  if (!(backend instanceof lib.ggml_backend)) throw new TypeError(`copyAsync: backend must be a ggml_backend, got ${describe(backend)}`);
  if (backend.owner.freed) throw freedError(backend, "copyAsync");
  const own = lib.ggml_backend_get_default_buffer_type(backend);
  for (const { bytes, tensor, describe } of [source, destination]) {
    if (bytes !== null || lib.ggml_backend_buffer_get_type(bufferOf(tensor!)!).equals(own)) continue;
    throw new Error(`copyAsync: ${describe()} is not in the memory of the backend ${lib.ggml_backend_name(backend)}`);
  }
}
