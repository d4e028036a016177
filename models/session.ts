/**
 * A session: one conversation, whose tokens stay in a cache.
 *
 * @module
 */

import { chat, type ChatOptions, complete, type Completion, generate, type GenerateOptions, promptOf } from "./generate.ts";
import type { Ended, Overflow, Piece } from "./generation.ts";
import type { Message, Model } from "./model.ts";
import type { ChatPiece } from "./speech.ts";
import { restoreSequence, saveSequence } from "./save.ts";
import type { Scheduler } from "./scheduler.ts";
import type { Sequence } from "./sequence.ts";

/**
 * One conversation with a model: it computes only what of a prompt isn't in its cache yet.
 *
 * `model.session()` makes it with a context of its own, `batcher.session()` with a part of one that others share.
 *
 * @example
 * ```ts
 * import { loadModel } from "@ggml/deno/models";
 *
 * using model = await loadModel("examples/models/moby.gguf");
 * using session = model.session({ overflow: "stop" });
 * const whale = "Of the whale: ";
 * let text = "";
 * for await (const piece of session.generate(whale, { temperature: 0.7, seed: 1, stop: ".", maxTokens: 60 })) text += piece.text;
 * const { reason, cachedTokens } = await session.complete(whale + text, { maxTokens: 20 });
 * console.log(reason, cachedTokens > 14); // length true
 * ```
 *
 * @example Cancelled
 * ```ts
 * import { loadModel } from "@ggml/deno/models";
 *
 * using model = await loadModel("examples/models/moby.gguf");
 * using session = model.session();
 * await session.complete("Call me Ishmael.", { signal: AbortSignal.timeout(1) }).catch((error) => console.log(error.name)); // TimeoutError
 * ```
 */
export class Session implements Disposable, AsyncDisposable {
  /** The model that computes. */
  readonly model: Model;
  readonly #scheduler: Scheduler;
  readonly #sequence: Sequence;
  readonly #overflow: Overflow;
  /** Ends what is the session's own. */
  readonly #end: (reason: Error) => Promise<void> | null;
  #generating = false;
  #ended: Promise<void> | null = null;

  /** @ignore Made by `model.session` and `batcher.session`. */
  constructor(model: Model, scheduler: Scheduler, sequence: Sequence, overflow: Overflow, end: (reason: Error) => Promise<void> | null) {
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
   * @param options How tokens are chosen (`temperature`, `topK`, `topP`, `minP`, `penalties`, `seed`, `logitBias`, `grammar`, `schema`), what ends it
   * (`maxTokens`, `stop`), and `signal`, which cancels.
   * @returns A piece for each token, as soon as its text is certain; at the end, why it ended. In C: `llama_decode`, `llama_sampler_sample`.
   * @throws {RangeError} If the prompt has no tokens, or it or the text is longer than the context and `overflow` is `"error"`.
   * @throws {SyntaxError} If the grammar doesn't parse.
   * @throws {Error} If the session is generating already, or it was freed; the signal's reason. All as a rejection of the first `next()`.
   */
  generate(prompt: string | ArrayLike<number>, options: GenerateOptions = {}): AsyncGenerator<Piece, Ended, void> {
    return this.#generate("Session.generate", prompt, options);
  }

  #generate(where: string, prompt: string | ArrayLike<number>, options: GenerateOptions): AsyncGenerator<Piece, Ended, void> {
    const place = this.#place(where);
    return this.#alone(where, () => generate(place, () => promptOf(where, this.model, prompt), options));
  }

  /**
   * Answers messages.
   *
   * @param messages The conversation so far, the oldest first. What of it is in the cache isn't computed again.
   * @param options As for `generate`; `tools`, which the template names to the model; `reasoning` and `calls`, which say what becomes of what the model
   * thinks and of the tools that it asks for.
   * @returns As for `generate`, with `reasoning` and `calls` where these are wanted apart from the text.
   * @throws {Error} If the model has no chat template, or that refuses the messages; and what `generate` throws.
   */
  async *chat(messages: readonly Message[], options: ChatOptions = {}): AsyncGenerator<ChatPiece, Ended, void> {
    const where = "Session.chat", place = this.#place(where);
    return yield* this.#alone(where, () => chat(place, messages, options));
  }

  /** Continues a text, and waits for all of it; see `generate`. */
  complete(prompt: string | ArrayLike<number>, options: GenerateOptions = {}): Promise<Completion> {
    return complete(this.#generate("Session.complete", prompt, options));
  }

  /**
   * The session as bytes, for {@linkcode Session.restore}: in another process, too, with the same model and release of libllama. In C:
   * `llama_state_seq_get_data`.
   *
   * @throws {Error} If it is generating, or was freed; of a batcher with a model that keeps a state, such as Mamba, also while others are generating,
   * for C has the states of all in one place.
   */
  save(): Uint8Array<ArrayBuffer> {
    this.#expectIdle("Session.save");
    return saveSequence(this.#scheduler.context, this.#sequence, this.model.info);
  }

  /**
   * Goes on from where {@linkcode Session.save} was called: the next prompt isn't computed again as far as it is the same. A batcher's session
   * takes the state of one whose batcher has as many sequences, `model.session`'s that of any other of these. In C: `llama_state_seq_set_data`.
   *
   * Where it throws, the cache is as it was, or empty.
   *
   * @param bytes What {@linkcode Session.save} gave.
   * @throws {TypeError} If the bytes are no state.
   * @throws {RangeError} If the state is longer than this context.
   * @throws {Error} If it is another model's, or if the session can't be saved now, either.
   */
  restore(bytes: Uint8Array): void {
    this.#expectIdle("Session.restore");
    restoreSequence(this.#scheduler.context, this.#sequence, this.model.info, bytes);
  }

  #expectIdle(where: string): void {
    if (this.#ended !== null) throw new Error(`${where}: this session was freed`);
    if (this.#scheduler.context.closed !== null) throw this.#scheduler.context.closed;
    if (this.#generating || this.#scheduler.isBusy(this.#sequence)) {
      throw new Error(`${where}: this session is generating: wait until that has ended`);
    }
    if (this.#scheduler.movesAll) {
      throw new Error(`${where}: others of this batcher are generating, with a model that keeps a state: wait until they have ended`);
    }
  }

  #place(where: string) {
    const expectThere = () => {
      if (this.#ended !== null) throw new Error("this session was freed");
      if (this.#scheduler.context.closed !== null) throw this.#scheduler.context.closed;
    };
    return { where, model: this.model, scheduler: this.#scheduler, sequence: this.#sequence, overflow: this.#overflow, expectThere };
  }

  /** One generation at a time: a cache has one order of tokens. */
  async *#alone<P extends Piece>(where: string, act: () => AsyncGenerator<P, Ended, void>): AsyncGenerator<P, Ended, void> {
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
    this.#ended ??= this.#end(new Error("this session was freed")) ?? Promise.resolve();
  }

  /** Frees it, and waits until C has left it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this[Symbol.dispose]();
    await this.#ended;
  }
}
