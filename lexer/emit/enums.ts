/**
 * Writes `enums.js` and `enums.d.ts`: the values of each enum as constants, and the enum as the union of their literal types.
 *
 * @module
 */

import type { Api, BoundEnum } from "./api.ts";
import { doc, Printer, union } from "./print.ts";
import { place } from "./prototype.ts";

/** The text of `enums.js`. */
export function emitEnums({ enums }: Api, banner: string): string {
  const printer = new Printer();
  printer.line(banner);
  printer.gap();
  printer.line("export const enums = {");
  for (const { declaration } of enums) for (const { name, value } of declaration.values) printer.line(`  ${name}: ${literal(value)},`);
  printer.line("};");
  return printer.toString();
}

/** The text of `enums.d.ts`. */
export function declareEnums({ enums }: Api, banner: string): string {
  const printer = new Printer();
  printer.line(banner);
  for (const bound of enums) declareEnum(bound, printer);
  return printer.toString();
}

function declareEnum({ declaration, name }: BoundEnum, printer: Printer): void {
  const { values, alias } = declaration;
  const what = doc("", `\`${declaration.name === null ? alias ?? "enum" : `enum ${declaration.name}`}\` (${place(declaration)}).`);
  printer.gap();
  for (const value of values) printer.line(what, `export declare const ${value.name}: ${literal(value.value)};`);
  if (name === null) return;
  // Of several names of one value the last is shown: the first are often deprecated.
  const byValue = new Map(values.map((value) => [value.value, value.name]));
  printer.line(
    what,
    union(`export type ${name}`, byValue.size === 0 ? ["number"] : [...byValue.values()].map((member) => `typeof ${member}`)),
  );
}

/** An integer as a number or, where that isn't exact, as a bigint. */
export function literal(value: bigint): string {
  return value >= -(2n ** 53n) && value <= 2n ** 53n ? String(value) : `${value}n`;
}
