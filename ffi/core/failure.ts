/**
 * Exceptions on their way from a callback, through C, to whoever called C.
 *
 * C can't be unwound, so a callback's exception waits here until C returns. A generated function that may run callbacks (`#pragma calls` in
 * `lexer/ggml/api.h`) is bracketed by {@linkcode enterCall} and {@linkcode leaveCall}, which throws what waits. The first exception of a call wins:
 * no callback runs after it until that call is over, so there is no second.
 *
 * A callback that C runs on a thread of its own runs here from the event loop, with no such call around it. Its exception belongs to the
 * asynchronous computation that it was run for, or to nobody: then it is reported as any uncaught one is.
 *
 * @module
 */

import { Owner } from "./owner.ts";

/** An asynchronous call that takes the exceptions of the callbacks that are run for it. */
export interface Waiter {
  /**
   * Whether this call is the one for which a callback ran; null where it may be. `owner` is the callback's, `args` what C passed, as Deno gives it.
   */
  claims(owner: Owner, args: readonly unknown[]): boolean | null;
  /** True once it failed or was cancelled: no more callbacks are run for it. */
  readonly failed: boolean;
  /** Takes the exception. */
  fail(error: unknown): void;
  /** Runs a callback, which may use what the call does. */
  runCallback?<T>(callback: () => T): T;
}

/** Stands for no exception: anything can be thrown, `undefined` too. */
const NONE = Symbol("nothing was thrown");

/** What waits to be thrown, by each of the calls that C is in, outermost first. */
const calls: unknown[] = [];

/** The asynchronous calls that are under way. */
export const waiters: Set<Waiter> = new Set();

/** Begins a call in which C may run callbacks. */
export function enterCall(): void {
  calls.push(NONE);
}

/** Ends it: throws what a callback threw meanwhile. */
export function leaveCall(): void {
  const thrown = calls.pop();
  if (lent.size > 0) endLent(calls.length + 1);
  if (thrown !== NONE) throw thrown;
}

/** Ends an asynchronous call. */
export function endWaiter(waiter: Waiter): void {
  waiters.delete(waiter);
  endLent(waiter);
}

/** What owns what C lends to the callbacks of a call, by the call: how deep it is, or who waits for it. */
const lent: Map<number | Waiter, Owner> = new Map();

/** The asynchronous call that a callback runs for. */
let served: Waiter | null = null;

/** What ends with the call that a callback runs for; null where there is none. */
export function ownerOfLent(): Owner | null {
  const call = calls.length > 0 ? calls.length : served;
  if (call === null) return null;
  let owner = lent.get(call);
  if (owner === undefined) lent.set(call, owner = new Owner(0n));
  return owner;
}

function endLent(call: number | Waiter): void {
  lent.get(call)?.spoil({ type: "call", how: "over, for which C lent it to a callback", gone: false, culprit: null, site: null });
  lent.delete(call);
}

/** True while an exception waits for the call to end that a callback is run for. */
export function isFailing(owner: Owner, args: readonly unknown[]): boolean {
  if (calls.length > 0) return calls[calls.length - 1] !== NONE;
  return waiterFor(owner, args)?.failed === true;
}

/** The asynchronous call that a callback is run for: several may have been given the same one. */
function waiterFor(owner: Owner, args: readonly unknown[]): Waiter | null {
  let perhaps: Waiter | null = null;
  for (const waiter of waiters) {
    const claims = waiter.claims(owner, args);
    if (claims === true) return waiter;
    if (claims === null) perhaps ??= waiter;
  }
  return perhaps;
}

/** Runs a callback for the call that C runs it in. */
export function runCallback<T>(callback: () => T, owner: Owner, args: readonly unknown[]): T {
  if (waiters.size === 0 || calls.length > 0) return callback();
  const waiter = waiterFor(owner, args);
  return waiter?.runCallback === undefined ? callback() : waiter.runCallback(() => serve(waiter, callback));
}

function serve<T>(waiter: Waiter, callback: () => T): T {
  const outer = served;
  served = waiter;
  try {
    return callback();
  } finally {
    served = outer;
  }
}

/** Runs what looks on while C computes, for whichever call that is. */
export function lookOn<T>(look: () => T): T {
  let run = look;
  for (const waiter of waiters) {
    const inner = run;
    if (waiter.runCallback !== undefined) run = () => waiter.runCallback!(inner);
  }
  return run();
}

/** Hands on what a callback threw. */
export function fail(error: unknown, owner: Owner, args: readonly unknown[]): void {
  if (calls.length > 0) {
    calls[calls.length - 1] = error;
    return;
  }
  const waiter = waiterFor(owner, args);
  if (waiter !== null) waiter.fail(error);
  else queueMicrotask(() => reportError(error)); // once C has its result
}
