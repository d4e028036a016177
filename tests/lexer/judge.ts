/**
 * The compiler as judge: gcc is asked whether it sees in a header what our model says of it.
 *
 * A C file includes the headers, redeclares every function, asserts every size, alignment, offset, enum value and integer constant, and must
 * compile; and the functions that gcc lists (`-aux-info`) must be those of the model.
 *
 * @module
 */

import { type Dump, dump, format, parse, type ParseOptions } from "../../lexer/mod.ts";

/** What a judgement may be told. */
export interface JudgeOptions extends ParseOptions {
  /** More arguments for gcc. */
  readonly flags?: readonly string[];
}

/** gcc's words on a model. */
export interface Verdict {
  /** Everything that differs, in words; empty where nothing does. */
  readonly differences: string[];
  readonly functions: number;
  readonly assertions: number;
}

let known: boolean | undefined;

/** Whether there is a gcc here that makes code for x86-64 Linux. Says so, loudly, where there is none. */
export function haveGcc(): boolean {
  if (known === undefined) {
    try {
      const { success, stdout } = new Deno.Command("gcc", { args: ["-dumpmachine"], stdout: "piped", stderr: "null" }).outputSync();
      known = success && /^x86_64.*linux/.test(new TextDecoder().decode(stdout));
    } catch {
      known = false;
    }
    if (!known) console.warn("SKIPPED: comparisons with gcc (there is no gcc for x86-64 Linux here)");
  }
  return known;
}

/** The preprocessor's flags for gcc. */
function flagsOf(options: JudgeOptions): string[] {
  return [
    "-std=gnu17",
    "-w",
    ...(options.include ?? []).map((path) => `-I${path}`),
    ...(options.system ?? []).flatMap((path) => ["-isystem", path]),
    ...Object.entries(options.defines ?? {}).map(([name, value]) => `-D${name}=${value}`),
    ...(options.flags ?? []),
  ];
}

/** Runs gcc; its status and what it wrote to stderr. */
export function gcc(args: readonly string[]): { ok: boolean; out: string; err: string } {
  const { success, stdout, stderr } = new Deno.Command("gcc", {
    args: [...args],
    stdout: "piped",
    stderr: "piped",
    env: { LC_ALL: "C" },
  }).outputSync();
  const decoder = new TextDecoder();
  return { ok: success, out: decoder.decode(stdout), err: decoder.decode(stderr) };
}

