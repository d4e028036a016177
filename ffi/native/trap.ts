/**
 * The trap: what would end the process in C is an Error of the call that led there.
 *
 * What catches it is machine code (`trap.c`): C's function seems to return 0, and a record says what happened. Generated functions look for one where
 * they get a null pointer that C never returns, or else test a count in memory, `caught[0]`; and {@linkcode trapped} makes the Error.
 *
 * A record belongs to the call that is running on the thread on which C failed. What a thread of C's own fails of, in the kernel of a node, belongs to
 * whoever computes that node: to the running call if that failed of the same node; else the asynchronous computations are asked (`claimers`), and what
 * none of them claims is the running call's.
 *
 * @module
 */

import { at, windowsAddresses } from "../core/at.ts";
import { provide } from "../core/host.ts";
import type { Abi } from "../load/abi.ts";
import type { Library } from "../load/files.ts";
import { watchExit } from "./exits.ts";
import { nativeFor } from "./log.ts";
import { ABI } from "../generated/layouts.js";
import type { Native } from "./native.ts";

/**
 * The traps of this thread that nobody looked at yet, in `caught[0]`. Until a library is loaded, and where there is no trap, it stays 0.
 */
export let caught: Int32Array<ArrayBuffer> = new Int32Array(1);

/** What C failed of: `enum` in trap.c. */
const KINDS = ["assertion", "exception", "division", "null pointer", "stack overflow", "short file", "read only", "abort"] as const;

/** A `struct trap`. */
export interface Trap {
  readonly kind: typeof KINDS[number];
  /** In a kernel: which node, from 0, its tensor's address, and what it and its sources were; null where it isn't known. */
  readonly node: { readonly index: number; readonly tensor: bigint; readonly text: string; readonly sources: string } | null;
  /** True in a kernel. */
  readonly inKernel: boolean;
  /** Of whose threads the one is that failed in a kernel, a `ggml_threadpool`'s address; 0 where it isn't known. */
  readonly pool: bigint;
  /** Of a fault: the address that was used. */
  readonly address: bigint;
  /** What C says. */
  readonly text: string;
}

/** The words of `struct trap`, and where its text begins. */
const NEXT = 0, KIND = 8, PLACE = 16, NODE = 24, TENSOR = 32, ADDRESS = 40, TEXT = 48, TENSORS = 4144, POOL = 9776;
const KERNEL = 1n;

/** The machine code with the trap set; null where there is none. */
let native: Native | null = null;
let library: Library | null = null;
let slot = 0n;
let takeTraps: ((list: bigint) => bigint) | null = null;
let free: ((memory: bigint) => void) | null = null;

/** The machine code with the trap set; null where there is none. */
export function trapCode(): Native | null {
  return native;
}

/** Where this thread's `struct slot` lies; 0 where there is no trap. */
export function slotOfThread(): bigint {
  return slot;
}

/** True where C's failures become Errors. */
export function hasTrap(): boolean {
  return native !== null;
}

/**
 * Where there is a trap, by system and processor: `struct system` in trap_posix.c, flags and offsets.
 *
 * The two of Linux were run, that for Arm under qemu; Windows' by a C program under wine (tests/ffi/trap_native_test.ts). macOS' were never run: they
 * are from what its headers say.
 */
const SYSTEMS: Readonly<Record<string, readonly number[]>> = {
  "linux x86_64": [0x18000004, 136, 4, 16, 0, 160, 168, 7, 0x10000004],
  "linux aarch64": [0x18000004, 136, 4, 16, 0, 432, 440, 7, 0x10000004],
  "darwin x86_64": [0x43, 12, 0x40, 24, 48, 72, 144, 10, 0x42],
  "darwin aarch64": [0x43, 12, 0x40, 24, 48, 264, 272, 10, 0x42],
  "windows x86_64": [], // its headers say it to the compiler
};

