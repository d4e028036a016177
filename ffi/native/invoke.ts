/**
 * Calls of C functions by their addresses, all by one symbol.
 *
 * Deno makes a trampoline for each symbol, which takes a tenth of a millisecond, and to call an address it looks at the types anew each time. Here one
 * symbol calls them all: the arguments are put where machine code (`invoke` in gate.c) takes them from, as the system's convention has them. Deno knows
 * symbols by names alone, which that code has none of, so the symbol is the C library's `bsearch`: it calls what it is to compare by, with what it
 * searches for and the only element there is, which are where the arguments lie and the function.
 *
 * @module
 */

import type { Invoke } from "../core/warming.ts";
import type { Library } from "../load/files.ts";
import type { Convention } from "../generated/native_code.js";
import { nativeFor } from "./log.ts";
import { CONVENTION } from "./native.ts";

/** Where `struct frame` in gate.c has what, in words: registers, of which those for floats have two each, the arguments on the stack, and results. */
const FLOATS = 10, STACK = 27, STACKED = 29, RESULT = 30, FLOAT_RESULT = 32, FRAME = 40;
/** The arguments that there may be on the stack: more than any function of ggml's has. */
const MOST_STACKED = 24;

const buffer: ArrayBuffer = new ArrayBuffer(8 * (FRAME + MOST_STACKED));
/** The frame, a `struct frame` with the arguments on the stack behind it. One is enough: it is read before the function runs, and written after that. */
export const words: BigUint64Array<ArrayBuffer> = new BigUint64Array(buffer);
const signed = new BigInt64Array(buffer), bytes = new Uint8Array(buffer);
const halves = new Int32Array(buffer), unsignedHalves = new Uint32Array(buffer);
const floats = new Float32Array(buffer), doubles = new Float64Array(buffer);

/** The registers for arguments that a convention has. Windows' take the arguments by their places, whatever they are. */
const REGISTERS = { sysv: 6, arm64: 8, windows: 4 } as const, FLOAT_REGISTERS = 8;

/** The symbol, and with what it is called. */
interface Search {
  call(key: bigint, base: bigint, count: bigint, size: bigint, compare: bigint): bigint;
  readonly frame: bigint;
  readonly invoke: bigint;
}

let search: Search | null | undefined = undefined;

/** What calls the function at an address with a list of arguments; null where that can't be: for its types, or because there is no machine code. */
export function invoker(
  library: Library,
  address: bigint,
  parameters: readonly Deno.NativeType[],
  result: Deno.NativeResultType,
): Invoke | null {
  const places = placesOf(parameters, CONVENTION, Deno.build.os === "darwin"), read = RESULTS[result as string];
  if (places === null || read === undefined) return null;
  search ??= prepare(library);
  if (search === null) return null;
  const { call, frame, invoke } = search, { put, stacked } = places, count = put.length;
  if (stacked === 0n && parameters.every((type) => type === "u64")) { // what most functions take
    return (args) => {
      for (let i = 0; i < count; i++) words[i] = args[i] as bigint;
      call(frame, address, 1n, 1n, invoke);
      return read();
    };
  }
  return (args) => {
    for (let i = 0; i < count; i++) put[i](args[i]);
    words[STACKED] = stacked;
    call(frame, address, 1n, 1n, invoke);
    words[STACKED] = 0n;
    return read();
  };
}

function prepare(library: Library): Search | null {
  const native = nativeFor(library), types = { parameters: ["u64", "u64", "u64", "u64", "u64"], result: "u64" } as const;
  if (native === null) return null;
  const call = Deno.build.os === "windows"
    ? Deno.dlopen("ucrtbase.dll", { bsearch: types }).symbols.bsearch
    : library.find("bsearch", types) as Search["call"] | undefined;
  if (call === undefined) return null;
  const frame = BigInt(Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes)));
  words[STACK] = frame + BigInt(8 * FRAME);
  return { call, frame, invoke: native.address("invoke") };
}

// deno-lint-ignore no-explicit-any
type Writer = (value: any) => void;

const RESULTS: Readonly<Record<string, () => unknown>> = {
  void: () => {},
  u64: () => words[RESULT],
  usize: () => words[RESULT],
  i64: () => signed[RESULT],
  isize: () => signed[RESULT],
  i32: () => halves[2 * RESULT],
  u32: () => unsignedHalves[2 * RESULT],
  bool: () => bytes[8 * RESULT] !== 0,
  f32: () => floats[2 * FLOAT_RESULT],
  f64: () => doubles[FLOAT_RESULT],
  pointer: () => Deno.UnsafePointer.create(words[RESULT]),
};

/** What puts an argument of a type into a word. */
const PLACED: Readonly<Record<string, (word: number) => Writer>> = {
  u64: ofWord,
  i64: ofWord,
  usize: ofWord,
  isize: ofWord,
  u32: ofHalf,
  i32: ofHalf,
  bool: ofHalf,
  f32: (word) => (value: number) => floats[2 * word] = value,
  f64: (word) => (value: number) => doubles[word] = value,
};

function ofWord(word: number): Writer {
  return (value: number | bigint) => {
    if (typeof value === "bigint") words[word] = value;
    else {
      halves[2 * word] = value;
      halves[2 * word + 1] = Math.floor(value / 2 ** 32);
    }
  };
}

function ofHalf(word: number): Writer {
  return (value: number) => halves[2 * word] = value;
}

/** Where arguments go. */
interface Places {
  /** What puts each there. */
  readonly put: readonly Writer[];
  /** How many words of the stack they take. */
  readonly stacked: bigint;
}

/** Where arguments of some types go by a convention; null for types that this can't do. */
export function placesOf(parameters: readonly Deno.NativeType[], convention: Convention | null, isApple: boolean): Places | null {
  if (convention === null || !parameters.every((type) => Object.hasOwn(PLACED, type as string))) return null;
  const inOrder = convention === "windows", registers = REGISTERS[convention];
  let integers = 0, inFloats = 0, stacked = 0;
  const put = parameters.map((type, i) => {
    const isFloat = type === "f32" || type === "f64", place = PLACED[type as string];
    const register = inOrder ? i : isFloat ? inFloats++ : integers++;
    if (register >= (isFloat && !inOrder ? FLOAT_REGISTERS : registers)) return place(FRAME + stacked++);
    return place(isFloat ? FLOATS + 2 * register : register);
  });
  // Apple packs what is on the stack; elsewhere each argument has a word there.
  if (stacked > MOST_STACKED || stacked > 0 && convention === "arm64" && isApple) return null;
  return { put, stacked: BigInt(stacked + stacked % 2) };
}
