/**
 * Checks of the functions that compute graphs, and of what computes them: threads, plans, schedulers.
 *
 * @module
 */

import type { Data } from "../../core/arguments.ts";
import { anyCallback } from "../../core/callback.ts";
import { changed } from "../changes.ts";
import { nodesOf, sameNodes } from "../graph_nodes.ts";
import { Handle } from "../../core/handle.ts";
import { exempted, expectIdle, expectIdleGraph, willUse } from "../../core/in_use.ts";
import type { lib as generated } from "../../generated/lib.js";
import { library } from "../../load/library.ts";
import type { Owner } from "../../core/owner.ts";
import { isPlaced } from "../placement.ts";
import { type Planned, plannedAt } from "../plans.ts";
import { isHeld } from "../schedulers.ts";
import { threadsOf } from "../threads.ts";
import { threadsIn } from "../told.ts";
import { computerOf } from "./computer.ts";
import { expectComputable, type Good, lookAt, type Place } from "./graph.ts";
import { under } from "./leafs.ts";
import { leaveWord } from "./pending.ts";
import { addressOfData } from "./pointers.ts";
import { bytesBehind } from "./room.ts";
import type { Lib } from "./say.ts";
import { expectThreads } from "./thread_count.ts";
import { expectInBuffers } from "./unplaced.ts";

type Graph = generated.ggml_cgraph;
type Backend = generated.ggml_backend;
type Plan = generated.ggml_cplan;
type Sched = generated.ggml_backend_sched;

/**
 * A graph that isn't being computed, nor anything else by what computes it. From now on they are in use, if there is a function that C may call back:
 * during that call they could be freed or changed.
 */
function begin(name: string, graph: Place, ...others: readonly (Pick<Handle, "owner"> | null)[]): void {
  expectIdleGraph(name, graph);
  const those = others.filter((other) => other !== null);
  for (const other of those) expectIdle(name, other);
  willUse(name, graph, those, anyCallback);
}

/** The threadpool that a backend was given. */
function poolOf(backend: Backend): Pick<Handle, "owner"> | null {
  const [owner] = backend.owner.latest("ggml_backend_cpu_set_threadpool(threadpool)") ?? [];
  return owner === undefined ? null : { owner: owner as Owner };
}

/** Checks a graph that the CPU is to compute, whose kernels are known. */
function onCpu(name: string, lib: Lib, graph: Place): Good {
  const good = expectComputable(name, lib, graph);
  leaveWord(name, lib, graph, good);
  return good;
}

function onBackend(name: string, lib: Lib, backend: Backend, graph: Graph): Good | null {
  if (!lib.ggml_backend_is_cpu(backend)) {
    lookAt(name, lib, graph, computerOf(lib, backend));
    return null;
  }
  expectEnoughThreads(name, backend);
  return onCpu(name, lib, graph);
}

/** Checks a graph that one backend is to compute at once. */
function onIdleBackend(name: string, lib: Lib, backend: Backend, graph: Graph): void {
  onBackend(name, lib, backend, graph);
  begin(name, graph, backend, poolOf(backend));
}

/** Checks a graph that an idle scheduler is to compute at once. */
function onIdleScheduler(name: string, lib: Lib, sched: Sched, graph: Graph): void {
  expectIdleGraph(name, graph);
  expectIdle(name, sched);
  onScheduler(name, lib, sched, graph);
  begin(name, graph, sched);
}

/** Checks a graph that a scheduler is to compute: it finds memory for the tensors first, as C would. */
export function onScheduler(name: string, lib: Lib, sched: Sched, graph: Graph): Good | null {
  expectFree(name, sched);
  expectEnoughThreadsIn(name, lib, sched);
  if (!isPlaced(graph, sched) && !allocated(name, lib, sched, graph)) return null; // C says so, too
  const good = expectComputable(name, lib, graph, elsewhere(lib, sched));
  leaveWord(name, lib, graph, good);
  return good;
}

