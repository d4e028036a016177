/**
 * What a header says of its declarations in comments, and how it spells them.
 *
 * To the tokenizer comments are white space, so they are found here in the gaps between a file's tokens: those that stand directly above a
 * declaration, behind it on its line, and the short ones between blank lines that head a section. Nothing is preprocessed: a declaration is
 * asked for by the line and column of its name, which the model has.
 *
 * @module
 */

import { Diagnostics } from "../text/diagnostics.ts";
import { EOF } from "./kinds.ts";
import { Content, Sources } from "../text/source.ts";
import { BOL, Identifiers, type Token, Tokenizer } from "./tokenize.ts";

/** A comment. */
interface Comment {
  readonly from: number;
  readonly to: number;
  /** True if nothing but comments stands before it on its line. */
  readonly own: boolean;
}

/** A token of the file, what stands between it and the one before, and what it is part of. */
interface Item {
  readonly text: string;
  readonly from: number;
  readonly to: number;
  /** True for the first of its line. */
  readonly first: boolean;
  readonly directive: boolean;
  /** How many braces are open before it, those of `extern "C"` not counted. */
  readonly depth: number;
  readonly comments: readonly Comment[];
}

/** What a header says of one declaration. */
export interface Description {
  /** The declaration as the header spells it, from its first token to its last, without its indentation. */
  readonly source: string;
  /** The comment above it and the one behind it on its line, without their marks; "" where there is none. */
  readonly comment: string;
  /** The comment above the declarations that this one follows without a blank line: it may be about all of them. "" where there is none. */
  readonly shared: string;
  /** The heading that it stands under; null where there is none. */
  readonly section: string | null;
}

/** What a declaration ends with, which says too where the one before it ended. */
const ENDS = { declaration: ";{}", enumerator: ",{}" } as const;

/** The comments of a header. */
export class Comments {
  readonly #text: string;
  readonly #content: Content;
  readonly #items: readonly Item[];
  readonly #sections: readonly { readonly from: number; readonly title: string }[];

  /** @param text The header, as it is on disk. */
  constructor(text: string) {
    this.#content = new Content(text);
    this.#text = this.#content.text;
    this.#items = [...read(this.#text)];
    this.#sections = [...this.#headings()];
  }

  /** What is said of the declaration whose name stands at a line and column, both from 1. */
  at(line: number, column: number, kind: keyof typeof ENDS = "declaration"): Description {
    return this.#describe(this.#itemAt(this.#content.starts[line - 1] + column - 1), kind);
  }

  /** What is said of a member, by its name and the position of its struct or enum. Null if the name isn't spelled there: a macro may write it. */
  member(line: number, column: number, name: string, kind: keyof typeof ENDS): Description | null {
    const items = this.#items;
    let index = this.#itemAt(this.#content.starts[line - 1] + column - 1);
    while (index < items.length && items[index].text !== "{" && items[index].text !== ";") index++;
    const depth = items[index]?.depth ?? 0;
    for (index++; index < items.length && items[index].depth > depth; index++) {
      if (items[index].text === name) return this.#describe(index, kind);
    }
    return null;
  }

  #describe(index: number, kind: keyof typeof ENDS): Description {
    const [first, last] = this.#extent(index, kind);
    const { from } = this.#items[first];
    const above = this.#above(first);
    const shared = above.length === 0 && kind === "declaration" ? this.#shared(first) : [];
    return {
      source: outdent(this.#text.slice(this.#lineStart(from), this.#items[last].to)),
      comment: this.#plain([...above, ...this.#behind(last)]),
      shared: this.#plain(shared),
      section: this.#sections.findLast((section) => section.from < from)?.title ?? null,
    };
  }

