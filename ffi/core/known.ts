/**
 * The owners of the objects that C frees by a function of their own: where to find one by its object's address, and what frees the object
 * when the owner is garbage-collected.
 *
 * Tensors and the like have no owners of their own and are not here, so a call that makes one costs nothing more.
 *
 * @module
 */

import { host } from "./host.ts";
import type { Owner } from "./owner.ts";
import type { Tie } from "./weak.ts";

/** The owners, by C type and address: an object may begin with another. */
const known = new Map<string, Map<bigint, WeakRef<Tie<Owner>>>>();

/** What the finalizer is told. It must not reach the owner, or nothing is ever collected. */
interface Watched {
  readonly type: string;
  readonly address: bigint;
  readonly release: () => void;
  /** What C looks at when it frees the object: held until it has, since finalizers run in no order. */
  readonly needs: readonly unknown[];
}

const registry = new FinalizationRegistry<Watched>(({ type, address, release }) => {
  if (ownerAt(type, address) === undefined) known.get(type)?.delete(address);
  try {
    release();
    host.trapped(`what frees a ${type}`); // a function that isn't one of ours doesn't look
  } catch (error) {
    // Nobody can catch it here, and what isn't freed harms less than the end of the process.
    console.error(`a ${type} that nobody holds could not be freed:`, error);
  }
});

/** The owner of the object of that type at an address; undefined if it has none, or C freed it. */
export function ownerAt(type: string, address: bigint): Owner | undefined {
  const owner = known.get(type)?.get(address)?.deref()?.target ?? null;
  return owner === null || owner.gone || owner.address !== address || owner.type !== type ? undefined : owner;
}

/** Has {@linkcode ownerAt} find an owner. */
export function remember(owner: Owner): void {
  let byAddress = known.get(owner.type);
  if (byAddress === undefined) known.set(owner.type, byAddress = new Map());
  byAddress.set(owner.address, owner.weak);
}

/** Has `owner.release` called when the owner is garbage-collected. */
export function watch(owner: Owner): void {
  const { type, address, release, needed } = owner;
  registry.unregister(owner);
  if (release !== null) registry.register(owner, { type, address, release, needs: needed }, owner);
}

/** Ends what {@linkcode watch} began. */
export function unwatch(owner: Owner): void {
  registry.unregister(owner);
}

/** Has {@linkcode ownerAt} no longer find an owner whose object was freed. */
export function forgetOwner(owner: Owner): void {
  registry.unregister(owner);
  const byAddress = known.get(owner.type);
  if (byAddress?.get(owner.address)?.deref()?.target === owner) byAddress.delete(owner.address);
}

/** The owners of the objects of a type that can still be used. */
export function ownersOfType(type: string): Owner[] {
  return [...known.get(type)?.values() ?? []].flatMap((ref) => {
    const owner = ref.deref()?.target ?? null;
    return owner === null || owner.freed ? [] : [owner];
  });
}
