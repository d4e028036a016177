/**
 * What embedders and rerankers share: texts as tokens, as many in one batch as there is room for, one vector each.
 *
 * @module
 */

import { lib } from "../ffi/generated/lib.js";
import { Queue } from "../utils/computing/queue.ts";
import { Context } from "./context.ts";
import { embeddingLength } from "./embedding_length.ts";
import { expectOptions, expectSignal, expectWhole } from "./expect.ts";
import type { Model } from "./model.ts";

/** What embedders and rerankers take. */
export interface EmbeddingOptions {
  /** The most tokens of one text; by default as many as the model was trained with, and at most 2048. */
  context?: number;
  /** The most texts that are computed together; 32 by default. */
  sequences?: number;
  /** The most threads of the CPU; by default as many as the machine has cores. */
  threads?: number;
}

/** What `embed` and `rank` take besides the texts. */
export interface EmbedOptions {
  /** Cancels. */
  signal?: AbortSignal;
}

export const EMBEDDING_OPTIONS: readonly string[] = ["context", "sequences", "threads"];

const LONGEST = 2048, MOST = 32;

/** A context for vectors. */
export class EmbeddingContext {
  readonly #context: Context;
  readonly #by: string;
  readonly #width: number;
  readonly #sequences: number;
  /** The calls, one after the other. */
  readonly #turns = new Queue(() => 1);

  /**
   * @param where Who makes it, for errors.
   * @param by Who computes with it.
   * @param pooling How vectors of tokens become one: an `enum llama_pooling_type`, or -1 for the model's own.
   */
  constructor(where: string, by: string, model: Model, options: EmbeddingOptions, pooling: number) {
    model.expectUsable(where);
    const { trainedContext } = model.info, { context = Math.min(LONGEST, trainedContext), sequences = MOST } = options;
    const { threads = navigator.hardwareConcurrency } = options;
    expectWhole(`${where}: context`, context, 1, 2 ** 24);
    expectWhole(`${where}: sequences`, sequences, 1, lib.llama_max_parallel_sequences());
    expectWhole(`${where}: threads`, threads, 1);
    this.#by = by;
    this.#sequences = Math.min(sequences, context); // each has a token
    this.#context = new Context(where, by, model, {
      context,
      batch: context,
      threads: Math.min(threads, navigator.hardwareConcurrency),
      sequences: this.#sequences,
      pooling,
    });
    const isRank = lib.llama_pooling_type(this.#context.handle) === lib.LLAMA_POOLING_TYPE_RANK;
    this.#width = isRank ? lib.llama_model_n_cls_out(model.handle) : embeddingLength(model.handle);
  }

  /** A vector for each list of tokens. */
  async compute(texts: readonly Int32Array[], options: EmbedOptions): Promise<Float32Array<ArrayBuffer>[]> {
    expectOptions(this.#by, options, ["signal"]);
    expectSignal(this.#by, options.signal);
    const { batchSize } = this.#context;
    for (const [i, { length }] of texts.entries()) {
      if (length === 0) throw new RangeError(`${this.#by}: text ${i} has no tokens`);
      if (length > batchSize) {
        throw new RangeError(`${this.#by}: text ${i} is too long: it has ${length} tokens, and there is room for ${batchSize}`);
      }
    }
    const release = await this.#turns.acquire(1, options.signal);
    try {
      return await this.#computeAll(texts, options.signal);
    } finally {
      release();
    }
  }

  async #computeAll(texts: readonly Int32Array[], signal: AbortSignal | undefined): Promise<Float32Array<ArrayBuffer>[]> {
    const vectors: Float32Array<ArrayBuffer>[] = [], onAbort = () => this.#context.interrupt();
    signal?.addEventListener("abort", onAbort);
    try {
      while (vectors.length < texts.length) {
        signal?.throwIfAborted();
        if (this.#context.closed !== null) throw this.#context.closed;
        const count = this.#fill(texts, vectors.length);
        await this.#run(signal);
        for (let i = 0; i < count; i++) vectors.push(this.#vector(i));
      }
      return vectors;
    } finally {
      signal?.removeEventListener("abort", onAbort);
    }
  }

  /** Puts texts into the batch, from one on; gives how many. */
  #fill(texts: readonly Int32Array[], first: number): number {
    const context = this.#context;
    context.clear();
    let count = 0;
    while (count < this.#sequences && first + count < texts.length && texts[first + count].length <= context.room) {
      texts[first + count].forEach((token, position) => context.add(token, position, count, true));
      count++;
    }
    return count;
  }

  async #run(signal: AbortSignal | undefined): Promise<void> {
    const context = this.#context, giveBack = await context.takeCores(signal);
    try {
      signal?.throwIfAborted();
      if (context.closed === null && context.memory !== null) lib.llama_memory_clear(context.memory, false);
      const outcome = await context.compute();
      if (context.closed !== null) throw context.closed;
      signal?.throwIfAborted();
      if (outcome === "stopped") throw new Error(`${this.#by}: C was stopped`);
    } finally {
      giveBack();
    }
  }

  #vector(sequence: number): Float32Array<ArrayBuffer> {
    const pointer = lib.llama_get_embeddings_seq(this.#context.handle, sequence);
    if (pointer === null) throw new Error(`${this.#by}: C has no embedding of the text`);
    const { buffer, byteOffset } = pointer.bytes(4 * this.#width);
    return new Float32Array(buffer, byteOffset, this.#width).slice();
  }

  /** Ends it; see `Context.close`. */
  close(reason: Error): Promise<void> | null {
    return this.#context.close(reason);
  }
}
