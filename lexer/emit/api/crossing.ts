/**
 * How a C type crosses into TypeScript and back: the one place that decides it.
 *
 * @module
 */

import type {
  BasicName,
  CType,
  EnumDeclaration,
  FunctionType,
  Origin,
  RecordDeclaration,
  TargetName,
  TypedefDeclaration,
} from "../../model/model.ts";
import { TARGETS } from "../../model/targets.ts";
import type { BoundEnum } from "./api.ts";
import { nativeFields } from "./native.ts";
import { compatible, qualifiersOf, qualify, resolve } from "../../model/types.ts";

/** How a value crosses. */
export type Crossing =
  | { readonly kind: "void" }
  | { readonly kind: "bool" }
  | {
    readonly kind: "int";
    readonly bits: 8 | 16 | 32 | 64;
    readonly signed: boolean;
    /** An enum's name. */
    readonly name: string | null;
    /** True for an enum of which one of the values is meant. */
    readonly one?: boolean;
    /** True for an integer of 64 bits that stays a bigint. */
    readonly exact?: boolean;
  }
  | { readonly kind: "float"; readonly bits: 32 | 64 }
  /** `const char *`; `sized` where a pragma says its length, so that it may be bytes, too. */
  | { readonly kind: "string"; readonly sized?: boolean }
  /** A pointer to a struct that has a class. */
  | { readonly kind: "handle"; readonly name: string }
  /** A struct by value. */
  | { readonly kind: "struct"; readonly name: string }
  /** A pointer to anything else; `width` is an element's bytes, 0 for void, and `array` the typed array that fits. */
  | { readonly kind: "data"; readonly width: number; readonly array: string | null }
  /**
   * A pointer to pointers; `item` is the class or `string`, null for pointers to anything else: `array` is the typed array of what those point to, if
   * there is one.
   */
  | { readonly kind: "pointers"; readonly item: string | null; readonly array?: string | null }
  | { readonly kind: "callback"; readonly name: string };

/** True for what is a pointer in C and so may be null. */
export function isPointer({ kind }: Crossing): boolean {
  return kind === "handle" || kind === "callback" || kind === "data" || kind === "pointers" || kind === "string";
}

/** The FFI type of a number or of void, as TypeScript text; null of what is a pointer or a struct. */
export function nativeScalar(crossing: Crossing): string | null {
  switch (crossing.kind) {
    case "void":
    case "bool":
      return `"${crossing.kind}"`;
    case "int":
      return `"${crossing.signed ? "i" : "u"}${crossing.bits}"`;
    case "float":
      return `"f${crossing.bits}"`;
    default:
      return null;
  }
}

/** Thrown for a type that can't cross, with the reason. */
export class Unbindable extends Error {}

/** The integer types that cross. */
const INTEGERS: ReadonlySet<string> = new Set([
  "char",
  "signed char",
  "unsigned char",
  "short",
  "unsigned short",
  "int",
  "unsigned int",
  "long",
  "unsigned long",
  "long long",
  "unsigned long long",
]);

/** The floating types that cross, with their bits. */
const FLOATS: Readonly<Record<string, 32 | 64>> = { "float": 32, "double": 64, "_Float32": 32, "_Float64": 64, "_Float32x": 64 };

/** Decides how types cross, and hands out the names of the classes that this takes. */
export class Crossings {
  readonly #recordNames: ReadonlyMap<RecordDeclaration, string>;
  readonly #callbackNames: ReadonlyMap<TypedefDeclaration, string>;
  readonly #enums: ReadonlyMap<EnumDeclaration, BoundEnum>;
  readonly #target: TargetName;
  readonly #take: (name: string) => string;
  /** Whether a function-pointer type without a typedef is that of a typedef with a compatible one. */
  readonly #structural: boolean;
  /** Whether enums are plain numbers. */
  readonly #plainEnums: boolean;
  /** Function-pointer types without a typedef, with the names that they were given. */
  readonly anonymous: Map<FunctionType, { readonly name: string; readonly origin: Origin }> = new Map();

