/**
 * The preprocessor, C17 6.10 with what C23 and GNU C add: header text to the token list that the parser reads.
 *
 * Macro replacement follows Prosser (see macro.ts): tokens are pulled from `#pending`, a stack that expansions are pushed on, and from the
 * current file where that is empty. Directives are handled where a line begins with `#`, in directives.ts.
 *
 * It keeps no white space but a flag on the token, has no traditional mode, and refuses `#embed`.
 *
 * @module
 */

import type { CharacterFacts } from "./condition.ts";
import type { Diagnostics } from "../text/diagnostics.ts";
import { directive } from "./directives.ts";
import * as K from "../tokens/kinds.ts";
import { contents, textOf } from "../tokens/literals.ts";
import { addHide, Arguments, type BuiltIn, type Expander, Expansion, HideSet, Macro, replace, substitute } from "./macro.ts";
import { pragma } from "./pragmas.ts";
import { outermost } from "../text/diagnostics.ts";
import type { CachedFile, Search } from "../text/search.ts";
import type { Predefined } from "../model/targets.ts";
import { Content, type SourceFile, type Sources } from "../text/source.ts";
import { BOL, type Identifier, type Identifiers, SPACE, Token, Tokenizer } from "../tokens/tokenize.ts";

/** Tokens that one run may hand on. */
export const MAX_TOKENS = 6_000_000;
/** Tokens that its macros may produce: that takes about a second. */
const MAX_PRODUCED = 4_000_000;
/** Characters of all files entered. */
const MAX_CHARACTERS = 256 * 1024 * 1024;
/** How often files may be entered. */
const MAX_FILES = 50_000;
/** How deep uses of function-like macros may nest within arguments. */
const MAX_ARGUMENT_DEPTH = 300;
/** Tokens that one use of an outermost macro may give. */
const MAX_EXPANSION = 1_000_000;

/** How long a chain of macros that name each other may be. */
const MAX_EXPANSION_DEPTH = 4096;
/** Characters that `#` and `##` may make, all together. */
const MAX_MADE = 4 * 1024 * 1024;

/** Thrown to end the run at a bound; an error was reported. */
export class Halt {}

/** A conditional that is open, C17 6.10.1. */
export interface Conditional {
  readonly at: Token;
  /** Some group was taken: no other will be. */
  taken: boolean;
  /** `#else` was seen. */
  otherwise: boolean;
}

/** A file that is being read. */
export class Frame {
  readonly conditionals: Conditional[] = [];
  /** Name of the macro whose `#ifndef` opened the file, while it may still be an include guard. */
  guard: Identifier | null = null;
  /** 0: nothing seen; 1: inside the guard; 2: behind its `#endif`; 3: there is no guard. */
  guardState = 0;
  constructor(readonly file: SourceFile, readonly tokenizer: Tokenizer, readonly cached: CachedFile | null) {}
}

/** A pragma that a later stage wants. */
export interface PragmaLine {
  readonly at: Token;
  readonly tokens: readonly Token[];
}

/** The preprocessor's state. The directives work on it too. */
export class Preprocessor implements Expander {
  readonly frames: Frame[] = [];
  /** Macros of headers that are not system headers, in order of definition. */
  readonly macros: Macro[] = [];
  /** Tokens of the pragmas in the output, by their token. */
  readonly pragmas: Map<Token, PragmaLine> = new Map();
  /** Headers that `__has_include` didn't find in a main file. */
  readonly absent: { readonly at: Token; readonly name: string }[] = [];
  /** Macros saved by `#pragma push_macro`. */
  readonly saved: Map<Identifier, (Macro | null)[]> = new Map();
  readonly facts: CharacterFacts;

  frame!: Frame;
  #pending: Token[] = [];
  /** How many argument expansions are under way: then there is no file behind `#pending`. */
  #alone = 0;
  #produced = 0;
  #burst = 0;
  #made = 0;
  #counter = 0;
  /** How often a macro was expanded whose value depends on where it stands. */
  positional = 0;
  #inDirective = false;
  #carry = 0;
  /** The main file being read, for `__BASE_FILE__`. */
  #main = "";

