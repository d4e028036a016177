/**
 * `writeGguf`: a GGUF file from values and tensors.
 *
 * @module
 */

import { describe, quote } from "../ffi/core/describe.ts";
import { expectOptions } from "../ffi/core/options.ts";
import { lib } from "../ffi/generated/lib.js";
import { expectName } from "./copying/new_tensor.ts";
import { pathOf } from "./files/path.ts";
import { Replacement, writeAllAsync } from "./files/replace.ts";
import { encodeHead } from "./gguf/encode.ts";
import { type GgufValueInput, inferValue } from "./gguf/infer.ts";
import { isPowerOfTwo } from "./gguf/read_metadata.ts";
import { alignUp } from "./gguf/shape.ts";
import { type GgufTensorInput, type PlannedTensor, planTensor } from "./gguf/tensor_input.ts";
import { type GgufValue, isAlignmentKey } from "./gguf/values.ts";

/** What {@linkcode writeGguf} writes. An open file of `readGguf` is that, too. */
export interface GgufContents {
  /** Values by key, in the order that the file shall have. */
  readonly metadata?: ReadonlyMap<string, GgufValueInput> | Readonly<Record<string, GgufValueInput>>;
  /** Tensors by name, or tensors that have names of their own. */
  readonly tensors?: ReadonlyMap<string, GgufTensorInput> | Readonly<Record<string, GgufTensorInput>> | Iterable<GgufTensorInput>;
  /** The version of the format, 2 or 3: they differ in the number only. By default `GGUF_VERSION`. */
  readonly version?: number;
}

const CONTENTS = ["metadata", "tensors", "version"];

/** What files that `readGguf`, `readSafetensors` and `loadWeights` opened have besides. */
const OF_FILES = ["path", "alignment", "close", "buffers"];

/**
 * Writes a GGUF file that ggml and llama.cpp read.
 *
 * It is written beside the file of that name and takes its place when it is complete and on the disk: if anything fails, or the power does,
 * the old file is still there. Needs `--allow-read` and `--allow-write` for the folder. A symbolic link stays, and what it points to is replaced; the mode
 * stays, too. A named pipe is written to, and waits for its reader.
 *
 * What it is given is read piece by piece, and may be neither changed nor freed before the promise is settled.
 *
 * A value may be given with its type, in the form that `readGguf` gives: `{ type: "f32", value: 10000 }`, `{ type: "str[]", value: [] }`.
 * Otherwise its type follows from it:
 *
 * - a string is a `str`, a boolean a `bool`;
 * - a whole number is a `u32` if it isn't negative, and else an `i32`; where these end, a `u64` or `i64`. JavaScript doesn't tell 10000.0
 *   from 10000: give its type where llama.cpp wants an `f32`;
 * - any other number is an `f32`, as llama.cpp's keys are;
 * - a bigint is a `u64` if it isn't negative, and else an `i64`;
 * - a typed array is an array of its elements' type; any other array has one type that holds all of its elements.
 *
 * The key `general.alignment`, a power of 2, says what the tensors' data is aligned to.
 *
 * @param path The file, made anew or replaced.
 * @param contents `metadata`, values by key, and `tensors`: ggml tensors that are contiguous (in a backend's memory, too), `ndarray`s (row-major),
 * typed arrays, tensors of an open GGUF or safetensors file, or `{ type, ne, data }` with the bytes, which may come in pieces.
 * @throws {TypeError} If a key, a value or a tensor is nothing that GGUF has, or the path is a folder's, a socket's or a block device's.
 * @throws {RangeError} If a value is out of its type's range, or a shape, a name or the bytes' number is wrong.
 * @throws {Error} If a tensor isn't contiguous or has no memory, or the file can't be written: of Deno's own class.
 *
 * @example
 * ```ts
 * import { lib } from "@ggml/deno";
 * import { ndarray, readGguf, writeGguf } from "@ggml/deno/utils";
 *
 * const path = await Deno.makeTempFile({ suffix: ".gguf" });
 * await writeGguf(path, {
 *   metadata: {
 *     "general.architecture": "example", // str
 *     "example.block_count": 2, // u32
 *     "example.rope.freq_base": { type: "f32", value: 10000 },
 *   },
 *   tensors: {
 *     "a.weight": ndarray(new Float32Array(6), [2, 3]), // ne is [3, 2]
 *     "b.weight": { type: lib.GGML_TYPE_Q8_0, ne: [32], data: new Uint8Array(34) },
 *   },
 * });
 * using file = readGguf(path);
 * console.log(file.metadata.get("example.block_count")); // { type: "u32", value: 2 }
 * console.log(file.tensors.get("a.weight")!.shape); // [ 2, 3 ]
 * await Deno.remove(path);
 * ```
 */
