/**
 * Guards of backends and devices, and of the graphs that they compute.
 *
 * By hand: it is C++ (ggml-backend.cpp, ggml-cpu.cpp) and ggml-cpu.c. A function that a backend lacks is a null pointer that C calls, and
 * what a kernel asserts of its tensors is found only by going through the graph, which `guardCompute` does. Two are of ggml.c and ask what
 * is in no argument: how many nodes a graph has, whose struct no header shows, and whether a file can be written.
 *
 * @module
 */

import type { Pointers } from "../arguments.ts";
import { guardCompute } from "../guard_compute.ts";
import type { lib as generated } from "../lib.js";
import { library } from "../library.ts";
import { inBuffer } from "./buffers.ts";
import { type Backend, between, ensure, type Graph, indexOf, type Int, items, type Lib, peek, type Tensor } from "./checks.ts";
import { OBJECT_SIZE, room } from "./contexts.ts";

/** A function that a backend need not have: the pointer at `offset` of struct ggml_backend, behind its guid. */
function implemented(lib: Lib, where: string, backend: Backend, offset: number, what: string): void {
  const view = peek(backend);
  if (view.getBigUint64(0) !== lib.ggml_backend_guid(backend)?.address) return;
  ensure(view.getBigUint64(offset) !== 0n, () => `${where}: the backend ${lib.ggml_backend_name(backend)} has no ${what}`);
}

/** A graph whose tensors all have data in some backend's buffer. */
function allocatedGraph(lib: Lib, where: string, graph: Graph): void {
  const seen = new Set<bigint>();
  const visit = (tensor: Tensor | null) => {
    if (tensor === null || seen.has(tensor.address)) return;
    seen.add(tensor.address);
    inBuffer(lib, where, tensor);
    visit(tensor.view_src);
    tensor.src.forEach(visit);
  };
  for (let i = 0; i < lib.ggml_graph_n_nodes(graph); i++) visit(lib.ggml_graph_node(graph, i));
}

/** As many threads as ggml has masks for; none or less means its default. */
function threads(where: string, lib: Lib, n_threads: number, least: number): void {
  between(where, n_threads, least, lib.GGML_MAX_N_THREADS);
}

/** A backend that runs on the CPU. */
function onCpu(lib: Lib, name: string, backend_cpu: Backend): void {
  ensure(
    lib.ggml_backend_is_cpu(backend_cpu),
    () => `${name}(backend_cpu): expected a CPU backend, got ${lib.ggml_backend_name(backend_cpu)}`,
  );
}

