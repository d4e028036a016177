/**
 * Function bodies: what the statement parser makes of them.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { TokenStream } from "../../lexer/parse/stream.ts";
import { Parser } from "../../lexer/parse/parser.ts";
import { translationUnit } from "../../lexer/parse/parse.ts";
import type { Statement } from "../../lexer/parse/statement.ts";
import { printType } from "../../lexer/model/types.ts";
import { texts } from "./helpers.ts";

/** Reads a file with its bodies. */
function bodies(text: string): { parser: Parser; errors: string[] } {
  const stream = new TokenStream(["t.c"], { target: "x86_64-linux", read: texts({ "t.c": text }) });
  const parser = new Parser(stream, stream.pp, stream.target, stream.c23, true);
  translationUnit(parser);
  return { parser, errors: stream.diagnostics.list.map(({ line, message }) => `${line}: ${message}`) };
}

/** The kinds of statements, nested ones in brackets. */
function outline(statement: Statement): string {
  switch (statement.kind) {
    case "block":
      return `[${statement.body.map(outline).join(" ")}]`;
    case "if":
      return `if(${outline(statement.yes)}${statement.no === null ? "" : ` else ${outline(statement.no)}`})`;
    case "for":
      return `for(${statement.first === null ? "" : outline(statement.first) + " "}${outline(statement.body)})`;
    case "while":
    case "do":
    case "switch":
      return `${statement.kind}(${outline(statement.body)})`;
    case "declare":
      return `declare ${statement.locals.map(({ name, type }) => printType(type, name)).join(", ")}`;
    default:
      return statement.kind;
  }
}

function outlineOf(text: string): string {
  const { parser, errors } = bodies(text);
  assertEquals(errors, []);
  return outline(parser.bodies!.get("f")!.body);
}

Deno.test("every kind of statement is read", () => {
  assertEquals(
    outlineOf(`
      int g(int);
      int f(int n) {
        int a = 1, *b = &a, c[] = {1, 2, 3};
        if (n) a++; else { a += 2; }
        for (int i = 0; i < n; ++i) { if (i == 2) continue; break; }
        for (;;) break;
        while (n) n--;
        do { --n; } while (n > 0);
        switch (n) { case 1: g(1); break; default: ; }
        { ; }
        again:
        if (a) goto again;
        _Static_assert(1, "");
        return a ? g(n) : (int) 2.0;
      }`),
    "[declare int a, int *b, int c[3] if(expression else [expression]) " +
      "for(declare int i [if(continue) break]) for(break) while(expression) do([expression]) " +
      "switch([case expression break case]) [] label if(goto) return]",
  );
});

Deno.test("names have the meaning of the block that they are in", () => {
  const { parser, errors } = bodies(`
    typedef int T;
    int f(T T) { { int T = 2; T++; } return T; }
    T after;
  `);
  assertEquals(errors, []);
  assertEquals(parser.variables.map(({ name, type }) => printType(type, name)), ["T after"]);
});

Deno.test("a type is deduced where the declaration leaves it to the initializer", () => {
  assertEquals(outlineOf("long g(void); int f(void) { __auto_type x = g(); return x; }"), "[declare long x return]");
});

Deno.test("compound literals and designators are read", () => {
  const { parser, errors } = bodies("struct p { int x, y[2]; }; void f(struct p *q) { *q = (struct p) { .x = 1, .y = { [1] = 2 } }; }");
  assertEquals(errors, []);
  const [statement] = parser.bodies!.get("f")!.body.body;
  const right = statement.kind === "expression" && statement.value.kind === "assign" ? statement.value.right : null;
  assertEquals(right?.kind === "object" && right.list?.items.map(({ field }) => field), ["x", "y"]);
});

Deno.test("a statement that can't be read is reported, stands in the body as unread, and costs nothing behind it", () => {
  const { parser, errors } = bodies(`
    int f(int n) {
      n = 1;
      n = [](int x) { return x; };
      if (n) { auto & y = n; n++; }
      return n;
    }
    int g(void) { return 1; }
  `);
  assertEquals(errors.map((error) => error.split(":")[0]), ["4", "5", "5"]);
  assertEquals(outline(parser.bodies!.get("f")!.body), "[expression unread if([unread expression]) return]");
  assertEquals(outline(parser.bodies!.get("g")!.body), "[return]");
});

Deno.test("bodies are skipped where nobody wants them", () => {
  const stream = new TokenStream(["t.c"], { target: "x86_64-linux", read: texts({ "t.c": "int f(void) { what is this; } int x;" }) });
  const parser = new Parser(stream, stream.pp, stream.target, stream.c23);
  translationUnit(parser);
  assertEquals([parser.bodies, parser.variables.length, stream.diagnostics.list.length], [null, 1, 0]);
});
