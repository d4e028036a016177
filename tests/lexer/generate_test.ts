/** lexer/cli.ts generate: what is bound, for which target, and what is said of it. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { withFolder } from "../folder.ts";
import { deno } from "../process.ts";
import { CLI, compile, generate, judge, onlyWhatIsCopied, TINY_H, use } from "./generate.ts";

Deno.test("a header that leaves an #include out: the message names it, and -include gives it", () =>
  withFolder(async (folder) => {
    await Deno.writeTextFile(
      `${folder}/tiny.h`,
      "struct part { size_t length; FILE *from; };\nsize_t whole(struct part *part, uint8_t byte);\n",
    );
    const { code, stderr } = await generate(folder, "none", `${folder}/tiny.h`, "--no-standard");
    assertEquals(code, 1);
    assertEquals(stderr.match(/; <.*> declares it, which nothing before this includes/g), [
      "; <stddef.h> declares it, which nothing before this includes",
      "; <stdio.h> declares it, which nothing before this includes",
      "; <stddef.h> declares it, which nothing before this includes",
    ]);
    const args = ["-include", "stdio.h", "-include", "stdint.h", "--no-standard"];
    const made = await generate(folder, "none", `${folder}/tiny.h`, ...args);
    assertEquals(made.code, 0, made.stderr);
    assertMatch(made.stdout, /: 1 functions/);
    await judge(folder);
    const none = await generate(folder, "none", `${folder}/tiny.h`, "-include", "nothing.h");
    assertMatch(none.stderr, /^<command line>:1:10: error: 'nothing\.h' file not found/);
  }));

Deno.test("names that JavaScript's objects or TypeScript's types have already give a module that type-checks", () =>
  withFolder(async (folder) => {
    const members = ["address", "owner", "pointer", "equals", "bytes", "at", ...Object.getOwnPropertyNames(Object.prototype)];
    const words = "any asserts bigint boolean infer keyof never number object readonly string symbol unique unknown ArrayLike is type of " +
      "namespace abstract declare async get set module global out accessor satisfies as from require exports toString valueOf Promise Array";
    const structs = words.split(" ");
    await Deno.writeTextFile(
      `${folder}/tiny.h`,
      `struct nasty { int ${[...members, "toString_", "in", "in_"].join(", ")}; };
${structs.map((name) => `struct ${name} { int x; };`).join("\n")}
struct nasty *use(${structs.map((name, i) => `struct ${name} *p${i}`).join(", ")});
typedef int Boolean;
Boolean hasOwnProperty(int toString, int self);
int constructor(void);
`,
    );
    const text = `import { nasty } from "./lib.ts";
      const made = new nasty({ toString__: 1, toString_: 2, valueOf_: 3, in_: 4, in__: 5, constructor_: 6 });
      console.log(JSON.stringify([...new Int32Array(made.bytes.buffer)].filter((value) => value !== 0).sort()));`;
    assertEquals(await use(folder, "none", [`${folder}/tiny.h`], text), [1, 2, 3, 4, 5, 6]);
  }));

Deno.test("names that C allows, and JavaScript doesn't or we have ourselves, are written by their code points", () =>
  withFolder(async (folder) => {
    const header = `int plus\\u20ac(int ⁦a);
extern int v😀;
struct s€ { int x€; struct s€ *next; };
typedef int (*back€)(struct s€ *s, int n€);
int call(back€ back, struct s€ *s€);
enum E€ { A€ = 3 };
#define TWICE€(x) ((x) * 2)
typedef int (*$back_call)(int);
int $handle(struct s€ *$0, $back_call $);
`;
    await Deno.writeTextFile(`${folder}/tiny.h`, header);
    const source = `int v😀 = 7;\nint plus€(int a) { return a + 1; }\nint call(back€ b, struct s€ *s) { return b(s, s->x€); }
int $handle(struct s€ *s, $back_call back) { return back(s->x€); }\n`;
    if (!await compile(folder, source)) return;
    const text = `import * as m from "./lib.ts";
      const back = new m.backu20AC_((s, n) => s!.xu20AC_ + n);
      console.log(JSON.stringify([
        m.plusu20AC_(1), m.variables.vu1F600_, m.call(back, new m.su20AC_({ xu20AC_: 2 })), m.Au20AC_, Number(m.TWICEu20AC_(4)),
        m.u24_handle(new m.su20AC_({ xu20AC_: 5 }), new m.u24_back_call((n) => n + 1)),
      ]));`;
    assertEquals(await use(folder, `${folder}/libtiny.so`, [`${folder}/tiny.h`], text), [2, 7, 4, 3, 8, 6]);
  }));

Deno.test("what is skipped is listed; nothing is written where a header is wrong; the output is deterministic", () =>
  withFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/tiny.h`, TINY_H);
    const { stdout } = await generate(folder, "tiny", `${folder}/tiny.h`);
    assertMatch(stdout, /tiny\.h:\d+: by_value: packed by value: Deno's FFI can't describe its layout/);
    assertMatch(stdout, /tiny\.h:\d+: too_long: long double can't be passed/);
    assertMatch(stdout, /tiny\.h:\d+: inlined: an inline function has no symbol/);
    assertMatch(stdout, /tiny\.h:\d+: print: __builtin_va_list can't be passed/);
    assertStringIncludes(stdout, "variadic, bound without their variable arguments: say");
    const first = await Deno.readTextFile(`${folder}/lib.ts`);
    assert(!first.includes(folder), "the module names a folder of the machine that it was made on");
    const imported = [...first.matchAll(/^(?:import|export) \{[^}]*\} from (.*);$/gm)].map(([, from]) => from);
    assertEquals([...new Set(imported)], ['"./c_runtime/module.ts"']);
    await onlyWhatIsCopied(`${folder}/c_runtime`);
    await generate(folder, "tiny", `${folder}/tiny.h`);
    assertEquals(await Deno.readTextFile(`${folder}/lib.ts`), first);
    await Deno.writeTextFile(`${folder}/tiny.h`, "int f(word x);\n");
    const { code, stderr } = await generate(folder, "tiny", `${folder}/tiny.h`);
    assertEquals(code, 1);
    assertMatch(stderr, /tiny\.h:1:7: error: /);
    assertEquals(await Deno.readTextFile(`${folder}/lib.ts`), first);
    assertEquals((await deno(["run", "--quiet", "-RW", CLI, "generate", `${folder}/tiny.h`])).code, 2);
  }));

Deno.test("a library that isn't there: one error lists what was tried, at the first call", () =>
  withFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/tiny.h`, TINY_H);
    const text =
      `import * as t from "./lib.ts"; try { t.ops_get(); } catch (error) { console.log(JSON.stringify((error as Error).message)); }`;
    const message = String(await use(folder, "no-such-thing", [`${folder}/tiny.h`], text));
    assertStringIncludes(message, "no library no-such-thing; tried:\n  libno-such-thing.");
    assertStringIncludes(message, "generate takes a file's name or path, too: --library libc.so.6");
  }));

Deno.test("what is bound: the library's own headers, not the system's; --bind says it explicitly", () =>
  withFolder(async (folder) => {
    await Deno.mkdir(`${folder}/inc/foo/sub`, { recursive: true });
    await Deno.writeTextFile(`${folder}/inc/foo/foo.h`, '#include "sub/part.h"\n#include <other.h>\n#include <stdint.h>\nint foo(void);\n');
    // With this pragma headers turn warnings off, assimp's for one: it has nothing to do with who declares what.
    await Deno.writeTextFile(`${folder}/inc/foo/sub/part.h`, "#pragma GCC system_header\nint part(void);\n");
    await Deno.writeTextFile(`${folder}/inc/other.h`, "int other(void);\n");
    const names = async (...args: string[]) => {
      const { code, stderr } = await generate(folder, "foo", "foo/foo.h", "-I", `${folder}/inc`, ...args);
      assertEquals(code, 0, stderr);
      return [...(await Deno.readTextFile(`${folder}/lib.ts`)).matchAll(/^export function (\w+)/gm)].map(([, name]) => name);
    };
    assertEquals(await names(), ["part", "foo"]);
    assertEquals(await names("--bind", "*/other.h"), ["other", "foo"]);
    const globs = ["--bind", "*/foo.h", "--bind", "*/othr.h", "--bigint", "foo"];
    const { stderr } = await generate(folder, "foo", "foo/foo.h", "-I", `${folder}/inc`, ...globs);
    assertEquals(stderr.trimEnd().split("\n"), [
      "generate: --bind */othr.h matches no header that was read",
      "generate: --bigint foo matches nothing with an integer of 64 bits",
    ]);
  }));