function allocated(name: string, lib: Lib, sched: Sched, graph: Graph): boolean {
  const allocate = "ggml_backend_sched_alloc_graph";
  return under(name, allocate, () => exempted(() => lib[allocate](sched, graph)));
}

/** Which nodes are computed by a scheduler's other backends; null where the CPU is the only one. */
function elsewhere(lib: Lib, sched: Sched): ((node: bigint) => boolean) | null {
  const backends = Array.from(
    { length: lib.ggml_backend_sched_get_n_backends(sched) },
    (_, i) => lib.ggml_backend_sched_get_backend(sched, i),
  );
  const others = new Set(backends.filter((backend) => !lib.ggml_backend_is_cpu(backend)).map(({ address }) => address));
  if (others.size === 0) return null;
  backendOf ??= library().symbol("ggml_backend_sched_get_tensor_backend", {
    parameters: ["u64", "u64"],
    result: "u64",
  }) as typeof backendOf;
  return (node) => others.has(backendOf!(sched.address, node));
}

let backendOf: ((sched: bigint, node: bigint) => bigint) | null = null;

/** A pool that has a thread for each that computes: with OpenMP C takes more from behind the pool's. */
function expectPool(where: string, pool: bigint, n_threads: number): void {
  const available = threadsIn(pool) ?? Infinity;
  if (n_threads <= available || library().address("omp_get_num_threads") === null) return;
  throw new RangeError(`${where}: expected at most as many threads as the threadpool has, ${available}, got ${n_threads}`);
}

/** A scheduler of such backends. */
function expectEnoughThreadsIn(name: string, lib: Lib, sched: Sched): void {
  if (library().address("omp_get_num_threads") === null) return;
  for (let i = lib.ggml_backend_sched_get_n_backends(sched) - 1; i >= 0; i--) {
    const backend = lib.ggml_backend_sched_get_backend(sched, i);
    if (lib.ggml_backend_is_cpu(backend)) expectEnoughThreads(name, backend);
  }
}

/** A CPU backend whose threadpool has as many threads as it was told to use. */
function expectEnoughThreads(name: string, backend: Backend): void {
  const pool = poolOf(backend);
  if (pool !== null) expectPool(`${name}(backend)`, pool.owner.address, threadsOf(backend.address));
}

/** Memory to work on that is as long as said, and as long as the graph needs: C looks at neither. */
function expectWork(lib: Lib, graph: Graph, cplan: Plan, { work }: Good): void {
  const { n_threads, work_size, work_data } = cplan;
  if (work_size > 0 && work_data === null) return; // which C asserts
  const needed = work.get(n_threads) ?? workSizeOf(lib, graph, n_threads);
  work.set(n_threads, needed);
  if (work_size < needed) {
    throw new RangeError(`ggml_graph_compute(cplan): expected a work_size of at least ${needed} for this graph, got ${work_size}`);
  }
  const bytes = work_data === null ? Infinity : bytesBehind(cplan.owner, work_data.address);
  if (bytes < work_size) {
    throw new RangeError(`ggml_graph_compute(cplan): expected work_data of work_size ${work_size}, got ${bytes} bytes`);
  }
}

function workSizeOf(lib: Lib, graph: Graph, threads: number): number {
  const plan = lib.ggml_graph_plan(graph, threads, null), { work_size } = plan;
  plan.owner.end("read", () => {}); // or the graph would know of it until the event loop turns
  return work_size;
}

function planOf(name: string, plan: Data): Planned {
  const planned = plannedAt(addressOfData(plan));
  if (planned === undefined) throw new Error(`${name}(plan): expected a plan that ggml_backend_graph_plan_create made`);
  return planned;
}

/** A plan of a graph that is as it was: C works on memory for the nodes that there were. */
function expectPlan(lib: Lib, backend: Backend, plan: Data): void {
  const planned = planOf("ggml_backend_graph_plan_compute", plan);
  if (!(plan instanceof Handle)) return;
  if (!sameNodes(planned.nodes, nodesOf(planned.graph))) {
    throw new Error("ggml_backend_graph_plan_compute(plan): its graph has other nodes than when the plan was made");
  }
  if (!lib.ggml_backend_is_cpu(backend)) return;
  const graph = { address: planned.graph, owner: plan.owner };
  onCpu("ggml_backend_graph_plan_compute", lib, graph);
  begin("ggml_backend_graph_plan_compute", graph, backend, poolOf(backend));
}

