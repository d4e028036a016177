/** lexer/cli.ts generate --api: modules that refuse null, check lengths and keep alive what C keeps. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { deno, type Ended } from "../process.ts";
import { fromPyPI } from "../pypi.ts";

const HEADER = `#include <stddef.h>
#include <stdint.h>
typedef struct heard heard;
heard * heard_open(const char * name);
void heard_free(heard * h);
int64_t heard_sum(heard * h, const float * samples, int64_t n);
void heard_watch(heard * h, const int32_t * watched);
int32_t heard_watched(const heard * h);
const char * heard_name(const heard * h);
const char * heard_nothing(void);
int heard_words(const char ** words, int n);
int heard_alive(void);
int heard_each(int n, int (*each)(int i));
typedef struct ear ear;
ear * ear_open(heard * h);
int64_t ear_close(ear * e);
int heard_bytes(const char * text, int n);
`;

const SOURCE = `#include "heard.h"
#include <stdlib.h>
struct heard { const char * name; const int32_t * watched; };
static int alive;
int heard_alive(void) { return alive; }
int heard_each(int n, int (*each)(int i)) { int sum = 0; for (int i = 0; i < n; i++) sum += each(i); return sum; }
heard * heard_open(const char * name) { heard * h = name ? calloc(1, sizeof(heard)) : NULL; if (h) { h->name = "opened"; alive++; } return h; }
void heard_free(heard * h) { if (h) alive--; free(h); }
int64_t heard_sum(heard * h, const float * samples, int64_t n) { double sum = 0; for (int64_t i = 0; i < n; i++) sum += samples[i]; (void)h; return sum; }
void heard_watch(heard * h, const int32_t * watched) { h->watched = watched; }
int32_t heard_watched(const heard * h) { return h->watched ? *h->watched : -1; }
const char * heard_name(const heard * h) { return h->name; }
const char * heard_nothing(void) { return NULL; }
int heard_words(const char ** words, int n) { int count = 0; for (int i = 0; i < n; i++) count += words[i] != NULL; return count; }
struct ear { heard * heard; };
ear * ear_open(heard * h) { ear * e = malloc(sizeof(ear)); e->heard = h; alive += 100; return e; }
int64_t ear_close(ear * e) { int64_t left = alive -= 100; if (!e->heard->name) abort(); free(e); return left; }
int heard_bytes(const char * text, int n) { int sum = 0; for (int i = 0; i < n; i++) sum += (unsigned char)text[i]; return sum; }
`;

const API = `#include "heard.h"
#pragma nullable heard_open(return, name)
#pragma nullable heard_free(h)
#pragma nullable heard_watch(watched)
#pragma length heard_sum(samples: n)
#pragma length heard_words(words: n)
#pragma keeps heard_watch(h, watched)
#pragma places heard_watch(h)
#pragma nullable heard_of(x)
#pragma nullable heard_sum(nothing)
#pragma takes ear_close(e)
#pragma takes heard_sum(h)
#pragma takes heard_sum(samples)
#pragma length heard_bytes(text: n)
`;

async function withModule(test: (folder: string, made: Ended) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    for (const [name, text] of [["heard.h", HEADER], ["heard.c", SOURCE], ["heard_api.h", API]]) {
      await Deno.writeTextFile(`${folder}/${name}`, text);
    }
    const args = ["--library", `${folder}/libheard.so`, "--api", `${folder}/heard_api.h`, "--out", `${folder}/lib.ts`];
    await test(folder, await deno(["run", "--quiet", "-RW", "lexer/cli.ts", "generate", ...args]));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function compiled(folder: string): Promise<boolean> {
  const args = ["-shared", "-fPIC", "-O1", "-Wall", "-o", `${folder}/libheard.so`, `${folder}/heard.c`];
  const output = await new Deno.Command("gcc", { args }).output().catch(() => null);
  if (output === null) console.warn("SKIPPED: there is no gcc");
  else assertEquals(output.code, 0, new TextDecoder().decode(output.stderr));
  return output !== null;
}

Deno.test("generate --api binds what the API file includes, says what it can't honour, and the module passes fmt, lint and check", () =>
  withModule(async (folder, { code, stdout, stderr }) => {
    assertEquals(code, 0, stderr);
    assertStringIncludes(stdout, "13 functions");
    assertStringIncludes(stdout, "heard_api.h:8: #pragma places heard_watch(h): generated modules honour nullable, length, keeps");
    assertStringIncludes(stdout, "heard_api.h:9: #pragma nullable heard_of(x): these headers don't declare heard_of");
    assertStringIncludes(stdout, "heard_api.h:10: #pragma nullable heard_sum(nothing): heard_sum has no parameter nothing");
    assertStringIncludes(stdout, "heard_api.h:12: #pragma takes heard_sum(h): heard_sum has no other struct that could take h");
    assertStringIncludes(stdout, "heard_api.h:13: #pragma takes heard_sum(samples): heard_sum(samples) is no pointer to a struct");
    for (const tool of [["fmt", "--check", "--line-width=140"], ["lint"], ["check"]]) {
      const judged = await deno([...tool, "--quiet", "--no-config", `${folder}/lib.ts`]);
      assertEquals(judged.code, 0, judged.stdout + judged.stderr);
    }
    assertStringIncludes(await Deno.readTextFile(`${folder}/lib.ts`), "from heard_api.h");
  }));

Deno.test("what a function with a result frees is freed once, with its handle, and before what it was made from", () =>
  withModule(async (folder) => {
    if (!await compiled(folder)) return;
    const text = `import * as c from "./lib.ts";
      const h = c.heard_open("x")!, e = c.ear_open(h);
      const left: number = c.ear_close(e);
      console.log(left);
      try { c.ear_close(e); } catch (error) { console.log(String(error)); }
      { using _ = c.ear_open(h); console.log(c.heard_alive()); }
      console.log(c.heard_alive());
      c.ear_open(h);
      c.heard_free(h);
      console.log(c.heard_alive());`;
    await Deno.writeTextFile(`${folder}/use.ts`, text);
    const ran = await deno(["run", "--quiet", "--check", "--no-config", "--allow-ffi", `${folder}/use.ts`]);
    assertEquals(ran.code, 0, ran.stderr);
    assertEquals(ran.stdout.trimEnd().split("\n"), ["1", "Error: ear_close(e): this ear was freed by ear_close", "101", "1", "0"]);
  }));

Deno.test("its functions refuse null and memory that is too short, and say what failed; what C keeps stays alive", () =>
  withModule(async (folder) => {
    if (!await compiled(folder)) return;
    const text = `import * as c from "./lib.ts";
      const tries = (f: () => unknown) => { try { console.log("works:", f()); } catch (error) { console.log(String(error)); } };
      const h = c.heard_open("x")!;
      tries(() => c.heard_open(null));
      tries(() => c.heard_sum(h, new Float32Array([1, 2, 3]), 3));
      tries(() => c.heard_sum(h, new Float32Array(3), 4));
      tries(() => c.heard_sum(h, null as never, 0));
      tries(() => c.heard_sum(null as never, new Float32Array(3), 3));
      tries(() => c.heard_name(h).toUpperCase());
      tries(() => c.heard_nothing());
      tries(() => c.heard_words(["a", "b"], 2));
      tries(() => c.heard_words(["a", "b"], 3));
      tries(() => c.heard_words(["a", null], 2));
      tries(() => c.heard_bytes("ä", 2));
      tries(() => c.heard_bytes(Uint8Array.of(0, 255, 0, 1), 4));
      tries(() => c.heard_bytes(Uint8Array.of(1), 2));
      tries(() => c.heard_bytes("a", 2));
      tries(() => c.heard_bytes(5 as never, 2));
      tries(() => c.heard_bytes(Float32Array.of(1) as never, 4));
      // Nobody here holds the number, and it is still the same after much garbage.
      (() => c.heard_watch(h, Int32Array.of(4711)))();
      for (let i = 0; i < 200; i++) new Uint8Array(1 << 20).fill(1);
      (globalThis as unknown as { gc(): void }).gc();
      tries(() => c.heard_watched(h));
      c.heard_watch(h, null);
      tries(() => c.heard_watched(h));
      c.heard_free(h);
      tries(() => c.heard_name(h));
      c.heard_free(null);`;
    await Deno.writeTextFile(`${folder}/use.ts`, text);
    const ran = await deno(["run", "--quiet", "--check", "--no-config", "--allow-ffi", "--v8-flags=--expose-gc", `${folder}/use.ts`]);
    assertEquals(ran.code, 0, ran.stderr);
    assertEquals(ran.stdout.trimEnd().split("\n"), [
      "works: null",
      "works: 6",
      "RangeError: heard_sum(samples): expected at least 4 floats (n), got a Float32Array of 3",
      "TypeError: heard_sum(samples): expected a typed array, an ArrayBuffer, a handle or a Deno pointer, got null",
      "TypeError: heard_sum(h): expected a heard, got null",
      "works: OPENED",
      "Error: heard_nothing returned null: it failed",
      "works: 2",
      "RangeError: heard_words(words): expected at least 3 pointers (n), got an array of 2",
      "TypeError: heard_words(words)[1]: expected a string, got null",
      "works: 359",
      "works: 256",
      "RangeError: heard_bytes(text): expected at least 2 bytes (n), got a Uint8Array of 1",
      'RangeError: heard_bytes(text): expected at least 2 bytes (n), got the string "a"',
      "TypeError: heard_bytes(text): expected a string, got the number 5",
      "TypeError: heard_bytes(text): expected memory with elements of 1 bytes, got a Float32Array of 1",
      "works: 4711",
      "works: -1",
      "Error: heard_name(h): this heard was freed by heard_free",
    ]);
  }));

Deno.test("who frees: with an API file the handle, if nobody did; without one the user alone", () =>
  withModule(async (folder) => {
    if (!await compiled(folder)) return;
    const args = ["--library", `${folder}/libheard.so`, "--out", `${folder}/by_hand.ts`, `${folder}/heard.h`];
    assertEquals((await deno(["run", "--quiet", "-RW", "lexer/cli.ts", "generate", ...args])).code, 0);
    const text = `import * as c from "./lib.ts";
      import * as h from "./by_hand.ts";
      (() => { for (let i = 0; i < 100; i++) c.heard_open("x"); })();
      const before = c.heard_alive();
      for (let i = 0; i < 20 && c.heard_alive() > 0; i++) {
        (globalThis as unknown as { gc(): void }).gc();
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      const after = c.heard_alive();
      { using again = c.heard_open("x")!; again.pointer; }
      (() => { for (let i = 0; i < 100; i++) h.heard_open("x"); })();
      for (let i = 0; i < 5; i++) {
        (globalThis as unknown as { gc(): void }).gc();
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      const kept = h.heard_alive(), one = h.heard_open("x")!;
      { using again = one; again.pointer; }
      const each = (i: number) => { if (i === 1) throw new Error("one of mine"); return i; };
      const thrown: string[] = [];
      const tries = (f: () => unknown) => { try { f(); } catch (error) { thrown.push(String(error)); } };
      tries(() => c.heard_each(3, new c.heard_each_each(each)));
      tries(() => h.heard_each(3, new h.heard_each_each(each)));
      console.log(JSON.stringify({ before, after, kept, freed: h.heard_alive(), thrown, shared: one instanceof c.$Handle }));`;
    await Deno.writeTextFile(`${folder}/use.ts`, text);
    const ran = await deno(["run", "--quiet", "--check", "--no-config", "--allow-ffi", "--v8-flags=--expose-gc", `${folder}/use.ts`]);
    assertEquals(ran.code, 0, ran.stderr);
    const thrown = ["Error: one of mine", "Error: one of mine"];
    assertEquals(JSON.parse(ran.stdout), { before: 100, after: 0, kept: 100, freed: 100, thrown, shared: true });
  }));

/** A few of whisper.cpp's functions. The wheel has the library and no header. */
const WHISPER = `struct whisper_context;
const char * whisper_version(void);
int whisper_lang_id(const char * lang);
const char * whisper_lang_str_full(int id);
struct whisper_context * whisper_init_from_file(const char * path_model);
void whisper_free(struct whisper_context * ctx);
`;

