/**
 * Graphs of as many nodes and leafs as the one before, whose leafs are others: C gives them places that were reserved for those, if nobody sees to it.
 *
 * @module
 */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { lib } from "@ggml/deno";
import { copy, init, view } from "@ggml/deno/utils";

const F32 = lib.GGML_TYPE_F32;
const cpu = lib.ggml_backend_cpu_init()!, type = lib.ggml_backend_cpu_buffer_type();

/** A sum of 64 numbers and four, over and over, which lie nowhere yet. */
interface Sum {
  readonly graph: lib.ggml_cgraph;
  readonly large: lib.ggml_tensor;
  readonly small: lib.ggml_tensor;
  readonly result: lib.ggml_tensor;
}

/** @param isSmallFirst Which of the leafs comes first. */
function makeSum(isSmallFirst: boolean): Sum {
  const ctx = init({ memSize: 1 << 20, noAlloc: true });
  const small = lib.ggml_new_tensor_1d(ctx, F32, 4), large = lib.ggml_new_tensor_1d(ctx, F32, 64), graph = lib.ggml_new_graph(ctx);
  for (const leaf of [small, large]) lib.ggml_set_input(leaf);
  if (isSmallFirst) lib.ggml_build_forward_expand(graph, small);
  const result = lib.ggml_add(ctx, large, small);
  lib.ggml_set_output(result);
  lib.ggml_build_forward_expand(graph, result);
  return { graph, large, small, result };
}

/** A graph of a leaf alone. */
function makeLeaf(noAlloc: boolean, n = 4): { graph: lib.ggml_cgraph; leaf: lib.ggml_tensor } {
  const ctx = init({ memSize: 1 << 20, noAlloc }), leaf = lib.ggml_new_tensor_1d(ctx, F32, n), graph = lib.ggml_new_graph(ctx);
  lib.ggml_build_forward_expand(graph, leaf);
  return { graph, leaf };
}

/** Something that allocates graphs. */
interface Home {
  readonly allocate: (graph: lib.ggml_cgraph) => boolean;
  readonly compute: (graph: lib.ggml_cgraph) => void;
}

const homes: Readonly<Record<string, () => Home>> = {
  "an allocator"() {
    const galloc = lib.ggml_gallocr_new(type);
    return {
      allocate: (graph) => lib.ggml_gallocr_alloc_graph(galloc, graph),
      compute: (graph) => void lib.ggml_backend_graph_compute(cpu, graph),
    };
  },
  "a scheduler"() {
    const sched = lib.ggml_backend_sched_new([cpu], null, 1, 2048, false, false);
    return {
      allocate: (graph) => lib.ggml_backend_sched_alloc_graph(sched, graph),
      compute: (graph) => void lib.ggml_backend_sched_graph_compute(sched, graph),
    };
  },
};

for (const [name, make] of Object.entries(homes)) {
  Deno.test(`${name} gives leafs that come in another order memory of their own`, () => {
    const { allocate, compute } = make();
    for (const isSmallFirst of [true, false, true, true, false]) {
      const { graph, large, small, result } = makeSum(isSmallFirst);
      assert(allocate(graph));
      copy(new Float32Array(64).fill(1), large);
      copy([10, 20, 30, 40], small);
      compute(graph);
      assertEquals([...view(result).data as Float32Array], Array.from({ length: 64 }, (_, i) => 11 + 10 * (i % 4)));
    }
  });
}

Deno.test("an allocator gives a leaf memory where the one before had its own", () => {
  const { allocate } = homes["an allocator"](), own = makeLeaf(false), other = makeLeaf(true);
  assert(allocate(own.graph));
  assert(allocate(other.graph));
  copy([1, 2, 3, 4], other.leaf);
  assertEquals([...view(other.leaf).data as Float32Array], [1, 2, 3, 4]);
});

Deno.test("an empty leaf where the one before had memory of its own is refused by C, which has no buffer for it then", () => {
  const { allocate } = homes["an allocator"](), says = "ggml_gallocr_alloc_graph: assertion failed: buffer";
  assert(allocate(makeLeaf(false).graph));
  assertThrows(() => allocate(makeLeaf(true, 0).graph), Error, says);
});

Deno.test("an allocator of several buffers can't reserve by itself", () => {
  const galloc = lib.ggml_gallocr_new_n([type, type], 2), first = makeSum(true).graph, second = makeSum(false).graph;
  assert(lib.ggml_gallocr_reserve_n(galloc, first, Int32Array.of(0), Int32Array.of(0, 1)));
  assert(lib.ggml_gallocr_alloc_graph(galloc, first));
  assertThrows(
    () => lib.ggml_gallocr_alloc_graph(galloc, second),
    Error,
    "ggml_gallocr_alloc_graph(graph): its leafs are larger than those that memory was reserved for: call ggml_gallocr_reserve_n",
  );
  assert(lib.ggml_gallocr_reserve_n(galloc, second, Int32Array.of(0), Int32Array.of(0, 1)));
  assert(lib.ggml_gallocr_alloc_graph(galloc, second));
});
