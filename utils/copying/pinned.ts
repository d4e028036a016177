/**
 * Host memory that a device reads and writes by itself, and a queue of its own in which it does: what is carried through it is as fast as
 * the bus, and is carried while the next piece is made ready. From any other memory a driver first copies into such memory of its own, and
 * waits.
 *
 * A device has it if its backend names a type of host buffers and takes copies asynchronously. There are two pieces, used in turn. They and
 * the queue are kept for the next copy until the garbage collector takes them.
 *
 * @module
 */

import { externalBuffer } from "../../ffi/core/handle.ts";
import { lib } from "../../ffi/generated/lib.js";
import { callAside } from "../../ffi/calls/aside.ts";
import { type Call, PIECE, type Stage } from "./device.ts";
import { unpermuted } from "./layout.ts";
import { bufferOf } from "./operand.ts";
import { optional } from "../releases/optional.ts";
import type { Bytes } from "./types.ts";

/** One of the two pieces of pinned memory. */
interface Slot {
  readonly bytes: Bytes;
  /** Marks where the queue is done with it; null where the backend has no events. */
  readonly event: lib.ggml_backend_event | null;
  /** True while the queue may be at it. */
  pending: boolean;
}

/** The pinned memory of a device. */
export class Pinned {
  readonly #backend: lib.ggml_backend;
  readonly #slots: readonly Slot[];
  #next = 0;

  constructor(device: lib.ggml_backend_device, backend: lib.ggml_backend, buffers: readonly lib.ggml_backend_buffer[]) {
    this.#backend = backend;
    this.#slots = buffers.map((buffer) => {
      const base = lib.ggml_backend_buffer_get_base(buffer)!;
      return {
        bytes: new Uint8Array(externalBuffer(base.address, PIECE, buffer.owner)),
        event: lib.ggml_backend_event_new(device),
        pending: false,
      };
    });
  }

  /** The piece whose turn it is, when the queue is done with it. */
  next(): Slot {
    const slot = this.#slots[this.#next];
    this.#next = (this.#next + 1) % this.#slots.length;
    this.wait(slot);
    return slot;
  }

  /** True while a copy that takes its time has it. */
  busy = false;

  /** As `next`, with the event loop free meanwhile. */
  async nextLater(): Promise<Slot> {
    const slot = this.#slots[this.#next];
    this.#next = (this.#next + 1) % this.#slots.length;
    await this.waitLater(slot);
    return slot;
  }

  /** As `wait`, with the event loop free meanwhile. */
  async waitLater(slot: Slot): Promise<void> {
    if (!slot.pending) return;
    if (slot.event === null) return await this.synchronizeLater();
    await callAside("ggml_backend_event_synchronize", "copyAsync", [slot.event.address]);
    slot.pending = false;
  }

  /** As `synchronize`, with the event loop free meanwhile. */
  async synchronizeLater(): Promise<void> {
    await callAside("ggml_backend_synchronize", "copyAsync", [this.#backend.address]);
    for (const slot of this.#slots) slot.pending = false;
  }

  /** Waits until the queue is done with a piece. */
  wait(slot: Slot): void {
    if (!slot.pending) return;
    if (slot.event === null) return this.synchronize();
    lib.ggml_backend_event_synchronize(slot.event);
    slot.pending = false;
  }

  /** Waits until the queue is done with all. */
  synchronize(): void {
    lib.ggml_backend_synchronize(this.#backend);
    for (const slot of this.#slots) slot.pending = false;
  }

  /** Has the device read what a stage stands for into it, or write it from there, later. The stage lies in the piece. */
  carry(which: "get" | "set", slot: Slot, { bytes, calls }: Stage, part: lib.ggml_tensor): void {
    const tensor = unpermuted(part);
    slot.pending = true;
    for (const call of calls) this.#call(which, tensor, bytes.subarray(call.at, call.at + call.size * call.copies), call);
    if (slot.event !== null) lib.ggml_backend_event_record(slot.event, this.#backend);
  }

  #call(which: "get" | "set", tensor: lib.ggml_tensor, bytes: Bytes, { offset, size, copies, stride }: Call): void {
    if (copies === 1) lib[`ggml_backend_tensor_${which}_async`](this.#backend, tensor, bytes, offset, size);
    else {
      const all = optional<Pieces>(`ggml_backend_tensor_${which}_2d_async`);
      if (all !== null) return all(this.#backend, tensor, bytes, offset, size, copies, stride, size);
      for (let i = 0; i < copies; i++) {
        const piece = bytes.subarray(i * size, (i + 1) * size);
        this.#call(which, tensor, piece, { at: 0, offset: offset + i * stride, size, copies: 1, stride });
      }
    }
  }
}

/** C's functions for pieces of one size, a stride apart. */
type Pieces = (
  backend: lib.ggml_backend,
  tensor: lib.ggml_tensor,
  bytes: Bytes,
  offset: number,
  size: number,
  copies: number,
  stride: number,
  strideHere: number,
) => void;

export type { Slot };

/** By the device's address; null for one that has no such memory. */
const known: Map<bigint, WeakRef<Pinned> | null> = new Map();

/** Pinned memory of the device that a tensor is on; null if that has none, it is busy, or the system gives none now. */
export function pinnedFor(tensor: lib.ggml_tensor): Pinned | null {
  const buffer = bufferOf(tensor);
  if (buffer === null) return null;
  const type = lib.ggml_backend_buffer_get_type(buffer), device = lib.ggml_backend_buft_get_device(type);
  // A buffer of another type, as one that is split over several cards, takes no asynchronous copies.
  if (device === null || lib.ggml_backend_dev_buffer_type(device).address !== type.address) return null;
  const last = known.get(device.address);
  if (last === null) return null;
  const kept = last?.deref();
  if (kept !== undefined) return kept.busy ? null : kept;
  const made = make(device);
  known.set(device.address, made === null ? null : new WeakRef(made));
  return made;
}

function make(device: lib.ggml_backend_device): Pinned | null {
  const type = lib.ggml_backend_dev_host_buffer_type(device), props = new lib.ggml_backend_dev_props();
  if (type === null || !lib.ggml_backend_buft_is_host(type)) return null;
  lib.ggml_backend_dev_get_props(device, props);
  if (!props.caps.async) return null;
  const buffers = [0, 1].map(() => lib.ggml_backend_buft_alloc_buffer(type, PIECE));
  const backend = lib.ggml_backend_dev_init(device, null);
  if (backend === null || buffers.includes(null)) return null;
  return new Pinned(device, backend, buffers as lib.ggml_backend_buffer[]);
}
