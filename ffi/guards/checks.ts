/**
 * What the guards written by hand have in common: how they say what was expected and what came, and how they read C's own structs.
 *
 * @module
 */

import type { Data, Pointers } from "../arguments.ts";
import { addressOf, Handle } from "../handle.ts";
import type { lib as generated } from "../lib.js";

/** The generated functions and enums. They are passed in: an import would be a circle. */
export type Lib = typeof generated;
export type Int = number | bigint;
export type Tensor = generated.ggml_tensor;
export type Backend = generated.ggml_backend;
export type Sched = generated.ggml_backend_sched;
export type Graph = generated.ggml_cgraph;

/** `true` is what is wanted; `message` begins with the function and its parameter. */
export function ensure(condition: boolean, message: () => string): void {
  if (!condition) throw new Error(message());
}

/** An index of one of `count` things. */
export function indexOf(where: string, value: Int, count: number, what: string): void {
  if (value >= 0 && value < count) return;
  const range = count === 0 ? "of which there is none" : count === 1 ? "of which there is 0 only" : `from 0 to ${count - 1}`;
  throw new RangeError(`${where}: expected the index of ${/^[aeiou]/.test(what) ? "an" : "a"} ${what}, ${range}, got ${value}`);
}

/** A number in a range. */
export function between(where: string, value: Int, least: number, most: number): void {
  if (value >= least && value <= most) return;
  const range = most === Infinity ? `at least ${least}` : least === -Infinity ? `at most ${most}` : `${least} to ${most}`;
  throw new RangeError(`${where}: expected ${range}, got ${value}`);
}

/** A multiple of a number that isn't 0. */
export function multiple(where: string, value: Int, of: number, what: string): void {
  if (of > 0 && Number(value) % of === 0) return;
  throw new RangeError(`${where}: expected a multiple of ${of} (${what}), got ${value}`);
}

/** C's own memory behind a handle. */
export function peek(handle: Handle): Deno.UnsafePointerView {
  return new Deno.UnsafePointerView(handle.pointer);
}

/** A tensor in an error. */
export function show(lib: Lib, { name, type, ne }: Tensor): string {
  return `${name === "" ? "a tensor" : JSON.stringify(name)} (${lib.ggml_type_name(type)} ne=[${ne.join(", ")}])`;
}

/** True if two handles are of one object, or both null. */
export function same(a: Handle | null, b: Handle | null): boolean {
  return (a?.address ?? 0n) === (b?.address ?? 0n);
}

/** The address of memory that a caller passed. */
export function addressOfData(data: Data): bigint {
  if (data instanceof Handle) return data.address;
  if (ArrayBuffer.isView(data) || data instanceof ArrayBuffer) return addressOf(data as ArrayBuffer);
  return BigInt(Deno.UnsafePointer.value(data));
}

/** The first `n` of an array of handles, as far as they can be seen: not of memory that only has an address. */
export function items<H extends Handle>(array: Pointers<H> | null, n: number, wrapper: new (address: bigint) => H): H[] {
  if (Array.isArray(array)) return array.slice(0, n) as H[];
  return array instanceof BigUint64Array ? Array.from(array.subarray(0, n), (address) => new wrapper(address)) : [];
}
