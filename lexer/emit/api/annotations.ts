/**
 * The pragmas of an API file: what C's types don't say.
 *
 * `#pragma verb f(x, y)`; the verbs are explained in `api.h`. A parameter without a name is given by its index from 0.
 *
 * @module
 */

import type { CType, FunctionDeclaration, Model, Pragma, RecordDeclaration, Skipped } from "../../model/model.ts";
import { isVoid, resolve } from "../../model/types.ts";

/**
 * What the pragmas say of one function, or of one struct's fields: names of parameters, of their fields (`params.ctx`), of functions, and "return".
 * One verb may say several of these, by what it is said of: {@linkcode MEANINGS}.
 */
export interface Annotation {
  /** Parameters that may be null, "return", and `x[]` for parameters whose items may be; those that may be the number of their enum's values. */
  readonly nullable: Set<string>;
  /** The first points to the second after the call. */
  readonly keeps: (readonly [string, string])[];
  /** The first points to the second after the call, and no more to what this function gave it before for the same value of the third. */
  readonly sets: (readonly [string, string, string?])[];
  /** Memory of the first goes to the tensors of the second; where there is no second, those that have it lose it. */
  readonly places: (readonly [string, string?])[];
  /** "return" if what is returned is valid until a function that `passes` names is called. */
  readonly passing: Set<string>;
  /** The object of which what was `passing` ends before the call. */
  readonly passes: Set<string>;
  /** Parameters that are only looked at during the call. */
  readonly reads: Set<string>;
  /** "return" if what is returned is somebody else's to free. */
  readonly borrows: Set<string>;
  /** The parameter that C owns after the call. */
  readonly takes: Set<string>;
  /** The parameter of which the result is a copy. */
  readonly inherits: Set<string>;
  /** Fields that point to where C writes a pointer to what it made for the caller. */
  readonly gives: Set<string>;
  /** The parameter that is freed, and the function that made it. */
  readonly frees: (readonly [string, string])[];
  /** The only parameter, which is freed though the function's name or result doesn't say so. */
  readonly ends: Set<string>;
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
  /** How many elements C reads or writes, by parameter: a C expression, and the pragma that it stands in. */
  readonly lengths: Map<string, { readonly expression: string; readonly pragma: Pragma }>;
  /** True where a check written by hand comes before the call. */
  checked: boolean;
  /** True where C may run callbacks before it returns. */
  calls: boolean;
}

/** What is said by lists of names. */
type Listed = Exclude<keyof Annotation, "lengths" | "checked" | "calls">;

/** What the pragmas say, by function or struct, and those that say nothing that can be used. */
export interface Annotations {
  readonly byName: ReadonlyMap<string, Annotation>;
  /** Pragmas about what these headers don't declare: another release's may. */
  readonly elsewhere: readonly Skipped[];
  readonly skipped: readonly Skipped[];
}

/** What a verb's list may hold at each place: a parameter, a field of one or of a struct (`x`), what is returned (`return`), a function (`f`). */
interface Verb {
  readonly items: readonly string[];
  /** How many there are; null for any number of the first. */
  readonly count: readonly number[] | null;
}

const VERBS: Readonly<Record<string, Verb>> = {
  nullable: { items: ["x return"], count: null },
  keeps: { items: ["x", "x return"], count: [2] },
  sets: { items: ["x", "x", "x"], count: [2, 3] },
  places: { items: ["x", "x"], count: [1, 2] },
  passing: { items: ["return"], count: [1] },
  passes: { items: ["x"], count: [1] },
  reads: { items: ["x return"], count: null },
  borrows: { items: ["return"], count: [1] },
  takes: { items: ["x", "f"], count: [1, 2] },
  gives: { items: ["x"], count: [1] },
  forgets: { items: ["f"], count: null },
};

/** What a verb says where its list is of a certain kind, and of which names; elsewhere it says what it is called. */
const MEANINGS: Readonly<Record<string, (items: readonly string[]) => [Listed, readonly string[]] | null>> = {
  takes: (items) => items.length === 2 ? ["frees", items] : null,
  passes: ([item]) => item.endsWith("[]") ? ["clears", [item.slice(0, -2)]] : null,
  reads: (items) => items.includes("return") ? ["inherits", items.filter((item) => item !== "return")] : null,
};

