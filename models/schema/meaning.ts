/**
 * What the schemas of a document mean: which values they allow, and whether there are any.
 *
 * @module
 */

import { isDeepStrictEqual } from "node:util";
import { containedBy, itemAt, mergeArrays, mostItems } from "./arrays.ts";
import { type Conjunction, conjunctionsOf, type Part } from "./conjunctions.ts";
import { isObject, keyOf, type Node, type Place, type SchemaDocument } from "./document.ts";
import { SchemaError } from "./error.ts";
import { apart } from "./exclusive.ts";
import { isWord, KEYWORDS_OF_TYPE, listOf } from "./keywords.ts";
import { leftOutBy } from "./opposites.ts";
import { holdsNumber, mergeNumbers } from "./numbers.ts";
import { mergeObjects } from "./objects.ts";
import { holdsString, mergeStrings } from "./strings.ts";
import { type Objects, typeOf, type Values } from "./values.ts";

/** Why a place has no values. */
interface Contradiction {
  readonly message: string;
  readonly pointer: string;
}

/** The meaning of a document's schemas, worked out as they are asked for. */
export class Meaning {
  readonly #document: SchemaDocument;
  readonly #written = new Map<string, readonly Values[]>();
  readonly #valid = new Map<string, readonly Values[] | "pending">();
  readonly #contradictions: Contradiction[] = [];
  #productive: Set<string> | null = null;

  constructor(document: SchemaDocument) {
    this.#document = document;
  }

  /** What a grammar writes for schemas that hold together: where they say no type, that of their other keywords. */
  readonly written = (node: Node): readonly Values[] => {
    const key = keyOf(node), known = this.#written.get(key);
    if (known !== undefined) return known;
    const conjunctions = conjunctionsOf(node, this.#document), all = conjunctions.map((one) => this.#valuesOf(one, true));
    if (conjunctions.length === 0) this.#note("false allows none", node);
    this.#written.set(key, all.flat());
    this.#checkCases(conjunctions, all);
    return all.flat();
  };

  /** What fits schemas that hold together, by the letter. */
  readonly valid = (node: Node): readonly Values[] => {
    const key = keyOf(node), known = this.#valid.get(key);
    if (known === "pending") throw new SchemaError("propertyNames is a part of itself", node[0].pointer);
    if (known !== undefined) return known;
    this.#valid.set(key, "pending");
    const values = conjunctionsOf(node, this.#document).flatMap((one) => this.#valuesOf(one, false));
    this.#valid.set(key, values);
    return values;
  };

  /** Whether a value fits schemas that hold together. */
  readonly accepts = (node: Node, value: unknown): boolean =>
    conjunctionsOf(node, this.#document).some(({ parts }) => this.#fits(parts, this.#plainOf(parts, false), value));

  /** The cases of one `oneOf` must not have a value in common: a grammar can't write one and look that the others don't fit. */
  #checkCases(conjunctions: readonly Conjunction[], written: readonly (readonly Values[])[]): void {
    if (conjunctions.every(({ cases }) => cases.size === 0)) return;
    const valid = conjunctions.map((one) => this.#valuesOf(one, false));
    conjunctions.forEach((one, i) => {
      for (const [j, other] of conjunctions.entries()) {
        const both = [...one.cases].find(([pointer, taken]) => other.cases.has(pointer) && other.cases.get(pointer) !== taken);
        if (both === undefined || written[i].every((a) => valid[j].every((b) => apart(a, b, this)))) continue;
        const [pointer, taken] = both;
        throw new SchemaError(
          `oneOf: a grammar can't tell that what fits case ${taken} doesn't fit case ${other.cases.get(pointer)} too: ` +
            "give both a property with a const of its own, or use anyOf where that doesn't matter",
          pointer,
        );
      }
    });
  }

  #valuesOf({ parts }: Conjunction, inferred: boolean): readonly Values[] {
    const [list] = parts.flatMap(literalsOf), plain = this.#plainOf(parts, inferred && list === undefined);
    if (list === undefined) return parts.flatMap(leftOutBy).reduce((values, place) => this.#without(values, place), plain);
    const values = list.filter((value) => this.#fits(parts, plain, value));
    if (values.length === 0) this.#note("no value of enum or const fits the other keywords", parts);
    return values.map((value) => ({ kind: "literal", value }));
  }

  /** The values without a look at `enum` and `const`. */
  #plainOf(parts: readonly Part[], inferred: boolean): readonly Values[] {
    const types = typesOf(parts, inferred);
    if (types.length === 0) this.#note("the types contradict each other", parts);
    return types.flatMap((type) => this.#valuesOfType(type, parts));
  }

  /** Values without those that fit a schema: it fits none of a kind, or all of it, or there are so few that each is looked at. */
  #without(values: readonly Values[], place: Place): readonly Values[] {
    const excluded = this.valid([place]);
    return values.flatMap(listedOf).filter((one) => {
      if (one.kind === "literal") return !this.accepts([place], one.value);
      if (excluded.every((other) => apart(one, other, this))) return true;
      if (isAllOfType(place, one)) return false;
      throw new SchemaError(
        "not: can't be made into a grammar: it says what a value is, not what it isn't, unless there is an enum",
        place.pointer.replace(/\/not$/, ""),
      );
    });
  }

  #fits(parts: readonly Part[], plain: readonly Values[], value: unknown): boolean {
    return parts.flatMap(leftOutBy).every((place) => !this.accepts([place], value)) &&
      parts.flatMap(literalsOf).every((list) => list.some((one) => isDeepStrictEqual(value, one))) &&
      plain.some((values) => this.holds(values, value));
  }

  #valuesOfType(type: Type, parts: readonly Part[]): readonly Values[] {
    if (type === "null" || type === "boolean") return [{ kind: type }];
    const merged = this.#merge(type, parts);
    if (typeof merged !== "string") return [merged];
    this.#note(merged, parts);
    return [];
  }

  #merge(type: Exclude<Type, "null" | "boolean">, parts: readonly Part[]): Values | string {
    switch (type) {
      case "number":
      case "integer":
        return mergeNumbers(parts, type === "integer");
      case "string":
        return mergeStrings(parts);
      case "array":
        return mergeArrays(parts);
      case "object":
        return mergeObjects(parts, { valuesOf: this.valid, accepts: this.accepts });
    }
  }

