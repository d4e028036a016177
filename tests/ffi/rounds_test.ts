/** Objects that are given to others again and again: each round takes as long as the one before, and leaves nothing behind. */

import { assert, assertEquals } from "@std/assert";
import { deno } from "../process.ts";

/** `ROUNDS=200000` is what it was measured with. */
const ROUNDS = Number(Deno.env.get("ROUNDS") ?? 10_000);

/**
 * Per round, what V8 may hold of what came and went until the event loop turns. Each round left 1 to 4 kB behind once, and 70 bytes while each had a weak
 * reference of its own.
 */
const BYTES = 20;

/** By how many megabytes the process may grow, however many rounds there are: V8 makes its young generation larger. */
const RESIDENT = 120;

const KINDS = [
  "allocator",
  "allocator of contexts that come and go",
  "scheduler",
  "buffer",
  "operator",
  "compute",
  "timing",
  "callback",
  "plan",
  "sampler",
  "batch",
];

for (const kind of KINDS) {
  Deno.test(`${ROUNDS} rounds in one loop take the same time and memory: ${kind}`, async () => {
    const args = ["run", "--quiet", "-A", "--v8-flags=--expose-gc", "tests/stress/rounds.ts", kind, String(ROUNDS)];
    const { code, stdout, stderr } = await deno(args);
    assertEquals(code, 0, stderr);
    const { first, last, megabytes, resident } = JSON.parse(stdout);
    assert(last < 3 * first + 200, `the second tenth took ${first} ms, the last one ${last}`);
    assert(megabytes < 0.5 + ROUNDS * BYTES / 2 ** 20, `the heap grew by ${megabytes} MB`);
    assert(resident < RESIDENT, `the process grew by ${resident} MB`);
  });
}
