/**
 * `onLog`: ggml's and llama's log messages.
 *
 * C's logger, on whatever thread it is called, copies each message into C memory and never waits for JavaScript (`ffi/native/log.ts`). Here they are
 * taken from there, joined and split into lines, and handed on.
 *
 * @module
 */

import { type LogMessage, LogTap } from "../ffi/native/log.ts";
import { inWorker } from "../ffi/native/native.ts";
import { library } from "../ffi/load/library.ts";
import { describe } from "../ffi/core/describe.ts";
import { lib } from "../ffi/generated/lib.js";

/** How much a message matters: ggml's own four levels. */
export type LogLevel = "debug" | "info" | "warn" | "error";

/** Called for each line. */
export type LogListener = (level: LogLevel, text: string) => void;

/** How often is looked for the messages of other threads, in milliseconds. This thread's own need no looking for. */
const INTERVAL = 50;

/** After `unload` a program can't hear anything any more; the others are the last events of one that an exception ends. */
const ENDS = ["unload", "error", "unhandledrejection"];

/** The listener of this isolate, the last one that was set. */
let current: Subscription | null = null;

/**
 * Sends what ggml and llama log to a function of yours, instead of warnings and errors to stderr, which is where they go by default while
 * the rest is not printed.
 *
 * It gets whole lines without their ends: a message that doesn't end its line is continued by the next one of its level (or by ggml's
 * `GGML_LOG_LEVEL_CONT`), and empty lines are left out. `ggml_log_set` and `llama_log_set`.
 *
 * It is called in no call's way: when C logs on this thread, right after the JavaScript that runs has ended or awaits something (in a
 * microtask); when C logs on another, at most 50 ms after that if the event loop turns. A long synchronous call delays it, and neither loses
 * anything nor deadlocks; the messages are in order, whatever thread they came from. At the end of the program, and of a `using` block, the
 * listener gets what is left. An exception in it becomes an `error` event of `globalThis`, or is printed, and the next line follows.
 *
 * There is one listener a process: the last one wins. It doesn't keep the process from ending (but Deno doesn't notice a top-level `await` that
 * never ends while it is there). Where a Worker ends that listened, the default is restored.
 *
 * The text is C's own, which quotes names and keys of files: it may hold control characters. What is printed by default has `?` for them.
 *
 * @param listener Gets the level and the line. It may call ggml. Null restores the default.
 * @returns The subscription: dispose of it to restore the default.
 * @throws {TypeError} If it is neither a function nor null.
 * @throws {Error} If there is no library, or the system gives no executable memory.
 *
 * @example
 * ```ts
 * import { lib } from "@ggml/deno";
 * import { onLog } from "@ggml/deno/utils";
 *
 * using _ = onLog((level, text) => console.log(`${level}: ${text}`));
 * lib.gguf_init_from_file("no such file", new lib.gguf_init_params()); // error: gguf_init_from_file: failed to open GGUF file 'no such file' …
 * ```
 */
export function onLog(listener: LogListener | null): Disposable {
  if (listener !== null && typeof listener !== "function") {
    throw new TypeError(`onLog: expected a function or null, got ${describe(listener)}`);
  }
  const before = current;
  before?.deliver(); // what waits is the old one's
  const next = listener === null ? null : new Subscription(listener);
  if (next !== null) current = next;
  before?.[Symbol.dispose]();
  return next ?? { [Symbol.dispose]() {} };
}

/** Hands on what other threads have logged: whoever listens hears what an error says before that is thrown. */
export function deliverLog(): void {
  current?.deliver();
}

class Subscription implements Disposable {
  readonly #lines: Lines;
  readonly #tap: LogTap;
  readonly #timer: ReturnType<typeof setInterval>;
  #draining = false;
  #scheduled = false;
  #ended = false;

  constructor(listener: LogListener) {
    this.#lines = new Lines((level, text) => call(listener, level, text));
    this.#tap = new LogTap(library(), () => this.#schedule());
    this.#timer = setInterval(() => this.#poll(), INTERVAL);
    Deno.unrefTimer(this.#timer);
    for (const event of inWorker ? [] : ENDS) addEventListener(event, this);
  }

  /** The end of the program, for certain or perhaps. */
  handleEvent({ type }: Event): void {
    if (type === "unload") return this[Symbol.dispose]();
    this.#drain();
    if (!this.#draining) this.#lines.end();
  }

  [Symbol.dispose](): void {
    if (this.#ended) return;
    this.#ended = true;
    const last = this.#tap.active;
    if (current === this) current = null;
    this.#tap.stop();
    clearInterval(this.#timer);
    for (const event of ENDS) removeEventListener(event, this);
    if (last) this.deliver();
    this.#lines.end();
  }

  /** Looks for what other threads logged. */
  #poll(): void {
    if (!this.#tap.active) this[Symbol.dispose](); // another isolate listens now
    else if (this.#tap.waiting) this.deliver();
  }

  /** C logged on this thread, and is still at it. What the listener itself makes C log waits for its turn, or there might be no end. */
  #schedule(): void {
    if (this.#scheduled || this.#ended) return;
    this.#scheduled = true;
    const drain = () => {
      this.#scheduled = false;
      this.#drain();
    };
    if (this.#draining) setTimeout(drain, 0);
    else queueMicrotask(drain);
  }

  #drain(): void {
    if (!this.#ended && this.#tap.active) this.deliver();
  }

  /** Hands on what waits. */
  deliver(): void {
    if (this.#draining) return;
    this.#draining = true;
    this.#lines.add(this.#tap.take());
    this.#draining = false;
  }
}

/** Calls the listener, whatever it does. */
function call(listener: LogListener, level: LogLevel, text: string): void {
  try {
    listener(level, text);
  } catch (error) {
    // As reportError does, which would end the process if nobody handled it.
    const event = new ErrorEvent("error", { error, message: String(error), cancelable: true });
    if (globalThis.dispatchEvent(event)) console.error("Uncaught (in the listener of onLog)", error);
  }
}

/** How C shows progress. It continues no line that is finished: that may be another thread's, of an error. */
const PROGRESS = /^\.+\n?$/;

/** Makes lines of messages. */
class Lines {
  readonly #emit: LogListener;
  #level: LogLevel = "info";
  #line = "";

  constructor(emit: LogListener) {
    this.#emit = emit;
  }

  add(messages: readonly LogMessage[]): void {
    for (const { level, text } of messages) {
      if (level !== lib.GGML_LOG_LEVEL_CONT) this.#setLevel(nameOf(level));
      else if (this.#line === "" && PROGRESS.test(text)) this.#setLevel("info");
      const parts = text.split("\n");
      for (const [i, part] of parts.entries()) {
        this.#line += part;
        if (i < parts.length - 1) this.end();
      }
    }
  }

  /** Ends the line. */
  end(): void {
    const line = this.#line.replace(/\r$/, "");
    this.#line = "";
    if (line !== "") this.#emit(this.#level, line);
  }

  #setLevel(level: LogLevel): void {
    if (level === this.#level) return;
    this.end();
    this.#level = level;
  }
}

/** The name of an `enum ggml_log_level`. `GGML_LOG_LEVEL_NONE`, which is for what C prints when asked to, counts as information. */
function nameOf(level: number): LogLevel {
  switch (level) {
    case lib.GGML_LOG_LEVEL_DEBUG:
      return "debug";
    case lib.GGML_LOG_LEVEL_WARN:
      return "warn";
    case lib.GGML_LOG_LEVEL_ERROR:
      return "error";
    default:
      return "info";
  }
}
