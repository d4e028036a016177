/**
 * A header as it is written: the text of each declaration in it and the comments that belong to it.
 *
 * The tokenizer skips comments, so they are what stands between two tokens. A declaration's comment is the one right above it (no empty line
 * between), in it, or at the end of its last line. One that has none but stands right below another shares that one's, as headers
 * group functions. Nothing is taken from a comment that an empty line sets apart: it is about what follows, not about the next name.
 *
 * @module
 */

import { Diagnostics } from "../../lexer/diagnostics.ts";
import { EOF } from "../../lexer/kinds.ts";
import type { Origin } from "../../lexer/model.ts";
import { Content, Sources } from "../../lexer/source.ts";
import { BOL, Identifiers, Tokenizer } from "../../lexer/tokenize.ts";

/** What a header says of one declaration. */
export interface Written {
  /** The declaration as it stands there, without the indentation that it has as a whole. */
  readonly text: string;
  /** Its comment without the comment signs; "" where there is none. */
  readonly comment: string;
  /** The line of the declaration whose comment it shares, null where the comment is its own. */
  readonly sharedFrom: number | null;
}

interface Place {
  readonly start: number;
  readonly end: number;
  readonly text: string;
  /** True within a line that begins with `#`. */
  readonly directive: boolean;
}

interface Comment {
  readonly text: string;
  readonly line: number;
  readonly lastLine: number;
  readonly column: number;
}

/** The first and last token of a declaration. */
interface Extent {
  readonly first: number;
  readonly last: number;
}

/** One header. */
export class HeaderText {
  readonly #content: Content;
  readonly #text: string;
  readonly #tokens: readonly Place[];

  /** Reads a header's text. It may be malformed: what can't be found has no comment. */
  constructor(text: string) {
    this.#content = new Content(text.replaceAll("\r\n", "\n"));
    this.#text = this.#content.text;
    this.#tokens = tokensOf(this.#text);
  }

  /** What it says of the declaration of a name: a function, record, enum, typedef or macro. */
  declaration({ line, column }: Pick<Origin, "line" | "column">): Written | null {
    const at = this.#tokenAt(this.#content.starts[line - 1] + column - 1);
    return at < 0 ? null : this.#written(this.#extent(at));
  }

  /** What it says of a field or enumerator of the record or enum that is declared there. */
  member({ line, column }: Pick<Origin, "line" | "column">, name: string): Written | null {
    const at = this.#tokenAt(this.#content.starts[line - 1] + column - 1);
    if (at < 0) return null;
    const { last } = this.#extent(at);
    for (let i = at + 1; i < last; i++) {
      if (this.#tokens[i].text === name && /^[;,:=[)}]$/.test(this.#tokens[i + 1]?.text ?? "")) {
        return this.#written(this.#memberExtent(i), false);
      }
    }
    return null;
  }

