import { assertEquals } from "@std/assert";
import { Content, Sources } from "../../lexer/text/source.ts";

function place(text: string, needle: string): [number, number] {
  const sources = new Sources();
  const content = new Content(text);
  sources.enter("t.h", "t.h", content, -1, false, true, -1);
  const { line, column } = sources.place(content.text.indexOf(needle));
  return [line, column];
}

Deno.test("place() counts lines and columns from 1", () => {
  assertEquals(place("a\n  b\n", "a"), [1, 1]);
  assertEquals(place("a\n  b\n", "b"), [2, 3]);
});

Deno.test("Content removes splices and keeps the places of what follows", () => {
  assertEquals(new Content("de\\\nfine").text, "define");
  assertEquals(new Content("a\\  \r\nb").text, "ab");
  assertEquals(new Content("\\\n\\\n\\\nx").text, "x");
  assertEquals(place("a \\\n \\\n  x\ny", "x"), [3, 3]);
  assertEquals(place("a \\\n \\\n  x\ny", "y"), [4, 1]);
  assertEquals(place("\\\n\\\nx", "x"), [3, 1]);
});

Deno.test("Content keeps a backslash that ends no line", () => {
  assertEquals(new Content("a\\b\\ c").text, "a\\b\\ c");
  assertEquals(new Content("a\\").text, "a\\");
});

Deno.test("lineText() gives the physical line", () => {
  const content = new Content("one \\\r\n two\r\nthree");
  assertEquals([1, 2, 3].map((line) => content.lineText(line)), ["one ", " two", "three"]);
});

Deno.test("Content drops a byte order mark", () => {
  assertEquals(new Content("\ufeffint x;").text, "int x;");
});

Deno.test("place() finds the file of a position", () => {
  const sources = new Sources();
  const a = sources.enter("a.h", "a.h", new Content("a\nb"), -1, false, true, -1);
  const b = sources.enter("b.h", "b.h", new Content(""), 0, false, false, 0);
  const c = sources.enter("c.h", "c.h", new Content("x\ny\n"), 0, false, false, 0);
  assertEquals(sources.place(a.base + 2).file, a);
  assertEquals(sources.place(b.base).file, b);
  assertEquals(sources.place(c.base + 2).line, 2);
  assertEquals(sources.place(a.base).line, 1);
});
