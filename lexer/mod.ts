/**
 * A C front end: reads C headers as a compiler does and says what they declare, laid out for a target.
 *
 * It preprocesses (C17 6.10), parses declarations (6.7), evaluates constant expressions (6.6) and lays records out by the target's ABI. It
 * compiles no function bodies, and it knows nothing of any particular library.
 *
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parse } from "@ggml/deno/lexer";
 *
 * const header = `
 *   #define WIDTH (1u << 4)
 *   struct point { char tag; double x, y; };
 *   extern int distance(const struct point *a, const struct point *b);
 * `;
 * const { model, diagnostics } = parse(["point.h"], { read: (path) => path === "point.h" ? header : undefined });
 * assertEquals(diagnostics, []);
 * assertEquals(model.records[0].size, 24);
 * assertEquals(model.functions[0].type.parameters.map((p) => p.name), ["a", "b"]);
 * assertEquals(model.constants[0].value, 16n);
 * ```
 *
 * @module
 */

import { constants } from "./parse/constants.ts";
import { type Diagnostic, format, type Note, type Severity } from "./text/diagnostics.ts";
import { macroFunctions } from "./parse/macros.ts";
import type { CType, Model, SynonymDeclaration } from "./model/model.ts";
import { translationUnit } from "./parse/parse.ts";
import { Parser } from "./parse/parser.ts";
import type { Target } from "./model/targets.ts";
import type { Ownership } from "./text/search.ts";
import { type ParseOptions, TokenStream } from "./parse/stream.ts";
import type { Identifier, Identifiers } from "./tokens/tokenize.ts";
import { basic, type Namer, printType } from "./model/types.ts";

export { format, printType };
export { type Dump, dump } from "./model/dump.ts";
export { preprocess } from "./parse/print.ts";
export type { Diagnostic, Namer, Note, Ownership, ParseOptions, Severity };
export type * from "./model/model.ts";

/** What `parse` gives. */
export interface ParseResult {
  /** What the headers declare. It is there, as far as it goes, also where there were errors. */
  readonly model: Model;
  /** What is wrong with the headers, in the order in which it was found. */
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Reads C headers as one translation unit that includes them in this order.
 *
 * It does not throw on bad headers: it reports, recovers at the next declaration, and goes on.
 *
 * @param files Paths of the main files.
 * @param options Search path, macros, target.
 * @returns The API model and the diagnostics.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parse } from "@ggml/deno/lexer";
 *
 * const files: Record<string, string> = { "a.h": '#include "b.h"\nint f(word);\n', "b.h": "typedef unsigned long word;\n" };
 * const { model } = parse(["a.h"], { read: (path) => files[path], target: "x86_64-windows" });
 * assertEquals(model.functions[0].name, "f");
 * assertEquals(model.typedefs[0].header, "b.h");
 * ```
 */
export function parse(files: readonly string[], options: ParseOptions = {}): ParseResult {
  const stream = new TokenStream(files, options);
  const { pp, target, diagnostics } = stream;
  declareBuiltIns(stream.names, target);
  const parser = new Parser(stream, pp, target, stream.c23);
  translationUnit(parser);
  const skipped = parser.skipped;
  const synonyms: SynonymDeclaration[] = [];
  const made = constants(parser, skipped, synonyms);
  const model: Model = {
    target: target.name,
    functions: parser.functions,
    variables: parser.variables,
    records: parser.records,
    enums: parser.enums,
    typedefs: parser.typedefs,
    constants: made,
    macros: options.macros === true ? macroFunctions(parser) : [],
    synonyms,
    skipped,
    pragmas: parser.pragmas,
    absent: pp.absent.map(({ at, name }) => ({ ...parser.origin(at), header: name })),
  };
  return { model, diagnostics: diagnostics.list };
}

/** Types that the compiler knows without a declaration. */
function declareBuiltIns(names: Identifiers, target: Target): void {
  const origin = { file: "<built-in>", header: "<built-in>", line: 1, column: 1, system: true };
  const define = (id: Identifier, type: CType): void => {
    const typedef = { ...origin, name: id.text, type };
    id.symbol ??= { kind: "typedef", declaration: typedef, type: { kind: "typedef", typedef }, position: 0 } as never;
  };
  define(names.intern("__int128_t"), basic("__int128"));
  define(names.intern("__uint128_t"), basic("unsigned __int128"));
  if (target.arch !== "x86_64" || target.os === "windows") return; // gcc has both where they differ
  define(names.intern("__builtin_sysv_va_list"), basic("__builtin_va_list"));
  define(names.intern("__builtin_ms_va_list"), { kind: "pointer", to: basic("char") });
}
