/**
 * The scheduler: one context, several sequences, and the generations that share it.
 *
 * In each step it puts one batch together of what all of them want next: a token each of those that generate, and parts of prompts as far as
 * there is room. So the weights are read once for all. Generations without a sequence wait for one; they get the one that has most of their prompt already.
 *
 * @module
 */

import { lib } from "../ffi/generated/lib.js";
import { type Composed, composeMixed, composeUniform, type Part } from "./compose.ts";
import { Context, type ContextParams, type Outcome } from "./context.ts";
import type { Generation } from "./generation.ts";
import { keepsState } from "./keeps_state.ts";
import type { Model } from "./model.ts";
import { Sequence } from "./sequence.ts";

/** What schedules generations on one context. */
export class Scheduler {
  readonly context: Context;
  readonly sequences: readonly Sequence[];
  /** Sequences that nobody has. */
  readonly #free: Set<Sequence>;
  /** Sequences that somebody has for himself, whether they are in use now or not. */
  readonly #reserved: Set<Sequence> = new Set();
  readonly #queue: { generation: Generation; sequence: Sequence | null }[] = [];
  readonly #active: Set<Generation> = new Set();
  /** What is computed now. */
  #parts: readonly Part[] = [];
  /** True if the last batch had a token of each of its generations. */
  #single = false;
  /** All sequences, and one more where there is only one, for company. */
  readonly #all: readonly Sequence[];
  #stepping: Promise<void> | null = null;
  #running = false;
  #wake: (() => void) | null = null;
  /** True if C has what it remembers of all sequences in one place, and moves it about there while it computes for any of them. */
  readonly #movesAll: boolean;

  /**
   * @param where Who makes it, for errors.
   * @param by Who generates.
   */
  constructor(where: string, by: string, model: Model, params: ContextParams) {
    if (lib.llama_model_has_encoder(model.handle)) {
      throw new Error(`${where}: models that encode a text before they answer aren't supported`);
    }
    this.context = new Context(where, by, model, params);
    this.#movesAll = keepsState(model.handle);
    if (this.context.memory === null) {
      this.context.close(new Error("unused"));
      throw new Error(`${where}: this model (${model.info.description}) only encodes, and generates nothing; use embedder()`);
    }
    this.sequences = Array.from({ length: params.sequences }, (_, i) => new Sequence(i, this.context));
    this.#free = new Set(this.sequences);
    this.#all = params.sequences > 1 ? this.sequences : [...this.sequences, new Sequence(1, this.context)];
  }

  /** How many generations wait for a sequence. */
  get waiting(): number {
    return this.#queue.length;
  }

  /** How many generations have a sequence. */
  get active(): number {
    return this.#active.size;
  }

  /** Takes a sequence out of those that anybody gets; null if none is free. */
  reserve(): Sequence | null {
    const [sequence] = this.#free;
    if (sequence === undefined) return null;
    this.#free.delete(sequence);
    this.#reserved.add(sequence);
    return sequence;
  }

