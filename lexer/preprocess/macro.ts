/**
 * Macros, hide sets, and the substitution of arguments.
 *
 * The algorithm is Dave Prosser's (X3J11/86-196), which C17 6.10.3.4 puts into words: each token carries the set of macros whose expansion it
 * came from; a name in its own hide set is not expanded. A function-like macro's result gets the intersection of the hide sets of its name
 * and of its closing parenthesis, plus its own name. Hide sets are interned: equal sets are the same object, so almost every question is
 * answered by comparing two references.
 *
 * Where tokens come from and where the result goes is not known here: see preprocess.ts.
 *
 * @module
 */

import * as K from "../tokens/kinds.ts";
import { BOL, type Identifier, SPACE, Token } from "../tokens/tokenize.ts";

/** Built-in macros whose value depends on where they stand. */
export type BuiltIn =
  | "__FILE__"
  | "__BASE_FILE__"
  | "__FILE_NAME__"
  | "__LINE__"
  | "__COUNTER__"
  | "__INCLUDE_LEVEL__"
  | "__DATE__"
  | "__TIME__"
  | "__TIMESTAMP__"
  | "__has_include"
  | "__has_include_next"
  | "__has_embed"
  | "__has_attribute"
  | "__has_c_attribute"
  | "__has_cpp_attribute"
  | "__has_builtin"
  | "__has_feature"
  | "__has_extension"
  | "__has_declspec_attribute"
  | "__has_warning"
  | "_Pragma"
  | "__pragma";

/** A macro definition. */
export class Macro {
  /** For each token of the body: the parameter that it names, or -1. */
  readonly slots: Int16Array | null;
  /** Some token of the body is `#`, `##` or `__VA_OPT__` where they are operators. */
  readonly operators: boolean;

  constructor(
    readonly name: Identifier,
    /** Null for an object-like macro. A variadic one's last parameter is the variable arguments. */
    readonly parameters: readonly Identifier[] | null,
    readonly variadic: boolean,
    readonly body: readonly Token[],
    readonly position: number,
    slots: Int16Array | null,
    operators: boolean,
    readonly builtIn: BuiltIn | null = null,
  ) {
    this.slots = slots;
    this.operators = operators;
  }

  /** C17 6.10.3p1: whether a redefinition is the same. */
  same(other: Macro): boolean {
    const a = this.parameters;
    const b = other.parameters;
    if (this.builtIn !== null || other.builtIn !== null) return false;
    if ((a === null) !== (b === null) || this.variadic !== other.variadic || this.body.length !== other.body.length) return false;
    if (a !== null && b !== null && (a.length !== b.length || a.some((id, i) => id !== b[i]))) return false;
    return this.body.every((token, i) => {
      const twin = other.body[i];
      return token.text === twin.text && token.kind === twin.kind && (i === 0 || (token.flags & SPACE) === (twin.flags & SPACE));
    });
  }
}

/** One use of a macro: what its tokens say about where they came from. */
export class Expansion {
  constructor(
    readonly macro: Macro,
    /** Where the macro's name stood. */
    readonly position: number,
    /** The expansion that the name came from. */
    readonly parent: Expansion | null,
  ) {}
}

/** How long a chain grows before a set of it keeps an index. */
const INDEX_EVERY = 128;

/** An interned set of macro names: a list that shares its tails. */
export class HideSet {
  /** The first set that was made of this one: mostly the only one, and a map for each would take most of the memory of a long chain. */
  #first: HideSet | null = null;
  #longer: Map<Identifier, HideSet> | null = null;
  /** How many names it has. */
  readonly size: number;
  /** All its names, in every so many sets of a long chain, so that no question walks far. */
  readonly #names: Set<Identifier> | null;

  private constructor(readonly name: Identifier, readonly rest: HideSet | null) {
    this.size = rest === null ? 1 : rest.size + 1;
    if (this.size % INDEX_EVERY !== 0) this.#names = null;
    else {
      const names = new Set<Identifier>([name]);
      for (let set = rest; set !== null; set = set.rest) names.add(set.name);
      this.#names = names;
    }
  }

