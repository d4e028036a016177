/**
 * Writes `enums.ts`: the values of each enum as constants, and the enum as the union of their literal types.
 *
 * @module
 */

import type { Api, BoundEnum } from "./api.ts";
import { doc, Printer, union } from "./print.ts";
import { place } from "./prototype.ts";

/** The text of `enums.ts`. */
export function emitEnums({ enums }: Api, banner: string): string {
  const printer = new Printer();
  printer.line(banner);
  for (const bound of enums) emitEnum(bound, printer);
  return printer.toString();
}

function emitEnum({ declaration, name }: BoundEnum, printer: Printer): void {
  const { values, alias } = declaration;
  const cName = declaration.name === null ? alias ?? "enum" : `enum ${declaration.name}`;
  printer.gap();
  for (const value of values) {
    printer.line(doc("", `\`${cName}\` (${place(declaration)}).`));
    printer.line(`export const ${value.name} = ${literal(value.value)};`);
  }
  if (name === null) return;
  printer.gap();
  printer.line(doc("", `\`${cName}\` (${place(declaration)}).`));
  // Of several names of one value the last is shown: the first are often deprecated.
  const byValue = new Map(values.map((value) => [value.value, value.name]));
  printer.line(union(`export type ${name}`, byValue.size === 0 ? ["number"] : [...byValue.values()].map((member) => `typeof ${member}`)));
}

/** An integer as a number or, where that isn't exact, as a bigint. */
export function literal(value: bigint): string {
  return value >= -(2n ** 53n) && value <= 2n ** 53n ? String(value) : `${value}n`;
}
