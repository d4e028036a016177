/**
 * The pragmas of an API file: what C's types don't say of its pointers.
 *
 * `#pragma verb f(x, y)`; the verbs are explained in `api.h`. A parameter without a name is given by its index from 0.
 *
 * @module
 */

import type { FunctionDeclaration, Model, Skipped } from "../model.ts";
import { resolve } from "../types.ts";

/** What the pragmas say of one function: names of parameters, of their fields (`params.ctx`), of functions, and "return". */
export interface Annotation {
  /** Parameters that may be null, and "return". */
  readonly nullable: Set<string>;
  /** The first points to the second after the call. */
  readonly keeps: (readonly [string, string])[];
  /** The same, in place of what the first was given before by this function for the same value of the third. */
  readonly sets: (readonly [string, string, string?])[];
  /** Memory of the second goes to the tensors of the first. */
  readonly places: (readonly [string, string])[];
  /** The object whose memory may move: the tensors that it was given to have none after it. */
  readonly moves: Set<string>;
  /** "return" if what is returned is valid until a function that `passes` names is called. */
  readonly passing: Set<string>;
  /** The object of which what was `passing` ends before the call. */
  readonly passes: Set<string>;
  /** Parameters that are only looked at during the call. */
  readonly reads: Set<string>;
  /** "return" if what is returned is somebody else's to free. */
  readonly borrows: Set<string>;
  /** "return" if what is returned is never freed. */
  readonly lasts: Set<string>;
  /** The parameter that C owns after the call. */
  readonly takes: Set<string>;
  /** The parameter of which the result is a copy. */
  readonly inherits: Set<string>;
  /** Fields that point to where C writes a pointer to what it made for the caller. */
  readonly gives: Set<string>;
  /** The parameter that is freed, and the function that made it. */
  readonly frees: (readonly [string, string])[];
  /** The object whose memory is cleared. */
  readonly clears: Set<string>;
  /** The functions whose `keeps` this one undoes. */
  readonly forgets: Set<string>;
  /** An object that points to freed memory after the call, and the function that makes it forget that. */
  readonly leaves: (readonly [string, string])[];
  /** An object that points into the result, and the function that makes it forget that when the result is freed. */
  readonly lends: (readonly [string, string])[];
  /** An object that no longer points to what the functions gave it which the named one undoes, and neither do the objects it keeps. */
  readonly displaces: (readonly [string, string])[];
}

/** What the pragmas say, by function, and those that say nothing that can be used. */
export interface Annotations {
  readonly byFunction: ReadonlyMap<string, Annotation>;
  readonly skipped: readonly Skipped[];
}

/** What a verb's list may hold at each place: a parameter or a field of one (`x`), what is returned (`return`), a function (`f`). */
interface Verb {
  readonly items: readonly string[];
  /** How many there are; null for any number of the first. */
  readonly count: readonly number[] | null;
}

const VERBS: Readonly<Record<keyof Annotation, Verb>> = {
  nullable: { items: ["x return"], count: null },
  keeps: { items: ["x", "x return"], count: [2] },
  sets: { items: ["x", "x", "x"], count: [2, 3] },
  places: { items: ["x", "x"], count: [2] },
  moves: { items: ["x"], count: [1] },
  passing: { items: ["return"], count: [1] },
  passes: { items: ["x"], count: [1] },
  reads: { items: ["x"], count: null },
  borrows: { items: ["return"], count: [1] },
  lasts: { items: ["return"], count: [1] },
  takes: { items: ["x"], count: [1] },
  inherits: { items: ["x"], count: [1] },
  gives: { items: ["x"], count: [1] },
  frees: { items: ["x", "f"], count: [2] },
  clears: { items: ["x"], count: [1] },
  forgets: { items: ["f"], count: null },
  leaves: { items: ["x", "f"], count: [2] },
  lends: { items: ["x", "f"], count: [2] },
  displaces: { items: ["x", "f"], count: [2] },
};

