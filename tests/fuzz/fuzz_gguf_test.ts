/** GGUF fuzzing, the smaller run: broken files are read or refused, as C's reader does, and none is the process's end. `deno task fuzz:gguf` is the larger one. */

import { assert, assertEquals } from "@std/assert";
import { fuzzGguf } from "./gguf.ts";

Deno.test("of 4,000 random and broken GGUF files each is read or refused with its place, and C's reader agrees", async () => {
  const { read, refused, fields, complaints } = await fuzzGguf(4000, 2026);
  assertEquals(complaints, []);
  assertEquals(read + refused, 4000);
  // Fewer would mean that the fuzz does not get to what it is there to try.
  assert(read > 500 && refused > 1500, `${read} read, ${refused} refused`);
  assert(fields.size > 10, [...fields.keys()].join());
});
