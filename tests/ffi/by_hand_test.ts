/**
 * Fields that are written by hand: whatever a tensor says then, no process dies of it.
 *
 * @module
 */

import { assertEquals, assertMatch } from "@std/assert";
import { deno } from "../process.ts";

Deno.test("tensors whose fields were set to what they can't be: computed, copied, viewed, printed and drawn, nothing ends the process", async () => {
  const { code, stdout, stderr } = await deno(["run", "--quiet", "--no-check", "--allow-all", "tests/ffi/by_hand/run.ts"]);
  const last = stdout.trimEnd().split("\n").at(-1)!;
  assertMatch(last, /^\d{3} ways, \d{5} deeds, \d{4,5} refused$/, stderr);
  assertEquals(code, 0, stderr);
});
