/** What ends while C works on another thread: a process by an error, a Worker. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { deno } from "../process.ts";

/** `RUNS=200` is what it was measured with. */
const RUNS = Number(Deno.env.get("RUNS") ?? 2);

/** Works in which C calls functions in TypeScript from other threads. */
const CALLED_BACK = ["operator", "abort callback", "evaluation"];

for (const work of ["graph", "slices", "scheduler", "copy", ...CALLED_BACK]) {
  for (const error of ["throw", "reject"]) {
    Deno.test(`an uncaught error while C works is printed, and the exit code is 1: ${work}, ${error}`, async () => {
      for (let i = 0; i < RUNS; i++) {
        const { code, stderr } = await deno(["run", "--quiet", "-A", "tests/stress/uncaught.ts", work, error]);
        assertStringIncludes(stderr, "oops");
        assertEquals(code, 1, stderr);
      }
    });
  }
}

for (const work of ["graph", "slices", "copy", "sync", "sync operator", ...CALLED_BACK]) {
  for (const end of work.startsWith("sync") ? ["terminate"] : ["terminate", "throw"]) {
    Deno.test(`a Worker that ends while C works leaves the others alive: ${work}, ${end}`, async () => {
      const { code, stdout, stderr } = await deno(["run", "--quiet", "-A", "tests/stress/terminated.ts", work, end, String(3 * RUNS)]);
      assertEquals([code, stdout], [0, "4\n"], stderr);
    });
  }
}
