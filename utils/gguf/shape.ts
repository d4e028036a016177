/**
 * Shapes of tensors in GGUF files, and how much room they take there.
 *
 * @module
 */

import type { lib } from "../../ffi/generated/lib.js";

/** What decides how many bytes a tensor has. */
export interface TensorShape {
  /** ggml's number of the type. */
  readonly type: lib.ggml_type;
  /** The dimensions that the file has, fastest first. */
  readonly ne: readonly number[];
  /** In the file, without what it is padded with. */
  readonly byteLength: number;
}

/** The next multiple. */
export function alignUp(offset: number, alignment: number): number {
  return Math.ceil(offset / alignment) * alignment;
}
