/**
 * What is expected of an exception's message: that it names the function, and of a failed assertion that it shows the tensors.
 *
 * @module
 */

import { lib } from "@ggml/deno";
import type { Parameter } from "./catalogue.ts";
import { evaluate, type Value } from "./steps.ts";

/** What is wrong with an error that a call gave; null if nothing is. */
export function complaint(
  name: string,
  parameters: readonly Parameter[],
  args: readonly Value[],
  results: readonly unknown[],
  error: unknown,
): string | null {
  if (!(error instanceof Error)) return `threw ${Deno.inspect(error)}, which is no Error`;
  const { message } = error;
  const rest = message.startsWith(name) ? message.slice(name.length) : "";
  if (!/^(\(\w+\)(\[\d+\])?: |: | returned null)/.test(rest)) return `doesn't begin with the function's name: ${message}`;
  const parameter = /^\((\w+)\)/.exec(rest)?.[1];
  if (parameter !== undefined && !parameters.some((one) => one.name === parameter)) return `names no parameter of its own: ${message}`;
  if (!rest.startsWith(": assertion failed")) return null;
  const tensors = args.map((value) => evaluate(value, results)).filter((value) => value instanceof lib.ggml_tensor);
  const texts = tensors.flatMap(descriptions);
  if (texts.length === 0 || texts.some((text) => message.includes(text))) return null;
  return `shows none of its tensors, such as ${texts[0]}: ${message}`;
}

/** A tensor's type and dimensions as messages may give them: with or without the dimensions of 1 at the end. */
function descriptions(tensor: lib.ggml_tensor): string[] {
  let name: string, ne: readonly number[];
  try {
    name = lib.ggml_type_name(tensor.type);
    ne = [...tensor.ne];
  } catch {
    return []; // freed, or past 2^53
  }
  return [4, 3, 2, 1].filter((rank) => ne.slice(rank).every((n) => n === 1)).map((rank) => `${name} ne=[${ne.slice(0, rank).join(", ")}]`);
}