  static readonly #single = new WeakMap<Identifier, HideSet>();

  /** The set of one name. */
  static of(name: Identifier): HideSet {
    let set = HideSet.#single.get(name);
    if (set === undefined) HideSet.#single.set(name, set = new HideSet(name, null));
    return set;
  }

  /** True where `name` is in the set. */
  has(name: Identifier): boolean {
    if (this.name === name) return true;
    if (this.#names !== null) return this.#names.has(name);
    for (let set = this.rest; set !== null; set = set.rest) {
      if (set.name === name) return true;
      if (set.#names !== null) return set.#names.has(name);
    }
    return false;
  }

  /** This set and `name`. Sets that were built in another order are distinct objects, which costs a little and changes nothing. */
  plus(name: Identifier): HideSet {
    if (this.has(name)) return this;
    if (this.#first === null) return this.#first = new HideSet(name, this);
    if (this.#first.name === name) return this.#first;
    this.#longer ??= new Map();
    let set = this.#longer.get(name);
    if (set === undefined) this.#longer.set(name, set = new HideSet(name, this));
    return set;
  }

  /** All names of both. */
  static union(a: HideSet | null, b: HideSet | null): HideSet | null {
    if (a === b || b === null) return a;
    if (a === null) return b;
    const tail = HideSet.#tailOf(a, b);
    if (tail === a) return b;
    let union = a;
    for (let set: HideSet | null = b; set !== tail; set = set!.rest) union = union.plus(set!.name);
    return union;
  }

  /** The names in both. */
  static intersection(a: HideSet | null, b: HideSet | null): HideSet | null {
    if (a === b) return a;
    if (a === null || b === null) return null;
    const tail = HideSet.#tailOf(a, b);
    let both = tail;
    for (let set: HideSet | null = a; set !== tail; set = set!.rest) {
      if (b.has(set!.name)) both = both === null ? HideSet.of(set!.name) : both.plus(set!.name);
    }
    return both;
  }

  /** The set that both were made of: the longer chain a macro is in, the more of it they share. */
  static #tailOf(a: HideSet, b: HideSet): HideSet | null {
    let left: HideSet | null = a, right: HideSet | null = b;
    while (left !== right) {
      const ahead = (left?.size ?? 0) - (right?.size ?? 0);
      if (ahead >= 0) left = left!.rest;
      if (ahead <= 0) right = right!.rest;
    }
    return left;
  }
}

/** What substitution needs of the preprocessor. */
export interface Expander {
  /** Expands a list by itself, as if nothing followed it (C17 6.10.3.1). */
  expandAlone(tokens: readonly Token[]): Token[];
  /** Counts the characters that `#` and `##` make, and ends the run where they are too many. */
  made(at: Token, characters: number): void;
  /** Reads one token from text, for `##`; null where the text is not exactly one. */
  retokenize(text: string, like: Token): Token | null;
  error(at: Token | number, message: string): void;
}

/** Arguments of one use of a function-like macro. */
export class Arguments {
  readonly #expanded: (Token[] | null)[];
  constructor(readonly raw: readonly (readonly Token[])[], readonly expander: Expander) {
    this.#expanded = raw.map(() => null);
  }

  /** The argument, fully macro-replaced. */
  expanded(index: number): readonly Token[] {
    return this.#expanded[index] ??= this.expander.expandAlone(this.raw[index]);
  }
}

/** A copy of a body token that says where it came from. */
function copy(token: Token, flags: number, hide: HideSet | null, expansion: Expansion): Token {
  return new Token(token.kind, token.text, token.id, flags, token.position, hide, expansion);
}

/** The body of an object-like macro as its expansion, hide set added. */
export function replace(macro: Macro, expansion: Expansion, hide: HideSet, expander: Expander): Token[] {
  if (macro.operators) return addHide(substitute(macro, null, expansion, expander), hide);
  const out: Token[] = new Array(macro.body.length);
  for (let i = 0; i < out.length; i++) out[i] = copy(macro.body[i], macro.body[i].flags, hide, expansion);
  return out;
}

/** Adds names to the hide sets of tokens that are nobody else's. */
export function addHide(tokens: Token[], hide: HideSet): Token[] {
  for (let i = 0; i < tokens.length; i++) {
    const own = tokens[i].hide;
    tokens[i].hide = own === null ? hide : HideSet.union(own, hide);
  }
  return tokens;
}

/** The body of a macro with its arguments put in: `subst` of Prosser's algorithm. */
export function substitute(macro: Macro, args: Arguments | null, expansion: Expansion, expander: Expander): Token[] {
  return sweep(part(macro, 0, macro.body.length, args, expansion, expander));
}

/** A part of the body with the arguments put in. Placemarkers are still there: an operator around `__VA_OPT__` may need them. */
function part(macro: Macro, from: number, to: number, args: Arguments | null, expansion: Expansion, expander: Expander): Token[] {
  const out: Token[] = [];
  const { body, slots } = macro;
  const last = macro.parameters === null ? -1 : macro.parameters.length - 1;
  let paste = false; // the operator before was ##
  for (let i = from; i < to; i++) {
    const token = body[i];
    const slot = slots === null ? -1 : slots[i];
    const pasted = paste;
    paste = false;
    const before = out.length;
    if (args !== null && token.kind === K.HASH && i + 1 < to && slots !== null && (slots[i + 1] >= 0 || slots[i + 1] === VA_OPT)) {
      i++;
      if (slots[i] === VA_OPT) {
        const close = closing(body, i + 1, to);
        const inner = optional(macro, i + 2, close, args, expansion, expander);
        out.push(stringify(token, sweep(inner), expansion, expander));
        i = close;
      } else out.push(stringify(token, args.raw[slots[i]], expansion, expander));
    } else if (token.kind === K.HASHHASH && i > from && i + 1 < to && (args !== null || macro.parameters === null)) {
      // GNU: `, ## __VA_ARGS__` drops the comma where the variable arguments are absent or empty, and else pastes nothing.
      if (macro.variadic && args !== null && slots !== null && slots[i + 1] === last && body[i - 1].kind === K.COMMA && slots[i - 1] < 0) {
        i++;
        const raw = args.raw[last];
        if (raw.length === 0) out.pop();
        else append(out, raw, body[i].flags);
        continue;
      }
      paste = true;
      continue;
    } else if (slot >= 0 && args !== null) {
      const operand = pasted || (i + 1 < to && body[i + 1].kind === K.HASHHASH && i + 2 < to);
      const tokens = operand ? args.raw[slot] : args.expanded(slot);
      if (tokens.length > 0) append(out, tokens, token.flags);
      else if (operand) out.push(new Token(K.PLACEMARKER, "", null, token.flags & SPACE, token.position, null, expansion));
      else if ((token.flags & SPACE) !== 0) out.push(new Token(K.PLACEMARKER, "", null, SPACE, token.position, null, expansion));
    } else if (slot === VA_OPT && args !== null) {
      const close = closing(body, i + 1, to);
      const tokens = optional(macro, i + 2, close, args, expansion, expander);
      i = close;
      if (tokens.length > 0) append(out, tokens, token.flags);
      else out.push(new Token(K.PLACEMARKER, "", null, token.flags & SPACE, token.position, null, expansion));
    } else out.push(copy(token, token.flags & ~BOL, null, expansion));
    if (pasted && before > 0 && out.length > before) {
      const glued = glue(out[before - 1], out[before], expansion, expander);
      if (glued !== null) out.splice(before - 1, 2, glued); // else both stay, and an error was reported
    }
  }
  return out;
}

/** Takes the placemarkers out; one that had a space before it leaves the space. */
function sweep(tokens: Token[]): Token[] {
  let to = 0;
  let space = 0;
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i];
    if (token.kind === K.PLACEMARKER) {
      space |= token.flags & SPACE;
      continue;
    }
    if (space !== 0) {
      token.flags |= space;
      space = 0;
    }
    tokens[to++] = token;
  }
  tokens.length = to;
  return tokens;
}

/** In `Macro.slots`: the token is `__VA_OPT__`. */
export const VA_OPT = -2;

/** Appends copies, of which the first stands as the parameter stood. */
function append(out: Token[], tokens: readonly Token[], flags: number): void {
  for (let i = 0; i < tokens.length; i++) {
    const t = tokens[i];
    const own = i === 0 ? (t.flags & ~(SPACE | BOL)) | (flags & SPACE) : (t.flags & BOL) !== 0 ? (t.flags & ~BOL) | SPACE : t.flags;
    out.push(new Token(t.kind, t.text, t.id, own, t.position, t.hide, t.expansion));
  }
}

/** `__VA_OPT__ ( … )` where the variable arguments have tokens, C23 6.10.5.2. */
function optional(macro: Macro, from: number, to: number, args: Arguments, expansion: Expansion, expander: Expander): Token[] {
  const last = args.raw.length - 1;
  if (args.raw[last].length === 0 || args.expanded(last).length === 0) return [];
  return part(macro, from, to, args, expansion, expander);
}

/** Index of the parenthesis that closes the one at `open`. */
export function closing(body: readonly Token[], open: number, to: number): number {
  let depth = 0;
  for (let i = open; i < to; i++) {
    if (body[i].kind === K.LPAREN) depth++;
    else if (body[i].kind === K.RPAREN && --depth === 0) return i;
  }
  return to;
}

/** The `#` operator, C17 6.10.3.2. */
function stringify(hash: Token, tokens: readonly Token[], expansion: Expansion, expander: Expander): Token {
  let characters = 0;
  for (const token of tokens) characters += token.text.length;
  if (tokens.length > 0) expander.made(tokens[0], characters);
  return new Token(K.STRING, `"${spell(tokens, true)}"`, null, hash.flags & ~BOL, hash.position, null, expansion);
}

/** Spells tokens with single spaces where there was white space; for a string literal, with `\` before `"` and `\` of literals. */
export function spell(tokens: readonly Token[], escape: boolean): string {
  let out = "";
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i];
    if (i > 0 && (token.flags & (SPACE | BOL)) !== 0) out += " ";
    if (escape && (token.kind === K.STRING || token.kind === K.CHARACTER)) {
      out += token.text.replaceAll("\\", "\\\\").replaceAll('"', '\\"');
    } else out += token.text;
  }
  return out;
}

/** The `##` operator, C17 6.10.3.3; null where the two don't make one token. */
function glue(left: Token, right: Token, expansion: Expansion, expander: Expander): Token | null {
  if (right.kind === K.PLACEMARKER) return left;
  const space = left.flags & SPACE;
  if (left.kind === K.PLACEMARKER) return new Token(right.kind, right.text, right.id, space, right.position, right.hide, right.expansion);
  expander.made(left, left.text.length + right.text.length);
  // Two slashes would be a comment to the tokenizer.
  const comment = left.text === "/" && (right.text.startsWith("/") || right.text.startsWith("*"));
  const token = comment ? null : expander.retokenize(left.text + right.text, left);
  if (token === null) {
    expander.error(left, `pasting "${shorten(left.text)}" and "${shorten(right.text)}" does not give a valid preprocessing token`);
    return null;
  }
  return new Token(token.kind, token.text, token.id, space, left.position, HideSet.intersection(left.hide, right.hide), expansion);
}

/** A text as messages show it. */
function shorten(text: string): string {
  return text.length > 60 ? text.slice(0, 57) + "…" : text;
}
