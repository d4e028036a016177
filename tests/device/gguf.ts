/** Tensors of a GGUF file to a device whose memory is not the host's, and back. */

import { assertEquals } from "@std/assert";
import { lib } from "@ggml/deno";
import { init, readGguf, writeGguf } from "@ggml/deno/utils";
import { wave } from "../context.ts";
import { device } from "./find.ts";
import { Folder } from "../folder.ts";

Deno.test({
  name: "a tensor of a file is loaded into a device's memory in pieces, and written from there",
  async fn() {
    using folder = new Folder();
    const path = folder.file(), copied = folder.file();
    const floats = wave(3 * 1024 * 1024); // 12 MiB: three pieces
    await writeGguf(path, { tensors: { a: floats, b: new Int32Array([1, 2, 3]) } });
    using file = readGguf(path);
    using backend = lib.ggml_backend_dev_init(device, null)!;
    using ctx = init({ noAlloc: true });
    const tensors = file.tensors.values().map((tensor) => [tensor, tensor.load(ctx)] as const).toArray();
    using _buffer = lib.ggml_backend_alloc_ctx_tensors(ctx, backend)!;
    for (const [tensor, there] of tensors) tensor.loadInto(there);
    await writeGguf(copied, { tensors: tensors.map(([, there]) => there) });
    assertEquals(Deno.readFileSync(copied), Deno.readFileSync(path));
  },
});
