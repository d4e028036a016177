/**
 * C declarations as the documentation of the generated code shows them.
 *
 * @module
 */

import type { CType, FunctionDeclaration, FunctionType } from "../../model/model.ts";
import { printType } from "../../model/types.ts";

/** A function's prototype with its parameters' names. */
export function prototype({ name, type }: FunctionDeclaration): string {
  return printType(type.result, `${name}(${parameterList(type)})`);
}

/** A function-pointer typedef with its parameters' names. */
export function pointerPrototype(name: string, type: FunctionType): string {
  return printType(type.result, `(*${name})(${parameterList(type)})`);
}

/** A field or variable. */
export function declaration(name: string, type: CType): string {
  return printType(type, name);
}

function parameterList({ parameters, variadic }: FunctionType): string {
  const list = parameters.map((parameter) => printType(parameter.type, parameter.name ?? ""));
  if (variadic) list.push("...");
  return list.length === 0 ? "void" : list.join(", ");
}
