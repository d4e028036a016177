/**
 * Differences: an operation on the same numbers, once as f32 in order on one thread, and again with sources of another type or layout, on more
 * threads, or where an allocator finds memory. Either that is an Error, or the results are the same: else a kernel takes memory for what it isn't.
 *
 * The numbers are small whole ones, which every type holds exactly, so that results differ by rounding alone. Results are filled with something
 * else each time: what a kernel doesn't write differs, too.
 *
 * @module
 */

import { lib } from "@ggml/deno";
import { copy, init, ndarray } from "@ggml/deno/utils";
import { Random } from "../random.ts";
import type { Builder } from "./catalogue.ts";
import type { ArgumentSpec, Spec, TensorSpec } from "./specs.ts";
import { evaluate } from "./steps.ts";

/** How sources lie in memory. */
const LAYOUTS = ["permuted", "swapped", "strided", "gapped", "loose"] as const;
type Layout = typeof LAYOUTS[number];
/** What sources of f32 and of i32 are instead. */
const FLOATS = ["F16", "BF16", "I32", "F64", "Q8_0"] as const, INDICES = ["I64", "F32"] as const;
type Type = typeof FLOATS[number] | typeof INDICES[number];

/** How a computation differs from the first one. */
interface Way {
  readonly threads?: number;
  /** True for a computation in memory that an allocator finds. */
  readonly placed?: boolean;
  /** The type of the source that is the argument `index`; of all that are f32 where there is no index. */
  readonly type?: Type;
  readonly layout?: Layout;
  readonly index?: number;
}

/** Results that differ. */
export interface Difference {
  readonly name: string;
  /** Which argument is varied. */
  readonly argument: string;
  readonly variant: string;
  readonly spec: Spec;
  readonly expected: readonly number[];
  readonly got: readonly number[];
}

/** What comparing one call tells. */
export interface Comparison {
  /** How many results were compared, by variant. */
  readonly compared: Record<string, number>;
  readonly found: Difference[];
}

/** Functions that leave parts of their result as they were: what the caller keeps there. */
const LEAVES: ReadonlySet<string> = new Set(["ggml_gated_delta_net"]);

const MEMORY = 64 << 20;
/** Tensors of more elements are of no use here. */
const LARGE = 1 << 12;

/** The numbers of a result. */
interface Result {
  readonly shape: readonly number[];
  readonly numbers: readonly number[];
}

/** Compares one call with variants of it. Null if the call itself is an Error, or computes nothing. */
export function differ(random: Random, builder: Builder, spec: Spec): Comparison | null {
  const tensors = spec.flatMap((argument, i) => "tensor" in argument ? [i] : []);
  const typeOf = (i: number) => (spec[i] as { tensor: TensorSpec }).tensor.type;
  if (tensors.some((i) => tooLarge((spec[i] as { tensor: TensorSpec }).tensor))) return null;
  const seed = random.below(1000);
  const reference = attempt(builder, spec, seed, {});
  if (reference === null) return null;
  const compared: Record<string, number> = {}, found: Difference[] = [];
  const judge = (way: Way) => {
    const got = attempt(builder, spec, seed, way);
    if (got === null) return;
    const variant = textOf(way), { index } = way;
    compared[variant] = (compared[variant] ?? 0) + 1;
    if (alike(reference, got, way.type !== undefined)) return;
    const argument = index === undefined ? "all" : builder.parameters[index].name;
    const i = reference.numbers.findIndex((x, i) => !isClose(x, got.numbers[i], 0)),
      some = ({ numbers }: Result) => numbers.slice(i, i + 6);
    found.push({ name: builder.name, argument, variant, spec, expected: some(reference), got: some(got) });
  };
  judge({});
  if (found.length > 0) return LEAVES.has(builder.name) ? null : { compared, found };
  judge({ threads: random.pick([2, 3, 4]) });
  judge({ placed: true, threads: random.pick([1, 2]) });
  const free = takesBytes(builder) ? tensors.slice(1) : tensors;
  const floats = free.filter((i) => typeOf(i) === "GGML_TYPE_F32"), others = free.filter((i) => typeOf(i) === "GGML_TYPE_I32");
  if (floats.length > 0) judge({ index: random.pick(floats), type: random.pick(FLOATS) });
  if (floats.length > 1) judge({ type: random.pick(FLOATS) });
  if (others.length > 0) judge({ index: random.pick(others), type: random.pick(INDICES) });
  if (free.length > 0) judge({ index: random.pick(free), layout: random.pick(LAYOUTS) });
  return { compared, found };
}

function textOf({ threads = 1, placed = false, type, layout }: Way): string {
  const parts = [type, layout, placed ? "placed" : undefined, threads > 1 ? `${threads} threads` : undefined].filter((part) =>
    part !== undefined
  );
  return parts.length === 0 ? "again" : parts.join(", ");
}

