import { assertEquals } from "@std/assert";
import { format, preprocess } from "../../lexer/mod.ts";
import { expand, messages, printed, texts } from "./helpers.ts";
import { spellings } from "./gcc_e.ts";

/** Both sides as tokens. */
function same(source: string, wanted: string, files: Record<string, string> = {}): void {
  assertEquals(expand(source, files), spellings(wanted).join(" "));
}

// The examples of C17 6.10.3.5, to the token.

Deno.test("C17 6.10.3.5 example 3: rescanning and hide sets", () => {
  same(
    `#define x 3
#define f(a) f(x * (a))
#undef x
#define x 2
#define g f
#define z z[0]
#define h g(~
#define m(a) a(w)
#define w 0,1
#define t(a) a
#define p() int
#define q(x) x
#define r(x,y) x ## y
#define str(x) # x
f(y+1) + f(f(z)) % t(t(g)(0) + t)(1);
g(x+(3,4)-w) | h 5) & m
(f)^m(m);
p() i[q()] = { q(1), r(2,3), r(4,), r(,5), r(,) };
char c[2][6] = { str(hello), str() };`,
    `f(2 * (y+1)) + f(2 * (f(2 * (z[0])))) % f(2 * (0)) + t(1);
f(2 * (2+(3,4)-0,1)) | f(2 * (~ 5)) & f(2 * (0,1))^m(0,1);
int i[] = { 1, 23, 4, 5, };
char c[2][6] = { "hello", "" };`,
  );
});

Deno.test("C17 6.10.3.5 example 4: making strings and pasting", () => {
  same(
    `#define str(s) # s
#define xstr(s) str(s)
#define debug(s, t) printf("x" # s "= %d, x" # t "= %s", \\
x ## s, x ## t)
#define INCFILE(n) vers ## n
#define glue(a, b) a ## b
#define xglue(a, b) glue(a, b)
#define HIGHLOW "hello"
#define LOW LOW ", world"
debug(1, 2);
fputs(str(strncmp("abc\\0d", "abc", '\\4') // this goes away
== 0) str(: @\\n), s);
xstr(INCFILE(2).h)
glue(HIGH, LOW);
xglue(HIGH, LOW)`,
    `printf("x" "1" "= %d, x" "2" "= %s", x1, x2);
fputs("strncmp(\\"abc\\\\0d\\", \\"abc\\", '\\\\4') == 0" ": @\\n", s);
"vers2.h"
"hello";
"hello" ", world"`,
  );
});

Deno.test("C17 6.10.3.5 example 5: placemarkers", () => {
  same(
    `#define t(x,y,z) x ## y ## z
int j[] = { t(1,2,3), t(,4,5), t(6,,7), t(8,9,), t(10,,), t(,11,), t(,,12), t(,,) };`,
    "int j[] = { 123, 45, 67, 89, 10, 11, 12, };",
  );
});

Deno.test("C17 6.10.3.5 example 6: redefinitions", () => {
  const valid = `#define OBJ_LIKE (1-1)
#define OBJ_LIKE /* white space */ (1-1) /* other */
#define FUNC_LIKE(a) ( a )
#define FUNC_LIKE( a )( /* note the white space */ \\
a /* other stuff on this line
*/ )
`;
  assertEquals(messages(valid), []);
  const redefined = (second: string) => messages(`#define OBJ_LIKE (1-1)\n#define FUNC_LIKE(a) ( a )\n${second}\n`).length;
  assertEquals(redefined("#define OBJ_LIKE (0)"), 1);
  assertEquals(redefined("#define OBJ_LIKE (1 - 1)"), 1);
  assertEquals(redefined("#define FUNC_LIKE(b) ( a )"), 1);
  assertEquals(redefined("#define FUNC_LIKE(b) ( b )"), 1);
});

Deno.test("C17 6.10.3.5 example 7: variable arguments", () => {
  same(
    `#define debug(...) fprintf(stderr, __VA_ARGS__)
#define showlist(...) puts(#__VA_ARGS__)
#define report(test, ...) ((test)?puts(#test): printf(__VA_ARGS__))
debug("Flag");
debug("X = %d\\n", x);
showlist(The first, second, and third items.);
report(x>y, "x is %d but y is %d", x, y);`,
    `fprintf(stderr, "Flag");
fprintf(stderr, "X = %d\\n", x);
puts("The first, second, and third items.");
((x>y)?puts("x>y"): printf("x is %d but y is %d", x, y));`,
  );
});

Deno.test("C17 6.10.3.3 example: hash_hash", () => {
  same(
    `#define hash_hash # ## #
#define mkstr(a) # a
#define in_between(a) mkstr(a)
#define join(c, d) in_between(c hash_hash d)
char p[] = join(x, y);`,
    'char p[] = "x ## y";',
  );
});

