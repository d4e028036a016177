/**
 * Checks of data sets, and of the results that a training step is added to.
 *
 * @module
 */

import type { Data } from "../../core/arguments.ts";
import { atLeast } from "../../core/lengths.ts";
import type { lib as generated } from "../../generated/lib.js";
import { expectBetween, type Int, type Lib } from "./say.ts";
import { MOST_BYTES } from "./shapes.ts";
import { expectBlocks, traitsOf, typeName } from "./types.ts";

type Dataset = generated.ggml_opt_dataset;
type Result = generated.ggml_opt_result;

/** As many numbers as C can count the bytes of: with more it makes a data set that has less memory than it says. */
function expectCountable(where: string, type: number, count: Int, ndata: Int): void {
  const { block, size } = traitsOf(type);
  if (Number(count) / block * size * Number(ndata) <= MOST_BYTES) return;
  throw new RangeError(`${where}: ${ndata} times ${count} numbers of ${typeName(type)} would take more than 2^53 bytes`);
}

/** A data set whose memory could be had: C doesn't look, and copies from a small address and an offset. */
export function expectMemory(where: string, lib: Lib, dataset: Dataset): void {
  if (lib.ggml_opt_dataset_data(dataset).data === null) throw new Error(`${where}(dataset): there was no memory for its data`);
}

/** A batch: C compares its end with the number of shards, which a negative one, or one that overflows, is below. */
function expectBatch(where: string, lib: Lib, dataset: Dataset, ibatch: Int): void {
  expectMemory(where, lib, dataset);
  expectBetween(`${where}(ibatch)`, ibatch, 0, lib.ggml_opt_dataset_ndata(dataset) - 1);
}

/** Checks of functions of ggml-opt.h. */
export const datasets = {
  /** C lays out rows that end within a block, and shards that begin there. */
  ggml_opt_dataset_init(_: unknown, type_data: number, type_label: number, ne_datapoint: Int, ne_label: Int, ndata: Int): void {
    expectBlocks("ggml_opt_dataset_init(ne_datapoint)", ne_datapoint, type_data);
    expectBlocks("ggml_opt_dataset_init(ne_label)", ne_label, type_label);
    expectCountable("ggml_opt_dataset_init", type_data, ne_datapoint, ndata);
    expectCountable("ggml_opt_dataset_init", type_label, ne_label, ndata);
  },
  ggml_opt_dataset_get_batch(lib: Lib, dataset: Dataset, _data: unknown, _labels: unknown, ibatch: Int): void {
    expectBatch("ggml_opt_dataset_get_batch", lib, dataset, ibatch);
  },
  /** Besides, C writes the labels of as many data points as the data's bytes are. */
  ggml_opt_dataset_get_batch_host(
    lib: Lib,
    dataset: Dataset,
    _data: unknown,
    nb_data_batch: Int,
    labels_batch: Data | null,
    ibatch: Int,
  ): void {
    const name = "ggml_opt_dataset_get_batch_host", labels = lib.ggml_opt_dataset_labels(dataset);
    expectBatch(name, lib, dataset, ibatch);
    if (labels === null || labels_batch === null) return; // C asserts that both are
    const bytes = Number(nb_data_batch) / lib.ggml_nbytes(lib.ggml_opt_dataset_data(dataset)) * lib.ggml_nbytes(labels);
    atLeast(labels_batch, Math.floor(bytes), 1, "bytes", "the labels of as many data as in data_batch", `${name}(labels_batch)`);
  },
  /** C writes all that there are: none or as many as data. */
  ggml_opt_result_pred(lib: Lib, result: Result, pred: Data): void {
    const ndata = new BigInt64Array(1);
    lib.ggml_opt_result_ndata(result, ndata);
    atLeast(pred, Number(ndata[0]), 4, "int32s", "the result's ndata", "ggml_opt_result_pred(pred)");
  },
};
