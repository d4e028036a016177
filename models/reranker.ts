/**
 * A reranker: how well documents answer a query, by a model that reads both together.
 *
 * @module
 */

import { describe } from "../ffi/core/describe.ts";
import { lib } from "../ffi/generated/lib.js";
import { EMBEDDING_OPTIONS, EmbeddingContext, type EmbeddingOptions, type EmbedOptions } from "./embedding_context.ts";
import { expectOptions } from "./expect.ts";
import type { Model } from "./model.ts";

/** A document's place. */
export interface Ranked {
  /** Which of the documents it is. */
  readonly index: number;
  /** What the model says: the more, the better. It is a logit, not a probability. */
  readonly score: number;
}

/**
 * Ranks documents. `model.reranker()` makes it, of a model that was trained for it.
 *
 * @example
 * ```ts ignore
 * import { loadModel } from "@ggml/deno/models";
 *
 * using model = await loadModel("bge-reranker-v2-m3-Q8_0.gguf");
 * using reranker = model.reranker();
 * const documents = ["Pandas eat bamboo.", "Paris is the capital of France."];
 * const [{ index }] = await reranker.rank("What do pandas eat?", documents);
 * console.log(documents[index]);
 * ```
 */
export class Reranker implements Disposable, AsyncDisposable {
  /** The model that computes. */
  readonly model: Model;
  readonly #context: EmbeddingContext;
  #ended: Promise<void> | null = null;

  /** @ignore Made by `model.reranker`. */
  constructor(model: Model, options: EmbeddingOptions) {
    const where = "Model.reranker";
    expectOptions(where, options, EMBEDDING_OPTIONS);
    if (model.metadata[`${model.info.architecture}.pooling_type`] !== String(lib.LLAMA_POOLING_TYPE_RANK)) {
      throw new Error(
        `${where}: this model (${model.info.description}) is no reranker: its pooling_type isn't ${lib.LLAMA_POOLING_TYPE_RANK}`,
      );
    }
    this.model = model;
    this.#context = model.uses(new EmbeddingContext(where, "Reranker.rank", model, options, lib.LLAMA_POOLING_TYPE_RANK));
  }

  /**
   * Ranks documents.
   *
   * @param query What is looked for.
   * @param documents The texts, several in one batch.
   * @param options `signal` cancels.
   * @returns The documents' indices and scores, the best first. In C: `llama_get_embeddings_seq` with `LLAMA_POOLING_TYPE_RANK`.
   * @throws {RangeError} If the query and a document together have more tokens than there is room for.
   * @throws {Error} If this or the model was freed; the signal's reason. All as a rejection.
   */
  async rank(query: string, documents: readonly string[], options: EmbedOptions = {}): Promise<Ranked[]> {
    if (typeof query !== "string") throw new TypeError(`Reranker.rank: expected a text as query, got ${describe(query)}`);
    if (!Array.isArray(documents)) throw new TypeError(`Reranker.rank: expected an array of documents, got ${describe(documents)}`);
    const texts: Int32Array[] = [];
    for (const document of documents) texts.push(await this.tokensOf(query, document));
    const scores = await this.#context.compute(texts, options);
    return scores.map(([score], index) => ({ index, score })).sort((a, b) => b.score - a.score);
  }

  /** @ignore A query and a document as the model was trained on them: by its own template, or with what separates sentences between them. */
  async tokensOf(query: string, document: string): Promise<Int32Array> {
    const { vocabulary } = this.model, template = lib.llama_model_chat_template(this.model.handle, "rerank");
    if (template !== null) {
      const text = template.replaceAll(/\{(query|document)\}/g, (_, name) => name === "query" ? query : document);
      return await this.model.tokensOf(text, { special: false, parseSpecial: true }, "Reranker.rank");
    }
    const { bos, eos, sep } = vocabulary.special, of = (text: string) => this.model.tokensOf(text, { special: false }, "Reranker.rank");
    const some = (token: number | null, added: boolean) => token !== null && added ? [token] : [];
    const begin = some(bos, lib.llama_vocab_get_add_bos(vocabulary.handle)), end = some(eos ?? sep, true);
    const between = lib.llama_vocab_get_add_sep(vocabulary.handle) ? some(sep, true) : [];
    // `<s> query </s></s> document </s>`, or `[CLS] query [SEP] document [SEP]` where what ends and what separates is the same.
    const middle = eos === sep || between.length === 0 ? end : [...end, ...between];
    return Int32Array.of(...begin, ...await of(query), ...middle, ...await of(document), ...end);
  }

  /** Frees it: what it computes ends with an error, and C's memory is freed as soon as C has left it. */
  [Symbol.dispose](): void {
    this.#ended ??= this.#context.close(new Error("this reranker was freed")) ?? Promise.resolve();
  }

  /** Frees it, and waits until C has left it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this[Symbol.dispose]();
    await this.#ended;
  }
}
