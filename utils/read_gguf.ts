/**
 * `readGguf`: what is in a GGUF file.
 *
 * The file is read here, in TypeScript, and everything that it claims is checked before ggml sees any of it. What `gguf_init_from_file`
 * refuses is refused, and what it accepts is accepted, but for four things that C doesn't look at:
 *
 * - data that reaches beyond the end of the file. The padding after the last tensor may be missing, as for llama.cpp;
 * - dimensions whose product is more than 64 bits hold: C looks at what remains of it;
 * - a dimension of more than 2^53, which a tensor without elements could have;
 * - more metadata than fits into JavaScript's memory: see `gguf/limits.ts`.
 *
 * @module
 */

import { Cursor } from "./gguf/cursor.ts";
import { readAlignment, readHead, readMetadata } from "./gguf/read_metadata.ts";
import { readTensors } from "./gguf/read_tensors.ts";
import { pathOf } from "./files/path.ts";
import { noteSource, Source } from "./gguf/source.ts";
import { GgufTensor } from "./gguf/tensor.ts";
import type { GgufValue } from "./gguf/values.ts";

/** An open GGUF file. */
export interface GgufFile extends Disposable {
  /** Where it is. */
  readonly path: string;
  /** The version of the format, 2 or 3. */
  readonly version: number;
  /** What the tensors' data is aligned to, in bytes. */
  readonly alignment: number;
  /** The keys in the file's order, each with its value and the type that the file declares. */
  readonly metadata: ReadonlyMap<string, GgufValue>;
  /** The tensors in the file's order, by name. */
  readonly tensors: ReadonlyMap<string, GgufTensor>;
  /** Closes the file; twice is harmless. The metadata stays, the tensors can't be read any more. */
  close(): void;
}

/**
 * Opens a GGUF file and reads its metadata and what it says of its tensors. Their data is read when it is asked for, and never all at once.
 *
 * The file stays open until `close()`, the end of a `using` block, or until neither it nor any of its tensors can be reached any more. What
 * it returns can be written again as it is: `await writeGguf("copy.gguf", file)`.
 *
 * Strings whose bytes are no UTF-8 lose nothing: see {@linkcode GgufValue}. A bool is true for every byte but 0, and a NaN is a NaN whatever
 * its bits.
 *
 * @param path The file: GGUF version 2 or 3, little-endian. Needs `--allow-read` for it.
 * @returns The open file.
 * @throws {GgufError} If the file is malformed: which field, at which byte, and what is wrong.
 * @throws {Deno.errors.NotFound} If there is no such file.
 * @throws {Deno.errors.NotCapable} If it may not be read.
 * @throws {TypeError} If it is a folder, a pipe or a device.
 *
 * @example
 * ```ts
 * import { readGguf, writeGguf } from "@ggml/deno/utils";
 *
 * const path = await Deno.makeTempFile({ suffix: ".gguf" });
 * await writeGguf(path, { metadata: { "general.name": "tiny" }, tensors: { "a.weight": new Float32Array([1, 2, 3]) } });
 *
 * using file = readGguf(path);
 * console.log(file.metadata.get("general.name")); // { type: "str", value: "tiny" }
 * for (const { name, typeName, ne } of file.tensors.values()) console.log(name, typeName, ne); // a.weight f32 [ 3 ]
 * console.log(file.tensors.get("a.weight")!.numbers().get(2)); // 3
 * await Deno.remove(path);
 * ```
 */
export function readGguf(path: string | URL): GgufFile {
  return openGguf(pathOf(path, "readGguf"), "readGguf");
}

/** {@linkcode readGguf} for a function of another name, which its errors begin with. */
export function openGguf(path: string, where: string): GgufFile {
  const source = new Source(path, where);
  try {
    return readFrom(source);
  } catch (error) {
    source.close();
    throw error;
  }
}

function readFrom(source: Source): GgufFile {
  const cursor = new Cursor(source);
  const { version, tensorCount, keyCount } = readHead(cursor);
  const metadata = readMetadata(cursor, keyCount);
  const alignment = readAlignment(cursor, metadata);
  const entries = readTensors(cursor, tensorCount, alignment);
  const tensors = new Map(entries.map((entry) => [entry.name, new GgufTensor(source, entry)]));
  noteSource(tensors, source);
  const close = () => source.close();
  return { path: source.path, version, alignment, metadata, tensors, close, [Symbol.dispose]: close };
}
