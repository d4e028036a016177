import { assertEquals } from "@std/assert";
import { parse, printType, type TargetName } from "../../lexer/mod.ts";
import { resolve } from "../../lexer/model/types.ts";
import { messages, model } from "./helpers.ts";

/** Functions, variables and typedefs of a header, printed back. */
function declared(text: string): string[] {
  const { functions, variables, typedefs } = model(text);
  return [
    ...typedefs.map((t) => `typedef ${printType(t.type, t.name)}`),
    ...[...functions, ...variables].map((d) => printType(d.type, d.name)),
  ];
}

Deno.test("declarators read inside out", () => {
  for (
    const text of [
      "int x",
      "int *p",
      "const char *const *p",
      "int a[3][4]",
      "int (*p)[4]",
      "int *a[4]",
      "void f(void)",
      "int (*f(int))(char)",
      "void (*signal(int, void (*)(int)))(int)",
      "int (*(*f)(void))[3]",
      "int (*(*a[2])(int, ...))(void)",
      "char *(*(*x[3])(void))[5]",
      "_Bool f(unsigned long long, long double, ...)",
    ]
  ) assertEquals(declared(`${text};`), [text]);
});

Deno.test("the words of a basic type come in any order", () => {
  const type = (words: string) => declared(`${words} x;`)[0];
  assertEquals(type("long unsigned int long"), "unsigned long long x");
  assertEquals(type("int short"), "short x");
  assertEquals(type("char signed"), "signed char x");
  assertEquals(type("double long"), "long double x");
  assertEquals(type("unsigned"), "unsigned int x");
  assertEquals(type("__int128 unsigned"), "unsigned __int128 x");
  assertEquals(type("_Complex float"), "_Complex float x");
  assertEquals(type("double _Complex"), "_Complex double x");
  assertEquals(type("short _Complex unsigned"), "_Complex unsigned short x");
  assertEquals(type("int const volatile"), "const volatile int x");
  assertEquals(type("_Float16"), "_Float16 x");
  assertEquals(type("unsigned _BitInt(7)"), "unsigned _BitInt(7) x");
  assertEquals(type("_Atomic(int)"), "_Atomic int x");
});

Deno.test("combinations that are no type are errors", () => {
  for (
    const words of [
      "long char",
      "short long",
      "unsigned float",
      "long long long",
      "signed unsigned char",
      "int char",
      "void int",
      "long struct s",
      "int int",
      "short short",
      "char char",
      "double double",
    ]
  ) {
    assertEquals(messages(`${words} x;`).length > 0, true, words);
  }
  assertEquals(messages("short int int x;\nstruct s { int x; } void;"), [
    "1:11: error: 'int' stands twice in one type",
    "2:21: error: expected a name or ';' after 'struct s', got 'void'",
  ]);
});

Deno.test("a ';' that is missing after a struct, a union or an enum is asked for", () => {
  const first = (text: string) => messages(text)[0];
  assertEquals(first("struct s { int x; }\nint f(void);"), "2:1: error: expected a name or ';' after 'struct s', got 'int'");
  assertEquals(first("struct s\nextern struct t *f(void);"), "2:8: error: expected a name or ';' after 'struct s', got 'struct'");
  assertEquals(first("union { int x; }\nlong y;"), "2:1: error: expected a name or ';' after the union, got 'long'");
  assertEquals(first("enum e { A }\nenum f { B };"), "2:1: error: expected a name or ';' after 'enum e', got 'enum'");
  assertEquals(first("struct s { enum e { A }\nunsigned x; };"), "2:1: error: expected a name or ';' after 'enum e', got 'unsigned'");
});

Deno.test("parameters are adjusted: arrays and functions are pointers, (void) is none", () => {
  assertEquals(declared("void f(int a[static 3], char b[const 2][4], void c(int), int d[*]);"), [
    "void f(int *, char (*const)[4], void (*)(int), int *)",
  ]);
  assertEquals(
    declared("typedef int v[4]; typedef void fn(void); void f(v, fn, const v);").at(-1),
    "void f(int *, fn *, const int *)",
  );
  assertEquals(declared("typedef void nothing; int f(nothing);").at(-1), "int f(void)");
});

Deno.test("parameters hide typedefs to the end of their list, and their names may size arrays", () => {
  assertEquals(declared("typedef int T; void f(int T, int n, double a[n], int b[T]); T g;").slice(1), [
    "void f(int, int, double *, int *)",
    "T g",
  ]);
  assertEquals(messages("typedef int T; void f(int T, T x);"), ["1:30: error: unknown type name 'T'"]);
});

