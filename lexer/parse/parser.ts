/**
 * The parser's state, and the small moves that every part of it makes.
 *
 * The grammar is in specifiers.ts, declarator.ts, attributes.ts, expression.ts and parse.ts, as functions over this state.
 *
 * @module
 */

import { type Diagnostics, outermost } from "../text/diagnostics.ts";
import type { Int } from "../tokens/integer.ts";
import * as K from "../tokens/kinds.ts";
import type {
  CType,
  EnumDeclaration,
  FunctionDeclaration,
  Origin,
  Pragma,
  RecordDeclaration,
  Skipped,
  TypedefDeclaration,
  VariableDeclaration,
} from "../model/model.ts";
import type { Preprocessor } from "../preprocess/preprocess.ts";
import type { Sources } from "../text/source.ts";
import { nearest } from "../text/suggest.ts";
import type { Target } from "../model/targets.ts";
import { BOL, Token } from "../tokens/tokenize.ts";
import type { Mutable } from "../model/types.ts";

/** How deep declarators, expressions, braces and records may nest. */
const MAX_NESTING = 250;

/** How many operators an expression may have: what is worked out of its tree goes as deep as a chain of them is long. */
const MAX_OPERATORS = 2000;

/** So many unknown names are compared with all known ones: it takes long, and the first few tell what is wrong. */
const MAX_SUGGESTIONS = 40;

/** Thrown to get out of a declaration that is wrong; the error was reported. Caught where the next declaration begins. */
class SyntaxFailure {}
export const FAILURE = new SyntaxFailure();

/** What an ordinary identifier names. */
export type Entity =
  | { readonly kind: "typedef"; readonly declaration: TypedefDeclaration; readonly type: CType; readonly position: number }
  | { readonly kind: "function"; readonly declaration: Mutable<FunctionDeclaration>; defined: boolean; readonly position: number }
  | { readonly kind: "variable"; readonly declaration: Mutable<VariableDeclaration>; value: Constant | null; readonly position: number }
  | { readonly kind: "enumerator"; value: Int; type: CType; readonly position: number }
  | { readonly kind: "parameter"; readonly type: CType; readonly position: number };

/** A constant scalar value with its type. */
export interface Constant {
  readonly type: CType;
  readonly value: Int | number | string;
  readonly kind: "int" | "float" | "string";
}

/** What a tag names. */
export type Tag =
  | {
    readonly kind: "record";
    readonly declaration: Mutable<RecordDeclaration>;
    readonly type: CType;
    defining: boolean;
    readonly position: number;
  }
  | { readonly kind: "enum"; readonly declaration: Mutable<EnumDeclaration>; readonly type: CType; readonly position: number };

/** A `static` or `constexpr` variable: a constant where its value is known. */
export interface StaticVariable {
  readonly at: Token;
  readonly variable: Entity & { readonly kind: "variable" };
  /** Why its value isn't known. */
  readonly reason: string;
}

/** Where the parser's tokens come from: one by one, so that they need not be kept. EOF comes again and again. */
export interface TokenSource {
  next(): Token;
}

/** A list of tokens as a source. */
export function listSource(tokens: readonly Token[]): TokenSource {
  let at = 0;
  const end = endOf(tokens);
  return { next: () => at < tokens.length ? tokens[at++] : end };
}

/** Stands before the first token. */
const START = new Token(K.OTHER, "", null, BOL, 0, null, null);

/** The parser's state. */
export class Parser {
  // What never changes.
  readonly source: TokenSource;
  readonly preprocessor: Preprocessor;
  readonly diagnostics: Diagnostics;
  readonly sources: Sources;
  readonly target: Target;
  readonly c23: boolean;

  // Where it is.
  token: Token = START;
  /** How many tokens were passed. */
  at = -1;
  depth = 0;
  /** Operators of the outermost expression that is being read, -1 outside of one. */
  operators = -1;
  /** Tokens that were looked at and not yet passed, from `#head` on. */
  readonly #ahead: Token[] = [];
  #head = 0;
  #suggestions = 0;

  // What pragmas said.
  pack = 0;
  readonly packStack: { readonly name: string | null; readonly pack: number }[] = [];
  msStruct = false;

