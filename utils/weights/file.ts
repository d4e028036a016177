/**
 * Files of weights: what has to be known of one, and opening one whose format its first bytes tell.
 *
 * @module
 */

import { lib } from "../../ffi/generated/lib.js";
import { describe, quote } from "../../ffi/core/describe.ts";
import { pathOf } from "../files/path.ts";
import { openGguf } from "../gguf/read.ts";
import { Source } from "../gguf/source.ts";
import { openSafetensors } from "../safetensors/read.ts";

/** A tensor's place in a file: what `GgufTensor` and `SafetensorsTensor` say of themselves. */
export interface WeightsEntry {
  /** ggml's number of its type; null for a type that ggml hasn't got. */
  readonly type: lib.ggml_type | null;
  /** The dimensions, none to four, fastest first. */
  readonly ne: readonly number[];
  /** Where the data begins, in bytes from the beginning of the file. */
  readonly offset: number;
  /** How many bytes the data has. */
  readonly byteLength: number;
}

/** A file of tensors: what `readGguf` and `readSafetensors` return, or what you know yourself of a file in another format. */
export interface WeightsFile {
  /** Where it is. */
  readonly path: string;
  /** Where its tensors lie, by name. */
  readonly tensors: ReadonlyMap<string, WeightsEntry>;
}

/** How long the number is that a safetensors file begins with, and the byte behind it, `{`. */
const PREFIX = 8, BRACE = 0x7b;

/** What the caller gave, opened if it is a path: `close` closes only what was opened here. */
export function openWeights(file: string | URL | WeightsFile, where: string): WeightsFile & { close(): void } {
  if (typeof file === "string" || file instanceof URL) return openPath(pathOf(file, where), where);
  if (typeof file !== "object" || file === null || typeof file.path !== "string" || !(file.tensors instanceof Map)) {
    throw new TypeError(`${where}: expected a path, or an open file as { path, tensors }, got ${describe(file)}`);
  }
  return { path: file.path, tensors: file.tensors, close: () => {} };
}

function openPath(path: string, where: string): WeightsFile & { close(): void } {
  const first = firstBytes(path, where);
  const magic = new TextDecoder("latin1").decode(first.subarray(0, lib.GGUF_MAGIC.length));
  if (magic === lib.GGUF_MAGIC) return openGguf(path, where);
  if (first[PREFIX] === BRACE) return openSafetensors(path, where);
  const got = first.length === 0 ? "is empty" : `begins with ${quote(magic)}`;
  throw new Error(`${where}: ${path}: expected a GGUF file, which begins with "GGUF", or a safetensors file, got one that ${got}`);
}

function firstBytes(path: string, where: string): Uint8Array<ArrayBuffer> {
  const source = new Source(path, where);
  try {
    const bytes = new Uint8Array(Math.min(source.size, PREFIX + 1));
    source.readInto(bytes, 0, where);
    return bytes;
  } finally {
    source.close();
  }
}
