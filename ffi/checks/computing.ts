/**
 * Checks of the functions that compute graphs, and of what computes them: threads, plans, schedulers.
 *
 * @module
 */

import type { Data } from "../arguments.ts";
import { Handle } from "../handle.ts";
import type { lib as generated } from "../lib.js";
import { library } from "../library.ts";
import type { Owner } from "../owner.ts";
import { plannedAt } from "../plans.ts";
import { isHeld } from "../schedulers.ts";
import { threadsOf } from "../threads.ts";
import { threadsIn } from "../told.ts";
import { expectComputable, nodesOf, sameNodes } from "./graph.ts";
import { addressOfData } from "./pointers.ts";
import { bytesBehind } from "./room.ts";
import { expectBetween, type Lib } from "./say.ts";

type Graph = generated.ggml_cgraph;
type Backend = generated.ggml_backend;
type Plan = generated.ggml_cplan;
type Sched = generated.ggml_backend_sched;

/** On the CPU, whose kernels are known. */
function onBackend(name: string, lib: Lib, backend: Backend, graph: Graph): void {
  if (!lib.ggml_backend_is_cpu(backend)) return;
  expectEnoughThreads(name, backend);
  expectComputable(name, lib, graph);
}

/**
 * As many threads as ggml has masks for. C counts them in 16 bits, computes with none where nothing is left, and what starts them for it may end the
 * process where there are no more to be had.
 */
function expectThreads(where: string, lib: Lib, n_threads: number, least: number): void {
  expectBetween(where, n_threads, least, lib.GGML_MAX_N_THREADS);
}

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
  const [pool] = backend.owner.latest("ggml_backend_cpu_set_threadpool(threadpool)") ?? [];
  if (pool !== undefined) expectPool(`${name}(backend)`, (pool as Owner).address, threadsOf(backend.address));
}

/** Memory to work on that is as long as said, and as long as the graph needs: C looks at neither. */
function expectWork(lib: Lib, graph: Graph, cplan: Plan): void {
  const { n_threads, work_size, work_data } = cplan;
  if (work_size > 0 && work_data === null) return; // which C asserts
  const { work_size: needed } = lib.ggml_graph_plan(graph, n_threads, null);
  if (work_size < needed) {
    throw new RangeError(`ggml_graph_compute(cplan): expected a work_size of at least ${needed} for this graph, got ${work_size}`);
  }
  const bytes = work_data === null ? Infinity : bytesBehind(cplan.owner, work_data.address);
  if (bytes < work_size) {
    throw new RangeError(`ggml_graph_compute(cplan): expected work_data of work_size ${work_size}, got ${bytes} bytes`);
  }
}

/** A plan of a graph that is as it was: C works on memory for the nodes that there were. */
function expectPlan(lib: Lib, backend: Backend, plan: Data): void {
  const planned = plannedAt(addressOfData(plan));
  if (planned === undefined) {
    throw new Error("ggml_backend_graph_plan_compute(plan): expected a plan that ggml_backend_graph_plan_create made");
  }
  if (!(plan instanceof Handle)) return;
  if (!sameNodes(planned.nodes, nodesOf(planned.graph))) {
    throw new Error("ggml_backend_graph_plan_compute(plan): its graph has other nodes than when the plan was made");
  }
  if (!lib.ggml_backend_is_cpu(backend)) return;
  expectComputable("ggml_backend_graph_plan_compute", lib, { address: planned.graph, owner: plan.owner });
}

/** A scheduler that has no optimizer's graph allocated: C would compute that. */
function expectFree(name: string, sched: Sched): void {
  if (!isHeld(sched.address)) return;
  throw new Error(
    `${name}(sched): it has the graph of an optimizer allocated, and C would compute that: call ggml_backend_sched_reset first`,
  );
}

/** Of ggml-cpu.h and ggml-backend.h. */
export const computing = {
  ggml_threadpool_new(lib: Lib, params: generated.ggml_threadpool_params): void {
    expectThreads("ggml_threadpool_new(params): n_threads", lib, params.n_threads, 1);
  },
  ggml_graph_plan(lib: Lib, _graph: unknown, n_threads: number): void {
    expectThreads("ggml_graph_plan(n_threads)", lib, n_threads, -Infinity);
  },
  ggml_backend_cpu_set_n_threads(lib: Lib, _backend: unknown, n_threads: number): void {
    expectThreads("ggml_backend_cpu_set_n_threads(n_threads)", lib, n_threads, -Infinity);
  },
  ggml_graph_compute(lib: Lib, graph: Graph, cplan: Plan): void {
    expectThreads("ggml_graph_compute(cplan): n_threads", lib, cplan.n_threads, -Infinity);
    if (cplan.threadpool !== null) expectPool("ggml_graph_compute(cplan): n_threads", cplan.threadpool.address, cplan.n_threads);
    expectComputable("ggml_graph_compute", lib, graph);
    expectWork(lib, graph, cplan);
  },
  ggml_graph_compute_with_ctx(lib: Lib, _ctx: unknown, graph: Graph, n_threads: number): void {
    expectThreads("ggml_graph_compute_with_ctx(n_threads)", lib, n_threads, -Infinity);
    expectComputable("ggml_graph_compute_with_ctx", lib, graph);
  },
  ggml_backend_graph_compute(lib: Lib, backend: Backend, graph: Graph): void {
    onBackend("ggml_backend_graph_compute", lib, backend, graph);
  },
  ggml_backend_graph_compute_async(lib: Lib, backend: Backend, graph: Graph): void {
    onBackend("ggml_backend_graph_compute_async", lib, backend, graph);
  },
  ggml_backend_graph_plan_compute(lib: Lib, backend: Backend, plan: Data): void {
    expectPlan(lib, backend, plan);
  },
  ggml_backend_compare_graph_backend(lib: Lib, backend1: Backend, backend2: Backend, graph: Graph): void {
    for (const backend of [backend1, backend2]) onBackend("ggml_backend_compare_graph_backend", lib, backend, graph);
  },
  ggml_backend_sched_graph_compute(lib: Lib, sched: Sched, graph: Graph): void {
    expectFree("ggml_backend_sched_graph_compute", sched);
    expectEnoughThreadsIn("ggml_backend_sched_graph_compute", lib, sched);
    expectComputable("ggml_backend_sched_graph_compute", lib, graph, false);
  },
  ggml_backend_sched_graph_compute_async(lib: Lib, sched: Sched, graph: Graph): void {
    expectFree("ggml_backend_sched_graph_compute_async", sched);
    expectEnoughThreadsIn("ggml_backend_sched_graph_compute_async", lib, sched);
    expectComputable("ggml_backend_sched_graph_compute_async", lib, graph, false);
  },
};
