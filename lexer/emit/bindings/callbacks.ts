/**
 * Writes `callbacks.js` and `callbacks.d.ts`: a class for each function-pointer type.
 *
 * @module
 */

import type { Api, BoundCallback } from "../api/api.ts";
import type { Crossing } from "../api/crossing.ts";
import { doc, list, Printer } from "../print.ts";
import { place, pointerPrototype } from "../api/prototype.ts";
import { NOMINAL } from "./structs.ts";
import { isPointer, parameterType, resultType, Uses } from "../typescript.ts";

/** The text of `callbacks.js`. */
export function emitCallbacks(api: Api, banner: string, runtime: string): string {
  const uses = new Uses();
  const body = new Printer();
  for (const { name, parameters, result } of api.callbacks) {
    body.gap();
    body.line(`export class ${name} extends ${uses.$("Callback")} {`);
    body.line("  static get signature() {", list("    const parameters = [", parameters.map(({ crossing }) => slot(crossing, uses)), "];"));
    body.line(`    return { parameters, result: ${slot(result, uses)} };`, "  }", "}");
  }
  const printer = new Printer();
  printer.line(`// @ts-self-types="./callbacks.d.ts"`, banner);
  printer.gap();
  printer.line(...uses.imports(api, "callbacks", runtime, false));
  return printer.toString() + "\n" + body.toString();
}

/** The text of `callbacks.d.ts`. */
export function declareCallbacks(api: Api, banner: string, runtime: string): string {
  const uses = new Uses();
  const body = new Printer();
  for (const callback of api.callbacks) declareCallback(callback, uses, body);
  const printer = new Printer();
  printer.line(banner);
  printer.gap();
  printer.line(...uses.imports(api, "callbacks", runtime, true));
  return printer.toString() + "\n" + body.toString();
}

function declareCallback({ name, origin, type, parameters, result }: BoundCallback, uses: Uses, printer: Printer): void {
  const what = `\`${pointerPrototype(name, type)}\` (${place(origin)})`;
  const nullable = isPointer(result);
  const given = parameters.map((parameter) => `${parameter.name}: ${resultType(parameter.crossing, isPointer(parameter.crossing), uses)}`);
  const returned = nullable && result.kind !== "string" ? `${inputType(result, uses)} | null` : resultType(result, nullable, uses);
  printer.gap();
  printer.line(doc("", `${what}, as a TypeScript function.`));
  printer.line(list(`export type ${name}_function = (`, given, `) => ${returned};`));
  const taken = parameters.map((parameter) =>
    `${parameter.name}: ${parameterType({ ...parameter, nullable: isPointer(parameter.crossing) }, uses)}`
  );
  printer.line(doc("", `${what}, as TypeScript calls it.`));
  printer.line(list(`export type ${name}_call = (`, taken, `) => ${resultType(result, nullable, uses)};`));
  printer.line(doc("", `${what}: a function that C calls, or C's own.`));
  const base = `extends ${uses.$("Callback")}<${name}_function, ${name}_call> {`;
  const head = `export declare class ${name}`;
  printer.line(...(`${head} ${base}`.length <= 140 ? [`${head} ${base}`] : [head, `  ${base}`]));
  printer.line(doc("  ", NOMINAL), `  declare readonly $struct: "${name}";`);
  printer.line(
    doc("  ", "Makes one that C can call from a TypeScript function; with an address, a handle of C's own, which `owner` keeps valid."),
  );
  printer.line(`  constructor(init: ${name}_function | bigint, owner?: ${uses.$("Owner")});`, "}");
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
      if (crossing.values !== undefined) {
        const maker = uses.$(crossing.values === "one" ? "enumSlot" : "flagsSlot");
        return `${maker}(${uses.domain(crossing.name!, false)}, ${crossing.signed})`;
      }
      return uses.$(`${crossing.signed ? "" : "U"}INT${crossing.bits}`);
    case "struct":
      return `${uses.$("structSlot")}(${uses.own(crossing.name)})`;
    case "handle":
    case "callback":
      return `${uses.$("handleSlot")}(${uses.own(crossing.name)})`;
    default:
      return uses.$("POINTER");
  }
}
