/**
 * Handles: what a C pointer looks like in TypeScript.
 *
 * A handle is an address and its {@linkcode Owner}, the thing that must stay alive for the address to stay valid. The generated classes
 * (one a C struct) extend {@linkcode Handle}; a pointer to anything else (`void *`, `float *`) is a `Pointer` (`pointer.ts`).
 *
 * Addresses are bigints because Deno passes them as fast as its own pointer objects, and offsets into an arena stay plain arithmetic.
 *
 * @module
 */

import { describe, quote } from "./describe.ts";
import { ownerAt } from "./known.ts";
import { type Ending, Owner, STATIC } from "./owner.ts";
import { keeperOf, keptBy } from "./shown.ts";

/**
 * The owner that a class gives its base where it sets the fields itself. V8 keeps for each line of a constructor the classes that it has seen there, up
 * to four: with all classes setting their fields in the same lines a tensor's handle takes 25 ns in place of 8.
 */
export const UNSET: Owner = new Owner(0n);

/** A pointer into C memory, or into memory that C and JavaScript share. */
export abstract class Handle {
  // The fields are declared and not defined, because V8 doesn't inline a derived class's constructor where its base defines fields: a tensor's
  // handle takes it 8 ns in place of 24.

  /** The C type, so that TypeScript tells classes without fields apart. It exists for the compiler only. */
  declare readonly $struct: string;
  /** The C address, never 0. */
  declare readonly address: bigint;
  /** What keeps the address valid. */
  declare readonly owner: Owner;
  /** @ignore The memory that the fields are read through; {@linkcode memory} fills it in. */
  declare $view: DataView | null;
  /** @ignore Where in `$view` the struct begins. */
  declare $offset: number;
  /** @ignore What a text field of the struct was last set to or read as through this handle, for errors. */
  declare $name: string;

  /**
   * A handle of what is at an address.
   *
   * @param address Where it points; not 0.
   * @param owner What keeps it valid; by default nothing does.
   */
  constructor(address: bigint, owner: Owner = STATIC) {
    if (owner === UNSET) return;
    this.address = address;
    this.owner = owner.at(address);
    this.$view = null;
    this.$offset = 0;
    this.$name = "";
  }

  /**
   * A handle of this class from a Deno pointer or an address; null for a null one.
   *
   * @param pointer Where it points.
   * @param owner What keeps it valid; by default what keeps the other handles of the object valid, if C frees it by a function of its own and
   * one is there, or else nothing.
   * @throws {TypeError} If it is neither.
   * @throws {RangeError} If the address is negative, or has more than 64 bits.
   */
  static from<H extends Handle>(
    this: new (address: bigint, owner?: Owner) => H,
    pointer: Deno.PointerValue | bigint,
    owner?: Owner,
  ): H | null {
    const address = addressGiven(pointer, `${this.name}.from`);
    return address === 0n ? null : new this(address, owner ?? ownerAt(this.name, address) ?? STATIC);
  }

  /** The address as Deno's own FFI functions take it. Throws if the owner was freed. */
  get pointer(): Deno.PointerObject {
    if (this.owner.freed) throw freedError(this, "pointer");
    return Deno.UnsafePointer.create(this.address)!;
  }

  /** True if `other` points to the same place. C objects have no identity but their address: two calls may give two handles of one tensor. */
  equals(other: Handle | null): boolean {
    return other !== null && other.address === this.address;
  }

  /** What `console.log` shows: the class and the address. */
  [Symbol.for("Deno.customInspect")](): string {
    return this.toString();
  }

  /** What `Deno.inspect` shows, in a text: `${graph}`. */
  toString(): string {
    if (typeof this.address !== "bigint") return `${this.constructor.name} {}`; // a class's own prototype
    return `${this.constructor.name} { 0x${this.address.toString(16)}${this.owner.freed ? ", freed" : ""} }`;
  }
}

/** The address that a caller gives. */
function addressGiven(pointer: unknown, where: string): bigint {
  if (typeof pointer === "bigint") {
    if (BigInt.asUintN(64, pointer) === pointer) return pointer;
    throw new RangeError(`${where}: expected an address of 64 bits, got ${describe(pointer)}`);
  }
  if (pointer === null) return 0n;
  if (typeof pointer === "object" && Object.getPrototypeOf(pointer) === null) {
    return BigInt(Deno.UnsafePointer.value(pointer as Deno.PointerValue));
  }
  throw new TypeError(`${where}: expected an address, which is a bigint, a Deno pointer or null, got ${describe(pointer)}`);
}

