/** Abort fuzzing, the smaller run: no mistake made in arguments ends the process. `deno task fuzz:abort` is the larger one. */

import { assert, assertEquals } from "@std/assert";
import { catalogue } from "./catalogue.ts";
import { fuzz, Workshop } from "./children.ts";
import { group, reportDeaths } from "./report.ts";

Deno.test("of 20,000 random calls of the functions that build tensors none ends its process, and each refusal says why", async () => {
  using workshop = new Workshop();
  const all = await catalogue();
  const functions = all.builders.map(({ name }) => name);
  const plan = { catalogue: all, calls: 20_000, seed: 2026, functions, compute: false, workers: 2, patience: 3 };
  const { calls, deaths, complaints, passed } = await fuzz(workshop, plan);
  assertEquals(reportDeaths(group(deaths)), "");
  assertEquals(complaints, []);
  assert(calls >= 20_000);
  // Fewer would mean that the fuzz does not get past the conditions that it is there to try.
  assert(passed.size > functions.length * 0.9, `only ${passed.size} of ${functions.length} functions were called with success`);
});
