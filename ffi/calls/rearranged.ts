/**
 * Buffers that have quantized weights in the order in which a processor's fastest kernels read them.
 *
 * C puts them into that order where a whole tensor is written. A view of such a tensor is neither in that order nor in the type's own, and has no buffer
 * of its own by which C would know.
 *
 * @module
 */

import { ABI } from "../generated/layouts.js";
import { callNow } from "./call_now.ts";

/** `GGML_BACKEND_DEVICE_TYPE_CPU`. */
const CPU = 0;

const ONE = ["u64"] as const;

const { fields } = ABI.records.ggml_tensor;

/** The kinds by their addresses, as far as they were asked: "" for those that keep the types' own order. */
const known: Map<bigint, string> = new Map();

/** The name of a buffer's kind, if it is such a one; "" for others, and for no buffer. */
export function orderOf(buffer: bigint): string {
  if (buffer === 0n) return "";
  const type = callNow("ggml_backend_buffer_get_type", ONE, "u64", buffer) as bigint;
  let kind = known.get(type);
  if (kind === undefined) known.set(type, kind = nameOf(type));
  return kind;
}

/** The CPU has no other buffers that aren't memory as it lies. */
function nameOf(type: bigint): string {
  if (callNow("ggml_backend_buft_is_host", ONE, "bool", type)) return "";
  const device = callNow("ggml_backend_buft_get_device", ONE, "u64", type) as bigint;
  if (device === 0n || callNow("ggml_backend_dev_type", ONE, "u32", device) !== CPU) return "";
  return Deno.UnsafePointerView.getCString(callNow("ggml_backend_buft_name", ONE, "pointer", type) as Deno.PointerObject);
}

/** {@linkcode orderOf} the buffer that a tensor is in, or what it is a view of. */
export function orderAround(tensor: bigint): string {
  const own = new Deno.UnsafePointerView(Deno.UnsafePointer.create(tensor)!), source = own.getBigUint64(fields.view_src);
  const whole = source === 0n ? own : new Deno.UnsafePointerView(Deno.UnsafePointer.create(source)!);
  return orderOf(whole.getBigUint64(fields.buffer));
}
