/**
 * `transfer`: carries a plan out, before it returns.
 *
 * @module
 */

import { onBehalf } from "../../ffi/core/on_behalf.ts";
import { lib } from "../../ffi/generated/lib.js";
import type { Box } from "./box.ts";
import { isWholeCopy, load, stage, stagePieces, store } from "./device.ts";
import { onHost } from "./on_host.ts";
import type { Plan } from "./plan.ts";
import { streamed } from "./streamed.ts";

/** Copies. */
export function transfer(plan: Plan): void {
  const { source, destination, box, conversion } = plan;
  if (source.count === 0) return;
  if (source.bytes !== null && destination.bytes !== null) return onHost(source.bytes, destination.bytes, box, conversion);
  if (isWholeCopy(plan)) return onBehalf(conversion.where, lib.ggml_backend_tensor_copy, source.tensor!, destination.tensor!);
  if (streamed(plan)) return;
  for (const piece of stagePieces(plan)) transferPiece(plan, piece);
}

/** Copies a piece that is on a device on one side or both. */
function transferPiece({ source, destination, conversion }: Plan, piece: Box): void {
  let box = piece, from = source.bytes, to = destination.bytes;
  if (from === null) {
    const read = stage("from", box, conversion.from.typeSize);
    load(read, source.tensor!, conversion.where);
    ({ bytes: from, box } = read);
  }
  if (to !== null) return onHost(from, to, box, conversion);
  const written = stage("to", box, conversion.to.typeSize);
  if (written.hasMore) load(written, destination.tensor!, conversion.where);
  ({ bytes: to, box } = written);
  onHost(from, to, box, conversion);
  store(written, destination.tensor!, conversion.where);
}
