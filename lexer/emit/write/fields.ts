/**
 * Writes the accessors of what lies in memory: the fields of structs, and variables. Everything is decided here, so that nothing is left to decide
 * when they run.
 *
 * @module
 */

import type { CType } from "../../model/model.ts";
import { resolve } from "../../model/types.ts";
import type { Bits, BoundField } from "../api/api.ts";
import { type Crossing, isPointer } from "../api/crossing.ts";
import { LINE_WIDTH, list } from "../print.ts";
import { integerToC, parameterType, resultType, type Uses } from "../typescript.ts";

/** A getter and a setter: their bodies, chosen here so that nothing is left to decide when they run, and their types. */
export interface Accessor {
  readonly get: readonly string[];
  /** Null where the field can't be set as a whole. */
  readonly set: readonly string[] | null;
  /** True if what the getter gives is the field's own memory. */
  readonly shares?: true;
  /** True for a name, or what else is only read by people. */
  readonly isText?: true;
  type(uses: Uses): string;
  input(uses: Uses): string;
}

/** What lies in memory: a field of a struct, a variable. */
export type Place = Pick<BoundField, "type" | "offset" | "crossing" | "length" | "count" | "bits">;

/** Where it is read and written: through which handle, what errors call it, and what goes with its class. */
export interface Context {
  /** The expression of the handle: `this`. */
  readonly self: string;
  readonly where: string;
  readonly arrays: Arrayable;
  readonly roots: ReadonlySet<string>;
}

/** What fields can be set to arrays of. */
export interface Arrayable {
  /** Structs, one after the other. */
  readonly elements: ReadonlySet<string>;
  /** Objects, of pointers to which a list can be made: of what is to be freed C rather gives one back there. */
  readonly items: ReadonlySet<string>;
}

/** The accessor of what lies in the memory of a handle. */
export function accessorOf(place: Place, context: Context, uses: Uses): Accessor {
  if (place.bits !== null) return bitField(place, place.bits, context, uses);
  return place.length === null ? scalar(place, context, uses) : array(place, place.length, context, uses);
}

function bitField({ crossing }: Place, { first, width }: Bits, { self, where }: Context, uses: Uses): Accessor {
  const isBool = crossing.kind === "bool", signed = crossing.kind === "int" && crossing.signed;
  const bits = `${uses.$("getBits")}(${self}, ${first}, ${width}, ${signed})`;
  const value = isBool ? `${uses.$("bool")}(value, ${where}) ? 1 : 0` : "value";
  return {
    get: [`return ${isBool ? `${bits} !== 0` : uses.typed(bits, crossing)};`],
    set: [statement(`${uses.$("setBits")}(`, [self, first, width, signed, value, where])],
    type: (uses) => resultType(crossing, false, uses),
    input: (uses) => parameterType({ crossing, nullable: false }, uses),
  };
}

/** A call, as it stands in a method. */
function statement(head: string, args: readonly unknown[]): string {
  return list(`    ${head}`, args.map(String), ");").trimStart();
}

/** A call for each element: on the line of its `for` if it fits there, else in braces. */
function loop(length: number, head: string, args: readonly string[]): string[] {
  const every = `for (let i = 0; i < ${length}; i++)`, line = `${every} ${head}${args.join(", ")});`;
  if (`    ${line}`.length <= LINE_WIDTH) return [line];
  return [`${every} {`, ...list(`      ${head}`, args, ");").split("\n").map((part) => part.slice(4)), "}"];
}

