/**
 * What people use day to day: a context that is freed by itself, numbers in and out of tensors, graphs computed, with the event loop free if
 * need be, GGUF files, ggml's logs, and who frees what comes from elsewhere.
 *
 * @module
 */

import "./display/attach.ts";

export { compute } from "./compute.ts";
export { computeAsync, type ComputeAsyncOptions } from "./compute_async.ts";
export { borrow, own } from "./own.ts";
export { copy, type CopyOptions } from "./copy.ts";
export { copyAsync, type CopyAsyncOptions } from "./copy_async.ts";
export { GgufError } from "./gguf/error.ts";
export type { GgufInput, GgufValueInput, TypedGgufValue } from "./gguf/infer.ts";
export { type GgufFile, readGguf } from "./read_gguf.ts";
export { GgufTensor } from "./gguf/tensor.ts";
export type { GgufTensorData, GgufTensorInput, Pieces } from "./gguf/tensor_input.ts";
export type { GgufArrays, GgufScalars, GgufTypeName, GgufValue, NumberArray } from "./gguf/values.ts";
export type { TensorShape } from "./gguf/shape.ts";
export { type GgufContents, writeGguf } from "./write_gguf.ts";
export { init, type InitOptions } from "./init.ts";
export type { Device } from "./computing/device.ts";
export { devices } from "./devices.ts";
export { type DType, type NdArray, ndarray, type TypedArray } from "./arrays/ndarray.ts";
export type { NestedNumbers } from "./copying/nested.ts";
export { loadWeights, type LoadWeightsOptions, type Weights } from "./load_weights.ts";
export { type LogLevel, type LogListener, onLog } from "./on_log.ts";
export { readNpy, readNpyAll, writeNpy } from "./npy.ts";
export { readNpz, writeNpz } from "./npz.ts";
export type { DimsOption } from "./copying/dims.ts";
export type { TensorLike } from "./copying/operand.ts";
export type { Backend, ComputeOptions } from "./computing/task.ts";
export { formatTensor, print, type PrintOptions } from "./print.ts";
export { type NodeTiming, timings } from "./timings.ts";
export { dequantize, quantize, type QuantizeOptions } from "./quantize.ts";
export { type QuantizationError, quantizationError } from "./quantization_error.ts";
export { readSafetensors, type SafetensorsFile } from "./read_safetensors.ts";
export { SafetensorsTensor } from "./safetensors/tensor.ts";
export { type ConnectOptions, type Rpc, rpc, type RpcServer, type ServeOptions } from "./rpc.ts";
export { save } from "./save.ts";
export { toHtml } from "./to_html.ts";
export { toSvg } from "./to_svg.ts";
export type { DrawOptions } from "./display/graph_parts.ts";
export type { Drawable } from "./display/render.ts";
export { type Range, TensorSlice } from "./copying/tensor_slice.ts";
export { slice } from "./slice.ts";
export { tensor, type TensorOptions } from "./tensor.ts";
export { toArray } from "./to_array.ts";
export { view, type ViewOptions } from "./view.ts";
export type { WeightsEntry, WeightsFile } from "./weights/file.ts";
export type { WeightsBuffer } from "./weights/place.ts";