  constructor(
    readonly sources: Sources,
    readonly names: Identifiers,
    readonly diagnostics: Diagnostics,
    readonly search: Search,
    facts: CharacterFacts,
    builtIns: readonly BuiltIn[],
  ) {
    this.facts = facts;
    for (const name of builtIns) {
      const id = names.intern(name);
      id.macro = new Macro(id, null, false, [], 0, null, false, name);
    }
  }

  /** The macros that the target predefines, from now on. */
  predefine({ objects, text }: Predefined): void {
    this.prelude("<built-in>", text);
    this.names.onFirst = (id, body) => {
      // All of them stand at the beginning of "<built-in>".
      const tokens = body === "" ? [] : this.tokensOf(body, new Token(K.EOF, "", null, 0, 0, null, null));
      id.macro = new Macro(id, null, false, tokens, 0, null, false);
    };
    this.names.expected = objects;
  }

  /** Reads a text for its directives, as if it stood before the first file. */
  prelude(name: string, text: string): void {
    const content = new Content(text);
    this.enter(this.sources.enter(name, name, content, -1, true, false, -1), null);
    let token = this.next();
    while (token.kind !== K.EOF) token = this.next();
  }

  /** Begins a main file; false where a guard says that it was read already. */
  begin(path: string, file: CachedFile): boolean {
    this.#main = path;
    if (file.once && file.included) return false;
    if (file.guard !== null && file.guard.macro !== null) return false;
    file.included = true;
    this.enter(this.sources.enter(path, path, file.content, -1, false, true, -1), file);
    return true;
  }

  /** Begins to read a file. */
  enter(file: SourceFile, cached: CachedFile | null): void {
    if (this.sources.files.length > MAX_FILES) this.halt(Math.max(0, file.from), `more than ${MAX_FILES} files included`);
    if (this.sources.size > MAX_CHARACTERS) this.halt(Math.max(0, file.from), `more than ${MAX_CHARACTERS} characters of headers`);
    this.frame = new Frame(file, new Tokenizer(file.content.text, file.base, this.names, this.diagnostics), cached);
    this.frames.push(this.frame);
  }

  error(at: Token | number, message: string): void {
    this.diagnostics.error(at, message);
  }

  /** Reports and ends the run. */
  halt(at: Token | number, message: string): never {
    this.diagnostics.error(at, message + ": gave up here");
    throw new Halt();
  }

  /** The next token, macro-expanded; EOF at the end of the outermost file, EOL at the end of a directive. */
  next(): Token {
    for (;;) {
      const token = this.#pending.length > 0 ? this.#pending.pop()! : this.#lex(true);
      const id = token.id;
      if (id === null || id.macro === null || (token.hide !== null && token.hide.has(id))) {
        if (this.#carry !== 0) {
          token.flags |= this.#carry;
          this.#carry = 0;
        }
        return token;
      }
      if (!this.#expand(token, id, id.macro)) {
        if (this.#carry !== 0) {
          token.flags |= this.#carry;
          this.#carry = 0;
        }
        return token;
      }
    }
  }

  /** The next token as it stands. */
  raw(): Token {
    return this.#pending.length > 0 ? this.#pending.pop()! : this.#lex(true);
  }

  /** Puts a token back. */
  unread(token: Token): void {
    this.#pending.push(token);
  }

  /** Puts a list back. */
  unreadAll(tokens: readonly Token[]): void {
    for (let i = tokens.length - 1; i >= 0; i--) this.#pending.push(tokens[i]);
  }

