/**
 * Writes `constants.js` and `constants.d.ts`: the macros and `static const`s whose values are known when the headers are read.
 *
 * @module
 */

import type { Api } from "../api/api.ts";
import { literal } from "./enums.ts";
import { doc, Printer } from "../print.ts";
import { place } from "../api/prototype.ts";

/** The text of `constants.js`. */
export function emitConstants({ constants }: Api, banner: string): string {
  const printer = new Printer();
  printer.line(banner);
  printer.gap();
  printer.line("export const constants = {");
  for (const { name, value } of constants) printer.line(`  ${name}: ${text(value)},`);
  printer.line("};");
  return printer.toString();
}

/** The text of `constants.d.ts`. */
export function declareConstants({ constants }: Api, banner: string): string {
  const printer = new Printer();
  printer.line(banner);
  printer.gap();
  for (const declaration of constants) {
    const { name, value } = declaration;
    printer.line(doc("", `\`${name}\` (${place(declaration)}).`));
    printer.line(`export declare const ${name}: ${typeof value === "number" ? "number" : text(value)};`);
  }
  return printer.toString();
}

function text(value: bigint | number | string): string {
  if (typeof value === "bigint") return literal(value);
  if (typeof value === "string") return JSON.stringify(value);
  return Number.isFinite(value) ? String(value) : Number.isNaN(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";
}
