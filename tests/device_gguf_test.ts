/** Tensors of a GGUF file to a device whose memory is not the host's, and back, if the library has one: see `device_test.ts` for how to run it. */

import { assertEquals } from "@std/assert";
import { lib, load } from "@ggml/deno";
import { init, readGguf, writeGguf } from "@ggml/deno/utils";
import { wave } from "./context.ts";
import { Folder } from "./gguf/facts.ts";

function findDevice(): lib.ggml_backend_device | null {
  lib.ggml_backend_load_all_from_path(load().path);
  const devices = Array.from({ length: lib.ggml_backend_dev_count() }, (_, i) => lib.ggml_backend_dev_get(i));
  return devices.find((device) => !lib.ggml_backend_buft_is_host(lib.ggml_backend_dev_buffer_type(device))) ?? null;
}

const device = findDevice();
if (device === null) console.warn("device_gguf_test.ts: skipped, for this library has no device with memory of its own");

Deno.test({
  name: "a tensor of a file is loaded into a device's memory in pieces, and written from there",
  ignore: device === null,
  async fn() {
    using folder = new Folder();
    const path = folder.file(), copied = folder.file();
    const floats = wave(3 * 1024 * 1024); // 12 MiB: three pieces
    await writeGguf(path, { tensors: { a: floats, b: new Int32Array([1, 2, 3]) } });
    using file = readGguf(path);
    using backend = lib.ggml_backend_dev_init(device!, null)!;
    using ctx = init({ noAlloc: true });
    const tensors = file.tensors.values().map((tensor) => [tensor, tensor.load(ctx)] as const).toArray();
    using _buffer = lib.ggml_backend_alloc_ctx_tensors(ctx, backend)!;
    for (const [tensor, there] of tensors) tensor.loadInto(there);
    await writeGguf(copied, { tensors: tensors.map(([, there]) => there) });
    assertEquals(Deno.readFileSync(copied), Deno.readFileSync(path));
  },
});
