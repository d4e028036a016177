/**
 * `computeAsync`: a graph's results, later, with the event loop free meanwhile.
 *
 * C computes on a thread that Deno lends for the call. On the CPU the whole graph is one call, and cancelling sets a flag that C reads between
 * two nodes (`cancel.ts`); only who wants to hear of progress gets the graph in slices (`slices.ts`). Another backend has no such flag: it gets
 * slices if there is a signal or a progress function. A scheduler takes no slices: it asks a callback between the nodes instead.
 *
 * @module
 */

import { describe } from "../ffi/describe.ts";
import { type Waiter, waiters } from "../ffi/failure.ts";
import { lib } from "../ffi/lib.js";
import { library } from "../ffi/library.ts";
import type { Owner } from "../ffi/owner.ts";
import { operatorsOf } from "../ffi/threads.ts";
import { Cancel } from "./cancel.ts";
import { setThreads } from "./compute.ts";
import { Queue } from "./queue.ts";
import { cut, type Slice, sliceCost } from "./slices.ts";
import { type Backend, backendsOf, busy, type ComputeOptions, cores, expectSuccess, prepare, type Task } from "./task.ts";

/** What {@linkcode computeAsync} takes besides the graph. */
export interface ComputeAsyncOptions extends ComputeOptions {
  /** Cancels the computation. */
  signal?: AbortSignal;
  /** Called from time to time, and at the end, with the number of nodes that are done and the number of all. */
  onProgress?: (done: number, total: number) => void;
}

/**
 * Computes a graph while the event loop goes on: timers fire, a server answers.
 *
 * All such computations together use at most as many threads as the machine has cores: several at once get fewer each, down to one (which is
 * faster than to take turns with all: threads of one graph wait for each other at each node), and the others wait for their turn. What they use (the
 * graph, its tensors' contexts, the backend) can't be freed until they are done. Read or write the tensors only then. Operators in TypeScript
 * may be called with any number of threads; an exception in one cancels the computation and is what the promise rejects with.
 *
 * @param graph The graph. It can't be computed twice at once; neither should graphs that share nodes.
 * @param options As for `compute`. `signal` cancels: on the CPU after the node that is being computed, on another backend after about a
 * hundredth of the work or the node, whichever is more, in the queue at once. A cancelled graph's results are unfinished; it can be computed
 * again. `onProgress(done, total)` hears of about a hundred steps. A scheduler that has an evaluation callback keeps it, and then can't be
 * cancelled or report. A CPU backend's own thread pool and abort callback are not used. In C: `ggml_graph_compute` with a
 * `ggml_cplan.abort_callback`, `ggml_backend_graph_compute`, `ggml_backend_sched_graph_compute`.
 * @throws What `compute` throws; the signal's reason (by default an `AbortError`); what `onProgress` or an operator threw. All as a rejection.
 *
 * @example
 * ```ts
 * import { lib } from "@ggml/deno";
 * import { computeAsync, copy, init, view } from "@ggml/deno/utils";
 *
 * using ctx = init();
 * const a = lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, 3);
 * const graph = lib.ggml_new_graph(ctx);
 * const squares = lib.ggml_sqr(ctx, a);
 * lib.ggml_build_forward_expand(graph, squares);
 *
 * copy(Float32Array.of(1, 2, 3), a);
 * await computeAsync(graph, { signal: AbortSignal.timeout(60_000) });
 * console.log(view(squares).data); // Float32Array(3) [ 1, 4, 9 ]
 * ```
 */
export async function computeAsync(graph: lib.ggml_cgraph, options: ComputeAsyncOptions = {}): Promise<void> {
  const task = prepare("computeAsync", graph, options);
  const { signal, onProgress } = options;
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new TypeError(`computeAsync: signal must be an AbortSignal, got ${describe(signal)}`);
  }
  if (onProgress !== undefined && typeof onProgress !== "function") {
    throw new TypeError(`computeAsync: onProgress must be a function, got ${describe(onProgress)}`);
  }
  signal?.throwIfAborted();
  const job = new Job(task, options);
  try {
    await job.run();
  } finally {
    job.end();
  }
}

/** The computations under way. It keeps alive what C uses: nothing else may refer to it any more. */
const jobs: Set<Job> = new Set();

/** The backends in use, and who waits for them: one computes one graph at a time. */
const backendQueues: Map<bigint, Queue> = new Map();

type Nonblocking = (...args: unknown[]) => Promise<number>;
const symbols: Map<string, Nonblocking> = new Map();

/** A C function of two pointers, called on another thread. */
function nonblocking(name: string): Nonblocking {
  let symbol = symbols.get(name);
  if (symbol === undefined) {
    symbol = library().symbol(name, { parameters: ["u64", "u64"], result: "i32", nonblocking: true }) as Nonblocking;
    symbols.set(name, symbol);
  }
  return symbol;
}

/** One call of {@linkcode computeAsync}. */
class Job implements Waiter {
  readonly #task: Task;
  readonly #signal: AbortSignal | undefined;
  readonly #onProgress: ((done: number, total: number) => void) | undefined;
  /** The nodes that are operators in TypeScript: C passes them to the operator first. */
  readonly #operators: ReadonlySet<unknown>;
  readonly #cancel = new Cancel();
  readonly #releases: (() => void)[] = [];
  /** What to reject with, as the only element. */
  #failure: [unknown] | null = null;
  /** Its share of the cores. */
  #threads = 1;

