/**
 * Writes `enums.ts`: the values of each enum as constants, and the enum as the union of their literal types.
 *
 * @module
 */

import type { EnumDeclaration } from "../model.ts";
import type { Api } from "./api.ts";
import { doc, Printer, union } from "./print.ts";
import { place } from "./prototype.ts";

/** The text of `enums.ts`. */
export function emitEnums({ enums }: Api, banner: string): string {
  const printer = new Printer();
  printer.line(banner);
  for (const declaration of enums) emitEnum(declaration, printer);
  return printer.toString();
}

function emitEnum(declaration: EnumDeclaration, printer: Printer): void {
  const { name, alias, values } = declaration;
  printer.gap();
  for (const value of values) {
    printer.line(doc("", `\`${name === null ? alias ?? "enum" : `enum ${name}`}\` (${place(declaration)}).`));
    printer.line(`export const ${value.name} = ${literal(value.value)};`);
  }
  const type = name ?? alias;
  if (type === null) return;
  printer.gap();
  printer.line(doc("", `\`enum ${type}\` (${place(declaration)}).`));
  const members = values.length === 0
    ? ["number"]
    : [...new Map(values.map((value) => [value.value, value.name])).values()].map((member) => `typeof ${member}`);
  printer.line(union(`export type ${type}`, members));
}

/** An integer as a number or, where that isn't exact, as a bigint. */
export function literal(value: bigint): string {
  return value >= -(2n ** 53n) && value <= 2n ** 53n ? String(value) : `${value}n`;
}
