/**
 * Copies between two pieces of host memory, which may overlap.
 *
 * @module
 */

import { addressOf } from "../../ffi/core/handle.ts";
import type { Axis, Box } from "./box.ts";
import { type Conversion, convert, isPlain, unitsOf } from "./convert.ts";
import { gather, move, pack } from "./move.ts";
import type { Bytes } from "./types.ts";

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
