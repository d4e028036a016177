/**
 * Roots: the objects that C frees by a function of their own, and who may call it.
 *
 * What C makes for the caller has one owner, which the handles of the object share wherever they were got, and which is freed by the garbage
 * collector if by nobody before. What it only shows is borrowed. What it takes is freed with what took it. The generated functions call this
 * as the pragmas of `lexer/ggml/api.h` say; `own` and `borrow` of `utils/` are for pointers from elsewhere.
 *
 * @module
 */

import { after, type Later } from "./after.ts";
import { type Data, data } from "./arguments.ts";
import { beforeEnd, byHand, end, expectFreeable, functionOf, isBorrowed, setOwner, unowned } from "./ending.ts";
import { externalBuffer, freedError, Handle, pointedTo } from "./handle.ts";
import { weigh } from "./c_memory.ts";
import { ownerAt, remember, unwatch, watch } from "./known.ts";
import { Owner, STATIC } from "./owner.ts";
import type { Pointer } from "./pointer.ts";

/** A handle that can be disposed of. */
type Root = Handle & { [Symbol.dispose](): void };

/** A class of what C frees by a function of its own. */
type RootClass<H extends Handle = Root> = new (address: bigint, owner: Owner) => H;

/** Of structs that C frees by value, the bytes that it made: the fields may have been changed since. */
const madeBytes = new WeakMap<Owner, Uint8Array<ArrayBuffer>>();

/** How many bytes of C's own an object takes that nobody else knows of, by its type: of its address and of what it keeps. */
export const weighers: Map<string, (address: bigint, keeps: readonly unknown[]) => number> = new Map();

/**
 * A handle of what C made for the caller to free.
 *
 * @param needs What C looks at when it frees it: handles, or arrays of them.
 * @param keeps What else it points to.
 */
export function created<H extends Root>(type: RootClass<H>, address: bigint, needs: readonly unknown[], keeps: readonly unknown[]): H {
  const owner = adopt(type, address);
  for (const value of ownersOf(needs)) owner.need(value);
  for (const value of ownersOf(keeps)) owner.keepForLife(value);
  watch(owner);
  owner.memory ??= weigh(weighers.get(type.name)?.(address, keeps) ?? 0);
  return new type(address, owner);
}

/** A copy that C made for the caller to free. It needs what the original needs. */
export function createdFrom<H extends Root>(type: RootClass<H>, address: bigint, original: Handle | null): H {
  const handle = created(type, address, [], []);
  if (original !== null) handle.owner.inherit(original.owner);
  watch(handle.owner);
  return handle;
}

/** A struct that C made for the caller, who frees it by value. */
export function createdStruct<H extends Root & { readonly bytes: Uint8Array<ArrayBuffer> }>(struct: H, keeps: readonly unknown[]): H {
  const { owner } = struct;
  const type = struct.constructor as new (bytes: Uint8Array<ArrayBuffer>) => H;
  const bytes = struct.bytes.slice();
  owner.type = type.name;
  madeBytes.set(owner, bytes);
  owner.release = () => {
    const copy = new type(bytes.slice());
    madeBytes.set(copy.owner, bytes);
    copy[Symbol.dispose]();
  };
  for (const value of ownersOf(keeps)) owner.keep(value);
  watch(owner);
  return struct;
}

/** A pointer to what C made for the caller, who frees it by a function that takes more than the pointer. */
export function createdPointer<H extends Handle>(
  type: RootClass<H>,
  address: bigint,
  free: (pointer: H) => void,
  needs: readonly unknown[],
  keeps: readonly unknown[],
): H {
  const owner = new Owner(address);
  owner.type = type.name;
  owner.release = () => free(new type(address, new Owner(address)));
  byHand.add(owner);
  for (const value of ownersOf(needs)) owner.need(value);
  for (const value of ownersOf(keeps)) owner.keep(value);
  remember(owner);
  watch(owner);
  return new type(address, owner);
}

/** A handle of what somebody else frees. It shares the object's owner; where that isn't known, it lives as long as `fallback`. */
export function borrowed<H extends Handle>(type: RootClass<H>, address: bigint, fallback: Owner): H {
  return new type(address, ownerAt(type.name, address) ?? fallback);
}

/**
 * Notes what C made for the caller besides its result, at the memory that `pointer` points to. Handles of it that are made from its address
 * share the owner, which lives as long as any of `keepers`, or as such a handle.
 */
export function given<H extends Root>(type: RootClass<H>, pointer: Pointer | null, keepers: readonly Owner[]): void {
  if (pointer === null) return;
  const address = new DataView(Deno.UnsafePointerView.getArrayBuffer(pointer.pointer, 8)).getBigUint64(0, true);
  if (address === 0n) return;
  // In an array, because it is only kept alive: whoever frees it does no harm to those.
  const kept = [created(type, address, [], []).owner];
  for (const keeper of keepers) keeper.keepLatest("given", [kept]);
}

/**
 * Has `forget(holder)` called before `handle` is freed, since the holder points into it then. Not if it was given something else by the
 * function `name` since: then it doesn't point there any more.
 */
export function lent<H extends Root, K extends Handle>(handle: H, holder: K | null, name: string, forget: (holder: K) => void): void {
  if (holder === null) return;
  const { owner } = handle;
  const free = owner.release!;
  owner.release = () => {
    letForget(holder, name, forget);
    free();
  };
  owner.need(holder.owner);
  beforeEnd.set(owner, () => letForget(holder, name, forget));
  watch(owner);
}

function letForget<K extends Handle>(holder: K, name: string, forget: (holder: K) => void): void {
  if (!holder.owner.freed && !holder.owner.latest(name)?.length) forget(holder);
}

