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

/** Words that mean something else where TypeScript expects a type: no class or type can have them, though a function could. */
const TYPE_WORDS: ReadonlySet<string> = new Set(
  "any asserts bigint boolean infer keyof never number object readonly string symbol unique unknown ArrayLike".split(" "),
);

/** What every struct class has already: its own, and what JavaScript gives every object. */
const STRUCT_MEMBERS: readonly string[] = [
  ...["address", "owner", "pointer", "equals", "bytes", "at"],
  ...Object.getOwnPropertyNames(Object.prototype),
];

/** What C's identifiers may have, by its annex D, and JavaScript's may not: U+20AC, U+202E, …; and GNU C's `$`, with which our own names begin. */
const FOREIGN = /[^\p{ID_Continue}]/gu;

/** A name of C's with what JavaScript's may have in it: each other character as its code point, `u20AC_`. */
export function inJavaScript(name: string): string {
  return name.replace(FOREIGN, (character) => `u${character.codePointAt(0)!.toString(16).toUpperCase()}_`);
}

/** `name`, or the first of `name_`, `name__`, … that isn't reserved or taken. */
export function localName(name: string, taken: readonly string[]): string {
  name = inJavaScript(name);
  while (RESERVED.has(name) || taken.includes(name)) name += "_";
  return name;
}

/** The names of a class's fields, by those in C. One that can keep C's does: `toString_` stays, and `toString` becomes `toString__`. */
export function fieldNames(names: readonly string[]): Map<string, string> {
  const kept = names.filter((name) => localName(name, STRUCT_MEMBERS) === name);
  const taken = [...STRUCT_MEMBERS, ...kept];
  const given = new Map(kept.map((name) => [name, name]));
  for (const name of names) {
    if (given.has(name)) continue;
    given.set(name, localName(name, taken));
    taken.push(given.get(name)!);
  }
  return given;
}

/** The exported names of one set of bindings. */
export class Names {
  readonly #taken: Set<string>;

  /** C's ordinary identifiers, which come first: functions, constants, enumerators. */
  constructor(ordinary: readonly { readonly name: string }[]) {
    this.#taken = new Set(ordinary.map(({ name }) => name));
  }

  /** True if a type can have this name and nothing has it yet. */
  free(name: string): boolean {
    return !this.#taken.has(name) && !RESERVED.has(name) && !TYPE_WORDS.has(name);
  }

  /** Takes a name for a tag or typedef. Where an ordinary identifier has it, `suffix` tells them apart: `stat` and `stat_struct`. */
  take(name: string, suffix: string): string {
    name = inJavaScript(name);
    let free = this.free(name) ? name : `${name}_${suffix}`;
    while (!this.free(free)) free += "_";
    this.#taken.add(free);
    return free;
  }
}
