/**
 * What `console.log` and `Deno.inspect` show of a tensor: name, type, dimensions, and the first and last numbers.
 *
 * Looking is cheap and harmless: it reads no more of a tensor than it shows, and never throws, whatever became of the tensor. Importing this
 * module is what makes tensors show themselves so; other handles stay as they are.
 *
 * @module
 */

import { lib } from "../ffi/generated/lib.js";
import { quote } from "../ffi/core/describe.ts";
import { dimensionsOf, typeAndDimensions } from "./display/facts.ts";
import { plain } from "./display/text.ts";
import { summary, type SummaryOptions } from "./print.ts";
import { typeInfo } from "./copying/types.ts";

const CUSTOM = Symbol.for("Deno.customInspect");

/** numpy's own defaults. */
const OPTIONS: SummaryOptions = { threshold: 1000, edgeItems: 3, precision: 8, lineWidth: 75 };

/** What fits in a line with others, inside an object or an array. */
const SHORT: SummaryOptions = { threshold: 6, edgeItems: 3, precision: 4, lineWidth: Infinity };

/** What Deno says of where the text will stand. */
interface Place {
  /** In how many objects and arrays. */
  readonly currentDepth?: number;
}

// `ffi/` knows nothing of numbers: the class gets its own method from here, in place of the one that every handle inherits.
Object.defineProperty(lib.ggml_tensor.prototype, CUSTOM, {
  configurable: true,
  writable: true,
  value(this: lib.ggml_tensor, _inspect: unknown, place?: Place): string {
    try {
      return inspectTensor(this, (place?.currentDepth ?? 0) > 0);
    } catch {
      return plain(this);
    }
  },
});

function inspectTensor(tensor: lib.ggml_tensor, isNested: boolean): string {
  const { name } = tensor;
  const title = `ggml_tensor${name === "" ? "" : ` ${quote(name)}`} ${typeAndDimensions(tensor)}`;
  if (isNested && dimensionsOf(tensor).length > 1) return title;
  const text = numbers(tensor, isNested ? SHORT : OPTIONS);
  const isLine = !text.includes("\n") && (isNested || title.length + text.length + 2 <= OPTIONS.lineWidth);
  return `${title}:${isLine ? " " : "\n"}${text}`;
}

/** The numbers, or why there are none. */
function numbers(tensor: lib.ggml_tensor, options: SummaryOptions): string {
  try {
    const { array, toFloat, name } = typeInfo(tensor.type);
    if (array === null && toFloat === null) return `ggml has no conversion from ${name} to f32`;
    if (tensor.data === null && !tensor.ne.includes(0)) return "no memory yet";
    return summary(tensor, "inspect", options);
  } catch (error) {
    return (error as Error).message.replace(/^inspect: /, "");
  }
}
