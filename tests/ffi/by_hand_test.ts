/**
 * Fields that are written by hand: whatever a tensor says then, no process dies of it.
 *
 * @module
 */

import { assertEquals, assertMatch } from "@std/assert";
import { lib } from "@ggml/deno";
import { compute, init, tensor, toArray } from "@ggml/deno/utils";
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