Deno.test("another target has its own widths", () =>
  withFolder(async (folder) => {
    await Deno.writeTextFile(
      `${folder}/wide.h`,
      "struct wide { char c; long l; };\nlong widen(struct wide *w, unsigned long *n, char c);\n",
    );
    const symbol = async (target: string) => {
      const { code, stderr } = await generate(folder, "wide", `${folder}/wide.h`, "--no-standard", "--target", target);
      assertEquals(code, 0, stderr);
      await judge(folder);
      const text = await Deno.readTextFile(`${folder}/lib.ts`);
      return [/static readonly size = (\d+)/.exec(text)![1], /Data<(\w+)>/.exec(text)![1], /widen: \{ (.*) \}/.exec(text)![1]];
    };
    assertEquals(await symbol("x86_64-windows"), ["8", "Uint32Array", 'parameters: ["pointer", "buffer", "i8"], result: "i32"']);
    assertEquals(await symbol("aarch64-linux"), ["16", "BigUint64Array", 'parameters: ["pointer", "buffer", "u8"], result: "i64"']);
  }));

/** Macros that are functions, with the arguments to try. */
const MACROS: Record<string, readonly string[]> = {
  "PAD(x, n) (((x) + (n) - 1) & ~((n) - 1))": ["1, 16", "16, 16", "-5, 8", "1099511627777, 256"],
  "VERSION(a, b) ((((uint32_t)(a)) << 22U) | ((uint32_t)(b)))": ["1, 3", "1023, 5", "-1, -1"],
  "ARRAY_BYTES(n) ((n) * sizeof(int32_t) + HEAD)": ["3", "-1"],
  "MIN(a, b) ((a) < (b) ? (a) : (b))": ["1, 2", "-1, -2"],
  "SAFE_DIV(a, b) ((b) != 0 && (a) > 0 ? (a) / (b) : -1)": ["7, 0", "7, 2", "-7, 2"],
  "REMAINDER(a, b) ((a) % (b))": ["-7, 3", "7, -3"],
  "BYTE(x) ((unsigned char)((x) >> 4))": ["0x1234", "-1"],
  "SIGNED_BYTE(x) ((signed char)(x))": ["200", "127"],
  "IS_ODD(x) ((x) & 1 ? 1 : 0)": ["3", "-3", "4"],
  "FLAG(i) (1u << (i))": ["0", "31"],
  "NOT_ZERO(x) (!!(x))": ["0", "9"],
  "SWAP16(x) ((uint16_t)(((x) & 0xff) << 8 | ((x) >> 8 & 0xff)))": ["0x1234", "-2"],
  "EITHER(a, b) ((a) || 10 / (b))": ["1, 0", "0, 20", "0, 3"],
  "UNUSED_SIDE(a, b) (-(a))": ["5, 1"],
  "MIXED(a) ((a) - 1u + (short)(a) * 3)": ["70000", "-70000"],
};

