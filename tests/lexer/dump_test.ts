import { assertEquals } from "@std/assert";
import { dump } from "../../lexer/mod.ts";
import { model } from "./helpers.ts";

Deno.test("dump() has the documented form", () => {
  assertEquals(
    dump(model(`#define BIG 0xffffffffffffffff
#define PI 3.14
#define NAME "x"
#define F(x) x
typedef struct node node;
struct node { node *next; unsigned a : 3, b : 5; };
enum color { RED = 1, BLUE = -9007199254740993 };
static inline int twice(int x) { return 2 * x; }
void (*find(const node *list, ...))(int, const char *);
extern node *first[2];
`)),
    {
      target: "x86_64-linux",
      functions: [
        { name: "twice", result: "int", parameters: [{ name: "x", type: "int" }], variadic: false, inline: true, file: "t.h", line: 8 },
        {
          name: "find",
          result: "void (*)(int, const char *)",
          parameters: [{ name: "list", type: "const node *" }],
          variadic: true,
          inline: false,
          file: "t.h",
          line: 9,
        },
      ],
      variables: [{ name: "first", type: "node *[2]", file: "t.h", line: 10 }],
      records: [{
        kind: "struct",
        name: "node",
        size: 16,
        align: 8,
        fields: [
          { name: "next", type: "node *", offset: 0 },
          { name: "a", type: "unsigned int", offset: 8, bitOffset: 0, bitWidth: 3 },
          { name: "b", type: "unsigned int", offset: 8, bitOffset: 3, bitWidth: 5 },
        ],
        file: "t.h",
        line: 6,
      }],
      enums: [{ name: "color", type: "long", values: [{ name: "RED", value: 1 }, { name: "BLUE", value: "-9007199254740993" }] }],
      typedefs: [{ name: "node", type: "struct node" }],
      constants: [
        { name: "BIG", kind: "int", value: "18446744073709551615" },
        { name: "PI", kind: "float", value: 3.14 },
        { name: "NAME", kind: "string", value: "x" },
      ],
      skipped: [{ name: "F", reason: "function-like macro", file: "t.h", line: 4 }],
    },
  );
});

Deno.test("types without a name are spelled by a place that has them", () => {
  const { records, typedefs, functions } = dump(model(`
    struct s { struct { int x; enum { A } e; } in[2], *p; union { struct { int z; } deep; }; };
    typedef struct { int y; } *handle;
    typedef struct { int w; } value;
    int f(handle, value);`));
  assertEquals(records.find((r) => r.name === "s")!.fields.map((f) => f.type), [
    "__typeof__(((struct s *)0)->in[0])[2]",
    "__typeof__(((struct s *)0)->in[0]) *",
    "union { __typeof__(((struct s *)0)->deep) deep; }",
  ]);
  assertEquals(typedefs.map((t) => t.type), ["__typeof__(*(*(handle *)0)) *", "value"]);
  assertEquals(functions[0].parameters.map((p) => p.type), ["handle", "value"]);
});
