/**
 * The targets: sizes, alignments, the rules that differ, and the macros that the target's compiler predefines.
 *
 * Linux and macOS are LP64, Windows is LLP64. Sources: the System V psABI for x86-64 and AArch64, Apple's arm64 ABI notes, Microsoft's x64 and
 * ARM64 conventions; the macros are gcc 12's for Linux, clang's for macOS, MSVC's for Windows.
 *
 * @module
 */

import type { BasicName, TargetName } from "./model.ts";
import type { BuiltIn } from "../preprocess/macro.ts";

/** What layout and evaluation need to know of a target. */
export interface Target {
  readonly name: TargetName;
  readonly os: "linux" | "macos" | "windows";
  readonly arch: "x86_64" | "aarch64";
  readonly charSigned: boolean;
  /** Size and alignment of every basic type, in bytes. */
  readonly sizes: Readonly<Record<BasicName, readonly [size: number, align: number]>>;
  /** The types behind `size_t`, `ptrdiff_t` and `wchar_t`. */
  readonly sizeType: BasicName;
  readonly ptrdiffType: BasicName;
  readonly wcharType: BasicName;
  /** Microsoft's record layout; else the Itanium rules of gcc and clang. */
  readonly microsoft: boolean;
  /** An unnamed bit-field raises the record's alignment too (AAPCS64). */
  readonly unnamedBitFieldsAlign: boolean;
  /** Enums without negative values are unsigned. */
  readonly unsignedEnums: boolean;
  /** The alignment of a plain `__attribute__((aligned))`. */
  readonly maxAlign: number;
}

const SIZES: Readonly<Record<BasicName, readonly [number, number]>> = {
  "void": [1, 1], // GNU C: sizeof(void) is 1
  "_Bool": [1, 1],
  "char": [1, 1],
  "signed char": [1, 1],
  "unsigned char": [1, 1],
  "short": [2, 2],
  "unsigned short": [2, 2],
  "int": [4, 4],
  "unsigned int": [4, 4],
  "long": [8, 8],
  "unsigned long": [8, 8],
  "long long": [8, 8],
  "unsigned long long": [8, 8],
  "__int128": [16, 16],
  "unsigned __int128": [16, 16],
  "_Float16": [2, 2],
  "__bf16": [2, 2],
  "float": [4, 4],
  "double": [8, 8],
  "long double": [16, 16],
  "_Float32": [4, 4],
  "_Float64": [8, 8],
  "_Float128": [16, 16],
  "_Float32x": [8, 8],
  "_Float64x": [16, 16],
  "_Complex float": [8, 4],
  "_Complex double": [16, 8],
  "_Complex long double": [32, 16],
  "_Complex _Float16": [4, 2],
  "_Complex _Float32": [8, 4],
  "_Complex _Float64": [16, 8],
  "_Complex _Float128": [32, 16],
  "_Complex _Float32x": [16, 8],
  "_Complex _Float64x": [32, 16],
  // GNU C has complex integers too.
  "_Complex char": [2, 1],
  "_Complex signed char": [2, 1],
  "_Complex unsigned char": [2, 1],
  "_Complex short": [4, 2],
  "_Complex unsigned short": [4, 2],
  "_Complex int": [8, 4],
  "_Complex unsigned int": [8, 4],
  "_Complex long": [16, 8],
  "_Complex unsigned long": [16, 8],
  "_Complex long long": [16, 8],
  "_Complex unsigned long long": [16, 8],
  "__builtin_va_list": [24, 8],
  "nullptr_t": [8, 8],
};

function target(name: TargetName): Target {
  const [arch, os] = name.split("-") as [Target["arch"], Target["os"]];
  const arm = arch === "aarch64";
  const windows = os === "windows";
  const shortLongDouble = windows || (arm && os === "macos");
  const sizes = {
    ...SIZES,
    ...(windows
      ? {
        "long": [4, 4] as const,
        "unsigned long": [4, 4] as const,
        "_Complex long": [8, 4] as const,
        "_Complex unsigned long": [8, 4] as const,
      }
      : {}),
    ...(shortLongDouble
      ? {
        "long double": [8, 8] as const,
        "_Complex long double": [16, 8] as const,
        "_Float64x": [8, 8] as const,
        "_Complex _Float64x": [16, 8] as const,
      }
      : {}),
    "__builtin_va_list": windows || (arm && os === "macos") ? [8, 8] as const : arm ? [32, 8] as const : [24, 8] as const,
  };
  return {
    name,
    os,
    arch,
    charSigned: !(arm && os === "linux"),
    sizes,
    sizeType: windows ? "unsigned long long" : "unsigned long",
    ptrdiffType: windows ? "long long" : "long",
    wcharType: windows ? "unsigned short" : arm && os === "linux" ? "unsigned int" : "int",
    microsoft: windows,
    unnamedBitFieldsAlign: arm && os === "linux",
    unsignedEnums: !windows,
    maxAlign: 16,
  };
}

