/**
 * ggml, the C tensor library under llama.cpp and whisper.cpp, for Deno: all of its C API, typed, with no compiler and nothing to configure.
 *
 * {@linkcode lib} holds every function, struct, enum value and constant under its C name. `@ggml/deno/utils` holds what people use day to day.
 *
 * @example Add a quantized tensor to another
 * ```ts
 * import { lib } from "@ggml/deno";
 * import { copy, init, view } from "@ggml/deno/utils";
 *
 * const ctx = init({ memSize: 12 * 1024 * 1024 }); // freed when garbage-collected, or at once with `using`
 * const n = 256, threads = navigator.hardwareConcurrency;
 *
 * const a = lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_Q5_K, n);
 * const b = lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, n); // can't both be quantized
 * const sum = lib.ggml_add(ctx, a, b); // quantized too
 *
 * const graph = lib.ggml_new_graph(ctx);
 * lib.ggml_build_forward_expand(graph, sum);
 *
 * copy(Float32Array.from({ length: n }, (_, i) => i), a); // quantizes
 * copy(Float32Array.from({ length: n }, (_, i) => i * 100), b);
 * lib.ggml_graph_compute_with_ctx(ctx, graph, threads);
 *
 * console.log(view(a, { allowCopy: true })); // dequantized copy
 * console.log(view(b)); // a view: no copy
 * console.log(view(sum, { allowCopy: true }));
 * ```
 *
 * @module
 */

export { EXIT_ABORT } from "./ffi/native/abort.ts";
export { download } from "./ffi/load/gpu.ts";
export type { Gpu } from "./ffi/load/find.ts";
/** The whole C API under its C names: functions, struct classes, enums, constants, callbacks. */
export { lib } from "./ffi/generated/lib.js";
export { type LibraryInfo, load, type LoadOptions } from "./ffi/load/library.ts";
