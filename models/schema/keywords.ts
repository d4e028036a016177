/**
 * The keywords of JSON Schema: which are understood, which say nothing about the value, which no grammar can say.
 *
 * @module
 */

import { SchemaError } from "./error.ts";
import type { Keywords } from "./document.ts";

/** The keywords of each type. What has one of them and no `type` is taken for that type. */
export const KEYWORDS_OF_TYPE = {
  string: ["minLength", "maxLength", "pattern", "format"],
  number: ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"],
  array: ["items", "prefixItems", "additionalItems", "minItems", "maxItems", "uniqueItems", "contains", "minContains", "maxContains"],
  object: ["properties", "required", "additionalProperties", "patternProperties", "propertyNames", "minProperties", "maxProperties"],
} as const;

const STRUCTURE = [
  "type",
  "enum",
  "const",
  "$ref",
  "$defs",
  "definitions",
  "$anchor",
  "allOf",
  "anyOf",
  "oneOf",
  "not",
  "if",
  "then",
  "else",
];

/** Words about the schema, for its reader. */
const WORDS = [
  ...["$schema", "$id", "$comment", "title", "description", "default", "examples", "example", "deprecated", "readOnly", "writeOnly"],
  ...["contentMediaType", "contentEncoding", "contentSchema", "discriminator", "externalDocs"],
];

const UNDERSTOOD: ReadonlySet<string> = new Set([...STRUCTURE, ...WORDS, ...Object.values(KEYWORDS_OF_TYPE).flat()]);

/** Whether a keyword says nothing about a value. */
export function isWord(keyword: string): boolean {
  return WORDS.includes(keyword) || keyword.startsWith("x-");
}

/** What would have to look back at what was written. */
const UNSAYABLE: Readonly<Record<string, string>> = {
  dependentRequired: "a grammar can't look back at other properties: use anyOf with both cases written out",
  dependentSchemas: "a grammar can't look back at other properties: use anyOf with both cases written out",
  dependencies: "a grammar can't look back at other properties: use anyOf with both cases written out",
  unevaluatedProperties: "use additionalProperties, beside all of the properties",
  unevaluatedItems: "use items, beside all of prefixItems",
  $dynamicRef: "only $ref is followed",
  $recursiveRef: "only $ref is followed",
  nullable: 'it is no keyword of JSON Schema: use type ["…", "null"]',
};

/** Throws where a schema has a keyword that isn't understood: it would be dropped in silence. */
export function checkKeywords(schema: Keywords, pointer: string): void {
  for (const keyword of Object.keys(schema)) {
    if (UNDERSTOOD.has(keyword) || keyword.startsWith("x-")) continue;
    if (schema[keyword] === undefined) continue;
    const why = Object.hasOwn(UNSAYABLE, keyword) ? UNSAYABLE[keyword] : "it is no keyword that is known";
    throw new SchemaError(`${keyword}: can't be made into a grammar: ${why}`, pointer);
  }
}

/** A keyword's value, which has to be a number that isn't negative and whole; `otherwise` where it isn't there. */
export function countOf(schema: Keywords, keyword: string, otherwise: number, pointer: string): number {
  const value = schema[keyword];
  if (value === undefined) return otherwise;
  if (!Number.isInteger(value) || value as number < 0) {
    throw new SchemaError(`${keyword}: expected a whole number from 0, got ${JSON.stringify(value)}`, pointer);
  }
  return value as number;
}

/** A keyword's value, which has to be an array with something in it; empty where it isn't there. */
export function listOf(schema: Keywords, keyword: string, pointer: string): readonly unknown[] {
  const value = schema[keyword];
  if (value === undefined) return [];
  if (!Array.isArray(value) || value.length === 0) {
    throw new SchemaError(`${keyword}: expected an array that isn't empty, got ${JSON.stringify(value)}`, pointer);
  }
  return value;
}
