/** What loadModel has C make of a file. */

import { assertEquals, assertThrows } from "@std/assert";
import { lib } from "@ggml/deno";
import { loadModel } from "@ggml/deno/models";
import { onLog } from "@ggml/deno/utils";
import { folder, GREEDY } from "./models.ts";
import { writeTinyMamba } from "./tiny_mamba.ts";

/** The kinds of memory that C's log says the weights went into. */
async function kindsOfMemory(options: { repack?: boolean }): Promise<string[]> {
  const kinds: string[] = [];
  using _heard = onLog((_, text) => kinds.push(...text.matchAll(/(\w+) model buffer size/g).map(([, kind]) => kind)));
  using _model = await loadModel("examples/models/moby.gguf", { gpuLayers: 0, ...options });
  return kinds;
}

Deno.test("loadModel: with repack false, matrices stay as the file has them, mapped", async () => {
  assertEquals(await kindsOfMemory({ repack: false }), ["CPU_Mapped"]);
  using plain = await loadModel("examples/models/moby.gguf", { gpuLayers: 0, repack: false });
  const copied = `${folder}/moby.gguf`;
  lib.llama_model_save_to_file(plain.handle, copied);
  assertEquals(Deno.statSync(copied).size > 1e6, true);
  const usual = await kindsOfMemory({});
  if (usual.length === 1) console.warn("SKIPPED loadModel repacks: this processor multiplies by no matrix of this model in another order");
  else {
    assertEquals(usual.some((kind) => kind === "CPU_REPACK" || kind === "AMX"), true, usual.join());
    using model = await loadModel("examples/models/moby.gguf", { gpuLayers: 0 });
    assertThrows(() => lib.llama_model_save_to_file(model.handle, copied), Error, "load it with use_extra_bufts = false; the file has");
  }
});

Deno.test("a model that keeps a state says the same of several sequences at once as of each, on a processor with AMX, too", async () => {
  const path = `${folder}/mamba.gguf`, options = { ...GREEDY, maxTokens: 6 };
  writeTinyMamba(path);
  using model = await loadModel(path, { gpuLayers: 0 }), plain = await loadModel(path, { gpuLayers: 0, repack: false });
  const prompts = [[1, 5, 9, 12], [1, 6, 30, 8], [1, 40, 17, 33]];
  using batcher = model.batcher({ sequences: prompts.length });
  const together = await Promise.all(prompts.map((prompt) => batcher.complete(prompt, options)));
  for (const [i, prompt] of prompts.entries()) {
    using session = plain.session();
    assertEquals(together[i].text, (await session.complete(prompt, options)).text, `prompt ${i}`);
  }
});