/** `struct layouts` for a system and processor; null where there is no trap. */
export function layoutWords(system: string, { records }: Pick<Abi, "records">): BigUint64Array<ArrayBuffer> | null {
  const { work_size, work_data, abort_callback } = records.ggml_cplan.fields;
  const { size, fields } = records.ggml_tensor, words = SYSTEMS[system];
  return words === undefined ? null : BigUint64Array.from([work_size, work_data, abort_callback, size, fields.src, ...words], BigInt);
}

/** Sets the trap. Does nothing where there is none for this system, or this library has no way to tell of its failures. */
export function setTrap(opened: Library): void {
  library = opened;
  const words = layoutWords(`${Deno.build.os} ${Deno.build.arch}`, ABI), code = words === null ? null : nativeFor(opened);
  const finder = code === null ? null : Deno.build.os === "windows" ? windowsFinder(opened) : posixFinder(opened);
  if (code === null || finder === null) return;
  if (at(code.address("install"), ["buffer", "u64", "buffer"], "u64")(finder.libraries, finder.lookUp, words!) === 0n) return;
  slot = at(code.address("slot"), [], "u64")();
  if (slot === 0n) return;
  native = code;
  watchExit(opened, code, slot);
  caught = new Int32Array(Deno.UnsafePointerView.getArrayBuffer(Deno.UnsafePointer.create(slot)!, 8));
}

/** What the trap finds functions by: handles of libraries, the last one 0, and the system's function that looks a name up. */
interface Finder {
  readonly libraries: BigUint64Array<ArrayBuffer>;
  readonly lookUp: bigint;
}

const RTLD_LAZY = 1;

/** One library, which sees what it is linked with. */
function posixFinder(opened: Library): Finder | null {
  const dlopen = opened.address("dlopen"), lookUp = opened.address("dlsym");
  if (dlopen === null || lookUp === null) return null;
  const handle = at(dlopen, ["buffer", "i32"], "u64")(new TextEncoder().encode(`${opened.files[0]}\0`), RTLD_LAZY);
  return { libraries: BigUint64Array.of(handle, 0n), lookUp };
}

/** ggml's own libraries, and the system's, which knows the others. */
function windowsFinder(opened: Library): Finder | null {
  if (["ggml_abort", "ggml_graph_compute"].some((name) => opened.address(name) === null)) return null; // looked up, so that each is loaded
  const kernel = windowsAddresses("kernel32.dll", ["LoadLibraryW", "GetProcAddress"]);
  const load = at(kernel.LoadLibraryW, ["buffer"], "u64");
  const handles = [...opened.files, "kernel32.dll"].map((file) => load(Uint16Array.from(`${file}\0`, (c) => c.charCodeAt(0))));
  return { libraries: BigUint64Array.of(...handles, 0n), lookUp: kernel.GetProcAddress };
}

/** An asynchronous computation, which takes what threads of C's own fail of on its behalf. */
export interface Claimer {
  /** Whether the failure is its own; null where it can't know. */
  owns(trap: Trap): boolean | null;
  take(trap: Trap): void;
}

export const claimers: Set<Claimer> = new Set();

/** What tells tensors, by their addresses, in messages. */
export interface Teller {
  node(library: Library, address: bigint): string;
  sources(library: Library, address: bigint): string;
  tensor(library: Library, address: bigint): string;
}

let teller: Teller = { node: () => "", sources: () => "", tensor: () => "" };

/** Has messages tell of tensors by `by`. */
export function tellTensors(by: Teller): void {
  teller = by;
}

/** What more can be said of a failure, "" if nothing: filled in by whoever knows C's functions. */
export const reasons: ((library: Library, call: string, trap: Trap, args: Arguments) => string)[] = [];

/** What sees to what a failed call was changing. */
type Spoiler = (
  library: Library,
  name: string,
  args: Arguments,
  error: Error,
  failure: { readonly inKernel: boolean; readonly text: string },
) => void;

let spoilChanged: Spoiler = () => {};

/** Has `spoiler` called with each call that failed. */
export function whenFailed(spoiler: Spoiler): void {
  spoilChanged = spoiler;
}

