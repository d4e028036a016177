/**
 * A session: one conversation, whose tokens stay in a cache.
 *
 * @module
 */

import { type ChatOptions, chatPrompt, complete, type Completion, generate, type GenerateOptions, promptOf } from "./generate.ts";
import type { Ended, Overflow, Piece } from "./generation.ts";
import type { Message, Model } from "./model.ts";
import type { Scheduler } from "./scheduler.ts";
import type { Sequence } from "./sequence.ts";

/**
 * One conversation with a model: it computes only what of a prompt isn't in its cache yet.
 *
 * `model.session()` makes it with a context of its own, `batcher.session()` with a part of one that others share.
 */
export class Session implements Disposable, AsyncDisposable {
  readonly model: Model;
  readonly #scheduler: Scheduler;
  readonly #sequence: Sequence;
  readonly #overflow: Overflow;
  /** Ends what is the session's own. */
  readonly #end: (reason: Error) => Promise<void>;
  #generating = false;
  #ended: Promise<void> | null = null;

  /** @ignore Made by `model.session` and `batcher.session`. */
  constructor(model: Model, scheduler: Scheduler, sequence: Sequence, overflow: Overflow, end: (reason: Error) => Promise<void>) {
    this.model = model;
    this.#scheduler = scheduler;
    this.#sequence = sequence;
    this.#overflow = overflow;
    this.#end = end;
  }

  /** The most tokens that it has room for: prompt and answer together. */
  get size(): number {
    return this.#scheduler.context.size;
  }

  /** The tokens in the cache. */
  get tokens(): readonly number[] {
    return this.#sequence.tokens.slice();
  }

  /**
   * Continues a text.
   *
   * @param prompt The text, or its tokens. Names of control tokens in a text are these tokens; BOS is added if the model wants it.
   * @param options How tokens are chosen (`temperature`, `topK`, `topP`, `minP`, `penalties`, `seed`, `logitBias`, `grammar`), what ends it
   * (`maxTokens`, `stop`), and `signal`, which cancels.
   * @returns A piece for each token, as soon as its text is certain; at the end, why it ended. In C: `llama_decode`, `llama_sampler_sample`.
   * @throws {RangeError} If the prompt has no tokens, or it or the text is longer than the context and `overflow` is `"error"`.
   * @throws {SyntaxError} If the grammar doesn't parse.
   * @throws {Error} If the session is generating already, or it was freed; the signal's reason. All as a rejection of the first `next()`.
   */
  async *generate(prompt: string | ArrayLike<number>, options: GenerateOptions = {}): AsyncGenerator<Piece, Ended, void> {
    const where = "Session.generate", place = this.#place(where);
    return yield* this.#alone(where, () => generate(place, () => promptOf(where, this.model, prompt), options));
  }

  /**
   * Answers messages.
   *
   * @param messages The conversation so far, the oldest first. What of it is in the cache isn't computed again.
   * @param options As for `generate`; `tools`.
   * @returns As for `generate`.
   * @throws As `generate`; {Error} if the model has no chat template, or that refuses the messages.
   */
  async *chat(messages: readonly Message[], options: ChatOptions = {}): AsyncGenerator<Piece, Ended, void> {
    const where = "Session.chat", place = this.#place(where), { tools: _, ...rest } = options;
    return yield* this.#alone(where, () => generate(place, () => chatPrompt(place, messages, options), rest));
  }

  /** Continues a text, and waits for all of it; see `generate`. */
  complete(prompt: string | ArrayLike<number>, options: GenerateOptions = {}): Promise<Completion> {
    return complete(this.generate(prompt, options));
  }

  #place(where: string) {
    return { where, model: this.model, scheduler: this.#scheduler, sequence: this.#sequence, overflow: this.#overflow };
  }

  /** One generation at a time: a cache has one order of tokens. */
  async *#alone(where: string, act: () => AsyncGenerator<Piece, Ended, void>): AsyncGenerator<Piece, Ended, void> {
    if (this.#ended !== null) throw new Error(`${where}: this session was freed`);
    if (this.#generating) {
      throw new Error(`${where}: this session is generating already: wait until that has ended, or make another session`);
    }
    this.#generating = true;
    try {
      return yield* act();
    } finally {
      this.#generating = false;
    }
  }

  /** Frees it: what it is generating ends with an error, and C's memory is freed as soon as C has left it. */
  [Symbol.dispose](): void {
    this.#ended ??= this.#end(new Error("this session was freed"));
  }

  /** Frees it, and waits until C has left it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this[Symbol.dispose]();
    await this.#ended;
  }
}
