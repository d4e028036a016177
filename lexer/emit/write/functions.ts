/**
 * Writes the functions: a typed one for each of C's. Of ggml's bindings that is `functions.js` and `functions.d.ts`.
 *
 * Each checks and unwraps its arguments, binds its symbol on the first call, calls it, and wraps the result. ggml's are members of one
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
  keepLine,
  ownerOf,
  pointerResult,
  type Roots,
  structResult,
} from "./lifetimes.ts";
import { localName } from "../api/names.ts";
import { prototype } from "../api/prototype.ts";
import { macroBody } from "../macros.ts";
import { BOTH, CODE, type Parts, type Policy, rootsOf } from "../policy.ts";
import { doc, LINE_WIDTH, list, Printer } from "../print.ts";
import { elementsOf } from "./structs.ts";
import { isPointer, nativeParameter, nativeResult, parameterType, resultType, toC, Uses } from "../typescript.ts";

/** The text of `functions.js`. */
export function emitFunctions(api: Api, banner: string, runtime: string, policy: Policy): string {
  const uses = new Uses(policy);
  const roots = rootsOf(api.records, policy);
  const body = new Printer();
  for (const bound of api.functions) body.line(`let ${symbolOf(bound, uses)};`);
  body.gap();
  body.line("export const functions = {");
  for (const bound of api.functions) {
    body.line(list(`  ${bound.name}(`, bound.parameters.map((parameter) => parameter.name), ") {"));
    body.line(...functionBody(bound, api, roots, uses), "  },");
  }
  for (const macro of api.macros) body.line(list(`  ${macro.name}(`, macro.parameters, ") {"), ...macroLines(macro, CODE, uses), "  },");
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
export function declareFunctions(
  api: Api,
  banner: string,
  runtime: string,
  sentences: Readonly<Record<string, string>>,
  policy: Policy,
): string {
  const uses = new Uses(policy);
  const body = new Printer();
  for (const bound of api.functions) {
    const { name } = bound;
    const notes = Object.hasOwn(sentences, name) ? ["", sentences[name]] : [];
    const { documentation, head } = declared(bound, elementsOf(api), notes, uses);
    body.line(documentation, head("export declare function", ";"));
  }
  for (const macro of api.macros) body.line(...macroHead(macro, "export declare function", ";", uses));
  const printer = new Printer();
  printer.line(banner);
  printer.gap();
  printer.line(...uses.imports(api, "functions", runtime, true));
  return printer.toString() + "\n" + body.toString();
}

/** Writes the functions of a module, each with its types, and the variable that its symbol is bound to. */
export function writeFunctions(api: Api, uses: Uses, printer: Printer): void {
  const roots = rootsOf(api.records, uses.policy), elements = elementsOf(api);
  for (const bound of api.functions) {
    const { documentation, head } = declared(bound, elements, [], uses);
    printer.gap();
    printer.line(`let ${symbolOf(bound, uses)}: ${uses.$("AnyFunction")};`, documentation, head("export function", " {"));
    printer.line(...dedented(functionBody(bound, api, roots, uses)), "}");
  }
  for (const macro of api.macros) {
    printer.gap();
    printer.line(...macroHead(macro, "export function", " {", uses), ...dedented(macroLines(macro, BOTH, uses)), "}");
  }
}

/** Lines as they stand one level further out. */
function dedented(lines: readonly string[]): string[] {
  return lines.flatMap((line) => line.split("\n")).map((line) => line.replace(/^ {2}/, ""));
}

/** A function's documentation, and its head with its types. */
function declared(
  bound: BoundFunction,
  elements: ReadonlySet<string>,
  notes: readonly string[],
  uses: Uses,
): { documentation: string; head(before: string, after: string): string } {
  const { declaration, name, parameters, result, resultNullable } = bound;
  const arrays = arraysOf(bound, elements);
  const signature = parameters.map((parameter, i) => {
    const type = parameterType(parameter, uses);
    return `${parameter.name}: ${arrays.has(i) ? type.replace(/^\w+/, (name) => `${uses.$("Structs")}<${name}>`) : type}`;
  });
  const deprecated = declaration.deprecated === undefined ? [] : [deprecation(declaration.deprecated, uses)];
  return {
    documentation: doc("", `\`${prototype(declaration)}\` (${uses.policy.place(declaration)})`, ...notes, ...deprecated),
    head: (before, after) => list(`${before} ${name}(`, signature, `): ${resultType(result, resultNullable, uses)}${after}`),
  };
}

/** The headers' own words are not committed here. */
function deprecation(message: string, { isModule }: Uses): string {
  return isModule ? `@deprecated ${message}`.trimEnd().replaceAll("*/", "* /") : "@deprecated";
}

/** The parameters, by index, that point to structs that C reads, and of which it is told how many there are. */
function arraysOf({ parameters, lengths, declaration }: BoundFunction, elements: ReadonlySet<string>): ReadonlySet<number> {
  return new Set(lengths.flatMap(({ parameter }) => {
    const { crossing } = parameters[parameter], type = resolve(declaration.type.parameters[parameter].type);
    const isRead = type.kind === "pointer" && type.to.const === true; // what C writes to a copy would be lost
    return crossing.kind === "handle" && isRead && elements.has(crossing.name) ? [parameter] : [];
  }));
}

function macroHead(macro: MacroFunction, before: string, after: string, { policy }: Uses): string[] {
  const what = `\`${macro.name}(${macro.parameters.join(", ")})\` (${
    policy.place(macro)
  }), as C computes it of arguments of type \`int64_t\`.`;
  const signature = macroParameters(macro).map((parameter) => `${parameter}: number | bigint`);
  return [doc("", what), list(`${before} ${localName(macro.name, [])}(`, signature, `): number${after}`)];
}

function macroParameters({ parameters }: MacroFunction): string[] {
  const taken: string[] = [];
  for (const parameter of parameters) taken.push(localName(parameter, taken));
  return taken;
}

/** A function-like macro, computed here. Its body is written for TypeScript: JavaScript has no types to say. */
function macroLines(macro: MacroFunction, { types }: Parts, uses: Uses): string[] {
  const { lines, result } = macroBody(macro);
  const checks = macroParameters(macro).map((name, i) => {
    const isUsed = [...lines, result].some((line) => line.match(/\$\d+/g)?.includes(`$${i}`));
    return `    ${isUsed ? `const $${i} = ` : ""}${uses.$("int64")}(${name}, "${macro.name}(${macro.parameters[i]})");`;
  });
  const computed = lines.map((line) => `  ${types ? line : line.replace(/^( *(?:const|let) \$\d+): bigint/, "$1")}`);
  const args = uses.isModule ? [result] : [result, `"${macro.name}"`];
  return [...checks, ...computed, list(`    return ${uses.$("fromInt64")}(`, args, ");")];
}

/** The variable of a function's symbol. */
function symbolOf({ declaration }: BoundFunction, { isModule }: Uses): string {
  return `${isModule ? "$_" : "$"}${declaration.name}`;
}

/** Binds the symbol on the first call. */
function bindSymbol(bound: BoundFunction, uses: Uses, printer: Printer): void {
  const symbol = symbolOf(bound, uses), name = `"${bound.declaration.symbol}"`;
  const native = bound.parameters.map(({ crossing }) => nativeParameter(crossing, uses));
  const result = nativeResult(bound.result, uses);
  const line = `    ${symbol} ??= $bind(${name}, [${native.join(", ")}], ${result});`;
  if (line.length <= LINE_WIDTH) printer.line(line);
  else printer.line(`    ${symbol} ??= $bind(`, `      ${name},`, list("      [", native, "],"), `      ${result},`, "    );");
}

/** The lines of a function: checks and converts its arguments, binds its symbol on the first call, calls C, wraps the result. */
function functionBody(bound: BoundFunction, api: Api, roots: Roots, uses: Uses): string[] {
  const printer = new Printer();
  const args = emitArguments(bound, api, uses, printer, uses.isModule);
  bindSymbol(bound, uses, printer);
  printer.line(...beforeCall(bound, api.functions, uses));
  const call = new Printer();
  emitCall(bound, args, api, roots, uses, call);
  printer.line(...(uses.policy.mayCallBack(bound) ? rethrowing(linesOf(call), uses) : linesOf(call)));
  return linesOf(printer);
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
    if (isFreed(bound, parameter, uses)) return checkFreed(parameter, where, uses, printer);
    if (parameter.crossing.kind === "handle" || parameter.crossing.kind === "callback") {
      // What is freed by way of something that can't be used any more is freed all the same.
      const flag = bound.annotation.frees.length > 0 ? "gone" : "freed";
      if (brief && flag === "freed" && bound.annotation.clears.size === 0 && !(uses.isModule && arrays.has(i))) {
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
    const own = uses.isModule ? count.replaceAll(/\bfunctions\.(\w+)\(/g, "$1(") : count;
    const args = [name, own, String(width), JSON.stringify(what), JSON.stringify(why), `"${declaration.name}(${name})"`];
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
  if (uses.policy.guarded) {
    printer.line(`    if (${uses.$("caught")}[0] !== 0) ${uses.$("trapped")}("${bound.declaration.name}"${involved(bound)});`);
  }
}

/**
 * True for a function whose failure shows in its result: a null pointer that it never gives otherwise. What makes a thing that is to be freed, or
 * runs callbacks, may also have failed on a thread of its own.
 */
export function failsByNull({ result, resultNullable, annotation }: BoundFunction, roots: Roots, { policy }: Uses): boolean {
  return policy.guarded && isPointer(result) && !resultNullable && !annotation.calls &&
    !(result.kind === "handle" && roots.has(result.name));
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
  const symbol = symbolOf(bound, uses);
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
  if (failsByNull(bound, roots, uses)) {
    printer.line(`    if ($ === ${zero}) throw ${uses.$("nullResult")}("${declaration.name}"${involved(bound)});`);
  } else emitTrapped(bound, uses, printer);
  keepAlive(bound, uses, printer);
  if (isPointer(result) && resultNullable) printer.line(`    if ($ === ${zero}) return null;`);
  else if (isPointer(result) && !failsByNull(bound, roots, uses)) {
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
  if (uses.policy.ownership === "hand") {
    for (const callback of callbacks) printer.line(keepLine(ownerOf(parameters.find(isHandle), uses), callback, uses));
    return;
  }
  const kept = [...callbacks, ...parameters.filter(isMemory)].map(({ name }) => name);
  const args = [ownerOf(parameters.find(isHandle), uses), `"${declaration.name}"`, ...kept];
  printer.line(list(`    ${uses.$("keepLatest")}(`, args, ");"));
}

export function emitResult(bound: BoundFunction, roots: Roots, uses: Uses, printer: Printer): void {
  const { result, parameters } = bound;
  switch (result.kind) {
    case "int":
      printer.line(`    return ${result.bits === 64 && result.exact !== true ? numberOf(result.signed, bound.name, uses) : "$"};`);
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

/** The number for a result of 64 bits. ggml's functions say which they are: `lib.bigint` has all bits of their results. */
function numberOf(signed: boolean, name: string, uses: Uses): string {
  return `${uses.$(signed ? "fromInt64" : "fromUint64")}($${uses.isModule ? "" : `, "${name}"`})`;
}
