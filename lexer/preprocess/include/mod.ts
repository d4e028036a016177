/**
 * Our own stand-ins for system headers, as text: a package imported over https has no files to read, and a script that may not read has none
 * either.
 *
 * {@linkcode COMPILER_HEADERS} are those that belong to the compiler, on every platform. {@linkcode HOSTED_HEADERS} belong to the C library
 * and serve only where none was found; they declare the types, and the functions that other headers' inline code or macros name.
 *
 * Widths come from the predefined macros of the target (see targets.ts), so that one text serves all.
 *
 * @module
 */

import { HOSTED_HEADERS } from "./hosted.ts";

export { HOSTED_HEADERS };

/** `__INT8_TYPE__` and so on where the compiler, being Microsoft's, has none. */
const MICROSOFT_TYPES = `
#ifndef __SIZE_TYPE__
#define __lexer_int8 signed char
#define __lexer_int16 short
#define __lexer_int32 int
#define __lexer_int64 long long
#define __lexer_uint8 unsigned char
#define __lexer_uint16 unsigned short
#define __lexer_uint32 unsigned int
#define __lexer_uint64 unsigned long long
#define __lexer_intptr long long
#define __lexer_uintptr unsigned long long
#define __lexer_size unsigned long long
#define __lexer_ptrdiff long long
#define __lexer_wchar unsigned short
#define __lexer_wint unsigned short
#define __lexer_intmax long long
#define __lexer_uintmax unsigned long long
#define __lexer_fast16 int
#define __lexer_ufast16 unsigned int
#define __lexer_fast32 int
#define __lexer_ufast32 unsigned int
#else
#define __lexer_int8 __INT8_TYPE__
#define __lexer_int16 __INT16_TYPE__
#define __lexer_int32 __INT32_TYPE__
#define __lexer_int64 __INT64_TYPE__
#define __lexer_uint8 __UINT8_TYPE__
#define __lexer_uint16 __UINT16_TYPE__
#define __lexer_uint32 __UINT32_TYPE__
#define __lexer_uint64 __UINT64_TYPE__
#define __lexer_intptr __INTPTR_TYPE__
#define __lexer_uintptr __UINTPTR_TYPE__
#define __lexer_size __SIZE_TYPE__
#define __lexer_ptrdiff __PTRDIFF_TYPE__
#define __lexer_wchar __WCHAR_TYPE__
#define __lexer_wint __WINT_TYPE__
#define __lexer_intmax __INTMAX_TYPE__
#define __lexer_uintmax __UINTMAX_TYPE__
#define __lexer_fast16 __INT_FAST16_TYPE__
#define __lexer_ufast16 __UINT_FAST16_TYPE__
#define __lexer_fast32 __INT_FAST32_TYPE__
#define __lexer_ufast32 __UINT_FAST32_TYPE__
#endif
`;

const TYPES = `#pragma once
${MICROSOFT_TYPES}`;

