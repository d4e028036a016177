/**
 * What there is to say of a tensor without its numbers.
 *
 * @module
 */

import { lib } from "../../ffi/generated/lib.js";
import { bufferOf } from "../copying/operand.ts";
import { typeInfo } from "../copying/types.ts";

/** Operations that compute nothing: their results are views of their first source. */
const VIEWS: ReadonlySet<number> = new Set([lib.GGML_OP_RESHAPE, lib.GGML_OP_VIEW, lib.GGML_OP_PERMUTE, lib.GGML_OP_TRANSPOSE]);

/** True for a reshaped, permuted, transposed or cut out tensor. */
export function isView({ op }: lib.ggml_tensor): boolean {
  return VIEWS.has(op);
}

/** A tensor's dimensions in ggml's order, without the ones at the end. */
export function dimensionsOf({ ne }: lib.ggml_tensor): number[] {
  const dimensions = [...ne];
  while (dimensions.length > 1 && dimensions.at(-1) === 1) dimensions.pop();
  return dimensions;
}

/** Type and dimensions: `f32 ne=[64, 2]`. */
export function typeAndDimensions(tensor: lib.ggml_tensor): string {
  return `${typeName(tensor.type)} ne=[${dimensionsOf(tensor).join(", ")}]`;
}

/** The name of a type, also of one that the library hasn't got. */
export function typeName(type: number): string {
  try {
    return typeInfo(type).name;
  } catch {
    return `type ${type}`;
  }
}

/** What a tensor is called in text: by its name or, having none, its operation. */
export function nameOf(tensor: lib.ggml_tensor): string {
  return tensor.name || lib.ggml_op_desc(tensor);
}

/** Where a tensor's numbers are. */
export function placeOf(tensor: lib.ggml_tensor): string {
  const buffer = bufferOf(tensor);
  const memory = tensor.data === null
    ? "none yet"
    : buffer === null
    ? "the context's memory"
    : `buffer ${lib.ggml_backend_buffer_name(buffer)}`;
  return tensor.view_src === null ? memory : `${memory}, as a view of ${nameOf(tensor.view_src)}`;
}

const FLAGS = {
  input: lib.GGML_TENSOR_FLAG_INPUT,
  output: lib.GGML_TENSOR_FLAG_OUTPUT,
  parameter: lib.GGML_TENSOR_FLAG_PARAM,
  loss: lib.GGML_TENSOR_FLAG_LOSS,
};

/** What a tensor was set to be: an input, an output, a parameter, a loss. */
export function rolesOf({ flags }: lib.ggml_tensor): string[] {
  return Object.entries(FLAGS).filter(([, flag]) => (flags & flag) !== 0).map(([role]) => role);
}
