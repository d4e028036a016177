import { assertEquals } from "@std/assert";
import type { TargetName } from "../../lexer/mod.ts";
import { model } from "./helpers.ts";

const ALL: TargetName[] = ["x86_64-linux", "aarch64-linux", "x86_64-macos", "aarch64-macos", "x86_64-windows", "aarch64-windows"];

/** `size align field@offset …`, bit-fields as `field@offset.bit+width`. */
function layout(text: string, target: TargetName = "x86_64-linux"): string {
  const { records } = model(text, { target });
  const record = records.find((r) => r.name === "s") ?? records[0];
  const fields = record.fields.map((f) => `${f.name}@${f.offset}${f.bitWidth === undefined ? "" : `.${f.bitOffset}+${f.bitWidth}`}`);
  return [record.size, record.align, ...fields].join(" ");
}

Deno.test("members are aligned, and the record padded", () => {
  for (const target of ALL) {
    assertEquals(layout("struct s { char a; double b; short c; };", target), "24 8 a@0 b@8 c@16");
    assertEquals(layout("union s { char a[5]; int b; };", target), "8 4 a@0 b@0");
    assertEquals(layout("struct s { int n; char data[]; };", target), "4 4 n@0 data@4");
  }
});

Deno.test("long and long double have the target's sizes", () => {
  const text = "struct s { char c; long l; long double d; };";
  assertEquals(ALL.map((target) => layout(text, target)), [
    "32 16 c@0 l@8 d@16",
    "32 16 c@0 l@8 d@16",
    "32 16 c@0 l@8 d@16",
    "24 8 c@0 l@8 d@16",
    "16 8 c@0 l@4 d@8",
    "16 8 c@0 l@4 d@8",
  ]);
});

Deno.test("bit-fields: the Itanium rules share units across types, Microsoft's don't", () => {
  const text = "struct s { char a : 4; int b : 4; char c : 4; };";
  assertEquals(layout(text, "x86_64-linux"), "4 4 a@0.0+4 b@0.4+4 c@1.0+4");
  assertEquals(layout(text, "x86_64-windows"), "12 4 a@0.0+4 b@4.0+4 c@8.0+4");
});

Deno.test("bit-fields don't straddle their type, but where packed", () => {
  assertEquals(layout("struct s { int a : 20; int b : 20; };"), "8 4 a@0.0+20 b@4.0+20");
  assertEquals(layout("struct __attribute__((packed)) s { int a : 20; int b : 20; };"), "5 1 a@0.0+20 b@0.20+20");
  assertEquals(layout("#pragma pack(1)\nstruct s { int a : 20; int b : 20; };"), "5 1 a@0.0+20 b@0.20+20");
});

Deno.test("a zero width ends a unit; on AArch64 Linux an unnamed one aligns the record", () => {
  const text = "struct s { char a; int : 0; char b; };";
  assertEquals(layout(text, "x86_64-linux"), "5 1 a@0 b@4");
  assertEquals(layout(text, "aarch64-linux"), "8 4 a@0 b@4");
  assertEquals(layout(text, "x86_64-windows"), "2 1 a@0 b@1");
  assertEquals(layout("struct s { int a : 3; int : 0; char b; };", "x86_64-windows"), "8 4 a@0.0+3 b@4");
});

Deno.test("packed and aligned, on the record, the member and the typedef", () => {
  assertEquals(layout("struct s { char a; int b __attribute__((packed)); short c; };"), "8 2 a@0 b@1 c@6");
  assertEquals(layout("struct s { char a; char b __attribute__((aligned(8))); };"), "16 8 a@0 b@8");
  assertEquals(layout("struct s { char a; _Alignas(16) char b; };"), "32 16 a@0 b@16");
  assertEquals(layout("typedef int T __attribute__((aligned(16))); struct s { char a; T b; };"), "32 16 a@0 b@16");
  assertEquals(layout("typedef int T __attribute__((aligned(1))); struct s { char a; T b; };"), "5 1 a@0 b@1");
  assertEquals(layout("struct __attribute__((packed, aligned(4))) s { char a; double b; };"), "12 4 a@0 b@1");
});

Deno.test("#pragma pack: push, pop, names, and no effect on what came before", () => {
  const s = (pragma: string) => layout(`${pragma}\nstruct s { char a; int b; };`);
  assertEquals(s("#pragma pack(2)"), "6 2 a@0 b@2");
  assertEquals(s("#pragma pack(push, 1)\n#pragma pack(push, 2)\n#pragma pack(pop)"), "5 1 a@0 b@1");
  assertEquals(s("#pragma pack(push, x, 1)\n#pragma pack(push, 2)\n#pragma pack(pop, x)"), "8 4 a@0 b@4");
  assertEquals(s("#pragma pack(1)\n#pragma pack()"), "8 4 a@0 b@4");
  assertEquals(s("#define N 2\n#pragma pack(push, N)"), "6 2 a@0 b@2");
  assertEquals(s('_Pragma("pack(1)")'), "5 1 a@0 b@1");
});

Deno.test("enums, pointers, vectors, complex and 128-bit members", () => {
  assertEquals(
    layout(
      "typedef float v __attribute__((vector_size(16))); struct s { enum { A } e; void (*f)(void); v x; _Complex float c; __int128 i; _Float16 h; };",
    ),
    "80 16 e@0 f@8 x@16 c@32 i@48 h@64",
  );
});

Deno.test("an incomplete member is an error", async () => {
  const { messages } = await import("./helpers.ts");
  assertEquals(messages("struct t; struct s { struct t x; };"), ["1:31: error: field 'x' has the incomplete type 'struct t'"]);
  assertEquals(messages("struct s { void x; int f(void); int a[]; int b; };").length >= 2, true);
});
