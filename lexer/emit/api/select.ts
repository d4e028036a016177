/**
 * What of a model is bound: all of it less what isn't the caller's (system headers) and less what can't cross into TypeScript, with the reason.
 *
 * The writers write down what this decides and decide nothing themselves.
 *
 * @module
 */

import type {
  EnumDeclaration,
  EnumValue,
  FieldDeclaration,
  FunctionType,
  Model,
  Origin,
  RecordDeclaration,
  Skipped,
  TypedefDeclaration,
} from "../../model/model.ts";
import { type Annotations, readAnnotations } from "./annotations.ts";
import { Crossings, Unbindable } from "./crossing.ts";
import type { Known } from "./lengths.ts";
import { fieldNames, localName, Names } from "./names.ts";
import type { Api, BoundCallback, BoundEnum, BoundFunction, BoundRecord, BoundVariable } from "./api.ts";
import {
  bindField,
  bindFunction,
  bindSignature,
  bindVariable,
  flatten,
  functionType,
  innermost,
  isFunctionPointer,
  lengthsOf,
} from "./bind.ts";

/** What a set of bindings wants otherwise than ggml's. */
export interface SelectOptions {
  /** Whether any pointer may be null: for headers that nobody annotated. */
  readonly nullable?: boolean;
  /** Whether variables are bound. */
  readonly variables?: boolean;
  /** Whether bit-fields are bound. */
  readonly bitFields?: boolean;
  /** Whether a function pointer without a typedef may have the class of a typedef's, as C would allow. */
  readonly structural?: boolean;
  /** Whether enums are plain numbers, since C programs or them and make up values: none is checked. */
  readonly plainEnums?: boolean;
  /** Whether macros that are other names of functions are bound. */
  readonly synonyms?: boolean;
  /** Records of system headers that are bound too. */
  readonly records?: ReadonlySet<RecordDeclaration>;
}

/** Decides what of a model is bound, and how. */
export function selectApi(model: Model, options: SelectOptions = {}): Api {
  const macros = own(model.macros), functions = own(model.functions), constants = own(model.constants);
  const synonyms = options.synonyms === true ? own(model.synonyms) : [];
  const ordinary = [...functions, ...constants, ...macros, ...synonyms, ...own(model.enums).flatMap((declaration) => declaration.values)];
  const names = new Names(ordinary);
  const annotations = readAnnotations(model), skipped = [...annotations.skipped];
  const attempt: Attempt = (declaration, make) => {
    try {
      return [make()];
    } catch (error) {
      if (!(error instanceof Unbindable)) throw error;
      skipped.push({ ...declaration, reason: error.message });
      return [];
    }
  };
  const enums = own(model.enums).map((declaration) => selectEnum(declaration, names, options));
  const records = nameRecords(model.records.filter((record) => isOwn(record, options)), names, options);
  const [pointers, typedefs] = parted(own(model.typedefs), ({ type }) => isFunctionPointer(type));
  const callbacks = new Map(pointers.map((typedef) => [typedef, names.take(typedef.name, "callback")]));
  const byDeclaration = new Map(enums.map((bound) => [bound.declaration, bound]));
  const crossings = new Crossings(records, callbacks, byDeclaration, model.target, (name) => names.take(name, "callback"), options);
  const known: Known = {
    functions: new Set(functions.filter(({ inline }) => !inline).map(({ name }) => name)),
    sizes: new Map([...records].flatMap(([{ size }, name]) => size === null ? [] : [[name, size]])),
  };
  const bound = withFreeing(
    functions.flatMap((declaration) =>
      attempt(declaration, () => {
        const annotation = annotations.byName.get(declaration.name);
        const made = bindFunction(declaration, crossings, annotation, options.nullable);
        return { ...made, lengths: lengthsOf(made, annotation, known, skipped) };
      })
    ),
  );
  const byName = new Map(bound.map(({ declaration, name }) => [declaration.name, name]));
  const others = synonyms.flatMap((declaration) => {
    const of = byName.get(declaration.of);
    return of === undefined || byName.has(declaration.name) ? [] : [{ declaration, name: localName(declaration.name, []), of }];
  });
  skipped.unshift(...skippedBefore(model, [...macros, ...others.map(({ declaration }) => declaration)]));
  return {
    functions: bound,
    variables: selectVariables(model, crossings, attempt, options),
    records: selectRecords(records, bound, crossings, annotations, attempt, options),
    enums,
    constants,
    macros,
    synonyms: others,
    callbacks: selectCallbacks(callbacks, crossings, attempt),
    aliases: typedefs.flatMap((declaration) =>
      names.free(declaration.name) ? [{ declaration, name: names.take(declaration.name, "t") }] : []
    ),
    skipped,
    elsewhere: annotations.elsewhere,
    crossings,
  };
}

