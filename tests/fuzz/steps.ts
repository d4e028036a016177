/**
 * Steps: calls as data. They can be made, written to a log before they are made, made again in another process, and printed as TypeScript.
 *
 * @module
 */

import { lib } from "@ggml/deno";
import { compute as computeNow, computeAsync, init } from "@ggml/deno/utils";
import { fence, fenced, rebuildFences } from "./fences.ts";
import { fill } from "./fill.ts";
import { behaviours, pathOf, recipes } from "./recipes.ts";

/** An argument. */
export type Value =
  | number
  | boolean
  | string
  | null
  /** What an earlier step gave. */
  | { readonly ref: number }
  /** An enumerator of `lib`. */
  | { readonly name: string }
  /** What JSON hasn't got. */
  | { readonly text: "NaN" | "Infinity" | "-Infinity" | "-0" | "undefined" }
  | { readonly bigint: string }
  /** A pointer to where nothing is. */
  | { readonly nowhere: string }
  | { readonly array: keyof typeof ARRAYS; readonly items: readonly number[] }
  | { readonly list: readonly Value[] }
  /** The path of a file of that name (`recipes.ts`). */
  | { readonly path: string }
  /** A callback of that class which does nothing, or what `behaviours` of `recipes.ts` says. */
  | { readonly callback: string; readonly does?: string };

/** Typed arrays by name. */
const ARRAYS = {
  Int8Array,
  Uint8Array,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
};

/** Something to do. */
export type Step =
  | { readonly init: { readonly memSize: number; readonly noAlloc: boolean; readonly memory?: Memory } }
  /** `aim` marks the calls that a walk is about; the others make their arguments. */
  | { readonly call: string; readonly args: readonly Value[]; readonly aim?: true }
  | { readonly free: number }
  /** An object by a recipe. */
  | { readonly make: string; readonly args: readonly Value[] }
  /** Sets a field of a struct. */
  | { readonly set: number; readonly field: string; readonly value: Value }
  /** Nothing, in place of a step that was left out. */
  | { readonly skip: true }
  /** Writes numbers into a tensor: real ones, or small indices. */
  | { readonly fill: number; readonly seed: number }
  | ComputeStep;

/** Where the tensors of a context lie: in its own memory, between fences, or between fences where they aren't computed and else where it pleases an allocator. */
export type Memory = "own" | "fenced" | "placed";

/** Computes a tensor with a graph in the context that is step `ctx`. `kind` says what is computed of what. */
export interface ComputeStep {
  readonly compute: number;
  readonly ctx: number;
  readonly threads: number;
  readonly way: Way;
  readonly kind: string;
}

/** How a graph is computed. */
export type Way = typeof WAYS[number];
export const WAYS = [
  "ggml_graph_compute_with_ctx",
  "compute",
  "ggml_backend_graph_compute",
  "scheduler",
  "computeAsync",
  "ggml_graph_compute",
  "gallocr",
] as const;
/** The ways of computing that find memory for results. */
export const PLACING: readonly Way[] = ["scheduler", "gallocr"];

// deno-lint-ignore no-explicit-any
const functions = lib as any as Record<string, any>;
const callbacks = new Map<string, unknown>();

/** The argument that a value stands for. */
export function evaluate(value: Value, results: readonly unknown[]): unknown {
  if (typeof value !== "object" || value === null) return value;
  if ("ref" in value) return results[value.ref];
  if ("name" in value) return functions[value.name];
  if ("text" in value) return value.text === "undefined" ? undefined : Number(value.text);
  if ("bigint" in value) return BigInt(value.bigint);
  if ("nowhere" in value) return Deno.UnsafePointer.create(BigInt(value.nowhere));
  if ("list" in value) return value.list.map((item) => evaluate(item, results));
  if ("path" in value) return pathOf(value.path);
  if ("callback" in value) return callback(value.callback, value.does ?? "");
  const { array, items } = value;
  if (array === "BigInt64Array") return BigInt64Array.from(items, BigInt);
  return array === "BigUint64Array" ? BigUint64Array.from(items, BigInt) : ARRAYS[array].from(items);
}

