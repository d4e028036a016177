/**
 * The API model: what a set of C headers declares, laid out for one target.
 *
 * This is the front end's only product. Everything behind it (the `dump` command, the emitters) reads these types and never
 * looks at a token again. Records, enums and typedefs are shared by reference, so the graph may be cyclic, as C's own types are.
 *
 * @module
 */

/** The targets whose ABI the layout stage knows. */
export type TargetName =
  | "x86_64-linux"
  | "aarch64-linux"
  | "x86_64-macos"
  | "aarch64-macos"
  | "x86_64-windows"
  | "aarch64-windows";

/** Where something was declared. */
export interface Origin {
  /** Path of the file as it was opened. */
  readonly file: string;
  /** The file as the `#include` that brought it in spelled it (`ggml.h`), the path given for a main file. Stable between machines. */
  readonly header: string;
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 code units. */
  readonly column: number;
  /** True for headers found in a system folder and for our own stand-ins: not part of the API that is being bound. */
  readonly system: boolean;
}

/** Type qualifiers, C17 6.7.3, and the nullability that clang's `_Nonnull` and `_Nullable` state. */
export interface Qualifiers {
  readonly const?: boolean;
  readonly volatile?: boolean;
  readonly restrict?: boolean;
  readonly atomic?: boolean;
  readonly nullable?: boolean;
  readonly nonnull?: boolean;
}

/** The names of the basic types, each in the one spelling that the model uses. */
export type BasicName =
  | "void"
  | "_Bool"
  | "char"
  | "signed char"
  | "unsigned char"
  | "short"
  | "unsigned short"
  | "int"
  | "unsigned int"
  | "long"
  | "unsigned long"
  | "long long"
  | "unsigned long long"
  | "__int128"
  | "unsigned __int128"
  | "_Float16"
  | "__bf16"
  | "float"
  | "double"
  | "long double"
  | "_Float32"
  | "_Float64"
  | "_Float128"
  | "_Float32x"
  | "_Float64x"
  | "_Complex float"
  | "_Complex double"
  | "_Complex long double"
  | "_Complex _Float16"
  | "_Complex _Float32"
  | "_Complex _Float64"
  | "_Complex _Float128"
  | "_Complex _Float32x"
  | "_Complex _Float64x"
  | "_Complex char"
  | "_Complex signed char"
  | "_Complex unsigned char"
  | "_Complex short"
  | "_Complex unsigned short"
  | "_Complex int"
  | "_Complex unsigned int"
  | "_Complex long"
  | "_Complex unsigned long"
  | "_Complex long long"
  | "_Complex unsigned long long"
  | "__builtin_va_list"
  | "nullptr_t";

/** A basic type, C17 6.2.5. */
export interface BasicType extends Qualifiers {
  readonly kind: "basic";
  readonly name: BasicName;
}

/** `_BitInt(width)`, C23 6.2.5. */
export interface BitIntType extends Qualifiers {
  readonly kind: "bitint";
  readonly width: number;
  readonly signed: boolean;
}

/** A GNU vector (`__attribute__((vector_size(bytes)))`). */
export interface VectorType extends Qualifiers {
  readonly kind: "vector";
  readonly of: CType;
  readonly bytes: number;
}

/** A pointer to `to`. */
export interface PointerType extends Qualifiers {
  readonly kind: "pointer";
  readonly to: CType;
}

/** An array; `length` is null for an incomplete or flexible one. */
export interface ArrayType extends Qualifiers {
  readonly kind: "array";
  readonly of: CType;
  readonly length: number | null;
}

/** A function type; `prototype` is false for an empty K&R list. Parameter types are adjusted as C17 6.7.6.3 says (arrays and functions are pointers). */
export interface FunctionType extends Qualifiers {
  readonly kind: "function";
  readonly result: CType;
  readonly parameters: readonly Parameter[];
  readonly variadic: boolean;
  readonly prototype: boolean;
  /** A calling convention other than the target's own, such as `stdcall`. */
  readonly convention?: string;
  /** Behind a pointer whose declaration says `noreturn`: to GNU C another type. */
  readonly noreturn?: boolean;
  /** The same for `const`, which GNU C takes for "has no effect and reads no memory". */
  readonly pure?: boolean;
}

/** A parameter of a function type. */
export interface Parameter {
  readonly name: string | null;
  readonly type: CType;
  /** Where C writes it as an array (`int64_t ne[4]`, `int a[n]`): how many elements, or the parameter that says so. No part of the type. */
  readonly length?: number | string;
}

/** A reference to a struct or union. */
export interface RecordType extends Qualifiers {
  readonly kind: "record";
  readonly record: RecordDeclaration;
}

/** A reference to an enum. */
export interface EnumType extends Qualifiers {
  readonly kind: "enum";
  readonly enum: EnumDeclaration;
}

/** A reference to a typedef name: kept by name, resolve with `typedef.type`. */
export interface TypedefType extends Qualifiers {
  readonly kind: "typedef";
  readonly typedef: TypedefDeclaration;
}

/** A C type. */
export type CType =
  | BasicType
  | BitIntType
  | VectorType
  | PointerType
  | ArrayType
  | FunctionType
  | RecordType
  | EnumType
  | TypedefType;

