/**
 * The fields of a request: each is what it has to be, and none that isn't known is passed over in silence.
 *
 * @module
 */

import { wrongField } from "./error.ts";

/** An object of a request, read field by field. */
export class Fields {
  readonly #object: Readonly<Record<string, unknown>>;
  readonly #path: string;
  readonly #read: Set<string> = new Set();

  /** @param path What the object is in the request: `""`, `"stream_options."`. */
  constructor(object: Readonly<Record<string, unknown>>, path: string = "") {
    this.#object = object;
    this.#path = path;
  }

  /** A field as it came; undefined where it is missing or null. */
  any(name: string): unknown {
    this.#read.add(name);
    return this.#object[name] ?? undefined;
  }

  /** A text. */
  text(name: string): string | undefined {
    const value = this.any(name);
    if (value === undefined || typeof value === "string") return value;
    throw this.wrong(name, `expected a text, got ${show(value)}`);
  }

  /** A boolean. */
  flag(name: string): boolean | undefined {
    const value = this.any(name);
    if (value === undefined || typeof value === "boolean") return value;
    throw this.wrong(name, `expected true or false, got ${show(value)}`);
  }

  /** A number between two. */
  number(name: string, least: number, most: number): number | undefined {
    const value = this.any(name);
    if (value === undefined || typeof value === "number" && value >= least && value <= most) return value;
    throw this.wrong(name, `expected a number from ${least} to ${most}, got ${show(value)}`);
  }

  /** A whole number between two. */
  whole(name: string, least: number, most: number): number | undefined {
    const value = this.number(name, least, most);
    if (value === undefined || Number.isInteger(value)) return value;
    throw this.wrong(name, `expected a whole number, got ${value}`);
  }

  /** An object. */
  object(name: string): Record<string, unknown> | undefined {
    const value = this.any(name);
    if (value === undefined || typeof value === "object" && !Array.isArray(value)) return value as Record<string, unknown> | undefined;
    throw this.wrong(name, `expected an object, got ${show(value)}`);
  }

  /** An array. */
  list(name: string): unknown[] | undefined {
    const value = this.any(name);
    if (value === undefined || Array.isArray(value)) return value;
    throw this.wrong(name, `expected an array, got ${show(value)}`);
  }

  /** Fields that say nothing about the answer. */
  ignore(...names: readonly string[]): void {
    for (const name of names) this.#read.add(name);
  }

  /** A field that isn't supported, unless it says what is done anyway. */
  only(name: string, ...values: readonly unknown[]): void {
    const value = this.any(name);
    if (value !== undefined && !values.some((allowed) => JSON.stringify(allowed) === JSON.stringify(value))) {
      throw this.wrong(name, `isn't supported by this server, got ${show(value)}`);
    }
  }

  /** Throws for a field that nobody has read. */
  end(): void {
    const unknown = Object.keys(this.#object).find((name) => !this.#read.has(name));
    if (unknown !== undefined) throw this.wrong(unknown, "there is no such field");
  }

  /** The Error of a field. */
  wrong(name: string, message: string): Error {
    return wrongField(this.#path + name, message);
  }
}

/** A value of a request, in short. */
export function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
