/**
 * Writes `async_functions.js`: what `lib.async` loads when it is first used.
 *
 * Each function checks its arguments as its synchronous form does, says what the call uses, and makes the same of C's result. The text for that is that
 * of `functions.ts`. They are a file of their own, and not one function with two ways to call C, because nobody who doesn't call them is to load them,
 * and those who do wait for a thread anyway.
 *
 * @module
 */

import { resolve } from "../../model/types.ts";
import type { Api, BoundFunction, BoundParameter } from "../api/api.ts";
import { emitArguments } from "./arguments.ts";
import { failsByNull } from "./functions.ts";
import { beforeCall, freeingCall, inAnyCase, isFreed, isMemory, keepable, type Roots } from "./lifetimes.ts";
import { elementsOf } from "./structs.ts";
import { type Policy, rootsOf } from "../policy.ts";
import { importNames, LINE_WIDTH, list, Printer } from "../print.ts";
import { isPointer, nativeParameter, nativeResult, Uses } from "../typescript.ts";
import { emitResult, keepAlive } from "./results.ts";

/** The text of `async_functions.js`. */
export function emitAsyncFunctions(api: Api, banner: string, runtime: string, policy: Policy): string {
  const uses = new Uses(policy);
  const roots = rootsOf(api.records, policy);
  const body = new Printer();
  body.line("const asynchronous = {");
  for (const bound of api.functions) emitFunction(bound, api, roots, uses, body);
  body.line("};");
  const printer = new Printer();
  printer.line(banner);
  printer.gap();
  printer.line(`import { ABI } from "./layouts.js";`, ...uses.imports(api, "async_functions", runtime, false));
  printer.line(`import { functions } from "./functions.js";`);
  printer.line(importNames(ASYNC.map((name) => `${name} as $${name}`), runtime.replace(/runtime\.ts$/, "calls/async_call.ts")));
  printer.gap();
  printer.line("const $begin = $starter(ABI);");
  printer.gap();
  return `${printer.toString()}\n${body.toString()}\nexport { asynchronous as functions };\n`;
}

/** What the functions use of the asynchronous runtime. */
const ASYNC = ["inward", "isNull", "outward", "passed", "passedWhole", "pointedWhole", "starter"];

