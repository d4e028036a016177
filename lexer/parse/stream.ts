/**
 * The stages up to the preprocessor put together: from the paths of headers to the tokens that the parser reads, with what a caller may say
 * of search paths, macros and the target.
 *
 * @module
 */

import { Diagnostics } from "../text/diagnostics.ts";
import { COMPILER_HEADERS, HOSTED_HEADERS } from "../preprocess/include/mod.ts";
import * as K from "../tokens/kinds.ts";
import type { TargetName } from "../model/model.ts";
import { endOf, type TokenSource } from "./parser.ts";
import { Halt, MAX_TOKENS, Preprocessor } from "../preprocess/preprocess.ts";
import { type Ownership, Search, type SearchFolder } from "../text/search.ts";
import { Content, Sources } from "../text/source.ts";
import { builtInsOf, hostTarget, predefined, type Target, TARGETS } from "../model/targets.ts";
import { Identifiers, type Token } from "../tokens/tokenize.ts";

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
  /** Headers to read before the files, as if each began with `#include <…>` (`-include`); what they declare isn't part of the API. */
  before?: readonly string[];
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
    if (options.before !== undefined && options.before.length > 0) {
      const text = new Content(options.before.map((header) => `#include <${header}>\n`).join(""));
      this.pp.enter(sources.enter("<command line>", "<command line>", text, -1, true, false, -1), null);
      this.#open = true;
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
        if (file === null) this.diagnostics.error(-1, `cannot read '${path}'${this.#search.failure(path) || "; there is no such file"}`);
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
  // gcc's own come before the C library's (libunwind has an `unwind.h` too), but for those that ours stand in for.
  if (standard.length > 0) folders.push({ path: "", system: true, locate: gccFolder, without: COMPILER_HEADERS });
  for (const path of standard) folders.push({ path, system: true });
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

/** The largest file that is read. */
const MAX_FILE_BYTES = 64 * 1024 * 1024;

/** A directory of that name is no file of that name. What has no end (a device, a pipe) can't be read. */
export function readFile(path: string): string | undefined {
  try {
    const { isFile, isDirectory, size } = Deno.statSync(path);
    if (isDirectory) return undefined;
    if (!isFile) throw new Error("it is no regular file");
    if (size > MAX_FILE_BYTES) throw new Error(`it has ${size} bytes, more than ${MAX_FILE_BYTES}`);
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory || error instanceof Deno.errors.IsADirectory) {
      return undefined;
    }
    throw error;
  }
}
