/**
 * Writes the callback classes of a generated module: one a function-pointer type.
 *
 * @module
 */

import type { Api, BoundCallback } from "../api/api.ts";
import { type Crossing, isPointer } from "../api/crossing.ts";
import { doc, LINE_WIDTH, list, type Printer } from "../print.ts";
import { pointerPrototype } from "../api/prototype.ts";
import { parameterType, resultType, Uses } from "../typescript.ts";
import type { Place } from "./shared.ts";

/** Writes every class. */
export function writeCallbacks({ callbacks }: Api, place: Place, printer: Printer): void {
  for (const callback of callbacks) writeCallback(callback, place, printer);
}

function writeCallback({ name, origin, type, parameters, result }: BoundCallback, place: Place, printer: Printer): void {
  const uses = new Uses();
  const what = `\`${pointerPrototype(name, type)}\` (${place(origin)})`;
  const nullable = isPointer(result);
  const given = parameters.map((parameter) => `${parameter.name}: ${resultType(parameter.crossing, true, uses)}`);
  const returned = nullable && result.kind !== "string" ? `${inputType(result)} | null` : resultType(result, true, uses);
  const taken = parameters.map((parameter) =>
    `${parameter.name}: ${parameterType({ ...parameter, nullable: isPointer(parameter.crossing) }, uses)}`
  );
  printer.gap();
  printer.line(doc("", `${what}, as a TypeScript function.`));
  printer.line(list(`export type $${name}_function = (`, given, `) => ${returned};`));
  printer.gap();
  printer.line(doc("", `${what}, as TypeScript calls it.`));
  printer.line(list(`export type $${name}_call = (`, taken, `) => ${resultType(result, true, uses)};`));
  printer.gap();
  printer.line(doc("", `${what}: a function that C calls, or C's own.`));
  printer.line(...classHead(name));
  printer.line(`  declare readonly $struct: "${name}";`);
  printer.gap();
  printer.line("  static get signature(): $Signature {");
  printer.line(list("    const parameters: $Slot[] = [", parameters.map(({ crossing }) => slot(crossing)), "];"));
  printer.line(`    return { parameters, result: ${slot(result)} };`, "  }", "}");
}

/** `deno fmt` has three ways to write it, by its length. */
function classHead(name: string): string[] {
  const args = [`$${name}_function`, `$${name}_call`];
  const head = `export class ${name}`, base = `extends $Callback<${args.join(", ")}> {`;
  if (`${head} ${base}`.length <= LINE_WIDTH) return [`${head} ${base}`];
  if (`  ${base}`.length <= LINE_WIDTH) return [head, `  ${base}`];
  return [`${head} extends $Callback<`, ...args.map((arg, i) => `  ${arg}${i === 0 ? "," : ""}`), "> {"];
}

function inputType(crossing: Crossing): string {
  return crossing.kind === "handle" || crossing.kind === "callback" ? crossing.name : "$Data";
}

function slot(crossing: Crossing): string {
  switch (crossing.kind) {
    case "void":
    case "bool":
      return `$SCALARS.${crossing.kind}`;
    case "float":
      return `$SCALARS.f${crossing.bits}`;
    case "int":
      return `${crossing.exact === true ? "$EXACT" : "$SCALARS"}.${crossing.signed ? "i" : "u"}${crossing.bits}`;
    case "string":
      return "$STRING";
    case "struct":
      return `$structSlot(${crossing.name})`;
    case "handle":
    case "callback":
      return `$handleSlot(${crossing.name})`;
    default:
      return "$POINTER";
  }
}
