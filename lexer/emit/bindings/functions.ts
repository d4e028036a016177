/**
 * Writes `functions.js` and `functions.d.ts`: a typed function for each C function.
 *
 * Each checks and unwraps its arguments, binds its symbol on the first call, calls it, and wraps the result. The functions are members of one
 * object, because a call through a module's namespace costs 3 ns more than one through a constant object; and handles are checked where they
 * are used, because a shared function would see every class and be slow for all.
 *
 * @module
 */

import type { MacroFunction } from "../../model/model.ts";
import { resolve } from "../../model/types.ts";
import type { Api, BoundFunction, BoundParameter } from "../api/api.ts";
import {
  afterCall,
  afterResult,
  beforeCall,
  freeingCall,
  handleResult,
  inAnyCase,
  isFreed,
  isHandle,
  isMemory,
  ownerOf,
  pointerResult,
  type Roots,
  structResult,
} from "./lifetimes.ts";
import { macroBody } from "../macros.ts";
import { elementsOf } from "./structs.ts";
import { doc, LINE_WIDTH, list, Printer } from "../print.ts";
import { place, prototype } from "../api/prototype.ts";
import { isPointer, nativeParameter, nativeResult, parameterType, resultType, toC, Uses } from "../typescript.ts";

/** The text of `functions.js`. */
export function emitFunctions(api: Api, banner: string, runtime: string): string {
  const uses = new Uses();
  const roots = new Set(api.records.filter(({ free }) => free !== null).map(({ name }) => name));
  const body = new Printer();
  for (const bound of api.functions) body.line(`let ${symbolOf(bound)};`);
  body.gap();
  body.line("export const functions = {");
  for (const bound of api.functions) emitFunction(bound, api, roots, uses, body);
  for (const macro of api.macros) emitMacro(macro, uses, body);
  body.line("};");
  uses.$("binder");
  const printer = new Printer();
  printer.line(banner);
  printer.gap();
  printer.line(`import { ABI } from "./layouts.js";`, ...uses.imports(api, "functions", runtime, false));
  printer.gap();
  printer.line("const $bind = $binder(ABI);");
  printer.gap();
  return printer.toString() + "\n" + body.toString();
}

/** The text of `functions.d.ts`. */
export function declareFunctions(api: Api, banner: string, runtime: string, sentences: Readonly<Record<string, string>>): string {
  const uses = new Uses();
  const body = new Printer();
  const elements = elementsOf(api);
  for (const bound of api.functions) {
    const { declaration, name, parameters, result, resultNullable } = bound;
    const deprecated = declaration.deprecated === undefined ? [] : ["@deprecated"];
    const arrays = arraysOf(bound, elements);
    const signature = parameters.map((parameter, i) => {
      const type = parameterType(parameter, uses);
      return `${parameter.name}: ${arrays.has(i) ? type.replace(/^\w+/, (name) => `${uses.$("Structs")}<${name}>`) : type}`;
    });
    const sentence = Object.hasOwn(sentences, name) ? ["", sentences[name]] : [];
    body.line(doc("", `\`${prototype(declaration)}\` (${place(declaration)})`, ...sentence, ...deprecated));
    body.line(list(`export declare function ${name}(`, signature, `): ${resultType(result, resultNullable, uses)};`));
  }
  for (const macro of api.macros) {
    body.line(
      doc("", `\`${macro.name}(${macro.parameters.join(", ")})\` (${place(macro)}), as C computes it of arguments of type \`int64_t\`.`),
    );
    body.line(list(`export declare function ${macro.name}(`, macro.parameters.map((name) => `${name}: number | bigint`), "): number;"));
  }
  const printer = new Printer();
  printer.line(banner);
  printer.gap();
  printer.line(...uses.imports(api, "functions", runtime, true));
  return printer.toString() + "\n" + body.toString();
}

/** The parameters, by index, that point to structs that C reads, and of which it is told how many there are. */
function arraysOf({ parameters, lengths, declaration }: BoundFunction, elements: ReadonlySet<string>): ReadonlySet<number> {
  return new Set(lengths.flatMap(({ parameter }) => {
    const { crossing } = parameters[parameter], type = resolve(declaration.type.parameters[parameter].type);
    const isRead = type.kind === "pointer" && type.to.const === true; // what C writes to a copy would be lost
    return crossing.kind === "handle" && isRead && elements.has(crossing.name) ? [parameter] : [];
  }));
}

/** A function-like macro, computed here. Its body is written for TypeScript: JavaScript has no types to say. */
function emitMacro(macro: MacroFunction, uses: Uses, printer: Printer): void {
  const { lines, result } = macroBody(macro);
  printer.line(list(`  ${macro.name}(`, macro.parameters, ") {"));
  macro.parameters.forEach((name, i) => printer.line(`    const $${i} = ${uses.$("int64")}(${name}, "${macro.name}(${name})");`));
  printer.line(...lines.map((line) => `  ${line.replace(/^( *(?:const|let) \$\d+): bigint/, "$1")}`));
  printer.line(list(`    return ${uses.$("fromInt64")}(`, [result, `"${macro.name}"`], ");"), "  },");
}

