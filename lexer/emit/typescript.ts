/**
 * The TypeScript side of each way of crossing: its types, its FFI types, the conversions.
 *
 * What runs is JavaScript with its types in a declaration file beside it. As one TypeScript file the functions took 8 ms to load from Deno's
 * cache, most of it for the text and its source map; so they take 2.
 *
 * Names that begin with `$` are the runtime's, imported so that no C name can hide them.
 *
 * @module
 */

import type { Api, BoundParameter } from "./api/api.ts";
import { type Crossing, isPointer, nativeScalar } from "./api/crossing.ts";
import type { Policy } from "./policy.ts";
import { importNames } from "./print.ts";

export { isPointer };

/** Notes which names a file uses, so that it imports those and no others. */
export class Uses {
  /** The ways of the product that the file belongs to. */
  readonly policy: Policy;
  readonly #runtime: Set<string> = new Set();
  readonly #generated: Set<string> = new Set();
  #domains = false;

  constructor(policy: Policy) {
    this.policy = policy;
  }

  /** True for a file of TypeScript that holds everything. */
  get isModule(): boolean {
    return this.policy.form === "module";
  }

  /** A name of the runtime, as the file writes it. */
  $(name: string): string {
    this.#runtime.add(name);
    return `$${name}`;
  }

  /** A class, enum type or function of the generated files. */
  own(name: string): string {
    this.#generated.add(name);
    return name;
  }

  /** One of the bound functions, as another one calls it. */
  bound(name: string): string {
    return this.isModule ? name : `functions.${name}`;
  }

  /** A name that goes with one of C's, such that no other name of C's can be the same. */
  beside(name: string): string {
    return this.isModule ? `$${name}` : name;
  }

  /** A number that C took from memory, as a value of its enum. */
  typed(expression: string, crossing: Crossing): string {
    return this.isModule && crossing.kind === "int" && crossing.name !== null ? `${expression} as ${crossing.name}` : expression;
  }

  /** The values of an enum, to check one against; `count` for what may be the number of them too. */
  domain(name: string, count: boolean): string {
    this.#domains = true;
    return `$domains.${count ? orCount(name) : name}`;
  }

