/**
 * A language model: its vocabulary, what its file says of it, and what is computed with it.
 *
 * @module
 */

import { describe } from "../ffi/core/describe.ts";
import { lib } from "../ffi/generated/lib.js";
import { Batcher } from "./batcher.ts";
import type { ContextParams } from "./context.ts";
import { Embedder, type EmbedderOptions } from "./embedder.ts";
import type { EmbeddingOptions } from "./embedding_context.ts";
import { expectBoolean, expectOneOf, expectOptions, expectWhole } from "./expect.ts";
import type { Overflow } from "./generation.ts";
import { keepsState } from "./keeps_state.ts";
import type { Message } from "./messages.ts";
import { Reranker } from "./reranker.ts";
import { Scheduler } from "./scheduler.ts";
import { Session } from "./session.ts";
import { renderLoaded } from "./template.ts";
import { type TokenizeOptions, Vocabulary } from "./vocabulary.ts";

export type { Message } from "./messages.ts";

/** What is known of a model. */
export interface ModelInfo {
  /** The file that it was loaded from. */
  readonly path: string;
  /** In a few words: architecture, size, type of the weights. */
  readonly description: string;
  /** As the file calls it: `"llama"`, `"qwen2"`. */
  readonly architecture: string;
  /** How many numbers there are in its weights. */
  readonly parameters: number;
  /** How many bytes the weights take. */
  readonly bytes: number;
  /** How many tokens it has seen at once when it was trained. */
  readonly trainedContext: number;
  /** How many numbers a token becomes. */
  readonly embedding: number;
  /** How many layers it has. */
  readonly layers: number;
  /** How many tokens there are. */
  readonly vocabulary: number;
  /** True if only the vocabulary was loaded. */
  readonly vocabOnly: boolean;
}

/** What {@linkcode Model.session} takes. */
export interface SessionOptions {
  /** The most tokens, prompt and answer together; by default as many as the model was trained with, and at most 4096. */
  context?: number;
  /** The most tokens that are computed at once; 512 by default. */
  batch?: number;
  /** The most threads of the CPU; by default as many as the machine has cores, and never more than those. */
  threads?: number;
  /**
   * What becomes of a context that is full. `"error"`, the default: a RangeError. `"stop"`: the text ends, and the reason is `"length"`.
   * `"drop"`: the oldest turns of a chat are dropped, and where that isn't enough, the oldest half of the tokens, but for what comes before the first turn.
   */
  overflow?: Overflow;
  /**
   * True for the same tokens to the last bit whatever else is computed in the batch, and however much of the prompt is in the cache: what a seed gives
   * then is what it gives alone in a session that has this option, too. It costs speed, and of a session's memory as much again. False by default:
   * then logits differ by some millionths, and so does one answer of a hundred. It holds for the CPU, and not for models that keep a state.
   */
  deterministic?: boolean;
}

/** What {@linkcode Model.batcher} takes. */
export interface BatcherOptions extends SessionOptions {
  /** How many generations are computed together at most, 4 by default; each has a context of its own. */
  sequences?: number;
}

/** What {@linkcode Model.applyTemplate} takes besides the messages. */
export interface TemplateOptions {
  /** The tools that the model may ask for, as its template takes them. */
  tools?: readonly unknown[];
  /** True, the default, to begin the model's answer. */
  addGenerationPrompt?: boolean;
}

/** What computes with a model. */
interface User {
  /** Ends it; gives when C has left it, or null where it has. */
  close(reason: Error): Promise<void> | null;
}

const SESSION_OPTIONS = ["context", "batch", "threads", "overflow", "deterministic"], OVERFLOWS = ["error", "stop", "drop"];

/** Characters of which C makes tokens in a few milliseconds, whatever they are. */
const LONG = 8192;

const DEFAULT_CONTEXT = 4096, DEFAULT_BATCH = 512, DEFAULT_SEQUENCES = 4;

/**
 * A language model that {@linkcode loadModel} loaded.
 *
 * @example
 * ```ts
 * import { loadModel } from "@ggml/deno/models";
 *
 * using model = await loadModel("examples/models/moby.gguf", { vocabOnly: true });
 * const tokens = model.tokenize("Ahab");
 * console.log(tokens); // Int32Array(5) [ 1, 68, 107, 100, 101 ]
 * console.log(model.detokenize(tokens)); // Ahab
 * console.log(model.metadata["general.architecture"]); // llama
 * ```
 */
export class Model implements Disposable, AsyncDisposable {
  /** The model as the functions of `lib` take it. */
  readonly handle: lib.llama_model;
  /** What is known of the model. */
  readonly info: ModelInfo;
  /** @ignore */
  readonly vocabulary: Vocabulary;
  /** What ends those that compute with it. It holds none that nobody else does. */
  readonly #users: Set<WeakRef<User>> = new Set();
  /** What other threads make tokens of. */
  readonly #tokenizing: Set<Promise<unknown>> = new Set();
  #metadata: Readonly<Record<string, string>> | null = null;
  #ended: Promise<void> | null = null;

