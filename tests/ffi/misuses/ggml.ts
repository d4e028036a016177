/**
 * Backends, buffers, graphs, optimizers and GGUF files in a wrong order, of what was freed, with fields that were set by hand. Each is an Error, or right.
 *
 * @module
 */

import { lib } from "@ggml/deno";
import { init } from "@ggml/deno/utils";
import { backend, computable, folder, scheduler, unplaced } from "./made.ts";

const F32 = lib.GGML_TYPE_F32;

export const misuses: Readonly<Record<string, () => unknown>> = {
  "reg: dev_get beyond": () => lib.ggml_backend_reg_dev_get(lib.ggml_backend_cpu_reg(), 99),
  "dev_get beyond": () => lib.ggml_backend_dev_get(9999),
  "reg_get beyond": () => lib.ggml_backend_reg_get(9999),
  "dev_init params garbage": () => lib.ggml_backend_dev_init(lib.ggml_backend_get_device(backend()), "%s%s%n"),
  "buffer_from_ptr unaligned": () => {
    const m = new Uint8Array(4097).subarray(1);
    const buf = lib.ggml_backend_cpu_buffer_from_ptr(m, 4096);
    const { a } = unplaced();
    lib.ggml_backend_tensor_alloc(buf, a, lib.ggml_backend_buffer_get_base(buf)!);
  },
  "proc address bad": () => lib.ggml_backend_reg_get_proc_address(lib.ggml_backend_cpu_reg(), "nothing"),
  "buffer reset, then its tensors used": () => {
    const b = backend();
    const { ctx, g } = unplaced();
    const buf = lib.ggml_backend_alloc_ctx_tensors(ctx, b)!;
    lib.ggml_backend_buffer_reset(buf);
    return lib.ggml_backend_graph_compute(b, g);
  },
  "buffer clear of freed": () => {
    const b = backend();
    const { ctx } = unplaced();
    const buf = lib.ggml_backend_alloc_ctx_tensors(ctx, b)!;
    lib.ggml_backend_buffer_free(buf);
    lib.ggml_backend_buffer_clear(buf, 0);
  },
  "buffer_init_tensor of elsewhere": () => {
    const b = backend();
    const { ctx } = unplaced();
    const buf = lib.ggml_backend_alloc_ctx_tensors(ctx, b)!;
    return lib.ggml_backend_buffer_init_tensor(buf, computable().a);
  },
  "alloc_ctx_tensors twice": () => {
    const b = backend();
    const { ctx, g } = unplaced();
    lib.ggml_backend_alloc_ctx_tensors(ctx, b);
    lib.ggml_backend_alloc_ctx_tensors(ctx, b);
    return lib.ggml_backend_graph_compute(b, g);
  },
  "alloc_ctx_tensors of a context with memory": () => {
    const b = backend();
    const { ctx, g } = computable();
    lib.ggml_backend_alloc_ctx_tensors(ctx, b);
    return lib.ggml_backend_graph_compute(b, g);
  },
  "tensor_copy of other shapes": () => {
    const b = backend();
    const x = unplaced(4), y = unplaced(8);
    lib.ggml_backend_alloc_ctx_tensors(x.ctx, b);
    lib.ggml_backend_alloc_ctx_tensors(y.ctx, b);
    lib.ggml_backend_tensor_copy(x.a, y.a);
  },
  "event_new, event_wait": () => {
    const b = backend();
    const e = lib.ggml_backend_event_new(lib.ggml_backend_get_device(b));
    return lib.ggml_backend_event_wait(b, e as never);
  },
  "compare_graph_backend same": () => {
    const b = backend();
    const { g } = computable();
    return lib.ggml_backend_compare_graph_backend(b, b, g, new lib.ggml_backend_eval_callback(() => true), null, [], 0);
  },
  "graph_copy then source freed": () => {
    const b = backend();
    const { ctx, g } = computable();
    const c = lib.ggml_backend_graph_copy(b, g);
    lib.ggml_free(ctx);
    return lib.ggml_backend_graph_compute(b, c.graph!);
  },
  "graph_copy of a graph without memory": () => {
    const b = backend();
    return lib.ggml_backend_graph_copy(b, unplaced().g);
  },
  "graph_get_grad of no grads": () => {
    const { g, r } = computable();
    return [lib.ggml_graph_get_grad(g, r), lib.ggml_graph_get_grad_acc(g, r)];
  },
  "graph_reset of no grads": () => lib.ggml_graph_reset(computable().g),
  "backward of a graph without grads": () => {
    const { ctx, g, a } = computable();
    lib.ggml_set_param(a);
    lib.ggml_build_backward_expand(ctx, g, null as never);
  },
  "backward twice": () => {
    const ctx = init({ memSize: 1 << 22 });
    const a = lib.ggml_new_tensor_1d(ctx, F32, 4);
    lib.ggml_set_param(a);
    const l = lib.ggml_sum(ctx, lib.ggml_sqr(ctx, a));
    lib.ggml_set_loss(l);
    const g = lib.ggml_new_graph_custom(ctx, 256, true);
    lib.ggml_build_forward_expand(g, l);
    lib.ggml_build_backward_expand(ctx, g, null as never);
    lib.ggml_build_backward_expand(ctx, g, null as never);
    return lib.ggml_graph_compute_with_ctx(ctx, g, 1);
  },
  "graph of 1 that gets 2": () => {
    const ctx = init({ memSize: 1 << 20 });
    const g = lib.ggml_new_graph_custom(ctx, 1, false);
    const a = lib.ggml_new_tensor_1d(ctx, F32, 4);
    lib.ggml_build_forward_expand(g, lib.ggml_sqr(ctx, lib.ggml_sqr(ctx, a)));
  },
  "graph_node beyond": () => lib.ggml_graph_node(computable().g, 99),
  "graph_node negative beyond": () => lib.ggml_graph_node(computable().g, -99),
  "graph_dup with too little memory": () => {
    const { g } = computable();
    const c = init({ memSize: 1000 });
    return lib.ggml_graph_dup(c, g, true);
  },
  "graph_cpy to smaller": () => {
    const { g } = computable();
    const c = init({ memSize: 1 << 20 });
    const d = lib.ggml_new_graph_custom(c, 0, false);
    lib.ggml_graph_cpy(g, d);
  },
  "graph_dump_dot to a folder": () => lib.ggml_graph_dump_dot(computable().g, null, folder),
  "select with index beyond": () => {
    const { g, a, r } = computable();
    return lib.ggml_build_forward_select(g, [a, r], 2, 7);
  },
  "opt: shuffle beyond": () => {
    const b = backend(), s = scheduler(b, 2048);
    const p = lib.ggml_opt_default_params(s, lib.GGML_OPT_LOSS_TYPE_SUM);
    const o = lib.ggml_opt_init(p);
    const d = lib.ggml_opt_dataset_init(F32, F32, 2, 1, 8, 2);
    lib.ggml_opt_dataset_shuffle(o, d, 9999);
  },
  "opt: shuffle 3 of shards of 2": () => {
    const b = backend(), s = scheduler(b, 2048);
    const o = lib.ggml_opt_init(lib.ggml_opt_default_params(s, lib.GGML_OPT_LOSS_TYPE_SUM));
    const d = lib.ggml_opt_dataset_init(F32, F32, 2, 1, 8, 2);
    lib.ggml_opt_dataset_shuffle(o, d, 3);
  },
  "opt: eval before alloc": () => {
    const b = backend(), s = scheduler(b, 2048);
    const o = lib.ggml_opt_init(lib.ggml_opt_default_params(s, lib.GGML_OPT_LOSS_TYPE_SUM));
    lib.ggml_opt_eval(o, lib.ggml_opt_result_init());
  },
  "opt: reset of a dynamic one": () => {
    const b = backend(), s = scheduler(b, 2048);
    const o = lib.ggml_opt_init(lib.ggml_opt_default_params(s, lib.GGML_OPT_LOSS_TYPE_SUM));
    lib.ggml_opt_reset(o, true);
    return lib.ggml_opt_loss(o);
  },
  "opt: sched freed, then opt freed": () => {
    const b = backend(), s = scheduler(b, 2048);
    const o = lib.ggml_opt_init(lib.ggml_opt_default_params(s, lib.GGML_OPT_LOSS_TYPE_SUM));
    lib.ggml_backend_sched_free(s);
    lib.ggml_opt_free(o);
  },
  "opt: result twice freed": () => {
    const r = lib.ggml_opt_result_init();
    lib.ggml_opt_result_free(r);
    lib.ggml_opt_result_free(r);
  },
  "opt: progress bar of negative": () => {
    const b = backend(), s = scheduler(b, 2048);
    const o = lib.ggml_opt_init(lib.ggml_opt_default_params(s, lib.GGML_OPT_LOSS_TYPE_SUM));
    lib.ggml_opt_epoch_callback_progress_bar(
      true,
      o,
      lib.ggml_opt_dataset_init(F32, F32, 2, 1, 8, 2),
      lib.ggml_opt_result_init(),
      -1,
      0,
      0,
    );
  },
  "gguf: key of NUL, type changed": () => {
    const f = lib.gguf_init_empty();
    lib.gguf_set_val_str(f, "general.alignment", "x");
  },
  "gguf: alignment 0 / 3 / 2^31": () => {
    const f = lib.gguf_init_empty();
    lib.gguf_set_val_u32(f, "general.alignment", 2 ** 31);
    lib.gguf_add_tensor(f, computable().a);
    return lib.gguf_get_meta_size(f);
  },
  "gguf: set_kv of a freed one": () => {
    const f = lib.gguf_init_empty(), h = lib.gguf_init_empty();
    lib.gguf_free(h);
    lib.gguf_set_kv(f, h);
  },
  "gguf: add_tensor without a name twice": () => {
    const f = lib.gguf_init_empty();
    lib.gguf_add_tensor(f, computable().a);
    lib.gguf_add_tensor(f, computable().a);
    return lib.gguf_get_n_tensors(f);
  },
  "gguf: tensor of a freed context written": () => {
    const f = lib.gguf_init_empty(), { ctx, a } = computable();
    lib.gguf_add_tensor(f, a);
    lib.ggml_free(ctx);
    return lib.gguf_write_to_file(f, `${folder}/x`, false);
  },
  "gguf: add a transposed tensor, write": () => {
    const f = lib.gguf_init_empty();
    const ctx = init({ memSize: 1 << 20 });
    lib.gguf_add_tensor(f, lib.ggml_transpose(ctx, lib.ggml_new_tensor_2d(ctx, F32, 3, 5)));
    return lib.gguf_write_to_file(f, `${folder}/x`, false);
  },
  "gguf: type to Q4_0 with odd rows": () => {
    const f = lib.gguf_init_empty();
    lib.gguf_add_tensor(f, lib.ggml_set_name(computable().a, "a"));
    lib.gguf_set_tensor_type(f, "a", lib.GGML_TYPE_Q4_0);
    return lib.gguf_get_tensor_size(f, 0);
  },
  "gguf: callback gives more than asked": () =>
    lib.gguf_init_from_callback(
      new lib.gguf_reader_callback_t(() => 2 ** 40 as never),
      null,
      64,
      1000,
      new lib.gguf_init_params({ no_alloc: true }),
    ),
  "gguf: buffer with a huge count": () => {
    const b = new Uint8Array(64);
    b.set([71, 71, 85, 70, 3, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 15, 1]);
    return lib.gguf_init_from_buffer(b, 64, new lib.gguf_init_params({ no_alloc: true }));
  },
  "reset, then old tensors": () => {
    const { ctx, g } = computable();
    lib.ggml_reset(ctx);
    return lib.ggml_graph_compute_with_ctx(ctx, g, 1);
  },
  "init mem_buffer freed array": () => {
    const p = new lib.ggml_init_params({ mem_size: 4096, no_alloc: false });
    p.mem_buffer = new Uint8Array(4096) as never;
    const c = lib.ggml_init(p)!;
    return lib.ggml_new_tensor_1d(c, F32, 100);
  },
  "unravel_index of an empty tensor": () => {
    const c = init({ memSize: 1 << 16 });
    return lib.ggml_unravel_index(lib.ggml_new_tensor_2d(c, F32, 0, 3), 0, null as never, null as never, null as never, null as never);
  },
};
