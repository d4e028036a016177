/**
 * Writes the call of a C function.
 *
 * What a function is called by before it is bound (`ffi/core/warming.ts`) has a place of its own in the code: V8 makes a call of a bound symbol ten times
 * faster where it has never seen another callee.
 *
 * @module
 */

import type { Api, BoundFunction } from "../api/api.ts";
import { inJavaScript } from "../api/names.ts";
import { LINE_WIDTH, list, type Printer } from "../print.ts";
import { nativeParameter, nativeResult, type Uses } from "../typescript.ts";
import { beforeCall, freeingCall } from "./lifetimes.ts";
import { asNumber } from "./results.ts";

/** How long a line may be. Those of a module come to stand one level further out. */
function widthOf({ isModule }: Uses): number {
  return isModule ? LINE_WIDTH + 2 : LINE_WIDTH;
}

/** The variable of a function's symbol. */
export function symbolOf({ declaration }: BoundFunction, { isModule }: Uses): string {
  return `${isModule ? "$_" : "$"}${inJavaScript(declaration.name)}`;
}

/** The variable of what a function is called by until it is bound. */
function firstOf(bound: BoundFunction, uses: Uses): string {
  return `${symbolOf(bound, uses)}$`;
}

/** The names of a function's variables. */
export function variablesOf(bound: BoundFunction, api: Api, uses: Uses): string[] {
  return isApart(bound, api, uses) ? [symbolOf(bound, uses), firstOf(bound, uses)] : [symbolOf(bound, uses)];
}

/** The FFI types of a function's parameters, and of its result. */
function typesOf({ parameters, result }: BoundFunction, uses: Uses): { readonly native: readonly string[]; readonly result: string } {
  return { native: parameters.map(({ crossing }) => nativeParameter(crossing, uses)), result: nativeResult(result, uses) };
}

/**
 * True for a function that is called at two places. Not one of which something is done before the call, which shall not be if the library lacks the
 * function, nor one whose types make a line too long.
 */
export function isApart(bound: BoundFunction, api: Api, uses: Uses): boolean {
  const { native, result } = typesOf(bound, uses);
  return [...native, result].every((type) => type.startsWith(`"`) && type !== `"buffer"`) && !uses.policy.mayCallBack(bound) &&
    beforeCall(bound, api.functions, uses).length === 0 && freeingCall(bound, "", [], uses) === null &&
    `      ? ${firstCall(bound, uses)}(`.length <= widthOf(uses);
}

/** What a function is called by until it is bound. */
function firstCall(bound: BoundFunction, uses: Uses): string {
  const { native, result } = typesOf(bound, uses);
  const signature = `${bound.declaration.symbol}(${native.join(",")}): ${result}`.replaceAll(`"`, "");
  return `(${firstOf(bound, uses)} ??= $first("${signature}", ($) => ${symbolOf(bound, uses)} = $))`;
}

/** The line that makes what binds the functions, of the library that `binder` takes. */
export function binderLine(api: Api, library: string, uses: Uses): string {
  const first = api.functions.some((bound) => isApart(bound, api, uses)) ? `, $first = ${uses.$("firstCalls")}($bind)` : "";
  return `const $bind = ${uses.$("binder")}(${library})${first};`;
}

/** The lines that call a function for its result, `$`, or for none. */
export function callLines(bound: BoundFunction, args: readonly string[], api: Api, uses: Uses): string[] {
  const symbol = symbolOf(bound, uses), isVoid = bound.result.kind === "void";
  if (!isApart(bound, api, uses)) return [list(`    ${isVoid ? "" : "const $ = "}${symbol}(`, args, ");")];
  return isVoid ? statements(bound, args, uses) : expression(bound, args, uses);
}

function statements(bound: BoundFunction, args: readonly string[], uses: Uses): string[] {
  const symbol = symbolOf(bound, uses), first = firstCall(bound, uses), given = `(${args.join(", ")});`;
  const line = `    if (${symbol} === undefined) ${first}${given}`;
  if (line.length <= widthOf(uses)) return [line, `    else ${symbol}${given}`];
  const call = list(`      ${symbol}(`, args, ");");
  const otherwise = call.includes("\n") ? ["    } else {", call, "    }"] : [`    } else ${symbol}${given}`];
  return [`    if (${symbol} === undefined) {`, list(`      ${first}(`, args, ");"), ...otherwise];
}

/** A result of 64 bits becomes a number at either place: where two ways meet V8 makes an object of it. */
function expression(bound: BoundFunction, args: readonly string[], uses: Uses): string[] {
  const symbol = symbolOf(bound, uses), first = firstCall(bound, uses), number = asNumber(bound, uses);
  const inLine = (callee: string) => {
    const call = `${callee}(${args.join(", ")})`;
    return number === null ? call : `${number.function}(${[call, ...number.further].join(", ")})`;
  };
  const branch = (head: string, callee: string, tail: string) => {
    const line = head + inLine(callee) + tail;
    if (line.length <= widthOf(uses)) return line;
    if (number === null) return list(`${head}${callee}(`, args, `)${tail}`);
    const lines = [list(`        ${callee}(`, args, "),"), ...number.further.map((each) => `        ${each},`)];
    return [`${head}${number.function}(`, ...lines, `      )${tail}`].join("\n");
  };
  const line = `    const $ = ${symbol} === undefined ? ${inLine(first)} : ${inLine(symbol)};`;
  if (line.length <= widthOf(uses)) return [line];
  return [`    const $ = ${symbol} === undefined`, branch("      ? ", first, ""), branch("      : ", symbol, ";")];
}

/** Binds a function that is called at one place on its first call; the variable is replaced when there is something faster to call. */
export function emitBinding(bound: BoundFunction, uses: Uses, printer: Printer): void {
  const symbol = symbolOf(bound, uses), name = `"${bound.declaration.symbol}"`;
  const { native, result } = typesOf(bound, uses);
  const replace = `($) => ${symbol} = $`;
  const line = `    ${symbol} ??= $bind(${name}, [${native.join(", ")}], ${result}, ${replace});`;
  if (line.length <= LINE_WIDTH) return printer.line(line);
  printer.line(
    `    ${symbol} ??= $bind(`,
    `      ${name},`,
    list("      [", native, "],"),
    `      ${result},`,
    `      ${replace},`,
    "    );",
  );
}
