/**
 * Machine code that C may call from any thread at any time, and the memory that it shares with JavaScript.
 *
 * Deno.UnsafeCallback can't do this: called from another thread it waits for the event loop, so a synchronous call that waits for that
 * thread never returns. What the code does is in `native.c`. It is put into memory the way Deno itself makes each symbol's trampoline (pages
 * that are written and then made executable), so it works where Deno.dlopen does. The memory is never given back: C may call it for ever,
 * and every isolate of the process uses the same.
 *
 * @module
 */

import { at, windowsAddresses } from "../core/at.ts";
import type { Library } from "../load/files.ts";
import { CODE, type Convention, type NativeFunction } from "../generated/native_code.js";

/**
 * The words of `struct state` in native.h, in its order: `registered` (whether `ended` is) and `listener` (their count) are ours, the last are the
 * first of trap.c's. What gate.c has to itself lies before `leftKey`.
 */
const WORDS = {
  print: 0,
  allocate: 1,
  free: 2,
  thread: 3,
  threadMask: 4,
  exit: 5,
  exitFirst: 6,
  exitSecond: 7,
  lastLevel: 8,
  head: 9,
  logThread: 10,
  wake: 11,
  awake: 12,
  report: 13,
  ended: 14,
  registered: 15,
  listener: 16,
  slots: 17,
  looseTraps: 18,
  unheard: 273,
  goneKey: 274,
  leftKey: 278,
  flush: 279,
  onExit: 280,
};

/** How far the state lies behind the code: a multiple of every system's page size. */
const CODE_BYTES = 0x10000;
const STATE_BYTES = 0x1000;

const { os, arch } = Deno.build;
/** How functions are called here; null where there is no machine code. */
export const CONVENTION: Convention | null = arch === "aarch64"
  ? "arm64"
  : arch !== "x86_64"
  ? null
  : os === "windows"
  ? "windows"
  : "sysv";

/** True in a Worker: it may be terminated without a word, so C is never given a function of its. */
export const inWorker: boolean = "WorkerGlobalScope" in globalThis;

/** The machine code in memory. */
export class Native {
  /** Where it begins. */
  readonly base: bigint;
  readonly #words: BigUint64Array;

  constructor(base: bigint) {
    this.base = base;
    const state = Deno.UnsafePointer.create(base + BigInt(CODE_BYTES))!;
    this.#words = new BigUint64Array(Deno.UnsafePointerView.getArrayBuffer(state, STATE_BYTES));
  }

  get(word: keyof typeof WORDS): bigint {
    return this.#words[WORDS[word]];
  }

  set(word: keyof typeof WORDS, value: bigint): void {
    this.#words[WORDS[word]] = value;
  }

  /** The address of one of its functions. */
  address(name: NativeFunction): bigint {
    return this.base + BigInt(CODE[CONVENTION!].functions[name]!);
  }

  /**
   * Lets C wake this isolate on this thread while the isolate can run.
   *
   * It can't any more once an exception that nobody handles ends the process: then there is an event, no `unload`, and C's own exit handlers
   * run on this thread. Where the process survives the event, C is let again. Where there is no event, at an `await` at the top level that
   * never ends, C's exit handlers come first to `ended`.
   *
   * @returns Forbids it.
   */
  letWake(library: Library): () => void {
    const thread = at(this.get("thread"), [], "u64")() & this.get("threadMask");
    const suspend = () => {
      this.set("logThread", 0n);
      Deno.unrefTimer(setTimeout(() => allowed && this.set("logThread", thread), 0));
    };
    const events = ["error", "unhandledrejection"];
    let allowed = true;
    for (const event of events) addEventListener(event, suspend);
    this.#registerEnd(library);
    this.set("logThread", thread);
    return () => {
      allowed = false;
      for (const event of events) removeEventListener(event, suspend);
      if (this.get("logThread") === thread) this.set("logThread", 0n);
    };
  }

  /**
   * Has C print again when this thread ends, unless somebody else listens by then: a Worker may be terminated without a word.
   *
   * @param listener The number of the listener.
   */
  whenThreadEnds(library: Library, listener: bigint): void {
    this.#atThreadEnd(library, "goneKey", "gone", listener);
  }

