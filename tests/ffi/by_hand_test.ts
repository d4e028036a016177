/**
 * Fields that are written by hand: whatever a tensor says then, no process dies of it.
 *
 * @module
 */

import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { lib } from "@ggml/deno";
import { compute, copy, init, tensor, toArray } from "@ggml/deno/utils";
import { deno } from "../process.ts";

Deno.test("tensors whose fields were set to what they can't be: computed, copied, viewed, printed and drawn, nothing ends the process", async () => {
  const { code, stdout, stderr } = await deno(["run", "--quiet", "--no-check", "--allow-all", "tests/ffi/by_hand/run.ts"]);
  const last = stdout.trimEnd().split("\n").at(-1)!;
  assertMatch(last, /^\d{3} ways, \d{5} deeds, \d{4,5} refused$/, stderr);
  assertEquals(code, 0, stderr);
});

Deno.test("a tensor whose op_params were only looked at is computed: it was refused where nothing else of it had been read before", () => {
  using ctx = init();
  const doubled = lib.ggml_scale(ctx, tensor(ctx, [1, 2]), 2), graph = lib.ggml_new_graph(ctx);
  lib.ggml_build_forward_expand(graph, doubled);
  assertEquals(new Float32Array(doubled.op_params.slice().buffer)[0], 2);
  compute(graph);
  assertEquals(toArray(doubled), Float32Array.of(2, 4));
});

Deno.test("data that was set by hand ends with the tensor that it belongs to: what stands behind it in the context isn't written to", () => {
  for (const memBuffer of [undefined, new ArrayBuffer(1 << 18)]) {
    using ctx = init(memBuffer === undefined ? { memSize: 1 << 18 } : { memBuffer });
    const small = tensor(ctx, [1, 2, 3, 4]), behind = tensor(ctx, [5, 6, 7, 8]);
    const large = lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, 1000), fits = lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, 4);
    large.data = fits.data = small.data;
    const graph = lib.ggml_new_graph(ctx);
    lib.ggml_build_forward_expand(graph, lib.ggml_sqr_inplace(ctx, large));
    const text = /memory for 16 bytes, and reaches over 4000/;
    const deeds = [
      () => copy(new Float32Array(1000), large),
      () => copy(new Array(1000).fill(0), large),
      () => toArray(large),
      () => compute(graph),
      () => lib.ggml_set_f32(large, 0),
      () => lib.ggml_set_f32_1d(large, 999, 0),
    ];
    for (const deed of deeds) assertMatch(assertThrows(deed, Error).message, text);
    lib.ggml_set_f32(fits, 9);
    assertEquals([...toArray(small), ...toArray(behind)], [9, 9, 9, 9, 5, 6, 7, 8]);
  }
});
