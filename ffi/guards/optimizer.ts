/**
 * Guards of training: data sets, optimizers, and the results of their steps.
 *
 * By hand: it is C++ (ggml-opt.cpp). Its loops divide a data set into shards and batches and assert that nothing remains, and what an
 * optimizer can do next depends on the graphs that it has built so far. Both are read from its structs.
 *
 * @module
 */

import type { Data } from "../arguments.ts";
import { atLeast } from "../lengths.ts";
import type { lib as generated } from "../lib.js";
import { inBuffer } from "./buffers.ts";
import { between, ensure, type Graph, indexOf, type Int, type Lib, multiple, peek, type Sched, show, type Tensor } from "./checks.ts";

type Dataset = generated.ggml_opt_dataset;
type Optimizer = generated.ggml_opt_context;
type Result = generated.ggml_opt_result;

/** What a data set keeps to itself; null where its struct isn't the known one. */
function shardsOf(lib: Lib, dataset: Dataset): { rows: number; bytes: number; labelBytes: number; count: number } | null {
  // struct ggml_opt_dataset: ctx, buf, data, labels; int64_t ndata, ndata_shard; size_t nbs_data, nbs_labels; …
  const view = peek(dataset), ndata = lib.ggml_opt_dataset_ndata(dataset);
  const known = view.getBigUint64(16) === lib.ggml_opt_dataset_data(dataset).address && view.getBigInt64(32) === BigInt(ndata);
  const rows = Number(view.getBigInt64(40)), bytes = Number(view.getBigUint64(48));
  if (!known || rows <= 0 || bytes <= 0) return null;
  return { rows, bytes, labelBytes: Number(view.getBigUint64(56)), count: Math.floor(ndata / rows) };
}

/** Batches from `first` to `last` of a data set: whole shards, of which there are enough. Gives the shards in one. */
function batches(lib: Lib, name: string, dataset: Dataset, bytes: number, labelled: boolean, last: Int): number {
  const labels = lib.ggml_opt_dataset_labels(dataset);
  ensure(
    labelled === (labels !== null),
    () => `${name}(dataset): it has ${labels === null ? "no " : ""}labels, the batch has ${labelled ? "" : "no"}ne`,
  );
  ensure(lib.ggml_opt_dataset_data(dataset).data !== null, () => `${name}(dataset): its memory could not be allocated`);
  const shards = shardsOf(lib, dataset);
  if (shards === null) return 0;
  multiple(`${name}: the bytes of a batch`, bytes, shards.bytes, "the bytes of a shard");
  const perBatch = bytes / shards.bytes;
  indexOf(`${name}(ibatch)`, last, Math.floor(shards.count / perBatch), "batch");
  return perBatch;
}

/** A batch of data, and one of labels, that a data set fits. */
function batchTensors(lib: Lib, name: string, dataset: Dataset, data: Tensor, labels: Tensor | null, last: Int): void {
  const held = lib.ggml_opt_dataset_data(dataset), heldLabels = lib.ggml_opt_dataset_labels(dataset);
  const perBatch = batches(lib, name, dataset, lib.ggml_nbytes(data), labels !== null, last);
  for (const [where, tensor, source] of [["data_batch", data, held], ["labels_batch", labels, heldLabels]] as const) {
    if (tensor === null || source === null) continue;
    const say = (what: string) => () => `${name}(${where}): ${what}, got ${show(lib, tensor)}`;
    ensure(lib.ggml_is_contiguous(tensor), say("expected a contiguous tensor"));
    ensure(tensor.type === source.type, say(`expected ${lib.ggml_type_name(source.type)}, as in the data set`));
  }
  const labelBytes = perBatch * (shardsOf(lib, dataset)?.labelBytes ?? 0);
  if (labels === null || perBatch === 0 || lib.ggml_nbytes(labels) === labelBytes) return;
  throw new RangeError(`${name}(labels_batch): expected ${labelBytes} bytes, as many data as in data_batch have, got ${show(lib, labels)}`);
}

