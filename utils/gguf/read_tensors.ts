/**
 * Reads what a GGUF file says of its tensors, and checks that their data is where it must be.
 *
 * It accepts what `gguf_init_from_file` accepts, but for what is said in `utils/read_gguf.ts`.
 *
 * @module
 */

import { quote } from "../../ffi/core/describe.ts";
import { lib } from "../../ffi/generated/lib.js";
import { type TypeInfo, typeInfo } from "../copying/types.ts";
import type { Cursor } from "./cursor.ts";
import { alignUp, type TensorShape } from "./shape.ts";
import { decodeText } from "../../ffi/core/text.ts";

/** What a file says of one tensor. */
export interface TensorEntry extends TensorShape {
  readonly name: string;
  /** Where its data begins, in bytes from the beginning of the file. */
  readonly offset: number;
}

/** A tensor whose offset is not held against the others' yet. */
interface Claim extends TensorShape {
  readonly name: string;
  /** In bytes from where the data begins. */
  readonly offset: bigint;
  readonly bytes: bigint;
  /** Where the file says the offset. */
  readonly at: number;
}

/** Reads so many tensors' descriptions. */
export function readTensors(cursor: Cursor, count: number, alignment: number): TensorEntry[] {
  const names = new Set<string>(), claims: Claim[] = [];
  for (let i = 0; i < count; i++) {
    const at = cursor.offset, field = `name of tensor ${i} of ${count}`;
    const name = readName(cursor, field);
    if (names.has(name)) throw cursor.error(field, `${quote(name)} is there already`, at);
    names.add(name);
    claims.push(readClaim(cursor, name));
  }
  return place(cursor, claims, alignment);
}

/** A tensor's name ends at a NUL, for ggml. */
function readName(cursor: Cursor, field: string): string {
  const at = cursor.offset;
  const bytes = cursor.stringBytes(field);
  if (bytes.length < lib.GGML_MAX_NAME) return decodeText(bytes).replace(/\0.*/s, "");
  throw cursor.error(field, `it has ${bytes.length} bytes, and ggml's names have at most ${lib.GGML_MAX_NAME - 1}`, at);
}

function readClaim(cursor: Cursor, name: string): Claim {
  const field = `tensor ${quote(name)}`;
  const ne = readDimensions(cursor, field);
  const info = readType(cursor, field);
  const row = ne[0] ?? 1;
  if (row % info.blockSize !== 0) {
    throw cursor.error(field, `its rows of ${row} are no multiple of ${info.name}'s block of ${info.blockSize}`, cursor.offset - 4);
  }
  const bytes = ne.reduce((product, n) => product * BigInt(n), 1n) / BigInt(info.blockSize) * BigInt(info.typeSize);
  const at = cursor.offset;
  return { name, type: info.type, ne, byteLength: Number(bytes), bytes, at, offset: cursor.u64(`offset of ${field}`) };
}

function readDimensions(cursor: Cursor, field: string): number[] {
  const at = cursor.offset;
  const rank = cursor.u32(field);
  if (rank > lib.GGML_MAX_DIMS) throw cursor.error(field, `it has ${rank} dimensions, and ggml's have at most ${lib.GGML_MAX_DIMS}`, at);
  const ne = Array.from({ length: rank }, (_, i) => readDimension(cursor, `ne[${i}] of ${field}`));
  if (ne.reduce((product, n) => product * BigInt(n), 1n) < 2n ** 63n) return ne;
  throw cursor.error(field, `ne=[${ne.join(", ")}] is more elements than can be counted`, at + 4);
}

function readDimension(cursor: Cursor, field: string): number {
  const at = cursor.offset;
  const n = cursor.i64(field);
  if (n < 0n) throw cursor.error(field, `${n} is negative`, at);
  if (n > Number.MAX_SAFE_INTEGER) throw cursor.error(field, `${n} is more elements than can be counted`, at);
  return Number(n);
}

function readType(cursor: Cursor, field: string): TypeInfo {
  const at = cursor.offset;
  const type = cursor.i32(field);
  try {
    return typeInfo(type);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw cursor.error(field, `ggml has no tensor type ${type}, or not any more`, at, { cause });
  }
}

/** Holds the offsets against each other and the file: the tensors lie one after the other, each aligned. */
function place(cursor: Cursor, claims: readonly Claim[], alignment: number): TensorEntry[] {
  const { offset: end, remaining } = cursor;
  const size = end + remaining, start = alignUp(end, alignment);
  if (claims.length > 0 && start > size) {
    throw cursor.error("tensor data", `it begins at byte ${start} (aligned to ${alignment}), and the file has ${size}`);
  }
  let next = 0;
  return claims.map(({ name, type, ne, byteLength, bytes, offset, at }) => {
    const field = `offset of tensor ${quote(name)}`;
    if (offset !== BigInt(next)) {
      throw cursor.error(field, `expected ${next} (one after the other, aligned to ${alignment}), got ${offset}`, at);
    }
    if (BigInt(start + next) + bytes > size) {
      throw cursor.error(field, `its ${bytes} bytes from ${start + next} on reach beyond the end of the file, ${size}`, at);
    }
    const entry = { name, type, ne, byteLength, offset: start + next };
    next += alignUp(byteLength, alignment);
    return entry;
  });
}
