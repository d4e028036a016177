/** Wrong calls of ggml-opt.h. */

import { lib } from "@ggml/deno";
import { init } from "@ggml/deno/utils";
import { type Case, ctx, DIVIDED, floats, four, inBuffer, nowhere, optimizer, scheduler, sums } from "./objects.ts";

const { GGML_TYPE_F32: F32, GGML_TYPE_Q4_0: Q4_0, GGML_TYPE_I32: I32 } = lib;

const dataset = lib.ggml_opt_dataset_init(F32, F32, 2, 0, 8, 2);

const labelled = lib.ggml_opt_dataset_init(F32, F32, 2, 1, 8, 2);

/** A data set that nobody has the memory for. */
const vast = () => lib.ggml_opt_dataset_init(F32, F32, 2 ** 30, 0, 2 ** 20, 4);

const dynamic = (params: object = {}) => optimizer({ ctx_compute: null, inputs: null, outputs: null, ...params });

const result = lib.ggml_opt_result_init();

/** A result with the predictions for four data points. */
function predicted(): lib.ggml_opt_result {
  const result = lib.ggml_opt_result_init(), opt = optimizer({}, lib.GGML_OPT_LOSS_TYPE_CROSS_ENTROPY);
  lib.ggml_opt_alloc(opt, false);
  lib.ggml_opt_eval(opt, result);
  return result;
}

/** Adds a step of another kind of optimizer to a result. */
function addStep(result: lib.ggml_opt_result): void {
  const opt = optimizer();
  lib.ggml_opt_alloc(opt, false);
  lib.ggml_opt_eval(opt, result);
}

/** A graph of tensors of which none was said to be a parameter. */
function untrainable(): { graph: lib.ggml_cgraph; inputs: lib.ggml_tensor } {
  const own = init({ memSize: 8 << 20, noAlloc: true }), inputs = lib.ggml_new_tensor_1d(own, F32, 4);
  const graph = lib.ggml_new_graph_custom(own, 64, true);
  lib.ggml_build_forward_expand(graph, lib.ggml_sqr(own, inputs));
  return { graph, inputs };
}

/** A graph that can be trained. */
function trainable(steps = 0) {
  const ctx = init({ memSize: 8 << 20, noAlloc: true }),
    inputs = lib.ggml_new_tensor_1d(ctx, F32, 4),
    weights = lib.ggml_new_tensor_1d(ctx, F32, 4);
  lib.ggml_set_param(weights);
  const graph = lib.ggml_new_graph_custom(ctx, 64, true);
  let outputs = lib.ggml_mul(ctx, inputs, weights);
  for (let i = 0; i < steps; i++) outputs = lib.ggml_mul(ctx, outputs, weights);
  lib.ggml_build_forward_expand(graph, outputs);
  return { ctx, graph, inputs, outputs };
}

/** What no kernel survives. */
function unrotatable(): lib.ggml_tensor {
  const own = init({ memSize: 1 << 20 }), a = lib.ggml_new_tensor_3d(own, F32, 4, 1, 1);
  return lib.ggml_sqr(own, lib.ggml_rope(own, a, lib.ggml_new_tensor_1d(own, I32, 1), 0, 0));
}

function lossy(): lib.ggml_tensor {
  const loss = lib.ggml_sum(ctx, lib.ggml_new_tensor_1d(ctx, F32, 4));
  lib.ggml_set_loss(loss);
  return loss;
}

const optParams = (fields: object) => Object.assign(lib.ggml_opt_default_params(scheduler(), lib.GGML_OPT_LOSS_TYPE_SUM), fields);

const pars = new lib.ggml_opt_get_optimizer_params((userdata) => lib.ggml_opt_get_default_optimizer_params(userdata));

const batch = inBuffer(F32, 2, 4);

const weights = inBuffer(F32, 2);

lib.ggml_set_param(weights);

function fit(data: lib.ggml_opt_dataset, logical: number, split: number, trainable = true, inputs = batch): void {
  const compute = init({ memSize: 8 << 20, noAlloc: true });
  lib.ggml_opt_fit(
    scheduler(4096),
    compute,
    inputs,
    trainable ? lib.ggml_mul_mat(compute, weights, inputs) : inputs,
    data,
    lib.GGML_OPT_LOSS_TYPE_SUM,
    lib.GGML_OPT_OPTIMIZER_TYPE_SGD,
    pars,
    1,
    logical,
    split,
    true,
  );
}

