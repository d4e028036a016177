/**
 * Calls in a wrong order, of what was freed, of what belongs to something else: no process dies or hangs.
 *
 * @module
 */

import { assertEquals, assertMatch } from "@std/assert";
import { deno } from "../process.ts";

Deno.test("what is called in a wrong order, freed, or somebody else's is an Error, or right", async () => {
  const { code, stdout, stderr } = await deno(["run", "--quiet", "--no-check", "--allow-all", "tests/ffi/misuses/run.ts"]);
  const last = stdout.trimEnd().split("\n").at(-1)!;
  assertMatch(last, /^\d{2,3} misuses, \d{2,3} Errors$/, stderr);
  assertEquals(code, 0, stderr);
});