/** One callback a class and behaviour: C may call it for as long as the process lives. */
function callback(name: string, does: string): unknown {
  const key = `${name} ${does}`;
  let found = callbacks.get(key);
  if (found === undefined) callbacks.set(key, found = new functions[name](behaviours[does] ?? (() => {})));
  return found;
}

/** Does a step, but for one that computes. `results` holds what the steps before it gave; those that failed gave null. */
export function run(step: Exclude<Step, ComputeStep>, results: readonly unknown[]): unknown {
  if ("call" in step) return remember(give(functions[step.call](...step.args.map((value) => evaluate(value, results)))));
  if ("init" in step) return start(step.init);
  if ("make" in step) return recipes[step.make](...step.args.map((value) => evaluate(value, results)));
  if ("set" in step) return set(results[step.set], step.field, evaluate(step.value, results));
  if ("skip" in step) return null;
  if ("free" in step) return (results[step.free] as lib.ggml_context)[Symbol.dispose]();
  return fill(results[step.fill] as lib.ggml_tensor, step.seed);
}

function set(struct: unknown, field: string, value: unknown): null {
  (struct as Record<string, unknown>)[field] = value;
  return null;
}

/** Does a step that computes. */
export async function runCompute(step: ComputeStep, results: readonly unknown[]): Promise<lib.ggml_status> {
  const status = await compute(results[step.compute] as lib.ggml_tensor, results[step.ctx] as lib.ggml_context, step);
  expectHeaders(results);
  return status;
}

/** The contexts whose tensors don't lie in their own memory. */
const memories = new WeakMap<object, Memory>();

function start({ memSize, noAlloc, memory = "own" }: { memSize: number; noAlloc: boolean; memory?: Memory }): lib.ggml_context {
  const ctx = init({ memSize, noAlloc: noAlloc || memory !== "own" });
  if (memory === "own") return ctx;
  rebuildFences();
  memories.set(ctx.owner, memory);
  return ctx;
}

/** Gives a new tensor memory, if that isn't its context's own. */
function give(result: unknown): unknown {
  const memory = result instanceof lib.ggml_tensor ? memories.get(result.owner) : undefined;
  if (memory !== undefined) fence(result as lib.ggml_tensor, memory === "fenced");
  return result;
}

/** What stands before each tensor that was made: the header of its object, right after the data of the tensor before. */
const headers = new WeakMap<object, readonly bigint[]>();

function remember(result: unknown): unknown {
  if (result instanceof lib.ggml_tensor && !headers.has(result)) headers.set(result, header(result));
  return result;
}

/** `struct ggml_object`, but for the pointer to the next. */
function header(tensor: lib.ggml_tensor): readonly bigint[] {
  const view = new Deno.UnsafePointerView(Deno.UnsafePointer.create(tensor.address - 32n)!);
  return [view.getBigUint64(0), view.getBigUint64(8), BigInt(view.getUint32(24))];
}

/** Ends the process if a computation wrote beyond its result: what comes after would die of it, or compute nonsense. */
function expectHeaders(results: readonly unknown[]): void {
  results.forEach((result, i) => {
    const before = result instanceof lib.ggml_tensor && headers.get(result);
    if (!before || isFreed(result) || header(result).every((word, j) => word === before[j])) return;
    console.error(`fatal error: the computation wrote over what stands before the result of step ${i}`);
    Deno.exit(1);
  });
}

function isFreed(tensor: lib.ggml_tensor): boolean {
  try {
    return tensor.op < 0;
  } catch {
    return true;
  }
}

let backend: lib.ggml_backend | null = null;

let scheduler: lib.ggml_backend_sched | null = null;

let allocator: lib.ggml_gallocr | null = null;

