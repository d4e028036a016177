/**
 * What is bound: the API model less what isn't the caller's (system headers) and less what can't cross into TypeScript, with the reason.
 *
 * The writers in this folder write down what this decides and decide nothing themselves.
 *
 * @module
 */

import type {
  ConstantDeclaration,
  CType,
  EnumDeclaration,
  EnumValue,
  FieldDeclaration,
  FunctionDeclaration,
  FunctionType,
  MacroFunction,
  Model,
  Origin,
  RecordDeclaration,
  Skipped,
  TargetName,
  TypedefDeclaration,
  VariableDeclaration,
} from "../../model/model.ts";
import { sizeOf } from "../../model/layout.ts";
import { TARGETS } from "../../model/targets.ts";
import { isVoid, resolve } from "../../model/types.ts";
import { type Annotation, noAnnotation, readAnnotations } from "./annotations.ts";
import { type Crossing, Crossings, isPointer, Unbindable } from "./crossing.ts";
import { compileLength, type Known, type Length } from "./lengths.ts";
import { fieldNames, localName, Names } from "./names.ts";

/** A function and how each of its values crosses. */
export interface BoundFunction {
  readonly declaration: FunctionDeclaration;
  /** The exported name: C's, unless TypeScript can't have it. */
  readonly name: string;
  readonly parameters: readonly BoundParameter[];
  readonly result: Crossing;
  readonly resultNullable: boolean;
  /** True for one that frees what its only parameter stands for. */
  readonly frees: boolean;
  /** The memory whose length is checked. */
  readonly lengths: readonly Length[];
  /** True where a check written by hand comes before the call. */
  readonly checked: boolean;
  /** True for one that takes a struct by value and frees what that holds. */
  readonly freesStruct: boolean;
  /** True if what it returns is a struct that may point to something. */
  readonly resultPoints: boolean;
  /** What the pragmas say of it. */
  readonly annotation: Annotation;
  /** The function that frees the pointer that this one returns, its parameters' names, and the index of the pointer among them. */
  readonly freedBy: { readonly name: string; readonly parameters: readonly string[]; readonly index: number } | null;
  /** The classes of what C makes at the fields that a pragma names, by `parameter.field`. */
  readonly givenTypes: ReadonlyMap<string, string>;
}

/** A parameter. */
export interface BoundParameter {
  /** A name that TypeScript allows and nothing else in the function has. */
  readonly name: string;
  readonly crossing: Crossing;
  readonly nullable: boolean;
  /** Of an array of pointers: whether one of them may be null. */
  readonly nullableItems: boolean;
  /** Of an enum: whether it may be the number of the enum's values. */
  readonly count: boolean;
  /** True for the format of a variadic function: its text is printed as it is. */
  readonly format: boolean;
}

/** A struct or union class. */
export interface BoundRecord {
  readonly declaration: RecordDeclaration;
  readonly name: string;
  /** The fields, those of anonymous members among them; empty for an opaque struct. */
  readonly fields: readonly BoundField[];
  /** The function that frees one. */
  readonly free: string | null;
}

/** A field, at its offset in the outermost record. */
export interface BoundField {
  readonly name: string;
  readonly type: CType;
  readonly offset: number;
  /** How it crosses or, for an array, how an element does. */
  readonly crossing: Crossing;
  /** An array's number of elements, all dimensions in one; null for what is no array. */
  readonly length: number | null;
  /** Of an enum: whether it may be the number of the enum's values. */
  readonly count: boolean;
  /** Of a bit-field: its first bit, counted from the lowest of the record, and how many it has. */
  readonly bits: Bits | null;
}

/** Where a bit-field lies. */
export interface Bits {
  readonly first: number;
  readonly width: number;
}

/** A variable of the library. */
export interface BoundVariable {
  readonly declaration: VariableDeclaration;
  /** The name of its property. */
  readonly name: string;
  /** How its value crosses or, for an array, how an element does. */
  readonly crossing: Crossing;
  /** As for a field. */
  readonly length: number | null;
  /** In bytes; null where C doesn't say how much lies there. Then `crossing` is that of a pointer to it. */
  readonly size: number | null;
  /** True where C mustn't write it. */
  readonly constant: boolean;
}

