/**
 * `streamLater`: as `streamed`, with the event loop free meanwhile.
 *
 * @module
 */

import type { lib } from "../../ffi/generated/lib.js";
import type { Box } from "./box.ts";
import { load, type Stage, stage, stagePieces } from "./device.ts";
import type { Pinned, Slot } from "./pinned.ts";
import type { Plan } from "./plan.ts";
import { memoryIn } from "./streamed.ts";
import type { Bytes } from "./types.ts";

/** Copies a piece in host memory; `staged` is the side that is a stage. */
export type Convert = (staged: Bytes, box: Box) => Promise<void>;

/**
 * Copies through pinned memory, which no other copy may use meanwhile.
 *
 * @param goOn Throws where the copy is to end.
 */
export async function streamLater(plan: Plan, pinned: Pinned, convert: Convert, goOn: () => void): Promise<void> {
  const { source, destination } = plan;
  pinned.busy = true;
  try {
    if (source.bytes === null) await read(plan, source.tensor!, pinned, convert, goOn);
    else await write(plan, destination.tensor!, pinned, convert, goOn);
  } finally {
    await pinned.synchronizeLater();
    pinned.busy = false;
  }
}

async function read(plan: Plan, tensor: lib.ggml_tensor, pinned: Pinned, convert: Convert, goOn: () => void): Promise<void> {
  let last: { readonly slot: Slot; readonly stage: Stage } | null = null;
  const finish = async () => {
    if (last === null) return;
    await pinned.waitLater(last.slot);
    await convert(last.stage.bytes, last.stage.box);
  };
  for (const piece of stagePieces(plan)) {
    goOn();
    const slot = await pinned.nextLater(), read = stage("from", piece, plan.conversion.from.typeSize, memoryIn(slot));
    if (read.bytes.buffer === slot.bytes.buffer) pinned.carry("get", slot, read, tensor);
    else load(read, tensor, plan.conversion.where);
    await finish();
    last = { slot, stage: read };
  }
  await finish();
}

async function write(plan: Plan, tensor: lib.ggml_tensor, pinned: Pinned, convert: Convert, goOn: () => void): Promise<void> {
  for (const piece of stagePieces(plan)) {
    goOn();
    const slot = await pinned.nextLater(), written = stage("to", piece, plan.conversion.to.typeSize, memoryIn(slot));
    if (written.hasMore) {
      await pinned.synchronizeLater(); // some of it may be the last piece's
      load(written, tensor, plan.conversion.where);
    }
    await convert(written.bytes, written.box);
    pinned.carry("set", slot, written, tensor);
    if (written.bytes.buffer !== slot.bytes.buffer) await pinned.synchronizeLater(); // it is gone after this
  }
}
