/**
 * Enums: which numbers are values of one, and the error for one that isn't.
 *
 * C takes any number for an enum and looks things up by it: a type that doesn't exist reads past a table's end. What a check costs is one
 * read from a table of bytes, about a nanosecond; the table is made when the enum is first used. An enum of which the loaded library lacks values, or
 * numbers them otherwise, has no table: each value is looked up.
 *
 * @module
 */

import { describe } from "./describe.ts";

/** Wider enums have a set instead of a table. */
const MAX_SPAN = 65536;
/** Enums of at most so many values have all of them in the error. */
const MAX_LISTED = 8;

const NONE = new Uint8Array(0);

/** The library's number of a constant; undefined if it has none. */
type NumberOf = (constant: string, value: number) => number | undefined;

/** How the loaded library numbers the values of an enum. */
interface Numbering {
  readonly numberOf: NumberOf;
  /** The library, for messages. */
  readonly who: string;
}

/** How the library numbers the enums that it numbers otherwise than the bindings, or lacks values of. */
const numberings = new Map<string, Numbering>();
/** Loads the library, whose numbers nobody knows until then. Null once it is loaded. */
let loadFirst: (() => void) | null = null;

/** Has the library be loaded before a value is first passed to it. */
export function beforeNumbers(load: () => void): void {
  loadFirst = load;
}

/** Says that the library is loaded and its numbers are known. */
export function numbersKnown(): void {
  loadFirst = null;
}

/** Says how the loaded library numbers the values of an enum. */
export function renumber(name: string, numberOf: NumberOf, who: string): void {
  numberings.set(name, { numberOf, who });
}

/** The values of one enum. */
export class Domain {
  /** The enum's name in C. */
  readonly name: string;
  /** 1 for each value, from `min` on. Empty before the first use, and for an enum whose values lie too far apart. */
  table: Uint8Array = NONE;
  min = 0;
  readonly #enumerators: Readonly<Record<string, number>>;
  readonly #first: string;
  readonly #last: string;
  #names: Map<number, string> | null = null;

  /**
   * @param name The enum's name.
   * @param enumerators The enumerators of all enums, in the order of their declarations.
   * @param first The enum's first.
   * @param last Its last that is a value. One behind it, such as `GGML_TYPE_COUNT`, only counts them.
   */
  constructor(name: string, enumerators: Readonly<Record<string, number>>, first: string, last: string) {
    this.name = name;
    this.#enumerators = enumerators;
    this.#first = first;
    this.#last = last;
  }

  /**
   * The number of a value in C. Fills the table, if there is to be one, so that this needn't be asked again.
   *
   * @throws {TypeError | RangeError} If `value` isn't one of the values.
   * @throws {Error} If the loaded library lacks it.
   */
  check(value: unknown, where: string): number {
    if (typeof value !== "number" || !this.#values().has(value)) throw this.#error(value, where);
    if (where.endsWith(")")) loadFirst?.(); // a function's argument; a field's value may never come to the library
    const numbering = numberings.get(this.name);
    if (numbering !== undefined) return this.#there(value, numbering, where);
    if (loadFirst === null) this.#fill();
    return value;
  }

  #there(value: number, numbering: Numbering, where: string): number {
    for (const name of this.#own()) {
      if (this.#enumerators[name] !== value) continue;
      const number = numbering.numberOf(name, value);
      if (number !== undefined) return number;
    }
    throw new Error(`${where}: ${this.#values().get(value)} is not in the loaded library, ${numbering.who}`);
  }

  #own(): string[] {
    const names = Object.keys(this.#enumerators);
    return names.slice(names.indexOf(this.#first), names.indexOf(this.#last) + 1);
  }

  #values(): ReadonlyMap<number, string> {
    if (this.#names !== null) return this.#names;
    // Of several names of one value the last is shown: the first are often deprecated.
    return this.#names = new Map(this.#own().map((name) => [this.#enumerators[name], name]));
  }

  #fill(): void {
    const values = [...this.#values().keys()];
    this.min = Math.min(...values);
    const span = Math.max(...values) - this.min + 1;
    if (span <= MAX_SPAN) {
      this.table = new Uint8Array(span);
      for (const value of values) this.table[value - this.min] = 1;
    }
  }

  #error(value: unknown, where: string): TypeError | RangeError {
    const message = `${where}: expected a ${this.name}, got ${describe(value)}; ${this.#hint(value)}`;
    return typeof value === "number" || typeof value === "bigint" ? new RangeError(message) : new TypeError(message);
  }

  /** What the caller may have meant: all values of a small enum, the nearest ones of a large one, the one that a string names. */
  #hint(value: unknown): string {
    const values = [...this.#values()];
    if (typeof value === "string") {
      const named = values.find(([, name]) => `_${name}`.toUpperCase().endsWith(`_${value.toUpperCase()}`) && /[a-z]/i.test(value));
      if (named !== undefined) return `did you mean lib.${named[1]}?`;
    }
    if (values.length <= MAX_LISTED) return `there are ${values.map(show).join(", ")}`;
    if (typeof value !== "number" || Number.isNaN(value)) return `such as lib.${values[0][1]}`;
    const below = values.filter(([known]) => known < value).sort(([a], [b]) => b - a).slice(0, 1);
    const above = values.filter(([known]) => known > value).sort(([a], [b]) => a - b).slice(0, 1);
    return `the nearest: ${[...below, ...above].map(show).join(", ")}`;
  }
}

function show([value, name]: [number, string]): string {
  return `${name} (${value})`;
}
