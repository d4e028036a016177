/**
 * Text to preprocessing tokens, C17 6.4 (phase 3 of 5.1.1.2).
 *
 * Identifiers are interned while they are read: the token holds an {@linkcode Identifier}, which carries its macro, its keyword and its
 * meanings, so that nobody looks a name up a second time. Comments are skipped by `indexOf`.
 *
 * It does not know directives: it only tells where a line begins, and stops at a line's end when asked. It has no trigraphs (GNU C has none
 * either), and it takes every character above ASCII as part of an identifier, which is more than C17 annex D allows.
 *
 * @module
 */

import * as K from "./kinds.ts";
import type { Diagnostics } from "../text/diagnostics.ts";
import type { Expansion, HideSet, Macro } from "../preprocess/macro.ts";

/** The first token of a line. */
export const BOL = 1;
/** White space stands before it. */
export const SPACE = 2;

/** What an identifier means to the parser: see parse.ts. */
export interface Meaning {
  readonly kind: string;
}

/** A name, once a run. */
export class Identifier {
  /** The macro of this name, if any. */
  macro: Macro | null = null;
  /** Keyword code, `KW_NONE` for ordinary names. */
  keyword = 0;
  /** The ordinary identifier that it names, C17 6.2.3. */
  symbol: Meaning | null = null;
  /** The struct, union or enum that it tags. */
  tag: Meaning | null = null;
  /** While a macro definition is read: index of the parameter of this name, else -1. */
  parameter = -1;
  /** `#pragma GCC poison`. */
  poisoned = false;
  constructor(readonly text: string, readonly hash: number) {}
}

/** A preprocessing token. */
export class Token {
  constructor(
    readonly kind: number,
    readonly text: string,
    /** Null but for identifiers and keywords. */
    readonly id: Identifier | null,
    public flags: number,
    /** Where it is spelled. */
    readonly position: number,
    public hide: HideSet | null,
    /** The macro whose body it is from, null where it stands in the file itself. */
    public expansion: Expansion | null,
  ) {}
}

/** The table of names. */
export class Identifiers {
  #slots: (Identifier | null)[] = new Array(8192).fill(null);
  #mask = 8191;
  #count = 0;
  /** Called for every new name that is in `expected`: predefined macros are made only where they are named. */
  onFirst: (id: Identifier, text: string) => void = () => {};
  expected: ReadonlyMap<string, string> | null = null;

  /** The name `text.slice(start, end)`, whose hash the caller has. */
  find(text: string, start: number, end: number, hash: number): Identifier {
    const slots = this.#slots;
    const mask = this.#mask;
    const length = end - start;
    let slot = (hash ^ (hash >>> 15)) & mask;
    for (;;) {
      const id = slots[slot];
      if (id === null) break;
      if (id.hash === hash && id.text.length === length) {
        const name = id.text;
        let i = 0;
        while (i < length && name.charCodeAt(i) === text.charCodeAt(start + i)) i++;
        if (i === length) return id;
      }
      slot = (slot + 1) & mask;
    }
    const id = new Identifier(text.slice(start, end), hash);
    slots[slot] = id;
    if (++this.#count * 2 > mask) this.#grow();
    if (this.expected !== null) {
      const made = this.expected.get(id.text);
      if (made !== undefined) this.onFirst(id, made);
    }
    return id;
  }

  /** The name `text`. */
  intern(text: string): Identifier {
    let hash = 0;
    for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0;
    return this.find(text, 0, text.length, hash);
  }

  /** All names. */
  *all(): Iterable<Identifier> {
    for (const id of this.#slots) if (id !== null) yield id;
  }

  #grow(): void {
    const old = this.#slots;
    const mask = this.#mask * 2 + 1;
    const slots: (Identifier | null)[] = new Array(mask + 1).fill(null);
    for (const id of old) {
      if (id === null) continue;
      let slot = (id.hash ^ (id.hash >>> 15)) & mask;
      while (slots[slot] !== null) slot = (slot + 1) & mask;
      slots[slot] = id;
    }
    this.#slots = slots;
    this.#mask = mask;
  }
}

const LETTER = 1; // may begin an identifier
const DIGIT = 2;
const CLASS = new Uint8Array(128);
for (let c = 97; c <= 122; c++) CLASS[c] = CLASS[c - 32] = LETTER;
CLASS[95] = CLASS[36] = LETTER; // _ and, in GNU C, $
for (let c = 48; c <= 57; c++) CLASS[c] = DIGIT;

/** The tokens of one text. */
export class Tokenizer {
  readonly text: string;
  readonly end: number;
  readonly base: number;
  readonly #names: Identifiers;
  readonly #diagnostics: Diagnostics;