/** A scheduler that has no optimizer's graph allocated: C would compute that. */
function expectFree(name: string, sched: Sched): void {
  if (!isHeld(sched.address)) return;
  throw new Error(
    `${name}(sched): it has the graph of an optimizer allocated, and C would compute that: call ggml_backend_sched_reset first`,
  );
}

/** Checks of functions of ggml-cpu.h and ggml-backend.h. */
export const computing = {
  /** Gives it another kernel. */
  ggml_mul_mat_set_hint(): void {
    changed();
  },
  ggml_threadpool_new(_lib: Lib, params: generated.ggml_threadpool_params): void {
    expectThreads("ggml_threadpool_new(params): n_threads", params.n_threads, 1);
  },
  ggml_graph_plan(_lib: Lib, _graph: unknown, n_threads: number): void {
    expectThreads("ggml_graph_plan(n_threads)", n_threads);
  },
  ggml_backend_cpu_set_n_threads(_lib: Lib, _backend: unknown, n_threads: number): void {
    expectThreads("ggml_backend_cpu_set_n_threads(n_threads)", n_threads);
  },
  ggml_graph_compute(lib: Lib, graph: Graph, cplan: Plan): void {
    expectThreads("ggml_graph_compute(cplan): n_threads", cplan.n_threads);
    if (cplan.threadpool !== null) expectPool("ggml_graph_compute(cplan): n_threads", cplan.threadpool.address, cplan.n_threads);
    expectWork(lib, graph, cplan, onCpu("ggml_graph_compute", lib, graph));
    begin("ggml_graph_compute", graph, cplan.threadpool);
  },
  ggml_graph_compute_with_ctx(lib: Lib, _ctx: unknown, graph: Graph, n_threads: number): void {
    expectThreads("ggml_graph_compute_with_ctx(n_threads)", n_threads);
    onCpu("ggml_graph_compute_with_ctx", lib, graph);
    begin("ggml_graph_compute_with_ctx", graph);
  },
  ggml_backend_graph_compute(lib: Lib, backend: Backend, graph: Graph): void {
    onIdleBackend("ggml_backend_graph_compute", lib, backend, graph);
  },
  ggml_backend_graph_compute_async(lib: Lib, backend: Backend, graph: Graph): void {
    onIdleBackend("ggml_backend_graph_compute_async", lib, backend, graph);
  },
  ggml_backend_graph_plan_compute(lib: Lib, backend: Backend, plan: Data): void {
    expectPlan(lib, backend, plan);
  },
  /** C frees what it points to. */
  ggml_backend_graph_plan_free(_lib: Lib, _backend: unknown, plan: Data): void {
    planOf("ggml_backend_graph_plan_free", plan);
  },
  ggml_backend_compare_graph_backend(lib: Lib, backend1: Backend, backend2: Backend, graph: Graph): void {
    const name = "ggml_backend_compare_graph_backend";
    for (const backend of [backend1, backend2]) {
      const { late = [] } = onBackend(name, lib, backend, graph) ?? {};
      if (late.length > 0) throw new Error(`${name}: node ${late[0].node} takes indices that the graph computes: they can't be looked at`);
    }
    expectInBuffers(name, graph);
    begin(name, graph, backend1, backend2);
  },
  ggml_backend_sched_graph_compute(lib: Lib, sched: Sched, graph: Graph): void {
    onIdleScheduler("ggml_backend_sched_graph_compute", lib, sched, graph);
  },
  ggml_backend_sched_graph_compute_async(lib: Lib, sched: Sched, graph: Graph): void {
    onIdleScheduler("ggml_backend_sched_graph_compute_async", lib, sched, graph);
  },
};
