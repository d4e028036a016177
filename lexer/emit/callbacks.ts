/**
 * Writes `callbacks.ts`: a class for each function-pointer type.
 *
 * @module
 */

import type { Api, BoundCallback } from "./api.ts";
import type { Crossing } from "./crossing.ts";
import { doc, importNames, list, Printer } from "./print.ts";
import { place, pointerPrototype } from "./prototype.ts";
import { isPointer, parameterType, resultType, Uses } from "./typescript.ts";

const TYPES = new Set(["Data", "Owner", "Pointer", "Pointers", "Signature"]);

/** The text of `callbacks.ts`. */
export function emitCallbacks(api: Api, banner: string, runtime: string): string {
  const uses = new Uses();
  const body = new Printer();
  for (const callback of api.callbacks) emitCallback(callback, uses, body);
  const callbacks = new Set(api.callbacks.map(({ name }) => name));
  const records = new Set(api.records.map(({ name }) => name));
  const printer = new Printer();
  printer.line(banner);
  printer.gap();
  const types = [...uses.types].filter((name) => !uses.values.has(name) && !callbacks.has(name));
  const enums = types.filter((name) => !records.has(name));
  if (enums.length > 0) printer.line(importNames(enums, "./enums.ts", true));
  const structs = [
    ...[...uses.values].filter((name) => records.has(name)),
    ...types.filter((name) => records.has(name)).map((name) => `type ${name}`),
  ];
  if (structs.length > 0) printer.line(importNames(structs, "./structs.ts"));
  printer.line(importNames([...uses.runtime].map((name) => `${TYPES.has(name) ? "type " : ""}${name} as $${name}`), runtime));
  return printer.toString() + "\n" + body.toString();
}

function emitCallback({ name, origin, type, parameters, result }: BoundCallback, uses: Uses, printer: Printer): void {
  const signature = parameters.map((parameter) =>
    `${parameter.name}: ${resultType(parameter.crossing, isPointer(parameter.crossing), uses)}`
  );
  const returns = isPointer(result) && result.kind !== "string"
    ? `${inputType(result, uses)} | null`
    : resultType(result, isPointer(result), uses);
  printer.gap();
  printer.line(doc("", `\`${pointerPrototype(name, type)}\` (${place(origin)}), as a TypeScript function.`));
  printer.line(list(`export type ${name}_function = (`, signature, `) => ${returns};`));
  const calls = parameters.map((parameter) =>
    `${parameter.name}: ${parameterType({ ...parameter, nullable: isPointer(parameter.crossing) }, uses)}`
  );
  printer.gap();
  printer.line(doc("", `\`${pointerPrototype(name, type)}\` (${place(origin)}), as TypeScript calls it.`));
  printer.line(list(`export type ${name}_call = (`, calls, `) => ${resultType(result, isPointer(result), uses)};`));
  printer.gap();
  printer.line(doc("", `\`${pointerPrototype(name, type)}\` (${place(origin)}): a function that C calls, or C's own.`));
  printer.line(`export class ${name} extends ${uses.$("Callback")}<${name}_function, ${name}_call> {`);
  printer.line(`  declare readonly $struct: "${name}";`);
  printer.line(`  static get signature(): ${uses.$("Signature")} {`);
  const slots = parameters.map(({ crossing }) => slot(crossing, uses));
  printer.line(list("    const parameters = [", slots, "];"), `    return { parameters, result: ${slot(result, uses)} };`, "  }");
  printer.gap();
  printer.line(`  constructor(init: ${name}_function | bigint, owner?: ${uses.$("Owner")}) {`, "    super(init, owner);", "  }", "}");
}

function inputType(crossing: Crossing, uses: Uses): string {
  return crossing.kind === "handle" || crossing.kind === "callback" ? uses.type(crossing.name) : uses.$("Data");
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
      return uses.$(`${crossing.signed ? "" : "U"}INT${crossing.bits}`);
    case "struct":
      return `${uses.$("structSlot")}(${uses.value(crossing.name)})`;
    case "handle":
    case "callback":
      return `${uses.$("handleSlot")}(${uses.value(crossing.name)})`;
    default:
      return uses.$("POINTER");
  }
}