  /** The first and last token of the declaration that a token is part of. */
  #extent(index: number, kind: keyof typeof ENDS): [number, number] {
    const items = this.#items;
    const ends = (i: number) => items[i].directive !== items[index].directive || ENDS[kind].includes(items[i].text);
    let first = index, last = index;
    if (items[index].directive) {
      while (first > 0 && items[first].text !== "#") first--;
      while (last + 1 < items.length && !items[last + 1].first) last++;
      return [first, last];
    }
    while (first > 0 && !ends(first - 1)) first--;
    let open = 0;
    for (last = first; last + 1 < items.length && !items[last].directive; last++) {
      const { text } = items[last], next = items[last + 1];
      if (text === "{" || text === "(") open++;
      else if (text === "}" || text === ")") open--;
      if (open > 0) continue;
      if (text === ";" || (kind === "enumerator" && (text === "," || next.text === "}"))) break;
      if (text === "}" && next.text !== ";" && !isName(next)) break; // a function's body
    }
    return [first, last];
  }

  /** The comments that stand directly above a token. */
  #above(index: number): readonly Comment[] {
    const { comments, from } = this.#items[index];
    const behind = index === 0 ? 0 : this.#behind(index - 1).length; // those are about something else
    let start = comments.length;
    for (let next = this.#line(from); start > behind; start--) {
      const comment = comments[start - 1];
      if (!comment.own || this.#line(comment.to - 1) + 1 !== next) break;
      next = this.#line(comment.from);
    }
    return comments.slice(start);
  }

  /** The comments above the first of the declarations that this one follows line by line. */
  #shared(index: number): readonly Comment[] {
    const items = this.#items;
    for (let first = index; first > 0 && !items[first].directive;) {
      const before = items[first - 1];
      if (before.text !== ";" || this.#line(before.from) + 1 !== this.#line(items[first].from)) return [];
      [first] = this.#extent(first - 1, "declaration");
      const above = this.#above(first);
      if (above.length > 0) return above;
    }
    return [];
  }

  /** The comments behind a token on its line, with the lines below that go on in the same column. */
  #behind(index: number): readonly Comment[] {
    const next = this.#items[index + 1];
    if (next === undefined) return [];
    const found: Comment[] = [];
    let line = this.#line(this.#items[index].to - 1);
    for (const comment of next.comments) {
      const [first] = found;
      const goesOn = first === undefined
        ? !comment.own && this.#line(comment.from) === line
        : comment.own && this.#line(comment.from) === line + 1 && this.#column(comment.from) === this.#column(first.from);
      if (!goesOn) break;
      found.push(comment);
      line = this.#line(comment.to - 1);
    }
    return found;
  }

  /** Short comments outside of structs and enums with a blank line below. */
  *#headings(): Iterable<{ from: number; title: string }> {
    for (const { comments, depth, from } of this.#items) {
      if (depth > 0) continue;
      for (let i = 0; i < comments.length; i++) {
        let last = i;
        while (last + 1 < comments.length && this.#line(comments[last].to - 1) + 1 === this.#line(comments[last + 1].from)) last++;
        const text = this.#plain(comments.slice(i, last + 1));
        const below = comments[last + 1]?.from ?? from;
        const apart = comments[i].own && this.#line(comments[last].to - 1) + 1 < this.#line(below);
        if (apart && isHeading(text)) yield { from: comments[i].from, title: text };
        i = last;
      }
    }
  }

  #plain(comments: readonly Comment[]): string {
    return plain(comments.map(({ from, to }) => this.#text.slice(from, to)));
  }

  /** The index of the token at an offset, or of the one behind it. */
  #itemAt(offset: number): number {
    let low = 0, high = this.#items.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#items[middle].to <= offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #line(offset: number): number {
    return this.#content.lineAt(offset);
  }

  #lineStart(offset: number): number {
    const start = this.#content.starts[this.#line(offset) - 1];
    return this.#text.slice(start, offset).trim() === "" ? start : offset;
  }

  #column(offset: number): number {
    return offset - this.#content.starts[this.#line(offset) - 1];
  }
}

/** The tokens of a text, with the comments between them; the last is its end. */
function* read(text: string): Iterable<Item> {
  const tokenizer = new Tokenizer(text, 0, new Identifiers(), new Diagnostics(new Sources()));
  const braces: boolean[] = []; // those that are open, and whether they count
  let end = 0, directive = false, before = ["", ""];
  for (;;) {
    const token: Token = tokenizer.next();
    const from = token.position, to = from + token.text.length, first = (token.flags & BOL) !== 0;
    if (first) directive = token.text === "#";
    if (!directive && token.text === "}") braces.pop();
    const depth = braces.filter((counts) => counts).length;
    yield { text: token.text, from, to, first, directive, depth, comments: [...commentsIn(text, end, from)] };
    if (!directive && token.text === "{") braces.push(!(before[0] === "extern" && before[1].startsWith('"')));
    if (token.kind === EOF) return;
    before = [before[1], token.text];
    end = to;
  }
}

/** The comments of a gap between tokens, in which there is nothing else but white space. */
function* commentsIn(text: string, from: number, to: number): Iterable<Comment> {
  let own = from === 0;
  let before = from;
  for (const match of text.slice(from, to).matchAll(/\/\/.*|\/\*[^]*?\*\//g)) {
    const start = from + match.index;
    own ||= text.slice(before, start).includes("\n");
    before = start + match[0].length;
    yield { from: start, to: before, own };
  }
}

function isName(item: Item | undefined): boolean {
  return item !== undefined && !item.directive && /^\w/.test(item.text) && item.comments.length === 0;
}

/** True for a few words that aren't a sentence, code, or a note of the authors to themselves. */
function isHeading(text: string): boolean {
  return text.length <= 60 && /^[A-Za-z][\w ,&/+'()-]*$/.test(text) && !/^(TODO|FIXME|NOTE|ref)\b/i.test(text) && !/\w\(/.test(text);
}

/** The text of comments without their marks, ruled lines, and the indentation that all lines share. */
function plain(comments: readonly string[]): string {
  const text = comments.map((comment) => comment.startsWith("//") ? comment.replace(/^\/\/[/!]*<?/, "") : block(comment)).join("\n");
  const lines = text.split("\n").filter((line) => !/^\s*[-=*/]{4,}\s*$/.test(line));
  return outdent(lines.join("\n")).replace(/^\n+/, "").trimEnd();
}

/** The text of a block comment, whose lines may begin with a star. */
function block(comment: string): string {
  const [first, ...rest] = comment.slice(2, -2).split("\n");
  const starred = rest.every((line) => /^\s*(\*|$)/.test(line));
  const below = outdent(rest.map((line) => starred ? line.replace(/^\s*\*/, "") : line).join("\n"));
  return ` ${first.replace(/^[*!]<?/, "").trim()}\n${below.replaceAll(/^/gm, " ")}`;
}

/** The text without the indentation that all of its lines share. */
function outdent(text: string): string {
  const lines = text.split("\n").map((line) => line.trimEnd());
  const indents = lines.filter((line) => line !== "").map((line) => line.length - line.trimStart().length);
  const shared = indents.length === 0 ? 0 : Math.min(...indents);
  return lines.map((line) => line.slice(shared)).join("\n");
}
