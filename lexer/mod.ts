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

import { constants } from "./constants.ts";
import { type Diagnostic, Diagnostics, format, type Note, type Severity } from "./diagnostics.ts";
import { macroFunctions } from "./macros.ts";
import { COMPILER_HEADERS, HOSTED_HEADERS } from "./include/mod.ts";
import * as K from "./kinds.ts";
import type { Model, TargetName } from "./model.ts";
import { endOf, Parser, type TokenSource } from "./parser.ts";
import { translationUnit } from "./parse.ts";
import { Halt, MAX_TOKENS, Preprocessor } from "./preprocess.ts";
import { type Ownership, Search, type SearchFolder } from "./search.ts";
import { Sources } from "./source.ts";
import { builtInsOf, hostTarget, predefined, type Target, TARGETS } from "./targets.ts";
import { type Identifier, Identifiers, type Token } from "./tokenize.ts";
import { basic, printType } from "./types.ts";

export { format, printType };
export { type Dump, dump } from "./dump.ts";
export { preprocess } from "./print.ts";
export type { Diagnostic, Note, Ownership, Severity };
export type * from "./model.ts";

/** What `parse` and `preprocess` may be told. */
export interface ParseOptions {
  /** Folders for `#include "…"` and `<…>` (`-I`). */
  include?: readonly string[];
  /** Folders behind those, whose headers are `system` (`-isystem`). */
  system?: readonly string[];
  /** Macros by name (`-D`); "1" is what `-D NAME` means. A name may have parameters: `"f(x)": "(x)"`. */
  defines?: Readonly<Record<string, string>>;
  /** Predefined macros that are not (`-U`). */
  undefines?: readonly string[];
  /** The default is the target that this runs on. */
  target?: TargetName;
  /** Reads a file, or says that there is none. The default is `Deno.readTextFileSync`. */
  read?: (path: string) => string | undefined;
  /** Whether to search the system's own include folders, as a compiler does. The default is false: results don't depend on the machine. */
  standard?: boolean;
  /** Whether to read function-like macros as functions, where their bodies are integer expressions. The default is false. */
  macros?: boolean;
  /** Says of each included file whether what it declares is part of the API. By default it is, unless the file is in a system folder. */
  own?: Ownership;
}

/** What `parse` gives. */
export interface ParseResult {
  /** What the headers declare. It is there, as far as it goes, also where there were errors. */
  readonly model: Model;
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
  declareBuiltIns(stream.names);
  const parser = new Parser(stream, pp, target, stream.c23);
  translationUnit(parser);
  const skipped = parser.skipped;
  const made = constants(parser, skipped);
  const model: Model = {
    target: target.name,
    functions: parser.functions,
    variables: parser.variables,
    records: parser.records,
    enums: parser.enums,
    typedefs: parser.typedefs,
    constants: made,
    macros: options.macros === true ? macroFunctions(parser) : [],
    skipped,
    pragmas: parser.pragmas,
    absent: pp.absent.map(({ at, name }) => ({ ...parser.origin(at), header: name })),
  };
  return { model, diagnostics: diagnostics.list };
}

/** The stages up to the preprocessor, as the source of the main files' tokens. */
export class TokenStream implements TokenSource {
  readonly pp: Preprocessor;
  readonly names: Identifiers = new Identifiers();
  readonly target: Target;
  readonly diagnostics: Diagnostics;
  readonly c23: boolean;
  readonly #files: readonly string[];
  readonly #search: Search;
  #file = 0;
  #open = false;
  #count = 0;
  /** Given at the end, again and again. */
  #end: Token | null = null;

