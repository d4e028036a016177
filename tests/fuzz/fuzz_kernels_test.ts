/** Kernel fuzzing, the smaller run: no kernel takes memory for what it isn't. `deno task fuzz:kernels` is the larger one. */

import { assert, assertEquals } from "@std/assert";
import { catalogue } from "./catalogue.ts";
import { compareAll, Workshop } from "./children.ts";
import { reportDifferences } from "./kernels.ts";

Deno.test("of 4,000 results computed in another way none differs, and no process dies", async () => {
  using workshop = new Workshop();
  const found = await compareAll(workshop, await catalogue(), [], 4000, 2026);
  assertEquals(reportDifferences(found), "");
  assertEquals(found.deaths, []);
  assert(found.compared >= 4000);
  // Fewer would mean that the operations are refused that are there to be compared.
  assert(found.functions.size > 180, `only ${found.functions.size} functions were computed`);
});