Deno.test("old styles: empty lists and K&R definitions", () => {
  const { functions } = model("int f(); int g(a, b) int a; char *b; { return a; } int h(void);");
  assertEquals(functions.map((f) => [f.name, f.type.prototype, f.inline]), [["f", false, false], ["g", false, true], ["h", true, false]]);
});

Deno.test("bodies are skipped, whatever they hold", () => {
  const { functions } = model("static inline int f(int x) { if (x) { char c = '}'; return \"}\"[0]; } return ({ 1; }); }\nint g(void);");
  assertEquals(functions.map((f) => [f.name, f.inline]), [["f", true], ["g", false]]);
});

Deno.test("structs nest, with anonymous members, bit-fields and flexible arrays", () => {
  const { records } = model(
    `struct s { int a; struct { char b; union { short c; long d; }; }; unsigned e : 3, : 0, f : 1; struct t { int g; } h[2]; char i[]; };`,
  );
  const s = records.find((r) => r.name === "s")!;
  assertEquals(s.fields.map((f) => [f.name, f.offset]), [["a", 0], [null, 8], ["e", 24], ["f", 28], ["h", 32], ["i", 40]]);
  assertEquals([s.size, s.align], [40, 8]);
  assertEquals(records.map((r) => r.name), ["s", null, null, "t"]);
});

Deno.test("a tagless record takes the name of its typedef, the first plain one", () => {
  const { records } = model("typedef struct { int x; } A, *B; typedef union { int y; } *C;");
  assertEquals(records.map((r) => r.alias), ["A", null]);
});

Deno.test("forward declarations are completed in place", () => {
  const { records, functions } = model("struct s; void f(struct s *); struct s { int x; }; struct never; union u *g(void);");
  assertEquals(records.map((r) => [r.name, r.size]), [["s", 4], ["never", null], ["u", null]]);
  const to = functions[0].type.parameters[0].type;
  assertEquals(to.kind === "pointer" && to.to.kind === "record" && to.to.record === records[0], true);
});

Deno.test("enums: values, types as gcc chooses them, an underlying type", () => {
  const { enums } = model(`enum a { A0, A1 = 5, A2 }; enum b { B = -1 }; enum c { C = 0x80000000 }; enum d { D = 1LL << 40, D2 = -1 };
    enum __attribute__((packed)) e { E = 200 }; enum f : unsigned char { F = 1 }; enum { G = A2 * 2, };`);
  assertEquals(enums.map((e) => [e.name, e.type.name, ...e.values.map((v) => v.value)]), [
    ["a", "unsigned int", 0n, 5n, 6n],
    ["b", "int", -1n],
    ["c", "unsigned int", 0x80000000n],
    ["d", "long", 1099511627776n, -1n],
    ["e", "unsigned char", 200n],
    ["f", "unsigned char", 1n],
    [null, "unsigned int", 12n],
  ]);
});

Deno.test("attributes stand in all their places", () => {
  const { functions, records } = model(`
    __attribute__((visibility("default"))) extern int f(int) __attribute__((deprecated("use g"), nothrow));
    extern int g(const char *, ...) __attribute__((__format__(__printf__, 1, 2)));
    [[noreturn]] void h(void);
    _Noreturn void i(void) __asm__("real_" "i");
    [[deprecated("old")]] [[gnu::cold]] int j(void);
    struct __attribute__((packed)) p { char a; int b; };
    struct q { char a; int b __attribute__((aligned(16))); } __attribute__((aligned(64)));
    int k(int x __attribute__((unused)));
    void *l(void) __attribute__((malloc, alloc_size(1), nonnull(1)));`);
  const by = (name: string) => functions.find((f) => f.name === name)!;
  assertEquals(by("f").deprecated, "use g");
  assertEquals(by("g").format, { archetype: "printf", format: 1, first: 2 });
  assertEquals([by("h").noreturn, by("i").noreturn, by("i").symbol], [true, true, "real_i"]);
  assertEquals(by("j").deprecated, "old");
  assertEquals(records.map((r) => [r.name, r.size, r.align]), [["p", 5, 1], ["q", 64, 64]]);
});

