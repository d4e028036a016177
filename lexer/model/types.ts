/**
 * Working with C types: making, resolving, comparing and printing them.
 *
 * @module
 */

import type {
  BasicName,
  BasicType,
  CType,
  EnumDeclaration,
  FunctionType,
  PointerType,
  RecordDeclaration,
  TypedefDeclaration,
} from "./model.ts";

/** A declaration while it is being built. */
export type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Qualifiers as bits. */
export const CONST = 1;
export const VOLATILE = 2;
export const RESTRICT = 4;
export const ATOMIC = 8;
export const NULLABLE = 16;
export const NONNULL = 32;
const MEANINGFUL = CONST | VOLATILE | RESTRICT | ATOMIC;

const basics = new Map<BasicName, BasicType>();
const constBasics = new Map<BasicName, BasicType>();

/** A basic type without qualifiers. */
export function basic(name: BasicName): BasicType {
  let type = basics.get(name);
  if (type === undefined) basics.set(name, type = { kind: "basic", name });
  return type;
}

/** The bits of a type's own qualifiers. */
export function qualifiersOf(type: CType): number {
  return (type.const ? CONST : 0) | (type.volatile ? VOLATILE : 0) | (type.restrict ? RESTRICT : 0) | (type.atomic ? ATOMIC : 0) |
    (type.nullable ? NULLABLE : 0) | (type.nonnull ? NONNULL : 0);
}

/** The type with more qualifiers. Those of an array are its elements' (C17 6.7.3p9). */
export function qualify(type: CType, bits: number): CType {
  if (bits === 0) return type;
  if (type.kind === "basic" && bits === CONST && qualifiersOf(type) === 0) {
    let made = constBasics.get(type.name);
    if (made === undefined) constBasics.set(type.name, made = { kind: "basic", name: type.name, const: true });
    return made;
  }
  if (type.kind === "array") return { ...type, of: qualify(type.of, bits) };
  const made: Mutable<CType> = { ...type };
  if (bits & CONST) made.const = true;
  if (bits & VOLATILE) made.volatile = true;
  if (bits & RESTRICT) made.restrict = true;
  if (bits & ATOMIC) made.atomic = true;
  if (bits & NULLABLE) made.nullable = true;
  if (bits & NONNULL) made.nonnull = true;
  return made;
}

/** The type without its own qualifiers. */
export function unqualified(type: CType): CType {
  if (qualifiersOf(type) === 0) return type;
  switch (type.kind) {
    case "basic":
      return basic(type.name);
    case "pointer":
      return pointer(type.to);
    default: {
      const made: Mutable<CType> = { ...type };
      delete made.const, delete made.volatile, delete made.restrict, delete made.atomic, delete made.nullable, delete made.nonnull;
      return made;
    }
  }
}

/** A pointer without qualifiers. */
export function pointer(to: CType): PointerType {
  return { kind: "pointer", to };
}

/** The type behind typedef names, with their qualifiers added up. */
export function resolve(type: CType): CType {
  while (type.kind === "typedef") {
    const bits = qualifiersOf(type);
    type = type.typedef.type;
    if (bits !== 0) type = qualify(type, bits);
  }
  return type;
}

/** The type behind typedef names and enums, unqualified: what arithmetic sees. */
export function bare(type: CType): CType {
  let t = resolve(type);
  if (t.kind === "enum") t = t.enum.type;
  return unqualified(t);
}

const INTEGERS: ReadonlySet<BasicName> = new Set<BasicName>([
  "_Bool",
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
  "__int128",
  "unsigned __int128",
]);

const FLOATS: ReadonlySet<BasicName> = new Set<BasicName>([
  "_Float16",
  "__bf16",
  "float",
  "double",
  "long double",
  "_Float32",
  "_Float64",
  "_Float128",
  "_Float32x",
  "_Float64x",
]);

/** Integer types, enums and `_BitInt` among them. */
export function isInteger(type: CType): boolean {
  const t = resolve(type);
  return t.kind === "enum" || t.kind === "bitint" || (t.kind === "basic" && INTEGERS.has(t.name));
}

/** Real floating types. */
export function isFloat(type: CType): boolean {
  const t = resolve(type);
  return t.kind === "basic" && FLOATS.has(t.name);
}

/** Integer, real and complex types. */
export function isArithmetic(type: CType): boolean {
  const t = resolve(type);
  return isInteger(t) || (t.kind === "basic" && (FLOATS.has(t.name) || t.name.startsWith("_Complex")));
}

/** `void`, however qualified. */
export function isVoid(type: CType): boolean {
  const t = resolve(type);
  return t.kind === "basic" && t.name === "void";
}

