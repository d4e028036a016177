/**
 * `readSafetensors`: what is in a safetensors file, the format of Hugging Face's models.
 *
 * @module
 */

import { inContext, pathOf } from "./files/path.ts";
import { noteSource, Source } from "./gguf/source.ts";
import { parseHeader } from "./safetensors/header.ts";
import { SafetensorsTensor } from "./safetensors/tensor.ts";

/** Bytes of the number that the file begins with. */
const PREFIX = 8;

/** As many bytes as the format allows a header. */
const LONGEST = 100_000_000;

/** An open safetensors file. */
export interface SafetensorsFile extends Disposable {
  /** Where it is. */
  readonly path: string;
  /** What the file says of itself, text by key. */
  readonly metadata: ReadonlyMap<string, string>;
  /** The tensors by name, in the header's order, but for names that are whole numbers: JavaScript has them first. */
  readonly tensors: ReadonlyMap<string, SafetensorsTensor>;
  /** Closes the file; twice is harmless. The metadata stays, the tensors can't be read any more. */
  close(): void;
}

/**
 * Opens a safetensors file and reads its header. The tensors' data is read when it is asked for, and never all at once.
 *
 * The file stays open until `close()`, the end of a `using` block, or until neither it nor any of its tensors can be reached any more.
 *
 * @param path The file. Needs `--allow-read` for it.
 * @returns The open file.
 * @throws {Error} If the file is malformed: which tensor, and what is wrong.
 * @throws {Deno.errors.NotFound} If there is no such file.
 * @throws {Deno.errors.NotCapable} If it may not be read.
 * @throws {TypeError} If `path` is none, or names a folder, a pipe or a device.
 *
 * @example
 * ```ts
 * import { init, readSafetensors } from "@ggml/deno/utils";
 *
 * const path = await Deno.makeTempFile({ suffix: ".safetensors" });
 * const header = '{"a.weight":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}}';
 * await Deno.writeFile(path, new Uint8Array([header.length, 0, 0, 0, 0, 0, 0, 0, ...new TextEncoder().encode(header), 0, 0, 128, 63, 0, 0, 0, 64]));
 *
 * using file = readSafetensors(path);
 * for (const { name, dtype, shape } of file.tensors.values()) console.log(name, dtype, shape); // a.weight F32 [ 1, 2 ]
 * using ctx = init();
 * const weight = file.tensors.get("a.weight")!.load(ctx);
 * console.log(weight.ne); // [ 2, 1, 1, 1 ]
 * await Deno.remove(path);
 * ```
 */
export function readSafetensors(path: string | URL): SafetensorsFile {
  return openSafetensors(pathOf(path, "readSafetensors"), "readSafetensors");
}

/** {@linkcode readSafetensors} for a function of another name, which its errors begin with. */
export function openSafetensors(path: string, where: string): SafetensorsFile {
  const source = new Source(path, where);
  try {
    return readFrom(source);
  } catch (error) {
    source.close();
    throw inContext(error, `${where}: ${path}`);
  }
}

function readFrom(source: Source): SafetensorsFile {
  const { path, size } = source;
  if (size < PREFIX) {
    throw new Error(`no safetensors file: it has ${size} bytes, and begins with ${PREFIX} that say how long its header is`);
  }
  const length = new DataView(read(source, 0, PREFIX).buffer).getBigUint64(0, true), left = size - PREFIX;
  if (length > left || length > LONGEST) {
    throw new Error(`no safetensors file: a header of ${length} bytes, and ${left} follow (${LONGEST} at most)`);
  }
  const start = PREFIX + Number(length);
  const { metadata, entries } = parseHeader(decode(read(source, PREFIX, Number(length))), start, size);
  const tensors = new Map(entries.map((entry) => [entry.name, new SafetensorsTensor(source, entry)]));
  noteSource(tensors, source);
  const close = () => source.close();
  return { path, metadata, tensors, close, [Symbol.dispose]: close };
}

function read(source: Source, begin: number, length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  source.readInto(bytes, begin, "the header");
  return bytes;
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new Error("the header is no UTF-8", { cause });
  }
}
