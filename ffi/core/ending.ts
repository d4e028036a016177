/**
 * Ending: how an object is freed that C frees by a function of its own, and when it may not be.
 *
 * @module
 */

import type { Later } from "./after.ts";
import { freedError, type Handle } from "./handle.ts";
import { host } from "./host.ts";
import { ownerAt } from "./known.ts";
import { Owner, STATIC } from "./owner.ts";

/** Owners whose `release` is to be called in place of the class's own function. */
export const byHand = new WeakSet<Owner>();

/** Owners of what nobody but the user frees. */
export const unowned = new WeakSet<Owner>();

/** True while `[Symbol.dispose]()` calls C's function for the user. */
let disposing = false;

/** What is to be done before an object is freed. */
export const beforeEnd = new WeakMap<Owner, () => void>();

/** True for a handle of what lies in, or belongs to, another object. A pointer made from an address belongs to nobody. */
export function isBorrowed({ owner, address }: Handle): boolean {
  return owner !== STATIC && owner.address !== address;
}

/** Frees what `handle` stands for, once. What something else frees is left to that. */
export function dispose<H extends Handle>(handle: H, free: (handle: H) => void): void {
  const { owner } = handle;
  if (owner.gone) return;
  const name = handle.constructor.name;
  if (owner === STATIC) throw new Error(`this ${name} is only an address, which is not freed by itself: own() it first`);
  if (isBorrowed(handle)) {
    throw new Error(`this ${name} is borrowed from another object, which frees it; it can't be disposed of by itself`);
  }
  if (owner.taker !== null || unowned.has(owner)) return;
  const outer = disposing;
  disposing = true;
  try {
    if (byHand.has(owner)) {
      end(handle, "", owner.release!);
      host.trapped(`what frees this ${name}`);
    } else free(handle);
  } finally {
    disposing = outer;
  }
}

/** Disposes of a pointer, where it was made with a way to free it. */
export function disposePointer(handle: Handle): void {
  dispose(handle, () => {
    throw new Error(`this ${handle.constructor.name} is only an address, which is not freed by itself`);
  });
}

/** Throws unless the user may free what a handle stands for. */
export function expectFreeable(handle: Handle, where: string): void {
  if (handle.owner === STATIC) setOwner(handle, ownerAt(handle.constructor.name, handle.address) ?? STATIC);
  const { owner } = handle;
  const name = handle.constructor.name;
  if (owner.gone) throw freedError(handle, where);
  if (isBorrowed(handle)) throw new Error(`${where}: this ${name} is borrowed from another object, which frees it`);
  if (owner.taker !== null) throw new Error(`${where}: this ${name} belongs to a ${owner.taker.type}, which frees it`);
}

/** Ends the object of a handle. Nobody knows who else has a mere address, but this handle at least is not used again. */
export function end<T>(handle: Handle, where: string, free: () => Later<T>): Later<T> {
  if (handle.owner === STATIC) {
    const owner = new Owner(handle.address);
    owner.type = handle.constructor.name;
    setOwner(handle, owner);
  }
  const before = beforeEnd.get(handle.owner);
  return handle.owner.end(disposing ? "freed (disposed of)" : `freed by ${functionOf(where)}`, () => {
    before?.();
    return free();
  });
}

/** The function in `function(parameter)`. */
export function functionOf(where: string): string {
  return where.slice(0, where.indexOf("("));
}

/** Has a handle be kept valid by another owner. */
export function setOwner(handle: Handle, owner: Owner): void {
  (handle as { owner: Owner }).owner = owner;
}