/** An enum. */
export interface BoundEnum {
  readonly declaration: EnumDeclaration;
  /** The exported type's name, null where the enum has none. */
  readonly name: string | null;
  /** True where values may be or'ed. */
  readonly flags: boolean;
  /** The last enumerator if it isn't a value but the number of them: it is called `…_COUNT` and is one more than any other. */
  readonly count: EnumValue | null;
}

/** A function-pointer type. */
export interface BoundCallback {
  readonly name: string;
  readonly origin: Origin;
  readonly type: FunctionType;
  readonly parameters: readonly BoundParameter[];
  readonly result: Crossing;
}

/** A typedef that is only another name. */
export interface BoundAlias {
  readonly declaration: TypedefDeclaration;
  readonly name: string;
}

/** Everything that is bound. */
export interface Api {
  readonly functions: readonly BoundFunction[];
  /** Empty unless they are asked for; then they are among `skipped`. */
  readonly variables: readonly BoundVariable[];
  readonly records: readonly BoundRecord[];
  readonly enums: readonly BoundEnum[];
  readonly constants: readonly ConstantDeclaration[];
  /** Function-like macros that are functions here. */
  readonly macros: readonly MacroFunction[];
  readonly callbacks: readonly BoundCallback[];
  readonly aliases: readonly BoundAlias[];
  readonly skipped: readonly Skipped[];
  /** Pragmas about what the headers don't declare. */
  readonly elsewhere: readonly Skipped[];
  readonly crossings: Crossings;
}

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
  /** Whether enums are plain numbers, since C programs or them and make up values: none is checked, and those that look like flags are. */
  readonly plainEnums?: boolean;
  /** Records of system headers that are bound too. */
  readonly records?: ReadonlySet<RecordDeclaration>;
}

