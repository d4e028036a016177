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
  /** `const`. */
  readonly const?: boolean;
  /** `volatile`. */
  readonly volatile?: boolean;
  /** `restrict`. */
  readonly restrict?: boolean;
  /** `_Atomic`. */
  readonly atomic?: boolean;
  /** `_Nullable`. */
  readonly nullable?: boolean;
  /** `_Nonnull`. */
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
  /** What tells it from the other types. */
  readonly kind: "basic";
  /** Which one. */
  readonly name: BasicName;
}

/** `_BitInt(width)`, C23 6.2.5. */
export interface BitIntType extends Qualifiers {
  /** What tells it from the other types. */
  readonly kind: "bitint";
  /** In bits, the sign's among them. */
  readonly width: number;
  /** False for `unsigned _BitInt`. */
  readonly signed: boolean;
}

/** A GNU vector (`__attribute__((vector_size(bytes)))`). */
export interface VectorType extends Qualifiers {
  /** What tells it from the other types. */
  readonly kind: "vector";
  /** The type of an element. */
  readonly of: CType;
  /** The size of all of it. */
  readonly bytes: number;
}

/** A pointer to `to`. */
export interface PointerType extends Qualifiers {
  /** What tells it from the other types. */
  readonly kind: "pointer";
  /** What it points to. */
  readonly to: CType;
}

/** An array; `length` is null for an incomplete or flexible one. */
export interface ArrayType extends Qualifiers {
  /** What tells it from the other types. */
  readonly kind: "array";
  /** The type of an element. */
  readonly of: CType;
  /** The number of elements, null where the type doesn't say. */
  readonly length: number | null;
}

/** A function type; `prototype` is false for an empty K&R list. Parameter types are adjusted as C17 6.7.6.3 says (arrays and functions are pointers). */
export interface FunctionType extends Qualifiers {
  /** What tells it from the other types. */
  readonly kind: "function";
  /** What it returns. */
  readonly result: CType;
  /** Its parameters, in order. */
  readonly parameters: readonly Parameter[];
  /** True if `...` ends them. */
  readonly variadic: boolean;
  /** False where C says nothing of the parameters. */
  readonly prototype: boolean;
  /** A calling convention other than the target's own, such as `stdcall`. */
  readonly convention?: string;
  /** Behind a pointer whose declaration says `noreturn`: to GNU C another type. */
  readonly noreturn?: boolean;
  /** Behind a pointer whose declaration says `const`, which GNU C takes for "has no effect and reads no memory": another type, too. */
  readonly pure?: boolean;
}

/** A parameter of a function type. */
export interface Parameter {
  /** Null where C gives it none. */
  readonly name: string | null;
  /** Its type, adjusted. */
  readonly type: CType;
  /** Where C writes it as an array (`int64_t ne[4]`, `int a[n]`): how many elements, or the parameter that says so. No part of the type. */
  readonly length?: number | string;
}

/** A reference to a struct or union. */
export interface RecordType extends Qualifiers {
  /** What tells it from the other types. */
  readonly kind: "record";
  /** The struct or union. */
  readonly record: RecordDeclaration;
}

/** A reference to an enum. */
export interface EnumType extends Qualifiers {
  /** What tells it from the other types. */
  readonly kind: "enum";
  /** The enum. */
  readonly enum: EnumDeclaration;
}

/** A reference to a typedef name: kept by name, resolve with `typedef.type`. */
export interface TypedefType extends Qualifiers {
  /** What tells it from the other types. */
  readonly kind: "typedef";
  /** What the name was declared as. */
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
  /** The function whose rules the format follows: `printf`, `scanf`. */
  readonly archetype: string;
  /** Which argument is the format. */
  readonly format: number;
  /** Which argument is the first that it formats; 0 for a `va_list`. */
  readonly first: number;
}

/** A function that the headers declare or define. */
export interface FunctionDeclaration extends Origin {
  /** Its name in C. */
  readonly name: string;
  /** The symbol to look up: the name, unless an `__asm__` label renames it. */
  readonly symbol: string;
  /** Its parameters and result. */
  readonly type: FunctionType;
  /** True where the header holds the body and the library therefore no symbol. */
  readonly inline: boolean;
  /** The text of `deprecated("…")`, "" where it has none, absent where the function is not deprecated. */
  readonly deprecated?: string;
  /** True for one that never returns. */
  readonly noreturn?: boolean;
  /** Of a printf-like function, which argument is the format. */
  readonly format?: FormatAttribute;
}

