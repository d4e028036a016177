/**
 * Writes what comes after a call that C didn't fail in: what is kept of the arguments, and the result as TypeScript has it.
 *
 * @module
 */

import type { BoundFunction } from "../api/api.ts";
import { list, type Printer } from "../print.ts";
import type { Uses } from "../typescript.ts";
import {
  afterCall,
  afterResult,
  handleResult,
  isHandle,
  isMemory,
  keepLine,
  ownerOf,
  pointerResult,
  type Roots,
  structResult,
} from "./lifetimes.ts";

/**
 * What the pragmas say is kept; and callbacks with the memory that comes with them (`userdata`), which C may use until the same function is
 * called again for what they were given to.
 */
export function keepAlive(bound: BoundFunction, uses: Uses, printer: Printer): void {
  const { declaration, parameters, result } = bound;
  printer.line(...afterCall(bound, uses));
  if (result.kind === "handle") return; // keeps everything, in emitResult
  const callbacks = parameters.filter(({ crossing }) => crossing.kind === "callback");
  if (callbacks.length === 0) return;
  if (uses.policy.ownership === "hand") {
    for (const callback of callbacks) printer.line(keepLine(ownerOf(parameters.find(isHandle), uses), callback, uses));
    return;
  }
  const kept = [...callbacks, ...parameters.filter(isMemory)].map(({ name }) => name);
  const args = [ownerOf(parameters.find(isHandle), uses), `"${declaration.name}"`, ...kept];
  printer.line(list(`    ${uses.$("keepLatest")}(`, args, ");"));
}

/** Writes the return of a result. `isNumber`: true where {@linkcode asNumber} was put around the call. */
export function emitResult(bound: BoundFunction, roots: Roots, isNumber: boolean, uses: Uses, printer: Printer): void {
  const { result, parameters } = bound;
  const number = isNumber ? null : asNumber(bound, uses);
  if (number !== null) return printer.line(`    return ${number.function}(${["$", ...number.further].join(", ")});`);
  switch (result.kind) {
    case "string":
      printer.line(`    return ${uses.$("cstringAt")}($);`);
      return;
    case "struct":
      printer.line(...structResult(bound, result.name, roots, uses));
      return;
    case "handle":
      emitHandle(bound, result.name, roots, uses, printer);
      return;
    case "callback":
      printer.line(`    return new ${uses.own(result.name)}($, ${ownerOf(parameters.find(isHandle), uses)});`);
      return;
    case "data":
    case "pointers":
      printer.line(
        `    return ${pointerResult(bound, uses) ?? `new ${uses.$("Pointer")}($, ${ownerOf(parameters.find(isHandle), uses)})`};`,
      );
      return;
    default:
      printer.line("    return $;");
  }
}

/**
 * A handle's owner: its own if there is a function that frees such a thing, else that of the first handle that it was made from. Either
 * way it keeps what else went into it.
 */
function emitHandle(bound: BoundFunction, name: string, roots: Roots, uses: Uses, printer: Printer): void {
  const { before, value } = handleResult(bound, name, roots, uses);
  const after = afterResult(bound, uses);
  printer.line(...before);
  if (after.length === 0) printer.line(`    return ${value};`);
  else printer.line(`    const $result = ${value};`, ...after, "    return $result;");
}

/**
 * The function that makes a number of a result of 64 bits, and what it takes besides; null for another result. ggml's functions say which they are:
 * `lib.bigint` has all bits of their results.
 */
export function asNumber(
  { result, name }: BoundFunction,
  uses: Uses,
): { readonly function: string; readonly further: readonly string[] } | null {
  if (result.kind !== "int" || result.bits !== 64 || result.exact === true) return null;
  return { function: uses.$(result.signed ? "fromInt64" : "fromUint64"), further: uses.isModule ? [] : [`"${name}"`] };
}