  /** From the current file. `leave`: a file's end is passed over silently. */
  #lex(leave: boolean): Token {
    if (this.#alone > 0) return new Token(K.EOF, "", null, BOL, 0, null, null);
    for (;;) {
      const frame = this.frame;
      const token = frame.tokenizer.next();
      if (this.#inDirective) return token;
      if (token.kind === K.HASH && (token.flags & BOL) !== 0) {
        const pragma = this.#directive(token);
        if (pragma !== null) return pragma;
        continue;
      }
      if (token.kind === K.EOF) {
        if (!leave) return token;
        this.#leave();
        if (this.frames.length === 0) return token;
        continue;
      }
      if (frame.guardState !== 1) frame.guardState = 3;
      if (token.id !== null && token.id.poisoned) this.error(token, `attempt to use poisoned "${token.text}"`);
      return token;
    }
  }

  /** Runs a directive; a pragma that others want comes back as a token. */
  #directive(hash: Token): Token | null {
    const tokenizer = this.frame.tokenizer;
    tokenizer.directive = this.#inDirective = true;
    const pending = this.#pending;
    const alone = this.#alone;
    const carry = this.#carry;
    this.#pending = [];
    this.#alone = 0;
    const made = directive(this, hash);
    tokenizer.directive = false; // the directive may have entered another file
    this.#inDirective = false;
    this.#pending = pending;
    this.#alone = alone;
    this.#carry = carry;
    return made;
  }

