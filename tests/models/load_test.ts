/** What loadModel has C make of a file. */

import { assertEquals } from "@std/assert";
import { loadModel } from "@ggml/deno/models";
import { onLog } from "@ggml/deno/utils";

/** The kinds of memory that C's log says the weights went into. */
async function kindsOfMemory(options: { repack?: boolean }): Promise<string[]> {
  const kinds: string[] = [];
  using _heard = onLog((_, text) => kinds.push(...text.matchAll(/(\w+) model buffer size/g).map(([, kind]) => kind)));
  using _model = await loadModel("examples/models/moby.gguf", { gpuLayers: 0, ...options });
  return kinds;
}

Deno.test("loadModel: with repack false, matrices stay as the file has them, mapped", async () => {
  assertEquals(await kindsOfMemory({ repack: false }), ["CPU_Mapped"]);
  const usual = await kindsOfMemory({});
  if (usual.length === 1) console.warn("SKIPPED loadModel repacks: this processor multiplies by no matrix of this model in another order");
  else assertEquals(usual.some((kind) => kind === "CPU_REPACK" || kind === "AMX"), true, usual.join());
});
