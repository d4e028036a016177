/**
 * Writes the plain symbol map, for who calls `Deno.dlopen` directly.
 *
 * @module
 */

import type { Api } from "../api/api.ts";
import { type Crossing, nativeScalar } from "../api/crossing.ts";
import { inJavaScript } from "../api/names.ts";
import { nativeFields } from "../api/native.ts";
import type { Policy } from "../policy.ts";
import { doc, LINE_WIDTH, list, Printer } from "../print.ts";

/** The text of `symbols.ts`. */
export function emitSymbols(api: Api, banner: string, policy: Policy): string {
  const printer = new Printer();
  printer.line(banner);
  printer.gap();
  const note = "Loading all of them at once takes tens of milliseconds: pick those that you need.";
  writeSymbols(api, "symbols", "$", note, policy, printer);
  return printer.toString();
}

/**
 * Writes the map.
 *
 * @param name What it is called.
 * @param prefix What the layouts of structs are called by, before the names of their classes.
 * @param note What is said of it besides what it is.
 */
export function writeSymbols(
  { functions, records, crossings }: Api,
  name: string,
  prefix: string,
  note: string,
  { target }: Policy,
  printer: Printer,
): void {
  const declared = new Map(records.map((record) => [record.name, record.declaration]));
  const passed = new Map<string, readonly string[]>(); // those inside others before them
  const pass = (name: string): string => {
    if (passed.has(name)) return prefix + name;
    const types = nativeFields(declared.get(name)!, target, (inner) => {
      const name = crossings.className(inner);
      return name === null ? null : pass(name);
    });
    passed.set(name, types!);
    return prefix + name;
  };
  const structs = (name: string) => `{ struct: ${pass(name)} }`;
  // Of two functions with one symbol the last.
  const bySymbol = new Map(functions.map((bound) => [bound.declaration.symbol, bound]));
  const entries = [...bySymbol].map(([symbol, { parameters, result }]) =>
    entry(symbol, parameters.map(({ crossing }) => native(crossing, true, structs)), native(result, false, structs))
  );
  for (const [struct, types] of passed) {
    printer.gap();
    printer.line(list(`const ${prefix}${struct} = [`, types, "] as const;"));
  }
  printer.gap();
  printer.line(doc("", `Each C function as \`Deno.dlopen\` takes it. ${note}`));
  if (entries.length === 0) printer.line(`export const ${name} = {} as const satisfies Deno.ForeignLibraryInterface;`);
  else printer.line(`export const ${name} = {`, ...entries, "} as const satisfies Deno.ForeignLibraryInterface;");
}

function entry(name: string, parameters: readonly string[], result: string): string {
  const key = inJavaScript(name) === name ? name : JSON.stringify(name);
  const line = `  ${key}: { parameters: [${parameters.join(", ")}], result: ${result} },`;
  if (line.length <= LINE_WIDTH) return line;
  return [`  ${key}: {`, list("    parameters: [", parameters, "],"), `    result: ${result},`, "  },"].join("\n");
}

function native(crossing: Crossing, parameter: boolean, structs: (name: string) => string): string {
  switch (crossing.kind) {
    case "struct":
      return structs(crossing.name);
    case "callback":
      return parameter ? `"function"` : `"pointer"`;
    case "handle":
      return `"pointer"`;
    default:
      return nativeScalar(crossing) ?? (parameter ? `"buffer"` : `"pointer"`);
  }
}
