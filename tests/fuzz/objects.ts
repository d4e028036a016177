/**
 * Walks over objects: calls whose arguments are what other calls gave, or wrong, in any order.
 *
 * What a walk is about is a world (`worlds.ts`): which functions are called, what is made for them, and which numbers and texts are worth trying.
 * A walk ends with a look whether the same process still computes something right.
 *
 * @module
 */

import type { Random } from "../random.ts";
import type { Callable, Callables, Parameter } from "./catalogue.ts";
import { enumerator, float, integer, noEnumerator } from "./shapes.ts";
import { evaluate, run, type Step, type Value } from "./steps.ts";
import type { Outcome } from "./walk.ts";

/** What a world makes objects and arguments with. */
export interface Maker {
  readonly random: Random;
  /** Makes an object by a recipe. */
  make(recipe: string, ...args: readonly Value[]): Value;
  /** Makes an object by a call. */
  call(name: string, ...args: readonly Value[]): Value;
  /** Sets a field of a struct. */
  set(struct: Value, field: string, value: Value): void;
  /** An object of that class that was made before; null if there is none. */
  one(type: string): Value;
}

/** Makes an argument. */
export type Chooser = (maker: Maker, near: readonly number[]) => Value;

/** What walks are about. */
export interface World {
  /** The functions that are called: names that match the first, and not the second. */
  readonly names: RegExp;
  readonly except: RegExp;
  /** Whether those that build a tensor are left out: `abort.ts` calls them. */
  readonly withoutBuilders?: boolean;
  /** Makes what a walk begins with. */
  start(maker: Maker): void;
  /** Makes one thing more. */
  readonly more: readonly ((maker: Maker) => void)[];
  /** Arguments, by `function(parameter)`, `(parameter)`, or the parameter's class. */
  readonly arguments: Readonly<Record<string, Chooser>>;
  /** Numbers worth trying. */
  readonly numbers: readonly number[];
  /** Does something with what a call gave. */
  after?(maker: Maker, result: Value): void;
  /** What is wrong with a computation that should be right; null if nothing is. */
  check(): string | null;
}

/** What a walk tells. */
export interface ObjectWitness {
  before(step: Step): void;
  called(name: string, steps: readonly Step[], outcome: Outcome, milliseconds: number): void;
  complain(complaint: string, steps: readonly Step[]): void;
}

/** Calls in a walk. */
const CALLS = 40;

export class ObjectWalk implements Maker {
  readonly random: Random;
  readonly #world: World;
  readonly #callables: Callables;
  readonly #functions: readonly Callable[];
  readonly #witness: ObjectWitness;
  readonly #steps: Step[] = [];
  readonly #results: unknown[] = [];
  /** The steps that gave an object, by its class. */
  readonly #pool: Map<string, number[]> = new Map();

  constructor(world: World, callables: Callables, functions: readonly Callable[], random: Random, witness: ObjectWitness) {
    this.random = random;
    this.#world = world;
    this.#callables = callables;
    this.#functions = functions;
    this.#witness = witness;
  }

  go(): void {
    this.#world.start(this);
    for (let n = 0; n < CALLS; n++) {
      if (this.#world.more.length > 0 && this.random.percent(25)) this.random.pick(this.#world.more)(this);
      this.#attempt(this.random.pick(this.#functions));
    }
    const complaint = this.#check();
    if (complaint !== null) this.#witness.complain(complaint, this.#steps);
  }

  #check(): string | null {
    try {
      return this.#world.check();
    } catch (error) {
      return `what is right throws: ${(error as Error).message}`;
    }
  }

  make(recipe: string, ...args: readonly Value[]): Value {
    return this.#object({ make: recipe, args });
  }

  call(name: string, ...args: readonly Value[]): Value {
    return this.#object({ call: name, args });
  }

  set(struct: Value, field: string, value: Value): void {
    if (typeof struct === "object" && struct !== null && "ref" in struct) this.#do({ set: struct.ref, field, value });
  }

  one(type: string): Value {
    const refs = this.#pool.get(type);
    return refs === undefined ? null : { ref: this.random.pick(refs.slice(-12)) };
  }