  // What was declared.
  readonly functions: FunctionDeclaration[] = [];
  readonly variables: VariableDeclaration[] = [];
  readonly records: RecordDeclaration[] = [];
  readonly enums: EnumDeclaration[] = [];
  readonly typedefs: TypedefDeclaration[] = [];
  readonly skipped: Skipped[] = [];
  readonly pragmas: Pragma[] = [];
  readonly statics: StaticVariable[] = [];

  constructor(source: TokenSource, preprocessor: Preprocessor, target: Target, c23: boolean) {
    this.source = source;
    this.preprocessor = preprocessor;
    this.diagnostics = preprocessor.diagnostics;
    this.sources = preprocessor.sources;
    this.target = target;
    this.c23 = c23;
    this.advance();
  }

  /** To the next token. Pragmas are acted on when they are passed. */
  advance(): void {
    if (this.token.kind === K.EOF) return;
    let token = this.#take();
    while (token.kind === K.PRAGMA) {
      this.#pragma(token);
      token = this.#take();
    }
    this.at++;
    this.token = token;
  }

  #take(): Token {
    const ahead = this.#ahead;
    if (ahead.length === 0) return this.source.next();
    const token = ahead[this.#head++];
    if (this.#head === ahead.length) {
      ahead.length = 0;
      this.#head = 0;
    }
    return token;
  }

  /** A token after the current one. */
  peek(distance = 1): Token {
    const ahead = this.#ahead;
    for (let i = this.#head;; i++) {
      if (i === ahead.length) ahead.push(this.source.next());
      const token = ahead[i];
      if (token.kind === K.EOF || (token.kind !== K.PRAGMA && --distance === 0)) return token;
    }
  }

  /** The keyword code of the current token. */
  get keyword(): number {
    const id = this.token.id;
    return id === null ? 0 : id.keyword;
  }

  /** Consumes a token of this kind, if it is there. */
  accept(kind: number): boolean {
    if (this.token.kind !== kind) return false;
    this.advance();
    return true;
  }

  /** Consumes a token of this kind, or fails. */
  expect(kind: number, spelling: string, where: string): void {
    if (this.token.kind !== kind) this.fail(`expected '${spelling}' ${where}, got ${describe(this.token)}`);
    this.advance();
  }

  /** Reports an error at the current token and leaves the declaration. */
  fail(message: string, at: Token | number = this.token): never {
    this.diagnostics.error(at, message);
    throw FAILURE;
  }

  /** One level deeper; pair with `depth--`. */
  enter(): void {
    if (++this.depth > MAX_NESTING) this.fail(`nested deeper than ${MAX_NESTING} levels`);
  }

  /** One operator more. */
  chain(): void {
    if (++this.operators > MAX_OPERATORS) this.fail(`an expression of more than ${MAX_OPERATORS} operators`);
  }

  /** Where a token stands in the headers. */
  origin(token: Token): Origin {
    const { file, line, column } = this.sources.place(outermost(token));
    return { file: file.path, header: file.header, line, column, system: file.system };
  }

  /** Notes something that can't be in the model. */
  skip(name: string, token: Token, reason: string): void {
    this.skipped.push({ name, reason, ...this.origin(token) });
  }

  /** From the opening bracket at the current token to behind the one that closes it. */
  skipBalanced(): void {
    const open = this.token;
    if (!this.trySkipBalanced()) this.fail(`'${open.text}' is never closed`, open);
  }

  /** {@linkcode skipBalanced}, but gives false where the file ends first. */
  trySkipBalanced(): boolean {
    let depth = 0;
    for (;;) {
      switch (this.token.kind) {
        case K.LPAREN:
        case K.LBRACKET:
        case K.LBRACE:
          depth++;
          break;
        case K.RPAREN:
        case K.RBRACKET:
        case K.RBRACE:
          if (--depth === 0) {
            this.advance();
            return true;
          }
          break;
        case K.EOF:
          return false;
      }
      this.advance();
    }
  }

  /** To the comma or the closing bracket behind an item of a list; false where the file ends first. */
  trySkipItem(): boolean {
    for (;;) {
      switch (this.token.kind) {
        case K.LPAREN:
        case K.LBRACKET:
        case K.LBRACE:
          if (!this.trySkipBalanced()) return false;
          continue;
        case K.COMMA:
        case K.RPAREN:
        case K.RBRACKET:
        case K.RBRACE:
          return true;
        case K.EOF:
          return false;
      }
      this.advance();
    }
  }