async function compute(
  tensor: lib.ggml_tensor,
  ctx: lib.ggml_context,
  { threads, way }: { threads: number; way: Way },
): Promise<lib.ggml_status> {
  const graph = lib.ggml_new_graph(ctx);
  lib.ggml_build_forward_expand(graph, tensor);
  if (way === "ggml_graph_compute_with_ctx") return lib.ggml_graph_compute_with_ctx(ctx, graph, threads);
  if (way === "ggml_graph_compute") return lib.ggml_graph_compute(graph, fencedPlan(graph, threads));
  if (way === "compute") computeNow(graph, { threads });
  if (way === "computeAsync") await computeAsync(graph, { threads });
  if (way === "compute" || way === "computeAsync") return lib.GGML_STATUS_SUCCESS;
  backend ??= lib.ggml_backend_cpu_init()!;
  lib.ggml_backend_cpu_set_n_threads(backend, threads);
  if (way === "gallocr") {
    allocator ??= lib.ggml_gallocr_new(lib.ggml_backend_cpu_buffer_type());
    if (!lib.ggml_gallocr_alloc_graph(allocator, graph)) throw new Error("ggml_gallocr_alloc_graph answered false");
  }
  if (way !== "scheduler") return lib.ggml_backend_graph_compute(backend, graph);
  scheduler ??= lib.ggml_backend_sched_new([backend], null, 1, 4096, false, false);
  lib.ggml_backend_sched_reset(scheduler);
  return lib.ggml_backend_sched_graph_compute(scheduler, graph);
}

function fencedPlan(graph: lib.ggml_cgraph, threads: number): lib.ggml_cplan {
  const plan = lib.ggml_graph_plan(graph, threads, null);
  if (plan.work_size > 0) plan.work_data = fenced(plan.work_size) as never;
  return plan;
}

/** What a value refers to. */
function refs(value: Value): number[] {
  if (typeof value !== "object" || value === null) return [];
  if ("ref" in value) return [value.ref];
  return "list" in value ? value.list.flatMap(refs) : [];
}

/** The steps that a step needs. */
function needs(step: Step): number[] {
  if ("call" in step || "make" in step) return step.args.flatMap(refs);
  if ("set" in step) return [step.set, ...refs(step.value)];
  if ("free" in step) return [step.free];
  if ("fill" in step) return [step.fill];
  return "compute" in step ? [step.compute, step.ctx] : [];
}

/** What changes an object that step `of` gave: fills it, frees it, marks it as a parameter. */
function changes(step: Step, kept: ReadonlySet<number>): boolean {
  if ("fill" in step) return kept.has(step.fill);
  if ("free" in step) return kept.has(step.free);
  return "call" in step && step.call === "ggml_set_param" && refs(step.args[0]).some((ref) => kept.has(ref));
}

/**
 * The steps that the last one needs, renumbered: all that its arguments were made of, and what was done to those.
 *
 * @param whole Contexts (by step) whose fullness matters: everything done in them is kept.
 */
export function slice(steps: readonly Step[], whole: ReadonlySet<number> = new Set()): Step[] {
  const kept = new Set([steps.length - 1]);
  const inWhole = (step: Step) => "call" in step && refs(step.args[0] ?? null).some((ref) => whole.has(ref) && kept.has(ref));
  for (let again = true; again;) {
    again = false;
    for (let i = steps.length - 1; i >= 0; i--) {
      if (!kept.has(i) && !changes(steps[i], kept) && !inWhole(steps[i])) continue;
      if (!kept.has(i)) again = true;
      kept.add(i);
      for (const ref of needs(steps[i])) {
        if (!kept.has(ref)) again = true;
        kept.add(ref);
      }
    }
  }
  const order = [...kept].sort((a, b) => a - b);
  const renumbered = new Map(order.map((from, to) => [from, to]));
  return order.map((i) => renumber(steps[i], renumbered));
}

