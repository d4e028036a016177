/** What console.log and `formatTensor` show of tensors in a device's memory. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { lib } from "@ggml/deno";
import { formatTensor, init } from "@ggml/deno/utils";
import { newTensor, ramp } from "../context.ts";
import { device } from "./find.ts";

Deno.test({
  name: "inspect: tensors in a device's memory",
  fn() {
    const backend = lib.ggml_backend_dev_init(device, null)!;
    using ctx = init({ noAlloc: true });
    const a = newTensor(ctx, lib.GGML_TYPE_F32, 300, 200), transposed = lib.ggml_transpose(ctx, a);
    const numbers = ramp(Float32Array, [200, 300]);
    const buffer = lib.ggml_backend_alloc_ctx_tensors(ctx, backend)!;
    assert(!lib.ggml_backend_buffer_is_host(buffer));
    lib.ggml_backend_tensor_set(a, numbers.data, 0, numbers.data.byteLength);
    for (const options of [{}, { threshold: 1000 }]) {
      assertEquals(formatTensor(a, options), formatTensor(numbers, options));
      assertEquals(formatTensor(transposed, options), formatTensor(numbers.transpose(1, 0), options));
    }
    assertEquals(Deno.inspect(a), `ggml_tensor f32 ne=[300, 200]:\n${formatTensor(numbers, { threshold: 1000 })}`);
    lib.ggml_backend_buffer_free(buffer);
    assertMatch(Deno.inspect(a), /freed/);
    lib.ggml_backend_free(backend);
  },
});
