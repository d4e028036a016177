/**
 * What `compute` and `computeAsync` share: their options, the checks before C gets the graph, and how many threads it is worth.
 *
 * @module
 */

import { describe } from "../../ffi/core/describe.ts";
import { expectOptions } from "../../ffi/core/options.ts";
import { freedError } from "../../ffi/core/handle.ts";
import { expectIdleGraph } from "../../ffi/core/in_use.ts";
import { lib } from "../../ffi/generated/lib.js";
import { type Computer, computerOf, cpuComputer, sharingComputer } from "../../ffi/calls/checks/computer.ts";
import { lookAt } from "../../ffi/calls/checks/graph.ts";
import { allocatedGraph } from "../../ffi/calls/schedulers.ts";
import { Queue } from "./queue.ts";
import { type Work, workOf } from "./work.ts";

/** What computes a graph: one backend, or a scheduler that shares the graph out among several. */
export type Backend = lib.ggml_backend | lib.ggml_backend_sched;

/** What {@linkcode compute} takes besides the graph. */
export interface ComputeOptions {
  /** The most threads to use on the CPU; by default as many as the machine has cores, and never more than those. */
  threads?: number;
  /** What computes; by default the CPU. */
  backend?: Backend;
  /** True to compute node by node and note how long each takes, for `timings` and pictures of the graph. The results are the same, later. */
  timing?: boolean;
}

const OPTIONS = ["backend", "threads", "timing"], ASYNC_OPTIONS = [...OPTIONS, "signal", "onProgress"];

/** A graph that may be computed, and how. */
export interface Task<O extends ComputeOptions = ComputeOptions> {
  /** The options as they were given. */
  readonly options: O;
  readonly graph: lib.ggml_cgraph;
  /** Null for the CPU. */
  readonly backend: Backend | null;
  readonly work: Work;
  /** The threads to use on the CPU. */
  readonly threads: number;
  readonly timing: boolean;
}

/**
 * What threads cost, in nanoseconds: one more to start, and a wait for each other after each node. Measured on two cores: 1,000 additions of 64
 * floats take 0.05 ms with one thread and 1 ms with two, 1 µs a wait; it is counted with a margin, because ggml's threads spin, and where
 * another process has one of the cores a wait takes 4 ms, a time slice of the system.
 */
const START = 50_000, WAIT = 5_000;

/** The machine's cores. Deno takes 0.2 ms to say for the first time how many there are. */
export const cores: Queue = new Queue(() => navigator.hardwareConcurrency);

/** Throws unless it is a number of threads. */
export function expectThreads(where: string, threads: number): void {
  if (Number.isInteger(threads) && threads >= 1) return;
  const error = typeof threads === "number" ? RangeError : TypeError;
  throw new error(`${where}: threads must be a positive whole number, got ${describe(threads)}`);
}

/**
 * Checks a graph and the options.
 *
 * @param where The caller's name, for errors.
 * @param given The options, which are read once.
 */
export function prepare<O extends ComputeOptions>(where: string, graph: lib.ggml_cgraph, given: O): Task<O> {
  if (!(graph instanceof lib.ggml_cgraph)) throw new TypeError(`${where}: expected a ggml_cgraph, got ${describe(graph)}`);
  const options = expectOptions(where, given, where === "compute" ? OPTIONS : ASYNC_OPTIONS);
  if (graph.owner.freed) throw freedError(graph, where);
  const { threads, timing = false } = options, backend = backendOf(where, options);
  if (threads !== undefined) expectThreads(where, threads);
  if (typeof timing !== "boolean") throw new TypeError(`${where}: timing must be a boolean, got ${describe(timing)}`);
  expectIdleGraph(where, graph);
  const work = workOf(graph, lookAt(where, lib, graph, computer(backend)));
  if (backend instanceof lib.ggml_backend_sched && (allocatedGraph(backend.address) ?? graph.address) !== graph.address) {
    throw new Error(
      `${where}: the scheduler has another graph allocated and would compute that; call ggml_backend_sched_reset first (and ` +
        `ggml_backend_sched_alloc_graph, before you set this graph's inputs)`,
    );
  }
  return {
    options,
    graph,
    backend: backend !== null && isCpu(backend) ? null : backend,
    work,
    threads: worthwhile(threads ?? cores.capacity, work),
    timing,
  };
}

/** How many threads the work is worth, if at most `most` may be used. */
function worthwhile(most: number, { total, busy }: Work): number {
  const threads = Math.min(most, cores.capacity, Math.floor(Math.sqrt(total / START))); // where one more would save less than it costs
  return threads > 1 && total * (1 - 1 / threads) > START * (threads - 1) + WAIT * busy ? threads : 1;
}

/** True for the backend that `ggml_backend_cpu_init` makes. */
function isCpu(backend: Backend): boolean {
  return backend instanceof lib.ggml_backend && lib.ggml_backend_is_cpu(backend);
}

/** The backends of a scheduler. */
export function backendsOf(sched: lib.ggml_backend_sched): lib.ggml_backend[] {
  return Array.from({ length: lib.ggml_backend_sched_get_n_backends(sched) }, (_, i) => lib.ggml_backend_sched_get_backend(sched, i));
}

/** Throws unless ggml said that it succeeded. */
export function expectSuccess(status: number, where: string): void {
  if (status === lib.GGML_STATUS_SUCCESS) return;
  const names = ["GGML_STATUS_ALLOC_FAILED", "GGML_STATUS_FAILED", "GGML_STATUS_ABORTED"] as const;
  throw new Error(`${where}: ggml answered ${names.find((name) => lib[name] === status) ?? status}`);
}

/** The backend that is asked for; null where none is. A null that is given is C's answer that there is no such backend. */
function backendOf(where: string, { backend }: ComputeOptions): Backend | null {
  if (backend === undefined) return null;
  if (!(backend instanceof lib.ggml_backend) && !(backend instanceof lib.ggml_backend_sched)) {
    throw new TypeError(`${where}: backend must be a ggml_backend or a ggml_backend_sched, got ${describe(backend)}`);
  }
  if (backend.owner.freed) throw freedError(backend, where);
  return backend;
}

function computer(backend: Backend | null): Computer {
  if (backend === null) return cpuComputer();
  return backend instanceof lib.ggml_backend ? computerOf(lib, backend) : sharingComputer(lib, backend);
}

/** Sets the threads of the CPU backends among these. */
export function setThreads(backends: readonly lib.ggml_backend[], threads: number): void {
  for (const backend of backends) if (isCpu(backend)) lib.ggml_backend_cpu_set_n_threads(backend, threads);
}