function renumber(step: Step, to: ReadonlyMap<number, number>): Step {
  const value = (item: Value): Value => {
    if (typeof item !== "object" || item === null) return item;
    if ("ref" in item) return { ref: to.get(item.ref)! };
    return "list" in item ? { list: item.list.map(value) } : item;
  };
  if ("call" in step) return { call: step.call, args: step.args.map(value) };
  if ("make" in step) return { make: step.make, args: step.args.map(value) };
  if ("set" in step) return { set: to.get(step.set)!, field: step.field, value: value(step.value) };
  if ("free" in step) return { free: to.get(step.free)! };
  if ("fill" in step) return { ...step, fill: to.get(step.fill)! };
  return "compute" in step ? { ...step, compute: to.get(step.compute)!, ctx: to.get(step.ctx)! } : step;
}

/** The steps that have to do with what the last one needs, renumbered: all that was done to any object that it depends on, or with. */
export function sliceObjects(steps: readonly Step[]): Step[] {
  const kept = new Set([steps.length - 1]), objects = new Set(steps.slice(-1).flatMap(needs));
  for (let size = -1; size < kept.size + objects.size;) {
    size = kept.size + objects.size;
    for (let i = steps.length - 1; i >= 0; i--) {
      const needed = needs(steps[i]);
      if (!objects.has(i) && !needed.some((ref) => objects.has(ref))) continue;
      kept.add(i);
      needed.forEach((ref) => objects.add(ref));
    }
  }
  const order = [...kept].filter((i) => !("skip" in steps[i]) || objects.has(i)).sort((a, b) => a - b);
  const renumbered = new Map(order.map((from, to) => [from, to]));
  return order.map((i) => renumber(steps[i], renumbered));
}

/** The steps as a TypeScript program. */
export function print(steps: readonly Step[]): string {
  const used = new Set(steps.flatMap(needs));
  const lines = steps.map((step, i) => {
    const result = used.has(i) ? `const ${"init" in step ? "ctx" : "t"}${i} = ` : "";
    return `${result}${printStep(step, (ref) => `${"init" in steps[ref] ? "ctx" : "t"}${ref}`)};`;
  });
  return lines.join("\n");
}

function printStep(step: Step, name: (ref: number) => string): string {
  if ("call" in step) return `lib.${step.call}(${step.args.map((value) => printValue(value, name)).join(", ")})`;
  if ("init" in step) {
    return `init({ memSize: ${step.init.memSize}${step.init.noAlloc ? ", noAlloc: true" : ""} })${note(step.init.memory)}`;
  }
  if ("make" in step) return `recipes.${step.make}(${step.args.map((value) => printValue(value, name)).join(", ")})`;
  if ("set" in step) return `${name(step.set)}.${step.field} = ${printValue(step.value, name)}`;
  if ("skip" in step) return "";
  if ("free" in step) return `${name(step.free)}[Symbol.dispose]()`;
  if ("fill" in step) return `// numbers into ${name(step.fill)}`;
  return `// compute ${name(step.compute)} by ${step.way} in ${name(step.ctx)}, ${step.threads} thread${step.threads === 1 ? "" : "s"}`;
}

function note(memory: Memory | undefined): string {
  return memory === undefined || memory === "own" ? "" : ` /* ${memory} */`;
}

function printValue(value: Value, name: (ref: number) => string): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if ("ref" in value) return name(value.ref);
  if ("name" in value) return `lib.${value.name}`;
  if ("text" in value) return value.text;
  if ("bigint" in value) return `${value.bigint}n`;
  if ("nowhere" in value) return `Deno.UnsafePointer.create(${value.nowhere}n)`;
  if ("list" in value) return `[${value.list.map((item) => printValue(item, name)).join(", ")}]`;
  if ("path" in value) return `pathOf(${JSON.stringify(value.path)})`;
  if ("callback" in value) return `new lib.${value.callback}(${value.does === undefined ? "() => {}" : `behaviours.${value.does}`})`;
  const big = value.array.startsWith("Big") ? "n" : "";
  return `new ${value.array}([${value.items.map((item) => `${item}${big}`).join(", ")}])`;
}
