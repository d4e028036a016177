/**
 * Function pointers: TypeScript functions that C calls, and C functions that TypeScript got as pointers.
 *
 * The generated classes (one a function-pointer type) say how each parameter and the result cross.
 *
 * Who gives C a callback has its owner kept by whatever C keeps the pointer in. Deno never frees a callback by itself, and its C side holds
 * on to the function, which often holds on to the very context that keeps the callback. So the C side has only a weak reference to the
 * function, the owner has the strong one, and the C side is freed once nothing can reach the owner.
 *
 * C isn't given Deno's function itself but a gate to it (`ffi/native/gates.ts`), which other threads may call, and which is there even after this
 * isolate has gone. While a synchronous call blocks the isolate, C must not call one from another thread all the same (see `threads.ts`).
 *
 * @module
 */

import { enterCallback, leaveCallback } from "./cstring.ts";
import { describe } from "./describe.ts";
import { enterCall, fail, isFailing, leaveCall, runCallback } from "./failure.ts";
import { Handle } from "./handle.ts";
import { type Gate, host } from "./host.ts";
import { Owner, STATIC } from "./owner.ts";
import type { Slot } from "./slots.ts";

/** A function type's parameters and result. */
export interface Signature {
  readonly parameters: readonly Slot[];
  readonly result: Slot;
}

/** Any function. */
// deno-lint-ignore no-explicit-any
export type AnyFunction = (...args: any[]) => any;

interface CallbackClass {
  readonly name: string;
  readonly signature: Signature;
}

/** A TypeScript function as its C side sees it. */
interface Script {
  readonly owner: Owner;
  /** Null once the callback was disposed of. */
  f: AnyFunction | null;
  /** The memory of results that are pointers: C reads them after the function returned. */
  readonly results: Map<unknown, unknown>;
}

/** How many results that are pointers are kept, the latest ones. */
const RESULTS = 64;

/** The owners of the TypeScript functions that C can call, by the address that C calls. */
const scripts: Map<bigint, WeakRef<Owner>> = new Map();

/** What is special about single function types: filled in by whoever knows them. */
export interface Rules {
  /** Told of each function in TypeScript that C can call, by its type. */
  made(type: string): void;
  /** Throws unless a C function at an address can be called with some arguments. */
  check(type: string, address: bigint, args: readonly unknown[]): void;
  /** Throws unless C can go on with what a function in TypeScript returned. */
  returned(type: string, value: unknown): void;
  /** What C gets from a callback that threw. */
  whenFailed(type: string, parameters: readonly Slot[], result: Slot, args: readonly unknown[]): unknown;
  /** What C gets where the isolate has gone, as a word. */
  whenGone(type: string): bigint;
  /** True if a callback's arguments say for which of several calls at once it is called. */
  tellsCall(type: string): boolean;
}

/** As a rule a callback that threw answers zero, false or null. */
export const rules: Rules = {
  made: () => {},
  check: () => {},
  returned: () => {},
  whenFailed: (_type, _parameters, result) => result.zero,
  whenGone: () => 0n,
  tellsCall: () => false,
};

/** True once there was a function in TypeScript that C can call. */
export let anyCallback = false;

/** True if C's function at `address` is a TypeScript one. */
export function isScript(address: bigint): boolean {
  return scripts.has(address);
}

/**
 * A function pointer. `F` is the TypeScript function that C may be given, `C` the same function type as TypeScript calls it: what comes out of C
 * is narrower than what may go in.
 */
export abstract class Callback<F extends AnyFunction = AnyFunction, C extends AnyFunction = F> extends Handle {
  readonly #script: Script | null;
  #call: C | null = null;