function emitFunction(bound: BoundFunction, api: Api, roots: Roots, uses: Uses, printer: Printer): void {
  const { name, parameters, annotation } = bound;
  printer.line(list(`  ${name}(`, parameters.map(({ name }) => name), ") {"));
  const crossed = emitArguments(bound, api, uses, printer, true);
  printer.line(...beforeCall(bound, api.functions, uses));
  const structs = elementsOf(api), args = parameters.map((parameter, i) => staged(bound, parameter, crossed[i], structs, uses));
  const freeing = freeingCall(bound, "$f", args, uses);
  if (freeing !== null && annotation.clears.size > 0 && parameters[0].nullable) {
    printer.line(`    if (${parameters[0].name} === null) return;`);
  }
  const copiesBack = args.some((arg) => arg.endsWith(", $back)"));
  if (copiesBack) printer.line("    const $back = [];");
  emitBegin(bound, roots, copiesBack, uses, printer);
  const then = freeing === null ? afterwards(bound, roots, uses) : [], always = inAnyCase(bound, api.functions, uses);
  const isUsed = then.some((line) => /\$(?![\w{])/.test(line));
  const finish = (args: string) => arrow(`    return $call(${args}, `, isUsed ? "$" : "", then, always.length === 0 ? ");" : ", $always);");
  let last = finish(`[${args.join(", ")}]`);
  if (freeing !== null || last[0].length > LINE_WIDTH) {
    if (freeing !== null) printer.line(...arrow("    const $args = ", "$f", [freeing.replace("    ", "    return ")], ";"));
    else printer.line(list("    const $args = [", args, "];"));
    last = finish("$args");
  }
  if (always.length > 0) printer.line(...arrow("    const $always = ", "", always, ";"));
  printer.line(...last, "  },");
}

/** What the call is told of itself before it is made. */
function emitBegin(bound: BoundFunction, roots: Roots, copiesBack: boolean, uses: Uses, printer: Printer): void {
  const { parameters, declaration, result } = bound;
  const named = (is: (parameter: BoundParameter) => boolean) => parameters.filter(is).map(({ name }) => name).join(", ");
  const used = named((parameter) => isUsed(bound, parameter, uses)),
    changed = named((parameter) => isChanged(bound, parameter, roots, uses));
  const native = parameters.map(({ crossing }) => nativeParameter(crossing, uses)).join(", ");
  const items = [`"${declaration.name}"`, `[${native}]`, nativeResult(result, uses), used === "" ? "{}" : `{ ${used} }`, `[${changed}]`];
  printer.line(list("    const $call = $begin(", copiesBack ? [...items, "$back"] : items, ");"));
}

/** A function of one parameter: on one line where its body is an expression that fits. */
function arrow(head: string, parameter: string, lines: readonly string[], tail: string): string[] {
  if (lines.length === 0) return [`${head}(${parameter}) => {}${tail}`];
  const [, value] = lines.length === 1 ? /^ {4}return ([^\n{]*);$/.exec(lines[0]) ?? [] : [];
  const line = `${head}(${parameter}) => ${value}${tail}`;
  if (value !== undefined && line.length <= LINE_WIDTH) return [line];
  return [`${head}(${parameter}) => {`, ...lines.flatMap((line) => line.split("\n")).map((line) => `  ${line}`), `    }${tail}`];
}

/** What is done when C has returned, and didn't fail. */
function afterwards(bound: BoundFunction, roots: Roots, uses: Uses): string[] {
  const { result, resultNullable, declaration } = bound;
  const printer = new Printer();
  const zero = result.kind === "string" ? "null" : "0n", isNull = `throw $isNull("${declaration.name}")`;
  if (failsByNull(bound, roots, uses)) printer.line(`    if ($ === ${zero}) ${isNull};`);
  keepAlive(bound, uses, printer);
  if (isPointer(result) && resultNullable) printer.line(`    if ($ === ${zero}) return null;`);
  else if (isPointer(result) && !failsByNull(bound, roots, uses)) printer.line(`    if ($ === ${zero}) ${isNull};`);
  if (result.kind !== "void") emitResult(bound, roots, false, uses, printer);
  return printer.toString().split("\n").filter((line) => line !== "");
}

/** The expression for an argument in memory that lasts: C's own, unless C is to have the very memory that it is given. */
function staged(bound: BoundFunction, parameter: BoundParameter, crossed: string, structs: ReadonlySet<string>, uses: Uses): string {
  const { name, crossing } = parameter;
  if (isFreed(bound, parameter, uses)) return crossed;
  const kept = isKept(bound, parameter);
  switch (crossing.kind) {
    case "string":
      return `$inward(${name}, ${crossed})`;
    case "data":
    case "pointers":
      if (kept) return crossed;
      return isConst(bound, parameter) ? `$inward(${name}, ${crossed})` : `$outward(${name}, ${crossed}, $back)`;
    case "struct":
      return kept ? `$passed(${crossed})` : `$passedWhole(${name}, ${crossed})`;
    case "handle":
      return kept || !structs.has(crossing.name)
        ? crossed
        : `$pointedWhole(${name}, ${crossed}, ${isConst(bound, parameter) ? "null" : "$back"})`;
    default:
      return crossed;
  }
}

/** True for memory that C, or its result, may point to after the call. */
function isKept(bound: BoundFunction, parameter: BoundParameter): boolean {
  const { result, annotation, parameters, declaration } = bound;
  if (isPointer(result) || result.kind === "struct") {
    return result.kind === "struct" ? bound.resultPoints : keepable(bound).includes(parameter);
  }
  const name = declaration.type.parameters[parameters.indexOf(parameter)].name;
  const kept = [...annotation.keeps, ...annotation.sets].flatMap(([holder, kept]) => [holder, kept]).map((path) => path.split(".")[0]);
  if (name !== null && kept.includes(name)) return true;
  return isMemory(parameter) && parameters.some(({ crossing }) => crossing.kind === "callback");
}

function isConst({ declaration, parameters }: BoundFunction, parameter: BoundParameter): boolean {
  const type = resolve(declaration.type.parameters[parameters.indexOf(parameter)].type);
  return (type.kind === "pointer" ? type.to : type.kind === "array" ? type.of : type).const === true;
}

/** True for an argument that must live until the call has settled. */
function isUsed(bound: BoundFunction, parameter: BoundParameter, uses: Uses): boolean {
  const { kind } = parameter.crossing;
  return !isFreed(bound, parameter, uses) && !isCleared(bound, parameter) && kind !== "int" && kind !== "bool" && kind !== "float" &&
    kind !== "string";
}

function isCleared({ annotation: { clears }, parameters }: BoundFunction, parameter: BoundParameter): boolean {
  return clears.size > 0 && parameter === parameters[0];
}

/** True for what C may change and has a function to free. */
function isChanged(bound: BoundFunction, parameter: BoundParameter, roots: Roots, uses: Uses): boolean {
  const { crossing } = parameter;
  return crossing.kind === "handle" && roots.has(crossing.name) && !SHARED.has(crossing.name) && isUsed(bound, parameter, uses) &&
    !isConst(bound, parameter);
}

/** What several threads may work with at once, though its functions don't say `const`: contexts of one model can be made at the same time. */
const SHARED: ReadonlySet<string> = new Set(["llama_model"]);
