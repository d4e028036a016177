/**
 * Token kinds and keyword codes: small integers, and nothing else.
 *
 * @module
 */

/** End of a file, or of the token list that is being read. */
export const EOF: number = 0;
/** End of a directive's line. */
export const EOL: number = 1;
export const IDENTIFIER: number = 2;
/** A preprocessing number (C17 6.4.8), not yet a constant. */
export const NUMBER: number = 3;
export const STRING: number = 4;
export const CHARACTER: number = 5;
/** A character that fits nothing else (C17 6.4). */
export const OTHER: number = 6;
/** A pragma that a later stage must see in its place. */
export const PRAGMA: number = 7;
/** What an empty argument beside `##` is (C17 6.10.3.3). Never leaves the preprocessor. */
export const PLACEMARKER: number = 8;

export const LPAREN: number = 10;
export const RPAREN: number = 11;
export const LBRACKET: number = 12;
export const RBRACKET: number = 13;
export const LBRACE: number = 14;
export const RBRACE: number = 15;
export const COMMA: number = 16;
export const SEMICOLON: number = 17;
export const DOT: number = 18;
export const ELLIPSIS: number = 19;
export const ARROW: number = 20;
export const HASH: number = 21;
export const HASHHASH: number = 22;
export const QUESTION: number = 23;
export const COLON: number = 24;
export const COLONCOLON: number = 25;
export const ASSIGN: number = 26;
export const TILDE: number = 27;
export const NOT: number = 28;
export const INCREMENT: number = 29;
export const DECREMENT: number = 30;
export const PLUS: number = 31;
export const MINUS: number = 32;
export const STAR: number = 33;
export const SLASH: number = 34;
export const PERCENT: number = 35;
export const SHL: number = 36;
export const SHR: number = 37;
export const LESS: number = 38;
export const GREATER: number = 39;
export const LESSEQ: number = 40;
export const GREATEREQ: number = 41;
export const EQ: number = 42;
export const NOTEQ: number = 43;
export const AMP: number = 44;
export const CARET: number = 45;
export const PIPE: number = 46;
export const ANDAND: number = 47;
export const OROR: number = 48;
/** Compound assignments: one kind, since no constant expression holds one. */
export const COMPOUND_ASSIGN: number = 49;

/** Binding strength of the binary operators by kind, C17 6.5.5 to 6.5.14; 0 for everything else. */
export const PRECEDENCE: Uint8Array = new Uint8Array(64);
PRECEDENCE[OROR] = 1;
PRECEDENCE[ANDAND] = 2;
PRECEDENCE[PIPE] = 3;
PRECEDENCE[CARET] = 4;
PRECEDENCE[AMP] = 5;
PRECEDENCE[EQ] = PRECEDENCE[NOTEQ] = 6;
PRECEDENCE[LESS] =
  PRECEDENCE[GREATER] =
  PRECEDENCE[LESSEQ] =
  PRECEDENCE[GREATEREQ] =
    7;
PRECEDENCE[SHL] = PRECEDENCE[SHR] = 8;
PRECEDENCE[PLUS] = PRECEDENCE[MINUS] = 9;
PRECEDENCE[STAR] = PRECEDENCE[SLASH] = PRECEDENCE[PERCENT] = 10;

/** Keyword codes. Groups matter: what may begin a type name goes up to {@linkcode QUALIFIER_LAST}. */
export const KW_NONE: number = 0;

