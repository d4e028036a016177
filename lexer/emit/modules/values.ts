/**
 * Writes what a generated module has besides functions and classes: constants, enums, typedef names, and the plain symbol map.
 *
 * @module
 */

import type { Api } from "../api/api.ts";
import { type Crossing, Unbindable } from "../api/crossing.ts";
import { literal } from "../bindings/enums.ts";
import { macroBody } from "../macros.ts";
import { localName } from "../api/names.ts";
import { nativeFields } from "../api/native.ts";
import { doc, LINE_WIDTH, list, type Printer, union } from "../print.ts";
import { declaration } from "../api/prototype.ts";
import { resultType, Uses } from "../typescript.ts";
import type { EnumDeclaration, TargetName } from "../../model/model.ts";
import { resolve } from "../../model/types.ts";
import { type Place, quoted } from "./shared.ts";

/** Writes the constants. */
export function writeConstants({ constants }: Api, place: Place, printer: Printer): void {
  for (const constant of constants) {
    printer.gap();
    printer.line(doc("", `\`${constant.name}\` (${place(constant)}).`));
    const head = `export const ${localName(constant.name, [])} =`, value = `${valueText(constant.value)};`;
    printer.line(...(`${head} ${value}`.length <= LINE_WIDTH ? [`${head} ${value}`] : [head, `  ${value}`]));
  }
}

function valueText(value: bigint | number | string): string {
  if (typeof value === "bigint") return literal(value);
  return typeof value === "string" ? quoted(value) : String(value);
}

/** Writes the function-like macros that are functions here. */
export function writeMacros({ macros }: Api, place: Place, printer: Printer): void {
  for (const macro of macros) {
    const taken: string[] = [];
    for (const parameter of macro.parameters) taken.push(localName(parameter, taken));
    const { lines, result } = macroBody(macro);
    printer.gap();
    printer.line(
      doc("", `\`${macro.name}(${macro.parameters.join(", ")})\` (${place(macro)}), as C computes it of arguments of type \`int64_t\`.`),
    );
    const signature = taken.map((parameter) => `${parameter}: number | bigint`);
    printer.line(list(`export function ${localName(macro.name, [])}(`, signature, "): number {"));
    taken.forEach((parameter, i) => {
      const used = [...lines, result].some((line) => line.match(/\$\d+/g)?.includes(`$${i}`));
      printer.line(`  ${used ? `const $${i} = ` : ""}$int64(${parameter}, "${macro.name}(${parameter})");`);
    });
    printer.line(...lines, `  return $fromInt64(${result});`, "}");
  }
}

/** Writes the enums: their values, and a type each. */
export function writeEnums({ enums }: Api, place: Place, printer: Printer): void {
  for (const { declaration: { values, name: tag, alias }, declaration, name } of enums) {
    const what = doc("", `\`${tag === null ? alias ?? "enum" : `enum ${tag}`}\` (${place(declaration)}).`);
    for (const { name, value } of values) {
      printer.gap();
      printer.line(what, `export const ${localName(name, [])} = ${literal(value)};`);
    }
    if (name === null) continue;
    printer.gap();
    printer.line(what, union(`export type ${name}`, enumMembers(declaration)));
  }
}

/** The union of an enum's values; `number` where C programs combine them, or where the type is too wide for numbers. */
function enumMembers({ values, type }: EnumDeclaration): string[] {
  const byValue = new Map(values.map(({ name, value }) => [value, `typeof ${localName(name, [])}`]));
  const wide = type.name.includes("long");
  return wide || byValue.size === 0 || isFlags([...byValue.keys()]) ? ["number"] : [...byValue.values()];
}

/** True for 1, 2, 4, …, with or without names for combinations. A mere count from 0 or 1 is none. */
function isFlags(values: readonly bigint[]): boolean {
  const bits = values.filter((value) => value > 0n && (value & (value - 1n)) === 0n);
  const all = bits.reduce((sum, bit) => sum | bit, 0n);
  const sorted = values.toSorted((a, b) => a < b ? -1 : 1);
  const counted = sorted.every((value, i) => i === 0 || value === sorted[i - 1] + 1n);
  return bits.length >= 3 && !counted && values.every((value) => value >= 0n && (value & ~all) === 0n);
}