/** What `make` gives, in a list; an empty one where it finds that the declaration can't be bound, which is noted. */
type Attempt = <T>(declaration: Origin & { name: string }, make: () => T) => T[];

/** The declarations that aren't a system header's. */
function own<T extends Origin>(declarations: readonly T[]): T[] {
  return declarations.filter((declaration) => !declaration.system);
}

function parted<T>(items: readonly T[], isFirst: (item: T) => boolean): [T[], T[]] {
  return [items.filter(isFirst), items.filter((item) => !isFirst(item))];
}

/** What the front end couldn't read, less the macros that are bound all the same, and headers that aren't there. */
function skippedBefore(model: Model, macros: readonly Origin[]): Skipped[] {
  const place = ({ header, line, column }: Origin) => `${header}:${line}:${column}`;
  const bound = new Set(macros.map(place));
  return [
    ...own(model.skipped).filter((item) => !bound.has(place(item))),
    ...model.absent.map((absent) => ({ ...absent, name: absent.header, reason: "no such header in this tree" })),
  ];
}

function selectEnum(declaration: EnumDeclaration, names: Names, { plainEnums = false }: SelectOptions): BoundEnum {
  const name = declaration.name ?? declaration.alias, flags = mayBeAny(declaration);
  const count = flags || plainEnums ? null : countOf(declaration);
  return { declaration, name: name === null ? null : names.take(name, "enum"), flags, count };
}

function selectVariables(model: Model, crossings: Crossings, attempt: Attempt, { variables = false }: SelectOptions): BoundVariable[] {
  const declarations = own(model.variables), properties = fieldNames(declarations.map(({ name }) => name));
  return declarations.flatMap((declaration) =>
    attempt(declaration, () => {
      if (!variables) throw new Unbindable("variables aren't bound");
      return bindVariable(declaration, properties.get(declaration.name)!, crossings, model.target);
    })
  );
}

function selectRecords(
  records: ReadonlyMap<RecordDeclaration, string>,
  functions: readonly BoundFunction[],
  crossings: Crossings,
  annotations: Annotations,
  attempt: Attempt,
  { bitFields }: SelectOptions,
): BoundRecord[] {
  const freeing = freeFunctions(functions);
  return [...records].map(([declaration, name]) => {
    const flat = flatten(declaration), names = fieldNames(flat.map((field) => field.name));
    const fields = flat.flatMap((field) =>
      attempt({ ...declaration, name: `${name}.${field.name}` }, () => ({
        ...bindField(field, name, declaration, crossings, bitFields),
        name: names.get(field.name)!,
        count: annotations.byName.get(name)?.nullable.has(field.name) ?? false,
      }))
    );
    return { declaration, name, fields, free: freeing.get(name) ?? null };
  });
}

/** The callbacks: those of typedefs, and those that other types have without a name. */
function selectCallbacks(named: ReadonlyMap<TypedefDeclaration, string>, crossings: Crossings, attempt: Attempt): BoundCallback[] {
  const callback = (name: string, origin: Origin, type: FunctionType) =>
    attempt({ ...origin, name }, () => ({ name, origin, type, ...bindSignature(type, name, origin, crossings) }));
  const found = [...named].flatMap(([typedef, name]) => callback(name, typedef, functionType(typedef.type)!));
  // To bind one may find more: the list grows while it is gone through.
  for (const [type, { name, origin }] of crossings.anonymous) found.push(...callback(name, origin, type));
  return found;
}