/** Asks gcc about the headers. */
export function judge(headers: readonly string[], options: JudgeOptions = {}): Verdict {
  const { model, diagnostics } = parse(headers, { standard: true, target: "x86_64-linux", ...options });
  const differences = diagnostics.filter((d) => d.severity === "error").map(format);
  const json = dump(model);
  const lines: string[] = headers.map((header) => `#include "${header}"`);
  const enums = model.enums;
  // A typedef with an alignment of its own is not laid out as its record is.
  const aligned = new Set(model.typedefs.filter((typedef) => typedef.align !== undefined).map((typedef) => typedef.name));
  const aliases = model.records.map((record) => record.alias !== null && aligned.has(record.alias) ? null : record.alias);
  const assertions = write(json, aliases, lines, new Set(enums.filter((e) => e.complete).map((e) => e.name)));
  const folder = Deno.makeTempDirSync();
  try {
    const file = `${folder}/judge.c`;
    const list = `${folder}/judge.X`;
    Deno.writeTextFileSync(file, lines.join("\n") + "\n");
    const flags = flagsOf(options);
    const compiled = gcc([...flags, "-fsyntax-only", "-fmax-errors=40", file]);
    if (!compiled.ok) {
      for (const line of compiled.err.split("\n")) {
        const found = /^[^:]*judge\.c:(\d+):\d+: (error|fatal error): (.*)$/.exec(line);
        if (found !== null) differences.push(`${found[3]}   <=   ${lines[Number(found[1]) - 1]}`);
        else if (/: (fatal )?error: /.test(line)) differences.push(line);
      }
      if (differences.length === 0) differences.push(compiled.err);
    }
    const plain = `${folder}/plain.c`;
    Deno.writeTextFileSync(plain, headers.map((header) => `#include "${header}"\n`).join(""));
    gcc([...flags, "-fsyntax-only", "-aux-info", list, plain]);
    const theirs = auxNames(Deno.readTextFileSync(list));
    const ours = new Set(json.functions.map((f) => f.name));
    for (const name of theirs) if (!ours.has(name)) differences.push(`gcc sees the function '${name}', we don't`);
    for (const name of ours) if (!theirs.has(name)) differences.push(`we see the function '${name}', gcc doesn't`);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
  return { differences, functions: json.functions.length, assertions };
}

/** The names of the functions in what `-aux-info` wrote. */
export function auxNames(text: string): Set<string> {
  const names = new Set<string>();
  for (const line of text.split("\n")) {
    // `/* file:12:NC */ extern void (*signal (int, void (*)(int))) (int);`
    const declaration = line.replace(/^\/\*.*?\*\/ /, "");
    // or, of a typedef's function type, `extern handler on_exit;`
    const found = /([A-Za-z_$][\w$]*) \((?!\*)/.exec(declaration) ?? /([A-Za-z_$][\w$]*);$/.exec(declaration);
    if (found !== null) names.add(found[1]);
  }
  return names;
}

/** Writes the C declarations and assertions; returns how many assertions there are. */
function write(json: Dump, aliases: readonly (string | null)[], lines: string[], completeEnums: Set<string | null>): number {
  let count = 0;
  const assert = (test: string): void => {
    lines.push(`_Static_assert(${test}, "");`);
    count++;
  };
  for (const { name, kind, value } of json.constants) {
    // A `static const` is no constant expression to gcc.
    lines.push(`#ifdef ${name}`);
    if (kind === "int") assert(`(${name}) == (${literal(value)})`);
    else if (kind === "string") assert(`sizeof(${name}) > 0`);
    else assert(`(double)(${name}) == ${/^-?\d+$/.test(String(value)) ? `${value}.0` : value}`);
    lines.push("#endif");
  }
  // Macros of the names that follow must go.
  const undefine = new Set<string>();
  for (const record of json.records) for (const field of record.fields) if (field.name !== null) undefine.add(field.name);
  for (const { name } of [...json.records, ...json.enums]) if (name !== null) undefine.add(name);
  for (const f of json.functions) undefine.add(f.name);
  for (const { name } of json.typedefs) undefine.add(name);
  for (const { values } of json.enums) for (const { name } of values) undefine.add(name);
  undefine.delete("defined");
  for (const name of undefine) lines.push(`#undef ${name}`);
  for (const { name, type, values } of json.enums) {
    for (const value of values) assert(`(${value.name}) == (${literal(value.value)})`);
    if (name !== null && completeEnums.has(name) && values.length > 0) {
      assert(`__builtin_types_compatible_p(enum ${name}, ${type})`);
    }
  }
  const layout = (type: string, record: Dump["records"][number]): void => {
    if (record.size === null) return;
    assert(`sizeof(${type}) == ${record.size}`);
    assert(`_Alignof(${type}) == ${record.align}`);
    for (const field of record.fields) {
      if (field.name === null || field.bitWidth !== undefined) continue;
      assert(`__builtin_offsetof(${type}, ${field.name}) == ${field.offset}`);
    }
  };
  json.records.forEach((record, i) => {
    if (record.name !== null) layout(`${record.kind} ${record.name}`, record);
    else if (aliases[i] !== null) layout(aliases[i]!, record);
  });
  for (const { name, type } of json.typedefs) assert(`__builtin_types_compatible_p(${name}, __typeof__(${type}))`);
  for (const f of json.functions) {
    const parameters = f.parameters.map((p) => `__typeof__(${p.type})`);
    if (f.variadic) parameters.push("...");
    lines.push(
      `#undef ${f.name}`,
      `extern __typeof__(${f.result}) (${f.name})(${parameters.length > 0 ? parameters.join(", ") : "void"});`,
    );
  }
  return count;
}

function literal(value: number | string): string {
  if (String(value) === "-9223372036854775808") return "-0x7fffffffffffffffLL-1";
  const big = BigInt(value);
  return big > 0x7fffffffffffffffn ? `${value}ULL` : `${value}LL`;
}

if (import.meta.main) {
  // deno run -A tests/lexer/judge.ts HEADER… [-I DIR…]
  const include = Deno.args.filter((arg) => arg.startsWith("-I")).map((arg) => arg.slice(2));
  const defines = Object.fromEntries(
    Deno.args.filter((arg) => arg.startsWith("-D")).map((
      arg,
    ) => [arg.slice(2).split("=")[0], arg.includes("=") ? arg.slice(arg.indexOf("=") + 1) : "1"]),
  );
  const verdict = judge(Deno.args.filter((arg) => !arg.startsWith("-")), { include, defines });
  for (const difference of verdict.differences) console.log(difference);
  console.log(`${verdict.functions} functions, ${verdict.assertions} assertions, ${verdict.differences.length} differences`);
  Deno.exit(verdict.differences.length === 0 ? 0 : 1);
}
