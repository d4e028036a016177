/**
 * Where ggml's log messages go.
 *
 * ggml and llama each have one logger a process, by default one that prints everything. When a library is loaded, both get one that prints
 * warnings and errors alone, in machine code (`native.ts`): it costs half a millisecond, works on any thread and outlives any isolate.
 * A listener replaces it by one that copies each message into C memory, where JavaScript takes it from. `utils/on_log.ts` is the listener.
 *
 * @module
 */

import { at } from "../core/at.ts";
import type { Library } from "../load/files.ts";
import { inWorker, Native } from "./native.ts";

/** A message as C gave it: a part of a line, a line, or several. */
export interface LogMessage {
  /** `enum ggml_log_level`. */
  readonly level: number;
  readonly text: string;
}

type Logger = "quiet" | "capture";

/** `GGML_LOG_LEVEL_ERROR`: as if the message before the first had been one, so that it is printed even if it is a continuation. */
const ERROR = 4n;

/** Has `library` print warnings and errors only, unless somebody else set its logger already. Does nothing where that can't be done. */
export function quieten(library: Library): void {
  const print = library.address("ggml_log_callback_default");
  if (print === null) return;
  const logger = currentLogger(library);
  // Of a release that doesn't tell the logger, the first isolate takes it that there is none.
  if (logger === null ? !inWorker : logger.callback === print) {
    created ??= createNative(library, print);
    if (created === null) return;
    setLogger(library, "ggml_log_set", created, "quiet");
  } else if (logger === null || nativeOf(logger) === null) return;
  library.beforeLlama = () => followGgml(library);
}

/** The machine code that this isolate made. */
let created: Native | null = null;

/** This process's machine code; null where there can be none. */
export function nativeFor(library: Library): Native | null {
  const logger = currentLogger(library), print = library.address("ggml_log_callback_default");
  const native = logger === null ? null : nativeOf(logger);
  return native ?? (print === null ? null : created ??= createNative(library, print));
}

function createNative(library: Library, print: bigint): Native | null {
  const native = Native.create(library, print);
  native?.set("lastLevel", ERROR);
  return native;
}

interface CLogger {
  readonly callback: bigint;
  readonly userData: bigint;
}

/** What `ggml_log_get` gives; null where there is no such function. */
function currentLogger(library: Library): CLogger | null {
  const get = library.address("ggml_log_get");
  if (get === null) return null;
  const pair = new BigUint64Array(2);
  at(get, ["buffer", "buffer"], "void")(pair, pair.subarray(1));
  return { callback: pair[0], userData: pair[1] };
}

/** The machine code that a logger is of, put there by this isolate or by another of this process; null if it is somebody else's. */
function nativeOf({ callback, userData }: CLogger): Native | null {
  return Native.behind(callback, userData, ["quiet", "capture"]);
}

/** What this isolate gave ggml last. */
let lastSet: Logger = "quiet";

function setLogger(library: Library, name: "ggml_log_set" | "llama_log_set", native: Native, logger: Logger): void {
  lastSet = logger;
  const set = library.address(name);
  if (set !== null) at(set, ["u64", "u64"], "void")(native.address(logger), native.base);
}

/** Gives llama the logger that ggml has, if it is one of ours. */
function followGgml(library: Library): void {
  const logger = currentLogger(library), native = logger === null ? created : nativeOf(logger);
  if (native === null) return;
  const isCapturing = logger === null ? lastSet === "capture" : logger.callback === native.address("capture");
  setLogger(library, "llama_log_set", native, isCapturing ? "capture" : "quiet");
}

/** C's functions for lists of messages, once there was one, of the machine code that was asked last. */
let lists: { readonly base: bigint; readonly take: (list: bigint) => bigint; readonly release: (first: bigint) => void } | null = null;

/** Takes the messages of a list, the oldest first: of what a call keeps, or with 0n of those that wait for the listener. */
export function takeMessages(native: Native, list: bigint): LogMessage[] {
  const { base } = native;
  // Its own: in a Worker that began under somebody else's logger the trap's isn't the listener's.
  if (lists?.base !== base) {
    lists = { base, take: at(native.address("take"), ["u64"], "u64"), release: at(native.address("release"), ["u64"], "void") };
  }
  const messages: LogMessage[] = [], first = lists.take(list);
  for (let address = first; address !== 0n;) {
    const view = new Deno.UnsafePointerView(Deno.UnsafePointer.create(address)!);
    const length = Number(view.getBigUint64(16));
    messages.push({ level: Number(view.getBigUint64(8)), text: decode(view, length) });
    address = view.getBigUint64(0);
  }
  if (first !== 0n) lists.release(first);
  return messages;
}

/** Takes the log messages of the process from C, until it is stopped or another one begins. */
export class LogTap {
  readonly #library: Library;
  readonly #native: Native;
  readonly #number: bigint;
  readonly #wake: Deno.UnsafeCallback<{ parameters: []; result: "void" }> | null;
  readonly #forbidWake: (() => void) | null;

  /**
   * @param wake Called when this thread logs, in the middle of whatever C is doing; not called again until {@linkcode LogTap.take}.
   * @throws {Error} Where there is no machine code for this processor, or no executable memory.
   */
  constructor(library: Library, wake: () => void) {
    const native = nativeFor(library);
    if (native === null) throw new Error(`ggml's logs can't be captured on ${Deno.build.os} on ${Deno.build.arch} with this library`);
    this.#library = library;
    this.#native = native;
    this.#wake = inWorker ? null : new Deno.UnsafeCallback({ parameters: [], result: "void" }, () => {
      native.set("awake", 1n);
      wake();
    });
    this.#number = native.get("listener") + 1n;
    native.set("listener", this.#number);
    native.set("awake", 0n);
    native.set("unheard", 0n);
    if (inWorker) native.whenThreadEnds(library, this.#number);
    this.#forbidWake = this.#letWake();
    this.#setLoggers("capture");
  }

  /** False once it was stopped, or another one began, in whatever isolate. */
  get active(): boolean {
    return this.#native.get("listener") === this.#number;
  }

  /** True if there are messages to take. */
  get waiting(): boolean {
    return this.#native.get("head") !== 0n;
  }

  /** The messages that nobody took yet, of all threads, in the order in which they came. */
  take(): LogMessage[] {
    this.#native.set("awake", 0n);
    return takeMessages(this.#native, 0n);
  }

  /** Gives ggml and llama the quiet logger back. Messages that wait can still be taken. */
  stop(): void {
    if (this.active) {
      this.#forbidWake?.();
      this.#native.set("listener", this.#number + 1n);
      this.#setLoggers("quiet");
    }
    this.#wake?.close();
  }

  #letWake(): (() => void) | null {
    this.#native.set("logThread", 0n); // never this thread with another one's function
    if (this.#wake === null) return null;
    this.#native.set("wake", BigInt(Deno.UnsafePointer.value(this.#wake.pointer)));
    return this.#native.letWake(this.#library);
  }

  #setLoggers(logger: Logger): void {
    setLogger(this.#library, "ggml_log_set", this.#native, logger);
    if (this.#library.usesLlama) setLogger(this.#library, "llama_log_set", this.#native, logger);
    else this.#library.beforeLlama = () => followGgml(this.#library);
  }
}

/** Made when C first says something. */
let decoder: TextDecoder | null = null;

/** The text of `struct message`. ggml quotes what it read from files, which need not be UTF-8. */
function decode(message: Deno.UnsafePointerView, length: number): string {
  return length === 0 ? "" : (decoder ??= new TextDecoder()).decode(message.getArrayBuffer(length, 24));
}
