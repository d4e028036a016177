/**
 * Checks of the functions that compute graphs.
 *
 * @module
 */

import type { lib as generated } from "../lib.js";
import { expectComputable } from "./graph.ts";
import type { Lib } from "./kernels.ts";

type Graph = generated.ggml_cgraph;
type Backend = generated.ggml_backend;

/** On the CPU, whose kernels are known. */
function onBackend(name: string, lib: Lib, backend: Backend, graph: Graph): void {
  if (lib.ggml_backend_is_cpu(backend)) expectComputable(name, lib, graph);
}

/** Of ggml-cpu.h and ggml-backend.h. */
export const computing = {
  ggml_graph_compute(lib: Lib, graph: Graph): void {
    expectComputable("ggml_graph_compute", lib, graph);
  },
  ggml_graph_compute_with_ctx(lib: Lib, _ctx: unknown, graph: Graph): void {
    expectComputable("ggml_graph_compute_with_ctx", lib, graph);
  },
  ggml_backend_graph_compute(lib: Lib, backend: Backend, graph: Graph): void {
    onBackend("ggml_backend_graph_compute", lib, backend, graph);
  },
  ggml_backend_graph_compute_async(lib: Lib, backend: Backend, graph: Graph): void {
    onBackend("ggml_backend_graph_compute_async", lib, backend, graph);
  },
  ggml_backend_sched_graph_compute(lib: Lib, _sched: unknown, graph: Graph): void {
    expectComputable("ggml_backend_sched_graph_compute", lib, graph, false);
  },
  ggml_backend_sched_graph_compute_async(lib: Lib, _sched: unknown, graph: Graph): void {
    expectComputable("ggml_backend_sched_graph_compute_async", lib, graph, false);
  },
};