Deno.test("a prebuilt libwhisper, from a wheel of PyPI's, is called by a module of its own", async () => {
  if (Deno.build.target !== "x86_64-unknown-linux-gnu") return console.warn("SKIPPED: libwhisper (the wheel is for x86-64 Linux)");
  const wheel = await fromPyPI("pywhispercpp", "1.5.1", "a module for libwhisper");
  if (wheel === null) return;
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/some.h`, WHISPER);
    await Deno.writeTextFile(
      `${folder}/whisper_api.h`,
      `#include "some.h"\n#pragma nullable whisper_init_from_file(return)\n#pragma nullable whisper_free(ctx)\n`,
    );
    const args = ["--library", `${wheel}/libwhisper.so`, "--api", `${folder}/whisper_api.h`, "--out", `${folder}/lib.ts`];
    const made = await deno(["run", "--quiet", "-RW", "lexer/cli.ts", "generate", ...args]);
    assertEquals(made.code, 0, made.stderr);
    await Deno.writeTextFile(
      `${folder}/use.ts`,
      `import * as w from "./lib.ts";
      console.log(w.whisper_version(), w.whisper_lang_str_full(w.whisper_lang_id("de")), w.whisper_init_from_file("/nowhere"));
      try { w.whisper_lang_id(null as never); } catch (error) { console.log(String(error)); }
      w.whisper_free(null);`,
    );
    const ran = await deno(["run", "--quiet", "--check", "--no-config", "--allow-ffi", `${folder}/use.ts`]);
    assertEquals(
      [ran.code, ran.stdout],
      [0, "1.8.5 german null\nTypeError: whisper_lang_id(lang): expected a string, got null\n"],
      ran.stderr,
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