function isOwn(record: RecordDeclaration, { records }: SelectOptions): boolean {
  return !record.system || records?.has(record) === true;
}

/** The class names of records: the tag, the typedef of a tagless one, or, for one inside another, where it stands. */
function nameRecords(records: readonly RecordDeclaration[], names: Names, options: SelectOptions): Map<RecordDeclaration, string> {
  const named = new Map<RecordDeclaration, string>();
  for (const record of records) {
    const name = record.name ?? record.alias;
    if (name !== null) named.set(record, names.take(name, record.kind));
  }
  const nameInner = (outer: string, fields: readonly FieldDeclaration[]): void => {
    for (const field of fields) {
      const type = innermost(field.type);
      if (type.kind !== "record" || named.has(type.record) || !isOwn(type.record, options)) continue;
      if (field.name === null) {
        nameInner(outer, type.record.fields);
        continue;
      }
      const name = names.take(`${outer}_${field.name}`, type.record.kind);
      named.set(type.record, name);
      nameInner(name, type.record.fields);
    }
  };
  for (const [record, name] of [...named]) nameInner(name, record.fields);
  return named;
}

/** True for an enum whose variables may hold other numbers than its values: those that are or'ed, and those too wide for numbers. */
function mayBeAny({ values, type }: EnumDeclaration): boolean {
  return type.name.includes("long") || looksLikeFlags([...new Set(values.map(({ value }) => value))]);
}

/** True for 1, 2, 4, …, with names for combinations, but no more of those. A mere count is none. */
function looksLikeFlags(values: readonly bigint[]): boolean {
  const bits = values.filter((value) => value > 0n && (value & (value - 1n)) === 0n);
  const all = bits.reduce((sum, bit) => sum | bit, 0n);
  const sorted = values.toSorted((a, b) => a < b ? -1 : 1);
  const counted = sorted.every((value, i) => i === 0 || value === sorted[i - 1] + 1n);
  return bits.length >= 2 && 2 * bits.length >= values.length && !counted && values.every((value) => value >= 0n && (value & ~all) === 0n);
}

/** The enumerator that only counts the others. */
function countOf({ values }: EnumDeclaration): EnumValue | null {
  const last = values.at(-1);
  if (last === undefined || values.length < 2 || !last.name.endsWith("_COUNT")) return null;
  return values.slice(0, -1).every(({ value }) => value < last.value) && values.some(({ value }) => value === last.value - 1n)
    ? last
    : null;
}

/** Tells the functions that make what a pragma says another one frees. */
function withFreeing(functions: readonly BoundFunction[]): BoundFunction[] {
  const freedBy = new Map<string, BoundFunction["freedBy"]>();
  for (const { name, declaration, parameters, annotation } of functions) {
    for (const [freed, creator] of annotation.frees) {
      if (freedBy.has(creator)) continue;
      const index = declaration.type.parameters.findIndex((parameter) => parameter.name === freed);
      freedBy.set(creator, { name, parameters: parameters.map((parameter) => parameter.name), index });
    }
  }
  return functions.map((bound) => ({ ...bound, freedBy: freedBy.get(bound.declaration.name) ?? bound.freedBy }));
}

/** The function that frees each class: the first that isn't deprecated. */
function freeFunctions(functions: readonly BoundFunction[]): Map<string, string> {
  const free = new Map<string, string>();
  for (const { frees, freesStruct, declaration, name, parameters } of functions) {
    const [only] = parameters;
    if (!frees && !freesStruct || declaration.deprecated !== undefined) continue;
    if (only.crossing.kind !== "handle" && only.crossing.kind !== "struct") continue;
    if (!free.has(only.crossing.name)) free.set(only.crossing.name, name);
  }
  return free;
}
