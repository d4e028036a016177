/**
 * A walk: some contexts, and a few dozen calls in them which use each other's results.
 *
 * Half of the calls have arguments that are likely to be accepted (see `specs.ts`), the others take whatever lies about: results of earlier
 * calls, tensors of other contexts and of freed ones, nulls, and numbers of every kind.
 *
 * @module
 */

import { lib } from "@ggml/deno";
import type { Random } from "../random.ts";
import type { Builder, Catalogue, Parameter } from "./catalogue.ts";
import * as shapes from "./shapes.ts";
import type { Shape, TypeFacts } from "./shapes.ts";
import type { ArgumentSpec, Spec, Specs, TensorSpec } from "./specs.ts";
import { hasFences } from "./fences.ts";
import { type ComputeStep, evaluate, type Memory, PLACING, run, runCompute, type Step, type Value, WAYS } from "./steps.ts";

/** How a step ended. */
export type Outcome = { readonly value: unknown } | { readonly error: unknown };

/** What a walk tells of its calls. */
export interface Witness {
  /** Before a step is done: it may be the last. */
  before(step: Step): void;
  /** After a call that the walk was about, not one that only made its arguments. */
  called(builder: Builder, steps: readonly Step[], outcome: Outcome, results: readonly unknown[], whole: ReadonlySet<number>): void;
  /** Arguments that were accepted, and whether the result could be computed. */
  accepted(builder: Builder, spec: Spec, computed: boolean): void;
  /** After a computation that the process survived. */
  computed(kind: string, outcome: Outcome): void;
}

/** What the walks of a process share. */
export interface Setting {
  readonly random: Random;
  readonly catalogue: Catalogue;
  readonly types: readonly TypeFacts[];
  readonly specs: Specs;
  readonly witness: Witness;
  /** The functions to call. */
  readonly builders: readonly Builder[];
  /** True to compute what was built. */
  readonly compute: boolean;
  /** Kinds of computations that are known to kill the process. */
  readonly deadly: ReadonlySet<string>;
}

/** A tensor that was made, by step. */
interface Entry {
  readonly ref: number;
  readonly type: lib.ggml_type;
  readonly ne: readonly number[];
  readonly nb: readonly number[];
}

/** Calls in a walk. */
const CALLS = 40;
const MEMORY = 512 * 1024;
const COMPUTE_MEMORY = 16 * 1024 * 1024;
/** Tensors of more elements are made without memory. */
const LARGE = 1 << 14;

export class Walk {
  readonly #setting: Setting;
  readonly #random: Random;
  readonly #steps: Step[] = [];
  readonly #results: unknown[] = [];
  readonly #pool: Entry[] = [];
  readonly #main: number;
  /** Where the tensors of that context lie. */
  readonly #memory: Memory;
  readonly #bare: number;
  readonly #tight: number;
  readonly #freed: number;
  /** A tensor of the context that was freed. */
  readonly #freedTensor: number;
  /** Where graphs are computed. */
  readonly #scratch: number;

  constructor(setting: Setting) {
    this.#setting = setting;
    this.#random = setting.random;
    const { compute } = setting;
    const context = (memSize: number, noAlloc = false) => this.#do({ init: { memSize, noAlloc } });
    this.#memory = compute && hasFences ? this.#random.pick(["own", "fenced", "placed"]) : "own";
    const main = { memSize: compute ? COMPUTE_MEMORY : MEMORY, noAlloc: false };
    this.#main = this.#do({ init: this.#memory === "own" ? main : { ...main, memory: this.#memory } });
    this.#scratch = compute ? context(COMPUTE_MEMORY) : this.#main;
    this.#bare = context(MEMORY, true);
    this.#tight = context(1 + this.#random.below(4000), this.#random.percent(50));
    this.#freed = context(8192);
    this.#freedTensor = this.#do({ call: "ggml_new_tensor_1d", args: [{ ref: this.#freed }, { name: "GGML_TYPE_F32" }, 4] });
    this.#do({ free: this.#freed });
  }

