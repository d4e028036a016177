/**
 * The model as JSON, for other programs: types as C text that stands alone, integers as numbers where a number holds them.
 *
 * @module
 */

import type { CType, EnumDeclaration, Model, RecordDeclaration } from "./model.ts";
import { printType } from "./types.ts";

/** The JSON form. An `Int` is a number up to 2^53, and a string of decimal digits beyond. */
export interface Dump {
  /** What sizes and offsets are true for. */
  target: string;
  /** Functions. */
  functions: {
    name: string;
    result: string;
    parameters: { name: string | null; type: string }[];
    variadic: boolean;
    inline: boolean;
    file: string;
    line: number;
  }[];
  /** Variables with linkage. */
  variables: { name: string; type: string; file: string; line: number }[];
  /** Structs and unions. */
  records: {
    kind: "struct" | "union";
    name: string | null;
    size: number | null;
    align: number | null;
    fields: { name: string | null; type: string; offset: number; bitOffset?: number; bitWidth?: number }[];
    file: string;
    line: number;
  }[];
  /** Enums. */
  enums: { name: string | null; type: string; values: { name: string; value: number | string }[] }[];
  /** Typedefs, with what they stand for. */
  typedefs: { name: string; type: string }[];
  /** Constants. */
  constants: { name: string; kind: "int" | "float" | "string"; value: number | string }[];
  /** What couldn't be read, and why. */
  skipped: { name: string; reason: string; file: string; line: number }[];
}

/**
 * Turns a model into its JSON form.
 *
 * @param model What `parse` gave.
 * @returns Functions, records, enums and the rest, with types as C spells them, for `JSON.stringify`.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { dump, parse } from "@ggml/deno/lexer";
 *
 * const read = (path: string) => path === "a.h" ? "typedef struct { int x; } P; P *next(const P *);" : undefined;
 * const { functions } = dump(parse(["a.h"], { read }).model);
 * assertEquals(functions[0].result, "P *");
 * assertEquals(functions[0].parameters, [{ name: null, type: "const P *" }]);
 * ```
 */
export function dump(model: Model): Dump {
  const names = new Names(model);
  const text = (type: CType): string => printType(type, "", names.of);
  return {
    target: model.target,
    functions: model.functions.map(({ name, type, inline, file, line }) => ({
      name,
      result: text(type.result),
      parameters: type.parameters.map((p) => ({ name: p.name, type: text(p.type) })),
      variadic: type.variadic,
      inline,
      file,
      line,
    })),
    variables: model.variables.map(({ name, type, file, line }) => ({ name, type: text(type), file, line })),
    records: model.records.map(({ kind, name, size, align, fields, file, line }) => ({
      kind,
      name,
      size,
      align,
      fields: fields.map((field) => ({
        name: field.name,
        type: text(field.type),
        offset: field.offset,
        ...(field.bitWidth === undefined ? {} : { bitOffset: field.bitOffset, bitWidth: field.bitWidth }),
      })),
      file,
      line,
    })),
    enums: model.enums.map(({ name, type, values }) => ({
      name,
      type: text(type),
      values: values.map(({ name, value }) => ({ name, value: integer(value) })),
    })),
    typedefs: model.typedefs.map(({ name, type }) => ({ name, type: text(type) })),
    constants: model.constants.map(({ name, kind, value }) => ({
      name,
      kind,
      value: typeof value === "bigint" ? integer(value) : value,
    })),
    skipped: model.skipped.map(({ name, reason, file, line }) => ({ name, reason, file, line })),
  };
}

/** Prints a dump with one declaration a line. */
export function stringify(dump: Dump): string {
  const parts: string[] = [];
  for (const [key, value] of Object.entries(dump)) {
    if (!Array.isArray(value)) parts.push(`  ${JSON.stringify(key)}: ${JSON.stringify(value)}`);
    else if (value.length === 0) parts.push(`  ${JSON.stringify(key)}: []`);
    else parts.push(`  ${JSON.stringify(key)}: [\n    ${value.map((item) => JSON.stringify(item)).join(",\n    ")}\n  ]`);
  }
  return `{\n${parts.join(",\n")}\n}\n`;
}

function integer(value: bigint): number | string {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : String(value);
}

/**
 * C text for records and enums without a tag: the typedef that names them, or `__typeof__` of a place that has the type. Where there is no
 * such place (a member without a name), the definition itself.
 */
class Names {
  readonly #places = new Map<RecordDeclaration | EnumDeclaration, string>();
  readonly #owners = new Map<RecordDeclaration | EnumDeclaration, { owner: RecordDeclaration; path: string }>();

  constructor(model: Model) {
    for (const record of model.records) {
      for (const field of record.fields) {
        if (field.name === null || field.bitWidth !== undefined) continue;
        const found = tagless(field.type, field.name);
        if (found !== null && !this.#owners.has(found.declaration)) {
          this.#owners.set(found.declaration, { owner: record, path: found.path });
        }
      }
    }
    for (const { name, type } of model.typedefs) this.#place(type, `(*(${name} *)0)`);
    for (const { name, type } of model.variables) this.#place(type, name);
    for (const record of model.records) {
      for (const field of record.fields) {
        // Members of an anonymous member are reached through the record around it.
        if (field.name === null && field.type.kind === "record") this.#around.set(field.type.record, record);
      }
    }
  }

  readonly #around = new Map<RecordDeclaration, RecordDeclaration>();

  readonly of = (declaration: RecordDeclaration | EnumDeclaration): string | null => {
    if (declaration.alias !== null) return declaration.alias;
    const known = this.#places.get(declaration);
    if (known !== undefined) return known;
    const owned = this.#owners.get(declaration);
    if (owned === undefined) return null;
    let { owner } = owned;
    for (let around = this.#around.get(owner); around !== undefined; around = this.#around.get(owner)) owner = around;
    const outer = owner.name !== null ? `${owner.kind} ${owner.name}` : this.of(owner);
    if (outer === null) return null;
    const text = `__typeof__(${owned.path.replace("@", () => `((${outer} *)0)->`)})`;
    this.#places.set(declaration, text);
    return text;
  };

  #place(type: CType, expression: string): void {
    const found = tagless(type, expression);
    if (found !== null && !this.#places.has(found.declaration)) {
      this.#places.set(found.declaration, `__typeof__(${found.path.replace("@", "")})`);
    }
  }
}

/** The tagless record or enum inside a type, and the expression that has it, where `place` is an expression of the whole type. */
function tagless(type: CType, place: string): { declaration: RecordDeclaration | EnumDeclaration; path: string } | null {
  let path = `@${place}`;
  for (;;) {
    switch (type.kind) {
      case "pointer":
        path = `*${path}`;
        type = type.to;
        continue;
      case "array":
        path = path.startsWith("*") ? `(${path})[0]` : `${path}[0]`;
        type = type.of;
        continue;
      case "record":
        return type.record.name === null && type.record.alias === null ? { declaration: type.record, path } : null;
      case "enum":
        return type.enum.name === null && type.enum.alias === null ? { declaration: type.enum, path } : null;
      default:
        return null;
    }
  }
}