  #note(message: string, parts: readonly { readonly pointer: string }[]): void {
    this.#contradictions.push({ message, pointer: parts.at(-1)?.pointer ?? "#" });
  }

  /** Whether a value is one of some values. */
  holds(values: Values, value: unknown): boolean {
    if (values.kind === "literal") return isDeepStrictEqual(values.value, value);
    if (values.kind !== typeOf(value)) return false;
    switch (values.kind) {
      case "number":
        return holdsNumber(values, value as number);
      case "string":
        return holdsString(values, value as string);
      case "array": {
        const items = value as unknown[];
        return items.length >= values.min && items.length <= values.max &&
          items.every((item, i) => this.accepts(itemAt(values, i), item)) &&
          (values.contains === null || items.some((item) => this.accepts(containedBy(values), item))) &&
          (!values.unique || items.every((item, i) => items.findIndex((other) => isDeepStrictEqual(item, other)) === i));
      }
      case "object":
        return isObject(value) && this.#holdsObject(values, value);
      default:
        return true;
    }
  }

  #holdsObject(objects: Objects, value: Readonly<Record<string, unknown>>): boolean {
    const names = Object.keys(value);
    if (names.length < objects.min || names.length > objects.max) return false;
    if (![...objects.required].every((name) => Object.hasOwn(value, name))) return false;
    return names.every((name) => this.accepts(objects.properties.get(name) ?? this.#nodeOf(objects, name), value[name]));
  }

  #nodeOf({ others, othersNode, rest }: Objects, name: string): Node {
    return typeof others !== "string" && new RegExp(others.source, "u").test(name) ? othersNode : rest;
  }

  /** Whether a grammar can write any value for schemas that hold together: one that ends. */
  readonly hasValues = (node: Node): boolean => {
    this.#productive ??= this.#findProductive();
    return this.#productive.has(keyOf(node));
  };

  /** Whether a grammar can write any of some values. */
  readonly canWrite = (values: Values): boolean => isProductive(values, this.hasValues);

  /** The least set of schemas whose values are made of nothing but values that there are. */
  #findProductive(): Set<string> {
    const nodes = this.#reachable([this.#document.root]), productive = new Set<string>(), has = (node: Node) => productive.has(keyOf(node));
    for (let before = -1; before < productive.size;) {
      before = productive.size;
      for (const node of nodes) if (this.written(node).some((values) => isProductive(values, has))) productive.add(keyOf(node));
    }
    return productive;
  }

  #reachable(root: Node): Node[] {
    const found = new Map<string, Node>([[keyOf(root), root]]);
    for (const node of found.values()) {
      for (const child of this.written(node).flatMap(childrenOf)) if (!found.has(keyOf(child))) found.set(keyOf(child), child);
    }
    return [...found.values()];
  }

  /** The Error of a document without values: the first contradiction that was found. */
  get contradiction(): SchemaError {
    const [first] = this.#contradictions;
    if (first !== undefined) return new SchemaError(`no value fits the schema: ${first.message}`, first.pointer);
    return new SchemaError("no value fits the schema: false allows none, and a value that has to hold another of its kind never ends", "#");
  }
}