function scalar({ crossing, offset, count }: Place, context: Context, uses: Uses): Accessor {
  const { self, where, arrays, roots } = context;
  const isElement = crossing.kind === "handle" && arrays.elements.has(crossing.name);
  const types = {
    type: (uses: Uses) =>
      count ? parameterType({ crossing, nullable: false, count }, uses) : resultType(crossing, isPointer(crossing), uses),
    input: (uses: Uses) =>
      isElement
        ? `${uses.$("Structs")}<${uses.own(crossing.name)}> | null`
        : pointerInput(crossing, arrays, uses) ?? parameterType({ crossing, nullable: isPointer(crossing), count }, uses),
  };
  const memory = () => `${uses.$("memory")}(${self})`;
  const read = (type: string, little: boolean) => `${memory()}.get${type}(${self}.$offset + ${offset}${little ? ", true" : ""})`;
  const write = (type: string, value: string, little: boolean) => {
    const args = [`${self}.$offset + ${offset}`, value, ...(little ? ["true"] : [])];
    return list(`    ${memory()}.set${type}(`, args, ");").trimStart();
  };
  switch (crossing.kind) {
    case "bool": {
      const set = write("Uint8", `${uses.$("bool")}(value, ${where}) ? 1 : 0`, false);
      return { ...types, get: [`return ${read("Uint8", false)} !== 0;`], set: [set] };
    }
    case "float": {
      const type = `Float${crossing.bits}`;
      return { ...types, get: [`return ${read(type, true)};`], set: [write(type, `${uses.$("float")}(value, ${where})`, true)] };
    }
    case "int": {
      const { bits, signed, exact = false } = crossing;
      const type = `${bits === 64 ? "Big" : ""}${signed ? "Int" : "Uint"}${bits}`;
      const [check, ...args] = integerToC(crossing, count, "value", where, uses);
      const set = [write(type, `${check}(${args.join(", ")})`, bits > 8)];
      const value = bits < 64 || exact
        ? read(type, bits > 8)
        : `${uses.$(signed ? "readInt64" : "readUint64")}(${memory()}, ${self}.$offset + ${offset})`;
      return { ...types, get: [`return ${uses.typed(value, crossing)};`], set };
    }
    case "string":
      return {
        ...types,
        get: [`return ${uses.$("getString")}(${self}, ${offset});`],
        set: [statement(`${uses.$("setString")}(`, [self, offset, "value", where])],
      };
    case "struct":
      return {
        ...types,
        get: [`return new ${uses.own(crossing.name)}(${self}.address + ${offset}n, ${self}.owner);`],
        set: [statement(`${uses.$("setStruct")}(`, [self, offset, "value", crossing.name, where])],
      };
    default:
      return {
        ...types,
        get: [`return ${uses.$(isRoot(crossing, roots) ? "getRoot" : "getHandle")}(${self}, ${offset}, ${wrapperOf(crossing, uses)});`],
        set: [
          isElement
            ? statement(`${uses.$("setStructs")}(`, [self, offset, "value", uses.own(crossing.name), where])
            : setPointer(crossing, offset, context, uses),
        ],
      };
  }
}

/** Points a field at an object of its class, at numbers of its width, or at anything. */
function setPointer(crossing: Crossing, offset: number, { self, where, arrays }: Context, uses: Uses): string {
  const set = (setter: string, ...more: string[]) => statement(`${uses.$(setter)}(`, [self, offset, "value", ...more, where]);
  if (hasClass(crossing)) return set("setHandle", wrapperOf(crossing, uses));
  const item = listItem(crossing, arrays, uses);
  if (item !== null) return set("setList", item);
  const width = crossing.kind === "pointers" ? 8 : crossing.kind === "data" ? crossing.width : 0;
  return width === 0 ? set("setPointer") : set("setNumbers", String(width));
}

function array({ crossing, offset, type }: Place, length: number, context: Context, uses: Uses): Accessor {
  const { self, where } = context;
  if (crossing.kind === "struct") {
    const get = [`return ${uses.$("getStructs")}(${self}, ${offset}, ${length}, ${uses.own(crossing.name)});`];
    return { get, set: null, type: (uses) => `readonly ${uses.own(crossing.name)}[]`, input: () => "never" };
  }
  if (isPointer(crossing)) {
    const types = (uses: Uses) => `readonly (${wrapperOf(crossing, uses)} | null)[]`;
    const input = hasClass(crossing) ? types : (uses: Uses) => `readonly (${uses.$("Data")} | null)[]`;
    return {
      get: [`return ${uses.$("getHandles")}(${self}, ${offset}, ${length}, ${wrapperOf(crossing, uses)});`],
      set: [
        hasClass(crossing)
          ? statement(`${uses.$("setHandles")}(`, [self, offset, length, "value", wrapperOf(crossing, uses), where])
          : statement(`${uses.$("setPointers")}(`, [self, offset, length, "value", where]),
      ],
      type: types,
      input,
    };
  }
  if (isText(type)) {
    return {
      isText: true,
      get: [`return ${uses.$("getText")}(${self}, ${offset}, ${length});`],
      set: [statement(`${uses.$("setText")}(`, [self, offset, length, "value", where])],
      type: () => "string",
      input: () => "string",
    };
  }
  if (crossing.kind === "int" && crossing.bits === 64) {
    return crossing.exact === true
      ? bigints(offset, length, crossing.signed, context, uses)
      : integers64(offset, length, crossing.signed, context, uses);
  }
  const typed = crossing.kind === "float"
    ? `Float${crossing.bits}Array`
    : crossing.kind === "int"
    ? `${crossing.signed ? "Int" : "Uint"}${crossing.bits}Array`
    : "Uint8Array";
  return {
    shares: true,
    get: [`return ${uses.$("getArray")}(${self}, ${offset}, ${length}, ${typed});`],
    set: [statement(`${uses.$("setArray")}(`, [self, offset, length, typed, "value", where])],
    type: ({ isModule }) => isModule ? `${typed}<ArrayBuffer>` : typed,
    input: () => "ArrayLike<number>",
  };
}