/** C17 7.19. The \`__need_\` macros are how glibc asks for single types. */
const STDDEF =
  `#if (!defined _STDDEF_H && !defined _STDDEF_H_) || defined __need_wchar_t || defined __need_size_t || defined __need_ptrdiff_t || defined __need_NULL || defined __need_wint_t
#include <__lexer_types.h>
#if !defined __need_wchar_t && !defined __need_size_t && !defined __need_ptrdiff_t && !defined __need_NULL && !defined __need_wint_t
#define _STDDEF_H
#define _STDDEF_H_
#define __need_wchar_t
#define __need_size_t
#define __need_ptrdiff_t
#define __need_NULL
#define __lexer_whole_stddef
#endif
#ifdef __need_ptrdiff_t
#ifndef _PTRDIFF_T
#define _PTRDIFF_T
typedef __lexer_ptrdiff ptrdiff_t;
#endif
#undef __need_ptrdiff_t
#endif
#ifdef __need_size_t
#ifndef __size_t__
#define __size_t__
#define __SIZE_T__
#define _SIZE_T
#define __size_t
typedef __lexer_size size_t;
#endif
#undef __need_size_t
#endif
#ifdef __need_wchar_t
#ifndef __cplusplus
#ifndef __wchar_t__
#define __wchar_t__
#define __WCHAR_T__
#define _WCHAR_T
typedef __lexer_wchar wchar_t;
#endif
#endif
#undef __need_wchar_t
#endif
#ifdef __need_wint_t
#ifndef _WINT_T
#define _WINT_T 1
typedef __lexer_wint wint_t;
#endif
#undef __need_wint_t
#endif
#ifdef __need_NULL
#undef NULL
#ifdef __cplusplus
#define NULL 0
#else
#define NULL ((void *)0)
#endif
#undef __need_NULL
#endif
#ifdef __lexer_whole_stddef
#undef __lexer_whole_stddef
#undef offsetof
#define offsetof(TYPE, MEMBER) __builtin_offsetof (TYPE, MEMBER)
#ifndef _GCC_MAX_ALIGN_T
#define _GCC_MAX_ALIGN_T
#ifdef _MSC_VER
typedef double max_align_t;
#else
typedef struct {
  long long __max_align_ll __attribute__((__aligned__(__alignof__(long long))));
  long double __max_align_ld __attribute__((__aligned__(__alignof__(long double))));
} max_align_t;
#endif
#endif
#endif
#endif
`;