/** What is said of a function before any pragma is read. */
function noAnnotation(): Annotation {
  return {
    nullable: new Set(),
    keeps: [],
    sets: [],
    places: [],
    passing: new Set(),
    passes: new Set(),
    reads: new Set(),
    borrows: new Set(),
    takes: new Set(),
    inherits: new Set(),
    gives: new Set(),
    frees: [],
    ends: new Set(),
    clears: new Set(),
    forgets: new Set(),
    leaves: [],
    lends: [],
    displaces: [],
    lengths: new Map(),
    checked: false,
    calls: false,
  };
}

/** What is said of each function that no pragma names. */
export const NO_ANNOTATION: Annotation = noAnnotation();

/** Reads the pragmas of a model's API file. */
export function readAnnotations(model: Model): Annotations {
  const reader = new Reader(model);
  for (const pragma of model.pragmas) {
    const reason = reader.read(pragma);
    if (reason === null) continue;
    const list = reason.startsWith(NOT_DECLARED) ? reader.elsewhere : reader.skipped;
    list.push({ ...pragma, name: `#pragma ${pragma.text}`, reason });
  }
  reader.settle();
  return reader;
}

class Reader implements Annotations {
  readonly byName: Map<string, Annotation> = new Map();
  readonly elsewhere: Skipped[] = [];
  readonly skipped: Skipped[] = [];
  readonly #functions: ReadonlyMap<string, FunctionDeclaration>;
  readonly #records: ReadonlyMap<string, RecordDeclaration>;

  constructor({ functions, records }: Model) {
    this.#functions = new Map(functions.map((declaration) => [declaration.name, declaration]));
    this.#records = new Map(records.map((record) => [record.name ?? "", record]));
  }

