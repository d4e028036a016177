/**
 * The header of a `.npy` file: a Python dictionary of three entries, in one line of text.
 *
 * It is read by the few rules of Python's literals that numpy's own headers use, with nothing else let through.
 *
 * @module
 */

import { printable, quote } from "../../ffi/core/describe.ts";
import type { TypedArray } from "../arrays/ndarray.ts";

type Constructor = new (buffer: ArrayBuffer, byteOffset: number, length: number) => TypedArray;

/** What a header says. */
export interface Header {
  /** The typed array for the elements. */
  readonly array: Constructor;
  /** Bytes in an element. */
  readonly width: number;
  readonly shape: readonly number[];
  /** True if the first byte of an element is the most significant. */
  readonly isBigEndian: boolean;
  /** True if the first dimension is the fastest. */
  readonly isColumnMajor: boolean;
}

/** numpy's codes, without the byte order. Each array is written with the first code that names it. */
const TYPES: readonly (readonly [code: string, array: Constructor])[] = [
  ["f2", Float16Array],
  ["f4", Float32Array],
  ["f8", Float64Array],
  ["i1", Int8Array],
  ["i2", Int16Array],
  ["i4", Int32Array],
  ["i8", BigInt64Array],
  ["u1", Uint8Array],
  ["u2", Uint16Array],
  ["u4", Uint32Array],
  ["u8", BigUint64Array],
  ["u1", Uint8ClampedArray as never],
  ["b1", Uint8Array],
];

/** numpy's other names of the same types, which `numpy.load` reads, too: letters, and words, which have no byte order. */
const NAMES: Readonly<Record<string, string>> = {
  f2: "e",
  f4: "f",
  f8: "d",
  i1: "b",
  i2: "h",
  i4: "i",
  i8: "l q p",
  u1: "B",
  u2: "H",
  u4: "I",
  u8: "L Q P",
  b1: "?",
};
const WORDS: Readonly<Record<string, string>> = {
  f2: "float16 half",
  f4: "float32 single",
  f8: "float64 float double float_",
  i1: "int8 byte",
  i2: "int16 short",
  i4: "int32 intc",
  i8: "int64 int int_ long longlong intp",
  u1: "uint8 ubyte",
  u2: "uint16 ushort",
  u4: "uint32 uintc",
  u8: "uint64 uint ulong ulonglong uintp",
  b1: "bool bool_ bool8",
};

/** The code of a type, such as `f4`, from how a header names it; undefined if there is no typed array for it. */
function codeOf(byteOrder: string, name: string): string | undefined {
  if (TYPES.some(([code]) => code === name)) return name;
  const has = (names: Readonly<Record<string, string>>) => Object.keys(names).find((code) => names[code].split(" ").includes(name));
  return has(NAMES) ?? (byteOrder === "" ? has(WORDS) : undefined);
}

/** numpy's own most is 64. */
const MOST_DIMENSIONS = 64;

/** What a file begins with. */
export const MAGIC: readonly number[] = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]; // "NUMPY" behind a byte of its own

/** How many characters of a type's text errors show. */
const MOST_SHOWN = 60;

/** The least number of bytes that the numbers begin at a multiple of, so that they can be mapped into memory. */
const ALIGNMENT = 64;

/** The bytes that go before an array's numbers, in version 1.0 of the format. */
export function encodeHeader(values: TypedArray, shape: readonly number[]): Uint8Array {
  const [code] = TYPES.find(([, array]) => values instanceof array)!;
  const descr = (code.endsWith("1") ? "|" : "<") + code;
  const tuple = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${tuple}), }`;
  const length = Math.ceil((text.length + 11) / ALIGNMENT) * ALIGNMENT - 10;
  return new Uint8Array([...MAGIC, 1, 0, length & 255, length >> 8, ...new TextEncoder().encode(`${text.padEnd(length - 1)}\n`)]);
}

/**
 * Reads a header's text.
 *
 * @param offset Where in the file it begins, for errors.
 * @throws {TypeError} If there is no typed array for what the file holds.
 * @throws {Error} If it is no such dictionary.
 */
export function parseHeader(text: string, offset: number): Header {
  const entries = new Dictionary(text, offset).read();
  const descr = entries.get("descr"), order = entries.get("fortran_order"), shape = entries.get("shape");
  for (const key of entries.keys()) {
    if (!["descr", "fortran_order", "shape"].includes(key)) {
      throw new Error(`at ${offset}: the header has an unknown entry '${printable(key)}'`);
    }
  }
  if (typeof order !== "boolean") throw new Error(`at ${offset}: the header's 'fortran_order' is neither True nor False`);
  if (!Array.isArray(shape)) throw new Error(`at ${offset}: the header's 'shape' is no tuple`);
  if (shape.length > MOST_DIMENSIONS) throw new Error(`at ${offset}: ${shape.length} dimensions; there are at most ${MOST_DIMENSIONS}`);
  if (typeof descr !== "string") throw new Error(`at ${offset}: the header's 'descr' is no string`);
  const [, byteOrder, name] = /^([<>|=]?)(.*)$/s.exec(descr)!;
  const code = codeOf(byteOrder, name);
  if (code === undefined) throw noArrayFor(`'${printable(descr)}'`, offset);
  const [, array] = TYPES.find(([known]) => known === code)!;
  return { array, width: Number(code[1]), shape, isBigEndian: byteOrder === ">", isColumnMajor: order };
}

