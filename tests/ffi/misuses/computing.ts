/**
 * Threadpools, plans and schedulers in a wrong order, freed, with fields that were set by hand. Each is an Error, or right.
 *
 * @module
 */

import { lib } from "@ggml/deno";
import { init } from "@ggml/deno/utils";
import { backend, computable, scheduler, unplaced } from "./made.ts";

const F32 = lib.GGML_TYPE_F32;

export const misuses: Readonly<Record<string, () => unknown>> = {
  "threadpool freed while a backend has it": () => {
    const b = backend(), p = lib.ggml_threadpool_new(lib.ggml_threadpool_params_default(2));
    lib.ggml_backend_cpu_set_threadpool(b, p);
    lib.ggml_threadpool_free(p);
    const { g } = computable();
    return lib.ggml_backend_graph_compute(b, g);
  },
  "threadpool paused, then computed with": () => {
    const p = lib.ggml_threadpool_new(lib.ggml_threadpool_params_default(2));
    lib.ggml_threadpool_pause(p);
    const { g } = computable();
    const plan = lib.ggml_graph_plan(g, 2, p);
    return lib.ggml_graph_compute(g, plan);
  },
  "threadpool paused twice, resumed thrice": () => {
    const p = lib.ggml_threadpool_new(lib.ggml_threadpool_params_default(2));
    for (let i = 0; i < 2; i++) lib.ggml_threadpool_pause(p);
    for (let i = 0; i < 3; i++) lib.ggml_threadpool_resume(p);
    const { g } = computable();
    return lib.ggml_graph_compute(g, lib.ggml_graph_plan(g, 2, p));
  },
  "threadpool made paused, freed": () => {
    const q = lib.ggml_threadpool_params_default(2);
    q.paused = true;
    const p = lib.ggml_threadpool_new(q);
    lib.ggml_threadpool_free(p);
  },
  "threadpool made paused, computed with": () => {
    const q = lib.ggml_threadpool_params_default(2);
    q.paused = true;
    const p = lib.ggml_threadpool_new(q);
    const { g } = computable();
    return lib.ggml_graph_compute(g, lib.ggml_graph_plan(g, 2, p));
  },
  "threadpool freed while a plan has it": () => {
    const p = lib.ggml_threadpool_new(lib.ggml_threadpool_params_default(2));
    const { g } = computable();
    const plan = lib.ggml_graph_plan(g, 2, p);
    lib.ggml_threadpool_free(p);
    return lib.ggml_graph_compute(g, plan);
  },
  "threadpool of a Worker-less twin graphs at once": () => {
    const p = lib.ggml_threadpool_new(lib.ggml_threadpool_params_default(2));
    const x = computable(), y = computable();
    const px = lib.ggml_graph_plan(x.g, 2, p), py = lib.ggml_graph_plan(y.g, 2, p);
    return [lib.ggml_graph_compute(x.g, px), lib.ggml_graph_compute(y.g, py)];
  },
  "plan with threads raised by hand": () => {
    const p = lib.ggml_threadpool_new(lib.ggml_threadpool_params_default(1));
    const { g } = computable();
    const plan = lib.ggml_graph_plan(g, 1, p);
    plan.n_threads = 4;
    return lib.ggml_graph_compute(g, plan);
  },
  "plan of a graph that is then larger": () => {
    const { ctx, g, r } = computable(64);
    const plan = lib.ggml_graph_plan(g, 2, null);
    const w = lib.ggml_new_tensor_2d(ctx, lib.GGML_TYPE_Q4_0, 64, 64);
    lib.ggml_build_forward_expand(g, lib.ggml_mul_mat(ctx, w, r));
    return lib.ggml_graph_compute(g, plan);
  },
  "plan work_data freed memory": () => {
    const { ctx, g, r } = computable(64);
    const w = lib.ggml_new_tensor_2d(ctx, lib.GGML_TYPE_Q4_0, 64, 64);
    lib.ggml_build_forward_expand(g, lib.ggml_mul_mat(ctx, w, r));
    const plan = lib.ggml_graph_plan(g, 2, null);
    const c2 = init({ memSize: 1 << 20 });
    const t = lib.ggml_new_tensor_1d(c2, F32, 10000);
    plan.work_data = t.data as never;
    lib.ggml_free(c2);
    return lib.ggml_graph_compute(g, plan);
  },
  "backend plan: graph's context reset": () => {
    const b = backend();
    const { ctx, g } = computable();
    const plan = lib.ggml_backend_graph_plan_create(b, g);
    lib.ggml_reset(ctx);
    return lib.ggml_backend_graph_plan_compute(b, plan!);
  },
  "backend plan: freed twice": () => {
    const b = backend();
    const { g } = computable();
    const plan = lib.ggml_backend_graph_plan_create(b, g)!;
    lib.ggml_backend_graph_plan_free(b, plan);
    lib.ggml_backend_graph_plan_free(b, plan);
  },
  "backend plan of another backend": () => {
    const b = backend(), c = backend();
    const { g } = computable();
    const plan = lib.ggml_backend_graph_plan_create(b, g)!;
    lib.ggml_backend_graph_plan_compute(c, plan);
    lib.ggml_backend_graph_plan_free(c, plan);
  },
  "backend plan: node data nulled": () => {
    const b = backend();
    const { g, r } = computable();
    const plan = lib.ggml_backend_graph_plan_create(b, g)!;
    r.data = null as never;
    return lib.ggml_backend_graph_plan_compute(b, plan);
  },
  "sched: same backend twice": () => {
    const b = backend();
    const s = lib.ggml_backend_sched_new([b, b], null, 2, 64, false, false);
    const { g } = unplaced();
    lib.ggml_backend_sched_alloc_graph(s, g);
    return lib.ggml_backend_sched_graph_compute(s, g);
  },
  "sched: set_tensor_backend of another sched's backend": () => {
    const b = backend(), c = backend(), s = scheduler(b);
    const { g, r } = unplaced();
    lib.ggml_backend_sched_set_tensor_backend(s, r, c);
    lib.ggml_backend_sched_alloc_graph(s, g);
    return lib.ggml_backend_sched_graph_compute(s, g);
  },
  "sched: set_tensor_backend for 1000 tensors of size 8": () => {
    const b = backend(), s = scheduler(b, 8);
    const ctx = init({ memSize: 4 << 20, noAlloc: true });
    for (let i = 0; i < 1000; i++) lib.ggml_backend_sched_set_tensor_backend(s, lib.ggml_new_tensor_1d(ctx, F32, 4), b);
    const { g } = unplaced();
    lib.ggml_backend_sched_alloc_graph(s, g);
    return lib.ggml_backend_sched_graph_compute(s, g);
  },
  "sched: get_tensor_backend 1000": () => {
    const b = backend(), s = scheduler(b, 8);
    const ctx = init({ memSize: 4 << 20, noAlloc: true });
    for (let i = 0; i < 1000; i++) lib.ggml_backend_sched_get_tensor_backend(s, lib.ggml_new_tensor_1d(ctx, F32, 4));
  },
  "sched: alloc, then graph grows, then compute": () => {
    const b = backend(), s = scheduler(b);
    const { ctx, g, r } = unplaced();
    lib.ggml_backend_sched_alloc_graph(s, g);
    lib.ggml_build_forward_expand(g, lib.ggml_sqr(ctx, r));
    return lib.ggml_backend_sched_graph_compute(s, g);
  },
  "sched: alloc, clear graph, compute": () => {
    const b = backend(), s = scheduler(b);
    const { g } = unplaced();
    lib.ggml_backend_sched_alloc_graph(s, g);
    lib.ggml_graph_clear(g);
    return lib.ggml_backend_sched_graph_compute(s, g);
  },
  "sched: split then compute without alloc": () => {
    const b = backend(), s = scheduler(b);
    const { g } = unplaced();
    lib.ggml_backend_sched_split_graph(s, g);
    return lib.ggml_backend_sched_graph_compute(s, g);
  },
  "sched: backend threads 0": () => {
    const b = backend();
    lib.ggml_backend_cpu_set_n_threads(b, 0);
    const s = scheduler(b);
    const { g } = unplaced();
    return lib.ggml_backend_sched_graph_compute(s, g);
  },
  "sched: backend freed": () => {
    const b = backend();
    const s = scheduler(b);
    lib.ggml_backend_free(b);
    const { g } = unplaced();
    return lib.ggml_backend_sched_graph_compute(s, g);
  },
  "sched: eval callback frees the graph's context": () => {
    const b = backend(), s = scheduler(b);
    const { ctx, g } = unplaced();
    lib.ggml_backend_sched_set_eval_callback(
      s,
      new lib.ggml_backend_sched_eval_callback(() => {
        lib.ggml_free(ctx);
        return true;
      }),
      null,
    );
    return lib.ggml_backend_sched_graph_compute(s, g);
  },
  "sched: eval callback computes the same sched": () => {
    const b = backend(), s = scheduler(b);
    const { g } = unplaced();
    lib.ggml_backend_sched_set_eval_callback(
      s,
      new lib.ggml_backend_sched_eval_callback(() => {
        lib.ggml_backend_sched_graph_compute(s, g);
        return true;
      }),
      null,
    );
    return lib.ggml_backend_sched_graph_compute(s, g);
  },
  "sched: get_backend out of range": () => {
    const s = scheduler(backend());
    return lib.ggml_backend_sched_get_backend(s, 5);
  },
  "sched: buffer_size of a backend that isn't its": () => {
    const s = scheduler(backend());
    return lib.ggml_backend_sched_get_buffer_size(s, backend());
  },
};
