/**
 * Whether a model keeps a state, which takes the place of what it has read, and can't forget a part of that.
 *
 * @module
 */

import { lib } from "../ffi/generated/lib.js";
import { optional } from "../utils/releases/optional.ts";

/** True for a model that keeps a state, in all of its layers or in some. The oldest releases don't say the latter. */
export function keepsState(model: lib.llama_model): boolean {
  if (lib.llama_model_is_recurrent(model)) return true;
  return optional<(model: lib.llama_model) => boolean>("llama_model_is_hybrid")?.(model) === true;
}