/** The cases, by function. */
export const cases: Record<string, Case[]> = {
  ggml_opt_dataset_init: [
    [() => lib.ggml_opt_dataset_init(F32, F32, 0, 0, 8, 2), ": assertion failed: ne_datapoint > 0"],
    [() => lib.ggml_opt_dataset_init(F32, F32, 2, -1, 8, 2), ": assertion failed: ne_label >= 0"],
    [() => lib.ggml_opt_dataset_init(F32, F32, 2, 0, 0, 2), ": assertion failed: ndata > 0"],
    [() => lib.ggml_opt_dataset_init(F32, F32, 2, 0, 8, 0), ": assertion failed: ndata_shard > 0"],
    [() => lib.ggml_opt_dataset_init(Q4_0, F32, 2, 0, 8, 2), "(ne_datapoint): expected a multiple of 32"],
    [
      () => lib.ggml_opt_dataset_init(F32, F32, 2 ** 31, 0, 2 ** 31, 2),
      ": 2147483648 times 2147483648 numbers of f32 would take more than 2^53 bytes",
    ],
    [() => lib.ggml_opt_dataset_init(F32, F32, 1, 2 ** 31, 2 ** 31, 2), ": 2147483648 times 2147483648 numbers of f32 would take more"],
  ],
  ggml_opt_dataset_shuffle: [
    [() => lib.ggml_opt_dataset_shuffle(optimizer(), dataset, 3), ": assertion failed: idata % dataset->ndata_shard == 0"],
    [() => lib.ggml_opt_dataset_shuffle(optimizer(), dataset, 10), ": assertion failed: idata <= dataset->ndata"],
  ],
  ggml_opt_dataset_get_batch: [
    [
      () => lib.ggml_opt_dataset_get_batch(dataset, batch, null, 2),
      ": assertion failed: (ibatch + 1)*shards_per_batch <= int64_t(dataset->permutation.size())",
    ],
    [() => lib.ggml_opt_dataset_get_batch(dataset, batch, null, -1), "(ibatch): expected"],
    [
      () => lib.ggml_opt_dataset_get_batch(dataset, batch, four, 0),
      ": assertion failed: (labels_batch == nullptr) == (dataset->labels == nullptr)",
    ],
    [
      () => lib.ggml_opt_dataset_get_batch(labelled, batch, null, 0),
      ": assertion failed: (labels_batch == nullptr) == (dataset->labels == nullptr)",
    ],
    [
      () => lib.ggml_opt_dataset_get_batch(dataset, inBuffer(I32, 2, 4), null, 0),
      ": assertion failed: data_batch->type == dataset->data->type",
    ],
    [
      () => lib.ggml_opt_dataset_get_batch(dataset, inBuffer(F32, 3), null, 0),
      ": assertion failed: nb_data_batch % dataset->nbs_data == 0",
    ],
    [
      () => lib.ggml_opt_dataset_get_batch(labelled, batch, inBuffer(F32, 1, 3), 0),
      ": assertion failed: nb_labels_batch == shards_per_batch*dataset->nbs_labels",
    ],
    [
      () => lib.ggml_opt_dataset_get_batch(dataset, lib.ggml_new_tensor_2d(ctx, F32, 2, 4), null, 0),
      ': assertion failed: buf != NULL && "tensor buffer not set"',
    ],
    [
      () => lib.ggml_opt_dataset_get_batch(vast(), batch, null, 0),
      "(dataset): there was no memory for its data",
    ],
  ],
  ggml_opt_dataset_get_batch_host: [
    [
      () => lib.ggml_opt_dataset_get_batch_host(dataset, floats(8), 32, null, 2),
      ": assertion failed: (ibatch + 1)*shards_per_batch <= int64_t(dataset->permutation.size())",
    ],
    [
      () => lib.ggml_opt_dataset_get_batch_host(labelled, floats(8), 32, null, 0),
      ": assertion failed: (labels_batch == nullptr) == (dataset->labels == nullptr)",
    ],
    [() => lib.ggml_opt_dataset_get_batch_host(labelled, floats(8), 32, floats(3), 0), "(labels_batch): expected at least 16 bytes"],
    [() => lib.ggml_opt_dataset_get_batch_host(dataset, floats(8), 33, null, 0), "(data_batch): expected at least 33 bytes"],
    [
      () => lib.ggml_opt_dataset_get_batch_host(dataset, floats(9), 33, null, 0),
      ": assertion failed: nb_data_batch % dataset->nbs_data == 0",
    ],
    [
      () => lib.ggml_opt_dataset_get_batch_host(dataset, floats(8), 32, null, 2n ** 62n),
      "(ibatch): expected 0 to 7, got 4611686018427387904",
    ],
    [() => lib.ggml_opt_dataset_get_batch_host(vast(), floats(8), 32, null, 0), "(dataset): there was no memory for its data"],
  ],
  ggml_opt_init: [
    [
      () => optimizer({ build_type: lib.GGML_OPT_BUILD_TYPE_GRAD }),
      ": assertion failed: opt_ctx->build_type_alloc == GGML_OPT_BUILD_TYPE_OPT",
    ],
    [() => lib.ggml_opt_init(optParams({ opt_period: 0 })), ": assertion failed: result->opt_period >= 1"],
    [() => lib.ggml_opt_init(optParams({ inputs: batch })), ": assertion failed: !result->inputs"],
    [() => lib.ggml_opt_init(optParams({ ctx_compute: ctx })), ": assertion failed: result->inputs"],
    [
      () => lib.ggml_opt_init(optParams({ ctx_compute: ctx, inputs: nowhere(), outputs: batch })),
      ': assertion failed: (!opt_ctx->static_graphs || opt_ctx->inputs->data) && "when using static graphs the inputs',
    ],
    [
      () => lib.ggml_opt_init(optParams({ ctx_compute: ctx, inputs: batch, outputs: batch })),
      ': assertion failed: any_params && "no trainable parameters found, did you forget to call ggml_set_param?"',
    ],
    [
      () => lib.ggml_opt_init(optParams({ ctx_compute: ctx, inputs: batch, outputs: lossy() })),
      ': assertion failed: !(node->flags & GGML_TENSOR_FLAG_LOSS) && "support for extra loss terms not implemented"',
    ],
    [() => optimizer({ backend_sched: null }), ": assertion failed: sched"],
    [() => optimizer({ outputs: unrotatable() }), ": node 2 (ROPE: "],
  ],
  ggml_opt_grad_acc: [[() => lib.ggml_opt_grad_acc(dynamic(), four), ": C used a null pointer (the address 0x38): node is f32 ne=[4]"]],
  ggml_opt_result_loss: [[
    () => lib.ggml_opt_result_loss(result, new Float64Array(1), null),
    ": C used a null pointer",
  ]],
  ggml_opt_result_pred: [
    [
      () => lib.ggml_opt_result_pred(predicted(), new Int32Array(3)),
      "(pred): expected at least 4 int32s (the result's ndata), got an Int32Array of 3",
    ],
  ],
  ggml_opt_prepare_alloc: [
    [() => lib.ggml_opt_prepare_alloc(optimizer(), ctx, sums(1), four, four), ": assertion failed: !opt_ctx->static_graphs"],
    [() => {
      const opt = dynamic(), [first, second] = [trainable(), trainable()];
      lib.ggml_opt_prepare_alloc(opt, first.ctx, first.graph, first.inputs, first.outputs);
      lib.ggml_opt_alloc(opt, true);
      lib.ggml_opt_prepare_alloc(opt, second.ctx, second.graph, second.inputs, second.outputs);
    }, "(opt_ctx): a graph is allocated already: call ggml_opt_eval first"],
  ],
  ggml_opt_alloc: [
    [() => {
      const opt = dynamic();
      for (const { ctx, graph, inputs, outputs } of [trainable(0), trainable(5)]) {
        lib.ggml_opt_prepare_alloc(opt, ctx, graph, inputs, outputs);
        lib.ggml_opt_alloc(opt, true);
        lib.ggml_opt_eval(opt, null);
      }
    }, "(opt_ctx): expected a graph of at most 2 nodes, as the first had, got 7"],
    [() => {
      const opt = dynamic(), { graph, inputs } = untrainable();
      lib.ggml_opt_prepare_alloc(opt, init({ memSize: 8 << 20, noAlloc: true }), graph, inputs, inputs);
      lib.ggml_opt_alloc(opt, false);
    }, ': assertion failed: any_params && "no trainable parameters found, did you forget to call ggml_set_param?"'],
    [
      () => lib.ggml_opt_alloc(dynamic(), false),
      ': assertion failed: opt_ctx->ctx_compute && "no compute context set, either use static graphs or set one with',
    ],
    [
      () => lib.ggml_opt_alloc(optimizer({ build_type: lib.GGML_OPT_BUILD_TYPE_FORWARD }), true),
      ": assertion failed: graph",
    ],
    [() => {
      const opt = optimizer();
      lib.ggml_opt_alloc(opt, true);
      lib.ggml_opt_alloc(opt, true);
    }, ": assertion failed: !opt_ctx->eval_ready"],
    [() => {
      const sched = scheduler(4096), opt = optimizer({ backend_sched: sched });
      lib.ggml_opt_alloc(opt, true);
      lib.ggml_opt_eval(opt, null);
      lib.ggml_backend_sched_reset(sched);
      lib.ggml_opt_alloc(opt, true);
    }, "(opt_ctx): its scheduler was reset or given another graph since it allocated its own"],
  ],
  ggml_opt_eval: [
    [() => lib.ggml_opt_eval(optimizer(), null), ": assertion failed: opt_ctx->eval_ready"],
    [
      () => addStep(predicted()),
      ": assertion failed: result->loss_per_datapoint == opt_ctx->loss_per_datapoint",
    ],
    [() => {
      const sched = scheduler(4096), opt = optimizer({ backend_sched: sched });
      lib.ggml_opt_alloc(opt, true);
      lib.ggml_backend_sched_reset(sched);
      lib.ggml_opt_eval(opt, null);
    }, "(opt_ctx): its scheduler was reset or given another graph since ggml_opt_alloc"],
  ],
  ggml_opt_epoch: [
    [
      () => lib.ggml_opt_epoch(dynamic(), dataset, null, null, -1, null, null),
      ': assertion failed: ggml_opt_static_graphs(opt_ctx) && "ggml_opt_epoch requires static graphs"',
    ],
    [() => lib.ggml_opt_epoch(optimizer(), dataset, null, null, 3, null, null), ": assertion failed: idata_split % ndata_batch == 0"],
    [
      () => lib.ggml_opt_epoch(optimizer(), dataset, null, null, 12, null, null),
      ": assertion failed: (ibatch + 1)*shards_per_batch <= int64_t(dataset->permutation.size())",
    ],
    [
      () => lib.ggml_opt_epoch(optimizer(), labelled, null, null, 4, null, null),
      ": assertion failed: (labels_batch == nullptr) == (dataset->labels == nullptr)",
    ],
    [
      () => lib.ggml_opt_epoch(optimizer(), lib.ggml_opt_dataset_init(F32, F32, 3, 0, 8, 2), null, null, 4, null, null),
      ": assertion failed: data->ne[0] == inputs->ne[0]",
    ],
    [() => {
      const sched = scheduler(4096), opt = optimizer({ backend_sched: sched });
      lib.ggml_opt_epoch(opt, dataset, null, null, -1, null, null);
      lib.ggml_backend_sched_alloc_graph((lib.ggml_backend_sched_reset(sched), sched), sums(1));
      lib.ggml_opt_epoch(opt, dataset, null, null, -1, null, null);
    }, "(opt_ctx): its scheduler was reset or given another graph since it allocated its own"],
  ],
  ggml_opt_fit: [
    [() => fit(dataset, 3, 0), ": assertion failed: ndata % nbatch_logical == 0"],
    [() => fit(dataset, 2, 0), ": assertion failed: nbatch_logical % nbatch_physical == 0"],
    [() => fit(dataset, 0, 0), DIVIDED],
    [
      () => fit(dataset, 4, 0, false),
      ': assertion failed: any_params && "no trainable parameters found, did you forget to call ggml_set_param?"',
    ],
    [() => fit(dataset, 4, 1), ": assertion failed: val_split < 1.0f"],
    [() => fit(labelled, 4, 0), ": assertion failed: (labels_batch == nullptr) == (dataset->labels == nullptr)"],
    [() => fit(vast(), 4, 0), "(dataset): there was no memory for its data"],
    [
      () => fit(dataset, 4, 0, true, lib.ggml_new_tensor_2d(ctx, F32, 2, 4)),
      "(inputs): expected a tensor in a backend's buffer, or one without memory, got NONE: f32 ne=[2, 4] in its context's memory",
    ],
  ],
  ggml_opt_epoch_callback_progress_bar: [
    [
      () => lib.ggml_opt_epoch_callback_progress_bar(true, optimizer(), dataset, result, 0, 1, 0),
      DIVIDED,
    ],
    [
      () => lib.ggml_opt_epoch_callback_progress_bar(true, dynamic(), dataset, result, 1, 1, 0),
      ": C used a null pointer (the address 0x18)",
    ],
  ],
};
