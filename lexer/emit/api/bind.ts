/**
 * How one function, variable or field is bound: the way in which each of its values crosses, or the reason why one can't.
 *
 * @module
 */

import type {
  CType,
  FunctionDeclaration,
  FunctionType,
  Origin,
  RecordDeclaration,
  Skipped,
  TargetName,
  VariableDeclaration,
} from "../../model/model.ts";
import { sizeOf } from "../../model/layout.ts";
import { TARGETS } from "../../model/targets.ts";
import { isVoid, resolve } from "../../model/types.ts";
import { type Annotation, NO_ANNOTATION } from "./annotations.ts";
import { type Crossing, type Crossings, isPointer, Unbindable } from "./crossing.ts";
import { compileLength, type Known, type Length } from "./lengths.ts";
import { localName } from "./names.ts";
import type { Bits, BoundField, BoundFunction, BoundParameter, BoundVariable } from "./api.ts";

/** The lengths of a function's memory that its pragmas say, and those that C writes into the brackets of a parameter. */
export function lengthsOf(
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

export function bindField(
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

export function bindVariable(declaration: VariableDeclaration, name: string, crossings: Crossings, target: TargetName): BoundVariable {
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

export function bindFunction(
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
  const ends = freeing && /(^|_)free(_|$)/.test(name) || annotation !== undefined && annotation.ends.size > 0;
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
    frees: ends && only.crossing.kind === "handle",
    checked: annotation?.checked ?? false,
    freesStruct: freeing && only.crossing.kind === "struct" && name.endsWith("_free"),
    resultPoints: hasPointers(type.result),
    annotation: annotation ?? NO_ANNOTATION,
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

export function bindSignature(
  type: FunctionType,
  name: string,
  origin: Origin,
  crossings: Crossings,
  annotation?: Annotation,
): { parameters: BoundParameter[]; result: Crossing } {
  const crossed = type.parameters.map((parameter, i) => crossings.of(parameter.type, { name: `${name}_${parameter.name ?? i}`, origin }));
  const result = crossings.of(type.result, { name: `${name}_result`, origin });
  // `struct point *point`, `struct point **point`: the parameter may not hide the class that it is checked against.
  const taken = [...crossed, result].flatMap((crossing) => {
    const name = crossing.kind === "pointers" ? crossing.item : "name" in crossing ? crossing.name : null;
    return name === null || name === "string" ? [] : [name];
  });
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
      throw new Unbindable(
        `${crossing.name} by value: Deno's FFI can't describe its layout (a union, a bit-field, or a struct that is packed, aligned or empty)`,
      );
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
export function flatten(record: RecordDeclaration, base = 0): FlatField[] {
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

export function isFunctionPointer(type: CType): boolean {
  return functionType(type) !== null;
}

/** The function type that a type is or directly points to. A typedef of another function-pointer typedef is an alias, not one of its own. */
export function functionType(type: CType): FunctionType | null {
  if (type.kind === "function") return type;
  return type.kind === "pointer" && type.to.kind === "function" ? type.to : null;
}

/** What an array is of, through all its dimensions. */
export function innermost(type: CType): CType {
  const resolved = resolve(type);
  return resolved.kind === "array" ? innermost(resolved.of) : resolved;
}