const NAMES: readonly TargetName[] = [
  "x86_64-linux",
  "aarch64-linux",
  "x86_64-macos",
  "aarch64-macos",
  "x86_64-windows",
  "aarch64-windows",
];

/** Every target by name. */
export const TARGETS: Readonly<Record<TargetName, Target>> = Object.fromEntries(NAMES.map((name) => [name, target(name)])) as Record<
  TargetName,
  Target
>;

/** The target that this process runs on; x86-64 Linux where it is none of ours. */
export function hostTarget(): TargetName {
  const os = Deno.build.os === "darwin" ? "macos" : Deno.build.os === "windows" ? "windows" : "linux";
  return `${Deno.build.arch}-${os}`;
}

/** The target that a name means: `x86_64-linux`, or what compilers and Deno call it, such as `arm64-apple-darwin`. Null if there is none. */
export function targetNamed(name: string): TargetName | null {
  const words = name.toLowerCase().split("-");
  const find = (names: Readonly<Record<string, string>>) =>
    words.map((word) => names[word.replace(/[\d.]+$/, "")] ?? names[word]).find(Boolean);
  const arch = find({ "x86_64": "x86_64", "amd64": "x86_64", "x64": "x86_64", "aarch64": "aarch64", "arm64": "aarch64" });
  const os = find({ linux: "linux", macos: "macos", darwin: "macos", macosx: "macos", windows: "windows", win: "windows" });
  const target = `${arch}-${os}` as TargetName;
  return target in TARGETS ? target : null;
}

/** Names of the built-in macros. Microsoft's and gcc's compilers have no `__has_feature`, and headers ask whether it is there. */
export function builtInsOf(target: Target): BuiltIn[] {
  const names: BuiltIn[] = [
    "__FILE__",
    "__LINE__",
    "__COUNTER__",
    "__DATE__",
    "__TIME__",
    "__TIMESTAMP__",
    "_Pragma",
    "__has_include",
  ];
  if (target.microsoft) return [...names, "__pragma"];
  names.push(
    "__BASE_FILE__",
    "__FILE_NAME__",
    "__INCLUDE_LEVEL__",
    "__has_include_next",
    "__has_attribute",
    "__has_c_attribute",
    "__has_builtin",
  );
  if (target.os === "linux") return [...names, "__has_cpp_attribute"];
  return [...names, "__has_feature", "__has_extension", "__has_declspec_attribute", "__has_warning"];
}

/** The predefined macros: those without parameters by name, which are made when the name is first met, and the text of the others. */
export interface Predefined {
  readonly objects: ReadonlyMap<string, string>;
  readonly text: string;
}

const known = new Map<TargetName, Predefined>();

/** The macros that the target's compiler predefines. */
export function predefined(target: Target): Predefined {
  let made = known.get(target.name);
  if (made === undefined) known.set(target.name, made = collect(target));
  return made;
}

function collect(target: Target): Predefined {
  const objects = new Map<string, string>();
  let text = "";
  const define = (list: string) => {
    for (const entry of list.split(";")) {
      const space = entry.indexOf(" ");
      const name = space < 0 ? entry : entry.slice(0, space);
      if (name.endsWith(")")) text += `#define ${entry}\n`;
      else if (name !== "") objects.set(name, space < 0 ? "" : entry.slice(space + 1));
    }
  };
  if (target.microsoft) {
    define("_WIN32 1;_WIN64 1;_MSC_VER 1939;_MSC_FULL_VER 193933523;_MSC_BUILD 0;_MSC_EXTENSIONS 1;_MT 1;_DLL 1;_INTEGRAL_MAX_BITS 64");
    define(
      "__STDC_VERSION__ 201710L;__STDC_HOSTED__ 1;__STDC_NO_ATOMICS__ 1;__STDC_NO_VLA__ 1;__STDC_NO_THREADS__ 1;_NATIVE_WCHAR_T_DEFINED 1",
    );
    define(target.arch === "x86_64" ? "_M_X64 100;_M_AMD64 100;_M_FP_PRECISE 1" : "_M_ARM64 1;_M_FP_PRECISE 1");
    return { objects, text };
  }
  define(target.os === "linux" ? LINUX : MACOS);
  define(COMMON);
  define(target.arch === "x86_64" ? X86_64 : AARCH64);
  if (target.arch === "aarch64" && target.os === "linux") define("__CHAR_UNSIGNED__ 1;__WCHAR_UNSIGNED__ 1");
  define(intTypes(target));
  define(floats(target));
  return { objects, text };
}

