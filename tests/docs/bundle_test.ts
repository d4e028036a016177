/** `deno bundle`: one file that runs, which modules that wait for each other in a circle can't be made into. */

import { assertEquals } from "@std/assert";
import { deno } from "../process.ts";

Deno.test("deno bundle makes one file of the first example, which prints the same", async () => {
  const folder = await Deno.makeTempDir(), file = `${folder}/add_quant.js`;
  try {
    const made = await deno(["bundle", "--quiet", "--output", file, "examples/add_quant.ts"]);
    // The bundler is esbuild, which Deno downloads from npm.
    if (made.code !== 0 && /esbuild|registry/.test(made.stderr)) return console.warn("SKIPPED: deno bundle: esbuild can't be had");
    assertEquals(made.code, 0, made.stderr);
    const bundled = await deno(["run", "--no-prompt", "--no-config", "--allow-ffi", file]);
    const plain = await deno(["run", "--no-prompt", "--allow-ffi", "examples/add_quant.ts"]);
    assertEquals([bundled.code, bundled.stdout], [0, plain.stdout], bundled.stderr);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
