/**
 * Memory that a caller passes, as checks look at it.
 *
 * @module
 */

import type { Data } from "../../core/arguments.ts";
import { addressOf, Handle } from "../../core/handle.ts";
import { library } from "../../load/library.ts";

let isHost: ((buffer: bigint) => boolean) | null = null;

/** `ggml_backend_buffer_is_host`, by address. */
export function isHostBuffer(address: bigint): boolean {
  isHost ??= library().symbol("ggml_backend_buffer_is_host", { parameters: ["u64"], result: "bool" }) as (buffer: bigint) => boolean;
  return isHost(address);
}

/** The address of memory that a caller passed. */
export function addressOfData(data: Data): bigint {
  if (data instanceof Handle) return data.address;
  if (ArrayBuffer.isView(data) || data instanceof ArrayBuffer) return addressOf(data as ArrayBuffer);
  return BigInt(Deno.UnsafePointer.value(data));
}

/** The first numbers of 32 bits of memory that is long enough. */
export function firstIntegers(data: Data, count: number): Int32Array {
  if (count === 0) return new Int32Array(0);
  return new Int32Array(Deno.UnsafePointerView.getArrayBuffer(Deno.UnsafePointer.create(addressOfData(data))!, 4 * count));
}
