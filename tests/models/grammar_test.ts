/**
 * What looks for mistakes in grammars finds most, and none where C finds none.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { deno } from "../process.ts";

Deno.test("5,000 grammars with mistakes in them: none that C takes is refused, and most that it doesn't are", async () => {
  const { code, stdout, stderr } = await deno(["run", "--allow-all", "tests/fuzz/grammar.ts", "5000", "7"]);
  assertEquals(code, 0, stderr.slice(-2000));
  const { taken, found, strict } = JSON.parse(stdout);
  assertEquals(strict, []);
  assert(taken > 500 && found > 2 * (5000 - taken - found), stdout);
});
