/**
 * Differences: an operation on the same numbers, once as f32 in order on one thread, and once with one source of another type or layout, or
 * on more threads. Either that is an Error, or the results are the same: else a kernel takes memory for what it isn't.
 *
 * The numbers are small whole ones, which every type holds exactly, so that results differ by rounding alone.
 *
 * @module
 */

import { lib } from "@ggml/deno";
import { compute, copy, init, ndarray, view } from "@ggml/deno/utils";
import type { Random } from "../random.ts";
import type { Builder } from "./catalogue.ts";
import type { ArgumentSpec, Spec, TensorSpec } from "./specs.ts";
import { evaluate } from "./steps.ts";

/** How a source differs from its like in the first computation. */
export type Variant = "F16" | "BF16" | "I32" | "F64" | "permuted" | "strided" | "2 threads" | "4 threads";
const TYPES = ["F16", "BF16", "I32", "F64"] as const,
  LAYOUTS = ["permuted", "strided"] as const,
  THREADS = ["2 threads", "4 threads"] as const;

/** Results that differ. */
export interface Difference {
  readonly name: string;
  /** Which argument is varied. */
  readonly argument: string;
  readonly variant: Variant;
  readonly spec: Spec;
  readonly expected: readonly number[];
  readonly got: readonly number[];
}

const MEMORY = 32 << 20;
/** Tensors of more elements are of no use here. */
const LARGE = 1 << 12;

/** The numbers of a result. */
interface Result {
  readonly shape: readonly number[];
  readonly numbers: readonly number[];
}

/** Compares one call with variants of it. Gives the differences; null if the call itself is an Error. */
export function differ(random: Random, builder: Builder, spec: Spec): { tried: number; found: Difference[] } | null {
  const tensors = spec.flatMap((argument, i) => "tensor" in argument ? [i] : []);
  if (tensors.some((i) => tooLarge((spec[i] as { tensor: TensorSpec }).tensor))) return null;
  const seed = random.below(1000);
  const reference = attempt(builder, spec, seed, null, 1);
  if (reference === null) return null;
  // What is not of a kernel, or leaves parts of its result as they were, has nothing to be compared.
  spoil(seed);
  const again = attempt(builder, spec, seed, null, 1);
  if (again === null || !alike(reference, again)) return null;
  const found: Difference[] = [];
  let tried = 0;
  const judge = (index: number | null, variant: Variant) => {
    const threads = variant === "2 threads" ? 2 : variant === "4 threads" ? 4 : 1;
    const got = attempt(builder, spec, seed, index === null ? null : { index, variant }, threads);
    tried++;
    if (got === null || alike(reference, got)) return;
    const argument = index === null ? "all" : builder.parameters[index].name;
    found.push({ name: builder.name, argument, variant, spec, expected: reference.numbers.slice(0, 8), got: got.numbers.slice(0, 8) });
  };
  judge(null, random.pick(THREADS));
  const floats = tensors.filter((i) => (spec[i] as { tensor: TensorSpec }).tensor.type === "GGML_TYPE_F32");
  if (floats.length > 0) {
    const index = random.pick(floats);
    if (!takesBytes(builder)) judge(index, random.pick(TYPES));
    if (!takesBytes(builder)) judge(index, random.pick(LAYOUTS));
  }
  return { tried, found };
}

/** Functions with strides and offsets in bytes see other numbers in another type or layout, and views show memory as it lies. */
function takesBytes({ name, parameters }: Builder): boolean {
  return parameters.some(({ name }) => /^(nb\d|offset)$/.test(name)) || /view|reshape/.test(name);
}

function tooLarge({ ne }: TensorSpec): boolean {
  return ne.reduce((a, b) => a * b, 1) > LARGE || ne.includes(0);
}

const ctx = init({ memSize: MEMORY });

/** Fills the context's memory with other bytes. */
function spoil(seed: number): void {
  lib.ggml_reset(ctx);
  const rest = lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_I8, MEMORY - 4096);
  rest.data!.bytes(1 << 20).fill(seed % 100 + 1);
}