  /** Makes the calls, then frees the contexts. */
  async go(): Promise<void> {
    for (let n = 0; n < CALLS; n++) await this.#call(this.#random.pick(this.#setting.builders));
    for (const ref of new Set([this.#main, this.#bare, this.#tight, this.#scratch])) this.#do({ free: ref });
  }

  async #call(builder: Builder): Promise<void> {
    if (!this.#setting.compute && this.#random.percent(50)) {
      await this.#attempt(builder, this.#wild(builder), null);
      return;
    }
    const spec = this.#setting.specs.next(builder);
    const args = this.#realize(spec);
    if (args !== null) await this.#attempt(builder, args, spec);
  }

  async #attempt(builder: Builder, args: readonly Value[], spec: Spec | null): Promise<void> {
    const { witness } = this.#setting;
    const ref = this.#do({ call: builder.name, args, aim: true });
    const outcome = this.#outcomes[ref];
    const whole = new Set([this.#tight]);
    witness.called(builder, this.#steps, outcome, this.#results, whole);
    if ("error" in outcome) return;
    // What was not computed here must not be computed later, as part of another graph.
    const computed = this.#setting.compute && await this.#compute(ref, builder, args);
    if (spec !== null) witness.accepted(builder, spec, computed);
    if (!this.#setting.compute || computed) this.#remember(ref);
  }

  /** Computes a result that is small enough, unless it is known to kill or the scratch context is full. False if it didn't. */
  async #compute(ref: number, { name, parameters }: Builder, args: readonly Value[]): Promise<boolean> {
    const { deadly, witness } = this.#setting;
    const kind = `${name}(${args.flatMap((value) => describe(evaluate(value, this.#results))).join(", ")})`;
    const scratch = this.#results[this.#scratch] as lib.ggml_context;
    if (deadly.has(kind) || lib.ggml_used_mem(scratch) > COMPUTE_MEMORY / 2) return false;
    if (!(size(this.#results[ref] as lib.ggml_tensor) <= 1 << 20)) return false;
    // A callback runs on this thread only.
    if (parameters.some(({ kind }) => kind === "callback")) this.#hasCallback = true;
    const threads = this.#hasCallback ? 1 : this.#random.pick([1, 2, 4]);
    const way = this.#random.pick(this.#memory === "placed" ? PLACING : WAYS);
    const outcome = await this.#doCompute({ compute: ref, ctx: this.#scratch, threads, way, kind });
    witness.computed(kind, outcome);
    return "value" in outcome;
  }

  /** True once a callback may be part of a graph. */
  #hasCallback = false;

  readonly #outcomes: Outcome[] = [];

  /** Does a step that computes. */
  async #doCompute(step: ComputeStep): Promise<Outcome> {
    this.#setting.witness.before(step);
    this.#steps.push(step);
    const outcome = await runCompute(step, this.#results).then((value) => ({ value }), (error) => ({ error }));
    this.#outcomes.push(outcome);
    this.#results.push(null);
    return outcome;
  }

  /** Does any other step. The result is its number. */
  #do(step: Exclude<Step, ComputeStep>): number {
    this.#setting.witness.before(step);
    this.#steps.push(step);
    let outcome: Outcome;
    try {
      outcome = { value: run(step, this.#results) };
    } catch (error) {
      outcome = { error };
    }
    this.#outcomes.push(outcome);
    return this.#results.push("value" in outcome ? outcome.value : null) - 1;
  }

  #remember(ref: number): void {
    const tensor = this.#results[ref];
    if (!(tensor instanceof lib.ggml_tensor)) return;
    try {
      this.#pool.push({ ref, type: tensor.type, ne: [...tensor.ne], nb: [...tensor.nb] });
    } catch {
      // Its dimensions or strides are past 2^53, which is an Error of its own.
    }
    if (this.#pool.length > 60) this.#pool.splice(this.#random.below(30), 1);
  }

  // Arguments that are likely to be accepted

  /** The arguments of a spec, made; null if one of them can't be. */
  #realize(spec: Spec): Value[] | null {
    const large = spec.some((argument) => "tensor" in argument && elements(argument.tensor.ne) > LARGE);
    if (large && this.#setting.compute) return null;
    const ctx = !this.#setting.compute && (large || this.#random.percent(50)) ? this.#bare : this.#main;
    const args: Value[] = [];
    for (const argument of spec) {
      const value = this.#value(argument, ctx);
      if (value === undefined) return null;
      args.push(value);
    }
    return args;
  }

  #value(argument: ArgumentSpec, ctx: number): Value | undefined {
    if ("context" in argument) return { ref: ctx };
    if ("value" in argument) return argument.value;
    if ("tensor" in argument) {
      const ref = this.#tensor(argument.tensor, ctx);
      return ref === null ? undefined : { ref };
    }
    const list = argument.tensors.map((tensor) => this.#tensor(tensor, ctx));
    return list.includes(null) ? undefined : { list: list.map((ref) => ({ ref: ref! })) };
  }

  /** A tensor like that: one that lies about, or a new one; null if it couldn't be made. */
  #tensor(spec: TensorSpec, ctx: number): number | null {
    const facts = this.#setting.types.find(({ name }) => name === spec.type)!;
    const fits = ({ type, ne }: Entry) => type === facts.type && ne.every((n, i) => n === spec.ne[i]);
    const found = this.#pool.filter(fits);
    if (found.length > 0 && this.#random.percent(50)) return this.#random.pick(found).ref;
    if (spec.ne[0] % facts.block !== 0) return null;
    const ref = this.#laidOut(spec, facts, ctx);
    if (this.#results[ref] === null) return null;
    if (this.#setting.compute) this.#do({ fill: ref, seed: this.#random.below(1000) });
    this.#remember(ref);
    return ref;
  }

  #laidOut({ type, ne, layout }: TensorSpec, { block }: TypeFacts, ctx: number): number {
    switch (layout) {
      case "permuted": {
        const axes = this.#random.pick(block === 1 ? PERMUTATIONS : PERMUTATIONS.filter(([first]) => first === 0));
        const base = this.#new(type, axes.map((axis) => ne[axis]) as unknown as Shape, ctx);
        return this.#results[base] === null ? base : this.#do({ call: "ggml_permute", args: [{ ref: ctx }, { ref: base }, ...axes] });
      }
      case "strided": {
        const base = this.#new(type, [ne[0] + block, ne[1] + 1, ne[2], ne[3]], ctx);
        if (this.#results[base] === null) return base;
        const [, ...nb] = (this.#results[base] as lib.ggml_tensor).nb; // of a small tensor
        return this.#do({ call: "ggml_view_4d", args: [{ ref: ctx }, { ref: base }, ...ne, ...nb, 0] });
      }
      case "reshaped": {
        const base = this.#new(type, [elements(ne), 1, 1, 1], ctx);
        return this.#results[base] === null ? base : this.#do({ call: "ggml_reshape_4d", args: [{ ref: ctx }, { ref: base }, ...ne] });
      }
      case "viewed": {
        const base = this.#new(type, ne, ctx);
        return this.#results[base] === null ? base : this.#do({ call: "ggml_view_tensor", args: [{ ref: ctx }, { ref: base }] });
      }
      case "parameter": {
        const base = this.#new(type, ne, ctx);
        if (this.#results[base] !== null) this.#do({ call: "ggml_set_param", args: [{ ref: base }] });
        return base;
      }
      default:
        return this.#new(type, ne, ctx);
    }
  }

  #new(type: string, ne: Shape, ctx: number): number {
    const args = [{ ref: ctx }, { name: type }];
    if (ne[3] !== 1) return this.#do({ call: "ggml_new_tensor_4d", args: [...args, ...ne] });
    if (ne[2] !== 1) return this.#do({ call: "ggml_new_tensor_3d", args: [...args, ne[0], ne[1], ne[2]] });
    return this.#do({
      call: ne[1] !== 1 ? "ggml_new_tensor_2d" : "ggml_new_tensor_1d",
      args: [...args, ne[0], ...(ne[1] !== 1 ? [ne[1]] : [])],
    });
  }

  // Arguments that lie about

  /** Any arguments; in a third of the calls one of them is wrong. */
  #wild(builder: Builder): Value[] {
    const wrong = this.#random.percent(35) ? this.#random.below(builder.parameters.length) : -1;
    const near: number[] = [];
    return builder.parameters.map((parameter, i) => this.#wildValue(parameter, i === wrong, near));
  }

  #wildValue(parameter: Parameter, wrong: boolean, near: number[]): Value {
    const random = this.#random;
    const { kind, of, nullable, bits } = parameter;
    if (nullable && random.percent(30)) return null;
    switch (kind) {
      case "handle":
        if (of === "ggml_context") return wrong ? this.#wrongHandle(this.#freed, this.#freedTensor) : { ref: this.#context() };
        return wrong ? this.#wrongHandle(this.#freedTensor, this.#main) : this.#anyTensor(near);
      case "pointers":
        return {
          list: Array.from(
            { length: random.below(4) },
            () => wrong ? this.#wrongHandle(this.#freedTensor, this.#main) : this.#anyTensor(near),
          ),
        };
      case "int":
        return shapes.integer(random, bits, near);
      case "enum":
        return wrong ? shapes.noEnumerator(random) : shapes.enumerator(random, this.#setting.catalogue.enums[of!]);
      case "float":
        return wrong ? random.pick<Value>([null, "1", { text: "undefined" }, { bigint: "1" }]) : shapes.float(random);
      case "bool":
        return wrong ? random.pick<Value>([null, 1, "true"]) : random.percent(50);
      case "data":
        return nullable ? null : shapes.array(random, parameter, near, wrong);
      case "callback":
        return wrong ? random.pick<Value>([null, { ref: this.#main }]) : { callback: of! };
      default:
        return wrong ? null : "text";
    }
  }

  #wrongHandle(freed: number, other: number): Value {
    return this.#random.pick<Value>([null, { ref: freed }, { ref: freed }, { ref: other }, { text: "undefined" }, 0, "a"]);
  }

  #context(): number {
    const kind = this.#random.below(100);
    return kind < 50 ? this.#main : kind < 90 ? this.#bare : this.#tight;
  }

  /** A tensor of the pool or a new one; its numbers are good for the arguments that follow. */
  #anyTensor(near: number[]): Value {
    const random = this.#random;
    let ref = this.#pool.length > 0 && random.percent(75) ? random.pick(this.#pool).ref : null;
    if (ref === null) {
      const huge = random.percent(25);
      const { name, block } = random.percent(50) ? this.#setting.types[0] : random.pick(this.#setting.types);
      const ne = shapes.shape(random, huge);
      const fits = [ne[0] * block, ne[1], ne[2], ne[3]] as const;
      // What can't be made here (too large for the context, an overflow) is for ggml_new_tensor to say.
      const isLarge = elements(fits) > LARGE;
      const small = elements(fits) * 32 < 2 ** 62;
      ref = this.#new(name, small ? fits : [block, 1, 1, 1], isLarge ? this.#bare : random.percent(50) ? this.#main : this.#bare);
      if (this.#results[ref] === null) return null;
      this.#remember(ref);
    }
    const entry = this.#pool.find((entry) => entry.ref === ref);
    if (entry !== undefined) near.push(...entry.ne, ...entry.nb);
    return { ref };
  }
}

/** What a kernel may depend on: a tensor's type and how it lies in memory; the number that stands for an enumerator. */
function describe(value: unknown): string[] {
  if (value === null) return ["null"];
  if (Array.isArray(value)) return [`[${value.flatMap(describe).join(", ")}]`];
  if (!(value instanceof lib.ggml_tensor)) return [];
  const empty = elements(value.ne) === 0 ? " empty" : "";
  const layout = lib.ggml_is_contiguous(value) ? "" : lib.ggml_is_contiguous_rows(value) ? " rows" : " strided";
  return [`${lib.ggml_type_name(value.type)}${layout}${empty}`];
}

const PERMUTATIONS: readonly (readonly number[])[] = [[1, 0, 2, 3], [0, 2, 1, 3], [2, 0, 1, 3], [3, 2, 1, 0], [0, 1, 3, 2], [0, 3, 1, 2]];

/** How many elements a tensor has; NaN for one whose dimensions are past 2^53, which is an Error of its own. */
function size(tensor: lib.ggml_tensor): number {
  try {
    return elements(tensor.ne);
  } catch {
    return NaN;
  }
}

function elements(ne: readonly number[]): number {
  return ne.reduce((a, b) => a * b, 1);
}
