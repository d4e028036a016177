/**
 * Writes fields by hand in every way, and then does with the tensors what can be done. A process of its own: it must come to its end.
 *
 * Each way is tried in one of four situations in turn; in all four if it is started with `all`. Prints each before it is tried, and at last how
 * much was done.
 *
 * @module
 */

import { lib } from "@ggml/deno";
import { compute, computeAsync, copy, formatTensor, init, toHtml, toSvg, view } from "@ggml/deno/utils";
import { newTensor } from "../../context.ts";
import { type Tensors, type Way, ways } from "./ways.ts";

const { GGML_TYPE_F32: F32, GGML_TYPE_F16: F16, GGML_TYPE_I32: I32 } = lib;

const cpu = lib.ggml_backend_cpu_init()!;
lib.ggml_backend_cpu_set_n_threads(cpu, 2);
const buffer = lib.ggml_backend_alloc_buffer(cpu, 64)!;

/** Tensors and their graph, unallocated or in the context's own memory. */
interface Made {
  readonly ctx: lib.ggml_context;
  readonly tensors: Tensors;
}

function make(noAlloc: boolean): Made {
  const ctx = init({ memSize: 1 << 20, noAlloc });
  const a = newTensor(ctx, F32, 8, 6), b = newTensor(ctx, F32, 8, 6), indices = newTensor(ctx, I32, 3), small = newTensor(ctx, F16, 2);
  const positions = newTensor(ctx, I32, 6), part = lib.ggml_view_2d(ctx, a, 4, 4, 32, 0);
  const sum = lib.ggml_add(ctx, a, b), product = lib.ggml_mul_mat(ctx, a, b), rows = lib.ggml_get_rows(ctx, a, indices);
  const rotated = lib.ggml_rope(ctx, lib.ggml_reshape_3d(ctx, sum, 8, 1, 6), positions, 8, 0);
  return { ctx, tensors: { a, b, view: part, indices, sum, product, rows, rotated, part: lib.ggml_scale(ctx, part, 2), small, buffer } };
}

function graphOf(ctx: lib.ggml_context, { product, rows, rotated, part }: Tensors): lib.ggml_cgraph {
  const graph = lib.ggml_new_graph(ctx);
  for (const result of [product, rows, rotated, part]) lib.ggml_build_forward_expand(graph, result);
  return graph;
}

/** What is done with a graph. Each may throw. */
const deeds: readonly ((graph: lib.ggml_cgraph, made: Made) => unknown)[] = [
  (graph, { ctx }) => lib.ggml_graph_compute_with_ctx(ctx, graph, 1),
  (graph, { ctx }) => lib.ggml_graph_compute_with_ctx(ctx, graph, 2),
  (graph) => lib.ggml_backend_graph_compute(cpu, graph),
  (graph) => compute(graph),
  (graph) => computeAsync(graph),
  (graph) => onScheduler((sched) => lib.ggml_backend_sched_graph_compute(sched, graph)),
  (graph) => onScheduler((sched) => computeAsync(graph, { backend: sched })),
  (graph) => toSvg(graph),
  (graph) => lib.ggml_graph_get_tensor(graph, "leaf_0"),
];

/** What is done with a tensor. */
const uses: readonly ((tensor: lib.ggml_tensor) => unknown)[] = [
  (tensor) => copy(tensor, new Float32Array(48)),
  (tensor) => copy(new Float32Array(48), tensor),
  (tensor) => view(tensor).data[0],
  (tensor) => formatTensor(tensor),
  (tensor) => toSvg(tensor),
  (tensor) => toHtml(tensor),
  (tensor) => lib.ggml_nbytes(tensor),
  (tensor) => String(tensor),
];

async function onScheduler(use: (sched: lib.ggml_backend_sched) => unknown): Promise<void> {
  using sched = lib.ggml_backend_sched_new([cpu], null, 1, 256, false, false);
  await use(sched);
}

let done = 0, refused = 0;

async function attempt(deed: () => unknown): Promise<void> {
  done++;
  try {
    await deed();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    refused++;
  }
}

/** Writes in one way and does all. */
async function tryOut({ name, write }: Way, isBefore: boolean, noAlloc: boolean): Promise<void> {
  console.log(`${name}, ${isBefore ? "before" : "after"} the graph is built${noAlloc ? ", without memory" : ""}`);
  for (const deed of [...deeds, null]) {
    const made = make(noAlloc), { ctx, tensors } = made;
    const before = isBefore ? null : graphOf(ctx, tensors);
    await attempt(() => write(tensors));
    if (deed === null) await useAll(tensors);
    else await attempt(() => deed(before ?? graphOf(ctx, tensors), made));
    if (deed !== null) ctx[Symbol.dispose](); // a view may still be used
  }
}

async function useAll({ buffer: _, ...tensors }: Tensors): Promise<void> {
  for (const tensor of Object.values(tensors)) for (const use of uses) await attempt(() => use(tensor));
}

/** A right program after all the wrong ones. */
function expectRight(): void {
  using ctx = init({ memSize: 1 << 20 });
  const a = newTensor(ctx, F32, 3), squares = lib.ggml_sqr(ctx, a), graph = lib.ggml_new_graph(ctx);
  copy([1, 2, 3], a);
  lib.ggml_build_forward_expand(graph, squares);
  compute(graph);
  if (String([...view(squares).data as Float32Array]) !== "1,4,9") throw new Error("a right graph is computed wrong");
}

/** Before and after the graph is built, with memory of the context's own and without. */
const SITUATIONS = [[true, false], [true, true], [false, false], [false, true]] as const;
const inAll = Deno.args.includes("all");

for (const [i, way] of ways.entries()) {
  for (const [isBefore, noAlloc] of inAll ? SITUATIONS : [SITUATIONS[i % 4]]) await tryOut(way, isBefore, noAlloc);
  expectRight();
}
console.log(`${ways.length} ways, ${done} deeds, ${refused} refused`);