/** Functions with strides and offsets in bytes see other numbers in another type or layout, and views show memory as it lies. */
function takesBytes({ name, parameters }: Builder): boolean {
  return parameters.some(({ name }) => /^(nb\d|offset)$/.test(name)) || /view|reshape/.test(name);
}

function tooLarge({ ne }: TensorSpec): boolean {
  return product(ne) > LARGE;
}

const own = init({ memSize: MEMORY }), work = init({ memSize: MEMORY });
let backend: lib.ggml_backend | null = null;
let count = 0;

/** A source, and the numbers that belong into it. */
interface Source {
  readonly tensor: lib.ggml_tensor;
  /** What it is a view of. */
  readonly whole: lib.ggml_tensor;
  readonly numbers: Float32Array<ArrayBuffer>;
}

/** The result of a call, computed; null if the call, or the computation, is an Error. */
function attempt(builder: Builder, spec: Spec, seed: number, way: Way): Result | null {
  lib.ggml_reset(own);
  lib.ggml_reset(work);
  using bare = way.placed ? init({ memSize: 1 << 16, noAlloc: true }) : null;
  const ctx = bare ?? own;
  const sources: Source[] = [];
  const args: unknown[] = [];
  for (let i = 0; i < spec.length; i++) {
    const value = valueOf(ctx, spec[i], seed + i, sources, variantOf(spec[i], i, way));
    if (value === undefined) return null;
    args.push(value);
  }
  const result = orNull(() => (lib as unknown as Record<string, (...args: unknown[]) => lib.ggml_tensor>)[builder.name](...args));
  if (result === null || result.op === lib.GGML_OP_NONE) return null;
  const size = orNull(() => product(result.ne)); // dimensions past 2^53 are an Error
  if (size === null || size > 16 * LARGE || size <= 0) return null;
  const graph = lib.ggml_new_graph_custom(ctx, 64, false);
  lib.ggml_build_forward_expand(graph, result);
  using allocator = way.placed ? lib.ggml_gallocr_new(lib.ggml_backend_cpu_buffer_type()) : null;
  if (allocator !== null && !place(allocator, graph, sources)) return null;
  for (let i = 0; i < lib.ggml_graph_n_nodes(graph); i++) spoil(lib.ggml_graph_node(graph, i));
  for (const source of sources) fill(source);
  if (orNull(() => run(graph, way)) === null) return null;
  return numbersOf(result);
}

/** What a function gives; null for an Error. */
function orNull<T>(f: () => T): T | null {
  try {
    return f();
  } catch (error) {
    if (error instanceof Error) return null;
    throw error;
  }
}

/** Finds memory for a graph. Sources that it doesn't reach have none, and are of no use. */
function place(allocator: lib.ggml_gallocr, graph: lib.ggml_cgraph, sources: readonly Source[]): boolean {
  return orNull(() => lib.ggml_gallocr_alloc_graph(allocator, graph)) === true && sources.every(({ tensor }) => tensor.data !== null);
}

function run(graph: lib.ggml_cgraph, { threads = 1, placed }: Way): true {
  if (placed) {
    backend ??= lib.ggml_backend_cpu_init()!;
    lib.ggml_backend_cpu_set_n_threads(backend, threads);
    lib.ggml_backend_graph_compute(backend, graph);
  } else lib.ggml_graph_compute_with_ctx(work, graph, threads);
  return true;
}

/** What is varied of an argument. */
function variantOf(argument: ArgumentSpec, i: number, { index, type, layout }: Way): { type?: Type; layout?: Layout } {
  if (!("tensor" in argument)) return {};
  if (index === undefined) return argument.tensor.type === "GGML_TYPE_F32" ? { type } : {};
  return index === i ? { type, layout } : {};
}

function valueOf(
  ctx: lib.ggml_context,
  argument: ArgumentSpec,
  seed: number,
  sources: Source[],
  variant: { type?: Type; layout?: Layout },
): unknown {
  if ("context" in argument) return ctx;
  if ("value" in argument) return evaluate(argument.value, []);
  if ("tensor" in argument) return tensorOf(ctx, argument.tensor, seed, sources, variant);
  return argument.tensors.map((tensor) => tensorOf(ctx, tensor, seed, sources, {}));
}

