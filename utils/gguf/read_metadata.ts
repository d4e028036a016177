/**
 * Reads the head of a GGUF file and its keys with their values.
 *
 * It accepts what `gguf_init_from_file` accepts, but for what is said in `utils/read_gguf.ts`.
 *
 * @module
 */

import { quote } from "../../ffi/core/describe.ts";
import { lib } from "../../ffi/generated/lib.js";
import type { Cursor } from "./cursor.ts";
import { MAX_KEYS, MAX_TENSORS } from "./limits.ts";
import { type GgufValue, isAlignmentKey, type Kind, kindOf, MAX_LENGTH, narrow } from "./values.ts";

/** The least bytes that a key with its value takes: a length, one byte of name, a type, and one byte of value. */
const LEAST_KEY = 8 + 1 + 4 + 1;
/** The least bytes that a tensor's description takes: a length, the number of dimensions, a type, and an offset. */
const LEAST_TENSOR = 8 + 4 + 4 + 8;

/** What stands at the beginning. */
export interface Head {
  readonly version: number;
  readonly tensorCount: number;
  readonly keyCount: number;
}

/** Reads the magic, the version and how many tensors and keys there are. */
export function readHead(cursor: Cursor): Head {
  const magic = new TextDecoder("latin1").decode(cursor.bytes(4, "magic"));
  if (magic !== lib.GGUF_MAGIC) throw cursor.error("magic", `expected ${quote(lib.GGUF_MAGIC)}, got ${quote(magic)}`, 0);
  const version = readVersion(cursor);
  const tensorCount = readCount(cursor, "number of tensors", LEAST_TENSOR, MAX_TENSORS);
  const keyCount = readCount(cursor, "number of keys", LEAST_KEY, MAX_KEYS);
  return { version, tensorCount, keyCount };
}

function readVersion(cursor: Cursor): number {
  const at = cursor.offset;
  const version = cursor.u32("version");
  const wrong = (problem: string) => cursor.error("version", problem, at);
  if ((version & 0xffff) === 0 && version !== 0) {
    throw wrong(`0x${version.toString(16)}: the file is big-endian, and this machine is little-endian`);
  }
  if (version === 1) throw wrong("1: ggml no longer reads GGUF version 1: convert the file by an older llama.cpp");
  if (version === 0 || version > lib.GGUF_VERSION) throw wrong(`${version}: ggml reads GGUF versions 2 to ${lib.GGUF_VERSION}`);
  return version;
}

function readCount(cursor: Cursor, field: string, least: number, limit: number): number {
  const at = cursor.offset;
  const count = cursor.i64(field);
  const most = Math.floor(cursor.remaining / least);
  if (count < 0n || count > most) {
    throw cursor.error(field, `${count}: the ${cursor.remaining} bytes that are left hold ${most} at most`, at);
  }
  if (count > limit) throw cursor.error(field, `${count}: more than ${limit} are not read`, at);
  return Number(count);
}

/** Reads the keys, in order. */
export function readMetadata(cursor: Cursor, count: number): Map<string, GgufValue> {
  const metadata = new Map<string, GgufValue>();
  for (let i = 0; i < count; i++) {
    const field = `key ${i} of ${count}`, at = cursor.offset;
    const key = cursor.string(field);
    if (key === "") throw cursor.error(field, "it is empty", at);
    if (metadata.has(key)) throw cursor.error(field, `${quote(key)} is there already`, at);
    metadata.set(key, readValue(cursor, key));
  }
  return metadata;
}

/** What the tensors are aligned to, in bytes: the first key that C takes for it decides. */
export function readAlignment(cursor: Cursor, metadata: ReadonlyMap<string, GgufValue>): number {
  const key = metadata.keys().find(isAlignmentKey);
  if (key === undefined) return lib.GGUF_DEFAULT_ALIGNMENT;
  const { type, value } = metadata.get(key)!;
  const field = `value of ${quote(key)}`;
  if (type !== "u32") throw cursor.error(field, `it must be a u32, and is ${type}`);
  if (!isPowerOfTwo(value)) throw cursor.error(field, `${value} is not a power of 2`);
  return value;
}

/** True for 1, 2, 4, … 2^31. */
export function isPowerOfTwo(value: number): boolean {
  return Number.isInteger(Math.log2(value));
}

function readValue(cursor: Cursor, key: string): GgufValue {
  const field = `value of ${quote(key)}`;
  const at = cursor.offset;
  const id = cursor.i32(field);
  if (id === lib.GGUF_TYPE_ARRAY) return readArray(cursor, field);
  const kind = kindOf(id);
  if (kind === undefined) throw cursor.error(field, `there is no GGUF type ${id}`, at);
  return { type: kind.name, value: readScalar(cursor, kind, field) } as GgufValue;
}

function readScalar(cursor: Cursor, kind: Kind, field: string): GgufValue["value"] {
  if (kind.name === "str") return cursor.string(field);
  const bytes = cursor.bytes(kind.size, field);
  if (kind.array === null) return bytes[0] !== 0;
  const [value] = new kind.array(bytes.buffer);
  return typeof value === "bigint" ? narrow(value) : value;
}

function readArray(cursor: Cursor, field: string): GgufValue {
  const at = cursor.offset;
  const id = cursor.i32(field);
  if (id === lib.GGUF_TYPE_ARRAY) throw cursor.error(field, "an array of arrays, which ggml doesn't read", at);
  const kind = kindOf(id);
  if (kind === undefined) throw cursor.error(field, `an array of GGUF type ${id}, which there is not`, at);
  const length = readLength(cursor, kind, field);
  return { type: `${kind.name}[]`, value: readItems(cursor, kind, length, field) } as GgufValue;
}

function readLength(cursor: Cursor, { name, size, array }: Kind, field: string): number {
  const at = cursor.offset;
  const length = cursor.u64(field);
  if (length > MAX_LENGTH) throw cursor.error(field, `an array of ${length} ${name} is longer than ggml reads (${MAX_LENGTH})`, at);
  if (length * BigInt(size) > cursor.remaining) {
    throw cursor.error(field, `an array of ${length} ${name} takes more than the ${cursor.remaining} bytes that are left`, at);
  }
  if (array === null) cursor.allow(Number(length), field, at);
  return Number(length);
}

function readItems(cursor: Cursor, kind: Kind, length: number, field: string): GgufValue["value"] {
  if (kind.name === "str") {
    const strings: string[] = [];
    for (let i = 0; i < length; i++) strings.push(cursor.string(field));
    return strings;
  }
  const bytes = cursor.bytes(length * kind.size, field);
  return kind.array === null ? Array.from(bytes, (byte) => byte !== 0) : new kind.array(bytes.buffer);
}