Deno.test("mode: integers as wide as the target has them, complex ones, vectors; an unknown one is an error", () => {
  const of = (type: string, mode: string, target: TargetName = "x86_64-linux") =>
    printType(model(`typedef ${type} T __attribute__((mode(${mode})));`, { target }).typedefs[0].type);
  assertEquals(of("_Complex float", "TC"), "_Complex _Float128");
  assertEquals(of("_Complex double", "__SC__"), "_Complex float");
  assertEquals(of("unsigned", "QI"), "unsigned char");
  assertEquals(["DI", "word", "__pointer__"].map((mode) => of("int", mode)), ["long", "long", "long"]);
  assertEquals(of("unsigned", "pointer", "x86_64-windows"), "unsigned long long");
  assertEquals([of("float", "V4SF"), of("unsigned", "V2DI")], [
    "__attribute__((vector_size(16))) float",
    "__attribute__((vector_size(16))) unsigned long",
  ]);
  assertEquals(messages("typedef int T __attribute__((mode(NO)));"), ["1:35: error: unknown machine mode 'NO'"]);
});

Deno.test("gcc's types of both lists of arguments, and its stdatomic.h, which declares nothing of stddef.h", () => {
  const { typedefs, constants } = model(
    "#include <stdatomic.h>\n#define N ATOMIC_INT_LOCK_FREE\ntypedef __builtin_ms_va_list T;\ntypedef __builtin_sysv_va_list U;",
  );
  const type = (name: string) => typedefs.filter((typedef) => typedef.name === name).map(({ type }) => printType(resolve(type)));
  assertEquals([type("T"), type("U"), type("atomic_size_t"), type("size_t")], [
    ["char *"],
    ["__builtin_va_list"],
    ["_Atomic unsigned long"],
    [],
  ]);
  assertEquals(constants.map(({ value }) => value), [2n]);
});

Deno.test("attributes are words with commas between them; __declspec has spaces", () => {
  assertEquals(model("struct s { char c; } __attribute__((, packed, aligned(), ));").records[0].size, 16);
  assertEquals(model("__declspec(dllimport noreturn) void f(void);", { target: "x86_64-windows" }).functions[0].noreturn, true);
  assertEquals(
    ["__attribute__((packed aligned(8))) int x;", "[[deprecated nodiscard]] int x;", '__attribute__((cold "s")) int x;'].map((text) =>
      messages(text)[0]
    ),
    [
      "1:23: error: expected ',' or ')' after the attribute 'packed', got 'aligned'",
      "1:14: error: expected ',' or ']' after the attribute 'deprecated', got 'nodiscard'",
      "1:21: error: expected an attribute, ',' or ')', got '\"s\"'",
    ],
  );
});

Deno.test("storage classes stand where C has them, one in a declaration", () => {
  assertEquals(
    [
      "struct s { static int x; };",
      "int f(int a, extern int b);",
      "typedef static int T;",
    ].flatMap((text) => messages(text)),
    [
      "1:12: error: a member of a struct or union has no storage class",
      "1:14: error: a parameter has no storage class but register",
      "1:9: error: 'static' stands behind another storage class",
    ],
  );
  assertEquals(messages("int f(register int x); static __thread int y; extern inline int g(void);"), []);
});

Deno.test("typeof, _Generic, _Static_assert, sizeof and offsetof of everything", () => {
  model(`struct s { char c; long a[3]; struct { int x, y; } in[2]; };
    extern struct s object; int function(char);
    _Static_assert(sizeof(struct s) == 48 && sizeof object.a == 24 && sizeof object.a[0] == 8, "sizes");
    _Static_assert(__builtin_offsetof(struct s, in[1].y) == 44, "offset");
    _Static_assert((unsigned long)&((struct s *)0)->in[1].y == 44, "old offset");
    _Static_assert(_Generic(1.0f, float: 1, default: 0), "generic");
    _Static_assert(_Generic(object.c, char: 1, int: 0), "lvalue conversion");
    _Static_assert(_Generic(&object, const struct s *: 0, struct s *: 1), "pointers");
    _Static_assert(_Generic("x", char *: 1), "decay");
    _Static_assert(sizeof(function(1)) == 4 && _Alignof(double) == 8, "call");
    _Static_assert(sizeof "abc" == 4 && sizeof L"abc" == 16, "strings");
    _Static_assert(__builtin_types_compatible_p(__typeof__(object.a), long[3]), "typeof");
    __typeof__(&object.a) p; __typeof__(function) *q;
    _Static_assert(sizeof(*p) == 24 && sizeof((*q)('a')) == 4, "typeof variables");
    _Static_assert(1 ? 1 : 0, "no message"); _Static_assert(sizeof(int[2][3]) == 24);
    _Static_assert(_Generic(1 ? (short)1 : (char)1, int: 1), "promotions");
    _Static_assert(_Generic(1u + 1L, long: 1) && _Generic(1u + 1, unsigned: 1), "conversions");`);
  assertEquals(messages('_Static_assert(1 + 1 == 3, "arithmetic");'), ["1:1: error: static assertion failed: arithmetic"]);
});

