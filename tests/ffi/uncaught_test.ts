/** What ends while C works on another thread: a process by an error, a Worker. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
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

/** In `nothing` what is to be called at the end still is: it takes its time. */
const ENDS = { "throw": 1, exit: 3, worker: 3, "worker's asynchronous call": 3, nothing: 3 };

for (const [end, code] of Object.entries(ENDS)) {
  Deno.test(
    `C that computes while the process exits doesn't end it by a fault: ${end}`,
    { ignore: Deno.build.os !== "linux" },
    async () => {
      for (let i = 0; i < RUNS; i++) {
        const start = performance.now(), ended = await deno(["run", "--quiet", "-A", "tests/stress/exits.ts", end]);
        assertEquals(ended.code, code, ended.stderr);
        if (end === "nothing") assert(performance.now() - start > 300, "what was to be called at the end wasn't");
      }
    },
  );
}