  constructor(
    recordNames: ReadonlyMap<RecordDeclaration, string>,
    callbackNames: ReadonlyMap<TypedefDeclaration, string>,
    enums: ReadonlyMap<EnumDeclaration, BoundEnum>,
    target: TargetName,
    take: (name: string) => string,
    { structural = false, plainEnums = false }: { readonly structural?: boolean; readonly plainEnums?: boolean } = {},
  ) {
    this.#recordNames = recordNames;
    this.#callbackNames = callbackNames;
    this.#enums = enums;
    this.#target = target;
    this.#take = take;
    this.#structural = structural;
    this.#plainEnums = plainEnums;
  }

  /** The class of a record, null where it has none. */
  className(record: RecordDeclaration): string | null {
    return this.#recordNames.get(record) ?? null;
  }

  /** True for a class whose struct Deno can pass by value. */
  passable(name: string): boolean {
    for (const [record, taken] of this.#recordNames) if (taken === name) return nativeFields(record, this.#target) !== null;
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
        return this.#basic(type.name);
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

  /** The typedef whose function-pointer type is the same. */
  #twin(type: FunctionType): string | null {
    if (!this.#structural) return null;
    for (const [typedef, name] of this.#callbackNames) {
      const other = resolve(typedef.type);
      if (compatible(type, other.kind === "pointer" ? other.to : other)) return name;
    }
    return null;
  }

  #enum(declaration: EnumDeclaration): Crossing {
    const crossing = this.#basic(declaration.type.name);
    const bound = this.#enums.get(declaration);
    // An enum of 64 bits crosses as any integer of so many: what goes in may be a bigint, what comes out is a number if nobody asks for bigints.
    if (crossing.kind !== "int" || crossing.bits === 64 || bound === undefined || bound.name === null) return crossing;
    const one = declaration.values.length > 0 && !bound.flags && !this.#plainEnums;
    return { ...crossing, name: bound.name, one };
  }

  #basic(name: BasicName): Crossing {
    if (name === "void") return { kind: "void" };
    if (name === "_Bool") return { kind: "bool" };
    if (FLOATS[name] !== undefined) return { kind: "float", bits: FLOATS[name] };
    if (INTEGERS.has(name)) return { kind: "int", ...this.#integer(name), name: null };
    throw new Unbindable(`${name} can't be passed through Deno's FFI`);
  }

  #integer(name: BasicName): { bits: 8 | 16 | 32 | 64; signed: boolean } {
    const { sizes, charSigned } = TARGETS[this.#target];
    const signed = name === "char" ? charSigned : !name.startsWith("unsigned");
    return { bits: 8 * sizes[name][0] as 8 | 16 | 32 | 64, signed };
  }

  /** A pointer to numbers. */
  #elements(name: BasicName): Crossing {
    if (FLOATS[name] !== undefined) return { kind: "data", width: FLOATS[name] / 8, array: `Float${FLOATS[name]}Array` };
    if (name === "_Bool") return { kind: "data", width: 1, array: "Uint8Array" };
    if (!INTEGERS.has(name)) return { kind: "data", width: 0, array: null };
    const { bits, signed } = this.#integer(name);
    return { kind: "data", width: bits / 8, array: `${bits === 64 ? "Big" : ""}${signed ? "Int" : "Uint"}${bits}Array` };
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
        return this.#elements(target.name);
      }
      case "enum":
        return this.#elements(target.enum.type.name);
      case "record": {
        const name = this.className(target.record);
        return name === null ? { kind: "data", width: 0, array: null } : { kind: "handle", name };
      }
      case "function": {
        const twin = this.#twin(target);
        if (twin !== null) return { kind: "callback", name: twin };
        let named = this.anonymous.get(target);
        if (named === undefined) {
          named = { name: this.#take(context.name), origin: context.origin };
          this.anonymous.set(target, named);
        }
        return { kind: "callback", name: named.name };
      }
      case "pointer": {
        const item = resolve(target.to);
        if (item.kind === "record") return { kind: "pointers", item: this.className(item.record) };
        if (item.kind === "basic" && item.name === "char" && item.const) return { kind: "pointers", item: "string" };
        const elements = item.kind === "basic" ? this.#elements(item.name) : null;
        return { kind: "pointers", item: null, array: elements?.kind === "data" ? elements.array : null };
      }
      default:
        return { kind: "data", width: 0, array: null };
    }
  }
}

function resolveOnce(type: CType): CType {
  return type.kind === "typedef" ? qualify(type.typedef.type, qualifiersOf(type)) : type;
}