/** C17 7.20. The C library's own comes first, where there is one, since its typedefs have names of their own. */
const STDINT = `#ifndef _LEXER_STDINT_H
#define _LEXER_STDINT_H
#if defined __has_include_next && !defined _LEXER_OWN
#if __has_include_next(<stdint.h>)
#include_next <stdint.h>
#define _LEXER_STDINT_DONE
#endif
#endif
#ifndef _LEXER_STDINT_DONE
#include <__lexer_types.h>
typedef __lexer_int8 int8_t;
typedef __lexer_int16 int16_t;
typedef __lexer_int32 int32_t;
typedef __lexer_int64 int64_t;
typedef __lexer_uint8 uint8_t;
typedef __lexer_uint16 uint16_t;
typedef __lexer_uint32 uint32_t;
typedef __lexer_uint64 uint64_t;
typedef __lexer_int8 int_least8_t;
typedef __lexer_int16 int_least16_t;
typedef __lexer_int32 int_least32_t;
typedef __lexer_int64 int_least64_t;
typedef __lexer_uint8 uint_least8_t;
typedef __lexer_uint16 uint_least16_t;
typedef __lexer_uint32 uint_least32_t;
typedef __lexer_uint64 uint_least64_t;
typedef __lexer_int8 int_fast8_t;
typedef __lexer_fast16 int_fast16_t;
typedef __lexer_fast32 int_fast32_t;
typedef __lexer_int64 int_fast64_t;
typedef __lexer_uint8 uint_fast8_t;
typedef __lexer_ufast16 uint_fast16_t;
typedef __lexer_ufast32 uint_fast32_t;
typedef __lexer_uint64 uint_fast64_t;
typedef __lexer_intptr intptr_t;
typedef __lexer_uintptr uintptr_t;
typedef __lexer_intmax intmax_t;
typedef __lexer_uintmax uintmax_t;
#define INT8_MIN (-128)
#define INT16_MIN (-32767-1)
#define INT32_MIN (-2147483647-1)
#define INT8_MAX (127)
#define INT16_MAX (32767)
#define INT32_MAX (2147483647)
#define UINT8_MAX (255)
#define UINT16_MAX (65535)
#define UINT32_MAX (4294967295U)
#define INT8_C(c) c
#define INT16_C(c) c
#define INT32_C(c) c
#define UINT8_C(c) c
#define UINT16_C(c) c
#define UINT32_C(c) c ## U
#if defined _MSC_VER || defined __APPLE__
#define INT64_C(c) c ## LL
#define UINT64_C(c) c ## ULL
#else
#define INT64_C(c) c ## L
#define UINT64_C(c) c ## UL
#endif
#if defined _MSC_VER
#define INTMAX_C(c) c ## LL
#define UINTMAX_C(c) c ## ULL
#else
#define INTMAX_C(c) c ## L
#define UINTMAX_C(c) c ## UL
#endif
#define INT64_MAX INT64_C(9223372036854775807)
#define INT64_MIN (-INT64_MAX-1)
#define UINT64_MAX UINT64_C(18446744073709551615)
#define INT_LEAST8_MIN INT8_MIN
#define INT_LEAST16_MIN INT16_MIN
#define INT_LEAST32_MIN INT32_MIN
#define INT_LEAST64_MIN INT64_MIN
#define INT_LEAST8_MAX INT8_MAX
#define INT_LEAST16_MAX INT16_MAX
#define INT_LEAST32_MAX INT32_MAX
#define INT_LEAST64_MAX INT64_MAX
#define UINT_LEAST8_MAX UINT8_MAX
#define UINT_LEAST16_MAX UINT16_MAX
#define UINT_LEAST32_MAX UINT32_MAX
#define UINT_LEAST64_MAX UINT64_MAX
#define INT_FAST8_MIN INT8_MIN
#define INT_FAST8_MAX INT8_MAX
#define UINT_FAST8_MAX UINT8_MAX
#if defined __linux__
#define INT_FAST16_MIN INT64_MIN
#define INT_FAST32_MIN INT64_MIN
#define INT_FAST16_MAX INT64_MAX
#define INT_FAST32_MAX INT64_MAX
#define UINT_FAST16_MAX UINT64_MAX
#define UINT_FAST32_MAX UINT64_MAX
#else
#define INT_FAST16_MIN INT32_MIN
#define INT_FAST32_MIN INT32_MIN
#define INT_FAST16_MAX INT32_MAX
#define INT_FAST32_MAX INT32_MAX
#define UINT_FAST16_MAX UINT32_MAX
#define UINT_FAST32_MAX UINT32_MAX
#endif
#define INT_FAST64_MIN INT64_MIN
#define INT_FAST64_MAX INT64_MAX
#define UINT_FAST64_MAX UINT64_MAX
#define INTMAX_MAX INTMAX_C(9223372036854775807)
#define INTMAX_MIN (-INTMAX_MAX-1)
#define UINTMAX_MAX UINTMAX_C(18446744073709551615)
#define INTPTR_MAX INTMAX_MAX
#define INTPTR_MIN INTMAX_MIN
#define UINTPTR_MAX UINTMAX_MAX
#define PTRDIFF_MAX INTMAX_MAX
#define PTRDIFF_MIN INTMAX_MIN
#define SIZE_MAX UINTMAX_MAX
#define SIG_ATOMIC_MIN INT32_MIN
#define SIG_ATOMIC_MAX INT32_MAX
#ifdef __WCHAR_MAX__
#define WCHAR_MAX __WCHAR_MAX__
#define WCHAR_MIN __WCHAR_MIN__
#define WINT_MAX __WINT_MAX__
#define WINT_MIN __WINT_MIN__
#else
#define WCHAR_MAX 0xffff
#define WCHAR_MIN 0
#define WINT_MAX 0xffff
#define WINT_MIN 0
#endif
#endif
#endif
`;

const STDARG = `#ifndef _STDARG_H
#ifndef __need___va_list
#define _STDARG_H
#endif
#undef __need___va_list
#ifndef __GNUC_VA_LIST
#define __GNUC_VA_LIST
typedef __builtin_va_list __gnuc_va_list;
#endif
#ifdef _STDARG_H
#define va_start(v,l) __builtin_va_start(v,l)
#define va_end(v) __builtin_va_end(v)
#define va_arg(v,l) __builtin_va_arg(v,l)
#define va_copy(d,s) __builtin_va_copy(d,s)
#define __va_copy(d,s) __builtin_va_copy(d,s)
#ifndef _VA_LIST_DEFINED
typedef __gnuc_va_list va_list;
#define _VA_LIST_DEFINED
#define _VA_LIST
#define _VA_LIST_T_H
#define __va_list__
#endif
#endif
#endif
`;

