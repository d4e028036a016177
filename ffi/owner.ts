/**
 * Owners: what must stay alive for a set of pointers to stay valid, and how it is freed when nobody can reach it any more.
 *
 * Who is whose owner is decided where handles are made: by the generated functions for what C returns, by `utils/init.ts` for a context.
 *
 * @module
 */

/**
 * What must stay alive for a set of pointers to stay valid: a context, a backend, a struct's own memory.
 *
 * Handles that C made from other handles share the owner of the handle that they came from.
 */
export class Owner {
  /** The address of the object itself; 0n for memory that is never freed. */
  readonly address: bigint;
  /** True once C was told to free the object. Its handles throw from then on. */
  freed = false;
  /** The memory in which the object keeps its structs, if it is known: their fields are then read through this one view. */
  arena: DataView | null = null;
  /** The address of the first byte of `arena`. */
  base = 0n;
  #kept: Set<unknown> | null = null;
  /** What each setter was last given. */
  #latest: Map<string, readonly unknown[]> | null = null;
  type = "";
  /** Why it may not be freed now, once for each hold. */
  readonly #holds: string[] = [];

  constructor(address: bigint) {
    this.address = address;
  }

  /** Keeps `value` from being garbage-collected for as long as this owner lives. */
  keep(value: unknown): void {
    if (value === null || value === this || value === STATIC) return;
    (this.#kept ??= new Set()).add(value);
  }

  /** Keeps what the setter `name` was given, in place of what it was given before: C holds on to the latest only. */
  keepLatest(name: string, values: readonly unknown[]): void {
    (this.#latest ??= new Map()).set(name, values);
  }

  /** What the setter `name` was last given. */
  latest(name: string): readonly unknown[] | null {
    return this.#latest?.get(name) ?? null;
  }

  /** True if this owner itself keeps `value`. */
  keeps(value: unknown): boolean {
    if (this.#kept?.has(value)) return true;
    for (const values of this.#latest?.values() ?? []) if (values.includes(value)) return true;
    return false;
  }

  /**
   * Marks this object and those that it keeps as in use by an asynchronous call: they may not be freed until it is over.
   *
   * @param why What uses it.
   * @returns Ends the hold.
   */
  hold(why: string): () => void {
    const held = [...reachable(this)];
    for (const owner of held) owner.#holds.push(why);
    return () => {
      for (const owner of held.splice(0)) owner.#holds.splice(owner.#holds.indexOf(why), 1);
    };
  }

  /** Why it may not be freed now, null if it may. */
  get heldBy(): string | null {
    return this.#holds[0] ?? null;
  }

  /** The owners that this one keeps. */
  get keptOwners(): Owner[] {
    return [...this.#kept ?? []].filter((value) => value instanceof Owner);
  }

  /** Marks the object as freed, and lets go of what it kept. */
  end(): void {
    this.freed = true;
    this.arena = null;
    this.#kept = null;
    this.#latest = null;
  }
}

/** An owner and all that it keeps alive, directly or not. */
function reachable(owner: Owner, found: Set<Owner> = new Set()): Set<Owner> {
  if (found.has(owner)) return found;
  found.add(owner);
  for (const kept of owner.keptOwners) reachable(kept, found);
  return found;
}

/** The owner of what is never freed: static tables, devices, registries. It also keeps the callbacks that C may call for ever. */
export const STATIC: Owner = new Owner(0n);

/** How to free what an owner that was garbage-collected stood for. It must not reach the owner itself, or nothing is ever collected. */
interface Release {
  address: bigint;
  free: (address: bigint) => void;
}

const registry = new FinalizationRegistry<Release>(({ address, free }) => free(address));

/**
 * Has `free` called with the owner's address once nothing can reach the owner any more.
 *
 * @param owner The owner to watch.
 * @param free Calls the C function that frees it. It must not hold on to the owner.
 */
export function freeWhenCollected(owner: Owner, free: (address: bigint) => void): void {
  registry.register(owner, { address: owner.address, free }, owner);
}

/** Marks an owner as freed by hand, after C freed it: its handles throw from now on, and no finalizer frees it again. */
export function markOwnerFreed(owner: Owner): void {
  owner.end();
  registry.unregister(owner);
}
