/**
 * What the cases call functions with: tensors with and without memory, graphs, backends, and what makes these.
 *
 * @module
 */

import { lib } from "@ggml/deno";
import { init } from "@ggml/deno/utils";
import { mostThreads } from "../../../ffi/calls/checks/thread_count.ts";

const { GGML_TYPE_F32: F32 } = lib;

/** A call, and what its Error says behind the function's name. */
export type Case = readonly [call: () => unknown, message: string];

export const cores = navigator.hardwareConcurrency, SOME = `${mostThreads()} threads for ${cores} ${cores === 1 ? "core" : "cores"}`;

export const TOO_MANY = `expected at most ${SOME}, got 5130`;

export const bytes = (n: number) => new Uint8Array(n);

export const floats = (n: number) => new Float32Array(n);

/** Tensors in a context's own memory, in none, and in a backend's buffer. */
export const ctx = init({ memSize: 1 << 20 });

export const inContext = lib.ggml_new_tensor_1d(ctx, F32, 4);

export const empty = () => lib.ggml_init(new lib.ggml_init_params({ mem_size: 1 << 20, no_alloc: true }));

export const nowhere = () => lib.ggml_new_tensor_1d(empty(), F32, 4);

export const cpu = lib.ggml_backend_cpu_init()!;

lib.ggml_backend_cpu_set_n_threads(cpu, 1);

export function inBuffer(type: lib.ggml_type, ...ne: [number, number?]): lib.ggml_tensor {
  const own = empty();
  const tensor = lib.ggml_new_tensor_2d(own, type, ne[0], ne[1] ?? 1);
  kept.push(lib.ggml_backend_alloc_ctx_tensors(own, cpu));
  return tensor;
}

export const kept: unknown[] = [];

export const four = inBuffer(F32, 4);

lib.ggml_set_name(inContext, "weights");

export function graphOf(...tensors: lib.ggml_tensor[]): lib.ggml_cgraph {
  const graph = lib.ggml_new_graph(empty());
  for (const tensor of tensors) lib.ggml_build_forward_expand(graph, tensor);
  return graph;
}

/** A graph of `n` additions of tensors that have no memory yet. */
export function sums(n: number): lib.ggml_cgraph {
  const own = empty();
  const a = lib.ggml_new_tensor_1d(own, F32, 4);
  let sum = lib.ggml_add(own, a, a);
  for (let i = 1; i < n; i++) sum = lib.ggml_add(own, sum, a);
  return graphOf(sum);
}

export const scheduler = (size = 64) => lib.ggml_backend_sched_new([cpu], null, 1, size, false, false);

/** A model of one product, its inputs and weights in a buffer. */
export function optimizer(params: object = {}, loss: lib.ggml_opt_loss_type = lib.GGML_OPT_LOSS_TYPE_SUM): lib.ggml_opt_context {
  const own = empty(), compute = init({ memSize: 8 << 20, noAlloc: true });
  const inputs = lib.ggml_new_tensor_2d(own, F32, 2, 4), weights = lib.ggml_new_tensor_2d(own, F32, 2, 1);
  kept.push(lib.ggml_backend_alloc_ctx_tensors(own, cpu));
  lib.ggml_set_param(weights);
  const made = lib.ggml_opt_default_params(scheduler(4096), loss);
  Object.assign(made, { ctx_compute: compute, inputs, outputs: lib.ggml_mul_mat(compute, weights, inputs) }, params);
  return lib.ggml_opt_init(made);
}

/** A pointer to a C function, made of a TypeScript one. */
function pointerTo(parameters: Deno.NativeType[], result: Deno.NativeResultType, f: (...args: never[]) => unknown): bigint {
  const callback = new Deno.UnsafeCallback({ parameters, result } as Deno.UnsafeCallbackDefinition, f as () => void);
  kept.push(callback);
  return BigInt(Deno.UnsafePointer.value(callback.pointer));
}

/** A backend of a GPU that has a name and nothing else: plans, events and buffers of host memory are functions that a backend need not have. */
function bareBackend(): lib.ggml_backend {
  const name = new TextEncoder().encode("bare\0"), guid = bytes(16), device = new BigUint64Array(32), backend = new BigUint64Array(32);
  kept.push(name, guid, device, backend);
  const getName = pointerTo(["pointer"], "pointer", () => Deno.UnsafePointer.of(name));
  device.set([getName, getName, 0n, pointerTo(["pointer"], "i32", () => lib.GGML_BACKEND_DEVICE_TYPE_GPU)]);
  device[4] = pointerTo(["pointer", "pointer"], "void", () => {}); // get_props
  const addressOf = (memory: BufferSource) => BigInt(Deno.UnsafePointer.value(Deno.UnsafePointer.of(memory as Uint8Array<ArrayBuffer>)));
  backend.set([addressOf(guid), getName]);
  backend[17] = addressOf(device);
  return new lib.ggml_backend(addressOf(backend));
}

export const bare = bareBackend();

export type Functions = Record<string, (...args: unknown[]) => unknown>;

export const call = (name: string, ...args: unknown[]) => () => (lib as unknown as Functions)[name](...args);

/** What an Error says where C divides by zero, on processors that don't do so without a word. */
export const DIVIDED = ": C divided by zero";
