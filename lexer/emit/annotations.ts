/**
 * The pragmas of an API file: what C's types don't say.
 *
 * `#pragma nullable f(x, items[], return)`, `keeps f(x, y)`, `length f(x: n)`, `guard f`, `flags e`, `count f(x)` and `calls f`; see `api.h`. A parameter
 * without a name is given by its index from 0.
 *
 * @module
 */

import type { FunctionDeclaration, Model, Pragma, Skipped } from "../model.ts";

/** What the pragmas say of one function, or of one struct's fields. */
export interface Annotation {
  /** Parameters that may be null, "return", and `x[]` for parameters whose items may be. */
  readonly nullable: Set<string>;
  /** Pairs of parameters: the first keeps the second. */
  readonly keeps: (readonly [string, string])[];
  /** How many elements C reads or writes, by parameter: a C expression, and the pragma that it stands in. */
  readonly lengths: Map<string, { readonly expression: string; readonly pragma: Pragma }>;
  /** Parameters or fields that take the number of their enum's values too. */
  readonly counts: Set<string>;
  /** True where a guard written by hand comes before the call. */
  guarded: boolean;
  /** True where C may run callbacks before it returns. */
  calls: boolean;
}

/** What the pragmas say, by function or struct, and those that say nothing that can be used. */
export interface Annotations {
  readonly byName: ReadonlyMap<string, Annotation>;
  /** Enums whose values are or'ed. */
  readonly flags: ReadonlySet<string>;
  readonly skipped: readonly Skipped[];
}

const FORMS = "nullable f(…), keeps f(…), length f(x: …), guard f, flags e, count f(…) or calls f";

/** Reads the pragmas of a model's API file. */
export function readAnnotations(model: Model): Annotations {
  const reader = new Reader(model);
  for (const pragma of model.pragmas) {
    const reason = reader.read(pragma);
    if (reason !== null) reader.skipped.push({ ...pragma, name: `#pragma ${pragma.text}`, reason });
  }
  return reader;
}

class Reader implements Annotations {
  readonly byName = new Map<string, Annotation>();
  readonly flags = new Set<string>();
  readonly skipped: Skipped[] = [];
  readonly #functions: ReadonlyMap<string, FunctionDeclaration>;
  /** The fields of each struct. */
  readonly #fields: ReadonlyMap<string, readonly (string | null)[]>;

  constructor({ functions, records }: Model) {
    this.#functions = new Map(functions.map((declaration) => [declaration.name, declaration]));
    this.#fields = new Map(records.map((record) => [record.name ?? "", record.fields.map((field) => field.name)]));
  }

  /** Takes a pragma in. Gives the reason if it can't, null if it did, or if it is about a function of another release. */
  read(pragma: Pragma): string | null {
    const [, verb, name, inside] = /^(\w+) (\w+) ?(?:\((.*)\))?$/.exec(pragma.text) ?? [];
    const list = (inside ?? "").split(",").map((item) => item.replaceAll(" ", "")).filter((item) => item !== "");
    if (verb === "flags" && inside === undefined) {
      this.flags.add(name);
      return null;
    }
    if (
      verb === "guard" || verb === "calls" ? inside !== undefined : inside === undefined || !/^(nullable|keeps|length|count)$/.test(verb)
    ) {
      return `not a pragma of this generator: expected ${FORMS}`;
    }
    switch (verb) {
      case "guard":
        return this.#annotate(name, [], (annotation) => annotation.guarded = true);
      case "calls":
        return this.#annotate(name, [], (annotation) => annotation.calls = true);
      case "length":
        return this.#length(name, inside, pragma);
      case "count":
        return this.#annotate(name, list, ({ counts }) => list.forEach((item) => counts.add(item)));
      case "keeps":
        if (list.length !== 2) return "expected two parameters";
        return this.#annotate(name, list, ({ keeps }) => keeps.push([list[0], list[1]]));
      default: {
        const parameters = list.filter((item) => item !== "return").map((item) => item.replace("[]", ""));
        return this.#annotate(name, parameters, ({ nullable }) => list.forEach((item) => nullable.add(item)));
      }
    }
  }

  #length(name: string, inside: string, pragma: Pragma): string | null {
    const colon = inside.indexOf(":");
    if (colon < 0) return "expected a parameter, a colon and its number of elements";
    const parameter = inside.slice(0, colon).trim();
    const expression = inside.slice(colon + 1).trim();
    return this.#annotate(name, [parameter], ({ lengths }) => lengths.set(parameter, { expression, pragma }));
  }

  /** Changes what is known of a function or struct if it has such parameters or fields. */
  #annotate(name: string, members: readonly string[], change: (annotation: Annotation) => void): string | null {
    const declaration = this.#functions.get(name), fields = this.#fields.get(name);
    if (declaration === undefined && fields === undefined) return null;
    const unknown = members.filter((item) => declaration === undefined ? !fields!.includes(item) : findParameter(declaration, item) < 0);
    if (unknown.length > 0) return `${name} has no ${declaration === undefined ? "field" : "parameter"} ${unknown.join(", ")}`;
    let annotation = this.byName.get(name);
    if (annotation === undefined) {
      annotation = { nullable: new Set(), keeps: [], lengths: new Map(), counts: new Set(), guarded: false, calls: false };
      this.byName.set(name, annotation);
    }
    change(annotation);
    return null;
  }
}

/** The index of a parameter by its name or, where it has none, its number; -1 if there is no such parameter. */
export function findParameter({ type }: FunctionDeclaration, name: string): number {
  const index = type.parameters.findIndex((parameter) => parameter.name === name);
  if (index >= 0) return index;
  return /^\d+$/.test(name) && type.parameters[Number(name)]?.name === null ? Number(name) : -1;
}
