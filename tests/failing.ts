/**
 * Tests of what fails.
 *
 * @module
 */

import { assertThrows } from "@std/assert";
import { onLog } from "@ggml/deno/utils";

/** Runs a test without the log of what is wrong: the Errors say it. */
export function quietly(name: string, test: () => void | Promise<void>): void {
  Deno.test(name, async () => {
    using _silence = onLog(() => {});
    await test();
  });
}

/** What a call throws. */
export function message(call: () => unknown): string {
  return assertThrows(call, Error).message;
}