/** What an optimizer keeps to itself. */
interface OptimizerState {
  readonly sched: Sched;
  readonly hasContext: boolean;
  readonly forward: Graph | null;
  readonly built: boolean;
  readonly steps: boolean;
  readonly mayBuild: number;
  readonly ready: boolean;
  readonly period: number;
  readonly step: number;
  readonly perDatapoint: boolean;
}

/**
 * The state of an optimizer; null where its struct isn't the known one. In it stands a `std::mt19937`, which has 5000 bytes in GNU's library
 * and 2504 in LLVM's.
 */
function optimizerOf(lib: Lib, opt: Optimizer): OptimizerState | null {
  const view = peek(opt);
  const asked = [
    lib.ggml_opt_inputs,
    lib.ggml_opt_outputs,
    lib.ggml_opt_labels,
    lib.ggml_opt_loss,
    lib.ggml_opt_pred,
    lib.ggml_opt_ncorrect,
  ];
  const addresses = asked.map((ask) => ask(opt)?.address ?? 0n),
    builds: number[] = [lib.GGML_OPT_BUILD_TYPE_FORWARD, lib.GGML_OPT_BUILD_TYPE_GRAD, lib.GGML_OPT_BUILD_TYPE_OPT];
  // backend_sched, …, ctx_compute (at 40), …, rng (at 72), loss_type, build_type, build_type_alloc; inputs, …, ncorrect; gf, gb_grad, gb_opt; …
  const at = [5088, 2592].find((at) =>
    builds.includes(view.getInt32(at - 12)) && builds.includes(view.getInt32(at - 8)) &&
    addresses.every((address, i) => view.getBigUint64(at + 8 * i) === address) &&
    view.getInt32(at + 200) === lib.ggml_opt_context_optimizer_type(opt)
  );
  if (at === undefined || view.getPointer(0) === null) return null;
  return {
    sched: lib.ggml_backend_sched.from(view.getPointer(0), opt.owner)!,
    hasContext: view.getPointer(40) !== null,
    built: view.getPointer(56) !== null,
    forward: lib.ggml_cgraph.from(view.getPointer(at + 48), opt.owner),
    steps: view.getPointer(at + 64) !== null,
    mayBuild: view.getInt32(at - 8),
    ready: view.getBool(at + 73),
    period: view.getInt32(at + 160),
    step: view.getInt32(at + 164),
    perDatapoint: view.getBool(at + 168),
  };
}

/** Everything that a tensor is computed from, itself included. */
function sourcesOf(result: Tensor): Tensor[] {
  const found = new Map<bigint, Tensor>();
  const visit = (tensor: Tensor | null) => {
    if (tensor === null || found.has(tensor.address)) return;
    found.set(tensor.address, tensor);
    tensor.src.forEach(visit);
  };
  visit(result);
  return [...found.values()];
}

/** Tensors of a model that can be trained: with parameters, and without a loss, which the optimizer adds. */
function model(lib: Lib, where: string, tensors: readonly Tensor[], backward: boolean): void {
  const loss = tensors.find(({ flags }) => (flags & lib.GGML_TENSOR_FLAG_LOSS) !== 0);
  ensure(loss === undefined, () => `${where}: the optimizer adds the loss itself; ggml_set_loss was called for ${show(lib, loss!)}`);
  const trainable = !backward || tensors.some(({ flags }) => (flags & lib.GGML_TENSOR_FLAG_PARAM) !== 0);
  ensure(trainable, () => `${where}: no tensor is a parameter: call ggml_set_param`);
}

