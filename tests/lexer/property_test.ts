import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { parse, printType, type TargetName } from "../../lexer/mod.ts";
import { messages, model, texts } from "./helpers.ts";
import { haveGcc } from "./judge.ts";

// Declarations: print a random type, parse it, get it back.

const base = fc.constantFrom(
  "void *",
  "int",
  "unsigned char",
  "const char",
  "long long",
  "double",
  "struct tag",
  "const struct tag",
  "enum color",
  "name",
  "volatile name",
  "_Bool",
  "unsigned __int128",
);

/** A declarator around `inner`, as text. Functions don't return arrays or functions, and arrays don't hold functions. */
const declarator: fc.Memo<string> = fc.memo((depth) => {
  const inner = depth > 1 ? declarator(depth - 1) : fc.constant("x");
  return fc.oneof(
    inner,
    inner.map((d) => `*${d}`),
    inner.map((d) => `*const ${d}`),
    fc.tuple(inner, fc.integer({ min: 1, max: 9 })).map(([d, n]) => `(*${d})[${n}]`),
    fc.tuple(inner, fc.array(base, { maxLength: 3 }), fc.boolean()).map(([d, parameters, variadic]) => {
      const list = variadic && parameters.length > 0 ? [...parameters, "..."] : parameters;
      return `(*${d})(${list.length > 0 ? list.join(", ") : "void"})`;
    }),
    fc.tuple(inner, fc.integer({ min: 1, max: 9 })).filter(([d]) => !d.startsWith("(")).map(([d, n]) =>
      d.startsWith("*") ? `(${d})[${n}]` : `${d}[${n}]`
    ),
  );
});

const PRELUDE = "struct tag { int a; }; enum color { RED }; typedef long name;\n";

Deno.test("property: a printed type parses to the same type", () => {
  fc.assert(
    fc.property(base, declarator(5), (type, text) => {
      const read = (source: string) => {
        const result = parse(["t.h"], { target: "x86_64-linux", read: texts({ "t.h": source }) });
        return result.diagnostics.length > 0 ? null : result.model.variables[0].type;
      };
      const first = read(`${PRELUDE}extern ${type} ${text};`);
      fc.pre(first !== null); // such as an array of functions
      const printed = printType(first!, "x");
      const second = read(`${PRELUDE}extern ${printed};`);
      assertEquals(second === null ? null : printType(second, "x"), printed);
      assertEquals(messages(`${PRELUDE}extern ${type} ${text}; extern ${printed}; extern __typeof__(${printType(first!)}) x;`), []);
    }),
    { numRuns: 400 },
  );
});

// Layouts: random records, each member's place as gcc has it.

const scalar = fc.constantFrom(
  "char",
  "signed char",
  "short",
  "int",
  "unsigned",
  "long",
  "long long",
  "float",
  "double",
  "long double",
  "void *",
  "__int128",
  "_Bool",
  "struct small",
  "struct odd",
  "char3",
  "aligned16",
  "aligned1",
);

const attribute = fc.oneof(
  { weight: 8, arbitrary: fc.constant("") },
  fc.constant(" __attribute__((packed))"),
  fc.constantFrom(1, 2, 4, 8, 16).map((n) => ` __attribute__((aligned(${n})))`),
);

const bitField = fc.tuple(
  fc.constantFrom(["char", 8], ["unsigned char", 8], ["short", 16], ["unsigned short", 16], ["int", 32], ["unsigned", 32], ["long", 64], [
    "unsigned long long",
    64,
  ]),
  fc.nat(64),
  fc.integer({ min: 0, max: 9 }),
).map(([[type, most], width, kind]) => {
  const w = 1 + width % (most as number);
  if (kind === 0) return (_: string) => `${type} : 0`;
  if (kind === 1) return (_: string) => `${type} : ${w}`;
  return (name: string) => `${type} ${name} : ${w}`;
});

const member = fc.oneof(
  fc.tuple(scalar, attribute).map(([type, attributes]) => (name: string) => `${type} ${name}${attributes}`),
  fc.tuple(scalar.filter((type) => type !== "aligned16"), fc.integer({ min: 1, max: 5 })).map(([type, n]) => (name: string) =>
    `${type} ${name}[${n}]`
  ),
  bitField,
  bitField,
);

const record = fc.record({
  kind: fc.constantFrom("struct", "struct", "struct", "union"),
  members: fc.array(member, { minLength: 1, maxLength: 8 }),
  pack: fc.constantFrom(0, 0, 0, 1, 2, 4, 8),
  attributes: fc.constantFrom("", "", "", "__attribute__((packed))", "__attribute__((aligned(8)))", "__attribute__((packed, aligned(2)))"),
});

const LAYOUT_PRELUDE = `struct small { char a; short b; };
struct odd { char a[7]; } __attribute__((packed));
typedef char char3[3];
typedef int aligned16 __attribute__((aligned(16)));
typedef long aligned1 __attribute__((aligned(1)));
`;

