/**
 * `transfer`: carries a plan out, before it returns.
 *
 * @module
 */

import { addressOf } from "../../ffi/core/handle.ts";
import { lib } from "../../ffi/generated/lib.js";
import type { Axis, Box } from "./box.ts";
import { type Conversion, convert, isPlain, unitsOf } from "./convert.ts";
import { isWholeCopy, load, stage, stagePieces, store } from "./device.ts";
import { gather, move, pack } from "./move.ts";
import type { Plan } from "./plan.ts";
import type { Bytes } from "./types.ts";

/** Copies. */
export function transfer(plan: Plan): void {
  const { source, destination, box, conversion } = plan;
  if (source.count === 0) return;
  if (source.bytes !== null && destination.bytes !== null) return onHost(source.bytes, destination.bytes, box, conversion);
  if (isWholeCopy(plan)) return lib.ggml_backend_tensor_copy(source.tensor!, destination.tensor!);
  for (const piece of stagePieces(plan)) transferPiece(plan, piece);
}

/** Copies a piece that is on a device on one side or both. */
function transferPiece({ source, destination, conversion }: Plan, piece: Box): void {
  let box = piece, from = source.bytes, to = destination.bytes;
  if (from === null) {
    const read = stage("from", box, conversion.from.typeSize);
    load(read, source.tensor!);
    ({ bytes: from, box } = read);
  }
  if (to !== null) return onHost(from, to, box, conversion);
  const written = stage("to", box, conversion.to.typeSize);
  if (written.hasMore) load(written, destination.tensor!);
  ({ bytes: to, box } = written);
  onHost(from, to, box, conversion);
  store(written, destination.tensor!);
}

/** Copies in host memory. */
export function onHost(from: Bytes, to: Bytes, box: Box, conversion: Conversion): void {
  const apart = separate(from, to, box, conversion);
  if (isPlain(box.axes, conversion)) move(apart.from, to, unitsOf(apart.box), conversion.from.typeSize);
  else convert(apart.from, to, apart.box, conversion);
}

/** The source, copied if what is written could change what is still to be read. */
export function separate(from: Bytes, to: Bytes, box: Box, conversion: Conversion): { from: Bytes; box: Box } {
  if (from.length === 0 || to.length === 0 || !overlap(from, to)) return { from, box };
  const units = box.axes.map((axis) => ({ ...axis, count: axis.count / axis.fromBlock, fromBlock: 1, toBlock: 1 }));
  const unit = conversion.from.typeSize;
  const bytes = gather(from, { ...box, axes: units }, unit, (length) => new Uint8Array(length));
  const copied = bytes.buffer === from.buffer ? bytes.slice() : bytes;
  const axes = pack("from", units, unit).map(({ from }, i): Axis => ({ ...box.axes[i], from }));
  return { from: copied, box: { axes, from: 0, to: box.to } };
}

/** True if two pieces of memory have a byte in common. */
function overlap(a: Bytes, b: Bytes): boolean {
  const first = addressOf(a), second = addressOf(b);
  return first < second + BigInt(b.length) && second < first + BigInt(a.length);
}
