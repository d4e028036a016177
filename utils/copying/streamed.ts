/**
 * `streamed`: copies between host memory and a device through pinned memory, two pieces at a time: one is carried while the other is
 * converted.
 *
 * @module
 */

import type { lib } from "../../ffi/generated/lib.js";
import type { Box } from "./box.ts";
import { load, type Stage, stage, stagePieces } from "./device.ts";
import type { Plan } from "./plan.ts";
import { type Pinned, pinnedFor, type Slot } from "./pinned.ts";
import { onHost } from "./on_host.ts";
import type { Bytes } from "./types.ts";

/** Fewer bytes are carried as they are: the queue costs some tens of microseconds. */
const LEAST = 1024 * 1024;

/** The pinned memory that a copy goes through; null if there is none, or the copy isn't worth it. */
export function pinnedOf({ source, destination, conversion: { from, to } }: Plan): Pinned | null {
  const reads = source.bytes === null;
  if (reads === (destination.bytes === null)) return null;
  const { typeSize, blockSize } = reads ? from : to;
  return source.count / blockSize * typeSize < LEAST ? null : pinnedFor((reads ? source : destination).tensor!);
}

/** Copies and returns true, or does nothing and returns false: then there is no pinned memory, or the copy isn't worth it. */
export function streamed(plan: Plan): boolean {
  const pinned = pinnedOf(plan), { source, destination } = plan;
  if (pinned === null) return false;
  try {
    if (source.bytes === null) read(plan, source.tensor!, destination.bytes!, pinned);
    else write(plan, source.bytes, destination.tensor!, pinned);
  } finally {
    pinned.synchronize();
  }
  return true;
}

/** The device reads the next piece while this one is converted. */
function read(plan: Plan, tensor: lib.ggml_tensor, to: Bytes, pinned: Pinned): void {
  let last: { readonly slot: Slot; readonly stage: Stage } | null = null;
  const finish = () => {
    if (last === null) return;
    pinned.wait(last.slot);
    onHost(last.stage.bytes, to, last.stage.box, plan.conversion);
  };
  for (const piece of stagePieces(plan)) {
    const slot = pinned.next(), read = stage("from", piece, plan.conversion.from.typeSize, memoryIn(slot));
    if (read.bytes.buffer === slot.bytes.buffer) pinned.carry("get", slot, read, tensor);
    else load(read, tensor, plan.conversion.where);
    finish();
    last = { slot, stage: read };
  }
  finish();
}

/** The device writes the last piece while this one is converted. */
function write(plan: Plan, from: Bytes, tensor: lib.ggml_tensor, pinned: Pinned): void {
  const { conversion } = plan;
  for (const piece of stagePieces(plan)) writePiece(piece);

  function writePiece(piece: Box): void {
    const slot = pinned.next(), written = stage("to", piece, conversion.to.typeSize, memoryIn(slot));
    if (written.hasMore) {
      pinned.synchronize(); // some of it may be the last piece's
      load(written, tensor, conversion.where);
    }
    onHost(from, written.bytes, written.box, conversion);
    pinned.carry("set", slot, written, tensor);
    if (written.bytes.buffer !== slot.bytes.buffer) pinned.synchronize(); // it is gone when this returns
  }
}

/** Memory for a stage: the slot's, or null where it is too small. */
export function memoryIn({ bytes }: Slot): (length: number) => Bytes | null {
  return (length) => length <= bytes.length ? bytes.subarray(0, length) : null;
}