  /** Offset of the next character. */
  at = 0;
  /** Stop at the end of the line: a directive is being read. */
  directive = false;
  #bol = true;

  constructor(text: string, base: number, names: Identifiers, diagnostics: Diagnostics) {
    this.text = text;
    this.end = text.length;
    this.base = base;
    this.#names = names;
    this.#diagnostics = diagnostics;
  }

  /** The next token; EOF at the end of the text, EOL at the end of the line while in a directive. */
  next(): Token {
    const text = this.text;
    let at = this.at;
    let flags = this.#bol ? BOL : 0;
    for (;;) {
      const c = text.charCodeAt(at);
      if (c === 32 || c === 9) {
        at++;
        flags |= SPACE;
      } else if (c === 10) {
        if (this.directive) {
          this.at = at;
          return new Token(K.EOL, "", null, flags, this.base + at, null, null);
        }
        at++;
        flags |= BOL;
      } else if (c === 47) {
        const d = text.charCodeAt(at + 1);
        if (d === 47) {
          at = text.indexOf("\n", at + 2);
          if (at < 0) at = this.end;
        } else if (d === 42) {
          const close = text.indexOf("*/", at + 2);
          if (close < 0) {
            this.#diagnostics.error(this.base + at, "unterminated comment");
            at = this.end;
          } else at = close + 2;
        } else return this.#finish(K.SLASH, at, flags);
        flags |= SPACE;
      } else if (c !== c) { // past the end
        this.at = this.end;
        const kind = this.directive ? K.EOL : K.EOF;
        return new Token(kind, "", null, flags | BOL, this.base + this.end, null, null);
      } else if (c === 13 || c === 12 || c === 11 || c === 0 || c === 0xfeff || c === 0xa0) {
        at++;
        flags |= SPACE;
      } else break;
    }
    this.#bol = false;
    const c = text.charCodeAt(at);
    const start = at;
    if (c >= 128 || CLASS[c] === LETTER) {
      let hash = 0;
      let d = c;
      do {
        hash = (Math.imul(hash, 31) + d) | 0;
        d = text.charCodeAt(++at);
      } while (d >= 128 ? d !== 0xfffd : CLASS[d] !== 0 && d === d);
      if (d === 34 || d === 39) { // a prefix of a string or character?
        const length = at - start;
        if (length === 1 ? c === 76 || c === 117 || c === 85 : length === 2 && c === 117 && text.charCodeAt(start + 1) === 56) {
          return this.#quoted(start, at, d, flags);
        }
      } else if (d === 92 && (text.charCodeAt(at + 1) === 117 || text.charCodeAt(at + 1) === 85)) return this.#universal(start, flags);
      this.at = at;
      const id = this.#names.find(text, start, at, hash);
      return new Token(K.IDENTIFIER, id.text, id, flags, this.base + start, null, null);
    }
    const d = text.charCodeAt(at + 1);
    if (CLASS[c] === DIGIT || (c === 46 && CLASS[d] === DIGIT && d === d)) return this.#number(start, flags);
    switch (c) {
      case 34:
      case 39:
        return this.#quoted(start, start, c, flags);
      case 40:
        return this.#punctuator(K.LPAREN, "(", start, flags);
      case 41:
        return this.#punctuator(K.RPAREN, ")", start, flags);
      case 42:
        if (d === 61) return this.#punctuator(K.COMPOUND_ASSIGN, "*=", start, flags);
        return this.#punctuator(K.STAR, "*", start, flags);
      case 44:
        return this.#punctuator(K.COMMA, ",", start, flags);
      case 59:
        return this.#punctuator(K.SEMICOLON, ";", start, flags);
      case 123:
        return this.#punctuator(K.LBRACE, "{", start, flags);
      case 125:
        return this.#punctuator(K.RBRACE, "}", start, flags);
      case 91:
        return this.#punctuator(K.LBRACKET, "[", start, flags);
      case 93:
        return this.#punctuator(K.RBRACKET, "]", start, flags);
      case 92:
        if (d === 117 || d === 85) return this.#universal(start, flags);
        break;
    }
    return this.#finish(-1, start, flags);
  }