  #object(step: Extract<Step, { make: string } | { call: string }>): Value {
    const outcome = this.#do(step);
    return "value" in outcome && outcome.value !== null ? { ref: this.#results.length - 1 } : null;
  }

  #attempt(f: Callable): void {
    const args = this.#arguments(f);
    const start = performance.now();
    const outcome = this.#do({ call: f.name, args, aim: true });
    this.#witness.called(f.name, this.#steps, outcome, performance.now() - start);
    if ("value" in outcome && outcome.value !== null) this.#world.after?.(this, { ref: this.#results.length - 1 });
  }

  #do(step: Step): Outcome {
    this.#witness.before(step);
    this.#steps.push(step);
    let outcome: Outcome;
    try {
      outcome = { value: run(step as Parameters<typeof run>[0], this.#results) ?? null };
    } catch (error) {
      outcome = { error };
    }
    const value = "value" in outcome ? outcome.value : null;
    this.#results.push(value);
    if (typeof value === "object" && value !== null) this.#remember(value.constructor?.name ?? "Object", this.#results.length - 1);
    return outcome;
  }

  #remember(type: string, ref: number): void {
    const refs = this.#pool.get(type);
    if (refs === undefined) this.#pool.set(type, [ref]);
    else refs.push(ref);
  }

  // Arguments

  #arguments({ name, parameters }: Callable): Value[] {
    const near: number[] = [], wrong = this.random.percent(15) ? this.random.below(parameters.length) : -1;
    return parameters.map((parameter, i) => {
      const value = i === wrong ? this.#wrong(parameter) : this.#value(name, parameter, near);
      const evaluated = evaluate(value, this.#results);
      if (typeof evaluated === "string") near.push(evaluated.length);
      else if (ArrayBuffer.isView(evaluated)) near.push((evaluated as Uint8Array).length);
      return value;
    });
  }

  #value(name: string, parameter: Parameter, near: readonly number[]): Value {
    const { random } = this, choosers = this.#world.arguments, { kind, of, nullable } = parameter;
    const chooser = choosers[`${name}(${parameter.name})`] ?? choosers[`(${parameter.name})`] ?? choosers[of ?? kind];
    if (chooser !== undefined) return chooser(this, near);
    if (nullable && random.percent(20)) return null;
    switch (kind) {
      case "handle":
      case "struct":
        return this.one(of!);
      case "int":
        return this.#integer(parameter.bits, near);
      case "enum":
        return enumerator(random, this.#callables.enums[of!]);
      case "float":
        return float(random);
      case "bool":
        return random.percent(50);
      case "data":
        return this.#array(of);
      case "pointers":
        return { list: Array.from({ length: random.below(4) }, () => of === "string" ? this.#text() : this.one(of ?? "")) };
      case "callback":
        return { callback: of! };
      default:
        return this.#text();
    }
  }

  #wrong({ kind, of, bits }: Parameter): Value {
    const { random } = this;
    if (kind === "handle" || kind === "struct") {
      const types = [...this.#pool.keys()].filter((type) => type !== of);
      return random.pick<Value>([null, { text: "undefined" }, 0, types.length === 0 ? "a" : this.one(random.pick(types))]);
    }
    if (kind === "enum") return noEnumerator(random);
    if (kind === "int") return integer(random, bits, []);
    return random.pick<Value>([null, -1, "a", { text: "NaN" }, { array: "Uint8Array", items: [] }]);
  }

  #integer(bits: number, near: readonly number[]): Value {
    const { random } = this, kind = random.below(100);
    if (near.length > 0 && kind < 40) return random.pick(near) + (random.percent(15) ? random.pick([-1, 1]) : 0);
    if (kind < 85) return random.pick(this.#world.numbers);
    return integer(random, bits, near);
  }

  #array(of: string | null): Value {
    const length = this.random.below(this.random.percent(80) ? 20 : 200);
    const items = Array.from({ length }, () => this.random.pick(this.#world.numbers));
    return { array: (of ?? "Uint8Array") as "Uint8Array", items: items.map((n) => /Big|Uint/.test(of ?? "Uint") ? Math.abs(n) : n) };
  }

  #text(): string {
    return this.random.pick(["", "a", "the thing in it", "\u2603", "\n", "0".repeat(300)]);
  }
}