/** Compatible types, C17 6.2.7. Pass `top` false to ignore the outermost qualifiers, as between parameters. */
export function compatible(a: CType, b: CType, top = true, depth = 0): boolean {
  a = resolve(a);
  b = resolve(b);
  if (a === b || depth > 200) return true;
  if (top && (qualifiersOf(a) & MEANINGFUL) !== (qualifiersOf(b) & MEANINGFUL)) return false;
  if (a.kind !== b.kind) {
    if (a.kind === "enum") return b.kind === "basic" && a.enum.type.name === b.name;
    return b.kind === "enum" && a.kind === "basic" && b.enum.type.name === a.name;
  }
  switch (a.kind) {
    case "basic":
      return a.name === (b as BasicType).name;
    case "pointer":
      return compatible(a.to, (b as PointerType).to, true, depth + 1);
    case "record":
      return b.kind === "record" && a.record === b.record;
    case "enum":
      return b.kind === "enum" && a.enum === b.enum;
    case "bitint":
      return b.kind === "bitint" && a.width === b.width && a.signed === b.signed;
    case "vector":
      return b.kind === "vector" && a.bytes === b.bytes && compatible(a.of, b.of, true, depth + 1);
    case "array":
      return b.kind === "array" && (a.length === null || b.length === null || a.length === b.length) &&
        compatible(a.of, b.of, true, depth + 1);
    case "function": {
      if (b.kind !== "function" || !compatible(a.result, b.result, true, depth + 1)) return false;
      if (!a.prototype || !b.prototype) return true;
      if (a.variadic !== b.variadic || a.parameters.length !== b.parameters.length) return false;
      return a.parameters.every((p, i) => compatible(p.type, (b as FunctionType).parameters[i].type, false, depth + 1));
    }
    default:
      return false;
  }
}

/** How a record, enum or typedef without a name of its own is to be spelled. */
export type Namer = (declaration: RecordDeclaration | EnumDeclaration) => string | null;

function defaultNamer(declaration: RecordDeclaration | EnumDeclaration): string | null {
  return declaration.alias;
}

/**
 * Prints a type as C text that stands alone: `__typeof__(TEXT)` is the type.
 *
 * @param type Any type.
 * @param name Put in the declarator's place, so that the text declares that name.
 * @param namer Gives text for tagless records and enums that no typedef names; without one they print as `struct { … }`.
 * @returns The text.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parse, printType } from "@ggml/deno/lexer";
 *
 * const read = (path: string) => path === "a.h" ? "typedef void (*hook)(int, const char *);" : undefined;
 * const { model } = parse(["a.h"], { read });
 * assertEquals(printType(model.typedefs[0].type), "void (*)(int, const char *)");
 * assertEquals(printType(model.typedefs[0].type, "h"), "void (*h)(int, const char *)");
 * ```
 */
export function printType(type: CType, name = "", namer: Namer = defaultNamer): string {
  let inner = name;
  for (;;) {
    switch (type.kind) {
      case "pointer": {
        const words = qualifierWords(type);
        if (words !== "") inner = `*${words}${inner === "" ? "" : " " + inner}`;
        else inner = `*${inner}`;
        type = type.to;
        // GNU C spells the type of a function that doesn't return with `volatile`, and one without effects with `const`.
        if (type.kind === "function" && (type.noreturn || type.pure)) {
          const words = `${type.pure ? "const " : ""}${type.noreturn ? "volatile " : ""}`;
          const { noreturn: _noreturn, pure: _pure, ...plain } = type;
          return `${words}__typeof__(${printType(plain, "", namer)}) ${inner}`;
        }
        if (type.kind === "array" || type.kind === "function") inner = `(${inner})`;
        continue;
      }
      case "array":
        inner = `${inner}[${type.length === null ? "" : type.length}]`;
        type = type.of;
        continue;
      case "function": {
        const parameters = type.parameters.map((p) => printType(p.type, "", namer));
        if (type.variadic) parameters.push("...");
        inner = `${inner}(${parameters.length > 0 ? parameters.join(", ") : type.prototype ? "void" : ""})`;
        type = type.result;
        continue;
      }
      default: {
        const words = qualifierWords(type);
        const base = `${words}${words === "" ? "" : " "}${baseText(type, namer)}`;
        if (inner === "") return base;
        return inner.startsWith("[") ? base + inner : `${base} ${inner}`;
      }
    }
  }
}

function qualifierWords(type: CType): string {
  if (qualifiersOf(type) === 0) return "";
  const words: string[] = [];
  if (type.const) words.push("const");
  if (type.volatile) words.push("volatile");
  if (type.restrict) words.push("restrict");
  if (type.atomic) words.push("_Atomic");
  return words.join(" ");
}

function baseText(type: CType, namer: Namer): string {
  switch (type.kind) {
    case "basic":
      return type.name === "nullptr_t" ? "__typeof__(nullptr)" : type.name;
    case "bitint":
      return `${type.signed ? "" : "unsigned "}_BitInt(${type.width})`;
    case "vector":
      return `__attribute__((vector_size(${type.bytes}))) ${printType(type.of, "", namer)}`;
    case "typedef":
      return type.typedef.name;
    case "record":
      return type.record.name !== null
        ? `${type.record.kind} ${type.record.name}`
        : namer(type.record) ?? `${type.record.kind} { ${
          type.record.fields.map((f) => printType(f.type, f.name ?? "", namer) + (f.bitWidth === undefined ? "; " : ` : ${f.bitWidth}; `))
            .join("")
        }}`;
    case "enum":
      return type.enum.name !== null
        ? `enum ${type.enum.name}`
        : namer(type.enum) ?? `enum { ${type.enum.values.map((v) => `${v.name} = ${v.value}`).join(", ")} }`;
    default:
      return "";
  }
}

/** A reference to a typedef name. */
export function typedefType(typedef: TypedefDeclaration): CType {
  return { kind: "typedef", typedef };
}