const STDBOOL = `#ifndef _STDBOOL_H
#define _STDBOOL_H
#ifndef __cplusplus
#if !defined __STDC_VERSION__ || __STDC_VERSION__ <= 201710L
#define bool _Bool
#define true 1
#define false 0
#endif
#endif
#define __bool_true_false_are_defined 1
#endif
`;

/** C17 5.2.4.2.1; glibc's adds POSIX's limits behind it. */
const LIMITS = `#ifndef _LIMITS_H___
#define _LIMITS_H___
#ifndef _GCC_LIMITS_H_
#define _GCC_LIMITS_H_
#endif
#ifndef __INT_MAX__
#define __CHAR_BIT__ 8
#define __SCHAR_MAX__ 127
#define __SHRT_MAX__ 32767
#define __INT_MAX__ 2147483647
#define __LONG_MAX__ 2147483647L
#define __LONG_LONG_MAX__ 9223372036854775807LL
#endif
#if defined __has_include_next
#if __has_include_next(<limits.h>)
#include_next <limits.h>
#endif
#endif
#undef CHAR_BIT
#define CHAR_BIT __CHAR_BIT__
#ifndef MB_LEN_MAX
#define MB_LEN_MAX 16
#endif
#undef SCHAR_MIN
#define SCHAR_MIN (-SCHAR_MAX - 1)
#undef SCHAR_MAX
#define SCHAR_MAX __SCHAR_MAX__
#undef UCHAR_MAX
#define UCHAR_MAX (SCHAR_MAX * 2 + 1)
#undef CHAR_MIN
#undef CHAR_MAX
#ifdef __CHAR_UNSIGNED__
#define CHAR_MIN 0
#define CHAR_MAX UCHAR_MAX
#else
#define CHAR_MIN SCHAR_MIN
#define CHAR_MAX SCHAR_MAX
#endif
#undef SHRT_MIN
#define SHRT_MIN (-SHRT_MAX - 1)
#undef SHRT_MAX
#define SHRT_MAX __SHRT_MAX__
#undef USHRT_MAX
#define USHRT_MAX (SHRT_MAX * 2 + 1)
#undef INT_MIN
#define INT_MIN (-INT_MAX - 1)
#undef INT_MAX
#define INT_MAX __INT_MAX__
#undef UINT_MAX
#define UINT_MAX (INT_MAX * 2U + 1U)
#undef LONG_MIN
#define LONG_MIN (-LONG_MAX - 1L)
#undef LONG_MAX
#define LONG_MAX __LONG_MAX__
#undef ULONG_MAX
#define ULONG_MAX (LONG_MAX * 2UL + 1UL)
#undef LLONG_MIN
#define LLONG_MIN (-LLONG_MAX - 1LL)
#undef LLONG_MAX
#define LLONG_MAX __LONG_LONG_MAX__
#undef ULLONG_MAX
#define ULLONG_MAX (LLONG_MAX * 2ULL + 1ULL)
#if defined __GNU_LIBRARY__ || defined __USE_GNU || defined _GNU_SOURCE
#define LONG_LONG_MIN LLONG_MIN
#define LONG_LONG_MAX LLONG_MAX
#define ULONG_LONG_MAX ULLONG_MAX
#endif
#endif
`;

const FLOAT_NAMES = ["DIG", "MANT_DIG", "MAX_10_EXP", "MAX_EXP", "MIN_10_EXP", "MIN_EXP", "DECIMAL_DIG", "MAX", "MIN", "EPSILON"];

