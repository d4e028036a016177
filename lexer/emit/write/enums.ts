/**
 * Writes the enums, of ggml's bindings `enums.js` and `enums.d.ts`: the values of each enum as constants, and the enum as the union of their literal types; flags, which
 * are or'ed, are any number. Beside them, for the checks of arguments, which of the constants belong to which enum.
 *
 * @module
 */

import { TARGETS } from "../../model/targets.ts";
import type { Api, BoundEnum } from "../api/api.ts";
import { localName } from "../api/names.ts";
import { type Parts, type Policy, TYPES } from "../policy.ts";
import { doc, importNames, list, Printer, union } from "../print.ts";
import { orCount } from "../typescript.ts";

/** The text of `enums.js`. */
export function emitEnums(api: Api, banner: string, runtime: string): string {
  const { enums } = api;
  const printer = new Printer();
  printer.line(banner);
  printer.gap();
  // Not by way of the runtime, which looks things up in enums itself.
  printer.line(importNames(["Domain as $Domain"], runtime.replace(/runtime\.ts$/, "core/domain.ts")));
  printer.gap();
  printer.line("export const enums = {");
  for (const { declaration } of enums) for (const { name, value } of declaration.values) printer.line(`  ${name}: ${literal(value)},`);
  printer.line("};");
  printer.gap();
  printer.line("export const domains = {");
  const counted = countedEnums(api);
  for (const bound of enums) emitDomain(bound, counted.has(bound.name ?? ""), printer);
  printer.line("};");
  return printer.toString();
}

/** The line of an enum's values, from the first to the last, and one with the enumerator behind them, which counts them, where a parameter takes that, too. */
function emitDomain({ declaration, name, count }: BoundEnum, counted: boolean, printer: Printer): void {
  const { values } = declaration;
  if (name === null || values.length === 0) return;
  const last = values.at(-1)!;
  const domain = (key: string, to: string) =>
    list(`  ${key}: new $Domain(`, [`"${name}"`, "enums", `"${values[0].name}"`, `"${to}"`], "),");
  printer.line(domain(name, (count === null ? last : values.at(-2)!).name));
  if (counted) printer.line(domain(orCount(name), last.name));
}

/** The enums of which some parameter or field may be the number of values. */
function countedEnums({ functions, records }: Api): Set<string> {
  const places = [...functions.flatMap(({ parameters }) => parameters), ...records.flatMap(({ fields }) => fields)];
  return new Set(
    places.flatMap(({ crossing, count }) => count && crossing.kind === "int" && crossing.name !== null ? [crossing.name] : []),
  );
}

/** The text of `enums.d.ts`. */
export function declareEnums(api: Api, banner: string, policy: Policy): string {
  const printer = new Printer();
  printer.line(banner);
  writeEnums(api, TYPES, policy, printer);
  return printer.toString();
}

/** Writes each enum's values and its type, with the values' own numbers in code. */
export function writeEnums(api: Api, { code }: Parts, { place, target }: Policy, printer: Printer): void {
  const counted = countedEnums(api);
  const { sizes } = TARGETS[target];
  for (const bound of api.enums) {
    writeEnum(bound, counted.has(bound.name ?? ""), sizes[bound.declaration.type.name][0] === 8, code, place, printer);
  }
}

function writeEnum(
  { declaration, name, flags, count }: BoundEnum,
  counted: boolean,
  wide: boolean,
  code: boolean,
  place: Policy["place"],
  printer: Printer,
): void {
  const { values, alias } = declaration;
  const what = doc("", `\`${declaration.name === null ? alias ?? "enum" : `enum ${declaration.name}`}\` (${place(declaration)}).`);
  printer.gap();
  for (const value of values) {
    printer.line(what, `export ${code ? "" : "declare "}const ${localName(value.name, [])}${code ? " =" : ":"} ${literal(value.value)};`);
  }
  if (name === null) return;
  if (wide) {
    printer.line(doc("", `Any value of \`enum ${name}\`, of 64 bits (${place(declaration)}).`), `export type ${name} = number | bigint;`);
    return;
  }
  if (flags) {
    printer.line(doc("", `Values of \`enum ${name}\`, or'ed (${place(declaration)}).`), `export type ${name} = number;`);
    return;
  }
  // Of several names of one value the last is shown: the first are often deprecated.
  const byValue = new Map(values.filter((value) => value !== count).map((value) => [value.value, localName(value.name, [])]));
  printer.line(
    what,
    union(`export type ${name}`, byValue.size === 0 ? ["number"] : [...byValue.values()].map((member) => `typeof ${member}`)),
  );
  if (counted) {
    printer.line(
      doc("", `\`enum ${name}\`, or the number of its values (${place(declaration)}).`),
      `export type ${orCount(name)} = ${name}${count === null ? "" : ` | typeof ${count.name}`};`,
    );
  }
}

/** An integer as a number or, where that isn't exact, as a bigint. */
export function literal(value: bigint): string {
  return value >= -(2n ** 53n) && value <= 2n ** 53n ? String(value) : `${value}n`;
}
