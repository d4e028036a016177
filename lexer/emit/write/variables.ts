/**
 * Writes the variables of a generated module: one object with a getter and, where C may write it, a setter each.
 *
 * Exported bindings can't do this: C may change a variable at any time, and to look one up opens the library.
 *
 * @module
 */

import type { Api, BoundVariable } from "../api/api.ts";
import { declaration } from "../api/prototype.ts";
import { rootsOf } from "../policy.ts";
import { doc, type Printer, quoted } from "../print.ts";
import type { Uses } from "../typescript.ts";
import { type Accessor, accessorOf, type Context } from "./fields.ts";
import { arrayable } from "./structs.ts";

/** Writes them all. `name` is the object's. */
export function writeVariables(api: Api, name: string, uses: Uses, printer: Printer): void {
  if (api.variables.length === 0) return;
  const what = "To read one reads C's memory, to write one writes there; what C calls constant is a copy, and can't be set.";
  const kinds = { arrays: arrayable(api), roots: rootsOf(api.records, uses.policy) };
  printer.gap();
  printer.line(doc("", `The library's variables. ${what}`));
  printer.line(`export const ${name} = {`);
  for (const variable of api.variables) {
    const { declaration: { name: symbolName, symbol, type }, size } = variable;
    const { get, set, type: got, input } = accessor(variable, kinds, uses);
    const found = `    const $ = $variable(${quoted(symbol)}, ${size ?? 0});`;
    printer.line(doc("  ", `\`${declaration(symbolName, type)}\` (${uses.policy.place(variable.declaration)})`));
    printer.line(`  get ${variable.name}(): ${got(uses)} {`, found, ...get.map((line) => `    ${line}`), "  },");
    if (set === null) continue;
    printer.line(`  set ${variable.name}(value: ${input(uses)}) {`, found, ...set.map((line) => `    ${line}`), "  },");
  }
  printer.line("};");
}

function accessor(variable: BoundVariable, kinds: Pick<Context, "arrays" | "roots">, uses: Uses): Accessor {
  const { crossing, length, size, declaration, constant } = variable;
  if (size === null) return addressed(variable, uses);
  const place = { type: declaration.type, offset: 0, crossing, length, count: false, bits: null };
  const used = accessorOf(place, { self: "$", where: quoted(declaration.name), ...kinds }, uses);
  return constant ? { ...used, get: copied(variable, used.get, uses), set: null } : used;
}

/** What C doesn't say the size of is known by its address. */
function addressed({ crossing }: BoundVariable, uses: Uses): Accessor {
  const [type, get] = crossing.kind === "string"
    ? ["string", "return $.text();"]
    : crossing.kind === "handle"
    ? [crossing.name, `return new ${crossing.name}($.address);`]
    : [uses.$("Pointer"), "return $;"];
  return { type: () => type, get: [get], set: null, input: () => "never" };
}

/** The memory of a constant can't be written to: what would show it shows a copy. */
function copied({ crossing, length, size }: BoundVariable, get: readonly string[], uses: Uses): readonly string[] {
  if (crossing.kind !== "struct") return get.map((line) => line.replace(/^(return \$getArray\(.*\));$/, "$1.slice();"));
  const copy = `new ${crossing.name}(${uses.$("getArray")}($, 0, ${size}, Uint8Array).slice())`;
  if (length === null) return [`return ${copy};`];
  return [`const copy = ${copy};`, `return Array.from({ length: ${length} }, (_, i) => copy.at(i));`];
}
