/** The weights of a file in a device's memory, which no file can be mapped into: they are copied by way of the host's. */

import { assertEquals } from "@std/assert";
import { lib } from "@ggml/deno";
import { loadWeights, toArray, writeGguf } from "@ggml/deno/utils";
import { wave } from "../context.ts";
import { device } from "./find.ts";
import { Folder } from "../folder.ts";

Deno.test("weights are loaded into a device's memory in pieces, whatever map and repack say", async () => {
  using folder = new Folder();
  const path = folder.file(), floats = wave(3 * 1024 * 1024); // 12 MiB: three pieces
  await writeGguf(path, { tensors: { a: floats, b: new Int32Array([1, 2, 3]) } });
  using backend = lib.ggml_backend_dev_init(device, null)!;
  const type = lib.ggml_backend_get_default_buffer_type(backend);
  for (const options of [{}, { map: false }, { repack: true }]) {
    using weights = await loadWeights(path, { backend, ...options });
    assertEquals(weights.buffers.map(({ name, byteLength }) => [name, byteLength]), [[
      lib.ggml_backend_buft_name(type),
      floats.byteLength + 12,
    ]]);
    assertEquals(toArray<Int32Array>(weights.tensors.get("b")!), Int32Array.of(1, 2, 3));
    assertEquals(toArray(weights.tensors.get("a")!), floats);
  }
});
