/**
 * A batcher: many generations at once on one context.
 *
 * @module
 */

import { chat, type ChatOptions, complete, type Completion, generate, type GenerateOptions, promptOf } from "./generate.ts";
import type { Ended, Overflow, Piece } from "./generation.ts";
import type { Message, Model } from "./model.ts";
import type { Scheduler } from "./scheduler.ts";
import type { ChatPiece } from "./speech.ts";
import { Session } from "./session.ts";

/**
 * Computes many generations together, each step of all in one batch, so that they share the reading of the weights.
 *
 * Each gives what it gives alone, but for millionths in the logits, which `deterministic` avoids. There may be any number of them at once: those for
 * which there is no sequence wait for one, first come, first served.
 *
 * @example
 * ```ts
 * import { loadModel } from "@ggml/deno/models";
 *
 * using model = await loadModel("examples/models/moby.gguf");
 * using batcher = model.batcher({ context: 128, sequences: 4 });
 * const beginnings = ["The sea ", "A ship ", "Captain Ahab ", "The white whale ", "The harpoon "];
 * const answers = await Promise.all(beginnings.map((text) => batcher.complete(text, { seed: 1, maxTokens: 16 })));
 * console.log(answers.map(({ tokens }) => tokens)); // [ 16, 16, 16, 16, 16 ]
 * ```
 */
export class Batcher implements Disposable, AsyncDisposable {
  /** The model that computes. */
  readonly model: Model;
  readonly #scheduler: Scheduler;
  readonly #overflow: Overflow;
  #ended: Promise<void> | null = null;

  /** @ignore Made by `model.batcher`. */
  constructor(model: Model, scheduler: Scheduler, overflow: Overflow) {
    this.model = model;
    this.#scheduler = scheduler;
    this.#overflow = overflow;
  }

  /** The most tokens that each generation has room for: prompt and answer together. */
  get size(): number {
    return this.#scheduler.context.size;
  }

  /** How many are computed together at most. */
  get sequences(): number {
    return this.#scheduler.sequences.length;
  }

  /** How many generations are being computed. */
  get active(): number {
    return this.#scheduler.active;
  }

  /** How many generations wait. */
  get waiting(): number {
    return this.#scheduler.waiting;
  }

  /**
   * Continues a text, on a sequence that is free; of those, on the one whose cache has most of the prompt.
   *
   * @param prompt See `Session.generate`.
   * @param options See `Session.generate`.
   * @returns See `Session.generate`.
   * @throws What `Session.generate` throws, but that any number may be generating.
   */
  generate(prompt: string | ArrayLike<number>, options: GenerateOptions = {}): AsyncGenerator<Piece, Ended, void> {
    return this.#generate("Batcher.generate", prompt, options);
  }

  #generate(where: string, prompt: string | ArrayLike<number>, options: GenerateOptions): AsyncGenerator<Piece, Ended, void> {
    return generate(this.#place(where), () => promptOf(where, this.model, prompt), options);
  }

  /** Answers messages; see `Session.chat`. */
  chat(messages: readonly Message[], options: ChatOptions = {}): AsyncGenerator<ChatPiece, Ended, void> {
    return chat(this.#place("Batcher.chat"), messages, options);
  }

  /** Continues a text, and waits for all of it; see `Session.generate`. */
  complete(prompt: string | ArrayLike<number>, options: GenerateOptions = {}): Promise<Completion> {
    return complete(this.#generate("Batcher.complete", prompt, options));
  }

  /**
   * A session that has one of the sequences for itself, and is computed together with the rest.
   *
   * @throws {Error} If no sequence is free, or this batcher was freed.
   */
  session(): Session {
    if (this.#ended !== null) throw new Error("Batcher.session: this batcher was freed");
    const sequence = this.#scheduler.reserve();
    if (sequence === null) throw new Error(`Batcher.session: none of the ${this.sequences} sequences is free`);
    return new Session(
      this.model,
      this.#scheduler,
      sequence,
      this.#overflow,
      (reason) => this.#scheduler.unreserve(sequence, reason),
    );
  }

  #place(where: string) {
    const expectThere = () => {
      if (this.#scheduler.context.closed !== null) throw this.#scheduler.context.closed;
    };
    return { where, model: this.model, scheduler: this.#scheduler, sequence: null, overflow: this.#overflow, expectThere };
  }

  /** Frees it: what it is generating ends with an error, and C's memory is freed as soon as C has left it. */
  [Symbol.dispose](): void {
    this.#ended ??= this.#scheduler.close(new Error("this batcher was freed")) ?? Promise.resolve();
  }

  /** Frees it, and waits until C has left it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this[Symbol.dispose]();
    await this.#ended;
  }
}