/** Whether the graphs of an optimizer go as far as the next step needs, forward only or backward too. */
function optimizable(lib: Lib, name: string, opt: Optimizer, backward: boolean): void {
  const state = optimizerOf(lib, opt);
  if (state === null) return;
  ensure(!state.ready, () => `${name}(opt_ctx): a graph is allocated already: call ggml_opt_eval first`);
  const isStatic = lib.ggml_opt_static_graphs(opt);
  if (!isStatic) {
    ensure(state.hasContext && state.forward !== null, () => `${name}(opt_ctx): there is no graph: call ggml_opt_prepare_alloc first`);
    const nodes = Array.from({ length: lib.ggml_graph_n_nodes(state.forward!) }, (_, i) => lib.ggml_graph_node(state.forward!, i));
    // The first time it builds all graphs that it may ever need.
    model(lib, `${name}(opt_ctx)`, nodes, backward || (!state.built && state.mayBuild > lib.GGML_OPT_BUILD_TYPE_FORWARD));
  }
  if (!backward) return;
  const wanted = (state.step + 1) % state.period === 0 ? lib.GGML_OPT_BUILD_TYPE_OPT : lib.GGML_OPT_BUILD_TYPE_GRAD;
  ensure(
    state.mayBuild >= wanted,
    () => `${name}(backward): the optimizer was made with build_type ${state.mayBuild}, a step backward needs ${wanted}`,
  );
}

/** How many predictions a result holds. */
function predictions(lib: Lib, result: Result): number {
  // struct ggml_opt_result: int64_t ndata; std::vector<float> loss; std::vector<int32_t> pred; …
  const view = peek(result), count = Number(view.getBigUint64(40) - view.getBigUint64(32)) / 4;
  return count === 0 || count === ndata(lib, result) ? count : 0;
}

function ndata(lib: Lib, result: Result): number {
  const n = new BigInt64Array(1);
  lib.ggml_opt_result_ndata(result, n);
  return Number(n[0]);
}

/** A result that a step of this optimizer may be added to. */
function addable(lib: Lib, name: string, opt: Optimizer, result: Result | null): void {
  const state = optimizerOf(lib, opt), outputs = lib.ggml_opt_outputs(opt);
  if (result === null || state === null || outputs === null) return;
  const n = ndata(lib, result);
  if (n === 0) return;
  // …; int64_t ncorrect, opt_period; bool loss_per_datapoint
  const view = peek(result), losses = Number(view.getBigUint64(16) - view.getBigUint64(8)) / 4;
  const alike = Number(view.getBigInt64(64)) === state.period && view.getBool(72) === state.perDatapoint && losses * outputs.ne[1] === n;
  ensure(alike, () => `${name}(result): it holds steps of another optimizer or batch size: call ggml_opt_result_reset first`);
}

/** What an epoch needs of the model and the data. */
function trainable(lib: Lib, name: string, dataset: Dataset, inputs: Tensor, labels: Tensor | null): number {
  const { ne } = lib.ggml_opt_dataset_data(dataset);
  const say = () => `${name}(dataset): expected ${inputs.ne[0]} numbers in a data point, as the inputs have, got ${ne[0]}`;
  ensure(ne[0] === inputs.ne[0], say);
  multiple(`${name}(dataset): ndata`, ne[1], inputs.ne[1], "the data points in a batch");
  batchTensors(lib, name, dataset, inputs, labels, ne[1] / inputs.ne[1] - 1);
  return ne[1];
}

/** Data points of a type that is stored in blocks. */
function blocks(lib: Lib, where: string, type: generated.ggml_type, ne: Int): void {
  multiple(where, ne, lib.ggml_blck_size(type), `the block size of ${lib.ggml_type_name(type)}`);
}

