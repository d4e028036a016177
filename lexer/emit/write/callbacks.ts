/**
 * Writes the function pointers: a class for each type of one. Of ggml's bindings that is `callbacks.js` and `callbacks.d.ts`.
 *
 * @module
 */

import type { Api, BoundCallback } from "../api/api.ts";
import type { Crossing } from "../api/crossing.ts";
import { pointerPrototype } from "../api/prototype.ts";
import { CODE, type Parts, type Policy, TYPES } from "../policy.ts";
import { braces, doc, fileText, LINE_WIDTH, list, Printer } from "../print.ts";
import { NOMINAL, ownName } from "./structs.ts";
import { isPointer, parameterType, resultType, Uses } from "../typescript.ts";

/** The text of `callbacks.js`. */
export function emitCallbacks(api: Api, banner: string, runtime: string, policy: Policy): string {
  const uses = new Uses(policy);
  const body = new Printer();
  writeCallbacks(api, CODE, uses, body);
  body.gap();
  body.line(braces("export const $callbacks = {", api.callbacks.map(({ name }) => name), "};"));
  return fileText([`// @ts-self-types="./callbacks.d.ts"`, banner], uses.imports(api, "callbacks", runtime, false), body);
}

/** The text of `callbacks.d.ts`. */
export function declareCallbacks(api: Api, banner: string, runtime: string, policy: Policy): string {
  const uses = new Uses(policy);
  const body = new Printer();
  writeCallbacks(api, TYPES, uses, body);
  return fileText([banner], uses.imports(api, "callbacks", runtime, true), body);
}

/** Writes every class, or what a declaration file says of it. */
export function writeCallbacks({ callbacks }: Api, { code, types }: Parts, uses: Uses, printer: Printer): void {
  for (const callback of callbacks) {
    printer.gap();
    if (types) writeTypes(callback, code, uses, printer);
    else printer.line(`export class ${callback.name} extends ${uses.$("Callback")} {`);
    if (code) printer.line(ownName(callback.name, types));
    if (code) writeSignature(callback, types, uses, printer);
    else writeConstructor(callback, uses, printer);
    printer.line("}");
  }
}

/** The function types, and the head of the class. */
function writeTypes({ name, origin, type, parameters, result }: BoundCallback, code: boolean, uses: Uses, printer: Printer): void {
  const what = `\`${pointerPrototype(name, type)}\` (${uses.policy.place(origin)})`;
  const nullable = isPointer(result);
  const given = parameters.map((parameter) => `${parameter.name}: ${resultType(parameter.crossing, isPointer(parameter.crossing), uses)}`);
  const returned = result.kind === "int"
    ? parameterType({ crossing: result, nullable: false }, uses)
    : nullable && result.kind !== "string"
    ? `${inputType(result, uses)} | null`
    : resultType(result, nullable, uses);
  const f = uses.beside(`${name}_function`), call = uses.beside(`${name}_call`);
  printer.line(doc("", `${what}, as a TypeScript function.`));
  printer.line(list(`export type ${f} = (`, given, `) => ${returned};`));
  const taken = parameters.map((parameter) =>
    `${parameter.name}: ${parameterType({ ...parameter, nullable: isPointer(parameter.crossing) }, uses)}`
  );
  printer.line(doc("", `${what}, as TypeScript calls it.`));
  printer.line(list(`export type ${call} = (`, taken, `) => ${resultType(result, nullable, uses)};`));
  printer.line(doc("", `${what}: a function that C calls, or C's own.`));
  printer.line(...classHead(`export ${code ? "" : "declare "}class ${name}`, uses.$("Callback"), [f, call]));
  printer.line(doc("  ", NOMINAL), `  declare readonly $struct: "${name}";`);
}

/** `deno fmt` has three ways to write it, by its length. */
function classHead(head: string, base: string, args: readonly string[]): string[] {
  const extended = `extends ${base}<${args.join(", ")}> {`;
  if (`${head} ${extended}`.length <= LINE_WIDTH) return [`${head} ${extended}`];
  if (`  ${extended}`.length <= LINE_WIDTH) return [head, `  ${extended}`];
  return [`${head} extends ${base}<`, ...args.map((arg, i) => `  ${arg}${i === 0 ? "," : ""}`), "> {"];
}

function writeSignature({ parameters, result }: BoundCallback, types: boolean, uses: Uses, printer: Printer): void {
  printer.line(`  static get signature()${types ? `: ${uses.$("Signature")}` : ""} {`);
  const head = `    const parameters${types ? `: ${uses.$("Slot")}[]` : ""} = [`;
  printer.line(list(head, parameters.map(({ crossing }) => slot(crossing, uses)), "];"));
  printer.line(`    return { parameters, result: ${slot(result, uses)} };`, "  }");
}

function writeConstructor({ name }: BoundCallback, uses: Uses, printer: Printer): void {
  printer.line(
    doc("  ", "Makes one that C can call from a TypeScript function; with an address, a handle of C's own, which `owner` keeps valid."),
  );
  printer.line(`  constructor(init: ${uses.beside(`${name}_function`)} | bigint, owner?: ${uses.$("Owner")});`);
}

function inputType(crossing: Crossing, uses: Uses): string {
  return crossing.kind === "handle" || crossing.kind === "callback" ? uses.own(crossing.name) : uses.$("Data");
}

function slot(crossing: Crossing, uses: Uses): string {
  switch (crossing.kind) {
    case "void":
    case "bool":
    case "string":
      return uses.$(crossing.kind.toUpperCase());
    case "float":
      return uses.$(crossing.bits === 32 ? "FLOAT" : "DOUBLE");
    case "int":
      if (crossing.one === true) return `${uses.$("enumSlot")}(${uses.domain(crossing.name!, false)}, ${crossing.signed})`;
      return uses.$(`${crossing.exact === true ? "EXACT_" : ""}${crossing.signed ? "" : "U"}INT${crossing.bits}`);
    case "struct":
      return `${uses.$("structSlot")}(${uses.own(crossing.name)})`;
    case "handle":
    case "callback":
      return `${uses.$("handleSlot")}(${uses.own(crossing.name)})`;
    default:
      return uses.$("POINTER");
  }
}
