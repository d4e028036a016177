/** `deno doc --lint` finds nothing to say of the public API: no symbol without documentation, none without a type. */

import { assertEquals, assertMatch } from "@std/assert";
import config from "../deno.json" with { type: "json" };
import { deno } from "./process.ts";

/** `lib` is a namespace, whose members it takes for public only where a module exports them by themselves. */
const MEMBERS = "./ffi/all.d.ts";

/** It looks for the comment of an `export * as` in the module that exports it again, at the same offset, and finds none. */
const FALSE_ALARM = /^error\[missing-jsdoc\].*\n +--> \S+\/ffi\/lib\.d\.ts:\d+:\d+$/m;

Deno.test("deno doc --lint has nothing to say of what the package exports", async () => {
  const { stderr } = await deno(["doc", "--lint", ...Object.values(config.exports), MEMBERS]);
  const alarms = stderr.split(/^(?=error\[)/m).filter((text) => text.startsWith("error") && !FALSE_ALARM.test(text));
  assertEquals(alarms, []);
  assertMatch(stderr, /^Checked 5 files$|^error: Found 1 documentation lint error\.$/m);
});
