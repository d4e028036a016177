/**
 * Writes `functions.ts`: a typed function for each C function.
 *
 * Each binds itself on its first call: a module-level `let` starts as a function that puts the bound symbol in its own place. That is as
 * fast as the bare symbol and opens only what is used.
 *
 * @module
 */

import type { Api, BoundFunction, BoundParameter } from "./api.ts";
import type { Crossing } from "./crossing.ts";
import { doc, importNames, list, Printer } from "./print.ts";
import { place, prototype } from "./prototype.ts";
import { isPointer, nativeParameter, nativeResult, parameterType, resultType, toC, Uses } from "./typescript.ts";

/** The text of `functions.ts`. */
export function emitFunctions(api: Api, banner: string, runtime: string): string {
  const uses = new Uses();
  const roots = new Set(api.records.filter(({ free }) => free !== null).map(({ name }) => name));
  const body = new Printer();
  for (const bound of api.functions) emitFunction(bound, roots, uses, body);
  const printer = new Printer();
  printer.line(banner, "// deno-lint-ignore-file no-explicit-any");
  printer.gap();
  const types = [...uses.types].filter((name) => !uses.values.has(name));
  const enums = new Set(api.enums.map(({ name }) => name));
  const callbacks = new Set(api.callbacks.map(({ name }) => name));
  const from = (file: (name: string) => boolean) => [
    ...[...uses.values].filter(file),
    ...types.filter(file).map((name) => `type ${name}`),
  ];
  const isCallback = (name: string) => callbacks.has(name), isEnum = (name: string) => enums.has(name);
  printer.line(`import { ABI } from "./layouts.ts";`);
  if (from(isCallback).length > 0) printer.line(importNames(from(isCallback), "./callbacks.ts"));
  if (types.some(isEnum)) printer.line(importNames(types.filter(isEnum), "./enums.ts", true));
  printer.line(importNames(from((name) => !isCallback(name) && !isEnum(name)), "./structs.ts"));
  const runtimeTypes = new Set(["Data", "Pointers"]);
  uses.$("binder");
  const names = [...uses.runtime].map((name) => `${runtimeTypes.has(name) ? "type " : ""}${name} as $${name}`);
  printer.line(importNames(names, runtime));
  printer.gap();
  printer.line("type $Function = (...args: any[]) => any;", "const $bind = $binder(ABI);");
  printer.gap();
  return printer.toString() + "\n" + body.toString();
}

function emitFunction(bound: BoundFunction, roots: ReadonlySet<string>, uses: Uses, printer: Printer): void {
  const { declaration, name, parameters, result } = bound;
  const symbol = `$${declaration.name}`;
  const native = parameters.map(({ crossing }) => nativeParameter(crossing, uses));
  printer.gap();
  printer.line(`let ${symbol}: $Function = (...args) => {`);
  const bind = [`"${declaration.symbol}"`, list("[", native, "]"), nativeResult(result, uses)];
  printer.line(bindCall(symbol, bind, native));
  printer.line(`  return ${symbol}(...args);`, "};");
  const deprecated = declaration.deprecated === undefined ? [] : ["@deprecated"];
  printer.line(doc("", `\`${prototype(declaration)}\` (${place(declaration)})`, ...deprecated));
  const signature = parameters.map((parameter) => `${parameter.name}: ${parameterType(parameter, uses)}`);
  printer.line(list(`export function ${name}(`, signature, `): ${resultType(result, bound.resultNullable, uses)} {`));
  let strings = 0;
  parameters.forEach((parameter, i) => {
    const slot = parameter.crossing.kind === "string" ? strings++ : 0;
    const [conversion, ...args] = toC(parameter, parameter.name, `"${declaration.name}(${parameter.name})"`, slot, uses);
    printer.line(list(`  const $${i} = ${conversion}(`, args, ");"));
  });
  emitCall(bound, symbol, roots, uses, printer);
  printer.line("}");
}

function bindCall(symbol: string, args: readonly string[], native: readonly string[]): string {
  const line = `  ${symbol} = $bind(${args.join(", ")});`;
  if (line.length <= 140) return line;
  return [`  ${symbol} = $bind(`, `    ${args[0]},`, `${list("    [", native, "],")}`, `    ${args[2]},`, "  );"].join("\n");
}