// Type specifiers that are one word of a basic type.
export const KW_VOID: number = 1;
export const KW_CHAR: number = 2;
export const KW_SHORT: number = 3;
export const KW_INT: number = 4;
export const KW_LONG: number = 5;
export const KW_FLOAT: number = 6;
export const KW_DOUBLE: number = 7;
export const KW_SIGNED: number = 8;
export const KW_UNSIGNED: number = 9;
export const KW_BOOL: number = 10;
export const KW_COMPLEX: number = 11;
export const KW_INT128: number = 12;
export const KW_FLOAT16: number = 13;
export const KW_BF16: number = 14;
export const KW_FLOAT32: number = 15;
export const KW_FLOAT64: number = 16;
export const KW_FLOAT128: number = 17;
export const KW_FLOAT32X: number = 18;
export const KW_FLOAT64X: number = 19;
export const KW_VA_LIST: number = 20;
export const KW_INT64: number = 21; // Microsoft's __int64
export const KW_INT8: number = 22;
export const KW_INT16: number = 23;
export const KW_INT32: number = 24;
export const KW_IMAGINARY: number = 25;
export const KW_DECIMAL: number = 26; // _Decimal32, _Decimal64, _Decimal128: refused by name
// Type specifiers with more to read.
export const KW_STRUCT: number = 30;
export const KW_UNION: number = 31;
export const KW_ENUM: number = 32;
export const KW_TYPEOF: number = 33;
export const KW_TYPEOF_UNQUAL: number = 34;
export const KW_BITINT: number = 35;
export const KW_ATOMIC: number = 36; // also a qualifier
export const KW_AUTO_TYPE: number = 37;
// Qualifiers.
export const KW_CONST: number = 40;
export const KW_VOLATILE: number = 41;
export const KW_RESTRICT: number = 42;
export const KW_NULLABLE: number = 43;
export const KW_NONNULL: number = 44;
export const KW_NULL_UNSPECIFIED: number = 45;
export const KW_IGNORED_QUALIFIER: number = 46; // __ptr64, __unaligned, __extension__ …
export const QUALIFIER_LAST: number = 49;
// Storage classes and function specifiers.
export const KW_TYPEDEF: number = 50;
export const KW_EXTERN: number = 51;
export const KW_STATIC: number = 52;
export const KW_AUTO: number = 53;
export const KW_REGISTER: number = 54;
export const KW_THREAD_LOCAL: number = 55;
export const KW_INLINE: number = 56;
export const KW_NORETURN: number = 57;
export const KW_CONSTEXPR: number = 58;
// Attributes and what is read like them.
export const KW_ATTRIBUTE: number = 60;
export const KW_DECLSPEC: number = 61;
export const KW_ALIGNAS: number = 62;
export const KW_ASM: number = 63;
export const KW_EXTENSION: number = 64;
export const KW_CONVENTION: number = 65; // __cdecl, __stdcall …
export const SPECIFIER_LAST: number = 69;
// The rest.
export const KW_STATIC_ASSERT: number = 70;
export const KW_SIZEOF: number = 71;
export const KW_ALIGNOF: number = 72;
export const KW_GENERIC: number = 73;
export const KW_OFFSETOF: number = 74;
export const KW_TYPES_COMPATIBLE: number = 75;
export const KW_CHOOSE_EXPR: number = 76;
export const KW_CONSTANT_P: number = 77;
export const KW_TRUE: number = 78;
export const KW_FALSE: number = 79;
export const KW_NULLPTR: number = 80;
export const KW_REAL_IMAG: number = 81;
export const KW_STATEMENT: number = 82; // if, for, while … : no declaration and no expression begins with one
export const KW_VA_ARG: number = 83;