/** The arguments of a call, by name. */
export type Arguments = Readonly<Record<string, unknown>>;

/**
 * Throws if C failed in a call.
 *
 * @param name The function that was called.
 * @param args Its arguments by name: tensors among them are described, and what C left half done is made unusable.
 */
export function trapped(name: string, args: Arguments = {}): void {
  const error = caught[0] === 0 ? null : takeError(name, args, trapped);
  if (error !== null) throw error;
}

/**
 * True if C failed, on this thread, in the call that is running: in a kernel, so that C goes on. What it calls back would take the failure for that of
 * its own calls.
 */
function hasFailed(): boolean {
  return caught[0] !== 0 && native !== null && new Deno.UnsafePointerView(Deno.UnsafePointer.create(slot)!).getBigUint64(8) !== 0n;
}

/** The Error for a null where C promises an object. */
export function nullResult(name: string, args: Arguments = {}): Error {
  return takeError(name, args, nullResult) ?? new Error(`${name} returned null`);
}

provide({ trapped, hasFailed });

/** What an asynchronous call failed of: what C was doing, and the Error for it, where that is made already. */
export class Failure {
  readonly trap: Trap | Pick<Trap, "inKernel" | "text">;
  readonly error: Error | null;

  constructor(trap: Failure["trap"], error: Error | null = null) {
    this.trap = trap;
    this.error = error;
  }
}

/** What a look at the nodes found while C computed them. */
let found: Error | null = null;

/** Has the function that computes throw an Error, unless C failed before that; what it left half done is as if C had failed in a kernel. */
export function failComputing(error: Error): void {
  found = error;
  caught[0] = 1;
}

/** The Error for what C failed of in the call that is running; null if it is nothing, or somebody else's. `from` isn't in its stack. */
function takeError(name: string, args: Arguments, from: (...args: never[]) => unknown): Error | null {
  if (caught[0] === 0) return null;
  caught[0] = 0;
  const seen = found, own = native === null ? [] : take(slot + 8n), traps = native === null ? [] : [...own, ...takeLoose(own)];
  found = null;
  if (traps.length === 0) {
    if (seen !== null) spoilChanged(library!, name, args, seen, { inKernel: true, text: seen.message });
    return seen;
  }
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  const error = errorOf(name, traps[0], args);
  Error.stackTraceLimit = stackTraceLimit;
  Error.captureStackTrace(error, from);
  spoilChanged(library!, name, args, error, traps[0]);
  return error;
}

/** What threads of C's own failed of and no asynchronous computation claims. `own`: what the running call did. */
function takeLoose(own: readonly Trap[]): Trap[] {
  if (native!.get("looseTraps") === 0n) return [];
  const nodes = own.flatMap(({ node }) => node === null ? [] : [node.tensor]);
  return take(0n).filter((trap) => {
    if (trap.node !== null && nodes.includes(trap.node.tensor)) return true;
    const all = [...claimers], claimer = all.find((each) => each.owns(trap) === true) ?? all.find((each) => each.owns(trap) === null);
    claimer?.take(trap);
    return claimer === undefined;
  });
}

/** Has the asynchronous computations look for what their threads failed of. */
export function askClaimers(): void {
  if (native === null || caught[0] === 0) return;
  const rest = takeLoose([]);
  if (rest.length === 0 && take(slot + 8n).length === 0) caught[0] = 0;
}

/** The Error for a trap. */
export function errorOf(name: string, trap: Trap, args: Arguments): Error {
  const { node } = trap;
  if (node !== null && node.tensor !== 0n) {
    return new Error(`${name}: node ${node.index} (${node.text}): ${reasonOf(trap)}; ${node.sources}`);
  }
  const reason = reasonOf(trap);
  const more = [...reasons.map((more) => more(library!, name, trap, args)), tensorsAmong(args)].filter((text) => text !== "").join("; ");
  return new Error(`${name}: ${reason}${more === "" ? "" : `: ${more}`}`);
}

