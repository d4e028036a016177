/**
 * Writes `constants.ts`: the macros and `static const`s whose values are known when the headers are read.
 *
 * @module
 */

import type { Api } from "./api.ts";
import { literal } from "./enums.ts";
import { doc, Printer } from "./print.ts";
import { place } from "./prototype.ts";

/** The text of `constants.ts`. */
export function emitConstants({ constants }: Api, banner: string): string {
  const printer = new Printer();
  printer.line(banner);
  for (const declaration of constants) {
    printer.gap();
    printer.line(doc("", `\`${declaration.name}\` (${place(declaration)}).`));
    printer.line(`export const ${declaration.name} = ${text(declaration.value)};`);
  }
  return printer.toString();
}

function text(value: bigint | number | string): string {
  if (typeof value === "bigint") return literal(value);
  if (typeof value === "string") return JSON.stringify(value);
  return Number.isFinite(value) ? String(value) : Number.isNaN(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";
}