/** Which argument of a printf-like function is the format (`__attribute__((format(printf, format, first)))`), both from 1. */
export interface FormatAttribute {
  readonly archetype: string;
  readonly format: number;
  readonly first: number;
}

/** A function that the headers declare or define. */
export interface FunctionDeclaration extends Origin {
  readonly name: string;
  /** The symbol to look up: the name, unless an `__asm__` label renames it. */
  readonly symbol: string;
  readonly type: FunctionType;
  /** True where the header holds the body and the library therefore no symbol. */
  readonly inline: boolean;
  /** The text of `deprecated("…")`, "" where it has none, absent where the function is not deprecated. */
  readonly deprecated?: string;
  readonly noreturn?: boolean;
  readonly format?: FormatAttribute;
}

/** A variable with linkage (`extern int x`). */
export interface VariableDeclaration extends Origin {
  readonly name: string;
  readonly symbol: string;
  readonly type: CType;
}

/** A field of a record. */
export interface FieldDeclaration {
  /** Null for an anonymous struct or union member. */
  readonly name: string | null;
  readonly type: CType;
  /** In bytes from the start of the record that directly holds it. For a bit-field, of the storage unit of the declared type that holds its first bit. */
  readonly offset: number;
  /** Bit-fields only: bits from `offset`. */
  readonly bitOffset?: number;
  /** Bit-fields only. */
  readonly bitWidth?: number;
}

/** A struct or union. Mutable while the parser works: a forward declaration is completed in place. */
export interface RecordDeclaration extends Origin {
  readonly kind: "struct" | "union";
  /** The tag, null where C has none. */
  readonly name: string | null;
  /** The typedef that names a tagless record (`typedef struct { … } T;`). */
  readonly alias: string | null;
  /** In bytes, null while incomplete. */
  readonly size: number | null;
  readonly align: number | null;
  readonly fields: readonly FieldDeclaration[];
}

/** An enumeration constant. */
export interface EnumValue {
  readonly name: string;
  readonly value: bigint;
}

/** An enum. */
export interface EnumDeclaration extends Origin {
  readonly name: string | null;
  readonly alias: string | null;
  /** The compatible integer type. */
  readonly type: BasicType;
  readonly values: readonly EnumValue[];
  /** False for a forward declaration that was never completed. */
  readonly complete: boolean;
}

/** A typedef. */
export interface TypedefDeclaration extends Origin {
  readonly name: string;
  readonly type: CType;
  /** In bytes, where an `aligned` attribute of the typedef itself says it; else the type's own holds. */
  readonly align?: number;
}

/** A constant: an object-like macro whose expansion is a constant expression, or a `static const` of arithmetic type. */
export interface ConstantDeclaration extends Origin {
  readonly name: string;
  readonly kind: "int" | "float" | "string";
  /** The C type of the expression. */
  readonly type: CType;
  readonly value: bigint | number | string;
}

/**
 * An integer expression over a macro's parameters, with every conversion of C's written out.
 *
 * Its value is that of the operator on mathematical integers; where C would wrap, a `convert` stands around it.
 */
export type MacroExpression =
  | { readonly kind: "parameter"; readonly index: number }
  | { readonly kind: "constant"; readonly value: bigint }
  /** Into a type of `bits` bits, modulo 2^bits. */
  | { readonly kind: "convert"; readonly bits: number; readonly signed: boolean; readonly operand: MacroExpression }
  | { readonly kind: "unary"; readonly operator: "-" | "~" | "!"; readonly operand: MacroExpression }
  | { readonly kind: "binary"; readonly operator: string; readonly left: MacroExpression; readonly right: MacroExpression }
  | { readonly kind: "conditional"; readonly test: MacroExpression; readonly yes: MacroExpression; readonly no: MacroExpression };

/** A function-like macro whose body is a pure integer expression over its parameters, read as C does where those are `int64_t`. */
export interface MacroFunction extends Origin {
  readonly name: string;
  readonly parameters: readonly string[];
  readonly body: MacroExpression;
}

/** Something that the front end saw and could not put in the model. */
export interface Skipped extends Origin {
  readonly name: string;
  readonly reason: string;
}

/** A `#pragma` that the front end does not act on itself; `text` is its tokens, spelled with single spaces. */
export interface Pragma extends Origin {
  readonly text: string;
}

/** Everything that a set of headers declares, in the order of its first declaration. */
export interface Model {
  readonly target: TargetName;
  readonly functions: readonly FunctionDeclaration[];
  readonly variables: readonly VariableDeclaration[];
  readonly records: readonly RecordDeclaration[];
  readonly enums: readonly EnumDeclaration[];
  readonly typedefs: readonly TypedefDeclaration[];
  readonly constants: readonly ConstantDeclaration[];
  /** Where `ParseOptions.macros` asks for them; they are among `skipped` too. */
  readonly macros: readonly MacroFunction[];
  readonly skipped: readonly Skipped[];
  readonly pragmas: readonly Pragma[];
  /** Headers that a `__has_include` in a main file asked for and that were not found. */
  readonly absent: readonly Origin[];
}