const FLOAT = `#ifndef _FLOAT_H___
#define _FLOAT_H___
#define FLT_RADIX 2
#define FLT_EVAL_METHOD 0
#define FLT_ROUNDS 1
#ifdef __FLT_DIG__
#define DECIMAL_DIG __DECIMAL_DIG__
${
  ["FLT", "DBL", "LDBL"].flatMap((type) =>
    FLOAT_NAMES.map((name) => `#define ${type}_${name} __${type}_${name}__`)
      .concat(`#define ${type}_TRUE_MIN __${type}_DENORM_MIN__`, `#define ${type}_HAS_SUBNORM __${type}_HAS_DENORM__`)
  ).join("\n")
}
#else
#define DECIMAL_DIG 17
#define FLT_DIG 6
#define FLT_MANT_DIG 24
#define FLT_MAX_10_EXP 38
#define FLT_MAX_EXP 128
#define FLT_MIN_10_EXP (-37)
#define FLT_MIN_EXP (-125)
#define FLT_DECIMAL_DIG 9
#define FLT_MAX 3.402823466e+38F
#define FLT_MIN 1.175494351e-38F
#define FLT_EPSILON 1.192092896e-07F
#define FLT_TRUE_MIN 1.401298464e-45F
${
  ["DBL", "LDBL"].map((type) =>
    `#define ${type}_DIG 15
#define ${type}_MANT_DIG 53
#define ${type}_MAX_10_EXP 308
#define ${type}_MAX_EXP 1024
#define ${type}_MIN_10_EXP (-307)
#define ${type}_MIN_EXP (-1021)
#define ${type}_DECIMAL_DIG 17
#define ${type}_MAX 1.7976931348623158e+308
#define ${type}_MIN 2.2250738585072014e-308
#define ${type}_EPSILON 2.2204460492503131e-016
#define ${type}_TRUE_MIN 4.9406564584124654e-324`
  ).join("\n")
}
#endif
#endif
`;

const STDALIGN = `#ifndef _STDALIGN_H
#define _STDALIGN_H
#define alignas _Alignas
#define alignof _Alignof
#define __alignas_is_defined 1
#define __alignof_is_defined 1
#endif
`;

const STDNORETURN = `#ifndef _STDNORETURN_H
#define _STDNORETURN_H
#define noreturn _Noreturn
#endif
`;

const ISO646 = `#ifndef _ISO646_H
#define _ISO646_H
#define and &&
#define and_eq &=
#define bitand &
#define bitor |
#define compl ~
#define not !
#define not_eq !=
#define or ||
#define or_eq |=
#define xor ^
#define xor_eq ^=
#endif
`;

const STDATOMIC = `#ifndef _STDATOMIC_H
#define _STDATOMIC_H
#include <__lexer_types.h>
#ifndef __linux__
#include <stddef.h>
#include <stdint.h>
#endif
typedef enum {
  memory_order_relaxed, memory_order_consume, memory_order_acquire, memory_order_release, memory_order_acq_rel, memory_order_seq_cst
} memory_order;
typedef _Atomic _Bool atomic_bool;
typedef _Atomic char atomic_char;
typedef _Atomic signed char atomic_schar;
typedef _Atomic unsigned char atomic_uchar;
typedef _Atomic short atomic_short;
typedef _Atomic unsigned short atomic_ushort;
typedef _Atomic int atomic_int;
typedef _Atomic unsigned int atomic_uint;
typedef _Atomic long atomic_long;
typedef _Atomic unsigned long atomic_ulong;
typedef _Atomic long long atomic_llong;
typedef _Atomic unsigned long long atomic_ullong;
typedef _Atomic __lexer_uint16 atomic_char16_t;
typedef _Atomic __lexer_uint32 atomic_char32_t;
typedef _Atomic __lexer_wchar atomic_wchar_t;
typedef _Atomic __lexer_int8 atomic_int_least8_t;
typedef _Atomic __lexer_uint8 atomic_uint_least8_t;
typedef _Atomic __lexer_int16 atomic_int_least16_t;
typedef _Atomic __lexer_uint16 atomic_uint_least16_t;
typedef _Atomic __lexer_int32 atomic_int_least32_t;
typedef _Atomic __lexer_uint32 atomic_uint_least32_t;
typedef _Atomic __lexer_int64 atomic_int_least64_t;
typedef _Atomic __lexer_uint64 atomic_uint_least64_t;
typedef _Atomic __lexer_int8 atomic_int_fast8_t;
typedef _Atomic __lexer_uint8 atomic_uint_fast8_t;
typedef _Atomic __lexer_fast16 atomic_int_fast16_t;
typedef _Atomic __lexer_ufast16 atomic_uint_fast16_t;
typedef _Atomic __lexer_fast32 atomic_int_fast32_t;
typedef _Atomic __lexer_ufast32 atomic_uint_fast32_t;
typedef _Atomic __lexer_int64 atomic_int_fast64_t;
typedef _Atomic __lexer_uint64 atomic_uint_fast64_t;
typedef _Atomic __lexer_intptr atomic_intptr_t;
typedef _Atomic __lexer_uintptr atomic_uintptr_t;
typedef _Atomic __lexer_size atomic_size_t;
typedef _Atomic __lexer_ptrdiff atomic_ptrdiff_t;
typedef _Atomic __lexer_intmax atomic_intmax_t;
typedef _Atomic __lexer_uintmax atomic_uintmax_t;
typedef _Atomic struct { _Bool __val; } atomic_flag;
extern void atomic_thread_fence(memory_order);
extern void atomic_signal_fence(memory_order);
extern _Bool atomic_flag_test_and_set(volatile atomic_flag *);
extern _Bool atomic_flag_test_and_set_explicit(volatile atomic_flag *, memory_order);
extern void atomic_flag_clear(volatile atomic_flag *);
extern void atomic_flag_clear_explicit(volatile atomic_flag *, memory_order);
#define ATOMIC_BOOL_LOCK_FREE 2
#define ATOMIC_CHAR_LOCK_FREE 2
#define ATOMIC_CHAR16_T_LOCK_FREE 2
#define ATOMIC_CHAR32_T_LOCK_FREE 2
#define ATOMIC_WCHAR_T_LOCK_FREE 2
#define ATOMIC_SHORT_LOCK_FREE 2
#define ATOMIC_INT_LOCK_FREE 2
#define ATOMIC_LONG_LOCK_FREE 2
#define ATOMIC_LLONG_LOCK_FREE 2
#define ATOMIC_POINTER_LOCK_FREE 2
#define ATOMIC_VAR_INIT(VALUE) (VALUE)
#define ATOMIC_FLAG_INIT { 0 }
#endif
`;

/** Headers that belong to the compiler. */
export const COMPILER_HEADERS: Readonly<Record<string, string>> = {
  "__lexer_types.h": TYPES,
  "stddef.h": STDDEF,
  "stdint.h": STDINT,
  "stdarg.h": STDARG,
  "stdbool.h": STDBOOL,
  "limits.h": LIMITS,
  "float.h": FLOAT,
  "stdalign.h": STDALIGN,
  "stdnoreturn.h": STDNORETURN,
  "iso646.h": ISO646,
  "stdatomic.h": STDATOMIC,
  "varargs.h": '#error "varargs.h is not supported: use stdarg.h"\n',
};

/** The header that declares each type, made when it is first asked for. */
let headers: Map<string, string> | null = null;

/** The standard header that declares a type, null for a name that none does. */
export function headerOf(name: string): string | null {
  headers ??= declaredTypes();
  return headers.get(name) ?? null;
}

function declaredTypes(): Map<string, string> {
  const found = new Map<string, string>();
  for (const [header, text] of Object.entries({ ...COMPILER_HEADERS, ...HOSTED_HEADERS })) {
    if (header.startsWith("__")) continue;
    for (const [, type, macro] of text.matchAll(/^(?:typedef\b.*\b(\w+);|# *define (\w+) )/gm)) {
      const name = type ?? macro;
      if (!found.has(name)) found.set(name, header);
    }
  }
  return found;
}