/** What is said of a function that no pragma names. */
export function noAnnotation(): Annotation {
  return {
    nullable: new Set(),
    keeps: [],
    sets: [],
    places: [],
    moves: new Set(),
    passing: new Set(),
    passes: new Set(),
    reads: new Set(),
    borrows: new Set(),
    lasts: new Set(),
    takes: new Set(),
    inherits: new Set(),
    gives: new Set(),
    frees: [],
    clears: new Set(),
    forgets: new Set(),
    leaves: [],
    lends: [],
    displaces: [],
  };
}

/** Reads the pragmas of a model's API file. */
export function readAnnotations({ pragmas, functions }: Model): Annotations {
  const byFunction = new Map<string, Annotation>();
  const skipped: Skipped[] = [];
  const declared = new Map(functions.map((declaration) => [declaration.name, declaration]));
  for (const pragma of pragmas) {
    const skip = (reason: string) => skipped.push({ ...pragma, name: `#pragma ${pragma.text}`, reason });
    const parsed = /^(\w+) (\w+) ?\( ?([\w ,.]*?) ?\)$/.exec(pragma.text);
    if (parsed === null || !(parsed[1] in VERBS)) {
      skip(`not a pragma of this generator: expected ${Object.keys(VERBS).join(", ")} and a function, f(…)`);
      continue;
    }
    const [, verb, name, list] = parsed;
    const declaration = declared.get(name);
    if (declaration === undefined) continue; // of another release
    const items = list.split(",").map((item) => item.replaceAll(" ", "")).filter((item) => item !== "");
    const reason = whyNot(declaration, items, VERBS[verb as keyof Annotation], declared);
    if (reason === OTHER_RELEASE) continue;
    if (reason !== null) {
      skip(reason);
      continue;
    }
    const annotation = byFunction.get(name) ?? noAnnotation();
    byFunction.set(name, annotation);
    const said = annotation[verb as keyof Annotation];
    if (said instanceof Set) items.forEach((item) => said.add(item));
    else (said as (readonly string[])[]).push(items);
  }
  return { byFunction, skipped };
}

/** For a pragma that names a function of another release. */
const OTHER_RELEASE = "";

/** What is wrong with a pragma's list; null if nothing is. */
function whyNot(
  declaration: FunctionDeclaration,
  items: readonly string[],
  { items: kinds, count }: Verb,
  declared: ReadonlyMap<string, FunctionDeclaration>,
): string | null {
  const kindOf = (i: number) => kinds[count === null ? 0 : i] ?? "";
  const unknown = items.filter((item, i) => {
    if (item === "return" && kindOf(i).includes("return")) return false;
    return !kindOf(i).includes("f") && !(kindOf(i).includes("x") && isPath(declaration, item));
  });
  if (unknown.length > 0) return `${declaration.name} has no parameter ${unknown.join(", ")}`;
  if (count !== null && !count.includes(items.length)) return `expected ${["no", "one", "two", "three"][count[0]]} parameters`;
  return items.some((item, i) => kindOf(i) === "f" && !declared.has(item)) && count !== null ? OTHER_RELEASE : null;
}

/** True for a parameter, or a field of one. */
function isPath(declaration: FunctionDeclaration, path: string): boolean {
  const [name, field] = path.split(".");
  const index = findParameter(declaration, name);
  if (index < 0 || field === undefined) return index >= 0;
  const type = resolve(declaration.type.parameters[index].type);
  const record = type.kind === "pointer" ? resolve(type.to) : type;
  return record.kind === "record" && record.record.fields.some((candidate) => candidate.name === field);
}

/** The index of a parameter by its name or, where it has none, its number; -1 if there is no such parameter. */
export function findParameter({ type }: FunctionDeclaration, name: string): number {
  const index = type.parameters.findIndex((parameter) => parameter.name === name);
  if (index >= 0) return index;
  return /^\d+$/.test(name) && type.parameters[Number(name)]?.name === null ? Number(name) : -1;
}
