/**
 * Callbacks that C keeps for the whole process: its loggers, and what it calls when it aborts.
 *
 * A Worker's function can't be one. When the Worker is terminated, which it isn't told, C still calls the function, whose machine code is gone:
 * that ends the process, at the next message of whoever logs.
 *
 * @module
 */

import { isScript } from "../core/callback.ts";
import { inWorker } from "../native/native.ts";
import type { Wrappers } from "./watch.ts";

const ADVICE = { log: "listen with onLog of @ggml/deno/utils, or set it on the main thread", abort: "set it on the main thread" } as const;

/** What is put around the functions that set them. */
export const wrappers: Wrappers = {
  ggml_log_set: (symbol) => (callback, data) => symbol(expectLasting(callback, "ggml_log_set", "log"), data),
  llama_log_set: (symbol) => (callback, data) => symbol(expectLasting(callback, "llama_log_set", "log"), data),
  ggml_set_abort_callback: (symbol) => (callback) => symbol(expectLasting(callback, "ggml_set_abort_callback", "abort")),
};

function expectLasting(callback: bigint, name: string, kind: keyof typeof ADVICE): bigint {
  if (!inWorker || !isScript(callback)) return callback;
  throw new Error(`${name}: C would call the function of a Worker even after that is terminated: ${ADVICE[kind]}`);
}