Deno.test("C23 6.10.5.2: __VA_OPT__", () => {
  same(
    `#define F(...) f(0 __VA_OPT__(,) __VA_ARGS__)
#define G(X, ...) f(0, X __VA_OPT__(,) __VA_ARGS__)
#define SDEF(sname, ...) S sname __VA_OPT__(= { __VA_ARGS__ })
#define EMP
#define H2(X, Y, ...) __VA_OPT__(X ## Y,) __VA_ARGS__
#define H3(X, ...) #__VA_OPT__(X##X X##X)
#define H4(X, ...) __VA_OPT__(a X ## X) ## b
F(a, b, c) F() F(EMP) G(a, b, c) G(a, ) G(a)
SDEF(foo); SDEF(bar, 1, 2);
H2(a, b, c, d) H3(, 0) H4(, 1)`,
    `f(0, a, b, c) f(0) f(0) f(0, a, b, c) f(0, a) f(0, a)
S foo; S bar = { 1, 2 };
ab, c, d "" a b`,
  );
});

Deno.test("GNU: , ## __VA_ARGS__ and named variable arguments", () => {
  same(
    `#define e(fmt, ...) p(fmt, ## __VA_ARGS__)
#define n(fmt, args...) p(fmt, ## args)
#define only(args...) p(0, ## args)
e(1) e(1,) e(1, 2, 3) n(1) n(1, 2) only() only(5)`,
    "p(1) p(1) p(1, 2, 3) p(1) p(1, 2) p(0) p(0, 5)",
  );
});

Deno.test("a function-like macro without parentheses stands for itself, across lines too", () => {
  same("#define f(x) <x>\nf f\n(1) g = f;", "f <1> g = f;");
});

Deno.test("directives between the parentheses of a macro's use are obeyed", () => {
  same("#define f(x) [x]\nf(\n#define y 1\ny\n#ifdef nope\nz\n#endif\n)", "[1]");
});

Deno.test("a use is not continued behind the end of an included file", () => {
  same('#define f(x) [x]\n#include "end.h"\n(1)', "f (1)", { "end.h": "f\n" });
});

Deno.test("splices stand anywhere, even inside a name or an operator", () => {
  same("#def\\\nine A\\\nB 1\nA\\\nB +\\\n+ \\\n'x\\\ny'", "1 ++ 'xy'");
});

Deno.test("__LINE__, __FILE__, __COUNTER__, __INCLUDE_LEVEL__, #line", () => {
  same("__LINE__ __FILE__\n\n__LINE__", '1 "t.h" 3');
  same('#line 100 "x.c"\n__LINE__ __FILE__\n__LINE__', '100 "x.c" 101');
  same("__COUNTER__ __COUNTER__ __COUNTER__", "0 1 2");
  same('__INCLUDE_LEVEL__\n#include "a.h"\n', "0 1", { "a.h": "__INCLUDE_LEVEL__" });
  same("#define where __LINE__\n\nwhere", "3");
});

Deno.test("#include: quoted beside the includer, angled along the path, by macro, only once where guarded", () => {
  const read = texts({
    "d/main.h": '#include "beside.h"\n#include <far.h>\n#define NAME <far.h>\n#include NAME\n#include "once.h"\n#include "once.h"',
    "d/beside.h": "beside",
    "inc/far.h": "#ifndef FAR\n#define FAR\nfar\n#endif\n",
    "d/once.h": "#pragma once\nonce\n",
  });
  const { text, diagnostics } = preprocess(["d/main.h"], { include: ["inc"], read });
  assertEquals(diagnostics.map(format), []);
  assertEquals(spellings(text), ["beside", "far", "once"]);
});

Deno.test("a guarded header is not read twice, one with something behind the #endif is", () => {
  let reads = 0;
  const files: Record<string, string> = {
    "main.h": '#include "g.h"\n#include "g.h"\n#include "n.h"\n#include "n.h"\n',
    "g.h": "#if !defined(G)\n#define G\n__COUNTER__\n#endif\n",
    "n.h": "#ifndef N\n#define N\n#endif\nn\n",
  };
  const { text } = preprocess(["main.h"], { read: (path) => (reads++, files[path]) });
  assertEquals(spellings(text), ["0", "n", "n"]);
  assertEquals(reads, 3);
});

Deno.test("#include_next goes on behind the folder of the includer", () => {
  const read = texts({ "m.h": "#include <x.h>", "a/x.h": "first\n#include_next <x.h>", "b/x.h": "second" });
  assertEquals(spellings(preprocess(["m.h"], { include: ["a", "b"], read }).text), ["first", "second"]);
});