const COMMON = "__STDC__ 1;__STDC_VERSION__ 201710L;__STDC_HOSTED__ 1;__STDC_UTF_16__ 1;__STDC_UTF_32__ 1;__LP64__ 1;_LP64 1;" +
  "__CHAR_BIT__ 8;__BIGGEST_ALIGNMENT__ 16;__ORDER_LITTLE_ENDIAN__ 1234;__ORDER_BIG_ENDIAN__ 4321;__ORDER_PDP_ENDIAN__ 3412;" +
  "__BYTE_ORDER__ __ORDER_LITTLE_ENDIAN__;__FLOAT_WORD_ORDER__ __ORDER_LITTLE_ENDIAN__;__NO_INLINE__ 1;__FINITE_MATH_ONLY__ 0;" +
  "__ATOMIC_RELAXED 0;__ATOMIC_CONSUME 1;__ATOMIC_ACQUIRE 2;__ATOMIC_RELEASE 3;__ATOMIC_ACQ_REL 4;__ATOMIC_SEQ_CST 5;" +
  "__GCC_HAVE_SYNC_COMPARE_AND_SWAP_1 1;__GCC_HAVE_SYNC_COMPARE_AND_SWAP_2 1;__GCC_HAVE_SYNC_COMPARE_AND_SWAP_4 1;" +
  "__GCC_HAVE_SYNC_COMPARE_AND_SWAP_8 1;__GCC_ATOMIC_BOOL_LOCK_FREE 2;__GCC_ATOMIC_CHAR_LOCK_FREE 2;__GCC_ATOMIC_CHAR16_T_LOCK_FREE 2;" +
  "__GCC_ATOMIC_CHAR32_T_LOCK_FREE 2;__GCC_ATOMIC_WCHAR_T_LOCK_FREE 2;__GCC_ATOMIC_SHORT_LOCK_FREE 2;__GCC_ATOMIC_INT_LOCK_FREE 2;" +
  "__GCC_ATOMIC_LONG_LOCK_FREE 2;__GCC_ATOMIC_LLONG_LOCK_FREE 2;__GCC_ATOMIC_POINTER_LOCK_FREE 2;__GCC_ATOMIC_TEST_AND_SET_TRUEVAL 1;" +
  "__REGISTER_PREFIX__;__PRAGMA_REDEFINE_EXTNAME 1;__GNUC_STDC_INLINE__ 1;__PIC__ 2;__pic__ 2;__FLT_RADIX__ 2;__FLT_EVAL_METHOD__ 0";

const LINUX = '__GNUC__ 12;__GNUC_MINOR__ 2;__GNUC_PATCHLEVEL__ 0;__VERSION__ "12.2.0";__GXX_ABI_VERSION 1017;__ELF__ 1;' +
  "__gnu_linux__ 1;__linux 1;__linux__ 1;linux 1;__unix 1;__unix__ 1;unix 1;__USER_LABEL_PREFIX__;_STDC_PREDEF_H 1;" +
  "__STDC_IEC_559__ 1;__STDC_IEC_559_COMPLEX__ 1;__STDC_IEC_60559_BFP__ 201404L;__STDC_IEC_60559_COMPLEX__ 201404L;" +
  "__STDC_ISO_10646__ 201706L;__GCC_IEC_559 2;__GCC_IEC_559_COMPLEX 2;__GCC_ASM_FLAG_OUTPUTS__ 1;__GCC_HAVE_DWARF2_CFI_ASM 1;" +
  '__GCC_CONSTRUCTIVE_SIZE 64;__GCC_DESTRUCTIVE_SIZE 64;__GNUC_EXECUTION_CHARSET_NAME "UTF-8";__GNUC_WIDE_EXECUTION_CHARSET_NAME "UTF-32LE";' +
  "__HAVE_SPECULATION_SAFE_VALUE 1;__PIE__ 2;__pie__ 2;__FLT_EVAL_METHOD_TS_18661_3__ 0;__DEC_EVAL_METHOD__ 2;__DECIMAL_BID_FORMAT__ 1";

