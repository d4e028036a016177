/**
 * JSON schemas as grammars: what a random model writes by them is JSON and fits the schema.
 *
 * @module
 */

import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { lib } from "@ggml/deno";
import { grammarOfSchema, SchemaError } from "@ggml/deno/models";
import { FORMAT_NAMES } from "../../models/schema/formats.ts";
import { loadTinyLlama, tinyContext } from "../tiny_llama.ts";
import { FIRST_BYTE, VOCAB_SIZE, writeByteLlama } from "./byte_llama.ts";
import { randomSchemas } from "./random_schemas.ts";

const folder = Deno.makeTempDirSync();
addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));

let known: lib.llama_model | null = null;

function theModel(): lib.llama_model {
  if (known !== null) return known;
  writeByteLlama(`${folder}/bytes.gguf`);
  return known = loadTinyLlama(`${folder}/bytes.gguf`);
}

/** After so many tokens, the model gets a bias to what ends texts, arrays and objects. */
const PATIENCE = 60;

/** Fewer tokens than that end every answer of these tests. */
const MOST = 3000;

/** What ends something, and what some patterns wait for. */
const ENDINGS: readonly (readonly [letters: string, bias: number])[] = [['"', 60], ["]}0nbdx@", 12]];

/** What the model must not write: bytes that are no characters alone, and control tokens, whose names llama.cpp takes for text here. */
const BANNED = [0, 1, ...Array.from({ length: 128 }, (_, i) => FIRST_BYTE + 128 + i)];

/** A bias for some tokens, by their ids. */
function bias(tokens: readonly number[], value: number): lib.llama_sampler {
  const biases = tokens.map((token) => new lib.llama_logit_bias({ token, bias: value }));
  return lib.llama_sampler_init_logit_bias(VOCAB_SIZE, biases.length, biases);
}

function textOf(vocab: lib.llama_vocab, token: number): string {
  const bytes = new Uint8Array(32), length = lib.llama_token_to_piece(vocab, token, bytes, 32, 0, false);
  return new TextDecoder().decode(bytes.subarray(0, length));
}

/** What the model writes by a grammar. */
function answer(grammar: string, seed: number): string {
  const model = theModel(), vocab = lib.llama_model_get_vocab(model);
  using ctx = tinyContext(model, { n_ctx: MOST + 8 });
  const byGrammar = lib.llama_sampler_init_grammar(vocab, grammar, "root");
  const same = byGrammar === null ? null : lib.llama_sampler_clone(byGrammar);
  assert(byGrammar !== null && same !== null, `llama.cpp can't read the grammar:\n${grammar}`);
  using chain = lib.llama_sampler_chain_init(lib.llama_sampler_chain_default_params());
  lib.llama_sampler_chain_add(chain, bias(BANNED, -Infinity));
  lib.llama_sampler_chain_add(chain, byGrammar);
  lib.llama_sampler_chain_add(chain, lib.llama_sampler_init_dist(seed));
  using hurry = lib.llama_sampler_chain_init(lib.llama_sampler_chain_default_params());
  lib.llama_sampler_chain_add(hurry, bias(BANNED, -Infinity));
  for (const [letters, value] of ENDINGS) {
    lib.llama_sampler_chain_add(hurry, bias([...letters].map((letter) => FIRST_BYTE + letter.charCodeAt(0)), value));
  }
  lib.llama_sampler_chain_add(hurry, same);
  lib.llama_sampler_chain_add(hurry, lib.llama_sampler_init_dist(seed));
  let text = "", token = 1;
  for (let i = 0; i < MOST; i++) {
    assertEquals(lib.llama_decode(ctx, lib.llama_batch_get_one(Int32Array.of(token), 1)), 0);
    const [now, other] = i < PATIENCE ? [chain, hurry] : [hurry, chain];
    token = lib.llama_sampler_sample(now, ctx, -1);
    if (lib.llama_vocab_is_eog(vocab, token)) return text;
    if (i < PATIENCE) lib.llama_sampler_accept(other, token);
    text += textOf(vocab, token);
  }
  throw new Error(`no end after ${MOST} tokens by\n${grammar}\n${text.slice(0, 300)}`);
}

const ajv = new Ajv2020({ strict: false, validateFormats: true });
(addFormats as unknown as (ajv: Ajv2020) => void)(ajv);

