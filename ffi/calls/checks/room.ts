/**
 * How much room there is behind an address, as far as it is known: in JavaScript's own memory that a struct's field was pointed to, and in what
 * C was told to make (`../told.ts`).
 *
 * @module
 */

import { addressOf } from "../../core/handle.ts";
import { ABI } from "../../generated/layouts.js";
import type { Owner } from "../../core/owner.ts";
import type { Struct } from "../../core/struct.ts";
import { bytesAt } from "../told.ts";

/** The address that a pointer field of a struct holds; 0n for null. */
export function addressIn(struct: Struct, field: string): bigint {
  const record = ABI.records[struct.constructor.name as keyof typeof ABI.records] as { fields: Readonly<Record<string, number>> };
  if (record.fields[field] === undefined) return 0n; // of another release
  const { buffer, byteOffset } = struct.bytes;
  return new DataView(buffer, byteOffset).getBigUint64(record.fields[field], true);
}

/** The bytes behind an address that a field of `owner`'s struct holds; infinitely many where nobody knows. */
export function bytesBehind(owner: Owner, address: bigint): number {
  const made = bytesAt(address);
  if (made !== undefined) return made;
  for (const memory of owner.keptMemory) {
    const offset = Number(address - addressOf(memory));
    if (offset >= 0 && offset < memory.byteLength) return memory.byteLength - offset;
  }
  for (const { arena, base, address: start } of owner.keptOwners) {
    const offset = Number(address - base);
    if (arena !== null && start === base && offset >= 0 && offset < arena.byteLength) return arena.byteLength - offset;
  }
  return Infinity;
}
