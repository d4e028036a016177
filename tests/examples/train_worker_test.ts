/**
 * The example that trains in a Worker: what it learned there answers here.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { deno } from "../process.ts";

Deno.test("train_worker: a network learns sin(x) in a Worker, and what it learned answers in the thread that started that", async () => {
  const { code, stdout, stderr } = await deno(["run", "--no-prompt", "--allow-ffi", "--allow-read", "examples/train_worker.ts"]);
  assertEquals([code, stderr], [0, ""]);
  const losses = Array.from(stdout.matchAll(/^epoch \d+: loss (\S+)$/gm), ([, loss]) => Number(loss));
  assertEquals(losses.length, 4);
  assert(losses[3] < 0.01, stdout);
  const answers = [...stdout.matchAll(/^sin\(\S+\) is (\S+), learned: (\S+)$/gm)];
  assertEquals(answers.length, 3);
  for (const [line, right, learned] of answers) assert(Math.abs(Number(right) - Number(learned)) < 0.1, line);
});
