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
  type = "";
  get keptOwners(): Owner[] {
    return [...this.#kept ?? []].filter((value) => value instanceof Owner);
  }

  constructor(address: bigint) {
    this.address = address;
  }

  /** Keeps `value` from being garbage-collected for as long as this owner lives. */
  keep(value: unknown): void {
    if (value === null || value === this || value === STATIC) return;
    (this.#kept ??= new Set()).add(value);
  }

  /** Marks the object as freed, and lets go of what it kept. */
  end(): void {
    this.freed = true;
    this.arena = null;
    this.#kept = null;
  }
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
