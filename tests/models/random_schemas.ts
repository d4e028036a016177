/**
 * Random JSON schemas.
 *
 * @module
 */

import fc from "fast-check";

type Schema = Record<string, unknown>;

const NAMES = ["a", "ab", "abc", "b", "name", "é", 'q"', "x y"];

const small = fc.integer({ min: -150, max: 150 });
const count = fc.integer({ min: 0, max: 6 });

const literal = fc.oneof(fc.string({ maxLength: 6 }), small, fc.constantFrom(null, true, false, 0.5, [], [1, "x"], { a: 1 }));

const integers = fc.record({ type: fc.constant("integer"), minimum: small, maximum: small, multipleOf: fc.constantFrom(1, 3, 10) }, {
  requiredKeys: ["type"],
});
const decimal = small.map((value) => value / 8);
const numbers = fc.record({ type: fc.constant("number"), minimum: decimal, maximum: decimal }, { requiredKeys: ["type"] });
const exclusive = fc.record({ type: fc.constantFrom("integer", "number"), exclusiveMinimum: decimal, exclusiveMaximum: small }, {
  requiredKeys: ["type"],
});
const strings = fc.record({ type: fc.constant("string"), minLength: count, maxLength: count }, { requiredKeys: ["type"] });
const PATTERNS = [
  "^[a-z]+$",
  "^\\d{3}-\\d{4}$",
  "x",
  "^(yes|no)?$",
  '^["\\\\\\n]*$',
  "d$",
  "^[^a-z]{1,3}$",
  "^\\p{Lu}\\w*$",
  "^.{2,5}$",
  "^a|b$",
];
const patterns = fc.record({ type: fc.constant("string"), pattern: fc.constantFrom(...PATTERNS) });
const FORMATS = [
  "date",
  "time",
  "date-time",
  "duration",
  "uuid",
  "email",
  "hostname",
  "ipv4",
  "ipv6",
  "uri",
  "uri-reference",
  "json-pointer",
];
const formats = fc.record({ type: fc.constant("string"), format: fc.constantFrom(...FORMATS) });
const simple = fc.record({
  type: fc.constantFrom("null", "boolean", "string", "number", "integer", ["string", "null"], ["integer", "boolean"]),
});
const enums = fc.record({ enum: fc.uniqueArray(literal, { minLength: 1, maxLength: 4, selector: (value) => JSON.stringify(value) }) });
const consts = fc.record({ const: literal });

const without = fc.record({
  enum: fc.uniqueArray(literal, { minLength: 2, maxLength: 5, selector: (value) => JSON.stringify(value) }),
  not: fc.oneof(simple, consts, enums),
});
const distinct = fc.record({
  type: fc.constant("array"),
  items: fc.oneof(enums, fc.constant({ type: ["boolean", "null"] })),
  uniqueItems: fc.constant(true),
  minItems: fc.integer({ min: 0, max: 2 }),
  maxItems: fc.integer({ min: 1, max: 4 }),
}, { requiredKeys: ["type", "items", "uniqueItems"] });
const containing = fc.record({
  type: fc.constant("array"),
  items: fc.oneof(fc.constant({ type: ["integer", "string", "null"] }), enums, fc.constant({})),
  contains: fc.oneof(integers, enums, fc.constant({ type: "null" })),
  minItems: fc.integer({ min: 0, max: 3 }),
  maxItems: fc.integer({ min: 1, max: 5 }),
}, { requiredKeys: ["type", "items", "contains"] });
const KINDS = ["a", "b", 3, true];
const kinds = fc.uniqueArray(fc.constantFrom(...KINDS), { minLength: 1, maxLength: 3 });
const condition = fc.record({
  properties: fc.record({ kind: fc.oneof(kinds.map((some) => ({ enum: some })), fc.constant({ type: "string" })) }),
  required: fc.constantFrom(["kind"], ["n"], ["kind", "n"]),
  type: fc.constant("object"),
}, { requiredKeys: ["properties"] });
const property = (value: fc.Arbitrary<unknown>) => fc.record({ properties: fc.record({ n: value }), required: fc.constant(["n"]) });
const conditional = fc.record({
  type: fc.constantFrom("object", ["object", "null"]),
  properties: fc.record({ kind: fc.constant({ enum: KINDS }), n: fc.constant({ type: ["integer", "string"] }) }),
  required: fc.constant(["kind"]),
  if: condition,
  then: property(fc.oneof(integers, strings)),
  else: property(fc.oneof(integers, strings, enums)),
  not: condition,
}, { requiredKeys: ["type", "properties"] });

const leaf = fc.oneof(
  integers,
  numbers,
  exclusive,
  strings,
  patterns,
  formats,
  simple,
  enums,
  consts,
  without,
  distinct,
  containing,
  conditional,
);

const { schema } = fc.letrec<{ schema: Schema; object: Schema; array: Schema }>((tie) => ({
  schema: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    leaf,
    tie("object"),
    tie("array"),
    fc.record({ anyOf: fc.array(tie("schema"), { minLength: 1, maxLength: 3 }) }),
    fc.record({ oneOf: fc.array(tie("schema"), { minLength: 1, maxLength: 2 }) }),
    fc.record({ allOf: fc.array(tie("object"), { minLength: 1, maxLength: 2 }) }),
    fc.record({ $ref: fc.constantFrom("#/$defs/list", "#/$defs/tree", "#/$defs/short") }),
    fc.constantFrom({}, { type: "object" }, { type: "array" }),
  ),
  object: fc.record({
    type: fc.constant("object"),
    properties: fc.dictionary(fc.constantFrom(...NAMES), tie("schema"), { maxKeys: 4 }),
    required: fc.uniqueArray(fc.constantFrom(...NAMES), { maxLength: 2 }),
    additionalProperties: fc.oneof(fc.boolean(), tie("schema")),
    minProperties: fc.integer({ min: 0, max: 2 }),
    maxProperties: fc.integer({ min: 1, max: 6 }),
  }, { requiredKeys: ["type"] }) as fc.Arbitrary<Schema>,
  array: fc.record({
    type: fc.constant("array"),
    items: tie("schema"),
    prefixItems: fc.array(tie("schema"), { minLength: 1, maxLength: 3 }),
    minItems: fc.integer({ min: 0, max: 3 }),
    maxItems: fc.integer({ min: 0, max: 4 }),
  }, { requiredKeys: ["type"] }) as fc.Arbitrary<Schema>,
}));

const $defs = {
  list: {
    type: "object",
    properties: { value: { type: "integer" }, next: { anyOf: [{ $ref: "#/$defs/list" }, { type: "null" }] } },
    required: ["next"],
  },
  tree: { type: "array", items: { $ref: "#/$defs/tree" }, maxItems: 2 },
  short: { type: "string", maxLength: 3 },
};

/** Schemas that a seed repeats; some contradict themselves, or say what no grammar can say. */
export function randomSchemas(seed: number, numRuns: number): Schema[] {
  return fc.sample(schema.map((schema) => ({ ...schema, $defs })), { seed, numRuns });
}
