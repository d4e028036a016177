import { assertEquals } from "@std/assert";
import { format, parse } from "../../lexer/mod.ts";
import { texts } from "./helpers.ts";

function report(files: Record<string, string>): string {
  return parse(["t.h"], { target: "x86_64-linux", read: texts(files) }).diagnostics.map(format).join("\n");
}

Deno.test("format() shows place, line and caret", () => {
  assertEquals(
    report({ "t.h": "int ok;\n\tint f(strange x);\n" }),
    "t.h:2:8: error: unknown type name 'strange'\n\tint f(strange x);\n\t      ^",
  );
});

Deno.test("format() shows the chain of includes", () => {
  assertEquals(
    report({ "t.h": '\n#include "a.h"\n', "a.h": '#include "b.h"\n', "b.h": "oops x;\n" }),
    "In file included from a.h:1,\n                 from t.h:2:\nb.h:1:1: error: unknown type name 'oops'\noops x;\n^",
  );
});

Deno.test("format() shows the chain of macro expansions, the use first", () => {
  assertEquals(
    report({ "t.h": "#define INNER strange\n#define OUTER(n) INNER n\nOUTER(x);\n" }),
    `t.h:3:1: error: unknown type name 'strange'
OUTER(x);
^
t.h:1:15: note: in the body of macro 'INNER'
#define INNER strange
              ^
t.h:2:18: note: expanded from here, in the body of macro 'OUTER'
#define OUTER(n) INNER n
                 ^`,
  );
});

Deno.test("#line is obeyed in diagnostics", () => {
  assertEquals(report({ "t.h": '#line 40 "grammar.y"\noops x;\n' }).split("\n")[0], "grammar.y:40:1: error: unknown type name 'oops'");
  assertEquals(report({ "t.h": "#line 0\noops x;\n" }).split("\n")[0], "t.h:0:1: error: unknown type name 'oops'");
});

Deno.test("a line of a megabyte is shown in part", () => {
  const text = report({ "t.h": `int a${" ".repeat(1_000_000)}, b; oops x;${" ".repeat(1_000_000)}\n` });
  assertEquals(text.length < 1000, true);
  const [, line, caret] = text.split("\n");
  assertEquals(line[caret.length - 1], "o");
});

Deno.test("control characters don't reach the terminal", () => {
  assertEquals(report({ "t.h": "oops \x1b[31m x;\n" }).includes("\x1b"), false);
});

Deno.test("one mistake is reported once", () => {
  const { diagnostics } = parse(["t.h"], { read: texts({ "t.h": '#include "a.h"\n#include "a.h"\n', "a.h": "oops x;\n" }) });
  assertEquals(diagnostics.length, 1);
});

Deno.test("a main file that can't be read is an error, and the others are parsed", () => {
  const { model, diagnostics } = parse(["no.h", "t.h"], { read: texts({ "t.h": "int x;" }) });
  assertEquals(diagnostics.map(format), ["error: cannot read 'no.h'; there is no such file"]);
  assertEquals(model.variables.length, 1);
});

Deno.test("strange bytes: NUL, CRLF, lone CR, no newline at the end, invalid UTF-8", () => {
  for (
    const text of [
      "int\0x;",
      "int x;\r\nint y;\r\n",
      "int x;\rint y;",
      "int x",
      "int \ufffd;",
      "#define A \\\r\n1\r\n",
      "\\",
      "#",
      "#if",
      "'",
      '"',
      "\f\v\0",
    ]
  ) {
    parse(["t.h"], { read: texts({ "t.h": text }) });
  }
  assertEquals(parse(["t.h"], { read: texts({ "t.h": "#define A \\\r\n 1\r\nint x[A];" }) }).diagnostics, []);
});

Deno.test("a file that can't be read is an error with the reason, and parse() doesn't throw", () => {
  const read = (path: string) => {
    if (path === "secret.h") throw new Error("not for you");
    return path === "t.h" ? '#include "secret.h"\nint x;\n' : undefined;
  };
  assertEquals(parse(["secret.h"], { read }).diagnostics.map((d) => d.message), [
    "cannot read 'secret.h'; 'secret.h' can't be read: not for you",
  ]);
  const { model, diagnostics } = parse(["t.h"], { read });
  assertEquals(diagnostics.length, 1);
  assertEquals(diagnostics[0].message.endsWith("; 'secret.h' can't be read: not for you"), true);
  assertEquals(model.variables.length, 1);
});

Deno.test("a printed diagnostic has no control characters of the header's", () => {
  const clear = "\x1b[2J\x9b2J\x07";
  const text = `#error ${clear}\n#include "a${clear}.h"\n#line 5 "b${clear}"\nint f(foo${clear} x);\n#define ${clear} 1\n`;
  const { diagnostics } = parse(["t.h"], { read: (path) => path === "t.h" ? text : undefined });
  assertEquals(diagnostics.length > 3, true);
  const printed = diagnostics.map(format).join("\n");
  assertEquals(/(?![\t\n])\p{Cc}/u.test(printed), false, JSON.stringify(printed));
});