  /** @ignore Made by `loadModel`. */
  constructor(handle: lib.llama_model, path: string, vocabOnly: boolean) {
    this.handle = handle;
    this.vocabulary = new Vocabulary(lib.llama_model_get_vocab(handle));
    this.info = infoOf(handle, this.vocabulary, path, vocabOnly);
  }

  /** What the file says of the model, by key; lists are shortened as C shows them. In C: `llama_model_meta_val_str_by_index`. */
  get metadata(): Readonly<Record<string, string>> {
    return this.#metadata ??= metadataOf(this.handle);
  }

  /**
   * The tokens of a text.
   *
   * @param text The text.
   * @param options `special`: add BOS and EOS as the model wants it (true by default). `parseSpecial`: take the names of control tokens for
   * these (false by default: a user's text has none).
   * @returns The tokens' numbers. In C: `llama_tokenize`.
   * @throws {Error} If the model has no vocabulary.
   */
  tokenize(text: string, options: TokenizeOptions = {}): Int32Array<ArrayBuffer> {
    expectOptions("tokenize", options, ["special", "parseSpecial"]);
    return this.vocabulary.tokenize(text, options);
  }

  /**
   * The text of tokens.
   *
   * @param tokens The tokens' numbers.
   * @param options `special`: control tokens by their names, which are left out by default.
   * @returns The text. In C: `llama_detokenize`, which leaves out spaces before punctuation where the vocabulary's file says so; what is generated
   * keeps them.
   * @throws {RangeError} If one is none of the vocabulary's.
   */
  detokenize(tokens: ArrayLike<number>, options: { special?: boolean } = {}): string {
    expectOptions("detokenize", options, ["special"]);
    return this.vocabulary.detokenize(tokens, options);
  }

  /**
   * Messages as the model's own template writes them.
   *
   * @param messages The conversation, the oldest message first.
   * @param options `tools`, which the template names to the model; `addGenerationPrompt`: end where the model's answer begins (true by default).
   * @returns The text, for `session.generate`.
   * @throws {Error} If the model has no template (`renderTemplate` takes any), or that refuses the messages.
   */
  applyTemplate(messages: readonly Message[], options: TemplateOptions = {}): string {
    return this.#written(messages, options, "applyTemplate");
  }

  /** @ignore The tokens of what the template writes; BOS, if the model wants it, once. */
  async tokenizeChat(messages: readonly Message[], options: TemplateOptions, where = "applyTemplate"): Promise<Int32Array> {
    const text = this.#written(messages, options, where), bos = this.vocabulary.textOf(this.vocabulary.special.bos);
    return await this.tokensOf(text, { special: bos === "" || !text.startsWith(bos), parseSpecial: true }, where);
  }

  /** @ignore The tokens of a text; of a long one, for which C may take seconds, they are made on another thread. */
  async tokensOf(text: string, options: TokenizeOptions, where: string): Promise<Int32Array> {
    if (typeof text !== "string" || text.length < LONG) return this.vocabulary.tokenize(text, options, where);
    const tokens = this.vocabulary.tokenizeAside(text, options, where);
    this.#tokenizing.add(tokens);
    try {
      return await tokens;
    } finally {
      this.#tokenizing.delete(tokens);
    }
  }