const MACOS = "__GNUC__ 4;__GNUC_MINOR__ 2;__GNUC_PATCHLEVEL__ 1;__clang__ 1;__clang_major__ 15;__clang_minor__ 0;__clang_patchlevel__ 0;" +
  '__clang_version__ "15.0.0";__llvm__ 1;__APPLE__ 1;__APPLE_CC__ 6000;__MACH__ 1;__DYNAMIC__ 1;__USER_LABEL_PREFIX__ _;' +
  "__ENVIRONMENT_MAC_OS_X_VERSION_MIN_REQUIRED__ 140000;__ENVIRONMENT_OS_VERSION_MIN_REQUIRED__ 140000;__STDC_NO_THREADS__ 1;" +
  '__VERSION__ "Apple LLVM 15.0.0";__BLOCKS__ 1';

const X86_64 =
  "__x86_64 1;__x86_64__ 1;__amd64 1;__amd64__ 1;__k8 1;__k8__ 1;__code_model_small__ 1;__MMX__ 1;__MMX_WITH_SSE__ 1;__SSE__ 1;" +
  "__SSE2__ 1;__SSE_MATH__ 1;__SSE2_MATH__ 1;__FXSR__ 1;__SEG_FS 1;__SEG_GS 1;__SIZEOF_FLOAT80__ 16;__ATOMIC_HLE_ACQUIRE 65536;" +
  "__ATOMIC_HLE_RELEASE 131072";

const AARCH64 =
  "__aarch64__ 1;__ARM_64BIT_STATE 1;__ARM_ARCH 8;__ARM_ARCH_8A 1;__ARM_ARCH_PROFILE 65;__ARM_ARCH_ISA_A64 1;__ARM_NEON 1;__ARM_FP 14;" +
  "__ARM_PCS_AAPCS64 1;__ARM_SIZEOF_WCHAR_T 4;__ARM_SIZEOF_MINIMAL_ENUM 4;__ARM_FEATURE_FMA 1;__ARM_FEATURE_CLZ 1;__ARM_FEATURE_IDIV 1;" +
  "__ARM_FEATURE_UNALIGNED 1;__ARM_FEATURE_NUMERIC_MAXMIN 1;__ARM_ALIGN_MAX_PWR 28;__ARM_ALIGN_MAX_STACK_PWR 16;__AARCH64EL__ 1;" +
  "__AARCH64_CMODEL_SMALL__ 1;__ARM_FP16_FORMAT_IEEE 1;__ARM_FP16_ARGS 1;__GCC_HAVE_SYNC_COMPARE_AND_SWAP_16 1";