  /** Has `left` be told of a `struct home` when this thread ends, if that is a Worker's. */
  whenWorkerEnds(library: Library, home: bigint): void {
    if (inWorker) this.#atThreadEnd(library, "leftKey", "left", home);
  }

  /** Has the system call a function with a value when this thread ends. `word` keeps the system's key for that function. */
  #atThreadEnd(library: Library, word: "goneKey" | "leftKey", name: "gone" | "left", value: bigint): void {
    keepLoaded(library, this.get("print"));
    const kernel = os === "windows" ? windowsAddresses("kernel32.dll", ["FlsAlloc", "FlsSetValue"]) : null, address = this.address(name);
    if (this.get(word) === 0n) this.set(word, 1n + BigInt(kernel === null ? threadKey(library, address) : windowsKey(kernel, address)));
    const key = this.get(word) - 1n, set = kernel?.FlsSetValue ?? library.address("pthread_setspecific");
    if (set !== null) at(set, ["u64", "u64"], "i32")(key, value);
  }

  /** Has `exit` call `ended`. */
  #registerEnd(library: Library): void {
    if (os === "windows" || this.get("registered") === 1n) return;
    this.set("registered", 1n);
    keepLoaded(library, this.get("print"));
    const atExit = library.address("__cxa_atexit");
    if (atExit !== null) at(atExit, ["u64", "u64", "u64"], "i32")(this.address("ended"), 0n, 0n);
  }

  /** What lies at `address` if it is one of `functions` of machine code like this with its base at `base`; null if it is something else. */
  static behind(address: bigint, base: bigint, functions: readonly NativeFunction[]): Native | null {
    if (CONVENTION === null || base === 0n) return null;
    const offsets = CODE[CONVENTION].functions;
    return functions.some((name) => address === base + BigInt(offsets[name]!)) ? new Native(base) : null;
  }

  /**
   * Puts the code into memory.
   *
   * @param print ggml's own logger, which writes to stderr.
   * @returns Null where there is no code for this processor, or the system gives no executable memory.
   */
  static create(library: Library, print: bigint): Native | null {
    if (CONVENTION === null) return null;
    const code = Uint8Array.fromBase64(CODE[CONVENTION].code);
    const base = makePages(library, code, CODE_BYTES, STATE_BYTES);
    if (base === null) return null;
    const native = new Native(base);
    native.set("print", print);
    return (os === "windows" ? fillForWindows(native) : fillForPosix(native, library)) ? native : null;
  }
}

function threadKey(library: Library, address: bigint): number {
  const create = library.address("pthread_key_create"), key = new BigUint64Array(1);
  if (create !== null) at(create, ["buffer", "u64"], "i32")(key, address);
  return Number(key[0]);
}

function windowsKey({ FlsAlloc }: { readonly FlsAlloc: bigint }, address: bigint): number {
  return at(FlsAlloc, ["u64"], "u32")(address);
}

/** Has ggml stay in memory: Deno unloads what an isolate loaded when the isolate ends. `address` is one in it. */
function keepLoaded(library: Library, address: bigint): void {
  if (os === "windows") {
    const { GetModuleHandleExW } = windowsAddresses("kernel32.dll", ["GetModuleHandleExW"]);
    at(GetModuleHandleExW, ["u32", "u64", "buffer"], "i32")(PIN_BY_ADDRESS, address, new BigUint64Array(1));
    return;
  }
  const dlopen = library.address("dlopen");
  if (dlopen !== null) at(dlopen, ["buffer", "i32"], "u64")(new TextEncoder().encode(`${library.files[0]}\0`), RTLD_LAZY);
}

/** `GET_MODULE_HANDLE_EX_FLAG_PIN | GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS`. */
const PIN_BY_ADDRESS = 5;

function write(base: bigint, code: Uint8Array): void {
  new Uint8Array(Deno.UnsafePointerView.getArrayBuffer(Deno.UnsafePointer.create(base)!, code.length)).set(code);
}

const RTLD_LAZY = 1;
const READ_WRITE = 3, READ_EXECUTE = 5; // PROT_READ | PROT_WRITE, PROT_READ | PROT_EXEC
const PRIVATE_ANONYMOUS = os === "darwin" ? 0x1002 : 0x22;