Deno.test("#pragma push_macro and pop_macro", () => {
  const text = '#define X 1\n#pragma push_macro("X")\n#undef X\n#define X 2\nX\n#pragma pop_macro("X")\nX\n';
  assertEquals(printed(text).split("\n").filter((line) => !line.startsWith("#")).join(" "), "2 1 ");
});

Deno.test("_Pragma becomes a pragma of its own line", () => {
  assertEquals(
    printed("#define P(x) _Pragma(#x) int y;\nP(nullable on)\n"),
    "#pragma nullable on\nint y;\n",
  );
});

Deno.test("_Pragma takes a string that a macro makes", () => {
  const text = '#define STR(x) #x\n#define DO(x) _Pragma(STR(x))\n#define CONST const DO(GCC warning "old")\nCONST int y;\n';
  assertEquals(printed(text), 'const\n#pragma GCC warning "old"\nint y;\n');
});

Deno.test("-D and -U, with values and parameters", () => {
  const options = { defines: { A: "1", "F(x)": "(x+A)" }, undefines: ["__GNUC__"] };
  assertEquals(expand("A F(2) __GNUC__", {}, options), "1 ( 2 + 1 ) __GNUC__");
});

Deno.test("white space: printed tokens keep apart what would become one", () => {
  assertEquals(printed("#define EMPTY\n#define minus -\nminus-x -EMPTY-y a EMPTY b\n"), "- -x - -y a b\n");
});

Deno.test("errors of directives are reported with their place", () => {
  assertEquals(messages("#define\n"), ["1:8: error: no macro name given in #define directive"]);
  assertEquals(messages("#define 1\n"), ["1:9: error: macro names must be identifiers"]);
  assertEquals(messages("#define f(a,a) a\n"), ['1:13: error: duplicate macro parameter "a"']);
  assertEquals(messages("#define f(a) #b\n"), ["1:14: error: '#' is not followed by a macro parameter"]);
  assertEquals(messages("#define a ## b\n"), ["1:11: error: '##' cannot appear at either end of a macro expansion"]);
  assertEquals(messages("#define f(x) x\nint a = f(1,2);\n"), [
    '2:9: error: macro "f" passed 2 arguments, but takes just 1',
    "2:15: error: expected an expression, got ';'",
  ]);
  assertEquals(messages("#define f(x) x\nf(\n"), ['2:1: error: unterminated argument list invoking macro "f"']);
  assertEquals(messages("#if 1\n"), ["1:2: error: unterminated #if"]);
  assertEquals(messages("#endif\n"), ["1:2: error: #endif without #if"]);
  assertEquals(messages("#else\n"), ["1:2: error: #else without #if"]);
  assertEquals(messages("#if 1\n#else\n#else\n#endif\n"), ["3:2: error: #else after #else"]);
  assertEquals(messages("#error no way\n"), ["1:2: error: #error no way"]);
  assertEquals(messages("#inclde <a.h>\n"), ["1:2: error: invalid preprocessing directive #inclde; did you mean #include?"]);
  assertEquals(messages("#embed <a.bin>\n").length, 1);
  assertEquals(messages("/* no end"), ["1:1: error: unterminated comment"]);
});

Deno.test("a missing header is an error that names the nearest and where was looked", () => {
  const [message] = messages("#include <sdtint.h>\n", { include: ["inc"] });
  assertEquals(message, "1:10: error: 'sdtint.h' file not found; did you mean 'stdint.h'? (looked in inc, <compiler>, <hosted>)");
});

Deno.test("#warning warns, also where C++'s headers use it", () => {
  assertEquals(messages("#warning old header\n"), ["1:2: warning: #warning old header"]);
});

Deno.test("include cycles, macro bombs and deep arguments end with an error within bounds", () => {
  assertEquals(messages('#include "t.h"\n').at(-1)!.includes("nested deeper than"), true);
  let bomb = "#define a0 x x x x x x x x x x\n";
  for (let i = 1; i < 12; i++) bomb += `#define a${i} ${`a${i - 1} `.repeat(10)}\n`;
  assertEquals(messages(bomb + "a11\n").at(-1)!.includes("gives more than"), true);
  assertEquals(messages(`#define f(x) x\n${"f(".repeat(400)}${")".repeat(400)}\n`).at(-1)!.includes("nested deeper than"), true);
});

Deno.test("a long chain of macros is followed, a longer one is an error", () => {
  let text = "#define m0 1\n";
  for (let i = 1; i <= 20_000; i++) text += `#define m${i} m${i - 1}\n`;
  assertEquals(expand(text + "m4000"), "1");
  assertEquals(messages(text + "m20000").at(-1)!.includes("levels deep"), true);
});
