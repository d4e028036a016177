/** `deno doc --lint` finds nothing to say of the public API: no symbol without documentation, none without a type, none that is private. */

import { assertEquals } from "@std/assert";
import config from "../deno.json" with { type: "json" };
import { deno } from "./process.ts";

Deno.test("deno doc --lint has nothing to say of what the package exports", async () => {
  const { code, stderr } = await deno(["doc", "--lint", "--quiet", ...Object.values(config.exports)]);
  assertEquals(stderr, "");
  assertEquals(code, 0);
});