  #tokenAt(offset: number): number {
    let low = 0, high = this.#tokens.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#tokens[middle].end <= offset) low = middle + 1;
      else high = middle;
    }
    return low < this.#tokens.length && this.#tokens[low].start <= offset ? low : -1;
  }

  /** From after the last `;`, brace or directive to the `;` that ends it; of a function with a body, to before that. */
  #extent(at: number): Extent {
    const tokens = this.#tokens;
    if (tokens[at].directive) return this.#directive(at);
    let first = at, last = at, depth = 0;
    while (first > 0 && !tokens[first - 1].directive && !/^[;{}]$/.test(tokens[first - 1].text)) first--;
    if (tokens[at - 1]?.text === "}") first = this.#openingOf(at - 1); // `typedef struct { … } name;`
    const called = tokens[at + 1]?.text === "(" ||
      tokens[first].text !== "typedef" && tokens.slice(first, at).some(({ text }) => text === "(");
    for (; last < tokens.length - 1; last++) {
      const { text } = tokens[last];
      if (text === "{" && depth === 0 && called) return { first, last: last - 1 };
      if (text === "{" || text === "(") depth++;
      else if (text === "}" || text === ")") depth--;
      else if (text === ";" && depth <= 0) break;
    }
    return { first, last };
  }

  /** The first token of the declaration whose body ends with the brace at `close`. */
  #openingOf(close: number): number {
    let depth = 0, at = close;
    for (; at > 0; at--) {
      if (this.#tokens[at].text === "}") depth++;
      else if (this.#tokens[at].text === "{" && --depth === 0) break;
    }
    while (at > 0 && !this.#tokens[at - 1].directive && !/^[;{}]$/.test(this.#tokens[at - 1].text)) at--;
    return at;
  }

  #directive(at: number): Extent {
    let first = at, last = at;
    while (this.#tokens[first].text !== "#") first--;
    while (this.#tokens[last + 1]?.directive && this.#tokens[last + 1].text !== "#") last++;
    return { first, last };
  }

  #memberExtent(at: number): Extent {
    const tokens = this.#tokens;
    const enumerator = /^[,=}]$/.test(tokens[at + 1].text) && (tokens[at - 1].text === "{" || tokens[at - 1].text === ",");
    const ends = enumerator ? /^[,{}]$/ : /^[;{}]$/;
    let first = at, last = at;
    while (first > 0 && !tokens[first - 1].directive && !ends.test(tokens[first - 1].text)) first--;
    while (!ends.test(tokens[last].text)) last++;
    return { first, last: tokens[last].text === "}" ? last - 1 : last };
  }

  #written(extent: Extent, shares = true): Written {
    const { first, last } = extent;
    const { leading } = this.#gap(first - 1);
    const { trailing } = this.#gap(last);
    let text = this.#source(extent);
    const own = adjacent(leading, this.#line(first));
    // Where the parameters have comments line by line, so has the last.
    if (/\/[/*]/.test(text) && text.endsWith(";") && text.includes("(")) text = [text, ...trailing.map(({ text }) => ` ${text}`)].join("");
    else own.push(...trailing);
    if (own.length > 0 || !shares) return { text, comment: plain(own), sharedFrom: null };
    const before = this.#sharedWith(first);
    return before === null ? { text, comment: "", sharedFrom: null } : { ...before, text };
  }

  /** The comment of the function right above, if there is no empty line between. */
  #sharedWith(first: number): Pick<Written, "comment" | "sharedFrom"> | null {
    const above = first - 1;
    if (above < 0 || this.#tokens[above].text !== ";" || this.#line(above) !== this.#line(first) - 1) return null;
    const { first: start } = this.#extent(above);
    const comments = adjacent(this.#gap(start - 1).leading, this.#line(start));
    if (comments.length > 0) return { comment: plain(comments), sharedFrom: this.#line(start) };
    return this.#gap(above).trailing.length > 0 ? null : this.#sharedWith(start);
  }

  /** The comments between a token and the next: those that end the token's line, and the others. */
  #gap(index: number): { trailing: Comment[]; leading: Comment[] } {
    const from = index < 0 ? 0 : this.#tokens[index].end;
    const to = this.#tokens[index + 1]?.start ?? this.#text.length;
    const trailing: Comment[] = [], leading: Comment[] = [];
    let before = { lastLine: index < 0 ? 0 : this.#content.lineAt(from - 1), column: -1 };
    for (const match of this.#text.slice(from, to).matchAll(/\/\/[^\n]*|\/\*[^]*?\*\//g)) {
      const comment = this.#comment(from + match.index, match[0]);
      const continues = comment.line === before.lastLine && before.column === -1 ||
        trailing.length > 0 && comment.line === before.lastLine + 1 && comment.column === before.column;
      if (continues && leading.length === 0) trailing.push(comment), before = comment;
      else leading.push(comment);
    }
    return { trailing, leading };
  }

  #comment(offset: number, text: string): Comment {
    const line = this.#content.lineAt(offset);
    return { text, line, lastLine: this.#content.lineAt(offset + text.length - 1), column: offset - this.#content.starts[line - 1] };
  }

  #line(index: number): number {
    return this.#content.lineAt(this.#tokens[index].start);
  }

  #source({ first, last }: Extent): string {
    const start = this.#tokens[first].start;
    const indent = " ".repeat(start - this.#content.starts[this.#content.lineAt(start) - 1]);
    return dedent(indent + this.#text.slice(start, this.#tokens[last].end));
  }
}

function tokensOf(text: string): Place[] {
  const tokenizer = new Tokenizer(text, 0, new Identifiers(), new Diagnostics(new Sources()));
  const places: Place[] = [];
  let directive = false;
  for (;;) {
    const token = tokenizer.next();
    if (token.kind === EOF) return places;
    if (token.flags & BOL) directive = token.text === "#";
    places.push({ start: token.position, end: tokenizer.at, text: token.text, directive });
  }
}

/** Those of the comments that stand right above a line, one below the other. */
function adjacent(comments: readonly Comment[], line: number): Comment[] {
  const found: Comment[] = [];
  for (const comment of comments.toReversed()) {
    const below = found[0]?.line ?? line;
    if (comment.lastLine < below - 1) break;
    found.unshift(comment);
  }
  return found;
}

/** The text of comments without the signs that make them comments. */
function plain(comments: readonly Comment[]): string {
  return dedent(comments.map(({ text }) => text.startsWith("//") ? text.replace(/^\/\/[/!]*<? ?/, "") : block(text)).join("\n"));
}

function block(text: string): string {
  const lines = text.replace(/^\/\*[*!]*<? ?/, "").replace(/\s*\**\/$/, "").split("\n");
  return lines.map((line, i) => i === 0 ? line : line.replace(/^\s*\* ?/, "")).join("\n");
}

/** Without the indentation that all lines share, and without empty lines at either end. */
function dedent(text: string): string {
  const lines = text.split("\n").map((line) => line.trimEnd());
  const shared = Math.min(...lines.filter((line) => line !== "").map((line) => line.length - line.trimStart().length));
  return lines.map((line) => line.slice(Number.isFinite(shared) ? shared : 0)).join("\n").replace(/^\n+|\s+$/g, "");
}
