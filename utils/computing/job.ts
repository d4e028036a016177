/**
 * One asynchronous computation.
 *
 * C computes on a thread that Deno lends for the call. On the CPU the whole graph is one call, and cancelling sets a flag that C reads between
 * two nodes (`cancel.ts`); only who wants to hear of progress gets the graph in slices (`slices.ts`). Another backend has no such flag: it gets
 * slices if there is a signal or a progress function. A scheduler takes no slices: it asks a callback between the nodes instead.
 *
 * @module
 */

import { callAside } from "../../ffi/calls/aside.ts";
import { onScheduler } from "../../ffi/calls/checks/computing.ts";
import { expectComputable } from "../../ffi/calls/checks/graph.ts";
import type { Index } from "../../ffi/calls/checks/indices.ts";
import { checkAt, stopsOf } from "../../ffi/calls/checks/slices.ts";
import { IndexWatch } from "../../ffi/calls/checks/node_watch.ts";
import { type Ask, evaluationOf, replaceEvaluation } from "../../ffi/calls/evaluation.ts";
import { cBytes } from "../../ffi/core/c_memory.ts";
import { onBehalf } from "../../ffi/core/on_behalf.ts";
import { type Waiter, waiters } from "../../ffi/core/failure.ts";
import { lib } from "../../ffi/generated/lib.js";
import type { Owner } from "../../ffi/core/owner.ts";
import { operatorsOf } from "../../ffi/calls/threads.ts";
import { askClaimers, type Claimer, claimers, errorOf } from "../../ffi/native/trap.ts";
import { Cancel } from "./cancel.ts";
import { type Queue, queueOf } from "./queue.ts";
import { cut, cutBefore, cutNodes, type Slice, sliceCost } from "./slices.ts";
import { backendsOf, cores, expectSuccess, setThreads, type Task } from "./task.ts";
import { makePlan, noPool, type Pool, poolOf } from "./plan.ts";
import { timer } from "./timed.ts";
import { remember } from "./times.ts";

/** The computations under way. It keeps alive what C uses: nothing else may refer to it any more. */
const jobs: Set<Job> = new Set();

/** The least work, in nanoseconds, that is worth a call on another thread while nodes are timed: that takes 50 µs, which would be measured too. */
const BRIEF = 500_000;

/** For how many milliseconds such brief nodes may hold the event loop up. */
const TURN = 10;

/** A C function of two pointers that gives an `enum ggml_status`, called on another thread. */
async function nonblocking(name: string, first: bigint, second: bigint): Promise<number> {
  return Number(BigInt.asIntN(32, await callAside(name, "computeAsync", [first, second])));
}

/** One call of `computeAsync`. */
export class Job implements Waiter {
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
  /** When the event loop last turned. */
  #turned = performance.now();
  /** How long each node took; null without `timing`. */
  readonly #times: Float64Array | null;

  constructor(task: Task, signal: AbortSignal | undefined, onProgress: ((done: number, total: number) => void) | undefined) {
    this.#task = task;
    this.#signal = signal;
    this.#onProgress = onProgress;
    this.#times = task.timing ? new Float64Array(task.work.nodes.length) : null;
    this.#operators = new Set(operatorsOf(task.graph.address));
  }