/** Of ggml.h, ggml-backend.h and ggml-cpu.h. */
export const backends = {
  ggml_graph_node(lib: Lib, graph: Graph, i: number) {
    const nodes = lib.ggml_graph_n_nodes(graph);
    indexOf("ggml_graph_node(i)", i < 0 ? nodes + i : i, nodes, "node");
  },
  ggml_graph_dump_dot(lib: Lib, _gb: Graph, _graph: Graph | null, filename: string) {
    const file = lib.ggml_fopen(filename, "a");
    if (file === null) throw new Error(`ggml_graph_dump_dot(filename): can't write to ${JSON.stringify(filename)}`);
    const close = library().find("fclose", { parameters: ["u64"], result: "i32" }) as ((file: bigint) => number) | undefined;
    close?.(file.address);
  },
  ggml_backend_graph_plan_create(lib: Lib, backend: Backend) {
    implemented(lib, "ggml_backend_graph_plan_create(backend)", backend, 72, "plans");
  },
  ggml_backend_graph_plan_compute(lib: Lib, backend: Backend) {
    implemented(lib, "ggml_backend_graph_plan_compute(backend)", backend, 96, "plans");
  },
  ggml_backend_event_record(lib: Lib, _event: generated.ggml_backend_event, backend: Backend) {
    implemented(lib, "ggml_backend_event_record(backend)", backend, 112, "events");
  },
  ggml_backend_event_wait(lib: Lib, backend: Backend) {
    implemented(lib, "ggml_backend_event_wait(backend)", backend, 120, "events");
  },
  ggml_backend_reg_get(lib: Lib, index: Int) {
    indexOf("ggml_backend_reg_get(index)", index, lib.ggml_backend_reg_count(), "registered backend");
  },
  ggml_backend_dev_get(lib: Lib, index: Int) {
    indexOf("ggml_backend_dev_get(index)", index, lib.ggml_backend_dev_count(), "device");
  },
  ggml_backend_reg_dev_get(lib: Lib, reg: generated.ggml_backend_reg, index: Int) {
    indexOf("ggml_backend_reg_dev_get(index)", index, lib.ggml_backend_reg_dev_count(reg), "device of the backend");
  },
  ggml_backend_meta_device(lib: Lib, _devs: unknown, n_devs: Int) {
    between("ggml_backend_meta_device(n_devs)", n_devs, 1, lib.GGML_BACKEND_META_MAX_DEVICES);
  },
  ggml_backend_graph_copy(lib: Lib, _backend: Backend, graph: Graph) {
    allocatedGraph(lib, "ggml_backend_graph_copy(graph)", graph);
  },
  ggml_backend_compare_graph_backend(
    lib: Lib,
    _backend1: Backend,
    _backend2: Backend,
    graph: Graph,
    _callback: unknown,
    _user_data: unknown,
    test_nodes: Pointers<Tensor> | null,
    num_test_nodes: Int,
  ) {
    allocatedGraph(lib, "ggml_backend_compare_graph_backend(graph)", graph);
    const wanted = new Set(items(test_nodes, Number(num_test_nodes), lib.ggml_tensor).map(({ address }) => address));
    if (wanted.size === 0) return;
    for (let i = 0; i < lib.ggml_graph_n_nodes(graph); i++) if (wanted.has(lib.ggml_graph_node(graph, i).address)) return;
    throw new Error("ggml_backend_compare_graph_backend(test_nodes): none of them is a node of the graph");
  },
  ggml_backend_graph_compute(lib: Lib, backend: Backend, graph: Graph) {
    guardCompute("ggml_backend_graph_compute", lib, graph, backend);
  },
  ggml_backend_graph_compute_async(lib: Lib, backend: Backend, graph: Graph) {
    guardCompute("ggml_backend_graph_compute_async", lib, graph, backend);
  },
  ggml_threadpool_new(lib: Lib, params: generated.ggml_threadpool_params) {
    threads("ggml_threadpool_new(params): n_threads", lib, params.n_threads, 1);
  },
  ggml_graph_plan(lib: Lib, _graph: Graph, n_threads: number) {
    threads("ggml_graph_plan(n_threads)", lib, n_threads, -Infinity);
  },
  ggml_graph_compute(lib: Lib, graph: Graph, { n_threads, work_size, work_data }: generated.ggml_cplan) {
    threads("ggml_graph_compute(cplan): n_threads", lib, n_threads, 1);
    ensure(
      work_size === 0 || work_data !== null,
      () => `ggml_graph_compute(cplan): expected ${work_size} bytes of working memory in work_data, got null`,
    );
    guardCompute("ggml_graph_compute", lib, graph);
  },
  ggml_graph_compute_with_ctx(lib: Lib, ctx: generated.ggml_context, graph: Graph, n_threads: number) {
    threads("ggml_graph_compute_with_ctx(n_threads)", lib, n_threads, -Infinity);
    guardCompute("ggml_graph_compute_with_ctx", lib, graph);
    const { work_size } = lib.ggml_graph_plan(graph, n_threads, null);
    room(lib, "ggml_graph_compute_with_ctx(ctx)", ctx, Math.ceil(work_size / 16) * 16 + OBJECT_SIZE);
  },
  ggml_backend_cpu_set_n_threads(lib: Lib, backend_cpu: Backend, n_threads: number) {
    onCpu(lib, "ggml_backend_cpu_set_n_threads", backend_cpu);
    threads("ggml_backend_cpu_set_n_threads(n_threads)", lib, n_threads, -Infinity);
  },
  ggml_backend_cpu_set_threadpool(lib: Lib, backend_cpu: Backend) {
    onCpu(lib, "ggml_backend_cpu_set_threadpool", backend_cpu);
  },
  ggml_backend_cpu_set_abort_callback(lib: Lib, backend_cpu: Backend) {
    onCpu(lib, "ggml_backend_cpu_set_abort_callback", backend_cpu);
  },
  ggml_backend_cpu_set_use_ref(lib: Lib, backend_cpu: Backend) {
    onCpu(lib, "ggml_backend_cpu_set_use_ref", backend_cpu);
  },
};
