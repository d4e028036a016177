/**
 * The pragmas of an API file: what C's types don't say of its pointers.
 *
 * `#pragma nullable f(x, return)`, `#pragma keeps f(x, y)` and `#pragma calls f()`; see `api.h`. A parameter without a name is given by its index from 0.
 *
 * @module
 */

import type { FunctionDeclaration, Model, Skipped } from "../model.ts";

/** What the pragmas say of one function. */
export interface Annotation {
  /** Parameters that may be null, and "return". */
  readonly nullable: Set<string>;
  /** Pairs of parameters: the first keeps the second. */
  readonly keeps: (readonly [string, string])[];
  /** True where C may run callbacks before it returns. */
  calls: boolean;
}

/** What the pragmas say, by function, and those that say nothing that can be used. */
export interface Annotations {
  readonly byFunction: ReadonlyMap<string, Annotation>;
  readonly skipped: readonly Skipped[];
}

/** Reads the pragmas of a model's API file. */
export function readAnnotations({ pragmas, functions }: Model): Annotations {
  const byFunction = new Map<string, Annotation>();
  const skipped: Skipped[] = [];
  const declared = new Map(functions.map((declaration) => [declaration.name, declaration]));
  for (const pragma of pragmas) {
    const parsed = /^(nullable|keeps|calls) (\w+) ?\( ?([\w ,]*?) ?\)$/.exec(pragma.text);
    if (parsed === null) {
      skipped.push({
        ...pragma,
        name: `#pragma ${pragma.text}`,
        reason: "not a pragma of this generator: expected nullable f(…), keeps f(…) or calls f()",
      });
      continue;
    }
    const [, verb, name, list] = parsed;
    const declaration = declared.get(name);
    if (declaration === undefined) continue; // of another release
    const names = list.split(",").map((item) => item.trim()).filter((item) => item !== "");
    const unknown = names.filter((item) => !(verb === "nullable" && item === "return") && findParameter(declaration, item) < 0);
    if (unknown.length > 0 || (verb === "keeps" && names.length !== 2)) {
      const reason = unknown.length > 0 ? `${name} has no parameter ${unknown.join(", ")}` : "expected two parameters";
      skipped.push({ ...pragma, name: `#pragma ${pragma.text}`, reason });
      continue;
    }
    const annotation = byFunction.get(name) ?? { nullable: new Set(), keeps: [], calls: false };
    byFunction.set(name, annotation);
    if (verb === "keeps") annotation.keeps.push([names[0], names[1]]);
    else if (verb === "calls") annotation.calls = true;
    else names.forEach((item) => annotation.nullable.add(item));
  }
  return { byFunction, skipped };
}

/** The index of a parameter by its name or, where it has none, its number; -1 if there is no such parameter. */
export function findParameter({ type }: FunctionDeclaration, name: string): number {
  const index = type.parameters.findIndex((parameter) => parameter.name === name);
  if (index >= 0) return index;
  return /^\d+$/.test(name) && type.parameters[Number(name)]?.name === null ? Number(name) : -1;
}
