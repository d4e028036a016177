// deno-lint-ignore-file no-import-prefix -- an import map would not reach who imports this file by its path
/**
 * The n-dimensional arrays of npm's `ndarray`, loaded without Node's module system.
 *
 * `ndarray` is CommonJS. Importing a CommonJS package starts Deno's Node compatibility, which takes 18 ms, more than everything else this
 * package does at start-up together. Its three files need nothing of Node but `require`, so they are imported as text and run here: 2 ms.
 * It is the real package, pinned and checked by the lock file.
 *
 * @module
 */

import { describe } from "../../ffi/core/describe.ts";
import isBufferSource from "npm:is-buffer@1.1.6/index.js" with { type: "text" };
import iotaSource from "npm:iota-array@1.0.0/iota.js" with { type: "text" };
import ndarraySource from "npm:ndarray@1.1.1/ndarray.js" with { type: "text" };

/** A typed array whose elements `ndarray` can hold. */
// TypeScript measures what is none of these by the last: a Float32Array says more of `[1, 2]` than an array of bigints.
export type TypedArray =
  | BigUint64Array
  | BigInt64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | Float16Array
  | Float64Array
  | Float32Array;

/** What `ndarray` calls the element type of a typed array. */
export type DType<D extends TypedArray> = D extends Int8Array ? "int8"
  : D extends Int16Array ? "int16"
  : D extends Int32Array ? "int32"
  : D extends Uint8Array ? "uint8"
  : D extends Uint16Array ? "uint16"
  : D extends Uint32Array ? "uint32"
  : D extends Float16Array ? "float16"
  : D extends Float32Array ? "float32"
  : D extends Float64Array ? "float64"
  : D extends BigInt64Array ? "bigint64"
  : "biguint64";

/** An n-dimensional array of npm's `ndarray`: `data` seen through `shape`, `stride` and `offset`. See https://www.npmjs.com/package/ndarray. */
export interface NdArray<D extends TypedArray = Float32Array> {
  /** The elements, in whatever order the strides say. */
  data: D;
  /** The dimensions; in a row-major array the last is the fastest. */
  shape: number[];
  /** How many elements apart neighbours are in each dimension. */
  stride: number[];
  /** The index in `data` of the element at [0, 0, …]. */
  offset: number;
  /** The element type. */
  dtype: DType<D>;
  /** How many elements there are. */
  size: number;
  /** The dimensions from the fastest to the slowest. */
  order: number[];
  /** How many dimensions there are. */
  dimension: number;
  /** The element at an index. */
  get(...index: number[]): D[number];
  /** Sets the element at an index, which comes first. */
  set(...indexAndValue: [...number[], D[number]] | number[]): D[number];
  /** Where in `data` the element at an index is. */
  index(...index: number[]): number;
  /** What remains from an index on. */
  lo(...index: number[]): NdArray<D>;
  /** What remains before an index. */
  hi(...index: number[]): NdArray<D>;
  /** Every so manieth element of each dimension. */
  step(...step: number[]): NdArray<D>;
  /** The dimensions in another order. */
  transpose(...order: number[]): NdArray<D>;
  /** The part at an index; null leaves a dimension as it is. */
  pick(...index: (number | null)[]): NdArray<D>;
}

type Construct = <D extends TypedArray>(data: D, shape?: readonly number[], stride?: readonly number[], offset?: number) => NdArray<D>;

/** Runs a CommonJS module. */
function commonJs(source: string, modules: Readonly<Record<string, unknown>>): unknown {
  const module = { exports: {} };
  new Function("module", "exports", "require", source)(module, module.exports, (name: string) => modules[name]);
  return module.exports;
}

/** The package's function; null until there is a first array. */
let construct: Construct | null = null;

function load(): Construct {
  const modules = { "iota-array": commonJs(iotaSource, {}), "is-buffer": commonJs(isBufferSource, {}) };
  return commonJs(ndarraySource, modules) as Construct;
}

/**
 * Makes an n-dimensional array over a typed array, without a copy.
 *
 * @param data The elements.
 * @param shape The dimensions, the fastest last; by default `[data.length]`.
 * @param stride How many elements apart neighbours are in each dimension; by default row-major.
 * @param offset The index of the first element.
 * @returns The array, of npm's `ndarray`: what is written to it is in `data`.
 * @throws {TypeError} If `data` is no typed array, or `shape` or `stride` no array.
 * @throws {RangeError} If they or `offset` aren't whole numbers, are not as many, or reach past the data.
 *
 * @example
 * ```ts
 * import { ndarray } from "@ggml/deno/utils";
 *
 * const a = ndarray(new Float32Array([1, 2, 3, 4, 5, 6]), [2, 3]);
 * console.log(a.get(1, 0)); // 4
 * ```
 */
export function ndarray<D extends TypedArray>(data: D, shape?: readonly number[], stride?: readonly number[], offset?: number): NdArray<D> {
  if (!ArrayBuffer.isView(data) || !("length" in data)) throw new TypeError(`ndarray: expected a typed array, got ${describe(data)}`);
  if (shape !== undefined && !Array.isArray(shape)) throw new TypeError(`ndarray: shape must be an array, got ${describe(shape)}`);
  if (stride !== undefined && !Array.isArray(stride)) throw new TypeError(`ndarray: stride must be an array, got ${describe(stride)}`);
  const dimensions = shape ?? [data.length];
  // A stride that isn't given will be right.
  if (!areWhole({ shape: dimensions, stride: stride ?? dimensions, offset: offset === undefined ? 0 : offset })) {
    const words = (numbers: readonly number[]) => `[${numbers.map(describe).join(", ")}]`;
    const got = `shape ${words(dimensions)}, stride ${stride && words(stride)}, offset ${describe(offset)}`;
    throw new RangeError(`ndarray: expected whole numbers, none negative in the shape, and a stride for each dimension, got ${got}`);
  }
  construct ??= load();
  return counting(within(construct(data, shape, stride, offset), "ndarray"));
}

