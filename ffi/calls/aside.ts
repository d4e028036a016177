/**
 * Calls of C on another thread, one that Deno lends, with the trap set: there, too, a failure of C's is an Error of the call.
 *
 * `forward` of `trap.c` does it, for any signature: it gets the function's arguments as they are, and behind them where the call is noted. It finds that
 * on the stack, by a mark: enough words stand before it that none of the three is passed in a register.
 *
 * @module
 */

import { at } from "../core/at.ts";
import { takeHearer } from "./hearer.ts";
import { library } from "../load/library.ts";
import { callBegins, callEnds } from "../native/gates.ts";
import { takeMessages } from "../native/log.ts";
import { type Arguments, errorOf, take, type Trap, trapCode } from "../native/trap.ts";

/** `CALL_MARK` in trap.c, and the words of `struct call`: the function, what it failed of, and what is heard of it. */
const CALL_MARK = 0x9e6b31c4f2a85d07n, CALL_WORDS = 4;
/** No calling convention passes more integers in registers. */
const PADDING: readonly bigint[] = Array.from({ length: 8 }, () => 0n);

/** A call that is under way. */
export interface AsideCall {
  /** What tells it from others; 0 where there is no trap. */
  readonly id: bigint;
  /** What Deno makes of C's result; of zeros where C failed. */
  readonly result: Promise<unknown>;
  /** What C failed of, once that has settled; null if it didn't. */
  readonly trap: Trap | null;
}

/** A function as Deno calls it. */
interface Nonblocking {
  call(...args: unknown[]): Promise<unknown>;
}

/** Functions of one signature, to be called on other threads. */
export class Aside {
  readonly #parameters: readonly Deno.NativeType[];
  readonly #result: Deno.NativeResultType;
  #forward: Nonblocking | null = null;

  /** A signature, in Deno's words. Nothing is made before the first call. */
  constructor(parameters: readonly Deno.NativeType[], result: Deno.NativeResultType) {
    this.#parameters = parameters;
    this.#result = result;
  }

  /** Calls the function at an address. */
  call(address: bigint, args: readonly unknown[]): AsideCall {
    const code = trapCode(), hearer = takeHearer();
    if (code === null) {
      callBegins();
      return { id: 0n, result: this.#at(address, this.#parameters).call(...args).finally(callEnds), trap: null };
    }
    this.#forward ??= this.#at(code.address("forward"), [...this.#parameters, ...PADDING.map(() => "u64" as const), "u64", "u64"]);
    memories ??= { allocate: at(code.get("allocate"), ["usize"], "u64"), free: at(code.get("free"), ["u64"], "void") };
    const { allocate, free } = memories, memory = allocate(BigInt(8 * CALL_WORDS)); // C's: it outlives the isolate, as the call may
    const noted = new BigUint64Array(Deno.UnsafePointerView.getArrayBuffer(Deno.UnsafePointer.create(memory)!, 8 * CALL_WORDS));
    noted.set([address, 0n, hearer === null ? 0n : 1n, 0n]);
    const call: { id: bigint; result: Promise<unknown>; trap: Trap | null } = { id: memory, result: NOTHING, trap: null };
    underWay.add(args);
    callBegins();
    const end = () => {
      underWay.delete(args);
      if (noted[1] !== 0n) call.trap = take(memory + 8n)[0];
      if (noted[3] !== 0n) hearer!.add(takeMessages(code, memory + 24n));
      free(memory);
      return callEnds();
    };
    try {
      call.result = this.#forward.call(...args, ...PADDING, CALL_MARK, memory).finally(end);
    } catch (error) {
      end();
      throw error;
    }
    return call;
  }

  #at(address: bigint, parameters: readonly Deno.NativeType[]): Nonblocking {
    const definition = { parameters, result: this.#result, nonblocking: true } as const;
    return new Deno.UnsafeFnPointer(Deno.UnsafePointer.create(address) as Deno.PointerObject<never>, definition) as unknown as Nonblocking;
  }
}

const NOTHING = Promise.resolve();

/** C's functions for memory, once there was a call. */
let memories: { readonly allocate: (size: bigint) => bigint; readonly free: (memory: bigint) => void } | null = null;

/** What C works with: nothing else may refer to it any more. */
const underWay: Set<readonly unknown[]> = new Set();

/** Functions of so many words each. */
const ofWords: Aside[] = [];

/**
 * Calls a C function on another thread.
 *
 * @param name The function.
 * @param where What calls it, for errors.
 * @param args Its arguments: integers and addresses.
 * @param about The tensors among them, by the names that errors give them.
 * @returns Its result, as an unsigned 64-bit integer; rejects if C failed.
 */
export function callAside(name: string, where: string, args: readonly bigint[], about: Arguments = {}): Promise<bigint> {
  const address = library().address(name);
  if (address === null) throw new Error(`${where}: the library has no ${name}`);
  return callAddressAside(address, where, args, about);
}

/** Calls the C function at an address on another thread, as {@linkcode callAside}. */
export async function callAddressAside(address: bigint, where: string, args: readonly bigint[], about: Arguments = {}): Promise<bigint> {
  const aside = ofWords[args.length] ??= new Aside(args.map(() => "u64"), "u64");
  const call = aside.call(address, args.map((arg) => BigInt.asUintN(64, arg)));
  const result = await call.result as bigint;
  if (call.trap !== null) throw errorOf(where, call.trap, about);
  return result;
}
