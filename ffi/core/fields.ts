/**
 * Fields that are more than a number: pointers, strings, arrays. The getters and setters of the generated structs call these.
 *
 * `where` is always `struct.field`.
 *
 * @module
 */

import { show } from "./shown.ts";
import { encode, readCString } from "./cstring.ts";
import * as argument from "./arguments.ts";
import type { Data } from "./arguments.ts";
import { describe } from "./describe.ts";
import { addressOf, freedError, Handle, keep, memory, wrongHandle } from "./handle.ts";
import { host } from "./host.ts";
import { readAddress } from "./integers.ts";
import type { Owner } from "./owner.ts";
import { borrowed } from "./roots.ts";
import { type Struct, type Structs, structs } from "./struct.ts";
import { decodeText } from "./text.ts";
import { keptInside } from "./transferred.ts";

/** A class that wraps an address. */
type Wrapper<H> = new (address: bigint, owner: Owner) => H;

/** A class of handles, for `instanceof`. */
type HandleClass = abstract new (...args: never[]) => Handle;

/** A class of typed arrays of numbers. */
interface NumberArrays {
  readonly name: string;
  new (buffer: ArrayBuffer, byteOffset: number, length: number): ArrayLike<number> & { set(values: ArrayLike<number>): void };
  from(values: ArrayLike<number>): ArrayLike<number>;
}

/** A pointer field as a handle. What it points to is taken to live as long as the struct's owner. */
export function getHandle<H>(struct: Handle, offset: number, wrapper: Wrapper<H>): H | null {
  const address = readAddress(memory(struct), struct.$offset + offset);
  return address === 0n ? null : new wrapper(address, struct.owner);
}

/** A pointer field to what C frees by a function of its own: the handle shares the owner of the object's other handles, if there are any. */
export function getRoot<H extends Handle>(struct: Handle, offset: number, wrapper: Wrapper<H>): H | null {
  const address = readAddress(memory(struct), struct.$offset + offset);
  return address === 0n ? null : borrowed(wrapper, address, struct.owner);
}

/** An array of pointers as handles. */
export function getHandles<H>(struct: Handle, offset: number, length: number, wrapper: Wrapper<H>): readonly (H | null)[] {
  const handles: (H | null)[] = [];
  for (let i = 0; i < length; i++) handles.push(getHandle(struct, offset + 8 * i, wrapper));
  return Object.freeze(handles);
}

/** An array of structs. Each reads and writes the memory of the struct that holds them. */
export function getStructs<H>(struct: Handle, offset: number, length: number, wrapper: Wrapper<H> & { readonly size: number }): H[] {
  const at = (i: number) => struct.address + BigInt(offset + i * wrapper.size);
  return Array.from({ length }, (_, i) => new wrapper(at(i), struct.owner));
}

/** Points a field at something, and keeps that alive: as long as the field points there, or, where others may by now, as long as the struct's owner. */
export function setPointer(struct: Handle, offset: number, value: Data | null, where: string): void {
  memory(struct).setBigUint64(struct.$offset + offset, addressOfAny(value, where), true);
  keepIn(struct, where, [value instanceof Handle ? value.owner : value]);
}

/** Keeps alive what a field points to. */
function keepIn(struct: Handle, where: string, values: readonly unknown[]): void {
  const { owner } = struct;
  if (isAlone(struct)) owner.keepLatest(where, values);
  else for (const value of values) owner.keep(value);
}

/** True for a struct of TypeScript's own that C doesn't copy addresses from. */
function isAlone(struct: Handle): boolean {
  const { address, owner } = struct;
  return owner.address === address && owner.type === "" && !host.isCopied(struct);
}

/** Points a field at numbers of so many bytes, or at nothing. */
export function setNumbers(struct: Handle, offset: number, value: Data | null, width: number, where: string): void {
  if (value !== null) argument.expectWidth(value, width, where);
  setPointer(struct, offset, value, where);
}

/** A class of what a list points to: handles, or typed arrays. */
type ItemClass = abstract new (...args: never[]) => Handle | ArrayBufferView;

/** Points a field at pointers, to objects or numbers of a class, with a null pointer behind them; or at memory that holds such, or at nothing. */
export function setList(
  struct: Handle,
  offset: number,
  value: readonly (Handle | ArrayBufferView)[] | Data | null,
  item: ItemClass,
  where: string,
): void {
  if (!Array.isArray(value)) return setNumbers(struct, offset, value as Data | null, 8, where);
  const items = [...value], addresses = keptInside(new BigUint64Array(items.length + 1));
  items.forEach((each, i) => addresses[i] = addressOfItem(each, item, `${where}[${i}]`));
  memory(struct).setBigUint64(struct.$offset + offset, addressOf(addresses), true);
  keepIn(struct, where, [addresses, ...items.map((each) => each instanceof Handle ? each.owner : each)]);
}

function addressOfItem(value: Handle | ArrayBufferView, expected: ItemClass, where: string): bigint {
  if (!(value instanceof expected)) {
    throw new TypeError(`${where}: expected ${/^[AEIO]/.test(expected.name) ? "an" : "a"} ${expected.name}, got ${describe(value)}`);
  }
  if (value instanceof Handle && value.owner.freed) throw freedError(value, where);
  if (ArrayBuffer.isView(value) && value.byteLength === 0) throw new RangeError(`${where}: expected at least one element, got none`);
  return addressOfAny(value as Data, where);
}

/** Points a field at an object of its class, or at nothing. */
export function setHandle(struct: Handle, offset: number, value: Handle | null, wrapper: HandleClass, where: string): void {
  if (value !== null && (!(value instanceof wrapper) || value.owner.freed)) throw wrongHandle(value, wrapper, where);
  setPointer(struct, offset, value, where);
}