/** Writes the names that C gives to other types. One for a struct is a name for its class too. */
export function writeAliases({ aliases, crossings }: Api, place: Place, printer: Printer): void {
  for (const { name, declaration: typedef } of aliases) {
    const target = resolve(typedef.type);
    const struct = target.kind === "record" ? crossings.className(target.record) : null;
    const type = struct ?? aliasType(name, typedef, crossings);
    if (type === null || type === name || type === "void") continue;
    const what = doc("", `\`typedef ${declaration(typedef.name, typedef.type)}\` (${place(typedef)}).`);
    printer.gap();
    printer.line(what, `export type ${name} = ${type};`);
    if (struct === null) continue;
    printer.gap();
    printer.line(what, `export const ${name} = ${struct};`);
  }
}

function aliasType(name: string, typedef: Api["aliases"][number]["declaration"], crossings: Api["crossings"]): string | null {
  try {
    return resultType(crossings.of(typedef.type, { name, origin: typedef }), false, new Uses());
  } catch (error) {
    if (error instanceof Unbindable) return null; // what can't cross needs no name
    throw error;
  }
}

/** Writes the plain symbol map, for who calls `Deno.dlopen` directly. */
export function writeSymbols({ functions, records, crossings }: Api, name: string, target: TargetName, printer: Printer): void {
  const declared = new Map(records.map((record) => [record.name, record.declaration]));
  const passed = new Map<string, readonly string[]>(); // those inside others before them
  const pass = (name: string): void => {
    if (passed.has(name)) return;
    const types = nativeFields(declared.get(name)!, target, (inner) => {
      const name = crossings.className(inner);
      if (name !== null) pass(name);
      return name === null ? null : `$$${name}`;
    });
    passed.set(name, types!);
  };
  const native = (crossing: Crossing, parameter: boolean): string => {
    if (crossing.kind === "struct") pass(crossing.name);
    return nativeText(crossing, parameter);
  };
  const bySymbol = new Map(functions.toReversed().map((bound) => [bound.declaration.symbol, bound]));
  const entries = functions.filter((bound) => bySymbol.get(bound.declaration.symbol) === bound).map(
    ({ declaration: { symbol }, parameters, result }) => {
      const types = parameters.map(({ crossing }) => native(crossing, true));
      const line = `  ${symbol}: { parameters: [${types.join(", ")}], result: ${native(result, false)} },`;
      if (line.length <= 140) return line;
      return [`  ${symbol}: {`, list("    parameters: [", types, "],"), `    result: ${native(result, false)},`, "  },"].join("\n");
    },
  );
  for (const [struct, types] of passed) {
    printer.gap();
    printer.line(list(`const $$${struct} = [`, types, "] as const;"));
  }
  printer.gap();
  printer.line(doc("", "Each C function as `Deno.dlopen` takes it. Pick those that you need: it fails where the library lacks one."));
  if (entries.length === 0) printer.line(`export const ${name} = {} as const satisfies Deno.ForeignLibraryInterface;`);
  else printer.line(`export const ${name} = {`, ...entries, "} as const satisfies Deno.ForeignLibraryInterface;");
}

function nativeText(crossing: Crossing, parameter: boolean): string {
  switch (crossing.kind) {
    case "void":
    case "bool":
      return `"${crossing.kind}"`;
    case "int":
      return `"${crossing.signed ? "i" : "u"}${crossing.bits}"`;
    case "float":
      return `"f${crossing.bits}"`;
    case "struct":
      return `{ struct: $$${crossing.name} }`;
    case "callback":
      return parameter ? `"function"` : `"pointer"`;
    case "handle":
      return `"pointer"`;
    default:
      return parameter ? `"buffer"` : `"pointer"`;
  }
}
