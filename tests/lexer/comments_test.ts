/**
 * What a header says in comments of its declarations.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { Comments } from "../../lexer/tokens/comments.ts";
import type { Origin } from "../../lexer/mod.ts";
import { model } from "./helpers.ts";

/** What is said of what a declaration is called, by the position that the model has of it. */
function described(text: string) {
  const { functions, constants, records, enums } = model(text);
  const comments = new Comments(text);
  const at = ({ line, column }: Origin) => comments.at(line, column);
  return {
    functions: Object.fromEntries(functions.map((item) => [item.name, at(item)])),
    constants: Object.fromEntries(constants.map((item) => [item.name, at(item)])),
    member: (name: string, kind: "declaration" | "enumerator") => {
      const { line, column } = kind === "declaration" ? records[0] : enums[0];
      return comments.member(line, column, name, kind)?.comment;
    },
  };
}

Deno.test("a comment belongs to the declaration below it and to the one before it on its line", () => {
  const { functions } = described(`#define API extern
// not of f

// first line
//   second line, indented
API int f(int a, // with
          int b); // behind
                  // and on
/* not behind
   f */
void g(void);
`);
  assertEquals(functions.f.comment, "first line\n  second line, indented\nbehind\nand on");
  assertEquals(functions.f.source, "API int f(int a, // with\n          int b);");
  assertEquals(functions.g.comment, "not behind\nf");
});

Deno.test("the comment above a group is shared by the lines that follow it, up to a blank one", () => {
  const { functions } = described("/* all */\nint a(void);\nint b(\n  int x);\nint c(void); // own\n\nint d(void);\n");
  assertEquals(["a", "b", "c", "d"].map((name) => [functions[name].comment, functions[name].shared]), [
    ["all", ""],
    ["", "all"],
    ["own", "all"],
    ["", ""],
  ]);
});

Deno.test("a few words between blank lines head a section; sentences, code and notes don't", () => {
  const { functions } = described(`int a(void);

//
// Things to do
//

int b(void);

// TODO: c

// This is a sentence.

// call(x) first

int c(void);
struct s {

  // in a struct

  int x;
};
int d(void);
`);
  assertEquals(["a", "b", "c", "d"].map((name) => functions[name].section), [null, "Things to do", "Things to do", "Things to do"]);
});

Deno.test("a wrapping macro, an inline body and a directive are spelled whole", () => {
  const { functions, constants } = described(`#define OLD(f, why) f
#define TEN \\
  10 // ten
// old
OLD(int f(int a), "; }");
static inline int g(void) { return f(1); } // body
int h(void);
`);
  assertEquals(functions.f.source, `OLD(int f(int a), "; }");`);
  assertEquals(functions.f.comment, "old");
  assertEquals([functions.g.source, functions.g.comment], ["static inline int g(void) { return f(1); }", "body"]);
  assertEquals(functions.h.source, "int h(void);");
  assertEquals(constants.TEN.comment, "ten");
});

Deno.test("members have comments too; one that a macro writes has none", () => {
  const { member } = described(`#define FIELD int hidden;
struct s { // of s
  int a; // behind a
  // above b
  int b[3];
  FIELD
};
enum e {
  ONE,     // first
  TWO = 2, // second
  THREE    // third
};
`);
  assertEquals(["a", "b", "hidden"].map((name) => member(name, "declaration")), ["behind a", "above b", undefined]);
  assertEquals(["ONE", "TWO", "THREE"].map((name) => member(name, "enumerator")), ["first", "second", "third"]);
});
