/**
 * Writes the constants, of ggml's bindings `constants.js` and `constants.d.ts`: the macros and `static const`s whose values are known when the headers are read.
 *
 * @module
 */

import type { Api } from "../api/api.ts";
import { literal } from "./enums.ts";
import { localName } from "../api/names.ts";
import type { Policy } from "../policy.ts";
import { doc, LINE_WIDTH, Printer, quoted } from "../print.ts";

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
export function declareConstants(api: Api, banner: string, { place }: Policy): string {
  const printer = new Printer();
  printer.line(banner);
  printer.gap();
  for (const declaration of api.constants) {
    const { name, value } = declaration;
    printer.line(doc("", `\`${name}\` (${place(declaration)}).`));
    printer.line(`export declare const ${name}: ${typeof value === "number" ? "number" : text(value)};`);
  }
  return printer.toString();
}

/** Writes the constants of a module, each an export. */
export function writeConstants({ constants }: Api, { place }: Policy, printer: Printer): void {
  for (const constant of constants) {
    const head = `export const ${localName(constant.name, [])} =`, value = `${text(constant.value)};`;
    printer.gap();
    printer.line(doc("", `\`${constant.name}\` (${place(constant)}).`));
    printer.line(...(`${head} ${value}`.length <= LINE_WIDTH ? [`${head} ${value}`] : [head, `  ${value}`]));
  }
}

function text(value: bigint | number | string): string {
  if (typeof value === "bigint") return literal(value);
  return typeof value === "string" ? quoted(value) : String(value);
}