  /** Takes a pragma in. Gives the reason if it can't, null if it did. */
  read(pragma: Pragma): string | null {
    const [, verb, name, inside] = /^(\w+) (\w+) ?(?:\((.*)\))?$/.exec(pragma.text) ?? [];
    if (verb === "check" && inside === undefined) return this.#annotate(name, (annotation) => annotation.checked = true);
    if (verb === "calls" && inside === undefined) return this.#annotate(name, (annotation) => annotation.calls = true);
    if (verb === "length" && inside !== undefined) return this.#length(name, inside, pragma);
    if (verb === undefined || inside === undefined || !(verb in VERBS)) {
      const known = `${Object.keys(VERBS).join(", ")} and a function, f(…); length f(x: …); check f; calls f`;
      return `not a pragma of this generator: expected ${known}`;
    }
    const items = inside.split(",").map((item) => item.replaceAll(" ", "")).filter((item) => item !== "");
    if (!this.#isKnown(name)) return notDeclared(name);
    const reason = this.#whyNot(name, items, VERBS[verb]) ?? (verb === "takes" ? this.#whyNotTaken(name, items) : null);
    if (reason !== null) return reason;
    const alone = verb === "takes" && items.length === 1 && this.#functions.get(name)?.type.parameters.length === 1;
    const [meaning, names]: [Listed, readonly string[]] = alone ? ["ends", items] : MEANINGS[verb]?.(items) ?? [verb as Listed, items];
    return this.#annotate(name, (annotation) => {
      const said = annotation[meaning];
      if (said instanceof Set) names.forEach((item) => said.add(item));
      else (said as (readonly string[])[]).push(names);
    });
  }

  /** Works out what `forgets` says together with what is said of the functions that it names. */
  settle(): void {
    for (const [name, { forgets, displaces }] of this.byName) {
      for (const other of [...forgets]) {
        const said = this.byName.get(other);
        const made = said?.keeps.find(([, kept]) => kept === "return");
        if (said === undefined || made === undefined && said.forgets.size === 0) continue;
        forgets.delete(other);
        if (made === undefined) displaces.push([this.#functions.get(name)!.type.parameters[0].name ?? "0", other]);
        else {
          said.keeps.splice(said.keeps.indexOf(made), 1);
          const isFreed = isVoid(resolve(this.#functions.get(other)!.type.result));
          (isFreed ? said.leaves : said.lends).push([made[0], name]);
        }
      }
    }
  }

  #length(name: string, inside: string, pragma: Pragma): string | null {
    const colon = inside.indexOf(":");
    if (colon < 0) return "expected a parameter, a colon and its number of elements";
    const parameter = inside.slice(0, colon).trim(), expression = inside.slice(colon + 1).trim();
    if (this.#isKnown(name) && !this.#isPath(name, parameter)) return `${name} has no parameter ${parameter}`;
    return this.#annotate(name, ({ lengths }) => lengths.set(parameter, { expression, pragma }));
  }

  #isKnown(name: string): boolean {
    return this.#functions.has(name) || this.#records.has(name);
  }

  /** Changes what is known of a function or struct, if there is such a one. */
  #annotate(name: string, change: (annotation: Annotation) => void): string | null {
    if (!this.#isKnown(name)) return notDeclared(name);
    let annotation = this.byName.get(name);
    if (annotation === undefined) this.byName.set(name, annotation = noAnnotation());
    change(annotation);
    return null;
  }

  /** What is wrong with a pragma's list; null if nothing is. */
  #whyNot(name: string, items: readonly string[], { items: kinds, count }: Verb): string | null {
    const kindOf = (i: number) => kinds[count === null ? 0 : i] ?? "";
    const unknown = items.filter((item, i) => {
      if (item === "return" && kindOf(i).includes("return")) return false;
      return !kindOf(i).includes("f") && !(kindOf(i).includes("x") && this.#isPath(name, item.replace("[]", "")));
    });
    if (unknown.length > 0) return `${name} has no ${this.#functions.has(name) ? "parameter" : "field"} ${unknown.join(", ")}`;
    if (count !== null && !count.includes(items.length)) return `expected ${["no", "one", "two", "three"][count[0]]} parameters`;
    const other = count === null ? undefined : items.find((item, i) => kindOf(i) === "f" && !this.#functions.has(item));
    return other === undefined ? null : notDeclared(other);
  }

  /** Why what is said to be taken can't be: it needs a struct to be freed with, or a function that frees it alone. */
  #whyNotTaken(name: string, [item, ...creator]: readonly string[]): string | null {
    const declaration = this.#functions.get(name);
    if (creator.length > 0 || declaration === undefined) return null;
    const { parameters } = declaration.type, index = findParameter(declaration, item);
    const handles = parameters.filter(({ type }) => pointsToRecord(type));
    if (!pointsToRecord(parameters[index].type)) return `${name}(${item}) is no pointer to a struct`;
    return parameters.length === 1 || handles.length > 1 ? null : `${name} has no other struct that could take ${item}`;
  }

  /** True for a parameter, or a field of one, or a field of a struct. */
  #isPath(name: string, path: string): boolean {
    const declaration = this.#functions.get(name);
    if (declaration === undefined) return hasField(this.#records.get(name)!, path);
    const [parameter, field] = path.split(".");
    const index = findParameter(declaration, parameter);
    if (index < 0 || field === undefined) return index >= 0;
    const type = resolve(declaration.type.parameters[index].type);
    const record = type.kind === "pointer" ? resolve(type.to) : type;
    return record.kind === "record" && hasField(record.record, field);
  }
}

/** True for a pointer to a struct or union. */
function pointsToRecord(type: CType): boolean {
  const pointer = resolve(type);
  return pointer.kind === "pointer" && resolve(pointer.to).kind === "record";
}

const NOT_DECLARED = "these headers don't declare ";

/** Why a pragma says nothing here that is right for another release. */
function notDeclared(name: string): string {
  return NOT_DECLARED + name;
}

function hasField({ fields }: RecordDeclaration, name: string): boolean {
  return fields.some((field) => field.name === name);
}

/** The index of a parameter by its name or, where it has none, its number; -1 if there is no such parameter. */
function findParameter({ type }: FunctionDeclaration, name: string): number {
  const index = type.parameters.findIndex((parameter) => parameter.name === name);
  if (index >= 0) return index;
  return /^\d+$/.test(name) && type.parameters[Number(name)]?.name === null ? Number(name) : -1;
}