  #leave(): void {
    const frame = this.frame;
    for (const open of frame.conditionals) this.error(open.at, `unterminated #${open.at.text}`);
    if (frame.guardState === 2 && frame.cached !== null) frame.cached.guard = frame.guard;
    this.frames.pop();
    if (this.frames.length > 0) this.frame = this.frames[this.frames.length - 1];
  }

  /** Expands a macro's name; false where the name stands for itself. */
  #expand(token: Token, id: Identifier, macro: Macro): boolean {
    if (macro.builtIn !== null) return this.#builtIn(token, macro.builtIn);
    const expansion = new Expansion(macro, token.position, token.expansion);
    let tokens: Token[];
    if (macro.parameters === null) {
      const hide = token.hide === null ? HideSet.of(id) : token.hide.plus(id);
      tokens = replace(macro, expansion, hide, this);
    } else {
      const open = this.#peek();
      if (open.kind !== K.LPAREN) {
        if (open.kind !== K.EOF) this.#pending.push(open);
        return false;
      }
      const args = this.#arguments(token, macro);
      if (args === null) return true; // reported; the use is dropped
      const close = this.#close!;
      const both = HideSet.intersection(token.hide, close.hide);
      tokens = substitute(macro, args, expansion, this);
      addHide(tokens, both === null ? HideSet.of(id) : both.plus(id));
    }
    this.#count(token, tokens.length);
    if (tokens.length === 0) this.#carry |= token.flags & (SPACE | BOL);
    else tokens[0].flags = (tokens[0].flags & ~(SPACE | BOL)) | (token.flags & (SPACE | BOL));
    const pending = this.#pending;
    for (let i = tokens.length - 1; i >= 0; i--) pending.push(tokens[i]);
    while (this.#deferred.length > 0) pending.push(this.#deferred.pop()!);
    return true;
  }

  /** Bounds on what follows, for one outermost macro and in all; counting starts anew. */
  set limits(limits: { readonly burst: number; readonly total: number }) {
    this.#limits = limits;
    this.#produced = 0;
  }

  get limits(): { readonly burst: number; readonly total: number } {
    return this.#limits;
  }

  #limits: { readonly burst: number; readonly total: number } = { burst: MAX_EXPANSION, total: MAX_PRODUCED };

  /** Keeps macro bombs within bounds. */
  #count(token: Token, amount: number): void {
    if (token.expansion === null && this.#alone === 0) this.#burst = 0;
    this.#burst += amount + 1;
    this.#produced += amount + 1;
    const { burst, total } = this.limits;
    if (this.#burst > burst) this.halt(outermost(token), `the expansion of a macro gives more than ${burst} tokens`);
    if (this.#produced > total) this.halt(outermost(token), `macros gave more than ${total} tokens`);
    if (token.hide !== null && token.hide.size > MAX_EXPANSION_DEPTH) {
      this.halt(outermost(token), `macros name each other more than ${MAX_EXPANSION_DEPTH} levels deep`);
    }
  }

  made(at: Token, characters: number): void {
    this.#made += characters;
    if (this.#made > MAX_MADE) this.halt(outermost(at), `'#' and '##' made more than ${MAX_MADE} characters`);
  }

  /** The token after a function-like macro's name. It doesn't leave the file, so an EOF stays to be read again. */
  #peek(): Token {
    return this.#pending.length > 0 ? this.#pending.pop()! : this.#lex(false);
  }

  #close: Token | null = null;

  /** Reads arguments up to the closing parenthesis (C17 6.10.3p11), which is left in `#close`; null where they are wrong. */
  #arguments(name: Token, macro: Macro): Arguments | null {
    const raw: Token[][] = [];
    let argument: Token[] = [];
    let depth = 0;
    let carry = 0;
    const count = macro.parameters!.length;
    for (;;) {
      const token = this.#peek();
      if (token.kind === K.EOF || token.kind === K.EOL) {
        this.error(name, `unterminated argument list invoking macro "${name.text}"`);
        if (token.kind === K.EOL) this.#pending.push(token);
        return null;
      }
      if (token.kind === K.RPAREN && depth-- === 0) {
        this.#close = token;
        break;
      }
      if (token.kind === K.LPAREN) depth++;
      if (token.kind === K.COMMA && depth === 0 && !(macro.variadic && raw.length + 1 === count)) {
        raw.push(argument);
        argument = [];
        continue;
      }
      if (token.kind === K.PRAGMA) { // as in GNU C, it is done before the macro's result
        this.#deferred.push(token);
        continue;
      }
      token.flags |= carry;
      carry = 0;
      argument.push(token);
    }
    raw.push(argument);
    if (count === 0 && raw.length === 1 && raw[0].length === 0) raw.pop();
    if (raw.length === count - 1 && macro.variadic) raw.push([]); // GNU and C23: the variable arguments may be absent
    if (raw.length !== count) {
      const given = raw.length;
      this.diagnostics.error(
        name,
        given > count
          ? `macro "${name.text}" passed ${given} arguments, but takes just ${count}`
          : `macro "${name.text}" requires ${count} arguments, but only ${given} given`,
        [{ at: macro.position, message: `macro "${name.text}" defined here` }],
      );
      return null;
    }
    return new Arguments(raw, this);
  }

  /** Pragmas that stood between the parentheses of a macro's use. */
  #deferred: Token[] = [];

  expandAlone(tokens: readonly Token[]): Token[] {
    if (tokens.length === 0) return [];
    if (tokens.length === 1) {
      const id = tokens[0].id;
      if (id === null || id.macro === null || (tokens[0].hide !== null && tokens[0].hide.has(id))) return tokens as Token[];
    }
    if (this.#alone >= MAX_ARGUMENT_DEPTH) this.halt(tokens[0], `macro arguments nested deeper than ${MAX_ARGUMENT_DEPTH} levels`);
    this.#count(tokens[0], tokens.length); // an argument within an argument is read once more at each level
    const pending = this.#pending;
    const carry = this.#carry;
    this.#carry = 0;
    const directive = this.#inDirective;
    this.#inDirective = false;
    this.#alone++;
    this.#pending = [];
    this.unreadAll(tokens);
    const out: Token[] = [];
    try {
      for (;;) {
        const token = this.next();
        if (token.kind === K.EOF) return out;
        out.push(token);
      }
    } finally {
      this.#alone--;
      this.#pending = pending;
      this.#inDirective = directive;
      this.#carry = carry;
    }
  }

  retokenize(text: string, like: Token): Token | null {
    this.diagnostics.muted++;
    const tokenizer = new Tokenizer(text, like.position, this.names, this.diagnostics);
    const token = tokenizer.next();
    this.diagnostics.muted--;
    return tokenizer.at === text.length && token.kind !== K.OTHER && token.kind !== K.EOF ? token : null;
  }

  /** Tokens of a text that is no file, at one position. */
  tokensOf(text: string, like: Token): Token[] {
    const tokenizer = new Tokenizer(text, 0, this.names, this.diagnostics);
    const out: Token[] = [];
    for (;;) {
      const token = tokenizer.next();
      if (token.kind === K.EOF) return out;
      out.push(new Token(token.kind, token.text, token.id, token.flags & ~BOL, like.position, null, like.expansion));
    }
  }

  #builtIn(token: Token, name: BuiltIn): boolean {
    let kind = K.STRING;
    let text: string;
    const at = outermost(token);
    switch (name) {
      case "__LINE__":
        kind = K.NUMBER;
        text = String(this.sources.presumed(at).line);
        break;
      case "__FILE__":
        text = quote(this.sources.presumed(at).name);
        break;
      case "__FILE_NAME__":
        text = quote(this.sources.presumed(at).name.replace(/^.*[\\/]/, ""));
        break;
      case "__BASE_FILE__":
        text = quote(this.#main);
        break;
      case "__COUNTER__":
        kind = K.NUMBER;
        text = String(this.#counter++);
        break;
      case "__INCLUDE_LEVEL__":
        kind = K.NUMBER;
        text = String(this.frames.length - 1);
        break;
      case "__DATE__": // Reproducible on purpose: C17 6.10.8.1 allows a valid date where none is available.
        text = '"Jan  1 1970"';
        break;
      case "__TIME__":
        text = '"00:00:00"';
        break;
      case "__TIMESTAMP__":
        text = '"Thu Jan  1 00:00:00 1970"';
        break;
      case "_Pragma":
      case "__pragma":
        return this.#pragmaOperator(token, name);
      default:
        return false; // the __has_… operators, which only #if understands
    }
    this.positional++;
    this.#pending.push(new Token(kind, text, null, token.flags, token.position, token.hide, token.expansion));
    return true;
  }

  /** `_Pragma ( string )`, C17 6.10.9, and Microsoft's `__pragma ( tokens )`. */
  #pragmaOperator(token: Token, name: BuiltIn): boolean {
    if (this.#alone > 0 || this.#inDirective) return false; // it is met again when the argument is rescanned
    const open = this.#peek();
    if (open.kind !== K.LPAREN) {
      if (open.kind !== K.EOF) this.#pending.push(open);
      this.error(token, `${name} takes a parenthesized ${name === "_Pragma" ? "string literal" : "token list"}`);
      return true;
    }
    if (this.#operators++ > MAX_ARGUMENT_DEPTH) this.halt(token, `${name} nested deeper than ${MAX_ARGUMENT_DEPTH} levels`);
    const tokens = this.#pragmaOperand(token, name);
    this.#operators--;
    if (tokens === null) return true;
    const made = pragma(this, token, tokens);
    if (made !== null) this.#pending.push(made);
    return true;
  }

  /** How many `_Pragma` are being read: one may stand in the parentheses of another. */
  #operators = 0;

  /** What a pragma operator has in its parentheses, as tokens; null where that is wrong. */
  #pragmaOperand(token: Token, name: BuiltIn): Token[] | null {
    const tokens: Token[] = [];
    let depth = 0;
    for (;;) {
      const next = this.next(); // the operand may come from a macro
      if (next.kind === K.EOF) {
        this.error(token, `${name} is not closed`);
        return null;
      }
      if (next.kind === K.LPAREN) depth++;
      if (next.kind === K.RPAREN && depth-- === 0) break;
      tokens.push(next);
    }
    if (name !== "_Pragma") return tokens;
    const text = tokens.length === 1 && tokens[0].kind === K.STRING ? contents(tokens[0].text) : null;
    if (text === null || typeof text === "string") {
      this.error(token, "_Pragma takes a parenthesized string literal");
      return null;
    }
    return this.tokensOf(textOf(text.filter((c) => c >= 0 && c !== 10)), token);
  }

  /** True while tokens were put back: then the text of the file is not what comes next. */
  get buffered(): boolean {
    return this.#pending.length > 0;
  }
}

/** A string literal of a text. */
function quote(text: string): string {
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}