  #written(messages: readonly Message[], options: TemplateOptions, where: string): string {
    expectOptions(where, options, ["tools", "addGenerationPrompt"]);
    if (!Array.isArray(messages)) throw new TypeError(`${where}: expected an array of messages, got ${describe(messages)}`);
    const source = lib.llama_model_chat_template(this.handle, null);
    if (source === null) {
      const instead = "write the messages into one text, and have that completed";
      throw new Error(`${where}: this model (${this.info.description}) has no chat template: ${instead}`);
    }
    const { vocabulary } = this, { bos, eos } = vocabulary.special;
    return renderLoaded(source, { ...options, messages, bosToken: vocabulary.textOf(bos), eosToken: vocabulary.textOf(eos) }, where);
  }

  /**
   * A conversation with the model.
   *
   * @param options `context`, the most tokens of prompt and answer together; what happens when it is full, `overflow`; and what else a context is
   * made with.
   * @returns The session. In C: `llama_init_from_model`.
   * @throws {TypeError} If an option has the wrong type, or there is none of that name.
   * @throws {RangeError} If an option is out of range.
   * @throws {Error} If there is no memory for such a context, the model was freed, only its vocabulary was loaded, or `deterministic` is asked of a
   * model that keeps a state.
   */
  session(options: SessionOptions = {}): Session {
    expectOptions("Model.session", options, SESSION_OPTIONS);
    const scheduler = this.#scheduler("Model.session", "Session.generate", options, 1);
    return new Session(this, scheduler, scheduler.reserve()!, options.overflow ?? "error", (reason) => scheduler.close(reason));
  }

  /** Many generations at once on one context; see {@linkcode Batcher}. */
  batcher(options: BatcherOptions = {}): Batcher {
    expectOptions("Model.batcher", options, [...SESSION_OPTIONS, "sequences"]);
    const { sequences = DEFAULT_SEQUENCES, overflow = "error" } = options;
    expectWhole("Model.batcher: sequences", sequences, 1, lib.llama_max_parallel_sequences());
    return new Batcher(this, this.#scheduler("Model.batcher", "Batcher.generate", options, sequences), overflow);
  }

  /** Texts as vectors; see {@linkcode Embedder}. */
  embedder(options: EmbedderOptions = {}): Embedder {
    return new Embedder(this, options);
  }

  /**
   * Documents in the order in which they answer a query; see {@linkcode Reranker}.
   *
   * @throws {Error} If the model wasn't trained for that.
   */
  reranker(options: EmbeddingOptions = {}): Reranker {
    return new Reranker(this, options);
  }

  #scheduler(where: string, by: string, options: SessionOptions, sequences: number): Scheduler {
    this.expectUsable(where);
    const { overflow = "error", deterministic = false } = options;
    expectOneOf(`${where}: overflow`, overflow, OVERFLOWS);
    expectBoolean(`${where}: deterministic`, deterministic);
    if (deterministic && keepsState(this.handle)) {
      throw new Error(
        `${where}: deterministic isn't there for models that keep a state (${this.info.description}): it can't forget one token`,
      );
    }
    return this.uses(new Scheduler(where, by, this, this.contextParams(where, options, sequences)));
  }

  /** @ignore Throws unless something can be computed with it. */
  expectUsable(where: string): void {
    if (this.#ended !== null || this.handle.owner.freed) throw new Error(`${where}: this model was freed`);
    if (this.info.vocabOnly) throw new Error(`${where}: of this model only the vocabulary was loaded (vocabOnly)`);
  }

  /** @ignore Notes what is to be closed before it is freed. */
  uses<U extends User>(user: U): U {
    for (const other of this.#users) if (other.deref() === undefined) this.#users.delete(other);
    this.#users.add(new WeakRef(user));
    return user;
  }

  /** @ignore */
  contextParams(where: string, options: SessionOptions, sequences: number): ContextParams {
    const { trainedContext } = this.info;
    const { context = Math.min(DEFAULT_CONTEXT, trainedContext), threads = navigator.hardwareConcurrency } = options;
    expectWhole(`${where}: context`, context, 1, 2 ** 24 / sequences);
    const { batch = Math.min(DEFAULT_BATCH, context * sequences) } = options;
    expectWhole(`${where}: batch`, batch, 1, context * sequences);
    expectWhole(`${where}: threads`, threads, 1);
    const { deterministic: uniform = false } = options, least = uniform ? Math.max(2, sequences) : sequences;
    return { context, batch: Math.max(batch, least), threads: Math.min(threads, navigator.hardwareConcurrency), sequences, uniform };
  }

  /** Frees it, and first all that computes with it: what is being generated ends with an error. */
  [Symbol.dispose](): void {
    if (this.#ended !== null) return;
    const reason = new Error("this model was freed");
    const running = [...this.#users].flatMap((user): Promise<unknown>[] => {
      const left = user.deref()?.close(reason) ?? null;
      return left === null ? [] : [left];
    });
    for (const tokens of this.#tokenizing) running.push(tokens.catch(() => {}));
    const free = () => this.handle[Symbol.dispose]();
    if (running.length > 0) this.#ended = Promise.all(running).then(free);
    else {
      this.#ended = Promise.resolve();
      free();
    }
  }

  /** Frees it, and waits until C has left it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this[Symbol.dispose]();
    await this.#ended;
  }
}

function infoOf(handle: lib.llama_model, vocabulary: Vocabulary, path: string, vocabOnly: boolean): ModelInfo {
  return {
    path,
    description: textOf((buffer) => lib.llama_model_desc(handle, buffer, buffer.length)),
    architecture: textOf((buffer) => lib.llama_model_meta_val_str(handle, "general.architecture", buffer, buffer.length)),
    parameters: lib.llama_model_n_params(handle),
    bytes: lib.llama_model_size(handle),
    trainedContext: lib.llama_model_n_ctx_train(handle),
    embedding: lib.llama_model_n_embd(handle),
    layers: lib.llama_model_n_layer(handle),
    vocabulary: vocabulary.size,
    vocabOnly,
  };
}

function metadataOf(handle: lib.llama_model): Record<string, string> {
  return Object.fromEntries(Array.from({ length: lib.llama_model_meta_count(handle) }, (_, i) => [
    textOf((buffer) => lib.llama_model_meta_key_by_index(handle, i, buffer, buffer.length)),
    textOf((buffer) => lib.llama_model_meta_val_str_by_index(handle, i, buffer, buffer.length)),
  ]));
}

/** A text that C writes into a buffer, and says how long it is. */
function textOf(write: (buffer: Int8Array<ArrayBuffer>) => number): string {
  let buffer = new Int8Array(1024), length = write(buffer);
  if (length >= buffer.length) length = write(buffer = new Int8Array(length + 1));
  return length < 0 ? "" : new TextDecoder().decode(buffer.subarray(0, length));
}
