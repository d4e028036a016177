/**
 * Writes `layouts.js`: the layouts and enum values that the loaded library is checked against.
 *
 * @module
 */

import type { Api } from "../api/api.ts";
import { literal } from "./enums.ts";
import { braces, Printer } from "../print.ts";

/** The text of `layouts.js`. */
export function emitLayouts({ records, enums }: Api, release: string | null, banner: string): string {
  const printer = new Printer();
  printer.line(banner);
  printer.gap();
  // They are made when a library is loaded, and not when this module is.
  printer.line("const enums = () => ({");
  for (const { name, declaration: { values } } of enums) {
    if (name === null || values.length === 0) continue;
    const constants = values.map((value) => `${value.name}: ${literal(value.value)}`);
    printer.line(braces(`  ${name}: {`, constants, "},"));
  }
  printer.line("});");
  printer.gap();
  printer.line("/** @type {ReturnType<typeof enums> | null} */", "let made = null;");
  printer.gap();
  printer.line("// What the headers say of layouts and enums: a library that disagrees is not the one that these bindings are for.");
  printer.line("export const ABI = {", `  release: ${JSON.stringify(release)},`, "  records: {");
  for (const { name, declaration, fields } of records) {
    if (declaration.size === null) continue;
    const offsets = fields.map((field) => `${field.name}: ${field.offset}`);
    const line = braces(`    ${name}: { size: ${declaration.size}, fields: {`, offsets, "} },");
    const [, ...items] = line.split("\n");
    if (items.length === 0) printer.line(line);
    else printer.line(`    ${name}: {`, `      size: ${declaration.size},`, braces("      fields: {", offsets, "},"), "    },");
  }
  printer.line("  },", "  get enums() {", "    return made ??= enums();", "  },", "};");
  return printer.toString();
}
