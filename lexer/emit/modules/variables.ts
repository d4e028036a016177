/**
 * Writes the variables of a generated module: one object with a getter and, where C may write it, a setter each.
 *
 * Exported bindings can't do this: C may change a variable at any time, and to look one up opens the library.
 *
 * @module
 */

import type { Api, BoundVariable } from "../api/api.ts";
import { doc, type Printer } from "../print.ts";
import { declaration } from "../api/prototype.ts";
import { type Accessor, accessorAt } from "./fields.ts";
import { type Place, quoted } from "./shared.ts";

/** Writes them all. `name` is the object's. */
export function writeVariables({ variables }: Api, name: string, library: string, place: Place, printer: Printer): void {
  if (variables.length === 0) return;
  printer.gap();
  printer.line(
    doc(
      "",
      "The library's variables. To read one reads C's memory, to write one writes there; what C calls constant is a copy, and can't be set.",
    ),
  );
  printer.line(`export const ${name} = {`);
  for (const variable of variables) {
    const { declaration: { name: symbolName, symbol, type }, size } = variable;
    const { get, set, type: got, input } = accessor(variable);
    const found = `    const $ = $variableIn(${quoted(library)}, ${quoted(symbol)}, ${size ?? 0});`;
    printer.line(doc("  ", `\`${declaration(symbolName, type)}\` (${place(variable.declaration)})`));
    printer.line(`  get ${variable.name}(): ${got} {`, found, ...get.map((line) => `    ${line}`), "  },");
    if (set !== null) printer.line(`  set ${variable.name}(value: ${input}) {`, found, ...set.map((line) => `    ${line}`), "  },");
  }
  printer.line("};");
}

function accessor(variable: BoundVariable): Accessor {
  const { crossing, length, size, declaration, constant } = variable;
  if (size === null) return addressed(variable);
  const at = { type: declaration.type, offset: 0, crossing, length, bits: null };
  const { get, set, type, input } = accessorAt(at, "$", quoted(declaration.name));
  if (!constant) return { get, set, type, input };
  return { get: copied(variable, get), set: null, type, input };
}

/** What C doesn't say the size of is known by its address. */
function addressed({ crossing }: BoundVariable): Accessor {
  const [type, get] = crossing.kind === "string"
    ? ["string", "return $.text();"]
    : crossing.kind === "handle"
    ? [crossing.name, `return new ${crossing.name}($.address);`]
    : ["$Pointer", "return $;"];
  return { type, get: [get], set: null, input: "never" };
}

/** The memory of a constant can't be written to: what would show it shows a copy. */
function copied({ crossing, length, size }: BoundVariable, get: readonly string[]): readonly string[] {
  if (crossing.kind !== "struct") return get.map((line) => line.replace(/^(return \$getArray\(.*\));$/, "$1.slice();"));
  const copy = `new ${crossing.name}($getArray($, 0, ${size}, Uint8Array).slice())`;
  if (length === null) return [`return ${copy};`];
  return [`const copy = ${copy};`, `return Array.from({ length: ${length} }, (_, i) => copy.at(i));`];
}
