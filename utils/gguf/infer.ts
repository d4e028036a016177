/**
 * GGUF values from what a caller gives: JavaScript's own values, whose GGUF type is inferred, and values with their type.
 *
 * @module
 */

import { describe, quote } from "../../ffi/core/describe.ts";
import { expectThere, type TypedArray } from "../arrays/ndarray.ts";
import { plainArray } from "../arrays/plain.ts";
import { type GgufValue, type Kind, kindNamed, KINDS, type NumberArray } from "./values.ts";

/** A value with the GGUF type that it shall have; like {@linkcode GgufValue}, but an array of any kind may hold the elements. */
export interface TypedGgufValue {
  /** `"u32"`, or `"u32[]"` for an array. */
  readonly type: GgufValue["type"];
  /** The value, an array of which may be of any kind. */
  readonly value: GgufInput;
}

/** A value whose GGUF type is inferred, see `writeGguf`. */
export type GgufInput = string | boolean | number | bigint | NumberArray | readonly (string | boolean | number | bigint)[];

/** A value for `writeGguf`. */
export type GgufValueInput = GgufInput | TypedGgufValue;

/**
 * The value with its type.
 *
 * @param where The function and key, for errors.
 * @throws {TypeError} If there is no GGUF type for it.
 * @throws {RangeError} If it is out of its type's range.
 */
export function inferValue(given: GgufValueInput, where: string): GgufValue {
  if (isTyped(given)) return typedValue(given, where);
  const value = thereAndPlain(given, where);
  const kind = kindOfArray(value);
  if (kind !== undefined) return { type: `${kind.name}[]`, value } as GgufValue;
  if (!Array.isArray(value)) return scalar(kindFor([value], where), value, where);
  if (value.length === 0) throw new TypeError(`${where}: an empty array has no type: say it, as in { type: "str[]", value: [] }`);
  return array(kindFor(value, where), value, where);
}

/** A typed array as a plain one, whose memory is there; anything else as it is. */
function thereAndPlain<T>(value: T, where: string): T {
  if (!ArrayBuffer.isView(value) || !("length" in value)) return value;
  const array = plainArray(value as ArrayBufferView as TypedArray);
  expectThere(array, () => where);
  return array as unknown as T;
}

function isTyped(value: GgufValueInput): value is TypedGgufValue {
  return typeof value === "object" && value !== null && "type" in value && "value" in value;
}

function typedValue({ type, value }: TypedGgufValue, where: string): GgufValue {
  if (typeof type !== "string") throw new TypeError(`${where}: expected a type such as "u32" or "u32[]", got ${describe(type)}`);
  const isArray = type.endsWith("[]");
  const kind = kindNamed(isArray ? type.slice(0, -2) : type);
  if (kind === undefined) {
    const names = KINDS.map(({ name }) => name).join(", ");
    throw new TypeError(`${where}: there is no GGUF type ${quote(type)}; there are ${names}, and arrays of each, such as "u32[]"`);
  }
  return isArray ? array(kind, value, where) : scalar(kind, value, where);
}

function kindOfArray(value: unknown): Kind | undefined {
  return KINDS.find(({ array }) => array !== null && value instanceof array);
}

/** The type that all of the values have. */
function kindFor(values: readonly unknown[], where: string): Kind {
  const kinds = new Set(values.map((value) => typeof value));
  const [first] = kinds;
  if (kinds.size > 1) throw new TypeError(`${where}: the elements of an array must be of one type, got ${[...kinds].join(" and ")}`);
  switch (first) {
    case "string":
      return kindNamed("str")!;
    case "boolean":
      return kindNamed("bool")!;
    case "bigint":
      return kindNamed((values as bigint[]).every((value) => value >= 0n) ? "u64" : "i64")!;
    case "number":
      return kindForNumbers(values as number[], where);
  }
  throw new TypeError(
    `${where}: expected a string, a number, a bigint, a boolean, an array of these or a typed array, got ${describe(values[0])}`,
  );
}

function kindForNumbers(values: readonly number[], where: string): Kind {
  if (!values.every(Number.isInteger)) return kindNamed("f32")!;
  const least = values.reduce((a, b) => Math.min(a, b)), most = values.reduce((a, b) => Math.max(a, b));
  if (least < Number.MIN_SAFE_INTEGER || most > Number.MAX_SAFE_INTEGER) {
    throw new RangeError(
      `${where}: ${least < 0 ? least : most} is beyond 2^53: give a bigint, or say the type, as in { type: "f64", value }`,
    );
  }
  if (least >= 0) return kindNamed(most < 2 ** 32 ? "u32" : "u64")!;
  return kindNamed(least >= -(2 ** 31) && most < 2 ** 31 ? "i32" : "i64")!;
}

function scalar(kind: Kind, value: unknown, where: string): GgufValue {
  return { type: kind.name, value: checked(kind, value, where) } as GgufValue;
}

function array(kind: Kind, given: unknown, where: string): GgufValue {
  const type = `${kind.name}[]`, value = thereAndPlain(given, where);
  if (kind.array !== null && value instanceof kind.array) return { type, value } as GgufValue;
  if (!Array.isArray(value) && !(ArrayBuffer.isView(value) && "length" in value)) {
    throw new TypeError(`${where}: expected an array for ${type}, got ${describe(value)}`);
  }
  const items = Array.from(value as ArrayLike<unknown>, (item, i) => checked(kind, item, `${where}[${i}]`));
  if (kind.array === null) return { type, value: items } as GgufValue;
  const numbers = new kind.array(items.length);
  const wide = kind.size === 8 && kind.name !== "f64";
  items.forEach((item, i) => numbers[i] = wide ? BigInt(item as number) : item as number);
  return { type, value: numbers } as GgufValue;
}

/** The value, if the type has it. */
function checked({ name, size }: Kind, value: unknown, where: string): unknown {
  const wrong = (expected: string) => new TypeError(`${where}: expected ${expected} for ${name}, got ${describe(value)}`);
  if (name === "str") {
    if (typeof value !== "string") throw wrong("a string");
    return value;
  }
  if (name === "bool") {
    if (typeof value !== "boolean") throw wrong("a boolean");
    return value;
  }
  if (name === "f32" || name === "f64") {
    if (typeof value !== "number") throw wrong("a number");
    if (name === "f32" && Number.isFinite(value) && !Number.isFinite(Math.fround(value))) throw outOfRange(value, name, where);
    return value;
  }
  if (typeof value !== "bigint" && !Number.isInteger(value)) throw wrong("a whole number");
  const bits = size * 8, exact = BigInt(value as number);
  const fits = name.startsWith("u") ? BigInt.asUintN(bits, exact) : BigInt.asIntN(bits, exact);
  if (fits !== exact) throw outOfRange(value, name, where);
  return size === 8 ? value : Number(value);
}

function outOfRange(value: unknown, name: string, where: string): RangeError {
  return new RangeError(`${where}: ${value} is out of the range of ${name}`);
}
