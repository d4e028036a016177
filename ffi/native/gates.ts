/**
 * Gates: what C is given in place of a function in TypeScript, so that it may call that from any thread, and after this isolate has gone.
 *
 * What they do is in `gate.c`. On other threads they leave requests, which are served here, on the thread of the isolate, while calls of it are under
 * way (`Aside`): a wait on a thread that Deno lends brings each to the event loop. Where none is, Deno does that itself.
 *
 * @module
 */

import { at, windowsAddresses } from "../core/at.ts";
import type { Gate, GateShape } from "../core/host.ts";
import type { Library } from "../load/files.ts";
import { say } from "./exits.ts";
import { nativeFor } from "./log.ts";
import { makePages, type Native } from "./native.ts";

/** The words of `struct home` in gate.c, and where the lock and what is waited for lie behind them. */
const THREAD = 0, ACQUIRE = 1, LOCK = 5, CHANGED = 6, SERVED = 7, STOPPED = 8, CALLS = 9, CALLER = 13, HOME_WORDS = 16;
const LOCK_BYTES = 128;

/** The words of `struct gate`. */
const ENTRY = 0, FUNCTION = 1, HOME = 2, STACK = 3, RESULT_BYTES = 4, ANSWER = 5, TELLS_CALL = 7, GATE_BYTES = 64;

/** How far a gate lies behind its code: a multiple of every page size of the processor's. */
const DISTANCES = { aarch64: 0x10000, x86_64: 0x4000 } as const;
const DISTANCE = DISTANCES[Deno.build.arch];

/** What gates take of the system. */
interface Gates {
  readonly library: Library;
  readonly native: Native;
  /** This isolate's `struct home`. */
  readonly home: bigint;
  readonly words: BigUint64Array;
  readonly take: () => bigint;
  readonly drop: (gate: bigint) => void;
  readonly serve: (home: bigint) => void;
  readonly stopWaiting: (home: bigint) => void;
  readonly wait: Deno.UnsafeFnPointer<typeof WAIT>;
}

const WAIT = { parameters: ["u64"], result: "void", nonblocking: true } as const;

let gates: Gates | null = null;
/** Calls on other threads that are under way. */
let calls = 0;
/** What serves requests, while something does. */
let serving: Promise<void> | null = null;

/** A gate to a function of Deno's; null where there can be none. */
export function openGate(library: Library, target: bigint, { parameters, resultBytes, answer, tellsCall }: GateShape): Gate | null {
  gates ??= prepare(library);
  if (gates === null) return null;
  const { native, home, take, drop } = gates;
  const gate = take() || (makeBlock(gates) ? take() : 0n);
  if (gate === 0n) return null;
  const words = wordsAt(gate, GATE_BYTES);
  words[ENTRY] = native.address("gate");
  words[HOME] = home;
  words[STACK] = BigInt(parameters + parameters % 2);
  words[RESULT_BYTES] = BigInt(resultBytes);
  words[ANSWER] = answer;
  words[TELLS_CALL] = tellsCall ? 1n : 0n;
  words[FUNCTION] = target;
  if (calls > 0) serveRequests(gates);
  return { address: gate - BigInt(DISTANCE), close: () => drop(gate) };
}

/** Of several calls on other threads the one, an `AsideCall`, whose callback runs; 0 where it isn't known. */
export function callerHere(): bigint {
  return gates === null ? 0n : gates.words[CALLER];
}

/** Says that a call on another thread begins: C may call gates from there. */
export function callBegins(): void {
  calls++;
  say(calls);
  if (gates !== null) serveRequests(gates);
}

/** Says that one has ended. Gives what there is to wait for. */
export function callEnds(): Promise<void> | void {
  calls--;
  say(calls);
  if (gates === null) return;
  gates.words[CALLS] = BigInt(calls);
  if (calls > 0 || serving === null) return;
  gates.stopWaiting(gates.home);
  return serving;
}

function serveRequests(gates: Gates): void {
  gates.words[CALLS] = BigInt(calls);
  serving ??= serve(gates);
}

async function serve({ home, words, wait, serve }: Gates): Promise<void> {
  words[SERVED] = 1n;
  while (calls > 0) {
    words[STOPPED] = 0n;
    await wait.call(home);
    serve(home);
  }
  words[SERVED] = 0n;
  serving = null;
}