  /** The import of what a module's text uses of the runtime. */
  importFor(text: string, runtime: string): string[] {
    const used = new Set(text.match(/\$\w+/g));
    const names = [...this.#runtime].filter((name) => used.has(`$${name}`));
    if (names.length === 0) return [];
    return [importNames(names.map((name) => `${TYPES.has(name) ? "type " : ""}${name} as $${name}`), runtime)];
  }

  /** The file's imports. `here` is its own name, whose exports it needn't import; `types` makes them imports of types. */
  imports(api: Api, here: string, runtime: string, types: boolean): string[] {
    const files = new Map<string, string[]>();
    for (const name of this.#generated) {
      const file = fileOf(name, api);
      if (file !== here) files.set(file, [...files.get(file) ?? [], name]);
    }
    const lines = [...files].sort().map(([file, names]) =>
      types || file !== "functions"
        ? importNames(names, `./${file}.${types ? "d.ts" : "js"}`, types)
        : `import { functions } from "./functions.js";`
    );
    if (this.#domains) lines.push(`import { domains as $domains } from "./enums.js";`);
    if (this.#runtime.size > 0) lines.push(importNames([...this.#runtime].map((name) => `${name} as $${name}`), runtime, types));
    return lines;
  }
}

/** The names of the runtime that are types and nothing else. */
const TYPES: ReadonlySet<string> = new Set(["AnyFunction", "Data", "Pointers", "Signature", "Slot", "Structs"]);

function fileOf(name: string, { records, callbacks, enums, aliases }: Api): string {
  const named = (list: readonly { readonly name: string | null }[]) => list.some((item) => item.name === name);
  if (named(callbacks)) return "callbacks";
  if (named(enums) || enums.some((bound) => bound.name !== null && orCount(bound.name) === name)) return "enums";
  return named(records) || named(aliases) ? "structs" : "functions";
}

/** The type of an enum's values and of what only counts them. */
export function orCount(name: string): string {
  return `${name}_or_count`;
}

export function parameterType(
  { crossing, nullable, count = false }: Pick<BoundParameter, "crossing" | "nullable"> & { readonly count?: boolean },
  uses: Uses,
): string {
  const type = count && crossing.kind === "int" && crossing.name !== null ? uses.own(orCount(crossing.name)) : inputType(crossing, uses);
  return nullable ? `${type} | null` : type;
}

function inputType(crossing: Crossing, uses: Uses): string {
  switch (crossing.kind) {
    case "void":
      return "void";
    case "bool":
      return "boolean";
    case "int":
      if (crossing.name !== null) return uses.own(crossing.name);
      return crossing.bits === 64 ? "number | bigint" : "number";
    case "float":
      return "number";
    case "string":
      return crossing.sized === true ? `string | ${dataType("Uint8Array", uses)}` : "string";
    case "data":
      return dataType(crossing.array, uses);
    case "pointers":
      if (crossing.item === null) return dataType("BigUint64Array", uses);
      return `${uses.$("Pointers")}<${crossing.item === "string" ? "string" : uses.own(crossing.item)}>`;
    case "handle":
    case "struct":
    case "callback":
      return uses.own(crossing.name);
  }
}

function dataType(array: string | null, uses: Uses): string {
  if (array === null) return uses.$("Data");
  return `${uses.$("Data")}<${array === "Uint16Array" ? "Uint16Array | Float16Array" : array}>`;
}

/** The type of a result, or of a value that C passes to a callback. */
export function resultType(crossing: Crossing, nullable: boolean, uses: Uses): string {
  const type = outputType(crossing, uses);
  return nullable && isPointer(crossing) ? `${type} | null` : type;
}

function outputType(crossing: Crossing, uses: Uses): string {
  switch (crossing.kind) {
    case "int":
      return crossing.name !== null ? uses.own(crossing.name) : crossing.exact === true ? "bigint" : "number";
    case "data":
    case "pointers":
      return uses.$("Pointer");
    default:
      return inputType(crossing, uses);
  }
}

/** The FFI type of a parameter of a bound function, as TypeScript text. */
export function nativeParameter(crossing: Crossing, uses: Uses): string {
  switch (crossing.kind) {
    case "string":
    case "data":
    case "pointers":
      return `"buffer"`;
    default:
      return nativeResult(crossing, uses);
  }
}

/** The FFI type of a result of a bound function, as TypeScript text. Pointers are addresses. */
export function nativeResult(crossing: Crossing, uses: Uses): string {
  switch (crossing.kind) {
    case "string":
      return `"pointer"`;
    case "struct":
      return `{ struct: ${uses.own(crossing.name)}.native }`;
    default:
      return nativeScalar(crossing) ?? `"u64"`;
  }
}

/** The check of an integer, as a function and its arguments. */
export function integerToC(
  { bits, signed, name, one }: Crossing & { kind: "int" },
  count: boolean,
  value: string,
  where: string,
  uses: Uses,
): string[] {
  if (one === true) return [uses.$("enumerator"), value, uses.domain(name!, count), where];
  if (bits >= 32) return [uses.$(`${signed ? "int" : "uint"}${bits}`), value, where];
  return [uses.$(signed ? "small" : "smallUnsigned"), value, String(bits), where];
}

/** The conversion of an argument, as a function and its arguments. `slot` counts the strings of the call. */
export function toC(parameter: BoundParameter, value: string, where: string, slot: number, uses: Uses): string[] {
  const { crossing, nullable, format, count } = parameter;
  const orNull = nullable ? "OrNull" : "";
  switch (crossing.kind) {
    case "void":
      throw new Error("no parameter is void");
    case "bool":
      return [uses.$("bool"), value, where];
    case "float":
      return [uses.$("float"), value, where];
    case "int":
      return integerToC(crossing, count, value, where, uses);
    case "string":
      return [uses.$(format ? "format" : `${crossing.sized === true ? "text" : "string"}${orNull}`), value, String(slot), where];
    case "data":
      return [uses.$(`data${orNull}`), value, String(crossing.width), where];
    case "pointers":
      if (crossing.item === null) return [uses.$(`data${orNull}`), value, "8", where];
      if (crossing.item === "string") return [uses.$(`strings${orNull}`), value, String(parameter.nullableItems), where];
      return [uses.$(`pointers${orNull}`), value, uses.own(crossing.item), String(parameter.nullableItems), where];
    case "handle":
    case "callback":
      return [uses.$(`handle${orNull}`), value, uses.own(crossing.name), where];
    case "struct":
      return [uses.$("struct"), value, uses.own(crossing.name), where];
  }
}
