/**
 * What the tests of `lexer/cli.ts generate` share: it writes a module, which Deno's own tools judge, and a program uses.
 *
 * @module
 */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { toFileUrl } from "@std/path";
import { deno, type Ended } from "../process.ts";

/** The command. */
export const CLI = "lexer/cli.ts";

/** Runs the command; it writes `lib.ts` into the folder. */
export async function generate(folder: string, library: string, ...args: string[]): Promise<Ended> {
  return await deno(["run", "--quiet", "-RW", CLI, "generate", "--library", library, "--out", `${folder}/lib.ts`, ...args]);
}

/** Generates a module, has Deno's own tools judge it, and runs a program that imports it; the program prints JSON. */
export async function use(folder: string, library: string, args: string[], text: string): Promise<unknown> {
  const { code, stderr } = await generate(folder, library, ...args);
  assertEquals(code, 0, stderr);
  await judge(folder);
  await Deno.writeTextFile(`${folder}/use.ts`, text);
  const ran = await deno(["run", "--quiet", "--check", "--no-config", "--allow-ffi", `${folder}/use.ts`]);
  assertEquals(ran.code, 0, ran.stderr);
  return JSON.parse(ran.stdout);
}

/** What a project may ask of its TypeScript beyond what Deno asks for. */
export const STRICTEST = Object.fromEntries([
  "exactOptionalPropertyTypes",
  "noFallthroughCasesInSwitch",
  "noImplicitReturns",
  "noPropertyAccessFromIndexSignature",
  "noUncheckedIndexedAccess",
  "noUnusedLocals",
  "noUnusedParameters",
  "verbatimModuleSyntax",
].map((name) => [name, true]));

/** Has Deno's own tools look at a module. */
export async function judge(folder: string): Promise<void> {
  for (const tool of [["fmt", "--check", "--line-width=140"], ["lint"]]) {
    const { code, stdout, stderr } = await deno([...tool, "--quiet", "--no-config", `${folder}/lib.ts`]);
    assertEquals(code, 0, `deno ${tool[0]}: ${stdout}${stderr}`);
  }
  await Deno.writeTextFile(`${folder}/strictest.json`, JSON.stringify({ compilerOptions: STRICTEST }));
  const { code, stderr } = await deno(["check", "--quiet", `--config=${folder}/strictest.json`, `${folder}/lib.ts`]);
  assertEquals(code, 0, `deno check: ${stderr}`);
}

/** The runtime that lies beside a module: complete, without what ggml's bindings alone need, and none of it known to Deno by this project. */
export async function onlyWhatIsCopied(folder: string): Promise<void> {
  const { code, stdout, stderr } = await deno(["info", "--json", "--no-config", `${folder}/module.ts`]);
  assertEquals(code, 0, stderr);
  const loaded = (JSON.parse(stdout) as { modules: { specifier: string }[] }).modules.map(({ specifier }) => specifier).sort();
  const copied = [...Deno.readDirSync(folder)].map(({ name }) => toFileUrl(`${folder}/${name}`).href).sort();
  assertEquals(loaded, copied);
  for (const { name } of Deno.readDirSync(folder)) {
    const text = await Deno.readTextFile(`${folder}/${name}`);
    assertMatch(text, /^\/\/ A copy of a file of @ggml\/deno's ffi\/core\//);
    assertStringIncludes(text, await Deno.readTextFile(`ffi/core/${name}`));
  }
}

/** True if these files are there, and on Linux; else says which one is not. */
export function have(...paths: string[]): boolean {
  for (const path of paths) {
    try {
      Deno.statSync(path);
    } catch {
      console.warn(`SKIPPED: there is no ${path}`);
      return false;
    }
  }
  return Deno.build.os === "linux";
}

/** Compiles a library; false, said aloud, where there is no compiler. */
export async function compile(folder: string, text: string): Promise<boolean> {
  await Deno.writeTextFile(`${folder}/tiny.c`, `#include "tiny.h"\n${text}`);
  const args = ["-shared", "-fPIC", "-O1", "-Wall", "-o", `${folder}/libtiny.so`, `${folder}/tiny.c`];
  try {
    const { code, stderr } = await new Deno.Command("gcc", { args }).output();
    assertEquals(code, 0, new TextDecoder().decode(stderr));
    return true;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    console.warn("SKIPPED: there is no gcc");
    return false;
  }
}

/** A header with a little of everything, of the library that {@linkcode compile} makes. */
export const TINY_H = `
#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>
struct limits { int8_t i8; uint8_t u8; int16_t i16; uint16_t u16; int32_t i32; uint32_t u32; int64_t i64; uint64_t u64; float f; double d; bool b; long l; };
struct limits limits_min(void);
struct limits limits_max(void);
void limits_copy(struct limits *to, const struct limits *from);
struct bits { unsigned low : 3; int mid : 7; unsigned long long wide : 40; bool flag : 1; enum colour { RED, GREEN = 2, BLUE = 5 } colour : 4; };
void bits_fill(struct bits *b);
int bits_sum(const struct bits *b);
union word { uint32_t u; float f; uint8_t bytes[4]; };
struct point { double x, y; };
struct rect { struct point from, to; union word tag; struct { int depth; }; const char *name; char text[8]; int64_t ids[2]; struct point *next[2]; };
void rect_fill(struct rect *rect);
struct point point_middle(struct point a, struct point b);
struct point *rect_corner(struct rect *rect, int which);
enum access { READ = 1, WRITE = 2, EXECUTE = 4 };
int access_mask(enum access access);
enum colour colour_next(enum colour colour);
typedef double (*visit)(const struct point *point, void *data);
double visit_all(const struct point *points, size_t count, visit f, void *data);
struct ops { int (*twice)(int); struct point (*swap)(struct point point); };
struct ops *ops_get(void);
int ops_use(struct ops *ops, int n);
struct thing;
struct thing *thing_new(int value);
int thing_value(struct thing *thing);
void thing_free(struct thing *thing);
int count_strings(const char **strings);
int say(char *out, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));
int delete(int in, int function);
void not_there(void);
struct packed { char a; int b; } __attribute__((packed));
int by_value(struct packed packed);
long double too_long(long double x);
static inline int inlined(void) { return 1; }
typedef int (*print)(const char *format, __builtin_va_list args);
void set_print(print f);
extern int delete_renamed(int x) __asm__("delete");
#define TEXT "say \\"hi\\""
#define BIG 0xffffffffffffffffu
#define RED RED
`;
