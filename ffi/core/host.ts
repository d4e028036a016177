/**
 * The host: what the core has done by whoever knows the library that is bound. The core itself knows nothing of it.
 *
 * Until somebody provides a function, it does what suits a library of which nothing is known.
 *
 * @module
 */

import type { Handle } from "./handle.ts";
import type { Owner } from "./owner.ts";

/** What is to be known of a function in TypeScript that C calls. */
export interface GateShape {
  /** How many words its parameters take, or more. */
  readonly parameters: number;
  /** The bytes of a struct that it returns where the caller says; 0 for another result. */
  readonly resultBytes: number;
  /** What C gets where nobody is there any more. */
  readonly answer: bigint;
  /** True if its arguments say for which of several calls at once it is called. */
  readonly tellsCall: boolean;
}

/** What C calls in place of such a function. */
export interface Gate {
  readonly address: bigint;
  /** Says that C doesn't call it any more. */
  close(): void;
}

/** What the core asks for. */
export interface Host {
  /** A function of the loaded library, bound. */
  // deno-lint-ignore no-explicit-any
  symbol(name: string, definition: { parameters: readonly Deno.NativeType[]; result: Deno.NativeResultType }): (...args: any[]) => any;
  /** The address of one of its functions, or of one of what it is linked with; null if there is none. */
  address(name: string): bigint | null;
  /** True once a library is loaded. */
  isLoaded(): boolean;
  /** What C is given in place of a function of Deno's; null where there is nothing better. Loads a library. */
  gate(target: bigint, shape: GateShape): Gate | null;
  /** Throws if C failed in the call that was just made. */
  trapped(name: string): void;
  /** True if C failed in the call that is running. */
  hasFailed(): boolean;
  /** What owns the memory around a struct of a type that C passes to a callback; null where nobody knows. */
  ownerAround(type: string, address: bigint): Owner | null;
  /** Notes that somebody can write to a struct's memory from now on. */
  exposed(struct: Handle): void;
  /** True for a struct from which C copies addresses into others: what its fields pointed to is needed when they point elsewhere, too. */
  isCopied(struct: Handle): boolean;
}

const nobody = (): never => {
  throw new Error("no library is bound");
};

/** Whoever provides it. */
export const host: Host = {
  symbol: nobody,
  address: nobody,
  isLoaded: () => true,
  gate: () => null,
  trapped: () => {},
  hasFailed: () => false,
  ownerAround: () => null,
  exposed: () => {},
  isCopied: () => false,
};

/** Has functions of the host's be these. */
export function provide(part: Partial<Host>): void {
  Object.assign(host, part);
}