  /** The rest of the line as it stands, for `#error`. Leaves the tokenizer at the line's end. */
  restOfLine(): string {
    let to = this.text.indexOf("\n", this.at);
    if (to < 0) to = this.end;
    const line = this.text.slice(this.at, to);
    this.at = to;
    return line.trim();
  }

  /**
   * A header name at this place of a directive (C17 6.4.7), with its quotes or angles; null where something else stands here.
   */
  headerName(): Token | null {
    const text = this.text;
    let at = this.at;
    for (;; at++) {
      const c = text.charCodeAt(at);
      if (c === 32 || c === 9) continue;
      if (c === 47 && text.charCodeAt(at + 1) === 42) {
        const close = text.indexOf("*/", at + 2);
        if (close < 0) return null;
        at = close + 1;
        continue;
      }
      break;
    }
    const open = text.charCodeAt(at);
    if (open !== 60 && open !== 34) return null;
    const close = text.indexOf(open === 60 ? ">" : '"', at + 1);
    if (close < 0) return null;
    const line = text.indexOf("\n", at + 1);
    if (line >= 0 && line < close) return null;
    this.at = close + 1;
    return new Token(K.STRING, text.slice(at, close + 1), null, 0, this.base + at, null, null);
  }

  /** Skips to the line after this one whose first token is `#`, and past that `#`; false at the end of the text. For groups that a conditional leaves out. */
  skipToDirective(): boolean {
    const text = this.text;
    let at = this.at;
    // At the end of a line, or inside one.
    for (;;) {
      // The rest of this line: only comments and quotes matter, since a comment may hold the line's end.
      lines: for (;;) {
        const c = text.charCodeAt(at);
        if (c === 10) {
          at++;
          break;
        }
        if (c !== c) {
          this.at = this.end;
          this.#bol = true;
          return false;
        }
        if (c === 47) {
          const d = text.charCodeAt(at + 1);
          if (d === 47) {
            at = text.indexOf("\n", at);
            if (at < 0) at = this.end;
            continue;
          }
          if (d === 42) {
            const close = text.indexOf("*/", at + 2);
            at = close < 0 ? this.end : close + 2;
            continue;
          }
        } else if (c === 34 || c === 39) {
          at++;
          for (;; at++) {
            const d = text.charCodeAt(at);
            if (d === 92 && text.charCodeAt(at + 1) !== 10) at++;
            else if (d === c) break;
            else if (d === 10 || d !== d) continue lines;
          }
        }
        at++;
      }
      // The beginning of a line.
      for (;;) {
        const c = text.charCodeAt(at);
        if (c === 32 || c === 9 || c === 13 || c === 12 || c === 11) at++;
        else if (c === 47 && text.charCodeAt(at + 1) === 42) {
          const close = text.indexOf("*/", at + 2);
          at = close < 0 ? this.end : close + 2;
        } else break;
      }
      if (text.charCodeAt(at) === 35 && text.charCodeAt(at + 1) !== 35) {
        this.at = at + 1;
        this.#bol = false;
        return true;
      }
      if (text.charCodeAt(at) === 37 && text.charCodeAt(at + 1) === 58) {
        this.at = at + 2;
        this.#bol = false;
        return true;
      }
    }
  }