Deno.test("redeclarations are merged, and checked", () => {
  const { functions } = model(
    "int f(); int f(int a, char *b); int f(int, char *) __attribute__((deprecated)); extern int x[]; extern int x[3];",
  );
  assertEquals(functions.length, 1);
  assertEquals(functions[0].type.parameters.map((p) => p.name), ["a", "b"]);
  assertEquals(functions[0].deprecated, "");
  assertEquals(messages("int f(int);\nlong f(int);\n"), ["2:6: error: conflicting types for 'f': 'long (int)', was 'int (int)'"]);
  assertEquals(messages("typedef int T;\ntypedef long T;\n").length, 1);
  assertEquals(messages("typedef int T; typedef int T; struct s { int x; };\nstruct s { int y; };\n"), [
    "2:8: error: redefinition of 'struct s'",
  ]);
  assertEquals(messages("enum { A };\nenum { A };\n"), ["2:8: error: redefinition of 'A'"]);
  assertEquals(messages("struct s; union s;\n").length, 1);
  assertEquals(messages("int f(const int); int f(int); int f(volatile int);\n"), []);
});

Deno.test('extern "C" under __cplusplus', () => {
  assertEquals(model('extern "C" {\nint f(void);\n}\nextern "C" int g(void);\n').functions.map((f) => f.name), ["f", "g"]);
});

Deno.test("unknown types are errors with a suggestion, and the next declaration is read", () => {
  assertEquals(
    messages("typedef unsigned long size_type;\nint f(size_tpye n);\nint g(void);\nint h(void;\nint i(void);\n"),
    [
      "2:7: error: unknown type name 'size_tpye'; did you mean 'size_type'?",
      "4:11: error: expected ',' or ')' after a parameter, got ';'",
    ].map((line) => line.replace("expected ',' or ')' after a parameter, got ';'", messages("int h(void;\n")[0].split("error: ")[1])),
  );
});

Deno.test("recovery: one run reports every wrong declaration and keeps every right one", () => {
  const text =
    "int a(void);\nfoo b(void);\nstruct s { bar x; int y; };\nint c(void) {{ broken\n}}\nint d(baz);\ntypedef int 5;\nint e(void);\n";
  const lines = messages(text).map((m) => Number(m.split(":")[0]));
  assertEquals(lines, [2, 3, 6, 7]);
});

Deno.test("C23: bool, nullptr, constexpr and empty lists as prototypes, where the version says so", () => {
  const options = { undefines: ["__STDC_VERSION__"], defines: { __STDC_VERSION__: "202311L" } };
  const { functions, constants } = model("bool f(); constexpr int n = 3; int g(int (*)[n]);", options);
  assertEquals(functions[0].type.prototype, true);
  assertEquals(constants.map((c) => [c.name, c.value]), [["n", 3n]]);
  const hints = messages("constexpr int n = 3;\nalignas(8) int m;\nint thread_local k;\n").map((m) => m.split("; ")[1]);
  const hint = "it is a keyword of C23, which -D __STDC_VERSION__=202311L asks for";
  assertEquals(hints.slice(0, 2), [hint, "<stdalign.h> declares it, which nothing before this includes"]);
});

Deno.test("braces say how long an array is; a static variable whose value isn't known is listed", () => {
  const lengths: Record<string, number | null> = {
    "int x[] = { 1, 2, 3, }": 3,
    "int x[] = { [5] = 1, 2, [1 ... 2] = f(1, 2) }": 7,
    "int x[] = { }": 0,
    "struct s { int a, b; } x[] = { { 1, 2 }, { .b = 3 } }": 2,
    "struct s { int a, b; } x[] = { 1, 2, 3, 4 }": null,
    'const char *x[] = { "a", "b" "c" }': 2,
    'char x[] = { "abc" }': null,
    "char x[] = { 'a', (1, 2) }": 2,
    "int x[][2] = { { 1, 2 }, { 3 } }": 2,
    "int x[] = { [1ull << 60] = 1 }": null,
    "int x[4] = { 1 }": 4,
  };
  for (const [text, length] of Object.entries(lengths)) {
    const { type } = model(`int f(int, int); ${text};`).variables[0];
    assertEquals(type.kind === "array" ? type.length : undefined, length, text);
  }
  const text = "static const int t[] = { 1, 2 };\nstatic const int n = sizeof t / sizeof *t, m = n + sizeof q;\n" +
    "static const int later, later = sizeof((int[]){ 1, 2, 3 });\nstatic const struct p { int x; } p = { 1 };\n";
  const { constants, skipped } = model(text);
  assertEquals(constants.map((c) => [c.name, c.value]), [["n", 2n], ["later", 12n]]);
  assertEquals(skipped.map(({ name, reason, line }) => [name, reason, line]), [
    ["t", "a static variable has no symbol", 1],
    ["m", "'q' is not declared", 2],
    ["p", "a static variable has no symbol", 4],
  ]);
  assertEquals(messages("int x[] = { 1, (2 };"), ["1:11: error: '{' is never closed"]);
});

