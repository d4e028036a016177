/** Garbage collection: what nobody can reach is freed, what somebody can reach is not. */

import { assert, assertEquals } from "@std/assert";
import { deno } from "../process.ts";

const stress = (name: string, ...args: string[]) =>
  deno(["run", "--quiet", "-A", "--v8-flags=--expose-gc", `tests/stress/${name}`, ...args]);

/** Makes and drops `count` objects. */
async function leaks(kind: string, count: number): Promise<{ megabytes: number; threads: number }> {
  const { code, stdout, stderr } = await stress("leaks.ts", kind, String(count));
  assertEquals(code, 0, stderr);
  return JSON.parse(stdout);
}

Deno.test("10,000 contexts of 256 KiB, dropped in a loop that lets the event loop turn, never hold more than 400 MB", async () => {
  const { megabytes } = await leaks("context", 10_000);
  assert(megabytes < 400, `${megabytes} MB were resident`);
});

for (const kind of ["large context", "large context of ggml_init", "large buffer"]) {
  Deno.test(`40 of a kind of 64 MiB, dropped in a loop that lets the event loop turn, never hold more than 900 MB: ${kind}`, async () => {
    const { megabytes } = await leaks(kind, 40);
    assert(megabytes < 900, `${megabytes} MB were resident`);
  });
}

Deno.test("in 300 random programs of create, view, drop, collect and use, what is used reads right", async () => {
  const { code, stdout, stderr } = await stress("programs.ts", "300", "1");
  assertEquals([code, stdout], [0, "300 programs read right\n"], stderr);
});

for (const kind of ["buffer", "buffer of tensors", "allocator", "gguf", "scheduler"]) {
  Deno.test(`1,000 of a kind that C frees, each of 256 KiB or more, never hold more than 100 MB: ${kind}`, async () => {
    const { megabytes } = await leaks(kind, 1000);
    assert(megabytes < 100, `${megabytes} MB were resident`);
  });
}

Deno.test("1,500 copies of graphs without memory, each of which C would leave 60 KB of, hold less than 50 MB", async () => {
  const { megabytes } = await leaks("refused copy", 1500);
  assert(megabytes < 50, `${megabytes} MB were resident`);
});

Deno.test("200 threadpools that were dropped leave no threads behind", async () => {
  const { threads } = await leaks("threadpool", 200);
  assert(threads < 60, `${threads} threads more than before`);
});
