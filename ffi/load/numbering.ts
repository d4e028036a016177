/**
 * Enums of which the loaded library has fewer values than the bindings, or numbers them otherwise.
 *
 * `lib`'s constants are the bindings' numbers. Where a value crosses into C its `Domain` gives the library's number, or says that the library
 * lacks it; where the number of an operation comes back, it is ours again. With a library of the bindings' own release none of this is there.
 *
 * @module
 */

import { after } from "../core/after.ts";
import { renumber } from "../core/domain.ts";
import type { Library } from "./files.ts";
import { namesMissingIn } from "./history.ts";
import { ABI } from "../generated/layouts.js";
import type { Struct } from "../core/struct.ts";
import type { Wrappers } from "../calls/watch.ts";

/** The enums that C has a name for each value of: the function that tells, and how their constants begin. */
const NAMED = [
  { type: "ggml_op", name: "ggml_op_name", prefix: "GGML_OP_" },
  { type: "ggml_unary_op", name: "ggml_unary_op_name", prefix: "GGML_UNARY_OP_" },
  { type: "ggml_glu_op", name: "ggml_glu_op_name", prefix: "GGML_GLU_OP_" },
] as const;

/** How far apart the names of an enum can lie. They are in one library, and behind its table there is something else. */
const NAMES_SPAN = 0x10000n;
/** More values than any such enum has. */
const MOST = 1024;
/** Our number of a value of the library's that the bindings have no name for. */
const UNKNOWN = 0x10000;

/** Each enum's constants. */
type Enums = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** The library's numbers as ours, of enums that it numbers otherwise. */
const ours: Map<string, readonly number[]> = new Map();
/** The numbers of `ggml_op` among them, which are asked for most. */
let operations: readonly number[] | null = null;
let missing: ReadonlySet<string> = new Set();
/** The library, for messages. */
let who = "";

/** The bindings' number of an operation that stands in a tensor of C's. */
export function operation(number: number): number {
  return operations === null ? number : operations[number] ?? UNKNOWN + number;
}

/** True for a constant, or a field, that the loaded library is known to lack. */
export function isMissing(name: string): boolean {
  return missing.has(name);
}

/** True for a number that is a tensor's type in the loaded library, or was one: what C looks up in its tables. */
export function isType(number: number): boolean {
  return number >= 0 && number < ABI.enums.ggml_type.GGML_TYPE_COUNT && !missingTypes.has(number);
}

let missingTypes: ReadonlySet<number> = new Set();

/** Learns how a library numbers things. */
export function learnNumbers(library: Library, enums: Enums): void {
  const { version } = library;
  who = version === null ? "a ggml too old to say its version" : `ggml ${version}`;
  missing = namesMissingIn(version);
  missingTypes = new Set(Object.entries(ABI.enums.ggml_type).flatMap(([constant, type]) => missing.has(constant) ? [type] : []));
  const lacks = new Set([...missing].flatMap((name) => Object.keys(enums).filter((type) => Object.hasOwn(enums[type], name))));
  for (const type of lacks) renumber(type, (constant, value) => missing.has(constant) ? undefined : value, who);
  for (const { type, name, prefix } of NAMED) {
    if (enums[type] === undefined) continue;
    const known = Object.keys(enums[type]).filter((constant) => constant !== `${prefix}COUNT` && !missing.has(constant));
    const names = namesIn(library, name, new Set(known.map((constant) => constant.slice(prefix.length))));
    if (names.length > 0) compareNames(type, prefix, names, enums[type]);
  }
  classes.forEach(adapt);
}

/**
 * The names that a library has for an enum's values, in their order, until each of those that it is known to have was seen: C doesn't look where its
 * table ends.
 */
function namesIn(library: Library, name: string, wanted: Set<string>): string[] {
  const nameOf = library.findOnce(name, ["i32"], "u64");
  if (nameOf === undefined) return [];
  const first = nameOf(0), names: string[] = [];
  for (let value = 0; value < MOST && wanted.size > 0; value++) {
    const address = nameOf(value), distance = address - first;
    if (address === 0n || distance > NAMES_SPAN || distance < -NAMES_SPAN) break;
    const text = Deno.UnsafePointerView.getCString(Deno.UnsafePointer.create(address)!);
    if (!/^[A-Z][A-Z0-9_]*$/i.test(text) || names.includes(text)) break;
    names.push(text);
    wanted.delete(text.toUpperCase());
  }
  return names;
}

function compareNames(type: string, prefix: string, names: readonly string[], constants: Enums[string]): void {
  const numbers = new Map(names.map((name, value) => [prefix + name.toUpperCase(), value]));
  const own = Object.entries(constants).filter(([constant]) => constant !== `${prefix}COUNT`);
  if (own.every(([constant, value]) => numbers.get(constant) === value)) return;
  renumber(type, (constant) => numbers.get(constant), who);
  const table = names.map((name, value) => constants[prefix + name.toUpperCase()] ?? UNKNOWN + value);
  ours.set(type, table);
  if (type === "ggml_op") operations = table;
}

/** The bindings' number of a value of an enum that C gave back. */
function given(type: string, value: number): number {
  const table = ours.get(type);
  return table === undefined ? value : table[value] ?? UNKNOWN + value;
}

/** What is put around functions that give such a value back. */
export const wrappers: Wrappers = {
  ggml_get_unary_op: (symbol) => (tensor) => after(symbol(tensor), (value: number) => given("ggml_unary_op", value)),
  ggml_get_glu_op: (symbol) => (tensor) => after(symbol(tensor), (value: number) => given("ggml_glu_op", value)),
};

/** The struct classes, of each set of bindings. */
const classes: Readonly<Record<string, unknown>>[] = [];

/** Has the fields of struct classes follow the loaded library. */
export function adaptable(structs: Readonly<Record<string, unknown>>): void {
  classes.push(structs);
  adapt(structs);
}

/** Fields that the library lacks can't be set, and an operation that it numbers otherwise reads as ours. */
function adapt(structs: Readonly<Record<string, unknown>>): void {
  for (const name of missing) {
    const [struct, field] = name.split(".");
    if (field !== undefined) redefine(structs[struct], field, { set: () => lack(name) });
  }
  if (operations === null) return;
  const get = descriptorOf(structs.ggml_tensor, "op")?.get;
  redefine(structs.ggml_tensor, "op", {
    get(this: Struct) {
      return operation(get!.call(this));
    },
  });
}

function lack(name: string): never {
  throw new Error(`${name} is not in the loaded library, ${who}`);
}

function descriptorOf(struct: unknown, field: string): PropertyDescriptor | undefined {
  return typeof struct === "function" ? Object.getOwnPropertyDescriptor(struct.prototype, field) : undefined;
}

function redefine(struct: unknown, field: string, change: PropertyDescriptor): void {
  const descriptor = descriptorOf(struct, field);
  if (descriptor !== undefined) Object.defineProperty((struct as { prototype: object }).prototype, field, { ...descriptor, ...change });
}
