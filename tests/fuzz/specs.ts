/**
 * Specs: the arguments of one call by type and shape, in no process yet. Those with which a call succeeded are kept and varied, which is
 * how the fuzz gets past conditions that tie seven shapes to each other without knowing a single one.
 *
 * @module
 */

import type { Random } from "../random.ts";
import type { Builder, Catalogue, Parameter } from "./catalogue.ts";
import * as shapes from "./shapes.ts";
import { SEEDS } from "./seeds.ts";
import type { Shape, TypeFacts } from "./shapes.ts";
import type { Value } from "./steps.ts";

/** How a tensor lies in memory. */
export type Layout = "plain" | "permuted" | "strided" | "reshaped" | "viewed" | "parameter";
const LAYOUTS: readonly Layout[] = ["permuted", "strided", "reshaped", "viewed", "parameter"];

/** A tensor to make. */
export interface TensorSpec {
  readonly type: string;
  readonly ne: Shape;
  readonly layout: Layout;
}

/** An argument: a tensor to make, a list of such, the context, or any value. */
export type ArgumentSpec =
  | { readonly tensor: TensorSpec }
  | { readonly tensors: readonly TensorSpec[] }
  | { readonly context: true }
  | { readonly value: Value };

/** The arguments of a call. */
export type Spec = readonly ArgumentSpec[];

/** How many specs of one function are kept. */
const KEPT = 24;

/** Makes specs, and remembers the good ones. */
export class Specs {
  readonly #random: Random;
  readonly #catalogue: Catalogue;
  readonly #types: readonly TypeFacts[];
  readonly #good: Map<string, Spec[]> = new Map();
  /** Those whose result could be computed, too. */
  readonly #best: Map<string, Spec[]> = new Map();
  /** No dimension is longer than this. */
  readonly #longest: number;
  /** In how many of 100 cases arguments are new where good ones are known. */
  readonly #newness: number;

  constructor(random: Random, catalogue: Catalogue, types: readonly TypeFacts[], longest: number, newness: number) {
    this.#random = random;
    this.#catalogue = catalogue;
    this.#types = types;
    this.#longest = longest;
    this.#newness = newness;
    for (const [name, spec] of Object.entries(SEEDS)) this.keep(name, spec, true);
  }