/** Asserts that answers by a schema's grammar are JSON and fit it. */
function assertFits(schema: unknown, seeds: readonly number[]): string[] {
  const grammar = grammarOfSchema(schema), validate = ajv.compile(schema as boolean);
  return seeds.map((seed) => {
    const text = answer(grammar, seed), value = JSON.parse(text);
    assert(validate(value), `${text}\ndoes not fit ${JSON.stringify(schema)}: ${ajv.errorsText(validate.errors)}\n${grammar}`);
    return text;
  });
}

Deno.test("200 random schemas: what a random model writes by their grammars fits them", () => {
  let tried = 0, refused = 0;
  for (const [i, schema] of randomSchemas(20, 2000).entries()) {
    try {
      grammarOfSchema(schema);
    } catch (error) {
      assert(error instanceof SchemaError, `${JSON.stringify(schema)}: ${(error as Error).stack}`);
      assertMatch(error.message, / \(at #[^ ]*\)$/);
      refused++;
      continue;
    }
    assertFits(schema, [i]);
    if (++tried === 200) break;
  }
  assertEquals(tried, 200);
  assert(refused < 200, `${refused} schemas were refused`);
});

/** Whether a grammar takes a text, as a whole: each byte of it is let through, and then the end. */
function takes(grammar: string, text: string): boolean {
  const vocab = lib.llama_model_get_vocab(theModel());
  using sampler = lib.llama_sampler_init_grammar(vocab, grammar, "root");
  assert(sampler !== null, grammar);
  const END = 2, tokens = [...new TextEncoder().encode(text)].map((byte) => FIRST_BYTE + byte);
  return [...tokens, END].every((id) => {
    const data = [new lib.llama_token_data({ id, logit: 1, p: 0 })];
    const candidates = new lib.llama_token_data_array({ size: 1, selected: -1, sorted: false });
    candidates.data = data;
    lib.llama_sampler_apply(sampler, candidates);
    if (candidates.data!.logit === -Infinity) return false;
    if (id !== END) lib.llama_sampler_accept(sampler, id);
    return true;
  });
}

const PERSON = {
  type: "object",
  properties: { name: { type: "string" }, age: { type: "integer", minimum: 0, maximum: 120 }, mail: { type: ["string", "null"] } },
  required: ["name"],
};

const SHAPES = {
  oneOf: [
    { properties: { kind: { const: "circle" }, r: { type: "number", exclusiveMinimum: 0 } }, required: ["kind", "r"] },
    { properties: { kind: { const: "square" }, side: { type: "number", minimum: 0 } }, required: ["kind", "side"] },
  ],
};

const LIST = {
  $defs: { list: { type: ["object", "null"], properties: { next: { $ref: "#/$defs/list" } }, required: ["next"] } },
  $ref: "#/$defs/list",
};

/** Schemas, with texts that their grammars take, and others. */
const TEXTS: Readonly<Record<string, readonly [schema: unknown, right: readonly string[], wrong: readonly string[]]>> = {
  "anything": [true, ["1", '"a\\u00e9"', '{"a":[1,{"b":null}]}', "-1.5e3", "[]"], ["01", "'a'", "[1,]", "{a:1}", '"\n"', ""]],
  "properties in order, some missing": [
    PERSON,
    ['{"name":"A"}', '{"name": "A", "age": 3}', '{"name":"","mail":null}', '{\n  "name": "A",\n  "age": 120\n}'],
    ["{}", '{"age":3}', '{"name":"A","age":121}', '{"name":"A","x":1}', '{"name":"A",}'],
  ],
  "cases with a const of their own": [SHAPES, ['{"kind":"circle","r":0.5}', '{"kind":"square","side":0}'], [
    '{"kind":"circle","side":1}',
    '{"kind":"circle","r":0}',
  ]],
  "a list that holds itself": [LIST, ["null", '{"next":{"next":null}}'], ["{}", '{"next":{}}']],
  "lengths": [{ type: "string", minLength: 2, maxLength: 3 }, ['"ab"', '"äöü"', '"\\n\\""'], ['"a"', '"abcd"']],
  "long lengths": [{ type: "string", minLength: 1500, maxLength: 1600 }, [`"${"a".repeat(1500)}"`, `"${"a".repeat(1600)}"`], [
    `"${"a".repeat(1499)}"`,
    `"${"a".repeat(1601)}"`,
  ]],
  "a pattern anywhere": [{ pattern: "b+" }, ['"b"', '"abbc"'], ['"ac"', '""']],
  "a pattern and a length": [{ pattern: "^[a-c]+-\\d$", maxLength: 5 }, ['"a-1"', '"abc-1"'], ['"abca-1"', '"-1"']],
  "a pattern of characters that JSON escapes": [{ pattern: '^["\\\\\\t]+$' }, ['"\\"\\\\\\t"'], ['"a"', '"""']],
  "a leap day": [{ format: "date" }, ['"2024-02-29"', '"2000-02-29"', '"2023-12-31"'], [
    '"2023-02-29"',
    '"1900-02-29"',
    '"2023-13-01"',
    '"2023-04-31"',
  ]],
  "an address has a dot behind the @": [{ format: "email" }, ['"a.b@c.de"', '"A+1@x-y.example.org"'], ['"a@b"', '"@b.de"', '"a..b@c.de"']],
  "whole numbers between bounds": [{ type: "integer", minimum: -12, maximum: 1034 }, ["-12", "-9", "0", "7", "999", "1034"], [
    "-13",
    "1035",
    "-0",
    "007",
    "1.0",
  ]],
  "whole numbers from a bound": [{ type: "integer", exclusiveMinimum: 41.5 }, ["42", "99", "100", "123456"], ["41", "-42", "0"]],
  "numbers between bounds": [{ type: "number", minimum: 0, maximum: 1 }, ["0", "1", "0.25", "0.999"], ["1.5", "-0.1", "2"]],
  "multiples": [{ type: "integer", multipleOf: 7 }, ["0", "7", "-14", "7000000"], ["8", "-1", "13"]],
  "multiples between bounds": [{ type: "number", multipleOf: 0.25, minimum: 0, maximum: 1 }, ["0", "0.25", "0.5", "1"], ["0.3", "1.25"]],
  "so many items": [{ items: { type: "boolean" }, minItems: 1, maxItems: 2 }, ["[true]", "[true, false]"], ["[]", "[true,true,true]"]],
  "first items": [{ prefixItems: [{ const: 1 }, { type: "null" }], items: false }, ["[]", "[1]", "[1,null]"], ["[null]", "[1,null,1]"]],
  "first and other items": [{ prefixItems: [{ const: 1 }], items: { const: 2 }, minItems: 2 }, ["[1,2]", "[1,2,2]"], ["[1]", "[1,1]"]],
  "other properties": [
    { properties: { ab: { const: 1 } }, additionalProperties: { type: "boolean" } },
    ["{}", '{"ab":1,"a":true,"abc":false,"":true}', '{"x":true}'],
    ['{"ab":true}', '{"x":1}', '{"\\u0061b":true}'],
  ],
  "properties by a pattern": [{ patternProperties: { "^x-": { type: "null" } } }, ["{}", '{"x-a":null}'], ['{"x-a":1}', '{"a":null}']],
  "so many properties": [
    { properties: { a: { const: 1 }, b: { const: 1 }, c: { const: 1 } }, minProperties: 1, maxProperties: 2 },
    ['{"a":1}', '{"a":1,"c":1}', '{"b":1,"c":1}'],
    ["{}", '{"a":1,"b":1,"c":1}'],
  ],
  "names out of a list": [{ propertyNames: { enum: ["a", "b"] }, additionalProperties: { const: 0 } }, ["{}", '{"a":0,"b":0}'], [
    '{"c":0}',
    '{"a":1}',
  ]],
  "all of several": [
    { allOf: [{ properties: { a: { type: "number" } }, required: ["a"] }, { properties: { a: { minimum: 3, maximum: 3.5 } } }] },
    ['{"a":3}', '{"a":3.5}'],
    ["{}", '{"a":2}', '{"a":"3"}'],
  ],
  "as Pydantic writes models": [
    {
      $defs: {
        Cat: {
          properties: { kind: { const: "cat", title: "Kind", type: "string" }, lives: { default: 9, type: "integer" } },
          required: ["kind"],
          type: "object",
        },
        Dog: {
          properties: { kind: { const: "dog", type: "string" }, name: { anyOf: [{ type: "string" }, { type: "null" }], default: null } },
          required: ["kind"],
        },
      },
      discriminator: { mapping: { cat: "#/$defs/Cat", dog: "#/$defs/Dog" }, propertyName: "kind" },
      oneOf: [{ $ref: "#/$defs/Cat" }, { $ref: "#/$defs/Dog" }],
      title: "Pet",
    },
    ['{"kind":"cat","lives":7}', '{"kind":"dog","name":null}', '{"kind":"dog"}'],
    ['{"kind":"cat","name":"a"}', '{"kind":"cow"}', "{}"],
  ],
  "as Zod writes dates": [
    {
      $schema: "https://json-schema.org/draft/2020-12/schema",
      type: "string",
      format: "date",
      pattern: "^(?:\\d{4})-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\\d|2[0-8])$",
    },
    ['"2024-02-28"'],
    ['"2024-13-01"', '"2024-02-30"'],
  ],
  "an enum without some of its values": [
    { enum: [1, "a", 2.5, null, { x: [1] }], not: { anyOf: [{ type: "number" }, { const: null }] } },
    ['"a"', '{"x":[1]}'],
    ["1", "2.5", "null"],
  ],
  "types without some": [
    { type: ["string", "boolean", "null"], not: { enum: [true, null, 3] } },
    ['"true"', "false"],
    ["true", "null", "3"],
  ],
  "not what isn't": [{ not: { not: { type: "integer", minimum: 3, maximum: 5 } } }, ["3", "5"], ["2", '"a"']],
  "objects that are no others": [
    {
      type: "object",
      properties: { kind: { enum: ["a", "b", "c"] }, n: { type: "integer" } },
      required: ["kind"],
      not: { properties: { kind: { const: "b" } }, required: ["kind"] },
    },
    ['{"kind":"a"}', '{"kind":"c","n":1}'],
    ['{"kind":"b"}', '{"kind":"b","n":1}', "{}"],
  ],
  "an object without a property": [
    { properties: { a: { type: "null" }, b: { type: "null" } }, type: "object", not: { required: ["a", "b"] } },
    ["{}", '{"a":null}', '{"b":null}'],
    ['{"a":null,"b":null}'],
  ],
  "a case for each kind, by if": [
    {
      type: "object",
      properties: { country: { enum: ["US", "NL", "DE"] }, code: { type: "string" } },
      required: ["country", "code"],
      if: { properties: { country: { const: "US" } }, required: ["country"] },
      then: { properties: { code: { pattern: "^[0-9]{5}$" } } },
      else: {
        if: { properties: { country: { const: "NL" } } },
        then: { properties: { code: { pattern: "^[0-9]{4}[A-Z]{2}$" } } },
        else: { properties: { code: { const: "-" } } },
      },
    },
    ['{"country":"US","code":"12345"}', '{"country":"NL","code":"1234AB"}', '{"country":"DE","code":"-"}'],
    ['{"country":"US","code":"1234AB"}', '{"country":"NL","code":"12345"}', '{"country":"DE","code":"12345"}', '{"country":"DE"}'],
  ],
  "a property that another one asks for, by if": [
    {
      type: "object",
      properties: { a: { type: "null" }, b: { type: "null" } },
      if: { required: ["a"] },
      then: { required: ["b"] },
    },
    ["{}", '{"b":null}', '{"a":null,"b":null}'],
    ['{"a":null}'],
  ],
  "if with else alone, of values": [
    { enum: [1, 2, "a", "b"], if: { type: "integer" }, else: { const: "b" } },
    ["1", "2", '"b"'],
    ['"a"'],
  ],
  "items that differ, out of an enum": [
    { type: "array", items: { enum: ["a", "b", 3] }, uniqueItems: true, minItems: 1 },
    ['["a"]', '["b","a"]', '[3,"a","b"]'],
    ["[]", '["a","a"]', '["a","b","a"]', '["a","b",3,3]'],
  ],
  "two that differ": [
    { type: "array", items: { type: ["boolean", "null"] }, uniqueItems: true, minItems: 2, maxItems: 2 },
    ["[true,false]", "[null,true]"],
    ["[true,true]", "[true,false,null]", "[true]"],
  ],
  "an item that has to be there": [
    { type: "array", items: { type: "integer", minimum: 0, maximum: 9 }, contains: { minimum: 7 } },
    ["[7]", "[1,8]", "[9,0,1]", "[1,2,7,3]"],
    ["[]", "[1]", "[1,2,3]", "[10]"],
  ],
  "an item that has to be there, in bounds": [
    { type: "array", items: { enum: ["a", "b"] }, contains: { const: "b" }, minItems: 2, maxItems: 3 },
    ['["a","b"]', '["b","a"]', '["a","a","b"]', '["b","b","b"]'],
    ['["b"]', '["a","a"]', '["a","a","a"]', '["b","a","a","a"]'],
  ],
  "an item that has to be there, of three or more": [
    { type: "array", items: { enum: [1, 2] }, contains: { const: 2 }, minItems: 3 },
    ["[2,1,1]", "[1,1,2]", "[1,1,1,1,2]", "[2,2,2,2,1]"],
    ["[2,1]", "[1,1,1]"],
  ],
  "what fits enum and the other keywords": [{ enum: [1, "a", 2.5, null, { x: [1] }], type: ["integer", "object"] }, ["1", '{"x":[1]}'], [
    '"a"',
    "2.5",
    "null",
  ]],
};

for (const [name, [schema, right, wrong]] of Object.entries(TEXTS)) {
  Deno.test(`grammarOfSchema: ${name}`, () => {
    const grammar = grammarOfSchema(schema), validate = ajv.compile(schema as boolean);
    for (const text of right) {
      assert(validate(JSON.parse(text)), `${text}: ${ajv.errorsText(validate.errors)}`);
      assert(takes(grammar, text), `${text} should fit\n${grammar}`);
    }
    for (const text of wrong) assert(!takes(grammar, text), `${text} should not fit\n${grammar}`);
    assertFits(schema, [1, 2]);
  });
}

Deno.test("grammarOfSchema: three hundred properties make a grammar that grows with them, not with their square", () => {
  const lengths = [150, 300].map((count) => {
    const properties = Object.fromEntries(Array.from({ length: count }, (_, i) => [`p${i}`, { type: "integer" }]));
    const grammar = grammarOfSchema({ type: "object", properties });
    assert(takes(grammar, "{}") && takes(grammar, '{"p3":1}') && takes(grammar, `{"p3":1,"p${count - 1}":2}`));
    assert(!takes(grammar, '{"p4":1,"p3":2}') && !takes(grammar, '{"p3":1,"p3":2}'));
    return grammar.length;
  });
  assert(lengths[1] < 2.2 * lengths[0], lengths.join());
});

for (const format of FORMAT_NAMES) {
  Deno.test(`grammarOfSchema: the format ${format}`, () => void assertFits({ type: "string", format }, [1, 2, 3, 4, 5, 6, 7, 8]));
}

/** Schemas without a grammar, and what is said of them. */
const WRONG: Readonly<Record<string, readonly [schema: unknown, message: RegExp, pointer: string]>> = {
  "no schema": [5, /^expected a schema, which is an object or a boolean, got 5/, "#"],
  "a type that there isn't": [{ properties: { a: { type: "text" } } }, /^type: expected object, array, .* got "text"/, "#/properties/a"],
  "a word that isn't known": [{ minLenght: 3 }, /^minLenght: .* no keyword that is known/, "#"],
  "what no grammar can say of a property": [
    { properties: { a: { type: "string", not: { const: "x" } } }, required: ["a"] },
    /^not: can't be made into a grammar/,
    "#/properties/a",
  ],
  "what no grammar can say in an if": [
    { properties: { a: { type: "string" } }, required: ["a"], type: "object", if: { properties: { a: { pattern: "x" } } }, else: {} },
    /^not: can't be made into a grammar/,
    "#/if",
  ],
  "not what is one of some": [{ enum: [1, 2], not: { oneOf: [{ const: 1 }] } }, /^not: .* oneOf inside/, "#"],
  "nothing left": [{ enum: [1, 2], not: { type: "integer" } }, /no value of enum or const fits the other keywords/, "#"],
  "more items that differ than there are": [
    { items: { type: "boolean" }, uniqueItems: true, minItems: 3 },
    /^no value fits the schema: of 2 values no 3 items differ/,
    "#",
  ],
  "so many of some items": [{ items: { type: "null" }, contains: {}, maxContains: 2 }, /^maxContains: can't be made into a grammar/, "#"],
  "an item that can't be there": [{ items: { type: "null" }, contains: { type: "string" } }, /^no value fits the schema/, "#/contains"],
  "what no grammar can say": [{ items: { not: { const: 1 } } }, /^not: can't be made into a grammar/, "#/items"],
  "items that differ": [{ type: "array", uniqueItems: true }, /^uniqueItems can't be made into a grammar/, "#"],
  "bounds that exclude each other": [
    { properties: { n: { type: "integer", minimum: 5, maximum: 3 } }, required: ["n"] },
    /no whole number is at least 5 and at most 3/,
    "#/properties/n",
  ],
  "bounds without a number between": [
    { type: "integer", exclusiveMinimum: 1, exclusiveMaximum: 2 },
    /no whole number is above 1 and below 2/,
    "#",
  ],
  "types that exclude each other": [
    { allOf: [{ type: "string" }, { type: "null" }] },
    /^no value fits the schema: the types contradict each other/,
    "#/allOf/1",
  ],
  "false where something has to be": [
    { properties: { a: false }, required: ["a"] },
    /^no value fits the schema: false allows none/,
    "#/properties/a",
  ],
  "what never ends": [{ properties: { a: { $ref: "#" } }, required: ["a"] }, /never ends/, "#"],
  "what is a part of itself": [{ anyOf: [{ $ref: "#" }, { type: "null" }] }, /^the schema is a part of itself/, "#"],
  "a reference to nothing": [{ items: { $ref: "#/$defs/a~1b" } }, /leads to nothing: # has no "\$defs"/, "#/items"],
  "a reference that can't be read": [{ $ref: "#/%zz" }, /^\$ref: "#\/%zz" has a % that stands for nothing/, "#"],
  "half a surrogate pair": [{ properties: { "\ud800": {} } }, /^the name "\\ud800" has half a surrogate pair/, "#/properties"],
  "a reference to elsewhere": [{ $ref: "https://example.org/schema" }, /leads out of the document/, "#"],
  "cases with something in common": [
    { oneOf: [{ type: "integer" }, { type: "number" }] },
    /^oneOf: .* case 0 doesn't fit case 1 too/,
    "#/oneOf",
  ],
  "no regular expression": [{ pattern: "(" }, /^"\(" is no regular expression: /, "#"],
  "a pattern that looks ahead": [{ pattern: "a(?=b)" }, /^the pattern a\(\?=b\) has \(\?=b\), which is no part of a grammar/, "#"],
  "an anchor inside": [{ pattern: "a^b" }, /has \^, which stands inside of the pattern/, "#"],
  "a pattern that is too long": [{ pattern: "^abc$", maxLength: 2 }, /^no string of 0 to 2 characters fits/, "#"],
  "a pattern and a length that don't go together": [{ pattern: "^(ab)+c*$", maxLength: 5 }, /write the length into the pattern/, "#"],
  "a format that isn't known": [{ format: "color" }, /^format: expected one of date, .* got "color"/, "#"],
  "a count that is none": [{ minLength: -1 }, /^minLength: expected a whole number from 0, got -1/, "#"],
  "a case too many": [
    { allOf: Array.from({ length: 12 }, () => ({ anyOf: [{ type: "null" }, { type: "string" }] })) },
    /more than 2000 cases/,
    "#",
  ],
};

for (const [name, [schema, message, pointer]] of Object.entries(WRONG)) {
  Deno.test(`grammarOfSchema: ${name} is a SchemaError`, () => {
    const error = assertThrows(() => grammarOfSchema(schema), SchemaError);
    assertMatch(error.message, message);
    assertEquals(error.pointer, pointer);
  });
}

Deno.test("grammarOfSchema: a most that no answer reaches is none, and what is at least so much is in blocks that C takes", () => {
  const most = 2 ** 31 - 1, unbounded = { type: "array", items: { type: "string" } };
  assertMatch(grammarOfSchema({ type: "string", maxLength: most }), /^root ::= "\\"" char\* "\\""$/m);
  assertEquals(grammarOfSchema({ ...unbounded, maxItems: most }), grammarOfSchema(unbounded));
  for (
    const schema of [{ minLength: most, type: "string" }, { ...unbounded, minItems: most }, {
      pattern: `^[ab]{5,${most}}$`,
      type: "string",
    }]
  ) {
    for (const [, count] of grammarOfSchema(schema).matchAll(/\{(?:\d+,)?(\d+)\}/g)) {
      assert(Number(count) <= 2000, `${count} of ${JSON.stringify(schema)}`);
    }
  }
});
