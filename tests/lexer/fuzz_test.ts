import { assertEquals } from "@std/assert";
import { fuzz } from "./fuzz.ts";
import { messages, model } from "./helpers.ts";

Deno.test("random and mutated headers never hang and never throw anything but a diagnostic", () => {
  const { errors } = fuzz(1500, 20_26);
  assertEquals(errors > 500, true); // or the mutations do nothing
});

Deno.test("huge inputs stay within bounds: a megabyte token, a million tokens, a thousand errors", () => {
  assertEquals(messages(`int ${"x".repeat(1 << 20)};`), []);
  assertEquals(messages(`#define S "${"x".repeat(1 << 20)}"\n`), []);
  assertEquals(messages(`int a[1${"0".repeat(1 << 20)}];`).map((message) => message.length < 3000), [true]);
  assertEquals(messages("int f(void);\n".repeat(100_000)), []);
  assertEquals(messages("foo x;\n".repeat(2000)).length, 500);
  assertEquals(messages(`${"/* ".repeat(1 << 18)}*/int x;`), []);
});

Deno.test("ten thousand unknown names among ten thousand known ones are told in good time", () => {
  let text = "";
  for (let i = 0; i < 10_000; i++) text += `typedef int name_of_type_${i};\nint function_${i}(name_of_typ_${i} x);\n`;
  const start = performance.now();
  assertEquals(messages(text)[0], "2:16: error: unknown type name 'name_of_typ_0'; did you mean 'name_of_type_0'?");
  assertEquals(performance.now() - start < 5000, true);
});

Deno.test("time grows linearly with the text", () => {
  const header = (n: number) =>
    Array.from(
      { length: n },
      (_, i) => `struct s${i} { int a, b; struct s${i} *next; };\nint f${i}(struct s${i} *, const char *);\n#define C${i} (${i} + 1)\n`,
    ).join("");
  const time = (text: string) => {
    const start = performance.now();
    model(text);
    return performance.now() - start;
  };
  time(header(2000));
  const small = Math.min(time(header(1000)), time(header(1000)), time(header(1000)));
  const large = Math.min(time(header(10_000)), time(header(10_000)));
  assertEquals(large < small * 40, true, `1000: ${small} ms, 10000: ${large} ms`);
});
