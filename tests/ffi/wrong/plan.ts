/**
 * What each function takes, worked out from the headers anew and without the generator's help, so that the two can disagree.
 *
 * @module
 */

import { type CType, type FunctionDeclaration, type Model, parse } from "@ggml/deno/lexer";
import { headers } from "../../lexer/headers.ts";

/** What a parameter takes. */
export type Kind =
  | { readonly kind: "bool" | "float" | "string" | "anything" }
  | { readonly kind: "int"; readonly bits: number; readonly signed: boolean }
  /** `values` are those that exist. */
  | { readonly kind: "enum"; readonly values: readonly number[] }
  /** A pointer to an object of a class, an object by value, a function pointer. */
  | { readonly kind: "handle" | "struct" | "callback"; readonly name: string }
  /** Numbers of so many bytes, 0 for `void`. */
  | { readonly kind: "data"; readonly width: number }
  /** Pointers: to objects of a class, to strings, to anything. */
  | { readonly kind: "pointers"; readonly name: string | null };

/** A parameter. */
export interface Taken {
  readonly name: string;
  readonly type: Kind;
  readonly nullable: boolean;
  readonly nullableItems: boolean;
  /** Whether a pragma or the header says how long its memory must be. */
  readonly length: boolean;
}

/** A function, and what it takes. */
export interface Plan {
  readonly name: string;
  readonly header: string;
  readonly parameters: readonly Taken[];
}

/** Every function that `lexer/ggml/api.h` has bound, and what the fields of its structs take. */
export async function plan(): Promise<{ functions: Plan[]; structs: Plan[] }> {
  const model = await readApi();
  const pragmas = model.pragmas.map(({ text }) => text);
  const nullable = new Map<string, string[]>();
  for (const text of pragmas) {
    const [, name, list] = /^nullable (\w+) ?\((.*)\)$/.exec(text) ?? [];
    if (name !== undefined) nullable.set(name, [...nullable.get(name) ?? [], ...list.split(",").map((item) => item.replaceAll(" ", ""))]);
  }
  const kinds = new Kinds(model);
  const lengths = new Set(pragmas.flatMap((text) => {
    const [, name, parameter] = /^length (\w+) ?\( ?(\w+)/.exec(text) ?? [];
    return name === undefined ? [] : [`${name}(${parameter})`];
  }));
  const own = model.functions.filter(({ system, inline }) => !system && !inline);
  return {
    functions: own.map((declaration) => functionPlan(declaration, kinds, nullable.get(declaration.name) ?? [], lengths)),
    structs: structPlans(model, kinds, nullable),
  };
}

function functionPlan(
  { name, type, header }: FunctionDeclaration,
  kinds: Kinds,
  nullable: readonly string[],
  lengths: ReadonlySet<string>,
): Plan {
  const parameters = type.parameters.map((parameter, i): Taken => ({
    name: parameter.name ?? `arg${i}`,
    type: kinds.of(parameter.type),
    nullable: nullable.includes(parameter.name ?? String(i)),
    nullableItems: nullable.includes(`${parameter.name ?? i}[]`),
    length: parameter.length !== undefined || lengths.has(`${name}(${parameter.name ?? i})`),
  }));
  return { name, header, parameters };
}

function structPlans({ records, functions }: Model, kinds: Kinds, nullable: ReadonlyMap<string, readonly string[]>): Plan[] {
  return records.filter(({ system, name, size }) => !system && name !== null && size !== null).map(({ name, fields, header }) => ({
    header,
    name: functions.some((declaration) => declaration.name === name) ? `${name}_struct` : name!,
    // An enum that may be none of its values takes one number more.
    parameters: fields.filter((field) =>
      field.name !== null && field.bitWidth === undefined && nullable.get(name!)?.includes(field.name) !== true
    ).map((
      { name, type },
    ) => ({
      name: name!,
      type: kinds.of(type, true),
      nullable: true,
      nullableItems: true,
      length: false,
    })),
  }));
}

async function readApi(): Promise<Model> {
  const tree = await headers();
  const read = (path: string) => {
    try {
      return Deno.readTextFileSync(path);
    } catch {
      return undefined;
    }
  };
  const api = new URL("../../../lexer/ggml/api.h", import.meta.url).pathname;
  const { model } = parse([api], { include: [`${tree}/ggml/include`, `${tree}/include`], read, target: "x86_64-linux" });
  return model;
}

const WIDTHS: Readonly<Record<string, number>> = { char: 1, short: 2, int: 4, float: 4, long: 8, double: 8, "long long": 8 };

class Kinds {
  readonly #functions: ReadonlySet<string>;

  constructor({ functions }: Model) {
    this.#functions = new Set(functions.map(({ name }) => name));
  }

  /** What a parameter of a type takes; a field that is an array takes "anything" here. */
  of(type: CType, field = false): Kind {
    if (type.kind === "typedef") return this.#callback(type.typedef.name, type.typedef.type) ?? this.of(type.typedef.type, field);
    switch (type.kind) {
      case "basic":
        return this.#basic(type.name);
      case "enum": {
        const { values } = type.enum;
        const real = values.filter(({ name }, i) => i === 0 || i < values.length - 1 || !name.endsWith("_COUNT"));
        return { kind: "enum", values: real.map(({ value }) => Number(value)) };
      }
      case "record":
        return this.#className(type.record) === "" ? { kind: "anything" } : { kind: "struct", name: this.#className(type.record) };
      case "array":
        return field ? { kind: "anything" } : this.#pointer(type.of);
      case "pointer":
        return this.#pointer(type.to);
      default:
        return { kind: "anything" };
    }
  }

  #basic(name: string): Kind {
    if (name === "_Bool") return { kind: "bool" };
    if (name === "float" || name === "double") return { kind: "float" };
    return { kind: "int", bits: 8 * width(name), signed: !name.startsWith("unsigned") };
  }

  #callback(name: string, type: CType): Kind | null {
    return type.kind === "function" || (type.kind === "pointer" && type.to.kind === "function") ? { kind: "callback", name } : null;
  }

  #className({ name, alias }: { readonly name: string | null; readonly alias: string | null }): string {
    const own = name ?? alias ?? "";
    return this.#functions.has(own) ? `${own}_struct` : own;
  }

  #pointer(to: CType): Kind {
    if (to.kind === "typedef") {
      const callback = this.#callback(to.typedef.name, to.typedef.type);
      if (callback?.kind === "callback") return to.typedef.type.kind === "function" ? callback : { kind: "pointers", name: callback.name };
      return this.#pointer(to.typedef.type.kind === "typedef" || !to.const ? to.typedef.type : { ...to.typedef.type, const: true });
    }
    switch (to.kind) {
      case "record": // one of a system header has no class
        return to.record.system ? { kind: "data", width: 0 } : { kind: "handle", name: this.#className(to.record) };
      case "basic":
        if (to.name === "char" && to.const) return { kind: "string" };
        return { kind: "data", width: to.name === "void" ? 0 : to.name === "_Bool" ? 1 : width(to.name) };
      case "enum":
        return { kind: "data", width: 4 };
      case "pointer": {
        const item = this.#pointer(to.to);
        return { kind: "pointers", name: item.kind === "handle" ? item.name : item.kind === "string" ? "string" : null };
      }
      default:
        return { kind: "anything" };
    }
  }
}

function width(name: string): number {
  return WIDTHS[name.replace(/^(un)?signed /, "")] ?? 0;
}
