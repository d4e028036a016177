/**
 * JSON schemas as grammars, so that whatever a model writes is JSON and fits the schema.
 *
 * @module
 */

import { SchemaDocument } from "./document.ts";
import { Meaning } from "./meaning.ts";
import { writeGrammar } from "./write.ts";

export type { Schema } from "./document.ts";
export { SchemaError } from "./error.ts";

/**
 * The grammar (GBNF) of the JSON texts that fit a JSON schema, for `llama_sampler_init_grammar`; its root rule is `root`.
 *
 * Every text that fits the grammar is JSON and fits the schema, with drafts 7 to 2020-12; but a most that is a million above the least isn't counted. Not every text that fits the schema fits the
 * grammar: properties come in the order of the schema; a property or an item of which the schema says nothing isn't written (unless
 * `additionalProperties` allows it, or no property is named); numbers have at most sixteen digits on each side of the point; a schema
 * without a type has that of its other keywords; a format beside a pattern is a hint to the reader; what `contains` asks for comes after
 * eight items more than there have to be, at the latest.
 *
 * Understood are `type`, `enum`, `const`, `allOf`, `anyOf`, `oneOf` whose cases exclude each other, `$ref` inside of the document with
 * `$defs`, recursive too; `not` of values out of an `enum`, of types, and of objects by their properties; `if`, `then`, `else` where the
 * opposite of `if` can be said so; `properties`, `required`, `additionalProperties`, one of `patternProperties`, `propertyNames`,
 * `minProperties`, `maxProperties`; `items`, `prefixItems`, `minItems`, `maxItems`, `contains` of one item, `uniqueItems` of up to eight
 * values out of an `enum`; `minLength`, `maxLength`, `pattern`, `format`; `minimum`, `maximum`, their exclusive kin, and `multipleOf`.
 *
 * @param schema A JSON schema: an object of keywords, or `true` for any JSON.
 * @returns GBNF, a rule a line.
 * @throws {SchemaError} If it is no schema, says what a grammar can't (`not` of a string, `maxContains`, `dependentRequired` …), or no value
 * fits it. The message and `pointer` say where.
 *
 * @example
 * ```ts
 * import { grammarOfSchema } from "@ggml/deno/models";
 *
 * const grammar = grammarOfSchema({ type: "object", properties: { age: { type: "integer", minimum: 0, maximum: 120 } }, required: ["age"] });
 * console.log(grammar.split("\n")[0]); // root ::= "{" space "\"age\":" …
 * ```
 */
export function grammarOfSchema(schema: unknown): string {
  return rulesOfSchema(schema, "root");
}

/** {@linkcode grammarOfSchema} with another name for the root rule, as a part of a larger grammar. */
export function rulesOfSchema(schema: unknown, name: string): string {
  const document = new SchemaDocument(schema), meaning = new Meaning(document), root = [document.root];
  if (!meaning.hasValues(root)) throw meaning.contradiction;
  return writeGrammar(root, meaning, name).toString();
}