/** `a is f32 ne=[64, 32], b is f32 ne=[65, 8]`. */
function tensorsAmong(args: Arguments): string {
  return tensorsOf(args).map(([name, address]) => `${name} is ${teller.tensor(library!, address)}`).join(", ");
}

/** The addresses of the tensors among arguments, with their names. */
export function tensorsOf(args: Arguments): [string, bigint][] {
  return Object.entries(args).flatMap(([name, value]) => {
    const handle = value as { address: bigint; owner: { freed: boolean } } | null;
    const isTensor = value?.constructor?.name === "ggml_tensor" && !handle!.owner.freed;
    return isTensor ? [[name, handle!.address] as [string, bigint]] : [];
  });
}

function reasonOf({ kind, text, address, inKernel }: Trap): string {
  switch (kind) {
    case "assertion":
      return assertionOf(text);
    case "abort":
      return text === "" ? "C called abort()" : assertionOf(text);
    case "exception":
      return `a C++ exception that nobody catches: ${text}`;
    case "division":
      return "C divided by zero";
    case "null pointer":
      // That of a function, where a table of C's has none for a type.
      if (inKernel && address === 0n) return "C used a null pointer, as where it has no code for such types";
      return `C used a null pointer${address === 0n ? "" : ` (the address 0x${address.toString(16)})`}`;
    case "stack overflow":
      return "C called itself so often that its stack is full";
    case "short file":
      return "a file that C reads as memory has become shorter";
    case "read only":
      return "C writes to memory that may only be read, as the weights of a model whose file is mapped";
  }
}

/**
 * From `/path/ggml/src/ggml.c:3345: GGML_ASSERT(condition) failed`, or as C's own assert says it, from
 * ``deno: /path/ggml/src/ggml.c:3345: function: Assertion `condition' failed.``, to `assertion failed: condition (ggml.c:3345)`.
 */
function assertionOf(text: string): string {
  const match = /^(?:[^:\n]*: )?((?:[A-Za-z]:)?[^:\n]*):(\d+): ([^]*)$/.exec(text);
  if (match === null) return text;
  const [, path, line] = match, message = match[3].trimEnd();
  const condition = /^GGML_ASSERT\(([^]*)\) failed$/.exec(message) ?? /(?:^|: )Assertion `([^]*)' failed\.$/.exec(message);
  return `${condition === null ? message : `assertion failed: ${condition[1]}`} (${fileOf(path)}:${line})`;
}

/** A source file's path, from what is below `ggml/src/` or `llama.cpp/` on. */
function fileOf(path: string): string {
  const rest = path.replaceAll("\\", "/").replace(/^(?:.*\/)?(?:ggml\/src|llama\.cpp)\//, "");
  return rest.startsWith("/") || /^[A-Za-z]:/.test(rest) ? rest.replace(/^.*\//, "") : rest;
}

/** Takes the traps of a list: a slot's, a call's, or with 0n those of C's own threads. */
export function take(list: bigint): Trap[] {
  takeTraps ??= at(native!.address("take_traps"), ["u64"], "u64");
  free ??= at(native!.get("free"), ["u64"], "void");
  const traps: Trap[] = [];
  for (let address = takeTraps(list); address !== 0n;) {
    const view = new Deno.UnsafePointerView(Deno.UnsafePointer.create(address)!);
    const node = Number(view.getBigUint64(NODE)), tensor = view.getBigUint64(TENSOR), copy = address + BigInt(TENSORS);
    const [text, sources] = tensor === 0n ? ["", ""] : [teller.node(library!, copy), teller.sources(library!, copy)];
    traps.push({
      kind: KINDS[Number(view.getBigUint64(KIND))],
      inKernel: view.getBigUint64(PLACE) === KERNEL,
      node: node === 0 ? null : { index: node - 1, tensor, text, sources },
      pool: view.getBigUint64(POOL),
      address: view.getBigUint64(ADDRESS),
      text: view.getCString(TEXT),
    });
    const next = view.getBigUint64(NEXT);
    free(address);
    address = next;
  }
  return traps;
}
