/**
 * Names: what C allows and TypeScript doesn't, and C's separate name spaces (C17 6.2.3) in one.
 *
 * @module
 */

/** Words that can't name a binding in a module, and names that the generated code uses itself. */
const RESERVED: ReadonlySet<string> = new Set(
  ("arguments await break case catch class const continue debugger default delete do else enum eval export extends false finally for function " +
    "if implements import in instanceof interface let new null package private protected public return static super switch this throw true try " +
    "typeof var void while with yield undefined NaN Infinity " +
    "functions Deno DataView Uint8Array Int8Array Uint16Array Int16Array Uint32Array Int32Array BigInt64Array BigUint64Array Float16Array Float32Array " +
    "Float64Array ArrayBufferView ArrayBuffer BigInt Number Symbol Error " +
    "Array JSON Map Object RangeError Record Set String TextDecoder TextEncoder TypeError WeakMap").split(" "),
);

/** What every struct class has already. */
export const STRUCT_MEMBERS: readonly string[] = ["constructor", "address", "owner", "pointer", "equals", "bytes", "at"];

/** `name`, or the first of `name_`, `name__`, … that isn't reserved or taken. */
export function localName(name: string, taken: readonly string[]): string {
  while (RESERVED.has(name) || taken.includes(name)) name += "_";
  return name;
}

/** The exported names of one set of bindings. */
export class Names {
  readonly #taken: Set<string>;

  /** C's ordinary identifiers, which come first: functions, constants, enumerators. */
  constructor(ordinary: readonly { readonly name: string }[]) {
    this.#taken = new Set(ordinary.map(({ name }) => name));
  }

  /** True if nothing has this name yet. */
  free(name: string): boolean {
    return !this.#taken.has(name) && !RESERVED.has(name);
  }

  /** Takes a name for a tag or typedef. Where an ordinary identifier has it, `suffix` tells them apart: `stat` and `stat_struct`. */
  take(name: string, suffix: string): string {
    let free = this.free(name) ? name : `${name}_${suffix}`;
    while (!this.free(free)) free += "_";
    this.#taken.add(free);
    return free;
  }
}
