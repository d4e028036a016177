/**
 * Checks of what C reads and writes beyond memory that it is given, or takes for a size, where neither a type nor a pragma says it.
 *
 * @module
 */

import type { Data } from "../arguments.ts";
import { atLeast } from "../lengths.ts";
import type { lib as generated } from "../lib.js";
import { expectBetween, expectIndex, expectMultiple, type Int, type Lib, type Tensor } from "./say.ts";

/** A scheduler takes 21 kB a node at once; C asks for memory that there isn't, and uses what it got. No model comes near. */
const MOST_NODES = 2 ** 20;

/** As many threads as ggml has masks for: it writes the next one behind them. */
function expectThreads(where: string, lib: Lib, n_threads: number): void {
  expectBetween(where, n_threads, -Infinity, lib.GGML_MAX_N_THREADS);
}

/** Of gguf.h, ggml.h, ggml-backend.h, ggml-cpu.h and ggml-opt.h. */
export const memory = {
  /** Reads a string behind the last. */
  gguf_get_arr_str(lib: Lib, ctx: generated.gguf_context, key_id: Int, i: Int): void {
    if (key_id < 0 || key_id >= lib.gguf_get_n_kv(ctx) || lib.gguf_get_kv_type(ctx, key_id) !== lib.GGUF_TYPE_ARRAY) return;
    expectIndex("gguf_get_arr_str(i)", i, lib.gguf_get_arr_n(ctx, key_id), "string");
  },
  /** Quantizes rows that are no whole number of blocks, and writes past the last. */
  ggml_quantize_chunk(lib: Lib, type: generated.ggml_type, _src: Data, _dst: Data, _start: Int, nrows: Int, n_per_row: Int): void {
    expectBetween("ggml_quantize_chunk(nrows)", nrows, 0, Infinity);
    expectBetween("ggml_quantize_chunk(n_per_row)", n_per_row, 1, Infinity);
    const what = `the block of ${lib.ggml_type_name(type)}`;
    expectMultiple("ggml_quantize_chunk(n_per_row)", n_per_row, lib.ggml_blck_size(type), what);
  },
  ggml_backend_sched_new(_lib: Lib, _backends: unknown, _bufts: unknown, _n_backends: number, graph_size: Int): void {
    expectBetween("ggml_backend_sched_new(graph_size)", graph_size, 1, MOST_NODES); // with none it has no lists, and writes to them
  },
  /** Jumps to the function that the device hasn't got. */
  ggml_backend_dev_buffer_from_host_ptr(lib: Lib, device: generated.ggml_backend_device): void {
    const props = new lib.ggml_backend_dev_props();
    lib.ggml_backend_dev_get_props(device, props);
    if (props.caps.buffer_from_host_ptr) return;
    const name = lib.ggml_backend_dev_name(device);
    throw new Error(`ggml_backend_dev_buffer_from_host_ptr(device): ${name} can't make buffers of host memory`);
  },
  ggml_backend_cpu_set_n_threads(lib: Lib, _backend: unknown, n_threads: number): void {
    expectThreads("ggml_backend_cpu_set_n_threads(n_threads)", lib, n_threads);
  },
  ggml_graph_plan(lib: Lib, _graph: unknown, n_threads: number): void {
    expectThreads("ggml_graph_plan(n_threads)", lib, n_threads);
  },
  /** Divides rows into blocks without a look whether it comes out even. */
  ggml_opt_dataset_init(
    lib: Lib,
    type_data: generated.ggml_type,
    type_label: generated.ggml_type,
    ne_datapoint: Int,
    ne_label: Int,
  ): void {
    const what = (type: generated.ggml_type) => `the block size of ${lib.ggml_type_name(type)}`;
    expectMultiple("ggml_opt_dataset_init(ne_datapoint)", ne_datapoint, lib.ggml_blck_size(type_data), what(type_data));
    expectMultiple("ggml_opt_dataset_init(ne_label)", ne_label, lib.ggml_blck_size(type_label), what(type_label));
  },
  /** Takes a negative batch for one before the first. */
  ggml_opt_dataset_get_batch(_lib: Lib, _dataset: unknown, _data: Tensor, _labels: unknown, ibatch: Int): void {
    expectBetween("ggml_opt_dataset_get_batch(ibatch)", ibatch, 0, Infinity);
  },
  ggml_opt_dataset_get_batch_host(
    lib: Lib,
    dataset: generated.ggml_opt_dataset,
    _data: Data,
    nb_data_batch: Int,
    labels_batch: Data | null,
    ibatch: Int,
  ): void {
    expectBetween("ggml_opt_dataset_get_batch_host(ibatch)", ibatch, 0, Infinity);
    const data = lib.ggml_opt_dataset_data(dataset), labels = lib.ggml_opt_dataset_labels(dataset);
    if (labels_batch === null || labels === null) return;
    const bytes = Math.floor(Number(nb_data_batch) / data.nb[1]) * labels.nb[1];
    const where = "ggml_opt_dataset_get_batch_host(labels_batch)";
    atLeast(labels_batch, bytes, 1, "bytes", "the labels of as many data as in data_batch", where);
  },
  /** Uses the scheduler when it computes. */
  ggml_opt_init(_lib: Lib, { backend_sched }: generated.ggml_opt_params): void {
    if (backend_sched === null) throw new Error("ggml_opt_init(params): expected a backend_sched, got null");
  },
  ggml_opt_result_pred(lib: Lib, result: generated.ggml_opt_result, pred: Data): void {
    const n = new BigInt64Array(1);
    lib.ggml_opt_result_ndata(result, n);
    atLeast(pred, Number(n[0]), 4, "int32s", "the result's ndata", "ggml_opt_result_pred(pred)");
  },
};
