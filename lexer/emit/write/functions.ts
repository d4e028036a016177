/**
 * Writes the functions: a typed one for each of C's. Of ggml's bindings that is `functions.js` and `functions.d.ts`.
 *
 * Each checks and unwraps its arguments, binds its symbol when it is called often, calls it, and wraps the result. ggml's are members of one
 * object, because a call through a module's namespace costs 3 ns more than one through a constant object; and handles are checked where they
 * are used, because a shared function would see every class and be slow for all.
 *
 * @module
 */

import type { Api, BoundFunction } from "../api/api.ts";
import { prototype } from "../api/prototype.ts";
import { BOTH, CODE, type Policy, rootsOf } from "../policy.ts";
import { doc, fileText, list, Printer } from "../print.ts";
import { isPointer, parameterType, resultType, Uses } from "../typescript.ts";
import { arraysOf, emitArguments } from "./arguments.ts";
import { binderLine, callLines, emitBinding, isApart, symbolOf, variablesOf } from "./calls.ts";
import { beforeCall, freeingCall, inAnyCase, isHandle, type Roots } from "./lifetimes.ts";
import { macroHead, macroLines } from "./macros.ts";
import { emitResult, keepAlive } from "./results.ts";
import { elementsOf } from "./structs.ts";

/** What the declarations say of functions besides their prototypes. */
export interface Said {
  /** A sentence each, by name. */
  readonly sentences: Readonly<Record<string, string>>;
  /** Where more is said of every function; null in what says it. */
  readonly reference: string | null;
}

/** The text of `functions.js`. */
export function emitFunctions(api: Api, banner: string, runtime: string, policy: Policy): string {
  const uses = new Uses(policy);
  const roots = rootsOf(api.records, policy);
  const body = new Printer();
  body.line(binderLine(api, "ABI", uses));
  body.gap();
  for (const bound of api.functions) body.line(`let ${variablesOf(bound, api, uses).join(", ")};`);
  body.gap();
  body.line("export const functions = {");
  for (const bound of api.functions) {
    body.line(list(`  ${bound.name}(`, bound.parameters.map((parameter) => parameter.name), ") {"));
    body.line(functionBody(bound, api, roots, uses), "  },");
  }
  for (const macro of api.macros) body.line(list(`  ${macro.name}(`, macro.parameters, ") {"), ...macroLines(macro, CODE, uses), "  },");
  body.line("};");
  return fileText([banner], [`import { ABI } from "./layouts.js";`, ...uses.imports(api, "functions", runtime, false)], body);
}

/** The text of `functions.d.ts`. */
export function declareFunctions(
  api: Api,
  banner: string,
  runtime: string,
  { sentences, reference }: Said,
  policy: Policy,
): string {
  const uses = new Uses(policy);
  const body = new Printer();
  for (const bound of api.functions) {
    const { name } = bound;
    const notes = Object.hasOwn(sentences, name) ? ["", sentences[name]] : [];
    const { documentation, head } = declared(bound, elementsOf(api), reference, notes, uses);
    body.line(documentation, head("export declare function", ";"));
  }
  for (const macro of api.macros) body.line(...macroHead(macro, "export declare function", ";", uses));
  return fileText([banner], uses.imports(api, "functions", runtime, true), body);
}

/** Writes the functions of a module, each with its types, and the variable that its symbol is bound to. */
export function writeFunctions(api: Api, uses: Uses, printer: Printer): void {
  const roots = rootsOf(api.records, uses.policy), elements = elementsOf(api);
  for (const bound of api.functions) {
    const { documentation, head } = declared(bound, elements, null, [], uses);
    printer.gap();
    const type = `${uses.$("AnyFunction")}${isApart(bound, api, uses) ? " | undefined" : ""}`;
    const variables = variablesOf(bound, api, uses).map((name) => `${name}: ${type}`);
    printer.line(`let ${variables.join(", ")};`, documentation, head("export function", " {"));
    printer.line(dedented(functionBody(bound, api, roots, uses)), "}");
  }
  for (const macro of api.macros) {
    printer.gap();
    printer.line(...macroHead(macro, "export function", " {", uses), dedented(macroLines(macro, BOTH, uses).join("\n")), "}");
  }
}

