/**
 * Placing: buffers for the tensors of a plan. What is in a mapped file stays there, all else gets memory of the device.
 *
 * @module
 */

import { quote } from "../../ffi/core/describe.ts";
import { at } from "../../ffi/core/at.ts";
import { Pointer } from "../../ffi/core/pointer.ts";
import { watch } from "../../ffi/core/known.ts";
import { lib } from "../../ffi/generated/lib.js";
import { library } from "../../ffi/load/library.ts";
import { alignUp } from "../gguf/shape.ts";
import type { Source } from "../gguf/source.ts";
import { mapFile, type Mapping } from "./mapping.ts";
import type { Weight } from "./plan.ts";

/** A tensor of the plan, as it was made. */
export interface Placed {
  readonly weight: Weight;
  readonly tensor: lib.ggml_tensor;
}

/** A buffer of weights. */
export interface WeightsBuffer {
  /** ggml's name of its kind, such as `"CPU"` or `"CPU_REPACK"`. */
  readonly name: string;
  /** Whether its tensors lie in the mapped file, were rearranged for the processor, or were copied as they are. */
  readonly kind: "mapped" | "repacked" | "copied";
  /** How many bytes its tensors have in the file. */
  readonly byteLength: number;
  /** The buffer. */
  readonly buffer: lib.ggml_backend_buffer;
}

/** What a placement made, for whoever has to free it: in this order. */
export interface Placement {
  readonly buffers: WeightsBuffer[];
  mapping: Mapping | null;
  /** The tensors whose data is still to be read. */
  readonly unread: Placed[];
}

/** Where weights go: a device, and the kind of its buffers that a backend of it uses. */
export interface Home {
  readonly device: lib.ggml_backend_device;
  readonly type: lib.ggml_backend_buffer_type;
}

/** Gives every tensor its place. What is made is noted in `placement` at once, so that it can be freed if this fails. */
export function place(all: readonly Placed[], source: Source, home: Home, map: boolean, placement: Placement, where: string): void {
  const mapped = map ? placeInFile(all, source, home, placement, where) : new Set();
  const groups = new Map<lib.ggml_backend_buffer_type | null, Placed[]>();
  for (const placed of all) {
    if (mapped.has(placed)) continue;
    const { repackedIn } = placed.weight, group = groups.get(repackedIn);
    if (group === undefined) groups.set(repackedIn, [placed]);
    else group.push(placed);
    placement.unread.push(placed);
  }
  for (const [type, group] of groups) {
    for (const part of parts(group, type ?? home.type)) {
      allocate(part, type ?? home.type, type === null ? "copied" : "repacked", placement, where);
    }
  }
}

/** Puts tensors where they lie in the mapped file, if the device can have them there. Those that it did. */
function placeInFile(all: readonly Placed[], source: Source, { device, type }: Home, placement: Placement, where: string): Set<Placed> {
  const alignment = lib.ggml_backend_buft_get_alignment(type);
  const fitting = all.filter(({ weight }) => weight.repackedIn === null && weight.offset % alignment === 0 && weight.byteLength > 0);
  if (fitting.length === 0 || !takesHostMemory(device)) return new Set();
  const mapping = placement.mapping = mapFile(source.path);
  source.expectUnchanged(where); // C has opened the path once more
  if (mapping === null) return new Set();
  const { pointer, size } = mapping, largest = Math.max(...fitting.map(({ weight }) => weight.byteLength));
  const buffer = lib.ggml_backend_dev_buffer_from_host_ptr(device, pointer, size, largest);
  if (buffer === null) return new Set();
  buffer.owner.need(pointer.owner); // a device may look at the memory until the buffer is freed
  watch(buffer.owner);
  const kind = lib.ggml_backend_buffer_get_type(buffer);
  const placed = fitting.filter(({ weight, tensor }) => weight.offset + lib.ggml_backend_buft_get_alloc_size(kind, tensor) <= size);
  note(placement, buffer, "mapped", placed);
  for (const { weight, tensor } of placed) put(buffer, tensor, pointer.address + BigInt(weight.offset), where);
  return new Set(placed);
}

function takesHostMemory(device: lib.ggml_backend_device): boolean {
  const props = new lib.ggml_backend_dev_props();
  lib.ggml_backend_dev_get_props(device, props);
  return props.caps.buffer_from_host_ptr;
}

/** Cuts a group where a buffer would become larger than its kind may be. */
function parts(group: readonly Placed[], type: lib.ggml_backend_buffer_type): Placed[][] {
  const most = mostBytes(type), found: Placed[][] = [];
  let room = 0;
  for (const placed of group) {
    const size = roomFor(placed, type);
    if (size > room || found.length === 0) {
      found.push([]);
      room = most;
    }
    found.at(-1)!.push(placed);
    room -= size;
  }
  return found;
}

/** As many bytes as a buffer may have. Most say `SIZE_MAX`, which `lib` has no exact number for. */
function mostBytes({ address }: lib.ggml_backend_buffer_type): number {
  return Number(at(library().address("ggml_backend_buft_get_max_size")!, ["u64"], "u64")(address));
}

function roomFor({ tensor }: Placed, type: lib.ggml_backend_buffer_type): number {
  return alignUp(lib.ggml_backend_buft_get_alloc_size(type, tensor), lib.ggml_backend_buft_get_alignment(type));
}

/** Allocates a buffer and puts tensors into it, one behind the other. */
function allocate(
  group: readonly Placed[],
  type: lib.ggml_backend_buffer_type,
  kind: WeightsBuffer["kind"],
  placement: Placement,
  where: string,
): void {
  const alignment = lib.ggml_backend_buft_get_alignment(type);
  const size = group.reduce((sum, placed) => sum + roomFor(placed, type), alignment); // the first byte need not be aligned
  const buffer = lib.ggml_backend_buft_alloc_buffer(type, size);
  if (buffer === null) {
    throw new RangeError(`${where}: no memory for ${size} bytes of ${group.length} tensors (${lib.ggml_backend_buft_name(type)})`);
  }
  note(placement, buffer, kind, group);
  let offset = alignUp(Number(lib.ggml_backend_buffer_get_base(buffer)!.address), alignment);
  for (const placed of group) {
    put(buffer, placed.tensor, BigInt(offset), where);
    offset += roomFor(placed, type);
  }
}

function note(placement: Placement, buffer: lib.ggml_backend_buffer, kind: WeightsBuffer["kind"], group: readonly Placed[]): void {
  lib.ggml_backend_buffer_set_usage(buffer, lib.GGML_BACKEND_BUFFER_USAGE_WEIGHTS);
  const byteLength = group.reduce((sum, { weight }) => sum + weight.byteLength, 0);
  placement.buffers.push({ name: lib.ggml_backend_buffer_name(buffer), kind, byteLength, buffer });
}

function put(buffer: lib.ggml_backend_buffer, tensor: lib.ggml_tensor, address: bigint, where: string): void {
  const status = lib.ggml_backend_tensor_alloc(buffer, tensor, new Pointer(address));
  if (status === lib.GGML_STATUS_SUCCESS) return;
  throw new Error(
    `${where}: tensor ${quote(tensor.name)} can't be put into memory of the device: ${lib.ggml_status_to_string(status)}`,
  );
}
