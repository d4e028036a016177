/** lexer/cli.ts generate: what every type of C's is in a module, over libraries of our own that are really called. */

import { assertEquals, assertMatch } from "@std/assert";
import { withFolder } from "../folder.ts";
import { compile, generate, judge, TINY_H, use } from "./generate.ts";

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

Deno.test("fields with long names are written as deno fmt has them", () =>
  withFolder(async (folder) => {
    const long = (name: string) => name.padEnd(36, "_x");
    await Deno.writeTextFile(
      `${folder}/t.h`,
      `struct ${long("inner")} { int x; };
      struct ${long("outer")} {
        unsigned long long ${long("two")}[2]; long long ${long("eight")}[8];
        struct ${long("inner")} ${long("nested")}; const char *${long("text")};
      };
      void f(struct ${long("outer")} *o);`,
    );
    const { code, stderr } = await generate(folder, "libc.so.6", `${folder}/t.h`);
    assertEquals([code, stderr], [0, ""]);
    await judge(folder);
  }));

Deno.test("names of a function's own that its body needs: a struct that points by value in and out, a parameter called as what it points to", () =>
  withFolder(async (folder) => {
    await Deno.writeTextFile(
      `${folder}/tiny.h`,
      `struct part { const char *text; int rest; };
struct part rest(struct part part);
int find(struct part **part, const char **string);
`,
    );
    const code = `struct part rest(struct part part) { return (struct part){ part.text + 1, part.rest - 1 }; }
static struct part found = { "found", 5 };
int find(struct part **part, const char **string) { *part = &found; *string = found.text; return 1; }
`;
    if (!await compile(folder, code)) return;
    const text = `import { $Pointer, find, part, rest } from "./lib.ts";
      const first = rest(new part({ text: "abc", rest: 3 })), out = new BigUint64Array(2);
      find(out.subarray(0, 1), out.subarray(1));
      console.log(JSON.stringify([first.text, first.rest, rest(first).text, part.from(out[0])!.rest, $Pointer.from(out[1])!.text()]));`;
    assertEquals(await use(folder, `${folder}/libtiny.so`, [`${folder}/tiny.h`], text), ["bc", 2, "c", 5, "found"]);
  }));

Deno.test("macros that are other names of functions are exported, too", () =>
  withFolder(async (folder) => {
    await Deno.writeTextFile(
      `${folder}/tiny.h`,
      `#include <string.h>
int open_2(int version);
#define open_it open_2
#define open_again open_it
#define VERSIONED(name) name##_2
#define delete VERSIONED(open)
#define copy memcpy
#define missing not_declared
#define open_2 open_2
static inline int inlined(void) { return 1; }
#define also_inlined inlined
`,
    );
    if (!await compile(folder, "int (open_2)(int version) { return version * 10; }\n")) return;
    const text = `import { delete_, open_2, open_again, open_it } from "./lib.ts";
      console.log(JSON.stringify([open_it(4), open_again(5), delete_(6), open_it === open_2]));`;
    assertEquals(await use(folder, `${folder}/libtiny.so`, [`${folder}/tiny.h`], text), [40, 50, 60, true]);
    const { stdout } = await generate(folder, "tiny", `${folder}/tiny.h`);
    assertMatch(stdout, /macros that are other names of functions: 3$/m);
    assertEquals([...stdout.matchAll(/tiny\.h:\d+: (.*)$/gm)].map(([, line]) => line), [
      "VERSIONED: function-like macro",
      "copy: it is another name for the function 'memcpy'",
      "missing: it names 'not_declared', which is not declared",
      "also_inlined: it is another name for the function 'inlined'",
      "inlined: an inline function has no symbol",
    ]);
  }));

Deno.test("structs that want more than malloc's alignment get it, and enums of 64 bits take their own values", () =>
  withFolder(async (folder) => {
    await Deno.writeTextFile(
      `${folder}/tiny.h`,
      `#include <stdbool.h>
struct vector { float v[8]; } __attribute__((aligned(64)));
struct matrix { char kind; struct vector rows[2]; };
bool aligned(const struct vector *vector);
bool matrix_aligned(const struct matrix *matrix);
float first(const struct vector **vectors, int count);
enum far { FAR = 0x7fffffffffffffff, NEAR = 1, BELOW = -0x7fffffffffffffff - 1 };
enum far other(enum far far);
typedef enum far (*choice)(enum far far);
bool chooses(choice choice);
struct trip { enum far to; };
`,
    );
    const code = `#include <stdint.h>
bool aligned(const struct vector *vector) { return (uintptr_t)vector % 64 == 0; }
bool matrix_aligned(const struct matrix *matrix) { return aligned(matrix->rows) && matrix->rows[1].v[7] == 9; }
float first(const struct vector **vectors, int count) { return vectors[count - 1]->v[0]; }
bool chooses(choice choice) { return choice(NEAR) == BELOW; }
enum far other(enum far far) { return far == FAR ? NEAR : far == BELOW ? FAR : BELOW; }
`;
    if (!await compile(folder, code)) return;
    const text =
      `import { $Struct, aligned, BELOW, choice, chooses, FAR, type far, matrix, matrix_aligned, NEAR, other, trip, vector } from "./lib.ts";
      const many = Array.from({ length: 20 }, (_, i) => new vector({ v: [i, 0, 0, 0, 0, 0, 0, 9] }));
      const all = new matrix();
      all.rows[1].v = many[3].v;
      const where: far = FAR, there = new trip({ to: BELOW });
      let beyond = "";
      try { other(BELOW); } catch (error) { beyond = String((error as Error).cause); }
      console.log(JSON.stringify([
        many.every(aligned), many.every(({ v }, i) => v[0] === i), many[5] instanceof $Struct, aligned(all.rows[1]), matrix_aligned(all), all.bytes.length,
        other(where) === NEAR, chooses(new choice((far) => far === NEAR ? BELOW : far)), beyond, new DataView(there.bytes.buffer, there.bytes.byteOffset).getBigInt64(0, true) === BELOW,
      ]));`;
    const expected = [true, true, true, true, true, 192, true, true, "9223372036854775807", true];
    assertEquals(await use(folder, `${folder}/libtiny.so`, [`${folder}/tiny.h`], text), expected);
    assertEquals(
      await use(
        folder,
        `${folder}/libtiny.so`,
        [`${folder}/tiny.h`, "--bigint", "other", "--bigint", "trip.to"],
        `import { BELOW, FAR, other, trip } from "./lib.ts";
         const far: bigint = other(BELOW), to: bigint = new trip({ to: far }).to;
         console.log(JSON.stringify([far === FAR, to === FAR]));`,
      ),
      [true, true],
    );
  }));
