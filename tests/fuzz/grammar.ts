/**
 * Grammars with mistakes in them, for libllama's parser and for what looks for mistakes before it: that must refuse nothing that C takes.
 *
 *     deno run --allow-ffi --allow-read --allow-write --allow-env tests/fuzz/grammar.ts [COUNT [SEED]] 2>/dev/null
 *
 * C's parser prints what it refuses to stderr.
 *
 * @module
 */

import { lib } from "@ggml/deno";
import { grammarOfSchema } from "@ggml/deno/models";
import { findGrammarError } from "../../models/gbnf_place.ts";
import { tinyModel } from "../models/models.ts";
import { Random } from "../random.ts";

const GRAMMARS = [
  'root ::= "a" | b\nb ::= [a-z]+ (c | "x"{2,3})* # hi\nc ::= . "\\n" [^\\]"a-]? \n',
  'root ::= (\n "a"\n | "b" \n)+ {2}\n\n# c\nx-1 ::= "\\u00e4" "" []',
  'root ::= a\r\na ::= | "x"\n',
  'root ::= <think> !<[12]> "a"\n',
  'root::="a"b|c\nb::=[\\x41-\\x5a]{0,}c\nc::= "z"{,3}\n',
  grammarOfSchema({ type: "object", properties: { a: { type: "number" }, b: { enum: ["x", 1, null] } } }),
];

const BITS = [...'"[]()|*+?{} #\\.!^-,_\t\r\n', "{2}", "{1,2}", "::=", "a", "root", "\\x4", "<a>"];

function mutated(random: Random): string {
  let grammar = random.pick(GRAMMARS);
  for (let changes = random.below(4); changes > 0; changes--) {
    const at = random.below(grammar.length + 1);
    grammar = grammar.slice(0, at) + (random.below(2) ? random.pick(BITS) : "") + grammar.slice(at + random.below(3));
  }
  return grammar;
}

const [count = 20_000, seed = 1] = Deno.args.map(Number), random = new Random(seed);
using model = await tinyModel();

function isTaken(grammar: string): boolean {
  try {
    using sampler = lib.llama_sampler_init_grammar(model.vocabulary.handle, grammar, "root");
    return sampler !== null;
  } catch {
    return false; // as an exception of C++
  }
}

const result = { taken: 0, found: 0, strict: [] as string[] };
for (let i = 0; i < count; i++) {
  const grammar = mutated(random), taken = isTaken(grammar), error = findGrammarError(grammar);
  if (taken) result.taken++;
  if (!taken && error !== null) result.found++;
  if (taken && error !== null) result.strict.push(`${JSON.stringify(grammar)}: ${error.message}`);
}
console.log(JSON.stringify(result));
