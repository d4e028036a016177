/**
 * Host → device → host, in GB/s: `copy` of a typed array, which goes through pinned memory where the device has it, beside C's own blocking
 * calls on the same memory.
 *
 *     deno run --allow-ffi bench/device.ts [cuda|vulkan|metal] [MiB]
 *
 * @module
 */

import { download, lib, load } from "@ggml/deno";
import { copy, devices, init } from "@ggml/deno/utils";

type Gpu = "cuda" | "vulkan" | "metal";

const [kind, size = "256"] = Deno.args;
if (kind !== undefined) {
  await download({ gpu: kind as Gpu });
  load({ gpu: kind as Gpu });
}
const found = devices().find(({ host }) => !host);
if (found === undefined) {
  console.error("there is no device with memory of its own: name a kind, cuda, vulkan or metal");
  Deno.exit(1);
}

const { name, description, backend: kindOf, device } = found, mebibytes = Number(size);
const backend = lib.ggml_backend_dev_init(device, null)!, ctx = init({ noAlloc: true });
const tensor = lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, mebibytes * 2 ** 18);
using _memory = lib.ggml_backend_alloc_ctx_tensors(ctx, backend)!;
const numbers = new Float32Array(mebibytes * 2 ** 18).fill(1), bytes = new Uint8Array(numbers.buffer);

/** The median of five, in GB/s. */
function speed(run: () => void): string {
  run(); // makes what is made once
  const times = Array.from({ length: 5 }, () => {
    const start = performance.now();
    run();
    return performance.now() - start;
  }).sort((a, b) => a - b);
  return `${(bytes.length / times[2] / 1e6).toFixed(2)} (${(bytes.length / times[4] / 1e6).toFixed(2)} – ${
    (bytes.length / times[0] / 1e6).toFixed(2)
  })`;
}

console.log(`${name}, ${description} (${kindOf}), ${mebibytes} MiB, GB/s`);
console.table({
  "host → device": {
    copy: speed(() => copy(numbers, tensor)),
    "ggml_backend_tensor_set": speed(() => lib.ggml_backend_tensor_set(tensor, bytes, 0, bytes.length)),
  },
  "device → host": {
    copy: speed(() => copy(tensor, numbers)),
    "ggml_backend_tensor_get": speed(() => lib.ggml_backend_tensor_get(tensor, bytes, 0, bytes.length)),
  },
});
