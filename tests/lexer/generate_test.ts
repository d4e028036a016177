/** lexer/cli.ts generate: modules that bind any C library, and really call it. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { toFileUrl } from "@std/path";
import { deno, type Ended } from "../process.ts";

const CLI = "lexer/cli.ts";

async function withFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function generate(folder: string, library: string, ...args: string[]): Promise<Ended> {
  return await deno(["run", "--quiet", "-RW", CLI, "generate", "--library", library, "--out", `${folder}/lib.ts`, ...args]);
}

/** Generates a module, has Deno's own tools judge it, and runs a program that imports it; the program prints JSON. */
async function use(folder: string, library: string, args: string[], text: string): Promise<unknown> {
  const { code, stderr } = await generate(folder, library, ...args);
  assertEquals(code, 0, stderr);
  await judge(folder);
  await Deno.writeTextFile(`${folder}/use.ts`, text);
  const ran = await deno(["run", "--quiet", "--check", "--no-config", "--allow-ffi", `${folder}/use.ts`]);
  assertEquals(ran.code, 0, ran.stderr);
  return JSON.parse(ran.stdout);
}

async function judge(folder: string): Promise<void> {
  for (const tool of [["fmt", "--check", "--line-width=140"], ["lint"], ["check"]]) {
    const { code, stdout, stderr } = await deno([...tool, "--quiet", "--no-config", `${folder}/lib.ts`]);
    assertEquals(code, 0, `deno ${tool[0]}: ${stdout}${stderr}`);
  }
}

