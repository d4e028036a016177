/**
 * How many numbers a model's vectors have.
 *
 * @module
 */

import { lib } from "../ffi/generated/lib.js";
import { optional } from "../utils/releases/optional.ts";

/** `llama_model_n_embd_out`; before there was one, vectors came out as long as they went in. */
export function embeddingLength(model: lib.llama_model): number {
  return (optional<(model: lib.llama_model) => number>("llama_model_n_embd_out") ?? lib.llama_model_n_embd)(model);
}