function emitCall(bound: BoundFunction, symbol: string, roots: ReadonlySet<string>, uses: Uses, printer: Printer): void {
  const { parameters, result, declaration, resultNullable } = bound;
  const args = parameters.map((_, i) => `$${i}`);
  if (result.kind === "void") {
    printer.line(list(`  ${symbol}(`, args, ");"));
    keepAlive(bound, uses, printer);
    if (bound.frees) printer.line(`  ${uses.$("markFreed")}(${parameters[0].name});`);
    return;
  }
  printer.line(list(`  const $ = ${symbol}(`, args, ");"));
  keepAlive(bound, uses, printer);
  if (isPointer(result)) {
    const zero = result.kind === "string" ? "null" : "0n";
    if (resultNullable) printer.line(`  if ($ === ${zero}) return null;`);
    else printer.line(`  if ($ === ${zero}) throw ${uses.$("nullResult")}("${declaration.name}");`);
  }
  emitResult(result, parameters, roots, uses, printer);
}

/** What the pragmas say is kept, and callbacks, which C may call for as long as what they were given to lives. */
function keepAlive({ parameters, keeps, result }: BoundFunction, uses: Uses, printer: Printer): void {
  for (const [holder, kept] of keeps) {
    printer.line(`  ${uses.$("keep")}(${ownerOf(parameters[holder], uses)}, ${parameters[kept].name});`);
  }
  if (result.kind === "handle") return; // keeps everything, below
  const holder = parameters.find(isHandle);
  for (const parameter of parameters.filter(({ crossing }) => crossing.kind === "callback")) {
    printer.line(`  ${uses.$("keep")}(${ownerOf(holder, uses)}, ${parameter.name});`);
  }
}

function emitResult(
  result: Crossing,
  parameters: readonly BoundParameter[],
  roots: ReadonlySet<string>,
  uses: Uses,
  printer: Printer,
): void {
  switch (result.kind) {
    case "int":
      printer.line(`  return ${result.bits === 64 ? `${uses.$(result.signed ? "fromInt64" : "fromUint64")}($)` : "$"};`);
      return;
    case "string":
      printer.line(`  return ${uses.$("cstringAt")}($);`);
      return;
    case "struct":
      printer.line(`  return new ${uses.value(result.name)}($);`);
      return;
    case "handle":
      emitHandle(result.name, parameters, roots.has(result.name), uses, printer);
      return;
    case "callback":
      printer.line(`  return new ${uses.value(result.name)}($, ${ownerOf(parameters.find(isHandle), uses)});`);
      return;
    case "data":
    case "pointers":
      printer.line(`  return new ${uses.$("Pointer")}($, ${ownerOf(parameters.find(isHandle), uses)});`);
      return;
    default:
      printer.line("  return $;");
  }
}

/**
 * A handle's owner: its own if there is a function that frees such a thing, else that of the first handle that it was made from. Either
 * way it keeps what else went into it.
 */
function emitHandle(name: string, parameters: readonly BoundParameter[], root: boolean, uses: Uses, printer: Printer): void {
  const from = parameters.find(isHandle);
  const others = parameters.filter((parameter) => (root || parameter !== from) && keepable(parameter));
  const owner = root ? "$owner" : ownerOf(from, uses);
  if (root) printer.line(`  const $owner = new ${uses.$("Owner")}($);`);
  for (const other of others) printer.line(`  ${uses.$("keep")}(${owner}, ${other.name});`);
  printer.line(`  return new ${uses.value(name)}($, ${owner});`);
}

function ownerOf(parameter: BoundParameter | undefined, uses: Uses): string {
  if (parameter === undefined) return uses.$("STATIC");
  return parameter.nullable ? `${parameter.name}?.owner ?? ${uses.$("STATIC")}` : `${parameter.name}.owner`;
}

function isHandle({ crossing }: BoundParameter): boolean {
  return crossing.kind === "handle";
}

function keepable({ crossing }: BoundParameter): boolean {
  return crossing.kind === "handle" || crossing.kind === "struct" || crossing.kind === "callback";
}