/** A tensor for the numbers that belong to a seed, whatever its type and layout; undefined if there is none such. */
function tensorOf(ctx: lib.ggml_context, spec: TensorSpec, seed: number, sources: Source[], variant: { type?: Type; layout?: Layout }) {
  const { ne } = spec, isIndex = /_I\d+$/.test(spec.type);
  const type = (lib as unknown as Record<string, lib.ggml_type>)[variant.type === undefined ? spec.type : `GGML_TYPE_${variant.type}`];
  const block = Number(lib.ggml_blck_size(type));
  if (ne[0] % block !== 0) return undefined;
  const { tensor, whole } = laidOut(ctx, type, ne, block, variant.layout);
  const random = new Random(seed);
  const numbers = Float32Array.from({ length: product(ne) }, () => isIndex ? seed % 3 === 0 ? random.below(2) : 0 : random.below(11) - 5);
  sources.push({ tensor, whole, numbers });
  if (spec.layout === "parameter" && tensor.op === lib.GGML_OP_NONE) lib.ggml_set_param(tensor);
  return tensor;
}

function laidOut(
  ctx: lib.ggml_context,
  type: lib.ggml_type,
  [a, b, c, d]: readonly number[],
  block: number,
  layout: Layout | undefined,
): { tensor: lib.ggml_tensor; whole: lib.ggml_tensor } {
  const view = (whole: lib.ggml_tensor, nb: readonly number[]) => {
    return { tensor: lib.ggml_view_4d(ctx, whole, a, b, c, d, nb[1], nb[2], nb[3], 0), whole };
  };
  switch (layout) {
    case "permuted": { // transposed; what has blocks keeps its rows
      const whole = block === 1 ? lib.ggml_new_tensor_4d(ctx, type, b, a, c, d) : lib.ggml_new_tensor_4d(ctx, type, a, c, b, d);
      return { tensor: block === 1 ? lib.ggml_permute(ctx, whole, 1, 0, 2, 3) : lib.ggml_permute(ctx, whole, 0, 2, 1, 3), whole };
    }
    case "swapped": { // matrices among each other
      const whole = lib.ggml_new_tensor_4d(ctx, type, a, b, d, c);
      return { tensor: lib.ggml_permute(ctx, whole, 0, 1, 3, 2), whole };
    }
    case "strided": { // a part of rows, of a part of matrices
      const whole = lib.ggml_new_tensor_4d(ctx, type, a + 3 * block, b + 1, c + 1, d);
      return view(whole, whole.nb);
    }
    case "gapped": { // whole rows, a part of matrices
      const whole = lib.ggml_new_tensor_4d(ctx, type, a, b + 2, c + 1, d);
      return view(whole, whole.nb);
    }
    case "loose": { // contiguous, with any strides between things of which there is one
      const whole = lib.ggml_new_tensor_4d(ctx, type, a, b, c, d), odd = whole.nb[0] * 3;
      return view(whole, whole.nb.map((stride, i) => [a, b, c, d][i] === 1 ? odd : stride));
    }
    default: {
      const whole = lib.ggml_new_tensor_4d(ctx, type, a, b, c, d);
      return { tensor: whole, whole };
    }
  }
}

/** Fills what is computed with something else each time. */
function spoil(tensor: lib.ggml_tensor): void {
  if (tensor.view_src !== null || tensor.data === null) return;
  tensor.data.bytes(lib.ggml_nbytes(tensor)).fill(1 + count++ % 100);
}

/** Writes a source's numbers, and something else into the gaps between them. */
function fill({ tensor, whole, numbers }: Source): void {
  if (numbers.length === 0) return;
  if (whole !== tensor) whole.data!.bytes(lib.ggml_nbytes(whole)).fill(1 + count++ % 100);
  const shape = [...tensor.ne].reverse();
  if (tensor.type === lib.GGML_TYPE_I64) copy(ndarray(BigInt64Array.from(numbers, BigInt), shape), tensor);
  else copy(ndarray(numbers, shape), tensor);
}

function numbersOf(tensor: lib.ggml_tensor): Result {
  const { ne, type } = tensor, isWide = type === lib.GGML_TYPE_I64;
  const numbers = isWide ? new BigInt64Array(product(ne)) : new Float32Array(product(ne));
  copy(tensor, ndarray(numbers as Float32Array, [...ne].reverse()));
  return { shape: ne, numbers: Array.from<number | bigint, number>(numbers, Number) };
}

/** True if two results are the same but for rounding, which is coarser where types differ. */
function alike(a: Result, b: Result, types: boolean): boolean {
  if (a.shape.join() !== b.shape.join()) return false;
  const most = Math.max(1, ...a.numbers.map(Math.abs).filter(Number.isFinite));
  return a.numbers.every((x, i) => isClose(x, b.numbers[i], (types ? 0.015 : 1e-4) * most));
}

function isClose(x: number, y: number, most: number): boolean {
  return x === y || Math.abs(x - y) <= most || (Number.isNaN(x) && Number.isNaN(y));
}

function product(ne: readonly number[]): number {
  return ne.reduce((a, b) => a * b, 1);
}