/** Decides what of a model is bound, and how. */
export function selectApi(model: Model, options: SelectOptions = {}): Api {
  const own = <T extends Origin>(declarations: readonly T[]) => declarations.filter((declaration) => !declaration.system);
  const macros = own(model.macros);
  const isMacro = ({ name, reason }: Skipped) => reason === "function-like macro" && macros.some((macro) => macro.name === name);
  const skipped: Skipped[] = own(model.skipped).filter((item) => !isMacro(item));
  const functions = own(model.functions), constants = own(model.constants);
  for (const absent of model.absent) skipped.push({ ...absent, name: absent.header, reason: "no such header in this tree" });

  const names = new Names([...functions, ...constants, ...macros, ...own(model.enums).flatMap((declaration) => declaration.values)]);
  const annotations = readAnnotations(model);
  skipped.push(...annotations.skipped);
  const enums = own(model.enums).map((declaration): BoundEnum => {
    const name = declaration.name ?? declaration.alias;
    const { plainEnums = false } = options;
    const flags = name !== null && (annotations.flags.has(name) || plainEnums && mayBeAny(declaration));
    const count = flags || plainEnums ? null : countOf(declaration);
    return { declaration, name: name === null ? null : names.take(name, "enum"), flags, count };
  });
  const records = nameRecords(model.records.filter((record) => isOwn(record, options)), names, options);
  const callbackTypedefs = new Map<TypedefDeclaration, string>();
  const plainTypedefs: TypedefDeclaration[] = [];
  for (const typedef of own(model.typedefs)) {
    if (isFunctionPointer(typedef.type)) callbackTypedefs.set(typedef, names.take(typedef.name, "callback"));
    else plainTypedefs.push(typedef);
  }
  const crossings = new Crossings(
    records,
    callbackTypedefs,
    new Map(enums.map((bound) => [bound.declaration, bound])),
    model.target,
    (name) => names.take(name, "callback"),
    options,
  );

  const attempt = <T>(declaration: Origin & { name: string }, make: () => T): T[] => {
    try {
      return [make()];
    } catch (error) {
      if (!(error instanceof Unbindable)) throw error;
      skipped.push({ ...declaration, reason: error.message });
      return [];
    }
  };
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
  const propertyNames = fieldNames(own(model.variables).map(({ name }) => name));
  const variables = own(model.variables).flatMap((declaration) =>
    attempt(declaration, () => {
      if (options.variables !== true) throw new Unbindable("variables aren't bound");
      return bindVariable(declaration, propertyNames.get(declaration.name)!, crossings, model.target);
    })
  );
  const freeing = freeFunctions(bound);
  const boundRecords = [...records].map(([declaration, name]): BoundRecord => {
    const flat = flatten(declaration);
    const names = fieldNames(flat.map((field) => field.name));
    const fields = flat.flatMap((field) =>
      attempt({ ...declaration, name: `${name}.${field.name}` }, () => ({
        ...bindField(field, name, declaration, crossings, options.bitFields),
        name: names.get(field.name)!,
        count: annotations.byName.get(name)?.nullable.has(field.name) ?? false,
      }))
    );
    return { declaration, name, fields, free: freeing.get(name) ?? null };
  });
  const callbacks: BoundCallback[] = [];
  const addCallback = (name: string, origin: Origin, type: FunctionType) =>
    attempt({ ...origin, name }, () => callbacks.push({ name, origin, type, ...bindSignature(type, name, origin, crossings) }));
  for (const [typedef, name] of callbackTypedefs) addCallback(name, typedef, functionType(typedef.type)!);
  for (const [type, { name, origin }] of crossings.anonymous) addCallback(name, origin, type);
  const aliases = plainTypedefs.flatMap((declaration) => {
    const name = names.free(declaration.name) ? names.take(declaration.name, "t") : null;
    return name === null ? [] : [{ declaration, name }];
  });
  return {
    functions: bound,
    variables,
    records: boundRecords,
    enums,
    constants,
    macros,
    callbacks,
    aliases,
    skipped,
    elsewhere: annotations.elsewhere,
    crossings,
  };
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

function innermost(type: CType): CType {
  const resolved = resolve(type);
  return resolved.kind === "array" ? innermost(resolved.of) : resolved;
}

/** True for an enum whose variables may hold other numbers than its values: those that are or'ed, and those too wide for numbers. */
function mayBeAny({ values, type }: EnumDeclaration): boolean {
  return type.name.includes("long") || looksLikeFlags([...new Set(values.map(({ value }) => value))]);
}

/** True for 1, 2, 4, …, with or without names for combinations. A mere count from 0 or 1 is none. */
function looksLikeFlags(values: readonly bigint[]): boolean {
  const bits = values.filter((value) => value > 0n && (value & (value - 1n)) === 0n);
  const all = bits.reduce((sum, bit) => sum | bit, 0n);
  const sorted = values.toSorted((a, b) => a < b ? -1 : 1);
  const counted = sorted.every((value, i) => i === 0 || value === sorted[i - 1] + 1n);
  return bits.length >= 3 && !counted && values.every((value) => value >= 0n && (value & ~all) === 0n);
}

/** The enumerator that only counts the others. */
function countOf({ values }: EnumDeclaration): EnumValue | null {
  const last = values.at(-1);
  if (last === undefined || values.length < 2 || !last.name.endsWith("_COUNT")) return null;
  return values.slice(0, -1).every(({ value }) => value < last.value) && values.some(({ value }) => value === last.value - 1n)
    ? last
    : null;
}

/** The lengths of a function's memory that its pragmas say, and those that C writes into the brackets of a parameter. */
function lengthsOf(
  { declaration, parameters }: Pick<BoundFunction, "declaration" | "parameters">,
  annotation: Annotation | undefined,
  known: Known,
  skipped: Skipped[],
): Length[] {
  return declaration.type.parameters.flatMap(({ name, length }, i) => {
    const said = annotation?.lengths.get(name ?? String(i));
    if (said === undefined && (length === undefined || !hasWidth(parameters[i]))) return [];
    try {
      return [compileLength(said?.expression ?? String(length), i, parameters, known)];
    } catch (error) {
      if (!(error instanceof Unbindable)) throw error;
      // A length that C writes and that isn't one of another parameter is only advice.
      if (said !== undefined) skipped.push({ ...said.pragma, name: `#pragma ${said.pragma.text}`, reason: error.message });
      return [];
    }
  });
}

function bindField(
  field: FlatField,
  record: string,
  origin: Origin,
  crossings: Crossings,
  bitFields = false,
): Omit<BoundField, "count"> {
  if (field.bits !== null && !bitFields) throw new Unbindable("a bit-field has no accessor yet");
  return { ...field, ...bindValue(field.type, crossings, { name: `${record}_${field.name}`, origin }) };
}

/** How a value in memory crosses. */
function bindValue(declared: CType, crossings: Crossings, context: Context): { crossing: Crossing; length: number | null } {
  const type = resolve(declared);
  if (type.kind !== "array") return { crossing: crossings.of(declared, context), length: null };
  let element: CType = type, length = 1;
  while (element.kind === "array") {
    if (element.length === null || element.length === 0) throw new Unbindable("a flexible array has no length");
    length *= element.length;
    element = element.of.kind === "typedef" && resolve(element.of).kind === "array" ? resolve(element.of) : element.of;
  }
  return { crossing: crossings.of(element, context), length };
}

function bindVariable(declaration: VariableDeclaration, name: string, crossings: Crossings, target: TargetName): BoundVariable {
  const { type } = declaration;
  const context = { name: declaration.name, origin: declaration };
  const constant = innermost(type).const === true;
  const size = isVoid(resolve(type)) ? null : sizeOf(type, TARGETS[target]);
  if (size !== null) return { declaration, name, ...bindValue(type, crossings, context), size, constant };
  const array = resolve(type);
  const to = array.kind === "array" ? array.of : type;
  return { declaration, name, crossing: crossings.of({ kind: "pointer", to }, context), length: null, size, constant };
}

/** True for memory whose elements have a known width. */
function hasWidth({ crossing }: BoundParameter): boolean {
  return crossing.kind === "pointers" || crossing.kind === "data" && crossing.width !== 0;
}

function bindFunction(
  declaration: FunctionDeclaration,
  crossings: Crossings,
  annotation: Annotation | undefined,
  nullable = false,
): Omit<BoundFunction, "lengths"> {
  const { name, type, inline } = declaration;
  if (inline) throw new Unbindable("an inline function has no symbol");
  const { parameters, result } = bindSignature(type, name, declaration, crossings, annotation);
  const formatted = formatParameter(declaration);
  const [only] = parameters;
  const freeing = parameters.length === 1 && result.kind === "void";
  const frees = freeing && only.crossing.kind === "handle" && /(^|_)free(_|$)/.test(name);
  return {
    declaration,
    name: localName(name, []),
    parameters: parameters.map((parameter, i) => ({
      ...parameter,
      nullable: parameter.nullable || nullable && i !== formatted && isPointer(parameter.crossing),
      nullableItems: parameter.nullableItems || nullable,
      format: i === formatted,
    })),
    result,
    resultNullable: annotation?.nullable.has("return") ?? nullable,
    frees,
    checked: annotation?.checked ?? false,
    freesStruct: freeing && only.crossing.kind === "struct" && name.endsWith("_free"),
    resultPoints: hasPointers(type.result),
    annotation: annotation ?? noAnnotation(),
    freedBy: null,
    givenTypes: new Map([...annotation?.gives ?? []].map((path) => [path, pointedAt(declaration, path, crossings)])),
  };
}

/** True for a record with a pointer in it. */
function hasPointers(type: CType): boolean {
  const resolved = innermost(type);
  if (resolved.kind !== "record") return false;
  return resolved.record.fields.some((field) => innermost(field.type).kind === "pointer" || hasPointers(field.type));
}

/** The class of what a field of type `struct x **` leads to, and the like of it for a parameter. */
function pointedAt(declaration: FunctionDeclaration, path: string, crossings: Crossings): string {
  const [name, field] = path.split(".");
  const parameter = declaration.type.parameters.find((parameter) => parameter.name === name)!;
  const outer = resolve(parameter.type);
  const type = field === undefined || outer.kind !== "record"
    ? parameter.type
    : outer.record.fields.find((item) => item.name === field)!.type;
  const crossing = crossings.of(type, { name: path, origin: declaration });
  if (crossing.kind !== "pointers" || crossing.item === null || crossing.item === "string") {
    throw new Unbindable(`#pragma gives ${declaration.name}(${path}): it is no pointer to a pointer to a struct`);
  }
  return crossing.item;
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

function bindSignature(
  type: FunctionType,
  name: string,
  origin: Origin,
  crossings: Crossings,
  annotation?: Annotation,
): { parameters: BoundParameter[]; result: Crossing } {
  const crossed = type.parameters.map((parameter, i) => crossings.of(parameter.type, { name: `${name}_${parameter.name ?? i}`, origin }));
  const result = crossings.of(type.result, { name: `${name}_result`, origin });
  // `struct point *point`: the parameter may not hide the class that it is checked against.
  const taken = [...crossed, result].flatMap((crossing) => "name" in crossing && crossing.name !== null ? [crossing.name] : []);
  const parameters = type.parameters.map((parameter, i): BoundParameter => {
    const local = localName(parameter.name ?? `arg${i}`, taken), said = annotation?.nullable.has(parameter.name ?? String(i)) ?? false;
    taken.push(local);
    return {
      name: local,
      crossing: crossed[i],
      nullable: said && isPointer(crossed[i]) || (parameter.type.nullable ?? false),
      nullableItems: annotation?.nullable.has(`${parameter.name ?? i}[]`) ?? false,
      count: said && crossed[i].kind === "int",
      format: false,
    };
  });
  for (const crossing of [...parameters.map((parameter) => parameter.crossing), result]) {
    if (crossing.kind === "struct" && !crossings.passable(crossing.name)) {
      throw new Unbindable(`${crossing.name} by value: Deno's FFI can't describe its layout (a union, bit-field or packed struct)`);
    }
  }
  return { parameters, result };
}

/** The index of a variadic function's format, where that is its last parameter; -1 if there is none. */
function formatParameter({ type, format }: FunctionDeclaration): number {
  if (!type.variadic) return -1;
  const last = type.parameters.length - 1;
  if (format !== undefined) return format.format - 1 === last ? last : -1;
  return type.parameters[last]?.name === "fmt" || type.parameters[last]?.name === "format" ? last : -1;
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

/** A name for a function pointer that has none of its own, and where it stands. */
interface Context {
  readonly name: string;
  readonly origin: Origin;
}

interface FlatField {
  readonly name: string;
  readonly type: CType;
  readonly offset: number;
  readonly bits: Bits | null;
}

/** A record's fields with those of its anonymous members, C17 6.7.2.1p13. */
function flatten(record: RecordDeclaration, base = 0): FlatField[] {
  return record.fields.flatMap((field) => {
    const offset = base + field.offset;
    if (field.name !== null) {
      const bits = field.bitWidth === undefined ? null : { first: 8 * offset + (field.bitOffset ?? 0), width: field.bitWidth };
      return [{ name: field.name, type: field.type, offset, bits }];
    }
    const type = resolve(field.type);
    return type.kind === "record" ? flatten(type.record, offset) : [];
  });
}

function isFunctionPointer(type: CType): boolean {
  return functionType(type) !== null;
}

/** The function type that a type is or directly points to. A typedef of another function-pointer typedef is an alias, not one of its own. */
function functionType(type: CType): FunctionType | null {
  if (type.kind === "function") return type;
  return type.kind === "pointer" && type.to.kind === "function" ? type.to : null;
}
