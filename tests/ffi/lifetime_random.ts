/**
 * Random programs that make, relate, free, drop, collect and use objects in any order: a mistake of theirs must be an Error, whatever it is.
 *
 *   deno run --allow-ffi --allow-env --v8-flags=--expose-gc tests/ffi/lifetime_random.ts COUNT SEED
 *
 * It prints how many operations succeeded and how many threw. If the process dies, the last line on stderr names the program's seed. With
 * `MALLOC_PERTURB_=165` glibc fills what is freed, so that a use of it is likely to show.
 *
 * @module
 */

import { lib } from "../../mod.ts";
import { copy, init, view } from "../../utils/mod.ts";
import { cpu } from "../kinds.ts";

const N = 8;
const PLENTY = 1 << 18;

/** A small generator of numbers, the same for the same seed. */
function random(seed: number): (below: number) => number {
  return (below) => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

/** One program's objects. Any of them may be freed already. */
class World {
  readonly contexts: lib.ggml_context[] = [];
  readonly tensors: lib.ggml_tensor[] = [];
  readonly graphs: lib.ggml_cgraph[] = [];
  readonly backends: lib.ggml_backend[] = [];
  readonly scheds: lib.ggml_backend_sched[] = [];
  readonly gallocs: lib.ggml_gallocr[] = [];
  readonly buffers: lib.ggml_backend_buffer[] = [];
  readonly ggufs: lib.gguf_context[] = [];
  readonly pools: lib.ggml_threadpool[] = [];
  readonly views: Float32Array[] = [];
  readonly below: (below: number) => number;

  constructor(below: (below: number) => number) {
    this.below = below;
  }

  any<T>(items: readonly T[]): T {
    if (items.length === 0) throw new Error("none yet");
    return items[this.below(items.length)];
  }

  /** A context that has room. */
  roomy(): lib.ggml_context {
    const ctx = this.any(this.contexts);
    if (lib.ggml_used_mem(ctx) > PLENTY / 2) throw new Error("full");
    return ctx;
  }

  get all(): Disposable[] {
    const { contexts, backends, scheds, gallocs, buffers, ggufs, pools } = this;
    return [...contexts, ...backends, ...scheds, ...gallocs, ...buffers, ...ggufs, ...pools];
  }
}

/** True if C can compute a graph: all of its leaves have memory, or get it. */
function computable(t: lib.ggml_tensor, placed: boolean, depth = 0): boolean {
  if (depth > 20) return false;
  const sources = t.src.filter((source) => source !== null);
  // A scheduler takes data only in buffers.
  const home = placed ? t.data === null || t.buffer !== null : t.data !== null;
  return home && sources.every((source) => computable(source, placed, depth + 1));
}

const OPERATIONS: readonly ((w: World) => unknown)[] = [
  (w) => w.contexts.push(init({ memSize: PLENTY, noAlloc: w.below(2) === 0 })),
  (w) => w.contexts.push(lib.ggml_init(new lib.ggml_init_params({ mem_size: PLENTY, no_alloc: w.below(2) === 0 }))),
  (w) => w.tensors.push(newInput(w.roomy())),
  (w) => w.tensors.push(newInput(w.roomy())),
  (w) => w.tensors.push(lib.ggml_add(w.roomy(), w.any(w.tensors), w.any(w.tensors))),
  (w) => w.tensors.push(lib.ggml_mul(w.roomy(), w.any(w.tensors), w.any(w.tensors))),
  (w) => w.tensors.push(lib.ggml_view_1d(w.roomy(), w.any(w.tensors), N, 0)),
  (w) => {
    const graph = lib.ggml_new_graph_custom(w.roomy(), 64, false);
    const tensor = w.any(w.tensors);
    if (nodesOf(tensor) > 30) throw new Error("too large");
    lib.ggml_build_forward_expand(graph, tensor);
    w.graphs.push(graph);
  },
  (w) => w.backends.push(cpu()),
  (w) => w.scheds.push(lib.ggml_backend_sched_new([w.any(w.backends)], [lib.ggml_backend_cpu_buffer_type()], 1, 256, false, false)),
  (w) => w.gallocs.push(lib.ggml_gallocr_new(lib.ggml_backend_cpu_buffer_type())),
  (w) => {
    const ctx = w.any(w.contexts);
    if (!lib.ggml_get_no_alloc(ctx)) throw new Error("has memory");
    for (let t = lib.ggml_get_first_tensor(ctx); t !== null; t = lib.ggml_get_next_tensor(ctx, t)) {
      if (t.view_src !== null && t.view_src.buffer === null) throw new Error("a view of nothing");
    }
    w.buffers.push(lib.ggml_backend_alloc_ctx_tensors(ctx, w.any(w.backends))!);
  },
  (w) => {
    const graph = w.any(w.graphs);
    // Of graphs without nodes ggml's allocator mistakes one for another.
    if (lib.ggml_graph_n_nodes(graph) === 0 || !computable(lib.ggml_graph_node(graph, -1), true)) throw new Error("not for an allocator");
    return lib.ggml_gallocr_alloc_graph(w.any(w.gallocs), graph);
  },
  (w) => {
    const graph = w.any(w.graphs);
    const node = lib.ggml_graph_n_nodes(graph) === 0 ? null : lib.ggml_graph_node(graph, -1);
    // A scheduler has no backend for a graph that only looks at something.
    if (node === null || node.op === lib.GGML_OP_VIEW || !computable(node, true)) throw new Error("not for a scheduler");
    return lib.ggml_backend_sched_graph_compute(w.any(w.scheds), graph);
  },
  (w) => {
    const graph = w.any(w.graphs), backend = w.any(w.backends);
    if (lib.ggml_graph_n_nodes(graph) > 0 && !computable(lib.ggml_graph_node(graph, -1), false)) throw new Error("no memory");
    lib.ggml_backend_cpu_set_n_threads(backend, 1);
    return lib.ggml_backend_graph_compute(backend, graph);
  },
  (w) => w.ggufs.push(lib.gguf_init_empty()),
  (w) => {
    const t = w.any(w.tensors), gguf = w.any(w.ggufs);
    t.name = `t${w.below(1e9)}`;
    if (lib.gguf_find_tensor(gguf, t.name) < 0) lib.gguf_add_tensor(gguf, t);
  },
  (w) => lib.gguf_get_meta_size(w.any(w.ggufs)),
  (w) => w.pools.push(lib.ggml_threadpool_new(lib.ggml_threadpool_params_default(1))),
  (w) => lib.ggml_backend_cpu_set_threadpool(w.any(w.backends), w.below(3) === 0 ? null : w.any(w.pools)),
  (w) => w.views.push(view(w.any(w.tensors)).data),
  (w) => copy(new Float32Array(N).fill(w.below(100)), w.any(w.tensors)),
  (w) => w.any(w.views).fill(w.below(100)),
  (w) => w.any(w.views).reduce((a, b) => a + b, 0),
  (w) => w.any(w.tensors).src[0]!.ne,
  (w) => w.any(w.tensors).buffer![Symbol.dispose](),
  (w) => w.any(w.all)[Symbol.dispose](),
  (w) => lib.ggml_free(w.any(w.contexts)),
  (w) => lib.ggml_backend_free(lib.ggml_backend_sched_get_backend(w.any(w.scheds), 0)),
  (w) => lib.ggml_backend_buffer_free(w.any(w.buffers)),
  (w) => w.below(4) === 0 ? lib.ggml_reset(w.any(w.contexts)) : 0,
  (w) => lib.ggml_backend_sched_reset(w.any(w.scheds)),
  (w) => drop(w, w.contexts),
  (w) => drop(w, w.tensors),
  (w) => drop(w, w.buffers),
  (w) => drop(w, w.backends),
  (w) => drop(w, w.scheds),
  (w) => drop(w, w.gallocs),
];

/** A tensor that a scheduler knows where to put. */
function newInput(ctx: lib.ggml_context): lib.ggml_tensor {
  const tensor = lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, N);
  lib.ggml_set_input(tensor);
  return tensor;
}

function drop(w: World, items: unknown[]): void {
  if (items.length > 0) items.splice(w.below(items.length), 1);
}

function nodesOf(t: lib.ggml_tensor, depth = 0): number {
  if (depth > 8) return 1000;
  return 1 + t.src.reduce((sum, source) => sum + (source === null ? 0 : nodesOf(source, depth + 1)), 0);
}

const [count, first] = Deno.args.map(Number);
let done = 0, thrown = 0;
for (let seed = first; seed < first + count; seed++) {
  const below = random(seed), world = new World(below);
  if (Deno.env.get("TRACE")) console.error(`seed ${seed}`);
  for (let step = 0; step < 150; step++) {
    const operation = below(OPERATIONS.length);
    if (Deno.env.get("TRACE") === "all") console.error(`  ${OPERATIONS[operation]}`);
    try {
      OPERATIONS[operation](world);
      done++;
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      if (error.constructor !== Error && !/detached/.test(error.message) && error.constructor !== TypeError) throw error;
      thrown++;
    }
    if (below(25) === 0) {
      (globalThis as unknown as { gc: () => void }).gc();
      await new Promise((resolve) => setTimeout(resolve));
    }
  }
}
console.log(`${done} done, ${thrown} threw`);