/** The result of a call, computed; null if something on the way is an Error. */
function attempt(
  builder: Builder,
  spec: Spec,
  seed: number,
  varied: { index: number; variant: Variant } | null,
  threads: number,
): Result | null {
  try {
    lib.ggml_reset(ctx);
    const args = spec.map((argument, i) => valueOf(argument, seed + i, varied?.index === i ? varied.variant : null));
    // deno-lint-ignore no-explicit-any
    const result = (lib as any)[builder.name](...args) as lib.ggml_tensor;
    if (result.op === lib.GGML_OP_NONE || result.ne.reduce((a, b) => a * b, 1) > 16 * LARGE) return null;
    const graph = lib.ggml_new_graph(ctx);
    lib.ggml_build_forward_expand(graph, result);
    if (threads === 1) compute(graph, { threads: 1 });
    else lib.ggml_graph_compute_with_ctx(ctx, graph, threads);
    return numbersOf(result);
  } catch (error) {
    if (error instanceof Error) return null;
    throw error;
  }
}

function valueOf(argument: ArgumentSpec, seed: number, variant: Variant | null): unknown {
  if ("context" in argument) return ctx;
  if ("value" in argument) return evaluate(argument.value, []);
  if ("tensor" in argument) return tensorOf(argument.tensor, seed, variant);
  return argument.tensors.map((tensor) => tensorOf(tensor, seed, null));
}

/** A tensor with the numbers that belong to a seed, whatever its type and layout. */
function tensorOf({ type, ne }: TensorSpec, seed: number, variant: Variant | null): lib.ggml_tensor {
  const isType = TYPES.includes(variant as typeof TYPES[number]);
  // deno-lint-ignore no-explicit-any
  const ofType = (lib as any)[isType ? `GGML_TYPE_${variant}` : type] as lib.ggml_type;
  const tensor = laidOut(ofType, ne, variant);
  const count = ne.reduce((a, b) => a * b, 1);
  const isIndex = type !== "GGML_TYPE_F32";
  const values = Float32Array.from({ length: count }, (_, i) => isIndex ? 0 : (i * 7 + seed * 3) % 11 - 5);
  copy(ndarray(values, [...ne].reverse()), tensor);
  return tensor;
}

function laidOut(type: lib.ggml_type, ne: readonly number[], variant: Variant | null): lib.ggml_tensor {
  const [a, b, c, d] = ne;
  if (variant === "permuted") return lib.ggml_permute(ctx, lib.ggml_new_tensor_4d(ctx, type, b, a, c, d), 1, 0, 2, 3);
  if (variant !== "strided") return lib.ggml_new_tensor_4d(ctx, type, a, b, c, d);
  const whole = lib.ggml_new_tensor_4d(ctx, type, a + 3, b + 1, c + 1, d), [, ...nb] = whole.nb;
  return lib.ggml_view_4d(ctx, whole, a, b, c, d, nb[0], nb[1], nb[2], 0);
}

function numbersOf(tensor: lib.ggml_tensor): Result {
  const count = tensor.ne.reduce((a, b) => a * b, 1), numbers = new Float32Array(count);
  if (count > 0) copy(tensor, ndarray(numbers, [...tensor.ne].reverse()));
  view(tensor, { allowCopy: true });
  return { shape: tensor.ne, numbers: [...numbers] };
}

/** True if two results are the same but for rounding. */
function alike(a: Result, b: Result): boolean {
  if (a.shape.join() !== b.shape.join()) return false;
  const most = Math.max(1, ...a.numbers.map(Math.abs).filter(Number.isFinite));
  return a.numbers.every((x, i) => {
    const y = b.numbers[i];
    return Object.is(x, y) || x === y || Math.abs(x - y) <= 0.02 * most || (Number.isNaN(x) && Number.isNaN(y));
  });
}
