/**
 * A `llama_context` that decodes batches on another thread, stops where it is told to, and is freed when C has left it.
 *
 * @module
 */

import { Heard } from "../ffi/calls/heard.ts";
import { lib } from "../ffi/generated/lib.js";
import { Cancel } from "../utils/computing/cancel.ts";
import { cores } from "../utils/computing/task.ts";
import { decode } from "./decode.ts";
import type { Model } from "./model.ts";

/** What a context is made with. */
export interface ContextParams {
  /** The most tokens of one sequence. */
  readonly context: number;
  /** The most tokens that are computed at once. */
  readonly batch: number;
  readonly threads: number;
  readonly sequences: number;
  /** True if C has to compute each row alike, whatever else is in the batch; see `compose.ts`. */
  readonly uniform?: boolean;
  /** Set for embeddings: the pooling, or -1 for the model's own. */
  readonly pooling?: number;
}

/** How a batch ended. */
export type Outcome = "done" | "stopped";

/** A context, and the batch that it decodes next. */
export class Context {
  readonly handle: lib.llama_context;
  /** What it remembers of the sequences; null for a model that remembers nothing. */
  readonly memory: lib.llama_memory_i | null;
  /** The most tokens of one sequence. */
  readonly size: number;
  readonly batchSize: number;
  readonly threads: number;
  /** True if batches have to be of the shapes of which C computes each row alike. */
  readonly isUniform: boolean;
  /** Who computes, for errors. */
  readonly #by: string;
  readonly #batch: Batch;
  /** Stops what runs. */
  readonly #stop = new Cancel();
  readonly #pool: lib.ggml_threadpool | null;
  #running: Promise<unknown> | null = null;
  #closed: Error | null = null;
  /** The end that waits for C. */
  #ending: Promise<void> | null = null;