  /** Waits for its turn and computes. */
  async run(): Promise<void> {
    const signal = this.#signal;
    signal?.throwIfAborted();
    signal?.addEventListener("abort", this.#onAbort);
    jobs.add(this);
    waiters.add(this);
    claimers.add(this.#claimer);
    try {
      await null; // those that begin together count each other
      await this.#compute();
      if (this.#times !== null) remember(this.#task.graph, this.#task.work.nodes, this.#times);
    } finally {
      askClaimers(); // what other threads failed of, too, is nobody else's
      signal?.removeEventListener("abort", this.#onAbort);
      for (const release of this.#releases.splice(0).reverse()) release();
      waiters.delete(this);
      claimers.delete(this.#claimer);
      jobs.delete(this);
      this.#cancel[Symbol.dispose]();
    }
  }

  claims(owner: Owner, [first]: readonly unknown[]): boolean | null {
    return this.#operators.has(first) || (this.#task.backend?.owner.keeps(owner) === true ? null : false);
  }

  get failed(): boolean {
    return this.#failure !== null;
  }

  fail(error: unknown): void {
    this.#failure ??= [error];
    this.#cancel.set();
  }

  readonly #onAbort = () => this.fail(this.#signal!.reason);

  /** Takes what a thread of C's own failed of, if that was in one of this graph's nodes. */
  readonly #claimer: Claimer = {
    owns: ({ node }) => node === null ? null : this.#task.work.nodes.includes(node.tensor),
    take: (trap) => this.fail(errorOf("computeAsync", trap, {})),
  };

  async #compute(): Promise<void> {
    const { backend } = this.#task;
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
    const { graph } = this.#task;
    const { alone, late } = expectComputable("computeAsync", lib, graph);
    if (alone) this.#threads = 1;
    const pool = this.#times === null ? noPool(this.#threads) : this.#pool();
    for (const { graph: slice, begin, end } of this.#slices(this.#onProgress !== undefined, late)) {
      checkAt("computeAsync", late, begin);
      const plan = makePlan(slice, pool, cBytes); // C may compute on when this isolate has ended
      this.#cancel.watch(plan);
      const call = this.#isBrief(end - 1)
        ? () => onBehalf("computeAsync", lib.ggml_graph_compute, slice, plan)
        : () => nonblocking("ggml_graph_compute", slice.address, plan.address);
      this.#finish(await this.#timed(end - 1, call), end);
      plan.owner.keep(slice.owner); // and so both lived until here
    }
  }

  async #onBackend(backend: lib.ggml_backend): Promise<void> {
    for (const { graph: slice, end } of this.#slices(this.#onProgress !== undefined || this.#signal !== undefined, [])) {
      this.#finish(await this.#timed(end - 1, () => nonblocking("ggml_backend_graph_compute", backend.address, slice.address)), end);
    }
  }

  #pool(): Pool {
    const pool = poolOf(this.#threads);
    this.#releases.push(() => pool.free());
    return pool;
  }

  /** True for a node that takes less time than it takes to have another thread compute it, as far as that is to be measured. */
  #isBrief(node: number): boolean {
    return this.#times !== null && this.#operators.size === 0 && this.#task.work.costs[node] < BRIEF;
  }

  /** Calls C; with `timing`, notes how long that took, and has the event loop turn now and then. */
  async #timed(node: number, call: () => Promise<number> | number): Promise<number> {
    if (this.#times === null) return await call();
    if (this.#task.work.costs[node] === 0) return lib.GGML_STATUS_SUCCESS; // a view: there is nothing to compute
    if (performance.now() - this.#turned > TURN) {
      await new Promise((resolve) => setTimeout(resolve));
      this.#turned = performance.now();
    }
    const start = performance.now();
    const status = await call();
    this.#times[node] = performance.now() - start;
    return status;
  }

  async #onScheduler(sched: lib.ggml_backend_sched): Promise<void> {
    const { graph, work: { nodes } } = this.#task;
    const { alone, late } = onScheduler("computeAsync", lib, sched, graph) ?? { alone: false, late: [] };
    setThreads(backendsOf(sched), alone ? 1 : this.#threads);
    const release = this.#observe(sched, late);
    try {
      this.#finish(await nonblocking("ggml_backend_sched_graph_compute", sched.address, graph.address), nodes.length);
    } finally {
      release();
    }
  }

  /** Has a scheduler's evaluation callback look at what it computes, if there is something to look for. Gives what ends that. */
  #observe(sched: lib.ggml_backend_sched, late: readonly Index[]): () => void {
    const own = evaluationOf(sched.address);
    const onNode = this.#onNode(sched, own !== null);
    if (onNode === null && late.length === 0) return () => {};
    const indices = new IndexWatch("computeAsync", this.#task.graph, late), inner = onNode ?? own;
    const callback = new lib.ggml_backend_sched_eval_callback((node, ask) => {
      const { address } = node!, answer = indices.answer(address, ask, inner === null ? null : () => inner(address, ask));
      if (indices.failure !== null) this.fail(indices.failure[0]);
      return answer;
    });
    const restore = replaceEvaluation(sched.address, callback.address);
    return () => {
      restore();
      indices.restore();
      callback[Symbol.dispose]();
    };
  }

  /** What is done at each node but looking at indices; null for nothing. */
  #onNode(sched: lib.ggml_backend_sched, hasOwn: boolean): Ask | null {
    const { work } = this.#task, { nodes } = work;
    if (this.#times !== null) {
      return timer(sched, work, this.#times, "computeAsync", (index) => {
        if (this.#failure === null && index + 1 < nodes.length) this.#report(index + 1);
        return this.#failure === null;
      });
    }
    return (this.#onProgress !== undefined || this.#signal !== undefined) && !hasOwn ? this.#stepper() : null;
  }

  /** Asks to see a node from time to time, and stops there when it is to stop. */
  #stepper(): Ask {
    const { work } = this.#task;
    const indices = new Map(Array.from(work.nodes, (address, i) => [address, i]));
    const most = sliceCost(work);
    let cost = 0, done = 0;
    return (node, ask) => {
      const index = indices.get(node); // undefined for a copy of the scheduler's own
      if (ask) {
        cost += index === undefined ? 0 : work.costs[index];
        return cost >= most || this.#failure !== null;
      }
      cost = 0;
      if (index !== undefined) done = Math.max(done, index + 1);
      if (this.#failure === null && done < work.nodes.length) this.#report(done);
      return this.#failure === null;
    };
  }

  /** The graph in slices: whole, unless it is to be stopped in between, for somebody or to look at indices. */
  #slices(stops: boolean, late: readonly Index[]): readonly Slice[] {
    const { graph, work } = this.#task;
    if (!stops && late.length === 0 && this.#times === null) return [{ graph, begin: 0, end: work.nodes.length }];
    const cutOne = () => this.#times !== null ? cutNodes(graph, work) : (stops ? cut : cutBefore)(graph, work, stopsOf(late));
    const { slices, context } = cutOne();
    this.#releases.push(() => lib.ggml_free(context));
    return slices;
  }

  /** After a call: throws if it was not to be or failed, else reports. */
  #finish(status: number, done: number): void {
    askClaimers();
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