type Type = "null" | "boolean" | "number" | "integer" | "string" | "array" | "object";

const TYPES: readonly Type[] = ["object", "array", "string", "number", "boolean", "null"];

/** The types that all of the schemas allow. */
function typesOf(parts: readonly Part[], inferred: boolean): Type[] {
  const lists = parts.flatMap(typeListOf), allowed = (type: string) => lists.every((list) => list.includes(type));
  const types = TYPES.flatMap((type): Type[] => {
    if (type !== "number" || allowed("number")) return allowed(type) ? [type] : [];
    return lists.every((list) => list.includes("number") || list.includes("integer")) ? ["integer"] : [];
  });
  if (!inferred || lists.length > 0) return types;
  const hinted = Object.entries(KEYWORDS_OF_TYPE).flatMap(([type, keywords]) =>
    keywords.some((keyword) => parts.some(({ schema }) => keyword in schema)) ? [type as Type] : []
  );
  return hinted.length > 0 ? hinted : types;
}

function typeListOf({ schema: { type }, pointer }: Part): string[][] {
  if (type === undefined) return [];
  const list = Array.isArray(type) ? type : [type], known: readonly string[] = [...TYPES, "integer"];
  if (list.length === 0 || list.some((one) => !known.includes(one))) {
    throw new SchemaError(`type: expected ${known.join(", ")} or a list of them, got ${JSON.stringify(type)}`, pointer);
  }
  return [list];
}

function literalsOf({ schema, pointer }: Part): (readonly unknown[])[] {
  const values = "const" in schema && schema.const !== undefined ? [[schema.const]] : [];
  return schema.enum === undefined ? values : [...values, listOf(schema, "enum", pointer)];
}

/** Both of the booleans, and null, one by one. */
function listedOf(values: Values): Values[] {
  if (values.kind === "boolean") return [false, true].map((value) => ({ kind: "literal", value }));
  return values.kind === "null" ? [{ kind: "literal", value: null }] : [values];
}

/** Whether a schema says nothing but types, of which all values of a kind have one. */
function isAllOfType({ schema, pointer }: Place, { kind, ...values }: Values): boolean {
  if (typeof schema === "boolean") return schema;
  if (Object.keys(schema).some((keyword) => keyword !== "type" && !isWord(keyword))) return false;
  const [types = [kind]] = typeListOf({ schema, pointer });
  return types.includes(kind) || "whole" in values && values.whole && types.includes("integer");
}

function childrenOf(values: Values): Node[] {
  if (values.kind === "array") return [...values.prefix, values.rest, ...values.contains === null ? [] : [containedBy(values)]];
  return values.kind === "object" ? [...values.properties.values(), values.othersNode] : [];
}

function isProductive(values: Values, has: (node: Node) => boolean): boolean {
  if (values.kind === "array") {
    return values.min <= mostItems(values, has) && (values.contains === null || mostItems(values, has) > 0 && has(containedBy(values)));
  }
  if (values.kind !== "object") return true;
  if (![...values.required].every((name) => has(values.properties.get(name)!))) return false;
  const named = [...values.properties.values()].filter(has).length;
  return named >= values.min || values.others !== "none" && has(values.othersNode);
}
