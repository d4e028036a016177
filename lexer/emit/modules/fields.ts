/**
 * The accessors of struct fields: their types, and the bodies of getter and setter.
 *
 * @module
 */

import type { BoundField } from "../api/api.ts";
import { type Crossing, isPointer } from "../api/crossing.ts";
import { list } from "../print.ts";
import { parameterType, resultType, Uses } from "../typescript.ts";
import type { CType } from "../../model/model.ts";
import { resolve } from "../../model/types.ts";
import { integerCheck } from "./functions.ts";

/** A getter and a setter. */
export interface Accessor {
  readonly type: string;
  readonly get: readonly string[];
  /** Null where the field can't be set as a whole. */
  readonly set: readonly string[] | null;
  readonly input: string;
}

/** What is written down: a field, a variable. */
export type Place = Pick<BoundField, "type" | "offset" | "crossing" | "length" | "bits">;

/** The accessor of a field of the class `record`. */
export function accessorOf(field: BoundField, record: string): Accessor {
  return accessorAt(field, "this", `"${record}.${field.name}"`);
}

/** The accessor of what lies in the memory of the handle `self`. */
export function accessorAt(place: Place, self: string, where: string): Accessor {
  if (place.bits !== null) return bitField(place, self, where);
  return place.length === null ? scalar(place, self, where) : array(place, place.length, self, where);
}

function call(name: string, args: readonly (string | number | boolean)[], head = "", tail = ""): string {
  return list(`    ${head}${name}(`, args.map(String), `)${tail};`).trimStart();
}

function bitField({ crossing, bits }: Place, self: string, where: string): Accessor {
  const { first, width } = bits!;
  const uses = new Uses();
  const signed = crossing.kind === "int" && crossing.signed;
  const value = crossing.kind === "bool" ? `$bool(value, ${where}) ? 1 : 0` : "value";
  const type = resultType(crossing, false, uses);
  const got = crossing.kind === "bool" ? " !== 0" : type === "number" ? "" : ` as ${type}`;
  return {
    type,
    get: [call("$getBits", [self, first, width, signed], "return ", got)],
    set: [call("$setBits", [self, first, width, signed, value, where])],
    input: parameterType({ crossing, nullable: false }, uses),
  };
}

function scalar({ crossing, offset }: Place, self: string, where: string): Accessor {
  const uses = new Uses();
  const types = {
    type: resultType(crossing, true, uses),
    input: pointerInput(crossing) ?? parameterType({ crossing, nullable: isPointer(crossing) }, uses),
  };
  const at = `${self}.$offset + ${offset}`;
  switch (crossing.kind) {
    case "bool": {
      const set = [call(`$memory(${self}).setUint8`, [at, `$bool(value, ${where}) ? 1 : 0`])];
      return { ...types, get: [`return $memory(${self}).getUint8(${at}) !== 0;`], set };
    }
    case "float": {
      const name = `Float${crossing.bits}`;
      const set = [call(`$memory(${self}).set${name}`, [at, `$float(value, ${where})`, "true"])];
      return { ...types, get: [`return $memory(${self}).get${name}(${at}, true);`], set };
    }
    case "int":
      return { ...types, ...integer(crossing, self, offset, where, types.type) };
    case "string":
      return { ...types, get: [`return $getString(${self}, ${offset});`], set: [call("$setString", [self, offset, "value", where])] };
    case "struct":
      return {
        ...types,
        get: [`return new ${crossing.name}(${self}.address + ${offset}n, ${self}.owner);`],
        set: [call("$setStruct", [self, offset, "value", crossing.name, where])],
      };
    default:
      return {
        ...types,
        get: [`return $getHandle(${self}, ${offset}, ${wrapperOf(crossing)});`],
        set: [call("$setPointer", [self, offset, "value", where])],
      };
  }
}

function integer(
  crossing: Crossing & { kind: "int" },
  self: string,
  offset: number,
  where: string,
  type: string,
): Pick<Accessor, "get" | "set"> {
  const at = `${self}.$offset + ${offset}`;
  const { bits, signed, exact = false } = crossing;
  const name = `${bits === 64 ? "Big" : ""}${signed ? "Int" : "Uint"}${bits}`;
  const little = bits > 8 ? ", true" : "";
  const [check, ...args] = integerCheck(crossing, "value");
  const read = `$memory(${self}).get${name}(${at}${little})`;
  const checkedText = list(`      ${check}(`, [...args, where], "),").trimStart().slice(0, -1);
  return {
    get: [`return ${bits === 64 && !exact ? `$fromInt64(${read})` : read}${type === "number" || exact ? "" : ` as ${type}`};`],
    set: [call(`$memory(${self}).set${name}`, [at, checkedText, ...(bits > 8 ? ["true"] : [])])],
  };
}

function array({ crossing, offset, type }: Place, length: number, self: string, where: string): Accessor {
  if (crossing.kind === "struct") {
    const get = [`return $getStructs(${self}, ${offset}, ${length}, ${crossing.name});`];
    return { get, set: null, type: `readonly ${crossing.name}[]`, input: "never" };
  }
  if (isPointer(crossing)) {
    return {
      type: `readonly (${wrapperOf(crossing)} | null)[]`,
      get: [`return $getHandles(${self}, ${offset}, ${length}, ${wrapperOf(crossing)});`],
      set: [call("$setPointers", [self, offset, length, "value", where])],
      input: `readonly (${pointerInput(crossing) ?? "$Data | null"})[]`,
    };
  }
  if (isText(type)) {
    const set = [call("$setText", [self, offset, length, "value", where])];
    return { type: "string", get: [`return $getText(${self}, ${offset}, ${length});`], set, input: "string" };
  }
  if (crossing.kind === "int" && crossing.bits === 64 && crossing.exact !== true) {
    return {
      type: "readonly number[]",
      get: [`return $getInt64s(${self}, ${offset}, ${length}, ${crossing.signed});`],
      set: [call("$setInt64s", [self, offset, length, crossing.signed, "value", where])],
      input: "readonly (number | bigint)[]",
    };
  }
  const typed = crossing.kind === "float"
    ? `Float${crossing.bits}Array`
    : crossing.kind === "int"
    ? `${crossing.bits === 64 ? "Big" : ""}${crossing.signed ? "Int" : "Uint"}${crossing.bits}Array`
    : "Uint8Array";
  const get = `$getArray(${self}, ${offset}, ${length}, ${typed})`;
  return {
    type: `${typed}<ArrayBuffer>`,
    get: [`return ${get};`],
    set: [call("$expectLength", ["value", length, where]), `${get}.set(value);`],
    input: crossing.kind === "int" && crossing.exact === true ? "ArrayLike<bigint>" : "ArrayLike<number>",
  };
}

/** The class of what a pointer field points to. */
function wrapperOf(crossing: Crossing): string {
  return crossing.kind === "handle" || crossing.kind === "callback" ? crossing.name : "$Pointer";
}

/** What a pointer field can be set to; null for what is no pointer, and for strings. */
function pointerInput(crossing: Crossing): string | null {
  if (!isPointer(crossing) || crossing.kind === "string") return null;
  return `${crossing.kind === "handle" || crossing.kind === "callback" ? crossing.name : "$Data"} | null`;
}

/** True for `char name[length]`. */
function isText(type: CType): boolean {
  const resolved = resolve(type);
  const element = resolved.kind === "array" ? resolve(resolved.of) : resolved;
  return element.kind === "basic" && element.name === "char";
}