/** Lines as they stand one level further out. */
function dedented(lines: string): string {
  return lines.replaceAll(/^ {2}/gm, "");
}

/** A function's documentation, and its head with its types. */
function declared(
  bound: BoundFunction,
  elements: ReadonlySet<string>,
  reference: string | null,
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
  const place = `${uses.policy.place(declaration)}${reference === null ? "" : `; reference: ${reference}`}`;
  return {
    documentation: doc("", `\`${prototype(declaration)}\` (${place})`, ...notes, ...deprecated),
    head: (before, after) => list(`${before} ${name}(`, signature, `): ${resultType(result, resultNullable, uses)}${after}`),
  };
}

/** The headers' own words are not committed here. */
function deprecation(message: string, { isModule }: Uses): string {
  return isModule ? `@deprecated ${message}`.trimEnd().replaceAll("*/", "* /") : "@deprecated";
}

/** The lines of a function: checks and converts its arguments, binds its symbol on the first call, calls C, wraps the result. */
function functionBody(bound: BoundFunction, api: Api, roots: Roots, uses: Uses): string {
  const printer = new Printer();
  const args = emitArguments(bound, api, uses, printer, uses.isModule);
  if (!isApart(bound, api, uses)) emitBinding(bound, uses, printer);
  printer.line(...beforeCall(bound, api.functions, uses));
  if (uses.policy.mayCallBack(bound)) {
    const call = new Printer();
    emitCall(bound, args, api, roots, uses, call);
    printer.line(...rethrowing(call.toString().trimEnd(), uses));
  } else emitCall(bound, args, api, roots, uses, printer);
  return printer.toString().trimEnd();
}

/** The arguments that an Error of C's failure describes, as an object: pointers to structs, and structs that name some. */
function involved({ parameters }: BoundFunction): string {
  const names = parameters.filter((parameter) => isHandle(parameter) || parameter.crossing.kind === "struct").map(({ name }) => name);
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

function emitCall(bound: BoundFunction, args: readonly string[], api: Api, roots: Roots, uses: Uses, printer: Printer): void {
  const { parameters, result, declaration, resultNullable } = bound;
  const freeing = freeingCall(bound, symbolOf(bound, uses), args, uses);
  if (freeing !== null) {
    if (bound.annotation.clears.size > 0 && parameters[0].nullable) printer.line(`    if (${parameters[0].name} === null) return;`);
    if (result.kind === "void") printer.line(freeing);
    else printer.line(freeing.replace("    ", "    const $ = "));
    emitTrapped(bound, uses, printer);
    if (result.kind !== "void") emitResult(bound, roots, false, uses, printer);
    return;
  }
  printer.line(...callLines(bound, args, api, uses), ...inAnyCase(bound, api.functions, uses));
  if (result.kind === "void") {
    emitTrapped(bound, uses, printer);
    keepAlive(bound, uses, printer);
    return;
  }
  const zero = result.kind === "string" ? "null" : "0n";
  if (failsByNull(bound, roots, uses)) {
    printer.line(`    if ($ === ${zero}) throw ${uses.$("nullResult")}("${declaration.name}"${involved(bound)});`);
  } else emitTrapped(bound, uses, printer);
  keepAlive(bound, uses, printer);
  if (isPointer(result) && resultNullable) printer.line(`    if ($ === ${zero}) return null;`);
  else if (isPointer(result) && !failsByNull(bound, roots, uses)) {
    printer.line(`    if ($ === ${zero}) throw ${uses.$("nullResult")}("${declaration.name}");`);
  }
  emitResult(bound, roots, isApart(bound, api, uses), uses, printer);
}

/**
 * A call in which C may run callbacks: what they throw is thrown when C has returned and all is noted that it did. A handle of what C made all the
 * same is lost then, and collected.
 */
function rethrowing(call: string, uses: Uses): string[] {
  const body = call.replaceAll(/^/gm, "  ");
  return [`    ${uses.$("enterCall")}();`, "    try {", body, "    } finally {", `      ${uses.$("leaveCall")}();`, "    }"];
}