/**
 * Puts code into memory, for ever.
 *
 * @param codeBytes How much of the memory is code, a multiple of every page size.
 * @param dataBytes How much comes behind that can be written to; zeros.
 * @returns Where it begins; null where the system gives no executable memory.
 */
export function makePages(library: Library, code: Uint8Array, codeBytes: number, dataBytes: number): bigint | null {
  return os === "windows" ? windowsPages(code, codeBytes, dataBytes) : posixPages(library, code, codeBytes, dataBytes);
}

function posixPages(library: Library, code: Uint8Array, codeBytes: number, dataBytes: number): bigint | null {
  const mmap = library.address("mmap"), mprotect = library.address("mprotect");
  if (mmap === null || mprotect === null) return null;
  const size = BigInt(codeBytes + dataBytes);
  const base = at(mmap, ["u64", "usize", "i32", "i32", "i32", "i64"], "u64")(0n, size, READ_WRITE, PRIVATE_ANONYMOUS, -1, 0n);
  if (base === 0n || BigInt.asIntN(64, base) === -1n) return null;
  write(base, code);
  if (at(mprotect, ["u64", "usize", "i32"], "i32")(base, BigInt(codeBytes), READ_EXECUTE) !== 0) return null;
  if (arch === "aarch64") clearInstructionCache(library, base, code.length);
  return base;
}

/** Arm doesn't see by itself that memory became code. */
function clearInstructionCache(library: Library, base: bigint, length: number): void {
  const apple = library.address("sys_icache_invalidate");
  if (apple !== null) return at(apple, ["u64", "usize"], "void")(base, BigInt(length));
  const gnu = library.address("__clear_cache"); // where it is missing, making the pages executable did it
  if (gnu !== null) at(gnu, ["u64", "u64"], "void")(base, base + BigInt(length));
}

function fillForPosix(native: Native, library: Library): boolean {
  const functions = { allocate: "malloc", free: "free", thread: "pthread_self", exit: "_exit" } as const;
  for (const [word, name] of Object.entries(functions)) {
    const address = library.address(name);
    if (address === null) return false;
    native.set(word as keyof typeof functions, address);
  }
  native.set("flush", library.address("fflush") ?? 0n);
  native.set("onExit", library.address("on_exit") ?? 0n);
  native.set("threadMask", 0xffffffffffffffffn);
  return true;
}

const COMMIT_RESERVE = 0x3000, PAGE_READWRITE = 4, PAGE_EXECUTE_READ = 0x20;

function windowsPages(code: Uint8Array, codeBytes: number, dataBytes: number): bigint | null {
  const kernel = windowsAddresses("kernel32.dll", ["VirtualAlloc", "VirtualProtect", "FlushInstructionCache"]);
  const size = BigInt(codeBytes + dataBytes);
  const base = at(kernel.VirtualAlloc, ["u64", "usize", "u32", "u32"], "u64")(0n, size, COMMIT_RESERVE, PAGE_READWRITE);
  if (base === 0n) return null;
  write(base, code);
  const protect = at(kernel.VirtualProtect, ["u64", "usize", "u32", "buffer"], "i32");
  if (protect(base, BigInt(codeBytes), PAGE_EXECUTE_READ, new Uint32Array(1)) === 0) return null;
  at(kernel.FlushInstructionCache, ["i64", "u64", "usize"], "i32")(THIS_PROCESS, base, BigInt(code.length));
  return base;
}

/** `GetCurrentProcess()`. */
const THIS_PROCESS = -1n;

function fillForWindows(native: Native): boolean {
  const kernel = windowsAddresses("kernel32.dll", ["GetCurrentThreadId", "TerminateProcess"]);
  const runtime = windowsAddresses("ucrtbase.dll", ["malloc", "free"]);
  native.set("allocate", runtime.malloc);
  native.set("free", runtime.free);
  native.set("thread", kernel.GetCurrentThreadId);
  native.set("threadMask", 0xffffffffn);
  native.set("exit", kernel.TerminateProcess);
  native.set("exitFirst", BigInt.asUintN(64, THIS_PROCESS));
  return true;
}
