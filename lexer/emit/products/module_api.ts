/**
 * What a module for any library binds otherwise than ggml's bindings do.
 *
 * @module
 */

import type { Api, BoundFunction } from "../api/api.ts";
import type { Crossing } from "../api/crossing.ts";
import { localName } from "../api/names.ts";
import type { CType, Model, Pragma, RecordDeclaration, Skipped } from "../../model/model.ts";
import { resolve } from "../../model/types.ts";

/** What is bound, in the shape in which it is written. */
export function shaped(api: Api, exact: (name: string) => boolean): Api {
  return unique(withBigints(exact, withoutLostCallbacks({ ...api, functions: api.functions.map(withoutGuards) })));
}

/** The verbs of pragmas that are honoured. Enums are plain numbers in modules, so what is said of those asks for nothing. */
const HONOURED: readonly string[] = "nullable length keeps sets forgets reads borrows takes gives passing passes calls".split(" ");

/** Pragmas that a module can't honour: they are about where ggml's tensors lie, and about checks that are written by hand. */
export function unhonoured(pragmas: readonly Pragma[]): Skipped[] {
  return pragmas.flatMap((pragma) => {
    const verb = /^\w+/.exec(pragma.text)?.[0] ?? "", reason = `generated modules honour ${HONOURED.join(", ")}`;
    return HONOURED.includes(verb) ? [] : [{ ...pragma, name: `#pragma ${pragma.text}`, reason }];
  });
}

function withoutGuards(bound: BoundFunction): BoundFunction {
  const sized = new Set(bound.lengths.map(({ parameter }) => parameter));
  const parameters = bound.parameters.map((parameter, i) => {
    const isSized = sized.has(i) && parameter.crossing.kind === "string" && !parameter.format;
    return { ...parameter, count: false, ...isSized ? { crossing: { kind: "string", sized: true } as const } : {} };
  });
  return { ...bound, parameters, checked: false, annotation: { ...bound.annotation, places: [] } };
}

/** Records of system headers that what is bound holds or passes by value: without a class it couldn't be. */
export function recordsByValue({ functions, variables, records, typedefs }: Model): Set<RecordDeclaration> {
  const found = new Set<RecordDeclaration>();
  const visit = (type: CType): void => {
    const target = resolve(type);
    if (target.kind === "array") visit(target.of);
    if (target.kind !== "record" || found.has(target.record) || target.record.size === null) return;
    found.add(target.record);
    for (const field of target.record.fields) visit(field.type);
  };
  const signature = (type: CType): void => {
    if (type.kind !== "function") return;
    visit(type.result);
    for (const parameter of type.parameters) visit(parameter.type);
  };
  for (const { system, type } of functions) if (!system) signature(type);
  for (const { system, type } of typedefs) if (!system && type.kind === "pointer") signature(type.to);
  for (const { system, type } of variables) if (!system) visit(type);
  for (const { system, fields } of records) if (!system) { for (const field of fields) visit(field.type); }
  return found;
}

/** A function pointer whose type can't cross has no class: it is passed on as a pointer to anything. */
function withoutLostCallbacks(api: Api): Api {
  const made = new Set(api.callbacks.map(({ name }) => name));
  const swap = (crossing: Crossing): Crossing => {
    if (crossing.kind === "callback" && !made.has(crossing.name)) return { kind: "data", width: 0, array: null };
    const lost = crossing.kind === "pointers" && crossing.item !== null && crossing.item !== "string" &&
      !made.has(crossing.item) && !api.records.some(({ name }) => name === crossing.item);
    return lost ? { kind: "pointers", item: null } : crossing;
  };
  const both = <T extends { parameters: readonly { crossing: Crossing }[]; result: Crossing }>(signature: T): T => ({
    ...signature,
    parameters: signature.parameters.map((parameter) => ({ ...parameter, crossing: swap(parameter.crossing) })),
    result: swap(signature.result),
  });
  return {
    ...api,
    functions: api.functions.map(both),
    callbacks: api.callbacks.map(both),
    variables: api.variables.map((variable) => ({ ...variable, crossing: swap(variable.crossing) })),
    records: api.records.map((record) => ({
      ...record,
      fields: record.fields.map((field) => ({ ...field, crossing: swap(field.crossing) })),
    })),
  };
}

/** Has integers of 64 bits be bigints where that is asked for. */
function withBigints(asked: (name: string) => boolean, api: Api): Api {
  const exact = <T extends Crossing>(name: string, crossing: T): T =>
    crossing.kind === "int" && crossing.bits === 64 && crossing.name === null && asked(name) ? { ...crossing, exact: true } : crossing;
  return {
    ...api,
    functions: api.functions.map((bound) => ({ ...bound, result: exact(bound.declaration.name, bound.result) })),
    variables: api.variables.map((variable) => ({ ...variable, crossing: exact(variable.declaration.name, variable.crossing) })),
    callbacks: api.callbacks.map((callback) => ({
      ...callback,
      parameters: callback.parameters.map((parameter) => ({ ...parameter, crossing: exact(callback.name, parameter.crossing) })),
      result: exact(callback.name, callback.result),
    })),
    records: api.records.map((record) => ({
      ...record,
      fields: record.fields.map((field) => ({
        ...field,
        crossing: field.bits === null ? exact(`${record.name}.${field.name}`, field.crossing) : field.crossing,
      })),
    })),
  };
}

/** One export a name: C lets a macro have the name of an enumerator, and an `extern` function be declared under two names. */
function unique(api: Api): Api {
  const taken = new Set<string>();
  const skipped: Skipped[] = [...api.skipped];
  const first = <T extends { readonly name: string }>(items: readonly T[], origin: (item: T) => Skipped): T[] =>
    items.filter((item) => {
      const name = localName(item.name, []);
      if (taken.has(name)) skipped.push({ ...origin(item), name: item.name, reason: `the name ${name} is taken` });
      return taken.has(name) ? false : taken.add(name);
    });
  const enums = api.enums.map((bound) => {
    const values = first(bound.declaration.values, ({ name }) => ({ ...bound.declaration, name, reason: "" }));
    return { ...bound, declaration: { ...bound.declaration, values } };
  });
  const functions = first(api.functions, ({ declaration }) => ({ ...declaration, reason: "" }));
  const constants = first(api.constants, (constant) => ({ ...constant, reason: "" }));
  const macros = first(api.macros, (macro) => ({ ...macro, reason: "" }));
  const synonyms = first(api.synonyms, ({ declaration }) => ({ ...declaration, reason: "" }));
  return { ...api, enums, functions, constants, macros, synonyms, skipped };
}