/** The macros about integer types, spelled as the compiler spells them. */
function intTypes(target: Target): string {
  const mac = target.os === "macos";
  const unsignedWchar = target.wcharType === "unsigned int";
  const int64 = mac ? "long long int" : "long int";
  const uint64 = mac ? "long long unsigned int" : "long unsigned int";
  const l64 = mac ? "LL" : "L";
  const ul64 = mac ? "ULL" : "UL";
  const max = "0x7fffffffffffffff";
  const umax = "0xffffffffffffffff";
  const out: string[] = [];
  const types = (name: string, type: string, limit: string, utype: string, ulimit: string, width: number | null) => {
    out.push(`__${name}_TYPE__ ${type}`, `__${name}_MAX__ ${limit}`, `__U${name}_TYPE__ ${utype}`, `__U${name}_MAX__ ${ulimit}`);
    if (width !== null) out.push(`__${name}_WIDTH__ ${width}`);
  };
  const small = [["8", "signed char", "0x7f", "unsigned char", "0xff"], ["16", "short int", "0x7fff", "short unsigned int", "0xffff"]];
  for (const [bits, type, limit, utype, ulimit] of small) {
    types(`INT${bits}`, type, limit, utype, ulimit, null);
    types(`INT_LEAST${bits}`, type, limit, utype, ulimit, Number(bits));
  }
  types("INT32", "int", "0x7fffffff", "unsigned int", "0xffffffffU", null);
  types("INT_LEAST32", "int", "0x7fffffff", "unsigned int", "0xffffffffU", 32);
  types("INT64", int64, max + l64, uint64, umax + ul64, null);
  types("INT_LEAST64", int64, max + l64, uint64, umax + ul64, 64);
  types("INT_FAST8", "signed char", "0x7f", "unsigned char", "0xff", 8);
  if (mac) {
    types("INT_FAST16", "short int", "0x7fff", "short unsigned int", "0xffff", 16);
    types("INT_FAST32", "int", "0x7fffffff", "unsigned int", "0xffffffffU", 32);
  } else {
    types("INT_FAST16", "long int", max + "L", "long unsigned int", umax + "UL", 64);
    types("INT_FAST32", "long int", max + "L", "long unsigned int", umax + "UL", 64);
  }
  types("INT_FAST64", int64, max + l64, uint64, umax + ul64, 64);
  types("INTMAX", "long int", max + "L", "long unsigned int", umax + "UL", 64);
  types("INTPTR", "long int", max + "L", "long unsigned int", umax + "UL", 64);
  out.push(
    "__INT8_C(c) c;__UINT8_C(c) c;__INT16_C(c) c;__UINT16_C(c) c;__INT32_C(c) c;__UINT32_C(c) c ## U",
    `__INT64_C(c) c ## ${l64};__UINT64_C(c) c ## ${ul64};__INTMAX_C(c) c ## L;__UINTMAX_C(c) c ## UL`,
    "__SIZE_TYPE__ long unsigned int;__SIZE_MAX__ 0xffffffffffffffffUL;__SIZE_WIDTH__ 64",
    "__PTRDIFF_TYPE__ long int;__PTRDIFF_MAX__ 0x7fffffffffffffffL;__PTRDIFF_WIDTH__ 64",
    unsignedWchar
      ? "__WCHAR_TYPE__ unsigned int;__WCHAR_MAX__ 0xffffffffU;__WCHAR_MIN__ 0U;__WCHAR_WIDTH__ 32"
      : "__WCHAR_TYPE__ int;__WCHAR_MAX__ 0x7fffffff;__WCHAR_MIN__ (-__WCHAR_MAX__ - 1);__WCHAR_WIDTH__ 32",
    mac
      ? "__WINT_TYPE__ int;__WINT_MAX__ 0x7fffffff;__WINT_MIN__ (-__WINT_MAX__ - 1);__WINT_WIDTH__ 32"
      : "__WINT_TYPE__ unsigned int;__WINT_MAX__ 0xffffffffU;__WINT_MIN__ 0U;__WINT_WIDTH__ 32",
    "__CHAR16_TYPE__ short unsigned int;__CHAR32_TYPE__ unsigned int",
    "__SIG_ATOMIC_TYPE__ int;__SIG_ATOMIC_MAX__ 0x7fffffff;__SIG_ATOMIC_MIN__ (-__SIG_ATOMIC_MAX__ - 1);__SIG_ATOMIC_WIDTH__ 32",
    "__SCHAR_MAX__ 0x7f;__SCHAR_WIDTH__ 8;__SHRT_MAX__ 0x7fff;__SHRT_WIDTH__ 16;__INT_MAX__ 0x7fffffff;__INT_WIDTH__ 32",
    "__LONG_MAX__ 0x7fffffffffffffffL;__LONG_WIDTH__ 64;__LONG_LONG_MAX__ 0x7fffffffffffffffLL;__LONG_LONG_WIDTH__ 64",
    "__SIZEOF_INT__ 4;__SIZEOF_LONG__ 8;__SIZEOF_LONG_LONG__ 8;__SIZEOF_SHORT__ 2;__SIZEOF_FLOAT__ 4;__SIZEOF_DOUBLE__ 8",
    `__SIZEOF_LONG_DOUBLE__ ${target.sizes["long double"][0]};__SIZEOF_SIZE_T__ 8;__SIZEOF_POINTER__ 8;__SIZEOF_PTRDIFF_T__ 8`,
    "__SIZEOF_WCHAR_T__ 4;__SIZEOF_WINT_T__ 4;__SIZEOF_INT128__ 16",
    mac ? "" : "__SIZEOF_FLOAT128__ 16",
  );
  return out.join(";");
}