  /** The best guess at what an unknown name was meant to be. */
  suggest(name: string, wanted: (symbol: Entity) => boolean): string {
    if (this.#suggestions++ >= MAX_SUGGESTIONS) return "";
    const candidates: string[] = [];
    for (const id of this.preprocessor.names.all()) {
      const symbol = id.symbol as Entity | null;
      if (symbol !== null && wanted(symbol)) candidates.push(id.text);
      else if (id.keyword > 0 && id.keyword <= K.KW_BOOL) candidates.push(id.text);
    }
    const near = nearest(name, candidates);
    return near === null ? "" : `; did you mean '${near}'?`;
  }

  #pragma(token: Token): void {
    const line = this.preprocessor.pragmas.get(token);
    if (line === undefined) return;
    this.preprocessor.pragmas.delete(token);
    const words = line.tokens;
    switch (words.length > 0 ? words[0].text : "") {
      case "pack":
        this.#packPragma(token, words);
        return;
      case "ms_struct":
        this.msStruct = words[1]?.text === "on";
        return;
      case "push_macro":
      case "pop_macro":
      case "GCC":
      case "clang":
      case "STDC":
      case "":
        return;
    }
    const file = this.sources.fileAt(token.position);
    if (file.main) this.pragmas.push({ text: token.text.slice("#pragma ".length), ...this.origin(token) });
  }

  /** `#pragma pack(n)`, `pack()`, `pack(push)`, `pack(push, name, n)`, `pack(pop)`, `pack(pop, name)`. */
  #packPragma(at: Token, words: readonly Token[]): void {
    const bad = (message: string): void => this.diagnostics.warning(at, `${message} in '#pragma pack': ignored`);
    if (words.length < 3 || words[1].kind !== K.LPAREN || words[words.length - 1].kind !== K.RPAREN) return bad("malformed list");
    const items = words.slice(2, -1).filter((token) => token.kind !== K.COMMA);
    if (items.length === 0) {
      this.pack = 0;
      return;
    }
    let pack: number | null = null;
    let name: string | null = null;
    for (const item of items) {
      if (item.kind === K.NUMBER) pack = Number(item.text);
      else if (item.text !== "push" && item.text !== "pop" && item.text !== "show") name = item.text;
    }
    if (pack !== null && ![0, 1, 2, 4, 8, 16].includes(pack)) return bad("alignment must be a small power of two");
    switch (items[0].text) {
      case "show":
        return;
      case "push":
        this.packStack.push({ name, pack: this.pack });
        if (pack !== null) this.pack = pack;
        return;
      case "pop": {
        let from = this.packStack.length - 1;
        if (name !== null) {
          while (from >= 0 && this.packStack[from].name !== name) from--;
          if (from < 0) return bad(`no matching push of '${name}'`);
        }
        if (from < 0) return bad("pop without push");
        this.pack = this.packStack[from].pack;
        this.packStack.length = from;
        if (pack !== null) this.pack = pack;
        return;
      }
      default:
        if (pack === null) return bad(`unknown action '${items[0].text}'`);
        this.pack = pack;
    }
  }
}

/** A token in words, for "expected …, got …". */
export function describe(token: Token): string {
  if (token.kind === K.EOF) return "the end of the file";
  const text = token.text.length > 40 ? token.text.slice(0, 37) + "…" : token.text;
  return `'${text}'`;
}

/** A token that ends a list. */
export function endOf(list: readonly Token[]): Token {
  return new Token(K.EOF, "", null, BOL, list.length > 0 ? outermost(list[list.length - 1]) : 0, null, null);
}

/** Gives an ordinary identifier its meaning; a different earlier one is an error. */
export function declare(p: Parser, name: Token, symbol: Entity): void {
  const id = name.id!;
  const old = id.symbol as Entity | null;
  if (old !== null && old.kind !== "parameter") {
    const what = old.kind === symbol.kind ? `redefinition of '${name.text}'` : `'${name.text}' redeclared as a different kind of symbol`;
    p.diagnostics.error(name, what, [{ at: old.position, message: "previously declared here" }]);
    if (old.kind !== "enumerator" || symbol.kind !== "enumerator") return;
  }
  id.symbol = symbol;
}