/** Points a field at a struct, at several that lie one after the other, with one of zeros behind them, or at nothing. */
export function setStructs<S extends Struct>(
  struct: Handle,
  offset: number,
  value: Structs<S> | null,
  wrapper: new (address: bigint, owner: Owner) => S,
  where: string,
): void {
  setHandle(struct, offset, structs(value, wrapper, where, 1) as S | null, wrapper, where);
}

/** Points each element of an array field at an object of its class, or at nothing. */
export function setHandles(
  struct: Handle,
  offset: number,
  length: number,
  values: readonly (Handle | null)[],
  wrapper: HandleClass,
  where: string,
): void {
  expectLength(values, length, where);
  values.forEach((value, i) => setHandle(struct, offset + 8 * i, value, wrapper, `${where}[${i}]`));
}

/** Points each element of an array field at something. */
export function setPointers(struct: Handle, offset: number, length: number, values: readonly (Data | null)[], where: string): void {
  expectLength(values, length, where);
  values.forEach((value, i) => setPointer(struct, offset + 8 * i, value, `${where}[${i}]`));
}

/** A `const char *` field. */
export function getString(struct: Handle, offset: number): string | null {
  return readCString(Deno.UnsafePointer.create(readAddress(memory(struct), struct.$offset + offset)));
}

/** Points a `const char *` field at a copy of `value` that lives as long as the struct's owner. */
export function setString(struct: Handle, offset: number, value: string | null, where: string): void {
  if (value !== null && typeof value !== "string") throw new TypeError(`${where}: expected a string or null, got ${describe(value)}`);
  setPointer(struct, offset, value === null ? null : encode(value, where), where);
}

/** A `char name[length]` field: its text up to the NUL. */
export function getText(struct: Handle, offset: number, length: number): string {
  const view = memory(struct);
  const bytes = new Uint8Array(view.buffer as ArrayBuffer, view.byteOffset + struct.$offset + offset, length);
  const end = bytes.indexOf(0);
  return struct.$name = decodeText(end < 0 ? bytes : bytes.subarray(0, end));
}

/** Writes text and its NUL into a `char name[length]` field. Throws a RangeError if it doesn't fit. */
export function setText(struct: Handle, offset: number, length: number, value: string, where: string): void {
  if (typeof value !== "string") throw new TypeError(`${where}: expected a string, got ${describe(value)}`);
  const bytes = encode(value, where);
  if (bytes.length > length) throw new RangeError(`${where}: ${bytes.length} bytes with the NUL don't fit into ${length}`);
  const view = memory(struct);
  const field = new Uint8Array(view.buffer as ArrayBuffer, view.byteOffset + struct.$offset + offset, length);
  field.fill(0);
  field.set(bytes);
  struct.$name = value;
}

/** An array of numbers as a typed array over the struct's own memory: writing an element writes the field. */
export function getArray<T extends ArrayBufferView>(
  struct: Handle,
  offset: number,
  length: number,
  constructor: new (buffer: ArrayBuffer, byteOffset: number, length: number) => T,
): T {
  return show(arrayOver(struct, offset, length, constructor));
}

function arrayOver<T>(
  struct: Handle,
  offset: number,
  length: number,
  constructor: new (buffer: ArrayBuffer, byteOffset: number, length: number) => T,
): T {
  const view = memory(struct);
  return new constructor(view.buffer as ArrayBuffer, view.byteOffset + struct.$offset + offset, length);
}

/** Copies numbers into an array field: none is rounded or wrapped, but for those of a float array. */
export function setArray(
  struct: Handle,
  offset: number,
  length: number,
  constructor: NumberArrays,
  values: ArrayLike<number>,
  where: string,
): void {
  expectLength(values, length, where);
  const array = arrayOver(struct, offset, length, constructor);
  const given = constructor.from(values), isFloat = given instanceof Float32Array || given instanceof Float64Array;
  for (let i = 0; i < length; i++) {
    const value = values[i];
    if (typeof value === "number" && (isFloat || given[i] === value)) continue;
    const kind = constructor.name.replace(/Array$/, "").toLowerCase();
    const message = `${where}[${i}]: expected ${/^[aeio]/.test(kind) ? "an" : "a"} ${kind}, got ${describe(value)}`;
    throw typeof value === "number" ? new RangeError(message) : new TypeError(message);
  }
  array.set(given);
}

/** Throws a RangeError unless `values` has as many elements as the array field. */
export function expectLength(values: { readonly length: number }, length: number, where: string): void {
  if (typeof values !== "object" || values === null) throw new TypeError(`${where}: expected an array, got ${describe(values)}`);
  if (values.length !== length) throw new RangeError(`${where}: expected ${length} elements, got ${describe(values)}`);
}

/** Copies a struct into a field of its type. */
export function setStruct(
  struct: Handle,
  offset: number,
  value: Struct,
  wrapper: Parameters<typeof argument.struct>[1],
  where: string,
): void {
  const view = memory(struct);
  const bytes = argument.struct(value, wrapper, where);
  new Uint8Array(view.buffer as ArrayBuffer, view.byteOffset + struct.$offset + offset, bytes.length).set(bytes);
  keep(struct.owner, value);
}

function addressOfAny(value: Data | null, where: string): bigint {
  if (value === null) return 0n;
  if (value instanceof Handle) {
    if (value.owner.freed) throw freedError(value, where);
    return value.address;
  }
  if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) return addressOf(value as ArrayBufferView<ArrayBuffer>);
  if (typeof value === "object" && Object.getPrototypeOf(value) === null) return BigInt(Deno.UnsafePointer.value(value));
  throw new TypeError(`${where}: expected a handle, a typed array, a Deno pointer or null, got ${describe(value)}`);
}
