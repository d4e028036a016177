/**
 * What is fuzzed, as the headers declare it: every function of `lib` that builds a tensor, and functions of other kinds by a pattern of names.
 *
 * A builder takes a `ggml_context`, returns a `ggml_tensor` and never null. None is listed here by name.
 *
 * @module
 */

import type { BoundEnum } from "../../lexer/emit/api/api.ts";
import { selectApi } from "../../lexer/emit/api/select.ts";
import { parse } from "../../lexer/mod.ts";
import { headers } from "../lexer/headers.ts";

/** A parameter, and what it takes. */
export interface Parameter {
  readonly name: string;
  /** The kind of its crossing, or "enum". */
  readonly kind: "handle" | "int" | "enum" | "float" | "bool" | "data" | "pointers" | "callback" | "string" | "struct" | "void";
  /** The class of a handle, a struct, a callback or the items of an array, the name of an enum, the typed array of data. */
  readonly of: string | null;
  readonly bits: number;
  readonly nullable: boolean;
}

/** A function that builds a tensor. */
export interface Builder {
  readonly name: string;
  readonly parameters: readonly Parameter[];
}

/** Any function. */
export interface Callable extends Builder {
  /** The class of the handle or struct that it gives; null for anything else. */
  readonly gives: string | null;
}

/** Functions, and the values of the enums that they take. */
export interface Callables {
  readonly functions: readonly Callable[];
  /** Names of enumerators by the enum's name. */
  readonly enums: Readonly<Record<string, readonly string[]>>;
}

/** The builders, and the values of the enums that they take. */
export interface Catalogue {
  readonly builders: readonly Builder[];
  /** Names of enumerators by the enum's name. */
  readonly enums: Readonly<Record<string, readonly string[]>>;
}

/** Reads the catalogue from ggml's headers. */
export async function catalogue(): Promise<Catalogue> {
  const { functions, enums } = selectApi(await model());
  const builders = functions.filter(isBuilder).map(({ name, parameters }): Builder => ({ name, parameters: parameters.map(parameter) }));
  return { builders, enums: enumsOf(builders, enums) };
}

function isBuilder({ result, resultNullable, parameters }: Bound): boolean {
  return result.kind === "handle" && result.name === "ggml_tensor" && !resultNullable &&
    parameters.some(({ crossing }) => crossing.kind === "handle" && crossing.name === "ggml_context");
}

type Bound = ReturnType<typeof selectApi>["functions"][number];

/** The functions whose names match, but for `except`; with those that build a tensor, or without. */
export async function callables(names: RegExp, except: RegExp, withBuilders: boolean): Promise<Callables> {
  const { functions, enums } = selectApi(await model());
  const chosen = functions.filter((one) => names.test(one.name) && !except.test(one.name) && (withBuilders || !isBuilder(one)));
  const found = chosen.map(({ name, parameters, result }): Callable => ({
    name,
    parameters: parameters.map(parameter),
    gives: result.kind === "handle" || result.kind === "struct" ? result.name : null,
  }));
  return { functions: found, enums: enumsOf(found, enums) };
}

/** The enums that functions take. */
function enumsOf(functions: readonly Builder[], enums: readonly BoundEnum[]): Record<string, string[]> {
  const used = new Set(functions.flatMap(({ parameters }) => parameters.filter(({ kind }) => kind === "enum").map(({ of }) => of)));
  return Object.fromEntries(enums.filter(({ name }) => used.has(name)).map(enumerators));
}

async function model() {
  const tree = await headers();
  const api = decodeURIComponent(new URL("../../lexer/ggml/api.h", import.meta.url).pathname);
  const read = (path: string) => {
    try {
      return Deno.readTextFileSync(path);
    } catch {
      return undefined;
    }
  };
  return parse([api], { include: [`${tree}/ggml/include`, `${tree}/include`], target: "x86_64-linux", read }).model;
}

function parameter({ name, crossing, nullable }: Bound["parameters"][number]): Parameter {
  const bits = crossing.kind === "int" || crossing.kind === "float" ? crossing.bits : 0;
  switch (crossing.kind) {
    case "int":
      return { name, kind: crossing.name === null ? "int" : "enum", of: crossing.name, bits, nullable };
    case "data":
      return { name, kind: "data", of: crossing.array, bits, nullable };
    case "pointers":
      return { name, kind: "pointers", of: crossing.item, bits, nullable };
    case "handle":
    case "struct":
    case "callback":
      return { name, kind: crossing.kind, of: crossing.name, bits, nullable };
    default:
      return { name, kind: crossing.kind, of: null, bits, nullable };
  }
}

function enumerators({ name, declaration }: BoundEnum): [string, string[]] {
  return [name!, declaration.values.map((value) => value.name)];
}
