/** `deno doc --lint` finds nothing to say of the public API: no symbol without documentation, none without a type, none that is private. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import { deno } from "../process.ts";

Deno.test("deno doc --lint has nothing to say of what the package exports", async () => {
  const entries = Object.values(config.exports);
  const { code, stderr } = await deno(["doc", "--lint", ...entries]);
  assertEquals(stderr.split(/^(?=error\[)/m).filter((text) => text.startsWith("error")), []);
  assertStringIncludes(stderr, `Checked ${entries.length} files`);
  assertEquals(code, 0);
});
