/**
 * How a C type crosses into TypeScript and back: the one place that decides it.
 *
 * @module
 */

import type { CType, EnumDeclaration, FunctionType, Origin, RecordDeclaration, TypedefDeclaration } from "../model.ts";
import { nativeFields } from "./native.ts";
import { qualifiersOf, qualify, resolve } from "../types.ts";

/** How a value crosses. */
export type Crossing =
  | { readonly kind: "void" }
  | { readonly kind: "bool" }
  | { readonly kind: "int"; readonly bits: 8 | 16 | 32 | 64; readonly signed: boolean; readonly name: string | null }
  | { readonly kind: "float"; readonly bits: 32 | 64 }
  /** `const char *`. */
  | { readonly kind: "string" }
  /** A pointer to a struct that has a class. */
  | { readonly kind: "handle"; readonly name: string }
  /** A struct by value. */
  | { readonly kind: "struct"; readonly name: string }
  /** A pointer to anything else; `width` is an element's bytes, 0 for void, and `array` the typed array that fits. */
  | { readonly kind: "data"; readonly width: number; readonly array: string | null }
  /** A pointer to pointers; `item` is the class or `string`, null for pointers to anything. */
  | { readonly kind: "pointers"; readonly item: string | null }
  | { readonly kind: "callback"; readonly name: string };

/** Thrown for a type that can't cross, with the reason. */
export class Unbindable extends Error {}

/** Sizes of the basic integer types on the target that the bindings are generated for (LP64); the committed bindings avoid `long`. */
const INTEGERS: Readonly<Record<string, readonly [8 | 16 | 32 | 64, boolean]>> = {
  "char": [8, true],
  "signed char": [8, true],
  "unsigned char": [8, false],
  "short": [16, true],
  "unsigned short": [16, false],
  "int": [32, true],
  "unsigned int": [32, false],
  "long": [64, true],
  "unsigned long": [64, false],
  "long long": [64, true],
  "unsigned long long": [64, false],
};

/** Decides how types cross, and hands out the names of the classes that this takes. */
export class Crossings {
  readonly #recordNames: ReadonlyMap<RecordDeclaration, string>;
  readonly #callbackNames: ReadonlyMap<TypedefDeclaration, string>;
  readonly #enumNames: ReadonlyMap<EnumDeclaration, string | null>;
  /** Function-pointer types without a typedef, by the name that they were given. */
  readonly anonymous: Map<string, { type: FunctionType; origin: Origin }> = new Map();

  constructor(
    recordNames: ReadonlyMap<RecordDeclaration, string>,
    callbackNames: ReadonlyMap<TypedefDeclaration, string>,
    enumNames: ReadonlyMap<EnumDeclaration, string | null>,
  ) {
    this.#recordNames = recordNames;
    this.#callbackNames = callbackNames;
    this.#enumNames = enumNames;
  }

  /** The class of a record, null where it has none. */
  className(record: RecordDeclaration): string | null {
    return this.#recordNames.get(record) ?? null;
  }

  /** True for a class whose struct Deno can pass by value. */
  passable(name: string): boolean {
    for (const [record, taken] of this.#recordNames) if (taken === name) return nativeFields(record) !== null;
    return false;
  }

  /**
   * How a type crosses.
   *
   * @param context A name for a function pointer that has none of its own, and where it stands.
   * @throws {Unbindable} If it can't.
   */
  of(type: CType, context: { name: string; origin: Origin }): Crossing {
    if (type.kind === "typedef" && this.#callbackNames.has(type.typedef)) {
      return { kind: "callback", name: this.#callbackNames.get(type.typedef)! };
    }
    if (type.kind === "typedef") return this.of(resolveOnce(type), context);
    switch (type.kind) {
      case "basic":
        return basic(type.name);
      case "enum":
        return this.#enum(type.enum);
      case "record":
        return this.#byValue(type.record);
      case "pointer":
        return this.#pointer(type.to, context);
      case "array":
        return this.#pointer(type.of, context);
      case "function":
        return this.#pointer(type, context);
      case "bitint":
        throw new Unbindable(`_BitInt(${type.width}) can't be passed through Deno's FFI`);
      case "vector":
        throw new Unbindable("a vector type can't be passed through Deno's FFI");
    }
  }

  #enum(declaration: EnumDeclaration): Crossing {
    const [bits, signed] = INTEGERS[declaration.type.name];
    return { kind: "int", bits, signed, name: this.#enumNames.get(declaration) ?? null };
  }

  #byValue(record: RecordDeclaration): Crossing {
    const name = this.className(record);
    if (name === null) throw new Unbindable(`${record.kind} ${record.name ?? "(anonymous)"} by value has no class`);
    if (record.size === null) throw new Unbindable(`${record.kind} ${name} is incomplete and can't be passed by value`);
    return { kind: "struct", name };
  }

  #pointer(to: CType, context: { name: string; origin: Origin }): Crossing {
    if (to.kind === "typedef" && this.#callbackNames.has(to.typedef)) {
      const name = this.#callbackNames.get(to.typedef)!;
      return resolve(to).kind === "function" ? { kind: "callback", name } : { kind: "pointers", item: name };
    }
    const target = resolve(to);
    switch (target.kind) {
      case "basic": {
        if (target.name === "void") return { kind: "data", width: 0, array: null };
        if (target.name === "char" && target.const) return { kind: "string" };
        return elements(target.name);
      }
      case "enum":
        return elements(target.enum.type.name);
      case "record": {
        const name = this.className(target.record);
        return name === null ? { kind: "data", width: 0, array: null } : { kind: "handle", name };
      }
      case "function": {
        if (!this.anonymous.has(context.name)) this.anonymous.set(context.name, { type: target, origin: context.origin });
        return { kind: "callback", name: context.name };
      }
      case "pointer": {
        const item = resolve(target.to);
        if (item.kind === "record") return { kind: "pointers", item: this.className(item.record) };
        if (item.kind === "basic" && item.name === "char" && item.const) return { kind: "pointers", item: "string" };
        return { kind: "pointers", item: null };
      }
      default:
        return { kind: "data", width: 0, array: null };
    }
  }
}

function resolveOnce(type: CType): CType {
  return type.kind === "typedef" ? qualify(type.typedef.type, qualifiersOf(type)) : type;
}

function basic(name: string): Crossing {
  if (name === "void") return { kind: "void" };
  if (name === "_Bool") return { kind: "bool" };
  if (name === "float") return { kind: "float", bits: 32 };
  if (name === "double") return { kind: "float", bits: 64 };
  const integer = INTEGERS[name];
  if (integer === undefined) throw new Unbindable(`${name} can't be passed through Deno's FFI`);
  return { kind: "int", bits: integer[0], signed: integer[1], name: null };
}

function elements(name: string): Crossing {
  if (name === "float") return { kind: "data", width: 4, array: "Float32Array" };
  if (name === "double") return { kind: "data", width: 8, array: "Float64Array" };
  if (name === "_Bool") return { kind: "data", width: 1, array: "Uint8Array" };
  const integer = INTEGERS[name];
  if (integer === undefined) return { kind: "data", width: 0, array: null };
  const [bits, signed] = integer;
  return { kind: "data", width: bits / 8, array: `${bits === 64 ? "Big" : ""}${signed ? "Int" : "Uint"}${bits}Array` };
}