/** Notes that C made a thing, and those that it keeps, point elsewhere than to what the function `name` gave them. */
export function forgetThrough({ owner }: Handle, name: string): void {
  owner.forget(name);
  for (const kept of owner.keptOwners) {
    kept.forget(name);
    if (kept.type === "") { for (const inner of kept.keptOwners) inner.forget(name); }
  }
}

/** The owner of what C hands to the caller: a new one, unless it is known already. */
function adopt(type: RootClass, address: bigint): Owner {
  let owner = ownerAt(type.name, address);
  if (owner !== undefined) {
    giveBack(owner);
    return owner;
  }
  owner = new Owner(address);
  owner.type = type.name;
  owner.release = () => new type(address, new Owner(address))[Symbol.dispose]();
  remember(owner);
  return owner;
}

/** Throws unless C may take an object: it must be the caller's to give. */
export function expectGivable(handle: Handle, taker: Handle, where: string): void {
  const name = handle.constructor.name;
  if (isBorrowed(handle)) throw new Error(`${where}: this ${name} belongs to another object, which frees it`);
  if (handle.owner.taker !== null) {
    throw new Error(`${where}: this ${name} belongs to a ${handle.owner.taker.type} already, which frees it`);
  }
  for (let owner: Owner | null = taker.owner; owner !== null; owner = owner.taker) {
    if (owner === handle.owner && owner !== STATIC) throw new Error(`${where}: this ${name} can't belong to itself`);
  }
}

/** Notes that C took an object: it is freed with what took it. */
export function taken(handle: Handle, taker: Handle): void {
  if (handle.owner === STATIC) setOwner(handle, adopt(handle.constructor as RootClass, handle.address));
  const { owner } = handle;
  unwatch(owner);
  owner.taker = taker.owner;
  owner.keep(taker.owner);
  taker.owner.keep(owner);
  // The taker frees this one, too: the memory of JavaScript's own that C looks at then is held until it has.
  for (const value of owner.needed) if (value instanceof Owner && value.release === null && value.arena !== null) taker.owner.need(value);
  if (!unowned.has(taker.owner) && taker.owner.taker === null) watch(taker.owner);
}

/** Ends what {@linkcode taken} began, and what {@linkcode letGo} did. */
function giveBack(owner: Owner): void {
  unowned.delete(owner);
  const { taker } = owner;
  if (taker === null) return;
  taker.drop(owner);
  owner.drop(taker);
  owner.taker = null;
}

/** Frees what `handle` stands for by C's function, because the user, or `dispose` for him, called it. */
export function release<T>(handle: Handle, where: string, free: (address: bigint) => Later<T>): Later<T> {
  expectFreeable(handle, where);
  return end(handle, where, () => free(handle.address));
}

/** Frees a struct that C takes by value. */
export function releaseStruct<T>(handle: Handle, where: string, free: (bytes: Uint8Array<ArrayBuffer>) => Later<T>): Later<T> {
  const bytes = madeBytes.get(handle.owner);
  if (bytes === undefined) {
    throw new Error(`${where}: C didn't make this ${handle.constructor.name}, so there is nothing that it could free`);
  }
  expectFreeable(handle, where);
  return end(handle, where, () => free(bytes));
}

/** Frees what a pointer stands for, by a function that takes more than the pointer. It may be one that only Deno knows of. */
export function releasePointer<T>(value: Data, where: string, free: (memory: unknown) => Later<T>): Later<T> {
  if (!(value instanceof Handle)) return free(data(value, 0, where));
  expectFreeable(value, where);
  return end(value, where, () => free(externalBuffer(value.address, 1, STATIC)));
}

/**
 * Puts an object under the rule of the others: it is freed with its handle, by `using` or when nobody can reach it any more.
 *
 * @param free Frees the object at an address. By default C's function for its class.
 */
export function takeOver(handle: Handle, free?: (address: bigint) => void): void {
  const name = handle.constructor.name;
  if (handle.owner.freed) throw freedError(handle, "own");
  if (isBorrowed(handle) || handle.owner.taker !== null) throw new Error(`own: this ${name} belongs to another object, which frees it`);
  const { address } = handle;
  const owner = handle.owner === STATIC ? adopt(handle.constructor as RootClass, address) : handle.owner;
  if (free !== undefined) {
    owner.release = () => free(address);
    byHand.add(owner);
  }
  unowned.delete(owner);
  setOwner(handle, owner);
  watch(owner);
}

/** Takes an object out of the rule: nobody frees it but the user, by C's function. */
export function letGo(handle: Handle): void {
  const { owner } = handle;
  if (owner.freed) throw freedError(handle, "borrow");
  if (owner === STATIC || isBorrowed(handle) || owner.taker !== null) return;
  unwatch(owner);
  unowned.add(owner);
}

/** Ends every handle that was made from an object whose memory C cleared. `handle` itself goes on, with a new owner. */
export function renew(handle: Handle, where: string, clear: () => Later<void>): Later<void> {
  const old = handle.owner;
  if (old === STATIC || isBorrowed(handle)) return clear();
  const { arena, base, type, release } = old;
  const owner = Object.assign(new Owner(handle.address), { arena, base, type, release });
  const cleared = old.end(`cleared by ${functionOf(where)}`, () => after(clear(), () => owner.succeed(old)));
  return after(cleared, () => {
    setOwner(handle, owner);
    if (release === null) return;
    remember(owner);
    if (unowned.has(old)) unowned.add(owner);
    else watch(owner);
  });
}

/** The owners of handles and of arrays of handles, and whatever else may be kept. */
export function ownersOf(values: readonly unknown[]): unknown[] {
  return values.flatMap((value) => {
    if (value instanceof Handle) return [value.owner, ...pointedTo(value)];
    if (Array.isArray(value)) return ownersOf(value);
    return typeof value === "object" && value !== null ? [value] : [];
  });
}
