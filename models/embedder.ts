/**
 * An embedder: texts as vectors, near each other where they mean alike.
 *
 * @module
 */

import { describe } from "../ffi/core/describe.ts";
import { lib } from "../ffi/generated/lib.js";
import { EMBEDDING_OPTIONS, EmbeddingContext, type EmbeddingOptions, type EmbedOptions } from "./embedding_context.ts";
import { expectOneOf, expectOptions } from "./expect.ts";
import { embeddingLength } from "./embedding_length.ts";
import type { Model } from "./model.ts";

/** How the vectors of a text's tokens become one: their mean, that of the first (`cls`), or that of the last. */
export type Pooling = "mean" | "cls" | "last";

/** What {@linkcode Model.embedder} takes. */
export interface EmbedderOptions extends EmbeddingOptions {
  /** By default as the model's file says, and the mean where that says nothing. */
  pooling?: Pooling;
  /** True, the default, for vectors of length 1. */
  normalize?: boolean;
}

/** `enum llama_pooling_type`. */
const POOLINGS = { mean: lib.LLAMA_POOLING_TYPE_MEAN, cls: lib.LLAMA_POOLING_TYPE_CLS, last: lib.LLAMA_POOLING_TYPE_LAST };

/**
 * Turns texts into vectors. `model.embedder()` makes it.
 *
 * Any model does that; those that were trained for it, such as all-MiniLM-L6-v2, do it well.
 *
 * @example
 * ```ts
 * import { loadModel } from "@ggml/deno/models";
 *
 * using model = await loadModel("examples/models/moby.gguf");
 * using embedder = model.embedder({ pooling: "mean" });
 * const [ship, boat] = await embedder.embed(["a ship", "a boat"]);
 * console.log(ship.length, ship.reduce((sum, value, i) => sum + value * boat[i], 0) <= 1); // 128 true
 * ```
 */
export class Embedder implements Disposable, AsyncDisposable {
  /** The model that computes. */
  readonly model: Model;
  readonly #context: EmbeddingContext;
  readonly #normalize: boolean;
  #ended: Promise<void> | null = null;

  /** @ignore Made by `model.embedder`. */
  constructor(model: Model, options: EmbedderOptions) {
    const where = "Model.embedder";
    expectOptions(where, options, [...EMBEDDING_OPTIONS, "pooling", "normalize"]);
    const { pooling, normalize = true } = options;
    if (pooling !== undefined) expectOneOf(`${where}: pooling`, pooling, Object.keys(POOLINGS));
    if (typeof normalize !== "boolean") throw new TypeError(`${where}: normalize must be a boolean, got ${describe(normalize)}`);
    const own = model.metadata[`${model.info.architecture}.pooling_type`], hasOwn = own !== undefined && own !== "0";
    this.model = model;
    this.#normalize = normalize;
    this.#context = model.uses(
      new EmbeddingContext(where, "Embedder.embed", model, options, pooling === undefined && hasOwn ? -1 : POOLINGS[pooling ?? "mean"]),
    );
  }

  /** How many numbers a vector has. */
  get length(): number {
    return embeddingLength(this.model.handle);
  }

  /**
   * A vector for each text, several texts in one batch.
   *
   * @param texts The texts, or their tokens.
   * @param options `signal` cancels.
   * @returns The vectors, in the order of the texts. In C: `llama_encode` or `llama_decode`, `llama_get_embeddings_seq`.
   * @throws {RangeError} If a text has no tokens, or more than there is room for.
   * @throws {Error} If this or the model was freed; the signal's reason. All as a rejection.
   */
  async embed(texts: readonly (string | ArrayLike<number>)[], options: EmbedOptions = {}): Promise<Float32Array<ArrayBuffer>[]> {
    if (!Array.isArray(texts)) throw new TypeError(`Embedder.embed: expected an array of texts, got ${describe(texts)}`);
    const { model } = this, tokens: Int32Array[] = [];
    for (const text of texts) {
      if (typeof text === "string") tokens.push(await model.tokensOf(text, {}, "Embedder.embed"));
      else tokens.push(model.vocabulary.expectTokens("Embedder.embed: a text", text, "a string or its tokens"));
    }
    const vectors = await this.#context.compute(tokens, options);
    if (this.#normalize) { for (const vector of vectors) normalize(vector); }
    return vectors;
  }

  /** Frees it: what it computes ends with an error, and C's memory is freed as soon as C has left it. */
  [Symbol.dispose](): void {
    this.#ended ??= this.#context.close(new Error("this embedder was freed")) ?? Promise.resolve();
  }

  /** Frees it, and waits until C has left it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this[Symbol.dispose]();
    await this.#ended;
  }
}

/** Makes a vector as long as 1. One of zeros stays as it is. */
function normalize(vector: Float32Array): void {
  const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
  if (length > 0) { for (let i = 0; i < vector.length; i++) vector[i] /= length; }
}
