/** Graphs of which another allocator placed some tensors: computed where that is right, and an Error where C would overwrite what it needs. */

import { assertEquals, assertMatch } from "@std/assert";
import { lib } from "@ggml/deno";
import { compute, copy, init, toArray } from "@ggml/deno/utils";
import { message } from "../failing.ts";

/** x to the power of 8, and of 8 and 2 together: the second needs x² for longer. */
function powers() {
  const ctx = init({ memSize: 1 << 20, noAlloc: true }), x = lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, 8);
  lib.ggml_set_input(x);
  const second = lib.ggml_sqr(ctx, x), eighth = lib.ggml_sqr(ctx, lib.ggml_sqr(ctx, second)), sum = lib.ggml_add(ctx, eighth, second);
  const graphs = [eighth, sum].map((result) => {
    lib.ggml_set_output(result);
    const graph = lib.ggml_new_graph(ctx);
    lib.ggml_build_forward_expand(graph, result);
    return graph;
  });
  return { ctx, x, eighth, sum, graphs };
}

function allocator(): lib.ggml_gallocr {
  return lib.ggml_gallocr_new(lib.ggml_backend_cpu_buffer_type());
}

const OVERWRITTEN =
  /\(graph\): another allocator has put SQR "node_1": f32 ne=\[8\] in the place of SQR "node_0": .*, which ADD "node_3": .* takes after that/;

Deno.test("a graph whose numbers another allocator overwrites is an Error, of an allocator and of a scheduler", () => {
  const { x, eighth, graphs: [first, second] } = powers();
  using one = allocator(), other = allocator(), backend = lib.ggml_backend_cpu_init()!;
  using scheduler = lib.ggml_backend_sched_new([backend], null, 1, 64, false, true);
  lib.ggml_gallocr_alloc_graph(one, first);
  assertMatch(message(() => lib.ggml_gallocr_alloc_graph(other, second)), OVERWRITTEN);
  assertMatch(message(() => lib.ggml_backend_sched_alloc_graph(scheduler, second)), OVERWRITTEN);
  assertMatch(message(() => lib.ggml_backend_sched_graph_compute(scheduler, second)), OVERWRITTEN);
  copy(new Float32Array(8).fill(2), x);
  compute(first);
  assertEquals(toArray(eighth)[7], 256);
});

Deno.test("a graph that needs what another allocator placed no longer than that thought is computed", () => {
  const { ctx, x, eighth, graphs: [first] } = powers();
  using one = allocator(), other = allocator();
  lib.ggml_gallocr_alloc_graph(one, first);
  const more = lib.ggml_scale(ctx, eighth, 0.5), graph = lib.ggml_new_graph(ctx);
  lib.ggml_build_forward_expand(graph, more);
  lib.ggml_gallocr_alloc_graph(other, graph);
  copy(new Float32Array(8).fill(2), x);
  compute(graph);
  assertEquals([toArray(more)[0], toArray(eighth)[0]], [128, 256]);
});

Deno.test("the larger graph first, and then the smaller one by another allocator", () => {
  const { x, eighth, sum, graphs: [first, second] } = powers();
  using one = allocator(), other = allocator();
  lib.ggml_gallocr_alloc_graph(one, second);
  lib.ggml_gallocr_alloc_graph(other, first);
  copy(new Float32Array(8).fill(2), x);
  compute(second);
  assertEquals([toArray(sum)[3], toArray(eighth)[3]], [260, 256]);
  copy(new Float32Array(8).fill(2), x); // an input's memory is used again, too
  compute(first);
  assertEquals(toArray(eighth)[3], 256);
});