/** The classes of arrays, one for each type and number of dimensions, whose methods look at their indices. */
const counted = new WeakSet<object>();

/** An array that takes an index for each of its dimensions, no more and no fewer: `ndarray`'s own leave out what is too much, and read elsewhere. */
function counting<A extends NdArray<TypedArray>>(array: A): A {
  const methods = Object.getPrototypeOf(array);
  if (counted.has(methods)) return array;
  counted.add(methods);
  const { dimension } = array;
  for (const [name, values] of [["get", 0], ["set", 1], ["index", 0]] as const) {
    const method = methods[name], expected = dimension + values;
    methods[name] = function () {
      if (arguments.length !== expected) throw wrongCount(name, this.shape, arguments.length - values);
      for (let axis = 0; axis < dimension; axis++) {
        const i = arguments[axis];
        if (!(Number.isInteger(i) && i >= 0 && i < this.shape[axis])) throw outside(name, this.shape, arguments);
      }
      return method.apply(this, arguments);
    };
  }
  for (const name of ["hi", "pick"] as const) {
    const method = methods[name];
    methods[name] = function () {
      return counting(within(method.apply(this, arguments), `ndarray.${name}`));
    };
  }
  return array;
}

/** The array, every element of which is in its data: by itself `ndarray` would read `undefined`. */
function within<A extends NdArray<TypedArray>>(array: A, where: string): A {
  if (isInside(array)) return array;
  const { data, shape, stride, offset } = array, layout = `shape [${shape.join(", ")}], stride [${stride.join(", ")}] and offset ${offset}`;
  throw new RangeError(`${where}: an array of ${layout} reaches past its data of ${data.length}`);
}

function wrongCount(name: string, shape: readonly number[], got: number): RangeError {
  return new RangeError(`ndarray.${name}: expected ${shape.length} indices for the shape [${shape.join(", ")}], got ${got}`);
}

/** By itself `ndarray` would take the element that lies there: one of another row. */
function outside(name: string, shape: readonly number[], index: ArrayLike<unknown>): RangeError {
  const given = Array.from(shape, (_, i) => describe(index[i]).replace(/^the number /, "")).join(", ");
  return new RangeError(`ndarray.${name}: there is no element [${given}] in an array of shape [${shape.join(", ")}]`);
}

/** True for an `ndarray`, whichever copy of the package made it. */
export function isNdArray(value: unknown): value is NdArray<TypedArray> {
  if (typeof value !== "object" || value === null) return false;
  const { shape, stride, offset } = value as Partial<NdArray<TypedArray>>;
  if (!Array.isArray(shape) || !Array.isArray(stride) || typeof offset !== "number") return false;
  const { data } = value as NdArray<TypedArray>;
  return ArrayBuffer.isView(data) && "length" in data && [...shape, ...stride].every((n) => typeof n === "number");
}

/** Where the elements of an `ndarray` are. */
export type Elements = Pick<NdArray<TypedArray>, "data" | "shape" | "stride" | "offset">;

/**
 * Throws unless every element of an array is in its data.
 *
 * @param what Says what it is, for errors.
 */
export function expectInside(array: Elements, what: () => string): void {
  if (!areWhole(array)) {
    throw new RangeError(`${what()}: its shape, strides and offset must be whole numbers, and a stride for each dimension`);
  }
  if (!isInside(array)) throw new RangeError(`${what()} reaches past its data of ${array.data.length}`);
}

/** True if every element of an array is in its data. */
function isInside({ data, shape, stride, offset }: Elements): boolean {
  let first = offset, last = offset;
  for (let axis = 0; axis < shape.length; axis++) {
    const reach = (shape[axis] - 1) * stride[axis];
    if (shape[axis] === 0) return true;
    if (reach < 0) first += reach;
    else last += reach;
  }
  return first >= 0 && last < data.length;
}

/** True if these can be the numbers of an `ndarray`. */
function areWhole({ shape, stride, offset }: { shape: readonly number[]; stride: readonly number[]; offset: number }): boolean {
  if (shape.length !== stride.length || !Number.isInteger(offset)) return false;
  for (let i = 0; i < shape.length; i++) if (!Number.isInteger(shape[i]) || shape[i] < 0 || !Number.isInteger(stride[i])) return false;
  return true;
}

/**
 * Throws if an array's memory was transferred elsewhere, or shrank away from under it: then it looks like an array of no elements.
 *
 * @param what Says what it is, for errors.
 */
export function expectThere(data: TypedArray, what: () => string): void {
  if (data.length > 0) return;
  try {
    data.keys();
  } catch (cause) {
    throw new TypeError(`${what()}: its memory was transferred elsewhere, or shrank`, { cause });
  }
}

/** True if the elements lie one after the other in row-major order. */
export function isContiguous({ shape, stride }: Elements): boolean {
  let expected = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    if (shape[i] !== 1 && stride[i] !== expected) return false;
    expected *= shape[i];
  }
  return true;
}