/** C memory as an `ArrayBuffer` that keeps `owner` alive and is detached when that is freed by hand. */
export function externalBuffer(address: bigint, byteLength: number, owner: Owner, kind: "structs" | "data" = "data"): ArrayBuffer {
  const buffer = Deno.UnsafePointerView.getArrayBuffer(Deno.UnsafePointer.create(address)!, byteLength);
  if (owner !== STATIC) {
    keptBy(buffer, owner);
    owner.show(buffer, kind);
  }
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

/** Finds a struct in its owner's arena or in one that this points into; failing that, makes a view of its own. */
function mapMemory(handle: Handle): DataView {
  const { owner, address } = handle;
  const size = (handle.constructor as unknown as { size: number }).size;
  const found = mapInto(handle, owner, size) ?? mapIntoKept(handle, owner, size);
  if (found !== null) return found;
  handle.$offset = 0;
  return handle.$view = new DataView(externalBuffer(address, size, owner, "structs"));
}

function mapInto(handle: Handle, { arena, base }: Owner, size: number): DataView | null {
  if (arena === null) return null;
  const offset = Number(handle.address - base);
  if (offset < 0 || offset + size > arena.byteLength) return null;
  handle.$offset = offset;
  return handle.$view = arena;
}

/** A context's tensors have sources in others. When one of those ends, this owner's handles can't be used any more either. */
function mapIntoKept(handle: Handle, owner: Owner, size: number): DataView | null {
  for (const kept of owner.keptOwners) {
    const found = mapInto(handle, kept, size);
    if (found !== null) return found;
  }
  return null;
}

/** The error for a handle that is used after its owner was freed, or what that points into. */
export function freedError(handle: Handle, where: string): Error {
  const { owner } = handle;
  const { ending } = owner;
  const name = handle.constructor.name + nameOf(handle);
  const self = owner.address === handle.address;
  const options = ending?.site ? { cause: ending.site } : {};
  if (ending?.isLent === true) {
    return new Error(`${where}: this ${name} can't be used now: ${lentText(ending)}`);
  }
  if (ending === null) return new Error(`${where}: ${self ? `this ${name} was freed` : `the owner of this ${name} was freed`}`);
  const type = ending.type === "" ? "struct" : ending.type;
  if (self) return new Error(`${where}: this ${name} ${fateOf(ending)}`, options);
  const verb = ending.gone ? "was freed" : "can't be used any more";
  return new Error(`${where}: the owner of this ${name} ${verb}: its ${type} ${fateOf(ending)}`, options);
}

/** What an object is lent to. */
export function lentText({ how, type }: Ending): string {
  return `${how} is using its ${type}, and has not settled`;
}

/** What became of an object, to go after its name. */
function fateOf({ gone, how, culprit }: Ending): string {
  if (gone || culprit === null) return `was ${how}`;
  return `points into a ${culprit.type} that was ${culprit.how}`;
}

/** The name of a struct that has one and that was looked at before, in quotes: as it was seen last where its memory is gone. */
function nameOf(handle: Handle): string {
  const view = handle.$view;
  if (view === null || keeperOf(view.buffer) instanceof Owner) return "";
  if ((view.buffer as ArrayBuffer).detached) return handle.$name === "" ? "" : ` ${quote(handle.$name)}`;
  const get = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(handle), "name")?.get;
  // The field is read through a handle that is not freed: the memory is JavaScript's own.
  const name = get?.call(
    Object.assign(Object.create(Object.getPrototypeOf(handle)), { owner: STATIC, $view: view, $offset: handle.$offset }),
  );
  return typeof name === "string" && name !== "" ? ` ${quote(name)}` : "";
}

/** The error for an argument or field that is no live handle of the class that it must have. */
export function wrongHandle(value: unknown, expected: abstract new (...args: never[]) => Handle, where: string): Error {
  if (value instanceof expected) return freedError(value, where);
  const got = describe(value), isNamesake = got === `a ${expected.name}`;
  return new TypeError(`${where}: expected a ${expected.name}, got ${got}${isNamesake ? " that another copy of these modules made" : ""}`);
}

/** Has `owner` keep alive whatever `handle` points into. */
export function keep(owner: Owner, handle: Handle | null): void {
  if (handle === null || handle.owner === owner || handle.owner === owner.lastKept) return;
  owner.keep(handle.owner);
  for (const value of pointedTo(handle)) owner.keep(value);
}

const NOTHING: readonly unknown[] = [];

/** What the fields of a struct of TypeScript's own point to now: C may copy the struct, and the fields may be set anew. */
export function pointedTo({ owner, address }: Handle): readonly unknown[] {
  return owner.address === address && owner.type === "" && owner !== STATIC ? owner.kept : NOTHING;
}

/** Has what one handle points into keep what the other does. Either may be null: then there is nothing to keep. */
export function keepBetween(holder: Handle | null, handle: Handle | null): void {
  if (holder !== null) keep(holder.owner, handle);
}

/** Has `owner` keep what its setter `name` was given, in place of what it was given before. */
export function keepLatest(owner: Owner, name: string, ...values: unknown[]): void {
  owner.keepLatest(name, values.flat().map((value) => value instanceof Handle ? value.owner : value));
}

/** Has `owner` keep whatever `handle` points into, until `forget` is called. */
export function keepUntil(owner: Owner, name: string, handle: Handle | null, forget: () => void): void {
  if (handle !== null) owner.keepUntil(name, handle.owner, forget);
}

/** Has `owner` keep memory alive: a typed array or buffer itself, or whatever a handle, or each handle of an array, points into. */
export function keepData(owner: Owner, data: unknown): void {
  if (data instanceof Handle) keep(owner, data);
  else if (Array.isArray(data)) { for (const item of data) if (item instanceof Handle) keep(owner, item); }
  else owner.keep(data);
}