  #punctuator(kind: number, spelling: string, start: number, flags: number): Token {
    this.at = start + spelling.length;
    return new Token(kind, spelling, null, flags, this.base + start, null, null);
  }

  /** The rarer punctuators, C17 6.4.6. A digraph keeps its spelling. */
  #finish(known: number, start: number, flags: number): Token {
    this.#bol = false;
    const text = this.text;
    const c = text.charCodeAt(start);
    const d = text.charCodeAt(start + 1);
    const e = text.charCodeAt(start + 2);
    let kind = K.OTHER;
    let length = 1;
    switch (c) {
      case 33: // !
        if (d === 61) kind = K.NOTEQ, length = 2;
        else kind = K.NOT;
        break;
      case 35: // #
        if (d === 35) kind = K.HASHHASH, length = 2;
        else kind = K.HASH;
        break;
      case 37: // %
        if (d === 58) {
          if (e === 37 && text.charCodeAt(start + 3) === 58) kind = K.HASHHASH, length = 4;
          else kind = K.HASH, length = 2;
        } else if (d === 62) kind = K.RBRACE, length = 2;
        else if (d === 61) kind = K.COMPOUND_ASSIGN, length = 2;
        else kind = K.PERCENT;
        break;
      case 38: // &
        if (d === 38) kind = K.ANDAND, length = 2;
        else if (d === 61) kind = K.COMPOUND_ASSIGN, length = 2;
        else kind = K.AMP;
        break;
      case 43: // +
        if (d === 43) kind = K.INCREMENT, length = 2;
        else if (d === 61) kind = K.COMPOUND_ASSIGN, length = 2;
        else kind = K.PLUS;
        break;
      case 45: // -
        if (d === 62) kind = K.ARROW, length = 2;
        else if (d === 45) kind = K.DECREMENT, length = 2;
        else if (d === 61) kind = K.COMPOUND_ASSIGN, length = 2;
        else kind = K.MINUS;
        break;
      case 46: // .
        if (d === 46 && e === 46) kind = K.ELLIPSIS, length = 3;
        else kind = K.DOT;
        break;
      case 47: // /
        if (d === 61) kind = K.COMPOUND_ASSIGN, length = 2;
        else kind = known;
        break;
      case 58: // :
        if (d === 62) kind = K.RBRACKET, length = 2;
        else if (d === 58) kind = K.COLONCOLON, length = 2;
        else kind = K.COLON;
        break;
      case 60: // <
        if (d === 60) {
          if (e === 61) kind = K.COMPOUND_ASSIGN, length = 3;
          else kind = K.SHL, length = 2;
        } else if (d === 61) kind = K.LESSEQ, length = 2;
        else if (d === 58) kind = K.LBRACKET, length = 2;
        else if (d === 37) kind = K.LBRACE, length = 2;
        else kind = K.LESS;
        break;
      case 61: // =
        if (d === 61) kind = K.EQ, length = 2;
        else kind = K.ASSIGN;
        break;
      case 62: // >
        if (d === 62) {
          if (e === 61) kind = K.COMPOUND_ASSIGN, length = 3;
          else kind = K.SHR, length = 2;
        } else if (d === 61) kind = K.GREATEREQ, length = 2;
        else kind = K.GREATER;
        break;
      case 63:
        kind = K.QUESTION;
        break;
      case 94: // ^
        if (d === 61) kind = K.COMPOUND_ASSIGN, length = 2;
        else kind = K.CARET;
        break;
      case 124: // |
        if (d === 124) kind = K.OROR, length = 2;
        else if (d === 61) kind = K.COMPOUND_ASSIGN, length = 2;
        else kind = K.PIPE;
        break;
      case 126:
        kind = K.TILDE;
        break;
    }
    return this.#punctuator(kind, text.slice(start, start + length), start, flags);
  }

  /** A preprocessing number, C17 6.4.8, with C23's digit separators. */
  #number(start: number, flags: number): Token {
    const text = this.text;
    let at = start + 1;
    for (;;) {
      const c = text.charCodeAt(at);
      if (c < 128 && CLASS[c] !== 0) {
        at++;
        if ((c | 32) === 101 || (c | 32) === 112) { // e+ e- p+ p-
          const sign = text.charCodeAt(at);
          if (sign === 43 || sign === 45) at++;
        }
      } else if (c === 46) at++;
      else if (c === 39 && CLASS[text.charCodeAt(at + 1)] > 0) at += 2;
      else break;
    }
    this.at = at;
    return new Token(K.NUMBER, text.slice(start, at), null, flags, this.base + start, null, null);
  }

  /** A string or character constant whose opening quote is at `open`; `start` is where its prefix begins. */
  #quoted(start: number, open: number, quote: number, flags: number): Token {
    const text = this.text;
    let at = open + 1;
    for (;; at++) {
      const c = text.charCodeAt(at);
      if (c === quote) break;
      if (c === 92 && text.charCodeAt(at + 1) !== 10) at++;
      else if (c === 10 || c !== c) {
        // C17 6.4: a lone quote is undefined behaviour; as in GNU C it is a stray character, an error only where it is used.
        this.at = open + 1;
        return new Token(K.OTHER, text.slice(start, open + 1), null, flags, this.base + start, null, null);
      }
    }
    this.at = at + 1;
    return new Token(quote === 34 ? K.STRING : K.CHARACTER, text.slice(start, at + 1), null, flags, this.base + start, null, null);
  }

  /** An identifier that holds a universal character name, C17 6.4.3: the same as one that holds the character. */
  #universal(start: number, flags: number): Token {
    const text = this.text;
    let at = start;
    for (;;) {
      const c = text.charCodeAt(at);
      if (c === 92) {
        const digits = text.charCodeAt(at + 1) === 117 ? 4 : text.charCodeAt(at + 1) === 85 ? 8 : 0;
        let i = 0;
        while (i < digits && hexDigit(text.charCodeAt(at + 2 + i)) >= 0) i++;
        if (digits === 0 || i < digits) break;
        at += 2 + digits;
      } else if (c >= 128 || (c === c && CLASS[c] !== 0)) at++;
      else break;
    }
    if (at === start) return this.#punctuator(K.OTHER, "\\", start, flags);
    this.at = at;
    const id = this.#names.intern(text.slice(start, at).replace(UNIVERSAL, named));
    return new Token(K.IDENTIFIER, id.text, id, flags, this.base + start, null, null);
  }
}