/** The runtime that lies beside a module: complete, without what ggml's bindings alone need, and none of it known to Deno by this project. */
async function onlyWhatIsCopied(folder: string): Promise<void> {
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

function have(...paths: string[]): boolean {
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
async function compile(folder: string, text: string): Promise<boolean> {
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

Deno.test(
  "zlib: out-parameters, structs that C fills, buffers",
  { ignore: !have("/usr/include/zlib.h") },
  () =>
    withFolder(async (folder) => {
      const text = `
      import * as z from "./lib.ts";
      const text = new TextEncoder().encode("hello, hello, hello, hello ".repeat(100));
      const packed = new Uint8Array(z.compressBound(text.length));
      const length = new BigUint64Array([BigInt(packed.length)]);
      const status = z.compress2(packed, length, text, text.length, z.Z_BEST_COMPRESSION);
      const stream = new z.z_stream({ next_in: packed, avail_in: Number(length[0]) });
      const begun = z.inflateInit_(stream, z.ZLIB_VERSION, z.z_stream.size);
      const out = new Uint8Array(text.length);
      stream.next_out = out;
      stream.avail_out = out.length;
      const ended = z.inflate(stream, z.Z_FINISH);
      const total = stream.total_out;
      z.inflateEnd(stream);
      const bad = new z.z_stream({ next_in: new Uint8Array([1, 2, 3]), avail_in: 3, next_out: out, avail_out: 10 });
      z.inflateInit_(bad, z.ZLIB_VERSION, z.z_stream.size);
      const failed = z.inflate(bad, z.Z_NO_FLUSH);
      console.log(JSON.stringify({
        version: z.zlibVersion() === z.ZLIB_VERSION, status, begun, ended, total, smaller: Number(length[0]) < 100,
        same: out.every((byte, i) => byte === text[i]), failed: failed === z.Z_DATA_ERROR, msg: bad.msg?.text(),
        crc: z.crc32(0, new TextEncoder().encode("123456789"), 9), nothing: z.crc32(0, null, 0), window: z.MAX_WBITS,
      }));`;
      assertEquals(await use(folder, "libz.so.1", ["zlib.h"], text), {
        version: true,
        status: 0,
        begun: 0,
        ended: 1,
        total: 2700,
        smaller: true,
        same: true,
        failed: true,
        msg: "incorrect header check",
        crc: 0xcbf43926,
        nothing: 0,
        window: 15,
      });
    }),
);

Deno.test("sqlite3: opaque handles, callbacks, strings", { ignore: !have("/usr/include/sqlite3.h") }, () =>
  withFolder(async (folder) => {
    const text = `
      import * as s from "./lib.ts";
      const out = new BigUint64Array(1);
      const opened = s.sqlite3_open(":memory:", out);
      const db = s.sqlite3.from(out[0])!;
      s.sqlite3_exec(db, "create table t (id integer, name text); insert into t values (1, 'one'), (2, 'zwei €')", null, null, null);
      const rows: string[][] = [];
      const each = new s.sqlite3_callback((_data, count, values, names) => {
        const texts = (list: typeof values) =>
          Array.from(new BigUint64Array(list!.bytes(8 * count).slice().buffer), (address) => s.$Pointer.from(address)!.text());
        rows.push([...texts(names), ...texts(values)]);
        return 0;
      });
      const executed = s.sqlite3_exec(db, "select * from t order by id", each, null, null);
      const statements = new BigUint64Array(1);
      s.sqlite3_prepare_v2(db, "select id * 10, name, ?2 from t where id = ?1", -1, statements, null);
      const statement = s.sqlite3_stmt.from(statements[0]);
      s.sqlite3_bind_int64(statement, 1, 2);
      s.sqlite3_bind_text(statement, 2, "bound", -1, new s.sqlite3_destructor_type(s.SQLITE_TRANSIENT));
      const stepped = s.sqlite3_step(statement);
      const row = [s.sqlite3_column_int64(statement, 0), s.sqlite3_column_text(statement, 1)?.text(), s.sqlite3_column_text(statement, 2)?.text()];
      const done = s.sqlite3_step(statement);
      s.sqlite3_finalize(statement);
      const wrong = s.sqlite3_exec(db, "no sql", null, null, out);
      const message = s.$Pointer.from(out[0])!.text();
      console.log(JSON.stringify({
        opened, executed, rows, stepped: stepped === s.SQLITE_ROW, row, done: done === s.SQLITE_DONE, wrong, message,
        errmsg: s.sqlite3_errmsg(db), closed: s.sqlite3_close(db), version: s.variables.sqlite3_version === s.sqlite3_libversion(),
      }));`;
    assertEquals(await use(folder, "libsqlite3.so.0", ["sqlite3.h"], text), {
      opened: 0,
      executed: 0,
      rows: [["id", "name", "1", "one"], ["id", "name", "2", "zwei €"]],
      stepped: true,
      row: [20, "zwei €", "bound"],
      done: true,
      wrong: 1,
      message: 'near "no": syntax error',
      errmsg: 'near "no": syntax error',
      closed: 0,
      version: true,
    });
  }));

Deno.test(
  "the C library: structs by value, a callback that sorts",
  { ignore: !have("/usr/include/stdlib.h") },
  () =>
    withFolder(async (folder) => {
      const text = `
      import * as c from "./lib.ts";
      const { quot, rem } = c.div(-17, 5);
      const long = c.ldiv(-(2 ** 40), 1000);
      const numbers = new Int32Array([3, -1, 2]);
      const compare = new c.__compar_fn_t((a, b) => new Int32Array(a!.bytes(4).buffer)[0] - new Int32Array(b!.bytes(4).buffer)[0]);
      c.qsort(numbers, 3, 4, compare);
      let missing = "", range = "", type = "";
      try { c.abs(2 ** 31); } catch (error) { range = String(error); }
      // deno-lint-ignore no-explicit-any
      try { c.atoi(5 as any); } catch (error) { type = String(error); }
      try { c.llabs(-9007199254740993n); } catch (error) { missing = String(((error as Error).cause as bigint)); }
      console.log(JSON.stringify([quot, rem, long.quot, long.rem, [...numbers], c.strtol("0x7f", null, 16), range, type, missing, c.getenv("no such")]));`;
      assertEquals(await use(folder, "libc.so.6", ["stdlib.h"], text), [
        -3,
        -2,
        -1099511627,
        -776,
        [-1, 2, 3],
        127,
        "RangeError: abs(__x): expected an int32, got the number 2147483648",
        "TypeError: atoi(__nptr): expected a string, got the number 5",
        "9007199254740993",
        null,
      ]);
    }),
);

const TINY_H = `
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

const TINY_C = `
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <float.h>
struct limits limits_min(void) { return (struct limits){ INT8_MIN, 0, INT16_MIN, 0, INT32_MIN, 0, -(1ll << 53) + 1, 0, -FLT_MAX, -DBL_MAX, false, -1 }; }
struct limits limits_max(void) { return (struct limits){ INT8_MAX, UINT8_MAX, INT16_MAX, UINT16_MAX, INT32_MAX, UINT32_MAX, INT64_MAX, UINT64_MAX, FLT_MAX, DBL_MAX, true, 1 }; }
void limits_copy(struct limits *to, const struct limits *from) { *to = *from; }
void bits_fill(struct bits *b) { b->low = 5; b->mid = -33; b->wide = (1ull << 40) - 2; b->flag = true; b->colour = BLUE; }
int bits_sum(const struct bits *b) { return b->low + b->mid + (int)(b->wide >> 32) + b->flag * 1000 + b->colour * 10000; }
void rect_fill(struct rect *r) { memset(r, 0, sizeof *r); r->to.y = 7; r->tag.f = 1; r->depth = 9; r->name = "rect"; strcpy(r->text, "seven.."); r->ids[1] = -4; r->next[1] = &r->to; }
struct point point_middle(struct point a, struct point b) { return (struct point){ (a.x + b.x) / 2, (a.y + b.y) / 2 }; }
struct point *rect_corner(struct rect *rect, int which) { return which == 0 ? &rect->from : which == 1 ? &rect->to : NULL; }
int access_mask(enum access access) { return access; }
enum colour colour_next(enum colour colour) { return colour == RED ? GREEN : BLUE; }
double visit_all(const struct point *points, size_t count, visit f, void *data) { double sum = 0; for (size_t i = 0; i < count; i++) sum += f(&points[i], data); return sum; }
static int twice(int n) { return 2 * n; }
static struct point swap(struct point p) { return (struct point){ p.y, p.x }; }
static struct ops ops = { twice, swap };
struct ops *ops_get(void) { return &ops; }
int ops_use(struct ops *o, int n) { struct point p = o->swap((struct point){ 1, 2 }); return o->twice(n) + (int)(p.x * 100 + p.y * 10); }
struct thing { int value; };
struct thing *thing_new(int value) { struct thing *t = malloc(sizeof *t); t->value = value; return t; }
int thing_value(struct thing *thing) { return thing->value; }
void thing_free(struct thing *thing) { free(thing); }
int count_strings(const char **s) { int n = 0; while (*s) n += strlen(*s++); return n; }
int say(char *out, size_t size, const char *format, ...) { va_list args; va_start(args, format); int n = vsnprintf(out, size, format, args); va_end(args); return n; }
int delete(int in, int function) { return in - function; }
int by_value(struct packed packed) { return packed.b; }
long double too_long(long double x) { return x; }
void set_print(print f) { (void)f; }
`;

const TINY_USE = `
import * as t from "./lib.ts";
const results: unknown[] = [];
const show = (value: unknown) => results.push(value);
const fails = (f: () => unknown) => {
  try { f(); results.push("no error"); } catch (error) { results.push(String(error)); }
};
const { i8, i16, i32, i64, f, d, b, l } = t.limits_min();
show([i8, i16, i32, i64, f === -3.4028234663852886e38, d === -Number.MAX_VALUE, b, l]);
const max = t.limits_max();
show([max.i8, max.u8, max.i16, max.u16, max.i32, max.u32, max.b]);
fails(() => max.u64);
fails(() => max.i64);
const copy = new t.limits({ u8: 255, i64: -5n, d: 0.5, b: true });
t.limits_copy(copy, max);
show([...copy.bytes].slice(0, 40).every((byte, i) => byte === max.bytes[i]));
fails(() => copy.u8 = 256);
fails(() => copy.i64 = 2n ** 63n);
fails(() => new t.limits({ nothing: 1 } as never));
const bits = new t.bits();
t.bits_fill(bits);
show([bits.low, bits.mid, bits.wide, bits.flag, bits.colour === t.BLUE]);
bits.mid = 63;
bits.flag = false;
bits.colour = t.GREEN;
show([bits.low, bits.mid, bits.wide, bits.flag, bits.colour, t.bits_sum(bits), t.bits.size]);
fails(() => bits.mid = 64);
const rect = new t.rect();
t.rect_fill(rect);
show([rect.to.y, rect.tag.u, [...rect.tag.bytes_], rect.depth, rect.name, rect.text, rect.ids, rect.next[0], rect.next[1]?.y]);
rect.from = new t.point({ x: 1, y: 2 });
rect.name = "näme";
rect.text = "short";
rect.ids = [1, 2n ** 40n];
const corner = t.rect_corner(rect, 0)!;
corner.x = 11;
show([rect.from.x, rect.name, rect.text, rect.ids, t.rect_corner(rect, 2), corner.equals(rect.from)]);
fails(() => rect.text = "too long!");
const middle = t.point_middle(new t.point({ x: 1, y: 2 }), corner);
show([middle.x, middle.y]);
show([t.access_mask(t.READ | t.EXECUTE), t.colour_next(t.RED) === t.GREEN]);
const points = new Uint8Array(3 * t.point.size);
new Float64Array(points.buffer).set([1, 2, 3, 4, 5, 6]);
const seen: number[] = [];
const visit = new t.visit((point, data) => { seen.push(point!.y); return point!.x * data!.bytes(1)[0]; });
show([t.visit_all(new t.point(points), 3, visit, new Uint8Array([10])), [...seen], visit.call(new t.point({ x: 4 }), new Uint8Array([2]))]);
const ops = t.ops_get()!;
show([ops.twice!.call(21), ops.swap!.call(new t.point({ x: 1, y: 2 })).x]);
const mine = new t.ops({ twice: new t.ops_twice((n) => n * 3), swap: new t.ops_swap((p) => new t.point({ x: p.x, y: p.y })) });
show([t.ops_use(mine, 5), t.ops_use(ops, 5)]);
const thing = t.thing_new(8)!;
show(t.thing_value(thing));
t.thing_free(thing);
fails(() => t.thing_value(thing));
fails(() => t.thing_value(new t.point() as never));
{ using again = t.thing_new(9); show(t.thing_value(again)); }
show(t.count_strings(["a", "bc", null]));
const out = new Uint8Array(20);
show([t.say(out, 20, "100% %s"), new TextDecoder().decode(out.subarray(0, 7))]);
show([t.delete_(5, 3), t.TEXT, String(t.BIG), t.RED, Object.keys(t.symbols).includes("point_middle")]);
fails(() => t.not_there());
fails(() => t.count_strings(["a\\0b"]));
console.log(JSON.stringify(results));
`;

Deno.test("a library of our own: every integer at its limits, bit-fields, unions, nested structs, callbacks", () =>
  withFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/tiny.h`, TINY_H);
    if (!await compile(folder, TINY_C)) return;
    const results = await use(folder, `${folder}/libtiny.so`, [`${folder}/tiny.h`], TINY_USE);
    assertEquals(results, [
      [-128, -32768, -2147483648, -9007199254740991, true, true, false, -1],
      [127, 255, 32767, 65535, 2147483647, 4294967295, true],
      "RangeError: 18446744073709551615 is beyond 2^53, where numbers are no longer exact; it is this error's cause, as a bigint",
      "RangeError: 9223372036854775807 is beyond 2^53, where numbers are no longer exact; it is this error's cause, as a bigint",
      true,
      "RangeError: limits.u8: expected a uint8, got the number 256",
      "RangeError: limits.i64: expected an int64, got the bigint 9223372036854775808n",
      'TypeError: new limits: it has no field "nothing"',
      [5, -33, 1099511627774, true, true],
      [5, 63, 1099511627774, false, 2, 20323, 8],
      "RangeError: bits.mid: expected a signed integer of 7 bits, got the number 64",
      [7, 0x3f800000, [0, 0, 128, 63], 9, "rect", "seven..", [0, -4], null, 7],
      [11, "näme", "short", [1, 2 ** 40], null, true],
      "RangeError: rect.text: 10 bytes with the NUL don't fit into 8",
      [6, 2],
      [5, true],
      [90, [2, 4, 6], 8],
      [42, 2],
      [135, 220],
      8,
      "Error: thing_value(thing_): this thing was freed",
      "TypeError: thing_value(thing_): expected a thing, got a point",
      9,
      3,
      [7, "100% %s"],
      [2, 'say "hi"', "18446744073709551615", 0, true],
      `Error: not_there is not in the library ${folder}/libtiny.so: ${folder}/libtiny.so: undefined symbol: not_there`,
      "TypeError: count_strings(strings)[0]: the string has a NUL at index 1, where C would cut it off",
    ]);
  }));