  constructor(files: readonly string[], options: ParseOptions) {
    if (!Array.isArray(files)) throw new TypeError(`expected the paths of headers, got ${Deno.inspect(files)}`);
    const target = this.target = TARGETS[options.target ?? hostTarget()];
    if (target === undefined) {
      throw new RangeError(`there is no target ${Deno.inspect(options.target)}: the targets are ${Object.keys(TARGETS).join(", ")}`);
    }
    const sources = new Sources();
    const diagnostics = this.diagnostics = new Diagnostics(sources);
    const names = this.names;
    keywords(names, K.KEYWORDS);
    if (target.microsoft) keywords(names, K.WINDOWS_KEYWORDS);
    this.#files = files;
    this.#search = new Search(searchPath(options), options.read ?? readFile, options.own);
    const wide = target.wcharType;
    const facts = { charSigned: target.charSigned, wideBits: target.sizes[wide][0] * 8, wideSigned: !wide.startsWith("unsigned") };
    this.pp = new Preprocessor(sources, names, diagnostics, this.#search, facts, builtInsOf(target));
    try {
      this.pp.predefine(predefined(target));
      this.pp.prelude("<command line>", commandLine(options));
    } catch (error) {
      this.#halt(error);
    }
    this.c23 = isC23(names);
    if (this.c23) keywords(names, K.C23_KEYWORDS);
  }

  /** The next token of the main files; EOF at their end. */
  next(): Token {
    if (this.#end !== null) return this.#end;
    try {
      for (;;) {
        if (this.#open) {
          const token = this.pp.next();
          if (token.kind !== K.EOF) {
            if (++this.#count > MAX_TOKENS) this.pp.halt(token, `more than ${MAX_TOKENS} tokens`);
            return token;
          }
          this.#open = false;
          if (this.#file === this.#files.length) return this.#end = token;
        }
        if (this.#file === this.#files.length) return this.#end = endOf([]);
        const path = this.#files[this.#file++];
        const file = this.#search.open(path);
        if (file === null) this.diagnostics.error(-1, `cannot read '${path}'${this.#search.failure(path)}`);
        else this.#open = this.pp.begin(path, file);
      }
    } catch (error) {
      return this.#halt(error);
    }
  }

  #halt(error: unknown): Token {
    if (!(error instanceof Halt)) throw error;
    this.diagnostics.muted++; // what follows is cut off, and would be blamed for it
    return this.#end = endOf([]);
  }
}

function isC23(names: Identifiers): boolean {
  const version = names.intern("__STDC_VERSION__").macro;
  return version !== null && version.body.length === 1 && parseInt(version.body[0].text) > 202000;
}

function keywords(names: Identifiers, list: readonly (readonly [number, string])[]): void {
  for (const [code, words] of list) for (const word of words.split(" ")) names.intern(word).keyword = code;
}

/** Types that the compiler knows without a declaration. */
function declareBuiltIns(names: Identifiers): void {
  const origin = { file: "<built-in>", header: "<built-in>", line: 1, column: 1, system: true };
  const define = (id: Identifier, name: "__int128" | "unsigned __int128" | "__builtin_va_list"): void => {
    const typedef = { ...origin, name: id.text, type: basic(name) };
    id.symbol ??= { kind: "typedef", declaration: typedef, type: { kind: "typedef", typedef }, position: 0 } as never;
  };
  define(names.intern("__int128_t"), "__int128");
  define(names.intern("__uint128_t"), "unsigned __int128");
}

function commandLine(options: ParseOptions): string {
  let text = "";
  for (const name of options.undefines ?? []) text += `#undef ${name}\n`;
  for (const [name, value] of Object.entries(options.defines ?? {})) text += `#define ${name} ${value}\n`;
  return text;
}

/** The search folders in order: `-I`, `-isystem`, the compiler's own, the system's, and our stand-ins for what it lacks. */
function searchPath(options: ParseOptions): SearchFolder[] {
  const standard = options.standard === true && Deno.build.os === "linux" ? standardFolders() : [];
  const folders: SearchFolder[] = [];
  const given = new Set<string>(standard);
  for (const path of options.system ?? []) given.add(path);
  // As in gcc, a folder that is a system folder too is taken in its place as one.
  for (const path of options.include ?? []) if (!given.has(path)) folders.push({ path, system: false });
  for (const path of options.system ?? []) folders.push({ path, system: true });
  folders.push({ path: "compiler", system: true, texts: COMPILER_HEADERS });
  for (const path of standard) folders.push({ path, system: true });
  if (standard.length > 0) folders.push({ path: "", system: true, locate: gccFolder });
  folders.push({ path: "hosted", system: true, texts: HOSTED_HEADERS });
  return folders;
}

/** The folders that Linux' compilers search by themselves. */
export function standardFolders(): string[] {
  return ["/usr/local/include", `/usr/include/${Deno.build.arch}-linux-gnu`, "/usr/include"];
}

/** gcc's own headers, if it is there: for those that are bound to its builtins (`immintrin.h`), which we have no stand-ins for. */
function gccFolder(): string | null {
  const parent = `/usr/lib/gcc/${Deno.build.arch}-linux-gnu`;
  let newest = -1;
  try {
    for (const { name } of Deno.readDirSync(parent)) {
      const version = parseInt(name);
      if (version > newest) newest = version;
    }
  } catch {
    return null; // there is none, or it may not be looked at
  }
  return newest < 0 ? null : `${parent}/${newest}/include`;
}

/** A directory of that name is no file of that name. */
export function readFile(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory || error instanceof Deno.errors.IsADirectory) {
      return undefined;
    }
    throw error;
  }
}