  /** Gives it back; what is generated on it fails for a reason. Null where C has left it. */
  unreserve(sequence: Sequence, reason: Error): Promise<void> | null {
    this.#reserved.delete(sequence);
    if (!this.#isUsed(sequence)) this.#free.add(sequence);
    const own = [...this.#active, ...this.#queue.flatMap((entry) => entry.sequence === sequence ? [entry.generation] : [])];
    for (const generation of own) {
      if (generation.sequence !== null && generation.sequence !== sequence) continue;
      generation.fail(reason);
      this.leave(generation);
    }
    this.#changed(); // somebody may wait for it
    return this.isBusy(sequence) ? this.whenLeft(sequence) : null;
  }

  #isUsed(sequence: Sequence): boolean {
    for (const generation of this.#active) if (generation.sequence === sequence) return true;
    return false;
  }

  /** True while a generation is on a sequence, or C computes for one that was. */
  isBusy(sequence: Sequence): boolean {
    if (this.#parts.some(({ generation }) => generation.sequence === sequence)) return true;
    for (const generation of this.#active) if (generation.sequence === sequence && !generation.over) return true;
    return false;
  }

  /** True while C computes for other sequences in a way that what it remembers of none can be read or written. */
  get movesAll(): boolean {
    return this.#movesAll && this.#parts.length > 0;
  }

  /** Waits until C computes nothing for a sequence. */
  async whenLeft(sequence: Sequence): Promise<void> {
    while (this.#parts.some(({ generation }) => generation.sequence === sequence)) await this.#stepping;
  }

  /** Has a generation computed, on a sequence of its own or on any. */
  submit(generation: Generation, sequence: Sequence | null): void {
    generation.onChange = () => this.#changed();
    this.#queue.push({ generation, sequence });
    this.#changed();
  }

  /** Lets go of a generation that is over, or that nobody wants any more. */
  leave(generation: Generation): void {
    generation.fail(new Error("nobody waits for this generation any more"));
    const at = this.#queue.findIndex((entry) => entry.generation === generation);
    if (at >= 0) this.#queue.splice(at, 1);
    const parts = this.#parts.filter((part) => !part.generation.over || part.generation === generation);
    const own = parts.find((part) => part.generation === generation);
    // What the others lose is a step; what it would cost them to wait is the rest of a prompt.
    if (own !== undefined && (parts.length === 1 || own.count > 1)) this.context.interrupt();
    this.#changed();
  }

  /** Ends it: every generation fails for a reason, and what C has is freed when C has left it. Null where it has. */
  close(reason: Error): Promise<void> | null {
    const ended = this.context.close(reason);
    for (const { generation } of this.#queue.splice(0)) generation.fail(reason);
    for (const generation of this.#active) generation.fail(reason);
    this.#changed();
    return ended;
  }

  #changed(): void {
    if (this.#running) this.#wake?.();
    else void this.#run();
  }

  async #run(): Promise<void> {
    this.#running = true;
    await null; // those that begin together are batched together
    while (this.#assign()) {
      if (this.#hasReady()) await (this.#stepping = this.#step());
      else await new Promise<void>((resolve) => this.#wake = resolve);
      this.#wake = null;
    }
    this.#running = false;
  }

  /** Gives sequences to those that wait, and takes them from those that are over. False if nobody is left. */
  #assign(): boolean {
    for (const generation of this.#active) if (generation.over) this.#release(generation);
    for (let i = 0; i < this.#queue.length;) {
      const { generation, sequence } = this.#queue[i], found = sequence ?? this.#bestFor(generation);
      if (generation.over) this.#queue.splice(i, 1);
      else if (found === null || this.#isUsed(found)) i++;
      else {
        this.#queue.splice(i, 1);
        this.#begin(generation, found);
      }
    }
    return this.#active.size > 0;
  }

  #begin(generation: Generation, sequence: Sequence): void {
    this.#free.delete(sequence);
    this.#active.add(generation);
    this.#guard(generation, () => generation.start(sequence));
  }

  #release(generation: Generation): void {
    const sequence = generation.sequence!;
    this.#active.delete(generation);
    if (!this.#reserved.has(sequence)) this.#free.add(sequence);
  }

  /** The free sequence that has most of the prompt; of those that have as much, the emptiest, and the first of these. */
  #bestFor({ params: { prompt } }: Generation): Sequence | null {
    let best: Sequence | null = null, most = -1;
    for (const sequence of [...this.#free].sort((a, b) => a.id - b.id)) {
      const same = sequence.commonWith(prompt);
      if (best !== null && (same < most || (same === most && sequence.tokens.length >= best.tokens.length))) continue;
      best = sequence;
      most = same;
    }
    return best;
  }

  #hasReady(): boolean {
    for (const generation of this.#active) if (generation.ready) return true;
    return false;
  }

  /** Computes one batch. */
  async #step(): Promise<void> {
    const giveBack = await this.context.takeCores();
    try {
      const { parts, company } = this.#compose();
      this.#parts = parts;
      if (parts.length === 0) return;
      const outcome = await this.#compute(company);
      if (outcome === "done") this.#settle();
      else if (this.context.closed === null) this.#goBack();
    } catch (error) {
      for (const { generation } of this.#parts) generation.fail(error);
      if (this.context.closed === null) this.#goBack();
    } finally {
      this.#parts = [];
      giveBack();
    }
  }

  /** Fills the batch. */
  #compose(): Composed {
    const ready = [...this.#active].filter((generation) => generation.ready);
    if (!this.context.isUniform || ready.length === 0) return composeMixed(this.context, ready);
    const composed = composeUniform(this.context, ready, !this.#single, this.#all);
    this.#single = composed.parts[0].count === 1;
    return composed;
  }

  /** Computes the batch, and forgets what was there for company. */
  async #compute(company: readonly Sequence[]): Promise<Outcome> {
    try {
      return await this.context.compute();
    } finally {
      if (this.context.closed === null) { for (const sequence of company) sequence.keep(sequence.tokens.length); }
    }
  }

  /** Notes what was decoded, and has the next tokens chosen. */
  #settle(): void {
    for (const { generation, count, output } of this.#parts) {
      generation.advance(count);
      if (output < 0 || generation.over) continue;
      this.#guard(generation, () => generation.choose(this.context.handle, output, this.context.size));
    }
  }

  /** C's memory may have a part of the batch. */
  #goBack(): void {
    for (const { generation } of this.#parts) this.#guard(generation, () => generation.goBack());
  }

  /** What goes wrong with one generation is its own. */
  #guard(generation: Generation, act: () => void): void {
    try {
      act();
    } catch (error) {
      generation.fail(error);
    }
  }
}