/** Every spelling of every keyword: C17's, C23's where C17 reserves them, GNU's and Microsoft's. */
export const KEYWORDS: readonly (readonly [number, string])[] = [
  [KW_VOID, "void"],
  [KW_CHAR, "char"],
  [KW_SHORT, "short"],
  [KW_INT, "int"],
  [KW_LONG, "long"],
  [KW_FLOAT, "float"],
  [KW_DOUBLE, "double"],
  [KW_SIGNED, "signed __signed __signed__"],
  [KW_UNSIGNED, "unsigned"],
  [KW_BOOL, "_Bool"],
  [KW_COMPLEX, "_Complex __complex __complex__"],
  [KW_IMAGINARY, "_Imaginary"],
  [KW_INT128, "__int128"],
  [KW_FLOAT16, "_Float16"],
  [KW_BF16, "__bf16"],
  [KW_FLOAT32, "_Float32"],
  [KW_FLOAT64, "_Float64"],
  [KW_FLOAT128, "_Float128 __float128"],
  [KW_FLOAT32X, "_Float32x"],
  [KW_FLOAT64X, "_Float64x __float80"],
  [KW_DECIMAL, "_Decimal32 _Decimal64 _Decimal128"],
  [KW_VA_LIST, "__builtin_va_list"],
  [KW_STRUCT, "struct"],
  [KW_UNION, "union"],
  [KW_ENUM, "enum"],
  [KW_TYPEOF, "typeof __typeof __typeof__"],
  [KW_TYPEOF_UNQUAL, "typeof_unqual __typeof_unqual __typeof_unqual__"],
  [KW_BITINT, "_BitInt"],
  [KW_ATOMIC, "_Atomic"],
  [KW_AUTO_TYPE, "__auto_type"],
  [KW_CONST, "const __const __const__"],
  [KW_VOLATILE, "volatile __volatile __volatile__"],
  [KW_RESTRICT, "restrict __restrict __restrict__"],
  [KW_NULLABLE, "_Nullable __nullable"],
  [KW_NONNULL, "_Nonnull __nonnull"],
  [KW_NULL_UNSPECIFIED, "_Null_unspecified __null_unspecified"],
  [KW_TYPEDEF, "typedef"],
  [KW_EXTERN, "extern"],
  [KW_STATIC, "static"],
  [KW_AUTO, "auto"],
  [KW_REGISTER, "register"],
  [KW_THREAD_LOCAL, "_Thread_local __thread"],
  [KW_INLINE, "inline __inline __inline__ __forceinline"],
  [KW_NORETURN, "_Noreturn"],
  [KW_ATTRIBUTE, "__attribute__ __attribute"],
  [KW_DECLSPEC, "__declspec"],
  [KW_ALIGNAS, "_Alignas"],
  [KW_ASM, "asm __asm __asm__"],
  [KW_EXTENSION, "__extension__"],
  [KW_STATIC_ASSERT, "_Static_assert static_assert"],
  [KW_SIZEOF, "sizeof"],
  [KW_ALIGNOF, "_Alignof __alignof __alignof__"],
  [KW_GENERIC, "_Generic"],
  [KW_OFFSETOF, "__builtin_offsetof"],
  [KW_TYPES_COMPATIBLE, "__builtin_types_compatible_p"],
  [KW_CHOOSE_EXPR, "__builtin_choose_expr"],
  [KW_CONSTANT_P, "__builtin_constant_p"],
  [KW_VA_ARG, "__builtin_va_arg"],
  [KW_REAL_IMAG, "__real __real__ __imag __imag__"],
  [KW_STATEMENT, "if else for while do switch case default break continue goto return"],
];

/** Only where the target's compiler is Microsoft's (or a GNU one for Windows). */
export const WINDOWS_KEYWORDS: readonly (readonly [number, string])[] = [
  [KW_INT64, "__int64 _int64"],
  [KW_INT8, "__int8"],
  [KW_INT16, "__int16"],
  [KW_INT32, "__int32"],
  [KW_CONVENTION, "__cdecl _cdecl __stdcall _stdcall __fastcall _fastcall __thiscall __vectorcall __clrcall __regcall"],
  [KW_IGNORED_QUALIFIER, "__ptr32 __ptr64 __unaligned _unaligned __w64 __sptr __uptr"],
];

/** Only where the defines say C23 (`__STDC_VERSION__` above 202000). */
export const C23_KEYWORDS: readonly (readonly [number, string])[] = [
  [KW_BOOL, "bool"],
  [KW_TRUE, "true"],
  [KW_FALSE, "false"],
  [KW_NULLPTR, "nullptr"],
  [KW_CONSTEXPR, "constexpr"],
  [KW_THREAD_LOCAL, "thread_local"],
  [KW_ALIGNAS, "alignas"],
  [KW_ALIGNOF, "alignof"],
];