  constructor(task: Task, { signal, onProgress }: ComputeAsyncOptions) {
    this.#task = task;
    this.#signal = signal;
    this.#onProgress = onProgress;
    const { graph, backend } = task;
    this.#operators = new Set(operatorsOf(graph.address));
    jobs.add(this);
    waiters.add(this);
    busy.add(graph.address);
    this.#releases.push(graph.owner.hold("computeAsync"));
    if (backend !== null) this.#releases.push(backend.owner.hold("computeAsync"));
    signal?.addEventListener("abort", this.#onAbort);
  }

  /** Lets go of everything. */
  end(): void {
    this.#signal?.removeEventListener("abort", this.#onAbort);
    for (const release of this.#releases.splice(0).reverse()) release();
    busy.delete(this.#task.graph.address);
    waiters.delete(this);
    jobs.delete(this);
    this.#cancel[Symbol.dispose]();
  }

  claims(owner: Owner, [first]: readonly unknown[]): boolean {
    return this.#operators.has(first) || this.#task.backend?.owner.keeps(owner) === true;
  }

  get failed(): boolean {
    return this.#failure !== null;
  }

  fail(error: unknown): void {
    this.#failure ??= [error];
    this.#cancel.set();
  }

  readonly #onAbort = () => this.fail(this.#signal!.reason);

  /** Waits for its turn and computes. */
  async run(): Promise<void> {
    const { backend } = this.#task;
    await null; // those that begin together count each other
    if (backend !== null) await this.#take(queueOf(backend), 1);
    const threads = Math.min(this.#task.threads, Math.max(1, Math.floor(cores.capacity / jobs.size)));
    await this.#take(cores, backend instanceof lib.ggml_backend ? 1 : threads);
    this.#threads = threads;
    if (backend === null) await this.#onCpu();
    else if (backend instanceof lib.ggml_backend) await this.#onBackend(backend);
    else await this.#onScheduler(backend);
  }

  async #take(queue: Queue, amount: number): Promise<void> {
    this.#releases.push(await queue.acquire(amount, this.#signal));
  }

  async #onCpu(): Promise<void> {
    const { graph, work: { nodes } } = this.#task;
    const compute = nonblocking("ggml_graph_compute");
    for (const { graph: slice, end } of this.#onProgress === undefined ? [{ graph, end: nodes.length }] : this.#cut()) {
      const plan = lib.ggml_graph_plan(slice, this.#threads, null);
      if (plan.work_size > 0) plan.work_data = new Uint8Array(plan.work_size) as never;
      this.#cancel.watch(plan);
      this.#finish(await compute(slice.address, plan.address), end);
      plan.owner.keep(slice.owner); // and so both lived until here
    }
  }

  async #onBackend(backend: lib.ggml_backend): Promise<void> {
    const { graph, work: { nodes } } = this.#task;
    const compute = nonblocking("ggml_backend_graph_compute");
    const whole = this.#onProgress === undefined && this.#signal === undefined;
    for (const { graph: slice, end } of whole ? [{ graph, end: nodes.length }] : this.#cut()) {
      this.#finish(await compute(backend.address, slice.address), end);
    }
  }

  async #onScheduler(sched: lib.ggml_backend_sched): Promise<void> {
    const { graph, work: { nodes } } = this.#task;
    setThreads(backendsOf(sched), this.#threads);
    const watched = (this.#onProgress !== undefined || this.#signal !== undefined) &&
      (sched.owner.latest("ggml_backend_sched_set_eval_callback")?.[0] ?? null) === null;
    if (watched) lib.ggml_backend_sched_set_eval_callback(sched, this.#watcher(), null);
    try {
      this.#finish(await nonblocking("ggml_backend_sched_graph_compute")(sched.address, graph.address), nodes.length);
    } finally {
      if (watched) lib.ggml_backend_sched_set_eval_callback(sched, null, null);
    }
  }

  /** A scheduler's evaluation callback: asks to see a node from time to time, and stops there when it is to stop. */
  #watcher(): lib.ggml_backend_sched_eval_callback {
    const { work } = this.#task;
    const indices = new Map(Array.from(work.nodes, (address, i) => [address, i]));
    const most = sliceCost(work);
    let cost = 0, done = 0;
    return new lib.ggml_backend_sched_eval_callback((node, ask) => {
      const index = indices.get(node!.address); // undefined for a copy of the scheduler's own
      if (ask) {
        cost += index === undefined ? 0 : work.costs[index];
        return cost >= most || this.#failure !== null;
      }
      cost = 0;
      if (index !== undefined) done = Math.max(done, index + 1);
      if (this.#failure === null && done < work.nodes.length) this.#report(done);
      return this.#failure === null;
    });
  }

  #cut(): Slice[] {
    const { slices, context } = cut(this.#task.graph, this.#task.work);
    this.#releases.push(() => lib.ggml_free(context));
    return slices;
  }

  /** After a call: throws if it was not to be or failed, else reports. */
  #finish(status: number, done: number): void {
    if (this.#failure !== null) throw this.#failure[0];
    expectSuccess(status, "computeAsync");
    this.#report(done);
    if (this.#failure !== null) throw this.#failure[0];
  }

  #report(done: number): void {
    try {
      this.#onProgress?.(done, this.#task.work.nodes.length);
    } catch (error) {
      this.fail(error);
    }
  }
}

function queueOf({ address }: Backend): Queue {
  for (const [other, queue] of backendQueues) if (queue.idle) backendQueues.delete(other);
  let queue = backendQueues.get(address);
  if (queue === undefined) backendQueues.set(address, queue = new Queue(1));
  return queue;
}
