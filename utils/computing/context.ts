/**
 * Contexts of the computations' own. Their memory is C's, so that what C reads there outlives this isolate.
 *
 * @module
 */

import { lib } from "../../ffi/generated/lib.js";

/** A context of so many bytes. */
export function contextOf(memSize: number): lib.ggml_context {
  return lib.ggml_init(new lib.ggml_init_params({ mem_size: memSize }));
}
