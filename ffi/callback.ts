/**
 * Function pointers: TypeScript functions that C calls, and C functions that TypeScript got as pointers.
 *
 * The generated classes (one a function-pointer type) say how each parameter and the result cross. This file does not make callbacks safe
 * on other threads than the one that runs JavaScript: while a synchronous call blocks it, C must not call one from another thread.
 *
 * @module
 */

import { enterCallback, leaveCallback } from "./cstring.ts";
import { describe } from "./describe.ts";
import { Handle } from "./handle.ts";
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

/**
 * A function pointer. `F` is the TypeScript function that C may be given, `C` the same function type as TypeScript calls it: what comes out of C
 * is narrower than what may go in.
 */
export abstract class Callback<F extends AnyFunction = AnyFunction, C extends AnyFunction = F> extends Handle {
  readonly #native: Deno.UnsafeCallback | null;
  #call: C | null = null;

  /**
   * @param init The TypeScript function that C shall call, or the address of a C function.
   * @param owner With an address: what keeps it valid.
   */
  constructor(init: F | bigint, owner: Owner = STATIC) {
    const { name, signature } = new.target as unknown as CallbackClass;
    if (typeof init === "bigint") {
      super(init, owner);
      this.#native = null;
      return;
    }
    if (typeof init !== "function") throw new TypeError(`new ${name}: expected a function, got ${describe(init)}`);
    const native = new Deno.UnsafeCallback(definition(signature), wrap(init, signature, name) as () => void);
    const address = BigInt(Deno.UnsafePointer.value(native.pointer));
    super(address, new Owner(address));
    this.owner.keep(native);
    this.#native = native;
  }

  /** Calls the function: C's, or the TypeScript one by way of C. */
  get call(): C {
    return this.#call ??= caller(this, this.constructor as unknown as CallbackClass) as C;
  }

  /** Gives the C side of a TypeScript callback back. C must not call it any more. */
  [Symbol.dispose](): void {
    if (this.#native === null || this.owner.freed) return;
    this.owner.freed = true;
    this.#native.close();
  }
}

function definition({ parameters, result }: Signature): Deno.UnsafeCallbackDefinition {
  return { parameters: parameters.map((slot) => slot.native as Deno.NativeType), result: result.native };
}

/** The function that Deno calls: converts the arguments, calls `f`, converts its result. */
function wrap(f: AnyFunction, { parameters, result }: Signature, name: string): AnyFunction {
  return (...args) => {
    enterCallback();
    try {
      return result.toC(f(...parameters.map((slot, i) => slot.fromC(args[i]))), `the result of a ${name}`, 0);
    } finally {
      leaveCallback();
    }
  };
}

/** The function that calls C. */
function caller(callback: Callback, { name, signature }: CallbackClass): AnyFunction {
  const { parameters, result } = signature;
  const f = new Deno.UnsafeFnPointer(callback.pointer as Deno.PointerObject<never>, definition(signature)) as unknown as {
    call: AnyFunction;
  };
  return (...args) => {
    if (args.length !== parameters.length) throw new TypeError(`${name}: expected ${parameters.length} arguments, got ${args.length}`);
    return result.fromC(f.call(...parameters.map((slot, i) => slot.toC(args[i], `${name}(${i})`, i))));
  };
}
