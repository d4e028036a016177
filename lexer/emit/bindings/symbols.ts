/**
 * Writes `symbols.ts`: the plain symbol map, for who calls `Deno.dlopen` directly.
 *
 * @module
 */

import type { FunctionDeclaration } from "../../model/model.ts";
import type { Api } from "../api/api.ts";
import type { Crossing } from "../api/crossing.ts";
import { nativeFields } from "../api/native.ts";
import { doc, list, Printer } from "../print.ts";

/** The text of `symbols.ts`. */
export function emitSymbols(api: Api, banner: string): string {
  const records = new Map(api.records.map(({ name, declaration }) => [name, declaration]));
  const passed = new Set<string>();
  const structs = (name: string) => {
    passed.add(name);
    return `{ struct: $${name} }`;
  };
  const entries = api.functions.map(({ declaration, parameters, result }) =>
    entry(declaration, parameters.map(({ crossing }) => native(crossing, true, structs)), native(result, false, structs))
  );
  const printer = new Printer();
  printer.line(banner);
  printer.gap();
  for (const name of passed) {
    printer.line(list(`const $${name} = [`, nativeFields(records.get(name)!)!, "] as const;"));
    printer.gap();
  }
  printer.line(
    doc("", "Each C function as `Deno.dlopen` takes it. Loading all of them at once takes tens of milliseconds: pick those that you need."),
  );
  printer.line("export const symbols = {");
  printer.line(...entries);
  printer.line("} as const satisfies Deno.ForeignLibraryInterface;");
  return printer.toString();
}

function entry({ name }: FunctionDeclaration, parameters: readonly string[], result: string): string {
  const line = `  ${name}: { parameters: [${parameters.join(", ")}], result: ${result} },`;
  if (line.length <= 140) return line;
  return [`  ${name}: {`, list("    parameters: [", parameters, "],"), `    result: ${result},`, "  },"].join("\n");
}

function native(crossing: Crossing, parameter: boolean, structs: (name: string) => string): string {
  switch (crossing.kind) {
    case "void":
    case "bool":
      return `"${crossing.kind}"`;
    case "int":
      return `"${crossing.signed ? "i" : "u"}${crossing.bits}"`;
    case "float":
      return `"f${crossing.bits}"`;
    case "struct":
      return structs(crossing.name);
    case "callback":
      return parameter ? `"function"` : `"pointer"`;
    case "handle":
      return `"pointer"`;
    default:
      return parameter ? `"buffer"` : `"pointer"`;
  }
}
