/**
 * What the routes of a server share: a model, what computes with it, and how many may ask.
 *
 * @module
 */

import type { Batcher } from "../batcher.ts";
import type { Embedder } from "../embedder.ts";
import { describe } from "../../ffi/core/describe.ts";
import { expectOneOf, expectOptions, expectText, expectWhole } from "../expect.ts";
import { Model } from "../model.ts";
import { Admission } from "./admission.ts";
import { ApiError } from "./error.ts";

/** What {@linkcode handler} takes besides the model. */
export interface HandlerOptions {
  /** What the model is called; by default its file's name without `.gguf`. */
  readonly name?: string;
  /** The most tokens of one answer, with its prompt; by default as many as the model was trained with, and at most 4096. */
  readonly context?: number;
  /** How many answers are computed together; 4 by default. */
  readonly sequences?: number;
  /** How many more may wait; 64 by default. Whoever comes then gets status 429. */
  readonly queue?: number;
  /** The most tokens that are computed at once; 512 by default. */
  readonly batch?: number;
  /** The most threads of the CPU; by default as many as the machine has cores. */
  readonly threads?: number;
  /** True for answers that depend on nothing but the request where that has a seed; see `SessionOptions.deterministic`. False by default. */
  readonly deterministic?: boolean;
  /** The most bytes of a request's body; 1 MiB by default. Larger ones get status 413. */
  readonly maxBody?: number;
  /** The most seconds that a stream waits for a client that reads nothing, before its answer is ended; 60 by default. */
  readonly sendTimeout?: number;
  /** What clients have to send as `Authorization: Bearer …`; by default nobody is asked. */
  readonly apiKey?: string;
  /** Where the model thinks before it answers: in a field of its own, `reasoning_content` (`"apart"`, the default), nowhere, or as text. */
  readonly reasoning?: "apart" | "none" | "text";
}

const QUEUE = 64, MAX_BODY = 1 << 20, SEND_TIMEOUT = 60, DAY = 86_400;

/** The names of the options. */
export const HANDLER_OPTIONS: readonly (keyof HandlerOptions)[] = [
  "name",
  "context",
  "sequences",
  "queue",
  "batch",
  "threads",
  "deterministic",
  "maxBody",
  "sendTimeout",
  "apiKey",
  "reasoning",
];

/** A model that is served. */
export class Served implements AsyncDisposable {
  readonly model: Model;
  readonly name: string;
  /** When it began to be served, in seconds of Unix time. */
  readonly created: number = seconds();
  readonly admission: Admission;
  readonly maxBody: number;
  readonly sendTimeout: number;
  readonly options: HandlerOptions;
  /** Null for a model that only embeds. */
  readonly #batcher: Batcher | null;
  readonly #cannot: string = "";
  #embedder: Embedder | null = null;

  constructor(model: Model, options: HandlerOptions) {
    if (!(model instanceof Model)) throw new TypeError(`handler: expected a Model, as loadModel gives it, got ${describe(model)}`);
    expectOptions("handler", options, HANDLER_OPTIONS);
    const { name, context, sequences, batch, threads, deterministic } = options;
    const { queue = QUEUE, maxBody = MAX_BODY, sendTimeout = SEND_TIMEOUT, apiKey, reasoning = "apart" } = options;
    expectWhole("handler: queue", queue, 0);
    expectWhole("handler: maxBody", maxBody, 1);
    expectWhole("handler: sendTimeout", sendTimeout, 1, DAY);
    if (name !== undefined) expectText("handler: name", name);
    if (apiKey !== undefined) expectText("handler: apiKey", apiKey);
    expectOneOf("handler: reasoning", reasoning, ["apart", "none", "text"]);
    this.model = model;
    this.name = name ?? model.info.path.replace(/^.*[\\/]/, "").replace(/\.gguf$/, "");
    this.options = options;
    this.maxBody = maxBody;
    this.sendTimeout = sendTimeout;
    const given = Object.entries({ context, sequences, batch, threads, deterministic }).filter(([, value]) => value !== undefined);
    try {
      this.#batcher = model.batcher({ ...Object.fromEntries(given), overflow: "stop" });
    } catch (error) {
      if (!/only encodes/.test((error as Error).message)) throw error;
      this.#batcher = null;
      this.#cannot = (error as Error).message;
    }
    this.admission = new Admission((this.#batcher?.sequences ?? 1) + queue);
  }

  /** What generates. */
  get batcher(): Batcher {
    if (this.#batcher !== null) return this.#batcher;
    throw new ApiError(400, `this model answers nothing: ${this.#cannot}`, { code: "unsupported_model" });
  }

  /** What embeds; made when it is first wanted, since it has a context of its own. */
  get embedder(): Embedder {
    const { threads, context } = this.options, given = Object.entries({ threads, context }).filter(([, value]) => value !== undefined);
    return this.#embedder ??= this.model.embedder(Object.fromEntries(given));
  }

  /** Throws unless a request asks for this model, and it is there. */
  expectModel(name: string | undefined): void {
    if (this.model.handle.owner.freed) throw new ApiError(503, "the model was freed", { type: "server_error", code: "unavailable" });
    if (name === undefined || name === this.name) return;
    throw new ApiError(404, `there is no model ${JSON.stringify(name)} here, only ${JSON.stringify(this.name)}`, {
      code: "model_not_found",
      param: "model",
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#batcher?.[Symbol.asyncDispose]();
    await this.#embedder?.[Symbol.asyncDispose]();
  }
}

/** Now, in seconds of Unix time. */
export function seconds(): number {
  return Math.floor(Date.now() / 1000);
}
