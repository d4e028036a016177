/**
 * Names of tensors: text of at most 63 bytes. `ggml_set_name` cuts off what is longer, also within a character.
 *
 * @module
 */

import { encodeText } from "../../ffi/core/text.ts";
import { lib } from "../../ffi/generated/lib.js";

/**
 * Throws unless a tensor can have the name.
 *
 * @param where Whose name it is, for errors.
 */
export function expectName(name: string, where: string): void {
  const { length } = encodeText(name, where);
  if (name.includes("\0")) throw new TypeError(`${where}: the name has a NUL, where C would cut it off`);
  if (length >= lib.GGML_MAX_NAME) {
    throw new RangeError(`${where}: the name has ${length} bytes, and ggml's have at most ${lib.GGML_MAX_NAME - 1}`);
  }
}
