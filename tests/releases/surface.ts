/**
 * What of a tree's headers a caller depends on: functions by what they take and give, structs by their fields, enums by their numbers.
 *
 * Two surfaces are compared by these, so what does no harm (a `const`, a typedef's name, a parameter's) is left out.
 *
 * @module
 */

import type { CType, Model, RecordDeclaration } from "../../lexer/mod.ts";
import type { Tree } from "../../lexer/ggml/tree.ts";

/** A function. */
export interface FunctionSurface {
  /** What it takes and gives. */
  readonly signature: string;
  /** The structs that it takes or gives, also behind pointers. */
  readonly records: readonly string[];
}

/** A struct that isn't opaque. */
export interface RecordSurface {
  readonly size: number;
  /** Of each field, those of structs in it among them: where it is, and what. */
  readonly fields: ReadonlyMap<string, string>;
}

/** All of it. */
export interface Surface {
  /** The ggml release, null where the tree doesn't say. */
  readonly release: string | null;
  readonly functions: ReadonlyMap<string, FunctionSurface>;
  readonly records: ReadonlyMap<string, RecordSurface>;
  /** Constants of each enum that has a name. */
  readonly enums: ReadonlyMap<string, ReadonlyMap<string, bigint>>;
}

/** What the headers of a tree declare. */
export function surfaceOf({ model, release }: Tree): Surface {
  const own = <T extends { system: boolean }>(list: readonly T[]) => list.filter(({ system }) => !system);
  const records = new Map<string, RecordSurface>();
  for (const record of own(model.records)) {
    const name = nameOf(record);
    if (name !== null && record.size !== null) records.set(name, { size: record.size, fields: fieldsOf(record) });
  }
  return { release, functions: functionsOf(model), records, enums: enumsOf(model) };
}

function functionsOf({ functions }: Model): Map<string, FunctionSurface> {
  const found = new Map<string, FunctionSurface>();
  for (const { name, type, system, inline } of functions) {
    if (system || inline) continue;
    const records = new Set<string>();
    for (const part of [type.result, ...type.parameters.map((parameter) => parameter.type)]) note(part, records);
    found.set(name, { signature: textOf(type), records: [...records] });
  }
  return found;
}

function enumsOf({ enums }: Model): Map<string, Map<string, bigint>> {
  const found = new Map<string, Map<string, bigint>>();
  for (const { name, alias, values, system } of enums) {
    const known = name ?? alias;
    if (!system && known !== null) found.set(known, new Map(values.map(({ name, value }) => [name, value])));
  }
  return found;
}

/** The structs that a type is or points to. */
function note(type: CType, records: Set<string>): void {
  if (type.kind === "typedef") note(type.typedef.type, records);
  else if (type.kind === "pointer") note(type.to, records);
  else if (type.kind === "array") note(type.of, records);
  else if (type.kind === "record" && type.record.size !== null) {
    const name = nameOf(type.record);
    if (name !== null) records.add(name);
  }
}

/** A type as a caller passes it: pointers are all the same but for functions, which are called back. */
function textOf(type: CType): string {
  switch (type.kind) {
    case "typedef":
      return textOf(type.typedef.type);
    case "basic":
      return type.name;
    case "enum":
      return `enum ${type.enum.name ?? type.enum.alias ?? type.enum.type.name}`;
    case "record":
      return `${type.record.kind} ${nameOf(type.record) ?? "without a name"}`;
    case "pointer": {
      const to = type.to.kind === "typedef" ? type.to.typedef.type : type.to;
      return to.kind === "function" ? textOf(to) : "pointer";
    }
    case "array":
      return `${textOf(type.of)}[${type.length}]`;
    case "function": {
      const parameters = [...type.parameters.map((parameter) => textOf(parameter.type)), ...(type.variadic ? ["..."] : [])];
      return `${textOf(type.result)}(${parameters.join(", ")})`;
    }
    default:
      return type.kind;
  }
}

function fieldsOf(record: RecordDeclaration, base = 0, prefix = ""): Map<string, string> {
  const fields = new Map<string, string>();
  for (const { name, type, offset, bitOffset, bitWidth } of record.fields) {
    const path = prefix + (name ?? ""), at = base + offset;
    let inner = type;
    while (inner.kind === "typedef") inner = inner.typedef.type;
    if (inner.kind !== "record") fields.set(path, `${textOf(inner)} at ${at}${bitWidth === undefined ? "" : ` ${bitOffset}:${bitWidth}`}`);
    else for (const [path, text] of fieldsOf(inner.record, at, name === null ? prefix : `${prefix}${name}.`)) fields.set(path, text);
  }
  return fields;
}

function nameOf({ name, alias }: RecordDeclaration): string | null {
  return name ?? alias;
}
