/** Garbage collection: what nobody can reach is freed, what somebody can reach is not. */

import { assert, assertEquals } from "@std/assert";
import { deno } from "./process.ts";

const stress = (name: string, ...args: string[]) =>
  deno(["run", "--quiet", "-A", "--v8-flags=--expose-gc", `tests/stress/${name}`, ...args]);

Deno.test("10,000 contexts of 256 KiB, dropped in a loop that lets the event loop turn, never hold more than 400 MB", async () => {
  const { code, stdout, stderr } = await stress("contexts.ts", "10000");
  assertEquals(code, 0, stderr);
  const { contexts, megabytes, most } = JSON.parse(stdout);
  assertEquals([contexts, megabytes], [10_000, 2500]);
  assert(most < 400, `${most} MB were resident`);
});

Deno.test("in 300 random programs of create, view, drop, collect and use, what is used reads right", async () => {
  const { code, stdout, stderr } = await stress("programs.ts", "300", "1");
  assertEquals([code, stdout], [0, "300 programs read right\n"], stderr);
});