function wordsAt(address: bigint, bytes: number): BigUint64Array {
  return new BigUint64Array(Deno.UnsafePointerView.getArrayBuffer(Deno.UnsafePointer.create(address)!, bytes));
}

function prepare(library: Library): Gates | null {
  const native = nativeFor(library), locks = native === null ? null : lockFunctions(library);
  if (native === null || locks === null) return null;
  const bytes = 8 * HOME_WORDS + 2 * LOCK_BYTES;
  const home = at(native.get("allocate"), ["usize"], "u64")(BigInt(bytes)); // for ever: C may ask it when this isolate has gone
  if (home === 0n) return null;
  const words = wordsAt(home, bytes);
  words.fill(0n);
  words[THREAD] = at(native.get("thread"), [], "u64")() & native.get("threadMask");
  words.set(locks.functions, ACQUIRE);
  words[LOCK] = home + BigInt(8 * HOME_WORDS);
  words[CHANGED] = words[LOCK] + BigInt(LOCK_BYTES);
  locks.init(words[LOCK], words[CHANGED]);
  native.whenWorkerEnds(library, home);
  return {
    library,
    native,
    home,
    words,
    take: at(native.address("take_gate"), [], "u64"),
    drop: at(native.address("drop_gate"), ["u64"], "void"),
    serve: at(native.address("serve"), ["u64"], "void"),
    stopWaiting: at(native.address("stop_waiting"), ["u64"], "void"),
    wait: new Deno.UnsafeFnPointer(Deno.UnsafePointer.create(native.address("await_request")) as Deno.PointerObject<typeof WAIT>, WAIT),
  };
}

/** The system's functions that take a lock, give it back, wait and tell, and what makes a lock and what is waited for. */
interface Locks {
  readonly functions: readonly bigint[];
  init(lock: bigint, changed: bigint): void;
}

function lockFunctions(library: Library): Locks | null {
  if (Deno.build.os === "windows") {
    const names = ["AcquireSRWLockExclusive", "ReleaseSRWLockExclusive", "SleepConditionVariableSRW", "WakeAllConditionVariable"] as const;
    const found = windowsAddresses("kernel32.dll", names);
    return { functions: names.map((name) => found[name]), init() {} }; // zeros are locks
  }
  const names = ["mutex_lock", "mutex_unlock", "cond_wait", "cond_broadcast", "mutex_init", "cond_init"];
  const found = names.map((name) => library.address(`pthread_${name}`));
  if (found.includes(null)) return null;
  const [initLock, initChanged] = found.slice(4).map((address) => at(address!, ["u64", "u64"], "i32"));
  return {
    functions: found.slice(0, 4) as bigint[],
    init(lock, changed) {
      initLock(lock, 0n);
      initChanged(changed, 0n);
    },
  };
}

/** Makes a block of gates. The first place of it is its head. */
function makeBlock({ library, native }: Gates): boolean {
  const count = DISTANCE / GATE_BYTES, code = new Uint8Array(DISTANCE), { stub } = gateCode(Deno.build.arch);
  for (let i = 1; i < count; i++) code.set(stub, GATE_BYTES * i);
  const base = makePages(library, code, DISTANCE, DISTANCE);
  if (base === null) return false;
  const block = base + BigInt(DISTANCE);
  wordsAt(block, GATE_BYTES)[1] = BigInt(count - 1);
  at(native.address("add_gates"), ["u64"], "void")(block);
  return true;
}

/** Code that goes on where the word at a distance behind it says, and tells it where that word is. */
export function gateCode(arch: typeof Deno.build.arch): { readonly stub: Uint8Array; readonly distance: number } {
  const distance = DISTANCES[arch], LEA_BYTES = 7;
  const stub = arch === "aarch64"
    ? Uint32Array.of(0x10000000 | (distance >> 2) << 5 | 16, 0xf9400211, 0xd61f0220) // adr x16, distance; ldr x17, [x16]; br x17
    : Uint32Array.of(0x001d8d4c | (distance - LEA_BYTES) << 24, (distance - LEA_BYTES) >>> 8 | 0x41000000, 0x23ff); // lea distance(here), r11; jmp [r11]
  return { stub: new Uint8Array(stub.buffer), distance };
}
