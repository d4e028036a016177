import { assertEquals } from "@std/assert";
import { characterValue, contents, floatLiteral, integerLiteral, units } from "../../lexer/tokens/literals.ts";

Deno.test("integerLiteral() reads every base and suffix", () => {
  const value = (text: string) => integerLiteral(text)?.value;
  assertEquals(value("0"), 0);
  assertEquals(value("0755"), 493);
  assertEquals(value("0xFFFFFFFFFFFFFFFF"), 18446744073709551615n);
  assertEquals(value("0b1011"), 11);
  assertEquals(value("1'000'000"), 1000000);
  assertEquals(integerLiteral("42ull"), { value: 42, decimal: true, unsigned: true, longs: 2, bitInt: false, bits: 0 });
  assertEquals(integerLiteral("42LLu")?.longs, 2);
  assertEquals(integerLiteral("7wb")?.bitInt, true);
  assertEquals(integerLiteral("0x10ui64")?.bits, 64);
});

Deno.test("integerLiteral() refuses what is none", () => {
  for (const text of ["08", "0x", "1.5", "1e3", "12abc", "1lL", "1uu", "0b2", "1i7"]) assertEquals(integerLiteral(text), null, text);
});

Deno.test("floatLiteral() reads decimal and hexadecimal forms", () => {
  const value = (text: string) => floatLiteral(text)?.value;
  assertEquals(value("1.5"), 1.5);
  assertEquals(value(".5e1"), 5);
  assertEquals(value("1e3"), 1000);
  assertEquals(value("1.f"), 1);
  assertEquals(value("0x1.8p1"), 3);
  assertEquals(value("0x1p-1074"), 5e-324);
  assertEquals(value("0x1.fffffffffffffp1023"), Number.MAX_VALUE);
  assertEquals(value("0x1p99999"), Infinity);
  assertEquals(floatLiteral("1.0L")?.suffix, "l");
  assertEquals(floatLiteral("1.0F16")?.suffix, "f16");
  assertEquals(floatLiteral("1.0i")?.imaginary, true);
});

Deno.test("floatLiteral() refuses what is none", () => {
  for (const text of ["1", "0x1", "1.2.3", "1e", "0x1.8", "1.0zz", "0x"]) assertEquals(floatLiteral(text), null, text);
});

Deno.test("characterValue() follows the target's char", () => {
  const value = (text: string, signed = true) => characterValue(text, signed, 32, true);
  assertEquals(value("'a'"), 97);
  assertEquals(value("'\\0'"), 0);
  assertEquals(value("'\\377'"), -1);
  assertEquals(value("'\\377'", false), 255);
  assertEquals(value("'\\x41'"), 65);
  assertEquals(value("'\\n'"), 10);
  assertEquals(value("'ab'"), 24930);
  assertEquals(value("L'\\xffffffff'"), -1);
  assertEquals(value("U'\\U0001F600'"), 0x1f600);
  assertEquals(value("u'é'"), 0xe9);
  assertEquals(value("''"), "empty character constant");
});

Deno.test("contents() and units() give the bytes of a string", () => {
  assertEquals(units(contents('"aé\\xff\\101"') as number[], 8), [97, 0xc3, 0xa9, 0xff, 65]);
  assertEquals(units(contents('u"\\U0001F600"') as number[], 16), [0xd83d, 0xde00]);
  assertEquals(contents('"\\q"'), "unknown escape sequence '\\q'");
});