  /**
   * @param where Who makes it, for errors.
   * @param by Who computes with it.
   */
  constructor(where: string, by: string, model: Model, params: ContextParams) {
    this.#by = by;
    const ctx = makeContext(where, model, params);
    this.handle = ctx;
    this.memory = lib.llama_get_memory(ctx);
    this.size = params.context;
    this.batchSize = params.batch;
    this.threads = params.threads;
    this.isUniform = params.uniform ?? false;
    this.#pool = params.threads > 1 ? lib.ggml_threadpool_new(lib.ggml_threadpool_params_default(params.threads)) : null;
    if (this.#pool !== null) lib.llama_attach_threadpool(ctx, this.#pool, this.#pool);
    lib.llama_set_abort_callback(ctx, this.#stop.callback, this.#stop.data as never);
    this.#batch = new Batch(params.batch);
  }

  /** Why it can't be used any more; null while it can. */
  get closed(): Error | null {
    if (this.#closed === null && this.handle.owner.gone) this.#closed = new Error(`${this.#by}: its context was freed`);
    return this.#closed;
  }

  /** Begins a new batch. */
  clear(): void {
    this.#batch.clear();
  }

  /** How many more tokens the batch has room for. */
  get room(): number {
    return this.batchSize - this.#batch.length;
  }

  /**
   * Adds a token to the batch.
   *
   * @param output True if its logits or embeddings are wanted.
   * @returns Its index, by which C finds them.
   */
  add(token: number, position: number, sequence: number, output: boolean): number {
    return this.#batch.add(token, position, sequence, output);
  }

  /** Waits for as many cores as it uses, unless a signal ends that. Gives what gives them back. */
  async takeCores(signal?: AbortSignal): Promise<() => void> {
    return await cores.acquire(Math.min(this.threads, cores.capacity), signal);
  }

  /**
   * Decodes the batch. What the sequences have of it in memory, unless it is done, the caller takes away.
   *
   * @throws {Error} What C failed of.
   */
  async compute(): Promise<Outcome> {
    if (this.closed !== null) throw this.closed;
    this.#stop.clear();
    const heard = new Heard();
    const running = heard.aside(() => decode(this.#by, this.handle, this.#pool, this.#batch.handle, this.memory !== null));
    this.#running = running;
    try {
      return outcomeOf(this.#by, await running);
    } finally {
      this.#running = null;
      heard.print(STOPPED);
    }
  }

  /** Stops what is being computed after the node that it is at. */
  interrupt(): void {
    if (this.#running === null) return;
    this.#stop.set();
  }

  /** Ends it: what runs is stopped, and what C has is freed when C has left it. Null where it has. */
  close(reason: Error): Promise<void> | null {
    if (this.#closed !== null) return this.#ending;
    this.#closed = reason;
    this.interrupt();
    if (this.#running === null) this.#free();
    else this.#ending = this.#running.catch(() => {}).then(() => this.#free());
    return this.#ending;
  }

  #free(): void {
    this.#ending = null;
    this.handle[Symbol.dispose]();
    this.#pool?.[Symbol.dispose]();
    this.#batch.handle[Symbol.dispose]();
    this.#stop[Symbol.dispose]();
  }
}

/** What C logs as errors where it is stopped as it was told. */
const STOPPED =
  /^(?:graph_compute: .* failed with error 1|process_ubatch: .* status: 1|(?:decode|encode): removing .*|llama_(?:de|en)code: failed .* ret = 2)$/;

/** @throws {Error} If C can't make it, with what its log says. */
function makeContext(where: string, model: Model, params: ContextParams): lib.llama_context {
  const heard = new Heard(), ctx = heard.during(() => lib.llama_init_from_model(model.handle, cParams(params)));
  if (ctx === null) {
    throw new Error(`${where}: C couldn't make a context of ${params.context} tokens: ${heard.why()}`);
  }
  heard.print(AS_ASKED);
  return ctx;
}

/** What C warns of where it does what it was asked for. */
const AS_ASKED = /model default pooling_type is/;

/** The tokens of a batch that C computes at once. It can be told to stop between two nodes of their graph: of 512 tokens one takes up to 12 ms. */
const AT_ONCE = 256;

/** C rounds the length of a sequence up to a multiple of this. */
const CELLS = 256;

function cParams({ context, batch, threads, sequences: wanted, pooling, uniform = false }: ContextParams): lib.llama_context_params {
  const params = lib.llama_context_default_params(), sequences = uniform ? Math.max(2, wanted) : wanted, spare = uniform ? 1 : 0;
  params.n_ctx = pooling === undefined ? CELLS * Math.ceil((context + spare) / CELLS) * sequences : batch;
  params.n_seq_max = sequences;
  params.n_batch = batch;
  params.n_ubatch = pooling === undefined ? Math.min(batch, AT_ONCE) : batch;
  params.n_threads = params.n_threads_batch = threads;
  params.no_perf = true;
  if (pooling !== undefined) { // all that is remembered is one batch, whoever's it is
    params.kv_unified = true;
    params.embeddings = true;
    params.pooling_type = pooling as never;
  }
  return params;
}

/** What `llama_decode` says. */
function outcomeOf(where: string, status: number): Outcome {
  if (status === 0) return "done";
  if (status === 2) return "stopped";
  throw new Error(`${where}: ${STATUS[status] ?? `C failed (${status})`}`);
}

const STATUS: Readonly<Record<number, string>> = {
  1: "C found no room for the batch in the context",
  [-1]: "C takes the batch for wrong",
  [-2]: "C has no memory for the batch",
  [-3]: "C failed to compute the batch",
};

/** A `llama_batch` in C's memory. */
class Batch {
  readonly handle: lib.llama_batch;
  length = 0;
  readonly #tokens: Int32Array;
  readonly #positions: Int32Array;
  readonly #sequences: Int32Array[];
  readonly #outputs: Int8Array;

  constructor(size: number) {
    this.handle = lib.llama_batch_init(size, 0, 1);
    const bytes = (field: "token" | "pos" | "n_seq_id" | "seq_id" | "logits", width: number) =>
      this.handle[field]!.bytes(width * size).buffer;
    this.#tokens = new Int32Array(bytes("token", 4), 0, size);
    this.#positions = new Int32Array(bytes("pos", 4), 0, size);
    this.#outputs = new Int8Array(bytes("logits", 1), 0, size);
    new Int32Array(bytes("n_seq_id", 4), 0, size).fill(1);
    this.#sequences = Array.from(
      new BigUint64Array(bytes("seq_id", 8), 0, size),
      (address) => new Int32Array(Deno.UnsafePointerView.getArrayBuffer(Deno.UnsafePointer.create(address)!, 4)),
    );
  }

  clear(): void {
    this.handle.n_tokens = this.length = 0;
  }

  add(token: number, position: number, sequence: number, output: boolean): number {
    const i = this.length++;
    this.#tokens[i] = token;
    this.#positions[i] = position;
    this.#sequences[i][0] = sequence;
    this.#outputs[i] = output ? 1 : 0;
    this.handle.n_tokens = this.length;
    return i;
  }
}