Deno.test("Microsoft's words on Windows", () => {
  const { functions, records } = model(
    "__declspec(dllimport) int __stdcall f(__int64 a, void *__ptr64 b); typedef int (__cdecl *callback)(int); struct __declspec(align(32)) s { char c; };",
    { target: "x86_64-windows" },
  );
  assertEquals(printType(functions[0].type, "f"), "int f(long long, void *)");
  assertEquals([records[0].size, records[0].align], [32, 32]);
});

Deno.test("pragmas that nobody acts on are in the model, with what a macro made of them", () => {
  const { pragmas } = model(
    "#pragma once\n#pragma nullable f 1\n#pragma GCC diagnostic push\n#pragma pack(push, 1)\n#pragma pack(pop)\nint f(char *_Nullable);\n",
  );
  assertEquals(pragmas.map((p) => [p.text, p.line]), [["nullable f 1", 2]]);
});

Deno.test("nullability is kept on the pointer", () => {
  const { functions } = model("int f(char *_Nullable a, char *_Nonnull const b);");
  const [a, b] = functions[0].type.parameters.map((p) => p.type);
  assertEquals([a.nullable, a.nonnull, b.nonnull, b.const], [true, undefined, true, true]);
});

Deno.test("nesting past the bounds is an error", () => {
  for (
    const text of [
      `int ${"(".repeat(9999)}x${")".repeat(9999)};`,
      `int x[${"(".repeat(9999)}1${")".repeat(9999)}];`,
      "struct {".repeat(9999),
      `int f${"(*".repeat(9999)}`,
      `int x${"[1]".repeat(9999)}[`,
      `enum { A = ${"-".repeat(9999)}1 };`,
    ]
  ) {
    assertEquals(messages(text).length > 0, true);
  }
});

Deno.test("_BitInt is parsed, laid out, and named in the report where it would be passed", () => {
  const { functions, skipped, records } = model("unsigned _BitInt(128) f(_BitInt(7) x); struct s { char c; _BitInt(33) b; };");
  assertEquals(printType(functions[0].type, "f"), "unsigned _BitInt(128) f(_BitInt(7))");
  assertEquals(skipped.map((s) => [s.name, s.reason]), [["f", "_BitInt(128) can't be passed by a foreign-function interface"]]);
  assertEquals([records[0].size, records[0].fields[1].offset], [16, 8]);
});

Deno.test("noreturn and const on a pointer to a function are part of its type", () => {
  const { typedefs } = model("typedef void (*die)(int) __attribute__((noreturn)); typedef int (*pure)(int) __attribute__((const));");
  assertEquals(typedefs.map((t) => printType(t.type)), ["volatile __typeof__(void (int)) *", "const __typeof__(int (int)) *"]);
});

Deno.test("a parameter that C writes as an array keeps its length, or the name of the parameter that says it", () => {
  const { functions: [{ type }] } = model(
    "typedef unsigned char id[16]; void f(int n, int a[n], const int b[2 + 2], id c, float d[], float m[2][3], int *e, const char *p[static 3]);",
  );
  assertEquals(type.parameters.map(({ name, length }) => [name, length]), [
    ["n", undefined],
    ["a", "n"],
    ["b", 4],
    ["c", 16],
    ["d", undefined],
    ["m", 2],
    ["e", undefined],
    ["p", 3],
  ]);
  assertEquals(type.parameters.map(({ name, type }) => printType(type, name ?? ""))[1], "int *a");
});

Deno.test("enum values that no type holds are a warning, as in gcc; one that can't be counted up is an error", () => {
  const text = 'enum { A = -1, B = 0xffffffffffffffff };\n_Static_assert(B == -1 && _Generic(B, long: 1) && _Generic(A, int: 1), "");\n';
  assertEquals(messages(text), ["1:1: warning: enumeration values exceed range of largest integer"]);
  const { model } = parse(["t.h"], { read: (path) => path === "t.h" ? text : undefined, target: "x86_64-linux" });
  assertEquals(model.enums[0].values.map(({ value }) => value), [-1n, -1n]);
  assertEquals(messages("enum { C = 0xffffffffffffffff, D };\n")[0], "1:32: error: overflow in enumeration values");
});
