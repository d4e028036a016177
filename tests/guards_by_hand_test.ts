/** Guards written by hand: what would end the process is an Error that names the function and the argument. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { byHand } from "../ffi/guards/mod.ts";
import { cases } from "./guards/by_hand.ts";
import { deno } from "./process.ts";

const PROGRAM = "tests/guards/by_hand.ts";

Deno.test("every guard is called by its function, and has a case", async () => {
  const api = await Deno.readTextFile(new URL("../lexer/api.h", import.meta.url));
  const named = Array.from(api.matchAll(/^#pragma guard (\w+)$/gm), ([, name]) => name);
  assertEquals(named.toSorted(), Object.keys(byHand).toSorted());
  assertEquals(Object.keys(cases).toSorted(), named.toSorted());
});

Deno.test("what a guard refuses is an Error that says where and why, and the process lives", async () => {
  const { code, stdout, stderr } = await deno(["run", "--quiet", "--allow-ffi", "--allow-env", PROGRAM], { GGML_NO_BACKTRACE: "1" });
  const lines = stdout.trim().split("\n").map((line) => JSON.parse(line) as [string, number, string]);
  const thrown = new Map(lines.map(([name, i, message]) => [`${name} ${i}`, message]));
  for (const [name, list] of Object.entries(cases)) {
    list.forEach(([, message], i) => {
      assertStringIncludes(thrown.get(`${name} ${i}`) ?? `the process died: ${stderr.slice(-300)}`, `Error: ${name}${message}`);
    });
  }
  assertEquals(code, 0, stderr);
});

Deno.test("without its guard C ends the process", async () => {
  const { stderr, code } = await deno(["run", "--quiet", "--allow-ffi", "--allow-env", PROGRAM, "gguf_get_key"], {
    GGML_NO_BACKTRACE: "1",
  });
  assert(code !== 0);
  assertStringIncludes(stderr, "GGML_ASSERT(key_id >= 0 && key_id < gguf_get_n_kv(ctx)) failed");
});
