/**
 * Bit-fields: integers of a few bits, several in a byte or over the edge of one. ggml's structs have none.
 *
 * @module
 */

import { int64, uint64 } from "./arguments.ts";
import { describe } from "./describe.ts";
import { type Handle, memory } from "./handle.ts";
import { fromInt64 } from "./integers.ts";

/** A bit-field; `bit` counts from the lowest bit of the struct's first byte. */
export function getBits(struct: Handle, bit: number, width: number, signed: boolean): number {
  const view = memory(struct);
  let value = 0n;
  for (let i = (bit + width - 1) >> 3; i >= bit >> 3; i--) value = (value << 8n) | BigInt(view.getUint8(struct.$offset + i));
  value >>= BigInt(bit & 7);
  return fromInt64(signed ? BigInt.asIntN(width, value) : BigInt.asUintN(width, value));
}

/** Sets a bit-field and leaves its neighbours as they are. */
export function setBits(struct: Handle, bit: number, width: number, signed: boolean, value: number | bigint, where: string): void {
  const whole = signed ? int64(value, where) : uint64(value, where);
  if ((signed ? BigInt.asIntN(width, whole) : BigInt.asUintN(width, whole)) !== whole) {
    throw new RangeError(`${where}: expected ${signed ? "a signed" : "an unsigned"} integer of ${width} bits, got ${describe(value)}`);
  }
  const view = memory(struct);
  for (let i = 0; i < width; i++) {
    const at = struct.$offset + ((bit + i) >> 3), mask = 1 << ((bit + i) & 7);
    const rest = view.getUint8(at) & ~mask;
    view.setUint8(at, (whole >> BigInt(i) & 1n) === 1n ? rest | mask : rest);
  }
}