const UNIVERSAL = /\\u([\da-fA-F]{4})|\\U([\da-fA-F]{8})/g;

/** The character of a universal character name; the name itself where it may name none, C17 6.4.3p2. */
function named(name: string, four?: string, eight?: string): string {
  const point = parseInt(four ?? eight!, 16);
  return point < 0xa0 || point >= 0xd800 && point <= 0xdfff || point > 0x10ffff ? name : String.fromCodePoint(point);
}

/** Value of a hexadecimal digit, -1 for another character. */
export function hexDigit(c: number): number {
  if (c >= 48 && c <= 57) return c - 48;
  const lower = c | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}

/** True where the space between two tokens can't be left out without making them another token. For `preprocess` and for `##`. */
export function mustSeparate(left: Token, right: Token): boolean {
  const a = left.text.charCodeAt(left.text.length - 1);
  const b = right.text.charCodeAt(0);
  const wordA = a >= 128 || CLASS[a] > 0;
  const wordB = b >= 128 || CLASS[b] > 0;
  if (wordA && (wordB || b === 34 || b === 39)) return true;
  if (left.kind === K.NUMBER && (b === 43 || b === 45 || b === 46)) return true;
  if (!wordA && !wordB) return a === b || b === 61 || b === 58 || b === 62 || b === 37 || (a === 47 && b === 42) || (a === 60 && b === 58);
  return a === 46 && b >= 48 && b <= 57;
}