  /** Remembers arguments that were accepted, and perhaps computed. False if there are enough. */
  keep(name: string, spec: Spec, computed = false): boolean {
    const specs = computed ? this.#best : this.#good, kept = specs.get(name);
    if (kept === undefined) specs.set(name, [spec]);
    else if (kept.length < KEPT) kept.push(spec);
    else if (this.#random.percent(5)) kept[this.#random.below(KEPT)] = spec;
    else return false;
    return true;
  }

  /** Arguments that are likely to be accepted. */
  next(builder: Builder): Spec {
    const random = this.#random, best = this.#best.get(builder.name);
    const kept = best !== undefined && random.percent(60) ? best : this.#good.get(builder.name);
    if (kept === undefined || random.percent(this.#newness)) return this.#fresh(builder);
    let spec = random.pick(kept);
    for (let n = random.below(4); n > 0; n--) spec = this.#vary(spec, builder);
    return spec;
  }

  /** Arguments out of one to three different dimensions: the fewer, the likelier they agree. */
  #fresh(builder: Builder): Spec {
    const random = this.#random;
    const dims = random.percent(50) ? [1] : Array.from({ length: 1 + random.below(3) }, () => this.#dimension());
    const plain = random.percent(60);
    const onlyFloats = random.percent(40);
    let last: TensorSpec | null = null;
    const tensor = (): TensorSpec => {
      if (last !== null && random.percent(40)) return last;
      const rank = random.percent(50) ? 4 : random.below(5);
      const ne = [0, 1, 2, 3].map((i) => i < rank ? random.pick(dims) : 1) as unknown as Shape;
      const type = onlyFloats ? "GGML_TYPE_F32" : this.#type();
      return last = { type, ne, layout: plain || random.percent(70) ? "plain" : random.pick(LAYOUTS) };
    };
    const spec = builder.parameters.map((parameter) => this.#argument(parameter, tensor, dims));
    return random.percent(15) ? this.#distinct(spec, builder) : spec;
  }

  /** Integers that differ, from 0 on: axes, for example. */
  #distinct(spec: Spec, { parameters }: Builder): Spec {
    const integers = parameters.flatMap(({ kind }, i) => kind === "int" ? [i] : []);
    const left = integers.map((_, n) => n);
    return integers.reduce((spec, i) => spec.with(i, { value: left.splice(this.#random.below(left.length), 1)[0] }), spec);
  }

  #argument(parameter: Parameter, tensor: () => TensorSpec, dims: readonly number[]): ArgumentSpec {
    const random = this.#random;
    const { kind, of, nullable } = parameter;
    if (kind === "handle" && of === "ggml_context") return { context: true };
    if (nullable && random.percent(40)) return { value: null };
    switch (kind) {
      case "handle":
        return of === "ggml_tensor" ? { tensor: tensor() } : { value: null };
      case "pointers":
        return { tensors: Array.from({ length: random.below(3) }, tensor) };
      case "int":
        return { value: random.percent(60) ? random.below(3) : random.percent(50) ? random.pick(dims) : random.below(9) };
      case "enum":
        return { value: { name: random.percent(40) ? this.#catalogue.enums[of!][0] : random.pick(this.#catalogue.enums[of!]) } };
      case "float":
        return { value: random.pick([0, 1, 0.5, 8]) };
      case "bool":
        return { value: random.percent(50) };
      case "data":
        return { value: nullable ? null : shapes.array(random, parameter, dims, false) };
      case "callback":
        return { value: { callback: of! } };
      default:
        return { value: "text" };
    }
  }

  #type(): string {
    const kind = this.#random.below(100);
    if (kind < 60) return "GGML_TYPE_F32";
    return kind < 80 ? "GGML_TYPE_I32" : kind < 88 ? "GGML_TYPE_F16" : this.#random.pick(this.#types).name;
  }

  #dimension(): number {
    return Math.min(shapes.dimension(this.#random, false), this.#longest);
  }

  /** The same arguments with one thing changed: a number everywhere or once, a type, a layout, a null. */
  #vary(spec: Spec, builder: Builder): Spec {
    const random = this.#random;
    const at = random.below(spec.length);
    switch (random.below(8)) {
      case 0:
      case 1:
        return rename(spec, random.pick(numbers(spec)), this.#dimension());
      case 2: { // one dimension, wherever it stands
        const i = random.below(4), to = this.#dimension();
        return mapTensors(spec, (tensor) => ({ ...tensor, ne: tensor.ne.map((n, k) => k === i ? to : n) as unknown as Shape }));
      }
      case 3:
        return replaceTensor(spec, at, (tensor) => {
          const i = random.below(4), to = this.#dimension();
          return { ...tensor, ne: tensor.ne.map((n, k) => k === i ? to : n) as unknown as Shape };
        });
      case 4:
        return replaceTensor(spec, at, (tensor) => ({ ...tensor, type: this.#type() }));
      case 5:
        return replaceTensor(spec, at, (tensor) => ({ ...tensor, layout: random.percent(50) ? "plain" : random.pick(LAYOUTS) }));
      case 6: { // another value, or a tensor or null where there may be either
        const tensors = spec.flatMap((argument) => "tensor" in argument ? [argument.tensor] : []);
        const tensor = () =>
          tensors.length > 0 ? random.pick(tensors) : { type: this.#type(), ne: [1, 1, 1, 1] as Shape, layout: "plain" as const };
        const parameter = builder.parameters[at];
        if ("tensor" in spec[at] && !parameter.nullable) return spec;
        return spec.with(at, this.#argument(parameter, tensor, numbers(spec)));
      }
      default:
        return this.#multiplyBlocks(spec);
    }
  }

  /** The same shapes in a type that has blocks, rows as many times longer. */
  #multiplyBlocks(spec: Spec): Spec {
    const { name, block } = this.#random.pick(this.#types);
    const first = spec.findIndex((argument) => "tensor" in argument);
    if (first < 0 || block > this.#longest) return spec;
    const row = (spec[first] as { tensor: TensorSpec }).tensor.ne[0];
    return replaceTensor(rename(spec, row, block), first, (tensor) => ({ ...tensor, type: name }));
  }
}

/** The different numbers among the arguments. */
function numbers(spec: Spec): number[] {
  const found = new Set<number>([1]);
  for (const argument of spec) {
    if ("tensor" in argument) argument.tensor.ne.forEach((n) => found.add(n));
    if ("value" in argument && typeof argument.value === "number") found.add(argument.value);
  }
  return [...found];
}

/** Every `from` becomes a `to`, but the ones that stand for dimensions that aren't there. */
function rename(spec: Spec, from: number, to: number): Spec {
  const renamed = mapTensors(spec, (tensor) => ({ ...tensor, ne: tensor.ne.map((n) => n === from ? to : n) as unknown as Shape }));
  return renamed.map((argument) => {
    if (!("value" in argument)) return argument;
    const { value } = argument;
    if (value === from) return { value: to };
    if (typeof value === "object" && value !== null && "array" in value) {
      return { value: { ...value, items: value.items.map((n) => n === from ? to : n) } };
    }
    return argument;
  });
}

function mapTensors(spec: Spec, change: (tensor: TensorSpec) => TensorSpec): Spec {
  return spec.map((argument) => "tensor" in argument ? { tensor: change(argument.tensor) } : argument);
}

function replaceTensor(spec: Spec, at: number, change: (tensor: TensorSpec) => TensorSpec): Spec {
  const argument = spec[at];
  return "tensor" in argument ? spec.with(at, { tensor: change(argument.tensor) }) : spec;
}