export async function writeGguf(path: string | URL, contents: GgufContents): Promise<void> {
  const file = pathOf(path, "writeGguf");
  const where = `writeGguf: ${file}`;
  // A promise that wasn't awaited would make an empty file.
  const isContents = isRecord(contents) ||
    (typeof contents === "object" && contents !== null && ("metadata" in contents || "tensors" in contents));
  if (!isContents) {
    throw new TypeError(`${where}: expected { metadata, tensors }, got ${describe(contents)}`);
  }
  // A misspelled one would replace the file by an empty one.
  if (isRecord(contents)) expectOptions(where, contents, Symbol.dispose in contents ? [...CONTENTS, ...OF_FILES] : CONTENTS);
  const version = planVersion(contents, where), metadata = planMetadata(contents, where), tensors = planTensors(contents, where);
  const alignment = planAlignment(metadata, where);
  const head = encodeHead(version, metadata, tensors, alignment, where);
  using replacement = new Replacement(file, where);
  await writeAllAsync(replacement.file, head, where);
  for (const tensor of tensors) await writeTensor(replacement.file, tensor, alignment, where);
  await replacement.commit();
}

function planVersion({ version = lib.GGUF_VERSION }: GgufContents, where: string): number {
  if (version === 2 || version === 3) return version;
  throw new RangeError(`${where}: expected version 2 or 3, got ${describe(version)}`);
}

function planMetadata({ metadata = {} }: GgufContents, where: string): Map<string, GgufValue> {
  const planned = new Map<string, GgufValue>();
  for (const [key, value] of entries(metadata, `${where}: metadata`)) {
    if (typeof key !== "string") throw new TypeError(`${where}: metadata: expected a string as key, got ${describe(key)}`);
    if (key === "") throw new TypeError(`${where}: metadata: a key is empty`);
    planned.set(key, inferValue(value, `${where}: metadata ${quote(key)}`));
  }
  return planned;
}

function planTensors({ tensors = {} }: GgufContents, where: string): PlannedTensor[] {
  const planned = namedTensors(tensors, where).map(([name, tensor]) => planTensor(name, tensor, where));
  const names = new Set<string>();
  for (const { name } of planned) {
    expectName(name, `${where}: tensor ${quote(name)}`);
    if (names.has(name)) throw new TypeError(`${where}: there are two tensors ${quote(name)}`);
    names.add(name);
  }
  return planned;
}

/** Tensors, each with the name that it shall have; null for its own. */
function namedTensors(tensors: NonNullable<GgufContents["tensors"]>, where: string): [string | null, GgufTensorInput][] {
  const isList = typeof tensors === "object" && tensors !== null && Symbol.iterator in tensors && !(tensors instanceof Map);
  if (isList) return Array.from(tensors as Iterable<GgufTensorInput>, (tensor) => [null, tensor]);
  return entries(tensors as Record<string, GgufTensorInput>, `${where}: tensors`);
}

function entries<T>(values: ReadonlyMap<string, T> | Readonly<Record<string, T>>, where: string): [string, T][] {
  if (values instanceof Map) return [...values];
  if (isRecord(values)) return Object.entries(values);
  throw new TypeError(`${where}: expected a Map or an object, got ${describe(values)}`);
}

/** True for an object that is nothing else: no array, no promise, none of C's. */
function isRecord(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function planAlignment(metadata: ReadonlyMap<string, GgufValue>, where: string): number {
  const key = metadata.keys().find(isAlignmentKey);
  if (key === undefined) return lib.GGUF_DEFAULT_ALIGNMENT;
  const { type, value } = metadata.get(key)!;
  if (type === "u32" && isPowerOfTwo(value)) return value;
  throw new RangeError(`${where}: metadata ${quote(key)} must be a u32 that is a power of 2, got ${value} (${type})`);
}

async function writeTensor(out: Deno.FsFile, tensor: PlannedTensor, alignment: number, where: string): Promise<void> {
  const { name, byteLength } = tensor, data = tensor.data();
  const place = `${where}: tensor ${quote(name)}`;
  const isPieces = typeof data === "object" && data !== null && (Symbol.iterator in data || Symbol.asyncIterator in data);
  if (!isPieces) throw new TypeError(`${place}: expected bytes or pieces of bytes as data, got ${describe(data)}`);
  let written = 0;
  for await (const piece of data instanceof Uint8Array ? [data] : data) {
    if (!(piece instanceof Uint8Array)) {
      throw new TypeError(`${place}: expected a Uint8Array as a piece of its data, got ${describe(piece)}`);
    }
    written += piece.length;
    if (written > byteLength) break;
    await writeAllAsync(out, piece, place);
  }
  if (written !== byteLength) {
    const got = written > byteLength ? `${written} or more` : written;
    throw new RangeError(`${place}: expected ${byteLength} bytes for its type and shape, got ${got}`);
  }
  await writeZeros(out, alignUp(byteLength, alignment) - byteLength, place);
}

/** Pads in pieces: an alignment may be 2 GiB. */
async function writeZeros(out: Deno.FsFile, count: number, where: string): Promise<void> {
  const zeros = new Uint8Array(Math.min(count, 64 * 1024));
  for (let left = count; left > 0; left -= zeros.length) await writeAllAsync(out, zeros.subarray(0, left), where);
}