Deno.test("function-like macros are functions that compute what gcc does; what isn't arithmetic is skipped", () =>
  withFolder(async (folder) => {
    const defines = Object.keys(MACROS).map((macro) => `#define ${macro}\n`).join("");
    const others =
      "#define CAT(a, b) a##b\n#define NAME(x) #x\n#define BYTES(x) sizeof(x)\n#define HALF(x) ((x) / 2.0)\n#define CALL(x) f(x)\n" +
      "#define ATTRIBUTE(x) x\n#define DO(x) do { x; } while (0)\n#define SET(x) (x = 1)\n#define TYPED(x) ((__typeof__(x))1)\nint f(int x);\n";
    await Deno.writeTextFile(`${folder}/tiny.h`, `#include <stdint.h>\n#define HEAD 8\n${defines}${others}`);
    const calls = Object.entries(MACROS).flatMap(([macro, list]) =>
      list.map((args) => [macro.slice(0, macro.indexOf("(")), args] as const)
    );
    const inC = calls.map(([name, args], i) => {
      const typed = args.split(", ").map((arg) => `(int64_t)${arg}`).join(", ");
      return `case ${i}: return (int64_t)${name}(${typed});`;
    });
    const code = `int64_t value(int i);\nint64_t value(int i) { switch (i) { ${
      inC.join("\n")
    } default: return 0; } }\nint f(int x) { return x; }`;
    if (!await compile(folder, code)) return;
    const library = Deno.dlopen(`${folder}/libtiny.so`, { value: { parameters: ["i32"], result: "i64" } });
    const expected = calls.map((_, i) => Number(library.symbols.value(i)));
    library.close();
    const inJs = calls.map(([name, args]) => `BigInt.asIntN(64, exact(() => m.${name}(${args})))`);
    const text = `import * as m from "./lib.ts";
      const exact = (f: () => number): bigint => {
        try { return BigInt(f()); } catch (error) { return (error as Error).cause as bigint; }
      };
      console.log(JSON.stringify([${inJs.join(", ")}].map(Number)));`;
    assertEquals(await use(folder, `${folder}/libtiny.so`, [`${folder}/tiny.h`], text), expected);
    const { stdout } = await generate(folder, "tiny", `${folder}/tiny.h`);
    assertStringIncludes(stdout, `${Object.keys(MACROS).length} macros as functions`);
    const skipped = [...stdout.matchAll(/: (\w+): function-like macro$/gm)].map(([, name]) => name);
    assertEquals(skipped, ["CAT", "NAME", "BYTES", "HALF", "CALL", "ATTRIBUTE", "DO", "SET", "TYPED"]);
  }));
