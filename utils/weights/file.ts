/**
 * What has to be known of a file of weights.
 *
 * @module
 */

import type { lib } from "../../ffi/generated/lib.js";

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