/** The variable of a function's symbol. */
function symbolOf({ declaration }: BoundFunction): string {
  return `$${declaration.name}`;
}

/** Binds the symbol on the first call. */
function bindSymbol(bound: BoundFunction, uses: Uses, printer: Printer): void {
  const symbol = symbolOf(bound), name = `"${bound.declaration.symbol}"`;
  const native = bound.parameters.map(({ crossing }) => nativeParameter(crossing, uses));
  const result = nativeResult(bound.result, uses);
  const line = `    ${symbol} ??= $bind(${name}, [${native.join(", ")}], ${result});`;
  if (line.length <= LINE_WIDTH) printer.line(line);
  else printer.line(`    ${symbol} ??= $bind(`, `      ${name},`, list("      [", native, "],"), `      ${result},`, "    );");
}

function emitFunction(
  bound: BoundFunction,
  api: Api,
  roots: Roots,
  uses: Uses,
  printer: Printer,
): void {
  printer.line(list(`  ${bound.name}(`, bound.parameters.map((parameter) => parameter.name), ") {"));
  const args = emitArguments(bound, api, uses, printer);
  bindSymbol(bound, uses, printer);
  printer.line(...beforeCall(bound, api.functions, uses));
  const call = new Printer();
  emitCall(bound, args, api, roots, uses, call);
  printer.line(...(bound.annotation.calls ? rethrowing(linesOf(call), uses) : linesOf(call)));
  printer.line("  },");
}

/**
 * Checks a function's arguments, and gives the expressions for what C is called with.
 *
 * @param brief Whether handles are checked by a function of the runtime, and not where they are used.
 */
export function emitArguments(bound: BoundFunction, api: Api, uses: Uses, printer: Printer, brief = false): string[] {
  const { declaration, parameters } = bound;
  let strings = 0;
  const arrays = arraysOf(bound, elementsOf(api));
  const args = parameters.map((parameter, i) => {
    const where = `"${declaration.name}(${parameter.name})"`;
    if (arrays.has(i) && parameter.crossing.kind === "handle") {
      const conversion = `${uses.$("structs")}(${parameter.name}, ${uses.own(parameter.crossing.name)}, ${where})`;
      printer.line(`    if (Array.isArray(${parameter.name})) ${parameter.name} = ${conversion};`);
    }
    if (isFreed(bound, parameter)) return checkFreed(parameter, where, uses, printer);
    if (parameter.crossing.kind === "handle" || parameter.crossing.kind === "callback") {
      // What is freed by way of something that can't be used any more is freed all the same.
      const flag = bound.annotation.frees.length > 0 ? "gone" : "freed";
      if (brief && flag === "freed" && bound.annotation.clears.size === 0) {
        return emitConversion(i, toC(parameter, parameter.name, where, 0, uses), printer);
      }
      return checkHandle(parameter, parameter.crossing.name, flag, where, uses, printer);
    }
    const slot = parameter.crossing.kind === "string" ? strings++ : 0;
    return emitConversion(i, toC(parameter, parameter.name, where, slot, uses), printer);
  });
  emitLengths(bound, uses, printer);
  emitCheck(bound, uses, printer);
  return args;
}

/** Converts an argument, by its number. Gives the expression for it. */
function emitConversion(i: number, [conversion, ...args]: readonly string[], printer: Printer): string {
  printer.line(list(`    const $${i} = ${conversion}(`, args, ");"));
  return `$${i}`;
}

/** Checks that memory is as long as C takes it to be. */
function emitLengths({ declaration, parameters, lengths }: BoundFunction, uses: Uses, printer: Printer): void {
  for (const { parameter, count, why, what, width } of lengths) {
    const { name } = parameters[parameter];
    const args = [name, count, String(width), JSON.stringify(what), JSON.stringify(why), `"${declaration.name}(${name})"`];
    printer.line(list(`    ${uses.$("atLeast")}(`, args, ");"));
  }
}

/** Looks at what C doesn't check; the arguments have the right types by now. */
function emitCheck({ checked, declaration: { name }, parameters }: BoundFunction, uses: Uses, printer: Printer): void {
  if (!checked) return;
  printer.line(list(`    ${uses.$("checks")}.${name}(`, ["functions", ...parameters.map((parameter) => parameter.name)], ");"));
}

/** The arguments that an Error of C's failure describes, as an object: its pointers to structs. */
function involved({ parameters }: BoundFunction): string {
  const names = parameters.filter(isHandle).map(({ name }) => name);
  return names.length === 0 ? "" : `, { ${names.join(", ")} }`;
}

/** The line by which C's failure in a call becomes an Error. */
function emitTrapped(bound: BoundFunction, uses: Uses, printer: Printer): void {
  printer.line(`    if (${uses.$("caught")}[0] !== 0) ${uses.$("trapped")}("${bound.declaration.name}"${involved(bound)});`);
}