/** Of ggml-opt.h. */
export const optimizer = {
  ggml_opt_dataset_init(
    lib: Lib,
    type_data: generated.ggml_type,
    type_label: generated.ggml_type,
    ne_datapoint: Int,
    ne_label: Int,
    ndata: Int,
    ndata_shard: Int,
  ) {
    between("ggml_opt_dataset_init(ne_datapoint)", ne_datapoint, 1, Infinity);
    between("ggml_opt_dataset_init(ne_label)", ne_label, 0, Infinity);
    between("ggml_opt_dataset_init(ndata)", ndata, 1, Infinity);
    between("ggml_opt_dataset_init(ndata_shard)", ndata_shard, 1, Number(ndata));
    blocks(lib, "ggml_opt_dataset_init(ne_datapoint)", type_data, ne_datapoint);
    blocks(lib, "ggml_opt_dataset_init(ne_label)", type_label, ne_label);
    const bytes = (lib.ggml_row_size(type_data, ne_datapoint) + lib.ggml_row_size(type_label, ne_label)) * Number(ndata);
    ensure(bytes < Number.MAX_SAFE_INTEGER, () => `ggml_opt_dataset_init(ndata): ${bytes} bytes are more than there can be`);
  },
  ggml_opt_dataset_shuffle(lib: Lib, _opt: Optimizer, dataset: Dataset, idata: Int) {
    if (idata < 0) return;
    between("ggml_opt_dataset_shuffle(idata)", idata, 0, lib.ggml_opt_dataset_ndata(dataset));
    multiple("ggml_opt_dataset_shuffle(idata)", idata, shardsOf(lib, dataset)?.rows ?? 1, "the data points in a shard");
  },
  ggml_opt_dataset_get_batch(lib: Lib, dataset: Dataset, data_batch: Tensor, labels_batch: Tensor | null, ibatch: Int) {
    batchTensors(lib, "ggml_opt_dataset_get_batch", dataset, data_batch, labels_batch, ibatch);
    inBuffer(lib, "ggml_opt_dataset_get_batch(data_batch)", data_batch);
    if (labels_batch !== null) inBuffer(lib, "ggml_opt_dataset_get_batch(labels_batch)", labels_batch);
  },
  ggml_opt_dataset_get_batch_host(lib: Lib, dataset: Dataset, _data: Data, nb_data_batch: Int, labels_batch: Data | null, ibatch: Int) {
    const name = "ggml_opt_dataset_get_batch_host";
    const perBatch = batches(lib, name, dataset, Number(nb_data_batch), labels_batch !== null, ibatch);
    const bytes = perBatch * (shardsOf(lib, dataset)?.labelBytes ?? 0);
    atLeast(labels_batch, bytes, 1, "bytes", "the labels of as many data as in data_batch", `${name}(labels_batch)`);
  },
  ggml_opt_init(lib: Lib, params: generated.ggml_opt_params) {
    const { backend_sched, ctx_compute, inputs, outputs, opt_period, get_opt_pars } = params;
    between("ggml_opt_init(params): opt_period", opt_period, 1, Infinity);
    ensure(backend_sched !== null, () => "ggml_opt_init(params): expected a backend_sched, got null");
    ensure(get_opt_pars !== null, () => "ggml_opt_init(params): expected get_opt_pars, got null");
    const grad = params.build_type === lib.GGML_OPT_BUILD_TYPE_GRAD;
    ensure(!grad, () => "ggml_opt_init(params): build_type: ggml takes forward and opt only, and asserts that it isn't grad");
    if (ctx_compute === null) {
      ensure(inputs === null && outputs === null, () => "ggml_opt_init(params): expected no inputs and outputs without a ctx_compute");
      return;
    }
    ensure(inputs !== null && outputs !== null, () => "ggml_opt_init(params): expected inputs and outputs with a ctx_compute");
    ensure(inputs!.data !== null, () => `ggml_opt_init(params): the inputs are not allocated: ${show(lib, inputs!)}`);
    model(lib, "ggml_opt_init(params)", sourcesOf(outputs!), params.build_type > lib.GGML_OPT_BUILD_TYPE_FORWARD);
  },
  ggml_opt_grad_acc(lib: Lib, opt: Optimizer) {
    ensure(optimizerOf(lib, opt)?.steps !== false, () => "ggml_opt_grad_acc(opt_ctx): it has no graph for a step backward");
  },
  ggml_opt_result_loss(lib: Lib, result: Result, _loss: Data, unc: Data | null) {
    ensure(
      unc !== null || ndata(lib, result) > 0,
      () => "ggml_opt_result_loss(unc): expected memory for a double, got null: the result holds no data",
    );
  },
  ggml_opt_result_pred(lib: Lib, result: Result, pred: Data) {
    atLeast(pred, predictions(lib, result), 4, "int32s", "the result's ndata", "ggml_opt_result_pred(pred)");
  },
  ggml_opt_prepare_alloc(lib: Lib, opt: Optimizer) {
    ensure(
      !lib.ggml_opt_static_graphs(opt),
      () => "ggml_opt_prepare_alloc(opt_ctx): its graphs are static: it was made with a ctx_compute",
    );
  },
  ggml_opt_alloc(lib: Lib, opt: Optimizer, backward: boolean) {
    optimizable(lib, "ggml_opt_alloc", opt, backward);
  },
  ggml_opt_eval(lib: Lib, opt: Optimizer, result: Result | null) {
    ensure(optimizerOf(lib, opt)?.ready !== false, () => "ggml_opt_eval(opt_ctx): no graph is allocated: call ggml_opt_alloc first");
    addable(lib, "ggml_opt_eval", opt, result);
  },
  ggml_opt_epoch(lib: Lib, opt: Optimizer, dataset: Dataset, train: Result | null, evaluation: Result | null, idata_split: Int) {
    const name = "ggml_opt_epoch", inputs = lib.ggml_opt_inputs(opt);
    ensure(
      lib.ggml_opt_static_graphs(opt) && inputs !== null,
      () => `${name}(opt_ctx): expected static graphs: make it with a ctx_compute`,
    );
    const count = trainable(lib, name, dataset, inputs!, lib.ggml_opt_labels(opt));
    const split = idata_split < 0 ? count : Number(idata_split);
    between(`${name}(idata_split)`, split, 0, count);
    multiple(`${name}(idata_split)`, split, inputs!.ne[1], "the data points in a batch");
    optimizable(lib, name, opt, split > 0);
    if (split > 0) addable(lib, name, opt, train);
    if (split < count) addable(lib, name, opt, evaluation);
  },
  ggml_opt_fit(
    lib: Lib,
    _sched: Sched,
    _ctx: generated.ggml_context,
    inputs: Tensor,
    outputs: Tensor,
    dataset: Dataset,
    loss_type: generated.ggml_opt_loss_type,
    _optimizer: unknown,
    _get_opt_pars: unknown,
    _nepoch: Int,
    nbatch_logical: Int,
    val_split: number,
  ) {
    const labelled = loss_type === lib.GGML_OPT_LOSS_TYPE_CROSS_ENTROPY || loss_type === lib.GGML_OPT_LOSS_TYPE_MEAN_SQUARED_ERROR;
    const count = trainable(lib, "ggml_opt_fit", dataset, inputs, labelled ? outputs : null);
    between("ggml_opt_fit(nbatch_logical)", nbatch_logical, 1, count);
    multiple("ggml_opt_fit(dataset): ndata", count, Number(nbatch_logical), "nbatch_logical");
    multiple("ggml_opt_fit(nbatch_logical)", nbatch_logical, inputs.ne[1], "the data points in a batch");
    ensure(
      val_split >= 0 && Math.fround(val_split) < 1,
      () => `ggml_opt_fit(val_split): expected at least 0 and less than 1, got ${val_split}`,
    );
    ensure(inputs.data !== null, () => `ggml_opt_fit(inputs): they are not allocated: ${show(lib, inputs)}`);
    model(lib, "ggml_opt_fit(outputs)", sourcesOf(outputs), true);
  },
  ggml_opt_epoch_callback_progress_bar(lib: Lib, _train: boolean, opt: Optimizer, _dataset: unknown, _result: unknown, ibatch: Int) {
    const name = "ggml_opt_epoch_callback_progress_bar";
    ensure(Number(ibatch) !== 0, () => `${name}(ibatch): expected the number of a batch, from 1, got 0`);
    ensure(lib.ggml_opt_inputs(opt) !== null, () => `${name}(opt_ctx): it has no inputs yet`);
  },
};