Deno.test({
  name: "property: random records are laid out as gcc lays them out, bit-fields bit for bit",
  ignore: !haveGcc(),
  fn() {
    const samples = fc.sample(record, 400);
    let header = LAYOUT_PRELUDE;
    let program = '#include <stdio.h>\n#include <string.h>\n#include "t.h"\n';
    program += "static void bits(const char *n, unsigned char *p, int size) { int first = -1, count = 0;\n" +
      '  for (int i = 0; i < size * 8; i++) if (p[i / 8] >> (i % 8) & 1) { if (first < 0) first = i; count++; } printf("%s %d+%d\\n", n, first, count); }\nint main(void) {\n';
    samples.forEach(({ kind, members, pack, attributes }, i) => {
      const list = members.map((make, m) => `  ${make(`m${m}`)};\n`).join("");
      if (pack > 0) header += `#pragma pack(push, ${pack})\n`;
      header += `${kind} ${attributes} r${i} {\n${list}};\n`;
      if (pack > 0) header += "#pragma pack(pop)\n";
      program += `  printf("r${i} %zu %zu\\n", sizeof(${kind} r${i}), _Alignof(${kind} r${i}));\n`;
      members.forEach((make, m) => {
        const name = `m${m}`;
        const text = make(name);
        if (!text.includes(name)) return;
        if (text.includes(" : ")) {
          program +=
            `  { union { ${kind} r${i} r; unsigned char b[sizeof(${kind} r${i}) + 1]; } u; memset(&u, 0, sizeof u); u.r.${name} = -1; bits("r${i}.${name}", u.b, sizeof u); }\n`;
        } else program += `  printf("r${i}.${name} %zu\\n", __builtin_offsetof(${kind} r${i}, ${name}));\n`;
      });
    });
    program += "}\n";
    const folder = Deno.makeTempDirSync();
    try {
      Deno.writeTextFileSync(`${folder}/t.h`, header);
      Deno.writeTextFileSync(`${folder}/t.c`, program);
      const built = new Deno.Command("gcc", { args: ["-w", "-O0", "-o", `${folder}/t`, `${folder}/t.c`], stderr: "piped" }).outputSync();
      if (!built.success) throw new Error(new TextDecoder().decode(built.stderr));
      const theirs = new TextDecoder().decode(new Deno.Command(`${folder}/t`).outputSync().stdout).trim().split("\n");
      const { records } = model(header);
      const ours: string[] = [];
      for (const r of records) {
        if (!/^r\d+$/.test(r.name ?? "")) continue;
        ours.push(`${r.name} ${r.size} ${r.align}`);
        for (const f of r.fields) {
          ours.push(
            f.bitWidth === undefined
              ? `${r.name}.${f.name} ${f.offset}`
              : `${r.name}.${f.name} ${f.offset * 8 + f.bitOffset!}+${f.bitWidth}`,
          );
        }
      }
      for (let i = 0; i < Math.max(ours.length, theirs.length); i++) {
        if (ours[i] === theirs[i]) continue;
        const name = (theirs[i] ?? ours[i]).split(/[ .]/)[0];
        const from = header.lastIndexOf("\n", header.indexOf(` ${name} {`));
        throw new Error(`gcc: ${theirs[i]}, ours: ${ours[i]}\n${header.slice(Math.max(0, from - 24), header.indexOf("};", from) + 2)}`);
      }
    } finally {
      Deno.removeSync(folder, { recursive: true });
    }
  },
});

const TRIPLES: Record<TargetName, string> = {
  "x86_64-linux": "x86_64-linux-gnu",
  "aarch64-linux": "aarch64-linux-gnu",
  "x86_64-macos": "x86_64-apple-macos14",
  "aarch64-macos": "arm64-apple-macos14",
  "x86_64-windows": "x86_64-pc-windows-msvc",
  "aarch64-windows": "aarch64-pc-windows-msvc",
};

function haveClang(): boolean {
  try {
    if (new Deno.Command("clang", { args: ["--version"], stdout: "null", stderr: "null" }).outputSync().success) return true;
  } catch {
    // said below
  }
  console.warn("SKIPPED: layouts of every target against clang (there is no clang here)");
  return false;
}

Deno.test({
  name: "property: random records are laid out as clang lays them out on every target",
  ignore: !haveClang(),
  fn() {
    const samples = fc.sample(record, 400);
    let header = LAYOUT_PRELUDE;
    samples.forEach(({ kind, members, pack, attributes }, i) => {
      if (pack > 0) header += `#pragma pack(push, ${pack})\n`;
      header += `${kind} ${attributes} r${i} {\n${members.map((make, m) => `  ${make(`m${m}`)};\n`).join("")}};\n`;
      if (pack > 0) header += "#pragma pack(pop)\n";
    });
    for (const [target, triple] of Object.entries(TRIPLES)) {
      // A bit-field of 33 bits and more fits no long of Windows.
      const text = target.endsWith("windows") ? header.replaceAll(/^ {2}long( \w*)? : /gm, "  long long$1 : ") : header;
      const lines = [text];
      for (const r of model(text, { target: target as TargetName }).records) {
        const name = `${r.kind} ${r.name}`;
        lines.push(`_Static_assert(sizeof(${name}) == ${r.size}, ""); _Static_assert(_Alignof(${name}) == ${r.align}, "");`);
        for (const f of r.fields) {
          if (f.bitWidth === undefined) lines.push(`_Static_assert(__builtin_offsetof(${name}, ${f.name}) == ${f.offset}, "");`);
        }
      }
      const file = Deno.makeTempFileSync({ suffix: ".c" });
      Deno.writeTextFileSync(file, lines.join("\n"));
      const { success, stderr } = new Deno.Command("clang", {
        args: ["-target", triple, "-w", "-fsyntax-only", "-ferror-limit=3", file],
        stderr: "piped",
      })
        .outputSync();
      Deno.removeSync(file);
      if (success) continue;
      const message = new TextDecoder().decode(stderr);
      const name = /r\d+/.exec(message.slice(message.indexOf("_Static_assert")))?.[0];
      const from = text.lastIndexOf("\n", text.indexOf(` ${name} {`));
      throw new Error(`${target}: ${message}\n${text.slice(Math.max(0, from - 24), text.indexOf("};", from) + 2)}`);
    }
  },
});