Deno.test("variables: read and written where they lie; constants are copies; what can't cross is listed", () =>
  withFolder(async (folder) => {
    await Deno.writeTextFile(
      `${folder}/tiny.h`,
      `#include <stdint.h>
struct pair { int a, b; };
struct opaque;
extern int counter;
extern uint64_t big;
extern _Bool flag;
extern const char version[];
extern const int primes[3];
extern char text[8];
extern int flexible[];
extern struct pair one;
extern const struct pair fixed[2];
extern struct opaque hidden;
extern int (*hook)(int);
extern const char *const names[2];
extern __thread int local;
extern int toString;
extern int missing;
extern long double wide;
int count(void);
int hooked(int n);
`,
    );
    const code = `struct opaque { int x; };
int counter = 3; uint64_t big = 1ull << 40; _Bool flag = 1; const char version[] = "1.2"; const int primes[3] = { 2, 3, 5 };
char text[8] = "seven.."; int flexible[] = { 7, 8, 9 }; struct pair one = { 1, 2 }; const struct pair fixed[2] = { { 3, 4 }, { 5, 6 } };
struct opaque hidden; int (*hook)(int); const char *const names[2] = { "a", "b" }; __thread int local = 11; int toString = 12;
int count(void) { return counter + one.b * 100 + flag * 10000; }
int hooked(int n) { return hook(n); }
`;
    if (!await compile(folder, code)) return;
    const text = `import { count, hook, hooked, variables as v } from "./lib.ts";
      const before = [v.counter, v.big, v.flag, v.version, [...v.primes], v.text, v.one.b, v.local, v.toString_];
      v.primes[0] = v.fixed[1].a = 9;
      v.counter = 5;
      v.one.b = 6;
      v.flag = false;
      v.text = "new";
      v.hook = new hook((n) => n + v.counter);
      let missing = "", range = "";
      try { v.missing; } catch (error) { missing = (error as Error).message; }
      try { v.counter = 2 ** 31; } catch (error) { range = String(error); }
      console.log(JSON.stringify({
        before, count: count(), text: v.text, hooked: hooked(30), primes: [...v.primes], fixed: v.fixed.map(({ a, b }) => [a, b]),
        flexible: [...new Int32Array(v.flexible.bytes(12).buffer)], hidden: v.hidden.address !== 0n, names: v.names.map((name) => name!.text()),
        missing: missing.startsWith("missing is not in the library"), range,
      }));`;
    assertEquals(await use(folder, `${folder}/libtiny.so`, [`${folder}/tiny.h`], text), {
      before: [3, 2 ** 40, true, "1.2", [2, 3, 5], "seven..", 2, 11, 12],
      count: 605,
      text: "new",
      hooked: 35,
      primes: [2, 3, 5],
      fixed: [[3, 4], [5, 6]],
      flexible: [7, 8, 9],
      hidden: true,
      names: ["a", "b"],
      missing: true,
      range: "RangeError: counter: expected an int32, got the number 2147483648",
    });
    assertMatch((await generate(folder, "tiny", `${folder}/tiny.h`)).stdout, /tiny\.h:\d+: wide: long double can't be passed/);
  }));

Deno.test("integers of 64 bits come as bigints where --bigint says so", () =>
  withFolder(async (folder) => {
    await Deno.writeTextFile(
      `${folder}/tiny.h`,
      `#include <stdint.h>
struct wide { uint64_t a; int64_t b[2]; uint64_t c; };
typedef uint64_t (*step)(uint64_t n);
uint64_t most(void);
int64_t least(void);
uint64_t run(step f, uint64_t n);
void fill(struct wide *to);
extern uint64_t now;
`,
    );
    const code = `uint64_t now = -2;
uint64_t most(void) { return -1; }
int64_t least(void) { return INT64_MIN; }
uint64_t run(step f, uint64_t n) { return f(n); }
void fill(struct wide *to) { to->a = -1; to->b[0] = INT64_MIN; to->c = 5; }
`;
    if (!await compile(folder, code)) return;
    const text = `import * as t from "./lib.ts";
      const wide = new t.wide();
      t.fill(wide);
      wide.b[1] = 7n;
      const step: bigint = t.run(new t.step((n: bigint) => n + 1n), 2n ** 64n - 2n);
      let number = "";
      try { t.least(); } catch (error) { number = (error as Error).name; }
      console.log(JSON.stringify([t.most(), wide.a, ...wide.b, t.variables.now, step].map(String).concat(String(wide.c + 1), number)));`;
    const bigints = ["most", "wide.a", "wide.b", "now", "run", "step"].flatMap((glob) => ["--bigint", glob]);
    assertEquals(await use(folder, `${folder}/libtiny.so`, [`${folder}/tiny.h`, ...bigints], text), [
      "18446744073709551615",
      "18446744073709551615",
      "-9223372036854775808",
      "7",
      "18446744073709551614",
      "18446744073709551615",
      "6",
      "RangeError",
    ]);
  }));

Deno.test(
  "functions of headers that aren't bound are counted, with how to bind them",
  { ignore: !have("/usr/include/math.h") },
  () =>
    withFolder(async (folder) => {
      assertMatch(
        (await generate(folder, "libm.so.6", "math.h")).stdout,
        /: 0 functions,.*\n {2}functions of other headers, .*: \d+ of bits\/mathcalls\.h/,
      );
      const text = `import { cos } from "./lib.ts"; console.log(cos(0));`;
      assertEquals(await use(folder, "libm.so.6", ["math.h", "--bind", "*/mathcalls*.h"], text), 1);
    }),
);

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
  }));

Deno.test("what is bound: the library's own headers, not the system's; --bind says it explicitly", () =>
  withFolder(async (folder) => {
    await Deno.mkdir(`${folder}/inc/foo/sub`, { recursive: true });
    await Deno.writeTextFile(`${folder}/inc/foo/foo.h`, '#include "sub/part.h"\n#include <other.h>\n#include <stdint.h>\nint foo(void);\n');
    await Deno.writeTextFile(`${folder}/inc/foo/sub/part.h`, "int part(void);\n");
    await Deno.writeTextFile(`${folder}/inc/other.h`, "int other(void);\n");
    const names = async (...args: string[]) => {
      const { code, stderr } = await generate(folder, "foo", "foo/foo.h", "-I", `${folder}/inc`, ...args);
      assertEquals(code, 0, stderr);
      return [...(await Deno.readTextFile(`${folder}/lib.ts`)).matchAll(/^export function (\w+)/gm)].map(([, name]) => name);
    };
    assertEquals(await names(), ["part", "foo"]);
    assertEquals(await names("--bind", "*/other.h"), ["other", "foo"]);
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
