/**
 * Arrays of subclasses as the plain ones that they are to C. `class Vector extends Float32Array { get length() { … } }` is a user's right, and its
 * length is then no number of elements; its constructor takes whatever it takes.
 *
 * @module
 */

import type { Elements, TypedArray } from "./ndarray.ts";

type Constructor = new (buffer: ArrayBufferLike, byteOffset: number, length: number) => TypedArray;

const CONSTRUCTORS: ReadonlyMap<string, Constructor> = new Map<string, Constructor>(
  [
    Int8Array,
    Uint8Array,
    Uint8ClampedArray,
    Int16Array,
    Uint16Array,
    Int32Array,
    Uint32Array,
    BigInt64Array,
    BigUint64Array,
    Float16Array,
    Float32Array,
    Float64Array,
  ].map((array) => [array.name, array as never]),
);

/** What every typed array has, whatever its class says. */
const own = Object.getOwnPropertyDescriptors(Object.getPrototypeOf(Uint8Array.prototype)) as Record<PropertyKey, PropertyDescriptor>;

function read<T>(array: TypedArray, property: PropertyKey): T {
  return own[property].get!.call(array);
}

/** What an array itself may have in place of what its class gives. */
const HIDING = ["length", "buffer", "byteOffset", "byteLength"];

/** The same elements in the same memory, in an array of the language's own class; itself if it is one. */
export function plainArray<D extends TypedArray>(array: D): D {
  const constructor = CONSTRUCTORS.get(read(array, Symbol.toStringTag));
  if (constructor === undefined) return array;
  if (Object.getPrototypeOf(array) === constructor.prototype && !HIDING.some((name) => Object.hasOwn(array, name))) return array;
  const buffer = read<ArrayBufferLike>(array, "buffer"), length = read<number>(array, "length");
  // Of memory that isn't there any more there can be no array. Whoever uses this one says so.
  if (buffer instanceof ArrayBuffer && length === 0) return array;
  return new constructor(buffer, read(array, "byteOffset"), length) as D;
}

/** What an `ndarray` is now, whatever its getters say the next time. */
export function plainElements({ data, shape, stride, offset }: Elements): Elements {
  return { data: plainArray(data), shape: [...shape], stride: [...stride], offset };
}