/** True for a pointer to what has a class of its own. */
function hasClass({ kind }: Crossing): boolean {
  return kind === "handle" || kind === "callback";
}

/** True for a pointer to what C frees by a function of its own. */
function isRoot(crossing: Crossing, roots: ReadonlySet<string>): boolean {
  return crossing.kind === "handle" && roots.has(crossing.name);
}

/** The class of what a pointer field points to. */
function wrapperOf(crossing: Crossing, uses: Uses): string {
  return crossing.kind === "handle" || crossing.kind === "callback" ? uses.own(crossing.name) : uses.$("Pointer");
}

/** The class of what a field of pointers can be set to an array of; null for any other. */
function listItem(crossing: Crossing, { items }: Arrayable, uses: Uses): string | null {
  if (crossing.kind !== "pointers" || crossing.item === "string") return null;
  return crossing.item === null ? crossing.array ?? null : items.has(crossing.item) ? uses.own(crossing.item) : null;
}

/** What a field of pointers can be set to. Null for any other. */
function pointerInput(crossing: Crossing, arrays: Arrayable, uses: Uses): string | null {
  if (crossing.kind !== "pointers") return null;
  const item = listItem(crossing, arrays, uses), memory = `${uses.$("Data")}<BigUint64Array> | null`;
  return item === null ? memory : `readonly ${item}[] | ${memory}`;
}

/** True for `char name[length]`. */
function isText(type: CType): boolean {
  const resolved = resolve(type);
  const element = resolved.kind === "array" ? resolve(resolved.of) : resolved;
  return element.kind === "basic" && element.name === "char";
}

/** A short array is read without a loop: V8 then drops the elements that nobody asks for, and the array itself. */
function integers64(offset: number, length: number, signed: boolean, { self, where }: Context, uses: Uses): Accessor {
  const reader = uses.$(signed ? "readInt64" : "readUint64"), check = uses.$(signed ? "int64" : "uint64");
  const head = `const view = ${uses.$("memory")}(${self}), offset = ${self}.$offset + ${offset};`;
  const elements = Array.from({ length }, (_, i) => `${reader}(view, offset${i === 0 ? "" : ` + ${8 * i}`})`);
  const get = length === 4
    ? `return ${uses.$("readFour")}(view, offset, ${reader});`
    : length <= 8
    ? list("    return Object.freeze([", elements, "]);").trimStart()
    : `return Object.freeze(Array.from({ length: ${length} }, (_, i) => ${reader}(view, offset + 8 * i)));`;
  return {
    get: [head, get],
    set: [
      `${uses.$("expectLength")}(value, ${length}, ${where});`,
      head,
      ...loop(length, `view.setBig${signed ? "Int" : "Uint"}64(`, [
        "offset + 8 * i",
        `${check}(value[i]${uses.isModule ? "!" : ""}, ${where})`,
        "true",
      ]),
    ],
    type: () => "readonly number[]",
    input: () => "readonly (number | bigint)[]",
  };
}

/** Integers of 64 bits as bigints, in the field's own memory. */
function bigints(offset: number, length: number, signed: boolean, { self, where }: Context, uses: Uses): Accessor {
  const typed = `Big${signed ? "Int" : "Uint"}64Array`, get = `${uses.$("getArray")}(${self}, ${offset}, ${length}, ${typed})`;
  return {
    shares: true,
    get: [`return ${get};`],
    set: [statement(`${uses.$("expectLength")}(`, ["value", length, where]), `${get}.set(value);`],
    type: () => `${typed}<ArrayBuffer>`,
    input: () => "ArrayLike<bigint>",
  };
}
