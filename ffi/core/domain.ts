/**
 * Enums: which numbers are values of one, and the error for one that isn't.
 *
 * C takes any number for an enum and looks things up by it: a type that doesn't exist reads past a table's end. What a check costs is one
 * read from a table of bytes, about a nanosecond; the table is made when the enum is first used.
 *
 * @module
 */

import { describe } from "./describe.ts";

/** Wider enums have a set instead of a table. */
const MAX_SPAN = 65536;
/** Enums of at most so many values have all of them in the error. */
const MAX_LISTED = 8;

const NONE = new Uint8Array(0);

/** The values of one enum. */
export class Domain {
  /** The enum's name in C. */
  readonly name: string;
  /** 1 for each value, from `min` on. Empty before the first use, and for an enum whose values lie too far apart. */
  table: Uint8Array = NONE;
  min = 0;
  /** Of flags: every bit that one of them has. 0 before the first use. */
  mask = 0;
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

  /** Throws if `value` isn't one of the values. Fills the table if it is empty. */
  check(value: unknown, where: string): void {
    if (typeof value === "number" && this.#values().has(value)) return;
    throw this.#error(value, `a ${this.name}`, this.#hint(value), where);
  }

  /** Throws if `value` isn't some of the values or'ed. Fills the mask if it is 0. */
  checkFlags(value: unknown, where: string): void {
    for (const flag of this.#values().keys()) this.mask |= flag;
    if (typeof value === "number" && (value >>> 0) === value && (value & ~this.mask) === 0) return;
    throw this.#error(value, `${this.name} values, or'ed`, this.#list(), where);
  }

  #values(): ReadonlyMap<number, string> {
    if (this.#names !== null) return this.#names;
    const names = Object.keys(this.#enumerators);
    const own = names.slice(names.indexOf(this.#first), names.indexOf(this.#last) + 1);
    // Of several names of one value the last is shown: the first are often deprecated.
    this.#names = new Map(own.map((name) => [this.#enumerators[name], name]));
    const values = [...this.#names.keys()];
    this.min = Math.min(...values);
    const span = Math.max(...values) - this.min + 1;
    if (span <= MAX_SPAN) {
      this.table = new Uint8Array(span);
      for (const value of values) this.table[value - this.min] = 1;
    }
    return this.#names;
  }

  #error(value: unknown, expected: string, hint: string, where: string): TypeError | RangeError {
    const message = `${where}: expected ${expected}, got ${describe(value)}; ${hint}`;
    return typeof value === "number" || typeof value === "bigint" ? new RangeError(message) : new TypeError(message);
  }

  /** What the caller may have meant: all values of a small enum, the nearest ones of a large one, the one that a string names. */
  #hint(value: unknown): string {
    const values = [...this.#values()];
    if (typeof value === "string") {
      const named = values.find(([, name]) => `_${name}`.toUpperCase().endsWith(`_${value.toUpperCase()}`) && /[a-z]/i.test(value));
      if (named !== undefined) return `did you mean lib.${named[1]}?`;
    }
    if (values.length <= MAX_LISTED) return this.#list();
    if (typeof value !== "number" || Number.isNaN(value)) return `such as lib.${values[0][1]}`;
    const below = values.filter(([known]) => known < value).sort(([a], [b]) => b - a).slice(0, 1);
    const above = values.filter(([known]) => known > value).sort(([a], [b]) => a - b).slice(0, 1);
    return `the nearest: ${[...below, ...above].map(show).join(", ")}`;
  }

  #list(): string {
    return `there are ${[...this.#values()].map(show).join(", ")}`;
  }
}

function show([value, name]: [number, string]): string {
  return `${name} (${value})`;
}