/** A variable with linkage (`extern int x`). */
export interface VariableDeclaration extends Origin {
  /** Its name in C. */
  readonly name: string;
  /** The symbol to look up, as for functions. */
  readonly symbol: string;
  /** Its type. */
  readonly type: CType;
}

/** A field of a record. */
export interface FieldDeclaration {
  /** Null for an anonymous struct or union member. */
  readonly name: string | null;
  /** Its type. */
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
  /** Which of the two. */
  readonly kind: "struct" | "union";
  /** The tag, null where C has none. */
  readonly name: string | null;
  /** The typedef that names a tagless record (`typedef struct { … } T;`). */
  readonly alias: string | null;
  /** In bytes, null while incomplete. */
  readonly size: number | null;
  /** In bytes, null while incomplete. */
  readonly align: number | null;
  /** In order of declaration; empty while incomplete. */
  readonly fields: readonly FieldDeclaration[];
}

/** An enumeration constant. */
export interface EnumValue {
  /** Its name in C. */
  readonly name: string;
  /** Its value. */
  readonly value: bigint;
}

/** An enum. */
export interface EnumDeclaration extends Origin {
  /** The tag, null where C has none. */
  readonly name: string | null;
  /** The typedef that names a tagless one. */
  readonly alias: string | null;
  /** The compatible integer type. */
  readonly type: BasicType;
  /** In order of declaration. */
  readonly values: readonly EnumValue[];
  /** False for a forward declaration that was never completed. */
  readonly complete: boolean;
}

/** A typedef. */
export interface TypedefDeclaration extends Origin {
  /** The new name. */
  readonly name: string;
  /** What it stands for. */
  readonly type: CType;
  /** In bytes, where an `aligned` attribute of the typedef itself says it; else the type's own holds. */
  readonly align?: number;
}

/** A constant: an object-like macro whose expansion is a constant expression, or a `static const` of arithmetic type. */
export interface ConstantDeclaration extends Origin {
  /** Its name in C. */
  readonly name: string;
  /** What its value is to TypeScript: a bigint, a number or a string. */
  readonly kind: "int" | "float" | "string";
  /** The C type of the expression. */
  readonly type: CType;
  /** Its value. */
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
  /** Its name in C. */
  readonly name: string;
  /** The parameters' names, in order. */
  readonly parameters: readonly string[];
  /** What it computes. */
  readonly body: MacroExpression;
}

/** A macro that is only another name of a function: `#define H5Dopen H5Dopen2`. */
export interface SynonymDeclaration extends Origin {
  /** The macro's name. */
  readonly name: string;
  /** The function's. */
  readonly of: string;
}

/** Something that the front end saw and could not put in the model. */
export interface Skipped extends Origin {
  /** Its name in C. */
  readonly name: string;
  /** Why, in words. */
  readonly reason: string;
}

/** A `#pragma` that the front end does not act on itself; `text` is its tokens, spelled with single spaces. */
export interface Pragma extends Origin {
  /** What stands after `#pragma`. */
  readonly text: string;
}

/** Everything that a set of headers declares, in the order of its first declaration. */
export interface Model {
  /** What sizes and offsets are true for. */
  readonly target: TargetName;
  /** Functions, declared or defined. */
  readonly functions: readonly FunctionDeclaration[];
  /** Variables with linkage. */
  readonly variables: readonly VariableDeclaration[];
  /** Structs and unions. */
  readonly records: readonly RecordDeclaration[];
  /** Enums. */
  readonly enums: readonly EnumDeclaration[];
  /** Typedefs. */
  readonly typedefs: readonly TypedefDeclaration[];
  /** Constants: macros and `static const`s. */
  readonly constants: readonly ConstantDeclaration[];
  /** Where `ParseOptions.macros` asks for them; they are among `skipped` too. */
  readonly macros: readonly MacroFunction[];
  /** Other names of functions; they are among `skipped` too. */
  readonly synonyms: readonly SynonymDeclaration[];
  /** What isn't in the model, and why. */
  readonly skipped: readonly Skipped[];
  /** Pragmas that mean nothing to the front end. */
  readonly pragmas: readonly Pragma[];
  /** Headers that a `__has_include` in a main file asked for and that were not found. */
  readonly absent: readonly Origin[];
}
