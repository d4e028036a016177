/**
 * Writes the functions of a generated module: each checks its arguments, binds its symbol when it is first called, calls, wraps the result.
 *
 * Symbols are bound one by one because a library may lack some, and because opening hundreds at once costs tens of milliseconds.
 *
 * @module
 */

import type { Api, BoundFunction, BoundParameter } from "../api/api.ts";
import { type Crossing, isPointer } from "../api/crossing.ts";
import { localName } from "../api/names.ts";
import { doc, list, type Printer } from "../print.ts";
import { prototype } from "../api/prototype.ts";
import { nativeParameter, nativeResult, parameterType, resultType, Uses } from "../typescript.ts";
import { checkLengths, keepWhatCKeeps, refuseNulls } from "./pragmas.ts";
import { freeOf, type Place } from "./shared.ts";

/** Writes every function. */
export function writeFunctions(api: Api, annotated: boolean, place: Place, printer: Printer): void {
  const roots = new Set(api.records.filter((record) => freeOf(record) !== null).map(({ name }) => name));
  for (const bound of api.functions) writeFunction(renameShadows(bound), roots, annotated, place, printer);
}

/** `struct point *point`: the parameter may not hide the class that it is checked against. */
function renameShadows(bound: BoundFunction): BoundFunction {
  const classes: string[] = [];
  for (const { crossing } of [...bound.parameters, { crossing: bound.result }]) {
    if ("name" in crossing && crossing.name) classes.push(crossing.name);
  }
  const taken = [...classes];
  const parameters = bound.parameters.map((parameter) => {
    const name = localName(parameter.name, taken);
    taken.push(name);
    return { ...parameter, name };
  });
  return { ...bound, parameters };
}

function writeFunction(bound: BoundFunction, roots: ReadonlySet<string>, annotated: boolean, place: Place, printer: Printer): void {
  const { declaration, name, parameters, result, resultNullable } = bound;
  const uses = new Uses();
  const symbol = `$_${declaration.name}`;
  printer.gap();
  printer.line(`let ${symbol}: $Symbol | undefined;`);
  const notes = declaration.deprecated === undefined ? [] : [`@deprecated ${declaration.deprecated}`.trimEnd().replaceAll("*/", "* /")];
  printer.line(doc("", `\`${prototype(declaration)}\` (${place(declaration)})`, ...notes));
  const signature = parameters.map((parameter) => `${parameter.name}: ${parameterType(parameter, uses)}`);
  printer.line(list(`export function ${name}(`, signature, `): ${resultType(result, resultNullable, uses)} {`));
  if (annotated) refuseNulls(bound, printer);
  parameters.forEach((parameter, i) => {
    const [check, ...args] = checked(parameter, `"${declaration.name}(${parameter.name})"`);
    printer.line(list(`  const $${i} = ${check}(`, args, ");"));
  });
  if (annotated) checkLengths(bound, printer);
  bindSymbol(bound, symbol, uses, printer);
  const call = list(result.kind === "void" ? `  ${symbol}(` : `  const $ = ${symbol}(`, parameters.map((_, i) => `$${i}`), ");");
  printer.line(call);
  keepCallbacks(bound, printer);
  if (frees(bound)) printer.line(`  $markFreed(${parameters[0].name});`);
  if (annotated) keepWhatCKeeps(bound, printer);
  writeResult(bound, roots, printer);
  printer.line("}");
}

function bindSymbol({ declaration, parameters, result }: BoundFunction, symbol: string, uses: Uses, printer: Printer): void {
  const native = parameters.map(({ crossing }) => nativeParameter(crossing, uses));
  const args = [`"${declaration.symbol}"`, `[${native.join(", ")}]`, nativeResult(result, uses)];
  const line = `  ${symbol} ??= $bind(${args.join(", ")});`;
  if (line.length <= 140) printer.line(line);
  else printer.line(`  ${symbol} ??= $bind(`, `    ${args[0]},`, list("    [", native, "],"), `    ${args[2]},`, "  );");
}