/** The limits of floating types, in the order digits … min. */
const FLOAT_LIMITS = {
  binary32: {
    ints: "DIG 6;MANT_DIG 24;MAX_10_EXP 38;MAX_EXP 128;MIN_10_EXP (-37);MIN_EXP (-125);DECIMAL_DIG 9",
    max: "3.40282346638528859811704183484516925e+38",
    min: "1.17549435082228750796873653722224568e-38",
    epsilon: "1.19209289550781250000000000000000000e-7",
    denorm: "1.40129846432481707092372958328991613e-45",
  },
  binary64: {
    ints: "DIG 15;MANT_DIG 53;MAX_10_EXP 308;MAX_EXP 1024;MIN_10_EXP (-307);MIN_EXP (-1021);DECIMAL_DIG 17",
    max: "1.79769313486231570814527423731704357e+308",
    min: "2.22507385850720138309023271733240406e-308",
    epsilon: "2.22044604925031308084726333618164062e-16",
    denorm: "4.94065645841246544176568792868221372e-324",
  },
  x87: {
    ints: "DIG 18;MANT_DIG 64;MAX_10_EXP 4932;MAX_EXP 16384;MIN_10_EXP (-4931);MIN_EXP (-16381);DECIMAL_DIG 21",
    max: "1.18973149535723176502126385303097021e+4932",
    min: "3.36210314311209350626267781732175260e-4932",
    epsilon: "1.08420217248550443400745280086994171e-19",
    denorm: "3.64519953188247460252840593361941982e-4951",
  },
  binary128: {
    ints: "DIG 33;MANT_DIG 113;MAX_10_EXP 4932;MAX_EXP 16384;MIN_10_EXP (-4931);MIN_EXP (-16381);DECIMAL_DIG 36",
    max: "1.18973149535723176508575932662800702e+4932",
    min: "3.36210314311209350626267781732175260e-4932",
    epsilon: "1.92592994438723585305597794258492732e-34",
    denorm: "6.47517511943802511092443895822764655e-4966",
  },
} as const;

function floats(target: Target): string {
  const out: string[] = [];
  const limits = (prefix: string, format: keyof typeof FLOAT_LIMITS, suffix: string, cast: boolean) => {
    const f = FLOAT_LIMITS[format];
    for (const entry of f.ints.split(";")) out.push(`__${prefix}_${entry.replace(" ", "__ ")}`);
    const value = (digits: string) => cast ? `((double)${digits}L)` : digits + suffix;
    out.push(
      `__${prefix}_MAX__ ${value(f.max)}`,
      `__${prefix}_NORM_MAX__ ${value(f.max)}`,
      `__${prefix}_MIN__ ${value(f.min)}`,
      `__${prefix}_EPSILON__ ${value(f.epsilon)}`,
      `__${prefix}_DENORM_MIN__ ${value(f.denorm)}`,
      `__${prefix}_HAS_DENORM__ 1;__${prefix}_HAS_INFINITY__ 1;__${prefix}_HAS_QUIET_NAN__ 1`,
    );
    if (target.os === "linux") out.push(`__${prefix}_IS_IEC_60559__ 2`);
  };
  const long = target.sizes["long double"][0] === 8 ? "binary64" : target.arch === "x86_64" ? "x87" : "binary128";
  limits("FLT", "binary32", "F", false);
  limits("DBL", "binary64", "", target.os === "linux");
  limits("LDBL", long, "L", false);
  out.push(`__DECIMAL_DIG__ ${long === "binary64" ? 17 : long === "x87" ? 21 : 36}`);
  if (target.os === "linux") {
    limits("FLT32", "binary32", "F32", false);
    limits("FLT64", "binary64", "F64", false);
    limits("FLT128", "binary128", "F128", false);
    limits("FLT32X", "binary64", "F32x", false);
    limits("FLT64X", long, "F64x", false);
    out.push(
      "__FLT16_DIG__ 3;__FLT16_MANT_DIG__ 11;__FLT16_MAX_10_EXP__ 4;__FLT16_MAX_EXP__ 16;__FLT16_MIN_10_EXP__ (-4);__FLT16_MIN_EXP__ (-13)",
      "__FLT16_DECIMAL_DIG__ 5;__FLT16_MAX__ 6.55040000000000000000000000000000000e+4F16;__FLT16_NORM_MAX__ 6.55040000000000000000000000000000000e+4F16",
      "__FLT16_MIN__ 6.10351562500000000000000000000000000e-5F16;__FLT16_EPSILON__ 9.76562500000000000000000000000000000e-4F16",
      "__FLT16_DENORM_MIN__ 5.96046447753906250000000000000000000e-8F16;__FLT16_HAS_DENORM__ 1;__FLT16_HAS_INFINITY__ 1",
      "__FLT16_HAS_QUIET_NAN__ 1;__FLT16_IS_IEC_60559__ 2",
    );
  }
  return out.join(";");
}