/**
 * True for a function whose failure shows in its result: a null pointer that it never gives otherwise. What makes a thing that is to be freed, or
 * runs callbacks, may also have failed on a thread of its own.
 */
export function failsByNull({ result, resultNullable, annotation }: BoundFunction, roots: Roots): boolean {
  return isPointer(result) && !resultNullable && !annotation.calls && !(result.kind === "handle" && roots.has(result.name));
}

/** Checks the class of what is to be freed. Whether it may be is for the runtime to say. */
function checkFreed({ name, nullable, crossing }: BoundParameter, where: string, uses: Uses, printer: Printer): string {
  if (nullable) printer.line(`    if (${name} === null) return;`);
  if (crossing.kind === "data") printer.line(`    ${uses.$("data")}(${name}, 0, ${where});`);
  if (crossing.kind !== "handle" && crossing.kind !== "struct") return name;
  const condition = `    if (!(${name} instanceof ${uses.own(crossing.name)}))`;
  const failure = `throw ${uses.$("wrongHandle")}(${name}, ${crossing.name}, ${where});`;
  const line = `${condition} ${failure}`;
  printer.line(...(line.length <= 140 ? [line] : [`${condition} {`, `      ${failure}`, "    }"]));
  return name;
}

/** Checks a handle and gives the expression for its address. */
function checkHandle(
  { name, nullable }: BoundParameter,
  className: string,
  flag: "freed" | "gone",
  where: string,
  uses: Uses,
  printer: Printer,
): string {
  const wrong = `!(${name} instanceof ${uses.own(className)}) || ${name}.owner.${flag}`;
  const condition = nullable ? `${name} !== null && (${wrong})` : wrong;
  const failure = `throw ${uses.$("wrongHandle")}(${name}, ${className}, ${where});`;
  const line = `    if (${condition}) ${failure}`;
  printer.line(...(line.length <= 140 ? [line] : [`    if (${condition}) {`, `      ${failure}`, "    }"]));
  return nullable ? `${name} === null ? 0n : ${name}.address` : `${name}.address`;
}

function emitCall(bound: BoundFunction, args: readonly string[], api: Api, roots: Roots, uses: Uses, printer: Printer): void {
  const { parameters, result, declaration, resultNullable } = bound;
  const symbol = symbolOf(bound);
  const freeing = freeingCall(bound, symbol, args, uses);
  if (freeing !== null) {
    if (bound.annotation.clears.size > 0 && parameters[0].nullable) printer.line(`    if (${parameters[0].name} === null) return;`);
    printer.line(freeing);
    emitTrapped(bound, uses, printer);
    return;
  }
  if (result.kind === "void") {
    printer.line(list(`    ${symbol}(`, args, ");"), ...inAnyCase(bound, api.functions, uses));
    emitTrapped(bound, uses, printer);
    keepAlive(bound, uses, printer);
    return;
  }
  printer.line(list(`    const $ = ${symbol}(`, args, ");"), ...inAnyCase(bound, api.functions, uses));
  const zero = result.kind === "string" ? "null" : "0n";
  if (failsByNull(bound, roots)) {
    printer.line(`    if ($ === ${zero}) throw ${uses.$("nullResult")}("${declaration.name}"${involved(bound)});`);
  } else emitTrapped(bound, uses, printer);
  keepAlive(bound, uses, printer);
  if (isPointer(result) && resultNullable) printer.line(`    if ($ === ${zero}) return null;`);
  else if (isPointer(result) && !failsByNull(bound, roots)) {
    printer.line(`    if ($ === ${zero}) throw ${uses.$("nullResult")}("${declaration.name}");`);
  }
  emitResult(bound, roots, uses, printer);
}

/**
 * A call in which C may run callbacks: what they throw is thrown when C has returned and all is noted that it did. A handle of what C made all the
 * same is lost then, and collected.
 */
function rethrowing(call: readonly string[], uses: Uses): string[] {
  const body = call.flatMap((line) => line.split("\n")).map((line) => `  ${line}`);
  return [`    ${uses.$("enterCall")}();`, "    try {", ...body, "    } finally {", `      ${uses.$("leaveCall")}();`, "    }"];
}

/** The lines of what was printed. */
export function linesOf(printer: Printer): string[] {
  return printer.toString().trimEnd().split("\n");
}

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
  const kept = [...callbacks, ...parameters.filter(isMemory)].map(({ name }) => name);
  const args = [ownerOf(parameters.find(isHandle), uses), `"${declaration.name}"`, ...kept];
  printer.line(list(`    ${uses.$("keepLatest")}(`, args, ");"));
}

export function emitResult(bound: BoundFunction, roots: Roots, uses: Uses, printer: Printer): void {
  const { result, parameters } = bound;
  switch (result.kind) {
    case "int":
      printer.line(`    return ${result.bits === 64 ? `${uses.$(result.signed ? "fromInt64" : "fromUint64")}($, "${bound.name}")` : "$"};`);
      return;
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
