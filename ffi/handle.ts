/**
 * Handles: what a C pointer looks like in TypeScript.
 *
 * A handle is an address and its {@linkcode Owner}, the thing that must stay alive for the address to stay valid. The generated classes
 * (one a C struct) extend {@linkcode Handle}; a pointer to anything else (`void *`, `float *`) is a {@linkcode Pointer}.
 *
 * Addresses are bigints because Deno passes them as fast as its own pointer objects, and offsets into an arena stay plain arithmetic.
 *
 * @module
 */

import { describe } from "./describe.ts";
import { markOwnerFreed, type Owner, STATIC } from "./owner.ts";

/** A pointer into C memory, or into memory that C and JavaScript share. */
export abstract class Handle {
  /** The C type, so that TypeScript tells classes without fields apart. It exists for the compiler only. */
  declare readonly $struct: string;
  /** The C address, never 0. */
  readonly address: bigint;
  /** What keeps the address valid. */
  readonly owner: Owner;
  /** @ignore The memory that the fields are read through; {@linkcode memory} fills it in. */
  $view: DataView | null = null;
  /** @ignore Where in `$view` the struct begins. */
  $offset = 0;

  /**
   * @param address Where it points; not 0.
   * @param owner What keeps it valid; by default nothing does.
   */
  constructor(address: bigint, owner: Owner = STATIC) {
    this.address = address;
    this.owner = owner;
  }

  /**
   * A handle of this class from a Deno pointer or an address; null for a null one.
   *
   * @param pointer Where it points.
   * @param owner What keeps it valid; by default nothing does.
   */
  static from<H extends Handle>(
    this: new (address: bigint, owner?: Owner) => H,
    pointer: Deno.PointerValue | bigint,
    owner: Owner = STATIC,
  ): H | null {
    const address = typeof pointer === "bigint" ? pointer : BigInt(Deno.UnsafePointer.value(pointer));
    return address === 0n ? null : new this(address, owner);
  }

  /** The same pointer as Deno's own FFI functions take it. Throws if its owner was freed. */
  get pointer(): Deno.PointerObject {
    if (this.owner.freed) throw freedError(this, "pointer");
    return Deno.UnsafePointer.create(this.address)!;
  }

  /** True if `other` points to the same place. C objects have no identity but their address: two calls may give two handles of one tensor. */
  equals(other: Handle | null): boolean {
    return other !== null && other.address === this.address;
  }

  [Symbol.for("Deno.customInspect")](): string {
    return `${this.constructor.name} { 0x${this.address.toString(16)}${this.owner.freed ? ", freed" : ""} }`;
  }
}

/** A pointer to something that has no class: `void *`, `float *`, `char **`. */
export class Pointer extends Handle {
  /**
   * The bytes that it points to, without a copy.
   *
   * @param byteLength How many bytes to show. C doesn't say; a wrong number reads what isn't yours.
   * @returns A view that keeps the owner alive for as long as it lives itself.
   */
  bytes(byteLength: number): Uint8Array<ArrayBuffer> {
    if (this.owner.freed) throw freedError(this, "bytes");
    return new Uint8Array(externalBuffer(this.address, byteLength, this.owner));
  }
}

/** Owners that are kept alive by the buffers which show their memory. */
const bufferOwners = new WeakMap<ArrayBuffer, Owner>();

/** C memory as an `ArrayBuffer` that keeps `owner` alive. */
export function externalBuffer(address: bigint, byteLength: number, owner: Owner): ArrayBuffer {
  const buffer = Deno.UnsafePointerView.getArrayBuffer(Deno.UnsafePointer.create(address)!, byteLength);
  if (owner !== STATIC) bufferOwners.set(buffer, owner);
  return buffer;
}

/** The address of the first byte of a buffer or of a view of one. */
export function addressOf(data: ArrayBuffer | ArrayBufferView<ArrayBuffer>): bigint {
  return BigInt(Deno.UnsafePointer.value(Deno.UnsafePointer.of(data)));
}

/**
 * The memory that a struct's fields are read through, and, in `$offset`, where the struct begins in it.
 *
 * @throws {Error} If the owner was freed.
 */
export function memory(handle: Handle): DataView {
  if (handle.owner.freed) throw freedError(handle, handle.constructor.name);
  return handle.$view ?? mapMemory(handle);
}

/** Finds a struct in its owner's arena or, failing that, makes a view of its own. */
function mapMemory(handle: Handle): DataView {
  const { owner, address } = handle;
  const size = (handle.constructor as unknown as { size: number }).size;
  if (owner.arena !== null) {
    const offset = Number(address - owner.base);
    if (offset >= 0 && offset + size <= owner.arena.byteLength) {
      handle.$offset = offset;
      return handle.$view = owner.arena;
    }
  }
  handle.$offset = 0;
  return handle.$view = new DataView(externalBuffer(address, size, owner));
}

/** The error for a handle that is used after its owner was freed. */
export function freedError(handle: Handle, where: string): Error {
  const name = handle.constructor.name;
  const self = handle.owner.address === handle.address;
  return new Error(`${where}: ${self ? `this ${name} was freed` : `the owner of this ${name} was freed`}`);
}

/** The error for an argument or field that is no live handle of the class that it must have. */
export function wrongHandle(value: unknown, expected: abstract new (...args: never[]) => Handle, where: string): Error {
  if (value instanceof expected) return freedError(value, where);
  return new TypeError(`${where}: expected a ${expected.name}, got ${describe(value)}`);
}

/**
 * Marks what `handle` stands for as freed, after C freed it. A handle into somebody else's memory (a buffer read from a tensor's field)
 * does not take its owner with it.
 */
export function markFreed(handle: Handle | null): void {
  if (handle !== null && handle.owner.address === handle.address) markOwnerFreed(handle.owner);
}

/** Frees what `handle` stands for, once. Only a handle of the object itself may: one from inside another object's memory is borrowed. */
export function dispose<H extends Handle>(handle: H, free: (handle: H) => void): void {
  if (handle.owner.freed) return;
  if (handle.owner.address !== handle.address) {
    const name = handle.constructor.name;
    throw new Error(`this ${name} is borrowed from another object, which frees it; it can't be disposed of by itself`);
  }
  expectNotHeld(handle);
  free(handle);
}

/** Throws if an asynchronous call uses what `handle` stands for. */
function expectNotHeld({ owner, constructor }: Handle): void {
  if (owner.heldBy !== null) throw new Error(`this ${constructor.name} can't be freed now: ${owner.heldBy}`);
}

/** Has `owner` keep alive whatever `handle` points into. */
export function keep(owner: Owner, handle: Handle | null): void {
  if (handle !== null && handle.owner !== owner) owner.keep(handle.owner);
}

/** Has `owner` keep what its setter `name` was given, in place of what it was given before. */
export function keepLatest(owner: Owner, name: string, ...values: unknown[]): void {
  owner.keepLatest(name, values.map((value) => value instanceof Handle ? value.owner : value));
}

/** Has `owner` keep memory alive: a typed array or buffer itself, or whatever a handle points into. */
export function keepData(owner: Owner, data: unknown): void {
  if (data instanceof Handle) keep(owner, data);
  else owner.keep(data);
}

/** The error for a null where C promises an object. */
export function nullResult(name: string): Error {
  return new Error(`${name} returned null`);
}
