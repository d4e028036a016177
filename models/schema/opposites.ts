/**
 * What doesn't fit a schema, as schemas: for `not`, and for `else`.
 *
 * A grammar says what a value is, so the opposite of a schema has to be said by what there is instead: a property that is missing, or one whose
 * value is another. What is left is a `not` that is looked at where the values are known: of an `enum` those that fit it are left out.
 *
 * @module
 */

import { below, isObject, type Keywords, type Node, type Place, placeAt } from "./document.ts";
import { SchemaError } from "./error.ts";
import { isWord } from "./keywords.ts";

/** The schema under `not`, if it is one whose opposite can't be said otherwise. */
export function leftOutBy({ schema, pointer }: { readonly schema: Keywords; readonly pointer: string }): Place[] {
  if (schema.not === undefined) return [];
  const place = placeAt(schema.not, below(pointer, "not"));
  if (oppositesOf(place) !== null) return [];
  const unsure = /"(oneOf|format)":/.exec(JSON.stringify(place.schema))?.[1]; // of which more fits than a grammar writes
  if (unsure === undefined) return [place];
  throw new SchemaError(`not: can't be made into a grammar where it has ${unsure} inside`, pointer);
}

/** Cases of which a value fits one or more if it doesn't fit the schema. */
export function casesAgainst(place: Place): Node[] {
  return oppositesOf(place) ?? [[{ schema: { not: place.schema }, pointer: derived(place, "not") }]];
}

/** The cases by other keywords than `not`; null where there are none. */
function oppositesOf(place: Place): Node[] | null {
  const { schema, pointer } = place;
  if (typeof schema === "boolean") return schema ? [] : [[]];
  const keywords = Object.keys(schema).filter((keyword) => schema[keyword] !== undefined && !isWord(keyword));
  if (keywords.length === 0) return [];
  if (keywords.length === 1 && keywords[0] === "not") return [[placeAt(schema.not, below(pointer, "not"))]];
  if (!keywords.some((keyword) => OF_OBJECTS.includes(keyword))) return null;
  const other = keywords.find((keyword) => keyword !== "type" && !OF_OBJECTS.includes(keyword));
  if (other !== undefined) {
    throw new SchemaError(`${other}: can't be made into a grammar where it must not hold together with properties`, pointer);
  }
  return oppositesOfObject(schema, place);
}

const OF_OBJECTS: readonly string[] = ["properties", "required"];

/** A value of another type, an object without one of the properties, or one with a property of another value. */
function oppositesOfObject({ type, required = [], properties = {} }: Keywords, place: Place): Node[] {
  const { pointer } = place, say = (schema: Keywords, ...what: string[]): Node => [{ schema, pointer: derived(place, ...what) }];
  if (!isObject(properties) || !Array.isArray(required)) {
    throw new SchemaError("expected properties to be an object, and required an array", pointer);
  }
  return [
    ...type === undefined ? [] : [say({ not: { type } }, "type")],
    ...required.map((name) => say({ type: "object", properties: { [name]: false } }, "required", name)),
    ...Object.entries(properties).map(([name, schema]) =>
      say({ type: "object", properties: { [name]: { not: schema } }, required: [name] }, "properties", name)
    ),
  ];
}

/** A pointer of a schema that isn't in the document: what is behind the space tells it from others, and is left out where it is shown. */
function derived({ pointer }: Place, ...what: readonly string[]): string {
  return `${pointer} ${below("not", ...what)}`;
}