  /**
   * A function pointer to a TypeScript function, or a handle of a C function.
   *
   * @param init The TypeScript function that C shall call, or the address of a C function.
   * @param owner With an address: what keeps it valid. A TypeScript function's address is kept valid by its own owner.
   */
  constructor(init: F | bigint, owner: Owner = STATIC) {
    const { name, signature } = new.target as unknown as CallbackClass;
    if (typeof init === "bigint") {
      super(init, scripts.get(init)?.deref() ?? owner);
      this.#script = null;
      return;
    }
    if (typeof init !== "function") throw new TypeError(`new ${name}: expected a function, got ${describe(init)}`);
    closeUnreachable();
    const side: CSide = { script: null };
    const native = new Deno.UnsafeCallback(definition(signature), wrap(side, signature, name) as () => void);
    const placed: Native = { native, gate: null };
    const address = host.isLoaded() ? place(placed, signature, name) : 0n;
    super(address, new Owner(address));
    this.#script = { owner: this.owner, f: init, results: new Map() };
    side.script = new WeakRef(this.#script);
    this.owner.keep(this.#script);
    natives.register(this.owner, placed);
    if (address !== 0n) scripts.set(address, new WeakRef(this.owner));
    else placeLater(this, placed, signature, name);
    anyCallback = true;
    rules.made(name);
  }

  /** Calls the function: C's, or the TypeScript one by way of C. */
  get call(): C {
    return this.#call ??= caller(this, this.constructor as unknown as CallbackClass) as C;
  }

  /**
   * Lets go of the TypeScript function. C's side of it stays for as long as C may call it: such a call is an Error, and C goes on with a
   * harmless result.
   */
  [Symbol.dispose](): void {
    if (this.#script === null || this.owner.freed) return;
    this.owner.freed = true;
    this.#script.f = null;
  }
}

/** What C calls: a gate to Deno's own function, or that one. */
interface Native {
  readonly native: Deno.UnsafeCallback;
  /** Null where there is none, or nobody asked for the address yet. */
  gate: Gate | null;
}

/** Gives the address of what C calls. */
function place(placed: Native, { parameters, result }: Signature, name: string): bigint {
  const target = BigInt(Deno.UnsafePointer.value(placed.native.pointer));
  const bytes = typeof result.native === "object" ? (result.zero as Uint8Array).length : 0;
  const shape = {
    parameters: parameters.reduce((sum, { native }) => sum + wordsOf(native as Deno.NativeType), 0),
    resultBytes: bytes > (Deno.build.os === "windows" ? 8 : 16) ? bytes : 0, // what is smaller is returned in registers
    answer: rules.whenGone(name),
    tellsCall: rules.tellsCall(name),
  };
  placed.gate = host.gate(target, shape);
  return placed.gate?.address ?? target;
}

/** No more words than a parameter takes on the stack, or more. */
function wordsOf(native: Deno.NativeType): number {
  return typeof native === "object" ? native.struct.reduce((sum, field) => sum + wordsOf(field), 0) : 1;
}

/** Where no library is loaded yet, whoever asks for the address has that done: it may still be chosen which. */
function placeLater(callback: Callback, placed: Native, signature: Signature, name: string): void {
  const { owner } = callback, holders = [callback, owner];
  const get = () => {
    const value = place(placed, signature, name);
    for (const holder of holders) Object.defineProperty(holder, "address", { value, enumerable: true, configurable: true });
    scripts.set(value, new WeakRef(owner));
    return value;
  };
  for (const holder of holders) Object.defineProperty(holder, "address", { get, enumerable: true, configurable: true });
}

/** C sides whose owners were collected, and when. */
const unreachable: (Native & { readonly since: number })[] = [];

const natives = new FinalizationRegistry<Native>((native) => unreachable.push({ ...native, since: performance.now() }));

/**
 * Frees the C sides that became unreachable a second or more ago. Not at once: what was collected together with a callback may call it when
 * its own finalizer frees it (a sampler does).
 */
function closeUnreachable(): void {
  const before = performance.now() - 1000;
  while (unreachable.length > 0 && unreachable[0].since < before) {
    const { native, gate } = unreachable.shift()!;
    scripts.delete(gate?.address ?? BigInt(Deno.UnsafePointer.value(native.pointer)));
    gate?.close();
    native.close();
  }
}

function definition({ parameters, result }: Signature): Deno.UnsafeCallbackDefinition {
  return { parameters: parameters.map((slot) => slot.native as Deno.NativeType), result: result.native };
}

/** What the C side knows of the function. */
interface CSide {
  script: WeakRef<Script> | null;
}

/** The function that Deno calls: converts the arguments, calls the function, converts its result. It never throws. */
function wrap(side: CSide, { parameters, result }: Signature, name: string): AnyFunction {
  return (...args) => {
    const script = side.script?.deref();
    if (script === undefined || isFailing(script.owner, args) || host.hasFailed()) return rules.whenFailed(name, parameters, result, args);
    enterCallback();
    try {
      const { f } = script;
      if (f === null) throw new Error(`this ${name} was disposed of, and C called it`);
      const value = runCallback(() => f(...parameters.map((slot, i) => slot.fromC(args[i]))), script.owner, args);
      rules.returned(name, value);
      return keepResult(script, value, result, `the result of a ${name}`);
    } catch (error) {
      fail(error, script.owner, args);
      return rules.whenFailed(name, parameters, result, args);
    } finally {
      leaveCallback();
    }
  };
}

/** Converts a result and, where it is a pointer, keeps what it points to. */
function keepResult({ results }: Script, value: unknown, result: Slot, where: string): unknown {
  if (result.keepResult === undefined || value === null || value === undefined) return result.toC(value, where, 0);
  let kept = results.get(value);
  if (kept === undefined) {
    if (results.size >= RESULTS) results.delete(results.keys().next().value);
    results.set(value, kept = result.keepResult(value, where));
  }
  return Deno.UnsafePointer.of(kept as Uint8Array<ArrayBuffer>);
}

/** The function that calls C. */
function caller(callback: Callback, { name, signature }: CallbackClass): AnyFunction {
  const { parameters, result } = signature;
  const f = new Deno.UnsafeFnPointer(callback.pointer as Deno.PointerObject<never>, definition(signature)) as unknown as {
    call: AnyFunction;
  };
  return (...args) => {
    if (args.length !== parameters.length) throw new TypeError(`${name}: expected ${parameters.length} arguments, got ${args.length}`);
    callback.pointer; // throws if it was freed or disposed of since
    const values = parameters.map((slot, i) => slot.toC(args[i], `${name}(${i})`, i));
    rules.check(name, callback.address, args);
    let value: unknown;
    enterCall();
    try {
      value = f.call(...values);
      host.trapped(name);
    } finally {
      leaveCall();
    }
    return result.fromC(value);
  };
}
