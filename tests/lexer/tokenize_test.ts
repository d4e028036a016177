import { assertEquals } from "@std/assert";
import { Diagnostics } from "../../lexer/text/diagnostics.ts";
import * as K from "../../lexer/tokens/kinds.ts";
import { Sources } from "../../lexer/text/source.ts";
import { BOL, Identifiers, SPACE, Tokenizer } from "../../lexer/tokens/tokenize.ts";

function tokens(text: string) {
  const tokenizer = new Tokenizer(text, 0, new Identifiers(), new Diagnostics(new Sources()));
  const out = [];
  for (let token = tokenizer.next(); token.kind !== K.EOF; token = tokenizer.next()) out.push(token);
  return out;
}

const spell = (text: string) => tokens(text).map((token) => token.text);

Deno.test("next() takes the longest punctuator", () => {
  assertEquals(spell("a+++++b"), ["a", "++", "++", "+", "b"]);
  assertEquals(spell("x<<=>>=->...%:%:<:%>"), ["x", "<<=", ">>=", "->", "...", "%:%:", "<:", "%>"]);
  assertEquals(spell("..."), ["..."]);
  assertEquals(spell(".."), [".", "."]);
  assertEquals(spell("a::b"), ["a", "::", "b"]);
});

Deno.test("next() reads preprocessing numbers", () => {
  assertEquals(spell("0x1p-3f .5e+10 1..2 1e 0xe+1 12_3 1'000"), ["0x1p-3f", ".5e+10", "1..2", "1e", "0xe+1", "12_3", "1'000"]);
});

Deno.test("next() reads strings and characters with prefixes", () => {
  assertEquals(spell(`L"a" u8"b" U'c' u"d" LL"e" '\\''`), ['L"a"', 'u8"b"', "U'c'", 'u"d"', "LL", '"e"', "'\\''"]);
  assertEquals(tokens(`"a\\"b"`).length, 1);
});

Deno.test("a lone quote is a stray character", () => {
  assertEquals(tokens("don't").map((token) => token.kind), [K.IDENTIFIER, K.OTHER, K.IDENTIFIER]);
});

Deno.test("comments are white space, quotes inside them nothing", () => {
  const [a, b, c] = tokens("a/* ' */b // \"\n c");
  assertEquals([a.flags, b.flags, c.flags], [BOL, SPACE, BOL | SPACE]);
});

Deno.test("identifiers are interned", () => {
  const [a, b, c] = tokens("name other name");
  assertEquals(a.id, c.id);
  assertEquals(a.id === b.id, false);
});

Deno.test("identifiers take letters of any script, $, and universal characters", () => {
  assertEquals(spell("größe $x \\u00e9t\\u00E9 日本"), ["größe", "$x", "été", "日本"]);
  assertEquals(spell("\\U0001F600x \\ud800 \\U00110000 \\u0061"), ["😀x", "\\ud800", "\\U00110000", "\\u0061"]);
});

Deno.test("the table of names grows", () => {
  const names = new Identifiers();
  const made = Array.from({ length: 20_000 }, (_, i) => names.intern(`n${i}`));
  assertEquals(made.every((id, i) => names.intern(`n${i}`) === id), true);
});

Deno.test("skipToDirective() passes over comments and quotes that hold line ends and #", () => {
  const tokenizer = new Tokenizer(
    'x /* \n#if \n*/ "#" don\'t\n \'"\' // "\n # endif',
    0,
    new Identifiers(),
    new Diagnostics(new Sources()),
  );
  assertEquals(tokenizer.skipToDirective(), true);
  assertEquals(tokenizer.next().text, "endif");
  assertEquals(tokenizer.skipToDirective(), false);
});