/** The runtime function that checks and converts an argument, and what it is given. */
function checked({ crossing, name, format }: BoundParameter, where: string): string[] {
  switch (crossing.kind) {
    case "void":
      throw new Error("no parameter is void");
    case "bool":
    case "float":
      return [`$${crossing.kind}`, name, where];
    case "int":
      return [...integerCheck(crossing, name), where];
    case "string":
      return [format ? "$format" : "$string", name, where];
    case "data":
      return ["$data", name, String(crossing.width), where];
    case "pointers":
      return ["$pointers", name, where];
    case "handle":
    case "callback":
      return ["$handle", name, crossing.name, where];
    case "struct":
      return ["$structBytes", name, crossing.name, where];
  }
}

/** The runtime function that checks an integer, and its first arguments. */
export function integerCheck({ bits, signed }: Crossing & { kind: "int" }, value: string): string[] {
  if (bits >= 32) return [`$${signed ? "int" : "uint"}${bits}`, value];
  return [signed ? "$small" : "$smallUnsigned", value, String(bits)];
}

/** True for what frees an opaque object. A struct whose fields are known may go on living after what it holds was freed. */
function frees({ frees, declaration, parameters }: BoundFunction): boolean {
  const [only] = declaration.type.parameters;
  return frees && parameters.length === 1 && declaration.name.endsWith("_free") && only !== undefined;
}

/** C may call a callback for as long as what it was given to lives. */
function keepCallbacks({ parameters }: BoundFunction, printer: Printer): void {
  for (const { crossing, name } of parameters) {
    if (crossing.kind === "callback") printer.line(`  $keep(${ownerOf(parameters)}, ${name});`);
  }
}

/** What C made from a handle is taken to live as long as that. */
function ownerOf(parameters: readonly BoundParameter[]): string {
  const from = parameters.find(({ crossing }) => crossing.kind === "handle");
  return from === undefined ? "$STATIC" : `${from.name}?.owner ?? $STATIC`;
}

function writeResult(bound: BoundFunction, roots: ReadonlySet<string>, printer: Printer): void {
  const { declaration, parameters, result, resultNullable, annotation } = bound;
  if (isPointer(result)) {
    const isNull = result.kind === "string" ? "$ === null" : "$ === 0n";
    if (!resultNullable) printer.line(`  if (${isNull}) throw $nullResult("${declaration.name}");`);
    else if (result.kind !== "string") printer.line(`  if (${isNull}) return null;`);
  }
  switch (result.kind) {
    case "void":
      return;
    case "int":
      printer.line(result.bits === 64 && result.exact !== true ? "  return $fromInt64($);" : "  return $;");
      return;
    case "string":
      printer.line(`  return $fromString($)${resultNullable ? "" : "!"};`);
      return;
    case "struct":
      printer.line(`  return new ${result.name}($);`);
      return;
    case "handle":
      if (annotation.lasts.has("return")) printer.line(`  return new ${result.name}($);`);
      else writeHandle(result.name, madeOf(bound), roots.has(result.name) && !annotation.borrows.has("return"), printer);
      return;
    case "callback":
      printer.line(`  return new ${result.name}($, ${ownerOf(parameters)});`);
      return;
    case "data":
    case "pointers":
      printer.line(`  return new $Pointer($, ${ownerOf(parameters)});`);
      return;
    default:
      printer.line("  return $;");
  }
}

/** What a result depends on: not what the function only looks at. */
function madeOf({ declaration, parameters, annotation }: BoundFunction): BoundParameter[] {
  return parameters.filter((_, i) => !annotation.reads.has(declaration.type.parameters[i].name ?? String(i)));
}

/** A handle's owner: its own if there is a function that frees such a thing, else that of the first handle that it was made from. */
function writeHandle(name: string, parameters: readonly BoundParameter[], root: boolean, printer: Printer): void {
  const made = parameters.filter(({ crossing }) => crossing.kind === "handle" || crossing.kind === "struct");
  const from = made.find(({ crossing }) => crossing.kind === "handle");
  const others = made.filter((parameter) => root || parameter !== from);
  if (!root && others.length === 0) {
    printer.line(`  return new ${name}($, ${ownerOf(parameters)});`);
    return;
  }
  printer.line(`  const $owner = ${root ? "new $Owner($)" : ownerOf(parameters)};`);
  for (const other of others) printer.line(`  $keep($owner, ${other.name});`);
  printer.line(`  return new ${name}($, $owner);`);
}