function noArrayFor(type: string, offset: number): TypeError {
  return new TypeError(`at ${offset}: elements of type ${type}, which no typed array holds`);
}

type Value = string | boolean | number[];

/** Reads a dictionary of strings, booleans and tuples of whole numbers. */
class Dictionary {
  readonly #text: string;
  readonly #offset: number;
  #at = 0;

  constructor(text: string, offset: number) {
    this.#text = text;
    this.#offset = offset;
  }

  read(): Map<string, Value> {
    const entries = new Map<string, Value>();
    this.#take(/\{/y, "'{'");
    while (!this.#try(/\}/y)) {
      const key = this.#string();
      if (entries.has(key)) throw this.#error(`one entry '${printable(key)}', and this is the second`);
      this.#take(/:/y, "':'");
      if (key === "descr") this.#expectSimple();
      entries.set(key, this.#value());
      if (!this.#try(/,/y) && !this.#sees(/\}/y)) throw this.#error("',' or '}'");
    }
    if (!this.#sees(/$/y)) throw this.#error("the end of the header");
    return entries;
  }

  /** Structures are lists of their fields, and arrays as elements are tuples. */
  #expectSimple(): void {
    const structure = this.#sees(/[[(]/y);
    if (!structure) return;
    const text = this.#text.slice(this.#at).replace(/, *'(fortran_order|shape)'.*/s, "");
    throw noArrayFor(printable(text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}…` : text), this.#offset + this.#at);
  }

  #value(): Value {
    const word = this.#try(/True|False/y);
    if (word !== null) return word[0] === "True";
    return this.#sees(/\(/y) ? this.#tuple() : this.#string();
  }

  #tuple(): number[] {
    const items: number[] = [];
    this.#take(/\(/y, "'('");
    while (!this.#try(/\)/y)) {
      // Python 2 wrote 3L.
      const number = Number(this.#take(/(\d+)L?/y, "a whole number that isn't negative")[1]);
      if (!Number.isSafeInteger(number)) throw this.#error(`a number below 2^53, not ${number}`);
      items.push(number);
      if (!this.#try(/,/y) && (!this.#sees(/\)/y) || items.length === 1)) throw this.#error("','");
    }
    return items;
  }

  #string(): string {
    // Python 2 wrote u'descr' where it was told so.
    return this.#take(/[uU]?'([^'\\\n]*)'|[uU]?"([^"\\\n]*)"/y, "a string").slice(1).find((text) => text !== undefined)!;
  }

  #take(pattern: RegExp, what: string): RegExpExecArray {
    const match = this.#try(pattern);
    if (match === null) throw this.#error(what);
    return match;
  }

  /** The pattern's match if it is what comes next, and then it is behind us. */
  #try(pattern: RegExp): RegExpExecArray | null {
    const match = this.#match(pattern);
    if (match !== null) this.#at = pattern.lastIndex;
    return match;
  }

  #sees(pattern: RegExp): boolean {
    return this.#match(pattern) !== null;
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    while (/[ \t\r\n]/.test(this.#text.charAt(this.#at))) this.#at++;
    pattern.lastIndex = this.#at;
    return pattern.exec(this.#text);
  }

  #error(expected: string): Error {
    const found = this.#at === this.#text.length ? "the end" : quote(this.#text.slice(this.#at, this.#at + 20));
    return new Error(`at ${this.#offset + this.#at}: the header is no dictionary of numpy's: expected ${expected}, found ${found}`);
  }
}
