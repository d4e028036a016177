/**
 * A short run of a fuzzer over objects, as a test.
 *
 * @module
 */

import { assert } from "@std/assert";
import { runWorld } from "./run_world.ts";

/** Makes so many calls in a world, in one process beside this one: none ends it, and then it computes what is right. */
export function fuzzes(world: Parameters<typeof runWorld>[0], calls: number): void {
  Deno.test(`fuzz:${world}, ${calls} calls: no process dies`, async () => {
    const { text, good } = await runWorld(world, calls, 1, [], 1);
    assert(good, text);
  });
}
