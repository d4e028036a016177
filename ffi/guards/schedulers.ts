/**
 * Guards of schedulers and graph allocators, which find a place in some buffer for each tensor of a graph.
 *
 * By hand: what they assert (ggml-backend.cpp, ggml-alloc.c) is of the state that they are in and of sizes that no function tells. It is read
 * from their structs.
 *
 * @module
 */

import type { Data, Pointers } from "../arguments.ts";
import { atLeast } from "../lengths.ts";
import type { lib as generated } from "../lib.js";
import { isPlaced } from "../placement.ts";
import {
  type Backend,
  between,
  ensure,
  type Graph,
  indexOf,
  type Int,
  items,
  type Lib,
  peek,
  same,
  type Sched,
  type Tensor,
} from "./checks.ts";

type Gallocr = generated.ggml_gallocr;

/** `GGML_SCHED_MAX_BACKENDS`, which no header shows. */
const MAX_BACKENDS = 16;
/** What a scheduler can be made for: it takes 21 kB a node at once, and crashes if there is less memory. No model comes near. */
const MAX_NODES = 2 ** 20;

/** How many nodes and leafs a graph has; null where its struct isn't the known one. */
function sizeOf(lib: Lib, graph: Graph): { nodes: number; leafs: number } | null {
  // struct ggml_cgraph: int size, n_nodes, n_leafs; …
  const view = peek(graph), nodes = lib.ggml_graph_n_nodes(graph), leafs = view.getInt32(8);
  const known = view.getInt32(0) === lib.ggml_graph_size(graph) && view.getInt32(4) === nodes && leafs >= 0 && leafs <= view.getInt32(0);
  return known ? { nodes, leafs } : null;
}

/** What a scheduler keeps to itself; null where its struct isn't the known one. */
function stateOf(lib: Lib, sched: Sched): { allocated: boolean; capacity: number } | null {
  // struct ggml_backend_sched: bool is_reset, is_alloc; int n_backends; backends[16]; bufts[16]; galloc; hash_set.size; …
  const view = peek(sched);
  const known = view.getInt32(4) === lib.ggml_backend_sched_get_n_backends(sched) && view.getUint8(1) <= 1 &&
    view.getBigUint64(8) === lib.ggml_backend_sched_get_backend(sched, 0).address;
  return known ? { allocated: view.getUint8(1) === 1, capacity: Number(view.getBigUint64(272)) } : null;
}

/** A graph that a scheduler has room for. */
function schedulable(lib: Lib, where: string, sched: Sched, graph: Graph): void {
  const state = stateOf(lib, sched), size = sizeOf(lib, graph);
  if (state === null || size === null) return;
  const { nodes, leafs } = size;
  ensure(
    nodes + leafs <= state.capacity,
    () => `${where}: the graph has ${nodes} nodes and ${leafs} leafs, the scheduler was made for ${state.capacity} (graph_size)`,
  );
}

/** A graph that will be allocated if the scheduler holds none. */
function computable(lib: Lib, name: string, sched: Sched, graph: Graph): void {
  if (stateOf(lib, sched)?.allocated === false) schedulable(lib, `${name}(graph)`, sched, graph);
}

/** One of a scheduler's backends. */
function scheduled(name: string, sched: Sched, backend: Backend, lib: Lib): void {
  const n = lib.ggml_backend_sched_get_n_backends(sched);
  for (let i = 0; i < n; i++) if (same(lib.ggml_backend_sched_get_backend(sched, i), backend)) return;
  throw new Error(`${name}(backend): expected one of the scheduler's ${n} backends, got ${lib.ggml_backend_name(backend)}`);
}

/** What a graph allocator keeps to itself; null where its struct isn't the known one. */
function allocatorOf(galloc: Gallocr): { buffers: number; allocated: boolean; nodes: number; leafs: number } | null {
  // struct ggml_gallocr: bufts; buffers; buf_tallocs; int n_buffers; hash_set (24 bytes); hash_values; node_allocs; int n_nodes; leaf_allocs; int n_leafs
  const view = peek(galloc), buffers = view.getInt32(24), at = view.getPointer(8);
  if (buffers < 1 || buffers > 1024 || at === null || view.getPointer(0) === null || view.getPointer(16) === null) return null;
  const list = new Deno.UnsafePointerView(at);
  const allocated = Array.from({ length: buffers }, (_, i) => list.getBigUint64(8 * i)).every((buffer) => buffer !== 0n);
  return { buffers, allocated, nodes: view.getInt32(72), leafs: view.getInt32(88) };
}

/** The buffers that nodes and leafs are said to be in. */
function bufferIds(lib: Lib, name: string, galloc: Gallocr, graph: Graph, nodeIds: Data | null, leafIds: Data | null): void {
  const known = allocatorOf(galloc), size = sizeOf(lib, graph);
  if (known === null || size === null) return;
  const check = (parameter: string, ids: Data | null, count: number) => {
    const where = `${name}(${parameter})`;
    if (ids !== null) atLeast(ids, count, 4, "int32s", `${parameter.split("_")[0]}s of the graph`, where);
    if (ids instanceof Int32Array) ids.subarray(0, count).forEach((id, i) => indexOf(`${where}[${i}]`, id, known.buffers, "buffer"));
  };
  check("node_buffer_ids", nodeIds, size.nodes);
  check("leaf_buffer_ids", leafIds, size.leafs);
}

