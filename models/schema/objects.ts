/**
 * Objects: their properties out of several schemas.
 *
 * Where nothing is said of properties without a name, a grammar writes none, unless no property has a name.
 *
 * @module
 */

import type { Part } from "./conjunctions.ts";
import { below, isObject, type Node, type Place, placeAt } from "./document.ts";
import { SchemaError } from "./error.ts";
import { countOf } from "./keywords.ts";
import { type Pattern, readPattern } from "./pattern.ts";
import type { Objects, Values } from "./values.ts";

/** What has to be known of other schemas. */
export interface Names {
  /** The values that a schema allows. */
  readonly valuesOf: (node: Node) => readonly Values[];
  /** Whether a value fits a schema. */
  readonly accepts: (node: Node, value: unknown) => boolean;
}

/** The objects that all of the schemas allow, or why there are none. */
export function mergeObjects(parts: readonly Part[], names: Names): Objects | string {
  const min = Math.max(0, ...parts.map(({ schema, pointer }) => countOf(schema, "minProperties", 0, pointer)));
  const max = Math.min(...parts.map(({ schema, pointer }) => countOf(schema, "maxProperties", Infinity, pointer)));
  const required = new Set(parts.flatMap(requiredOf)), nameNodes = parts.flatMap((part) => placesUnder(part, "propertyNames"));
  if (min > max || required.size > max) return `no object has at least ${Math.max(min, required.size)} and at most ${max} properties`;
  const listed = nameNodes.length === 0 ? null : listedNames(names.valuesOf(nameNodes));
  const mentioned = new Set([
    ...parts.flatMap(({ schema, pointer }) => Object.keys(objectUnder(schema, "properties", pointer))),
    ...required,
  ]);
  const closed = parts.some(({ schema }) => schema.additionalProperties === false);
  const allNames = [...mentioned, ...closed ? [] : listed ?? []].filter((name) => nameNodes.length === 0 || names.accepts(nameNodes, name));
  const missing = [...required].find((name) => !allNames.includes(name));
  if (missing !== undefined) return `propertyNames doesn't allow the required ${JSON.stringify(missing)}`;
  const properties = new Map([...new Set(allNames)].map((name) => [name, parts.flatMap((part) => schemasOf(part, name))]));
  const rest = parts.flatMap((part) => placesUnder(part, "additionalProperties")), pointer = parts[0]?.pointer ?? "#";
  const { others, othersNode } = othersOf(parts, rest, mentioned.size > 0);
  const restricted = nameNodes.length > 0 && others !== "none"
    ? restrictedNames(listed, names.valuesOf(nameNodes), others, pointer)
    : others;
  return { kind: "object", properties, required, rest, others: restricted, othersNode, min, max, pointer };
}

function requiredOf({ schema: { required }, pointer }: Part): string[] {
  if (required === undefined) return [];
  if (!Array.isArray(required) || required.some((name) => typeof name !== "string")) {
    throw new SchemaError(`required: expected an array of names, got ${JSON.stringify(required)}`, pointer);
  }
  return required;
}

function objectUnder(schema: Part["schema"], keyword: string, pointer: string): Record<string, unknown> {
  const value = schema[keyword] ?? {};
  if (!isObject(value)) throw new SchemaError(`${keyword}: expected an object of schemas, got ${JSON.stringify(value)}`, pointer);
  return value;
}

function placesUnder({ schema, pointer }: Part, keyword: string): Place[] {
  return schema[keyword] === undefined ? [] : [placeAt(schema[keyword], below(pointer, keyword))];
}

/** What one schema says of the property of a name. */
function schemasOf(part: Part, name: string): Place[] {
  const { schema, pointer } = part, own = objectUnder(schema, "properties", pointer), places: Place[] = [];
  if (Object.hasOwn(own, name)) places.push(placeAt(own[name], below(pointer, "properties", name)));
  for (const [pattern, place] of patternsOf(part)) if (new RegExp(pattern.source, "u").test(name)) places.push(place);
  return places.length > 0 ? places : placesUnder(part, "additionalProperties");
}

function patternsOf({ schema, pointer }: Part): [Pattern, Place][] {
  return Object.entries(objectUnder(schema, "patternProperties", pointer)).map(([source, inner]) => {
    const at = below(pointer, "patternProperties", source);
    return [readPattern(source, at), placeAt(inner, at)];
  });
}

/** By which names a grammar writes properties that aren't named, and what their values are. */
function othersOf(parts: readonly Part[], rest: Node, named: boolean): { others: Objects["others"]; othersNode: Node } {
  const patterns = parts.flatMap((part) => patternsOf(part).map(([pattern, place]) => ({ part, pattern, place })));
  if (patterns.length > 1) {
    throw new SchemaError("a grammar can't say: properties by several patternProperties", patterns[1].place.pointer);
  }
  for (const { part, pattern, place } of patterns) {
    const elsewhere = parts.filter((other) => other !== part).flatMap((other) => placesUnder(other, "additionalProperties"));
    return { others: pattern, othersNode: [place, ...elsewhere] };
  }
  return { others: rest.length > 0 || !named ? "any" : "none", othersNode: rest };
}

/** The names that `propertyNames` lists, or null if it does something else. */
function listedNames(values: readonly Values[]): string[] | null {
  if (!values.every((value) => value.kind === "literal")) return null;
  return values.flatMap(({ value }) => typeof value === "string" ? [value] : []);
}

/** Other properties under `propertyNames`: those that are listed have become optional properties with names. */
function restrictedNames(
  listed: string[] | null,
  values: readonly Values[],
  others: Objects["others"],
  pointer: string,
): Objects["others"] {
  if (listed !== null) return "none";
  const [only] = values;
  if (values.length === 1 && only.kind === "string" && others === "any" && only.min === 0 && only.max === Infinity) {
    if (only.patterns.length === 1) return only.patterns[0];
    if (only.patterns.length === 0) return "any";
  }
  throw new SchemaError("propertyNames can be made into a grammar only where it has an enum, or one pattern or format", pointer);
}