/** Of ggml-backend.h and ggml-alloc.h. */
export const schedulers = {
  ggml_backend_sched_new(
    lib: Lib,
    backends: Pointers<Backend>,
    bufts: Pointers<generated.ggml_backend_buffer_type> | null,
    n_backends: number,
    graph_size: Int,
  ) {
    between("ggml_backend_sched_new(n_backends)", n_backends, 1, MAX_BACKENDS);
    between("ggml_backend_sched_new(graph_size)", graph_size, 0, MAX_NODES);
    const all = items(backends, n_backends, lib.ggml_backend), types = items(bufts, n_backends, lib.ggml_backend_buffer_type);
    const last = all.at(-1);
    const isCpu = last === undefined || lib.ggml_backend_dev_type(lib.ggml_backend_get_device(last)) === lib.GGML_BACKEND_DEVICE_TYPE_CPU;
    ensure(isCpu, () => `ggml_backend_sched_new(backends): expected a CPU backend as the last, got ${lib.ggml_backend_name(last!)}`);
    types.forEach((type, i) => {
      const supported = all[i] === undefined || lib.ggml_backend_supports_buft(all[i], type);
      ensure(
        supported,
        () =>
          `ggml_backend_sched_new(bufts): ${lib.ggml_backend_name(all[i])} can't use buffers of type ${lib.ggml_backend_buft_name(type)}`,
      );
    });
  },
  ggml_backend_sched_get_backend(lib: Lib, sched: Sched, i: number) {
    indexOf("ggml_backend_sched_get_backend(i)", i, lib.ggml_backend_sched_get_n_backends(sched), "backend");
  },
  ggml_backend_sched_get_buffer_type(lib: Lib, sched: Sched, backend: Backend) {
    scheduled("ggml_backend_sched_get_buffer_type", sched, backend, lib);
  },
  ggml_backend_sched_get_buffer_size(lib: Lib, sched: Sched, backend: Backend) {
    scheduled("ggml_backend_sched_get_buffer_size", sched, backend, lib);
  },
  ggml_backend_sched_set_tensor_backend(lib: Lib, sched: Sched, _node: Tensor, backend: Backend) {
    scheduled("ggml_backend_sched_set_tensor_backend", sched, backend, lib);
  },
  ggml_backend_sched_reserve(lib: Lib, sched: Sched, graph: Graph) {
    schedulable(lib, "ggml_backend_sched_reserve(measure_graph)", sched, graph);
  },
  ggml_backend_sched_reserve_size(lib: Lib, sched: Sched, graph: Graph) {
    schedulable(lib, "ggml_backend_sched_reserve_size(measure_graph)", sched, graph);
  },
  ggml_backend_sched_alloc_graph(lib: Lib, sched: Sched, graph: Graph) {
    // Another graph than the one that it holds has it reset first.
    const full = stateOf(lib, sched)?.allocated === true && isPlaced(graph, sched);
    ensure(!full, () => "ggml_backend_sched_alloc_graph(graph): the scheduler holds it already: call ggml_backend_sched_reset first");
    schedulable(lib, "ggml_backend_sched_alloc_graph(graph)", sched, graph);
  },
  ggml_backend_sched_graph_compute(lib: Lib, sched: Sched, graph: Graph) {
    computable(lib, "ggml_backend_sched_graph_compute", sched, graph);
  },
  ggml_backend_sched_graph_compute_async(lib: Lib, sched: Sched, graph: Graph) {
    computable(lib, "ggml_backend_sched_graph_compute_async", sched, graph);
  },
  ggml_gallocr_new_n(_lib: Lib, _bufts: unknown, n_bufs: number) {
    between("ggml_gallocr_new_n(n_bufs)", n_bufs, 1, Infinity);
  },
  ggml_gallocr_reserve_n(lib: Lib, galloc: Gallocr, graph: Graph, nodeIds: Data | null, leafIds: Data | null) {
    bufferIds(lib, "ggml_gallocr_reserve_n", galloc, graph, nodeIds, leafIds);
  },
  ggml_gallocr_reserve_n_size(lib: Lib, galloc: Gallocr, graph: Graph, nodeIds: Data | null, leafIds: Data | null, sizes: Data) {
    bufferIds(lib, "ggml_gallocr_reserve_n_size", galloc, graph, nodeIds, leafIds);
    atLeast(sizes, allocatorOf(galloc)?.buffers ?? 0, 8, "uint64s", "buffers", "ggml_gallocr_reserve_n_size(sizes)");
  },
  ggml_gallocr_alloc_graph(lib: Lib, galloc: Gallocr, graph: Graph) {
    const known = allocatorOf(galloc), size = sizeOf(lib, graph);
    if (known === null || size === null || known.allocated || size.nodes + size.leafs === 0) return;
    const onlyMeasured = known.nodes === size.nodes && known.leafs === size.leafs;
    ensure(
      !onlyMeasured,
      () => "ggml_gallocr_alloc_graph(galloc): the graph's buffers were measured and not allocated: call ggml_gallocr_reserve first",
    );
  },
  ggml_gallocr_get_buffer_size(_lib: Lib, galloc: Gallocr, buffer_id: number) {
    indexOf("ggml_gallocr_get_buffer_size(buffer_id)", buffer_id, allocatorOf(galloc)?.buffers ?? Infinity, "buffer");
  },
};
