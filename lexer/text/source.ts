/**
 * Source files and positions.
 *
 * A position is one small integer: an offset into the concatenation of every file that was entered, in the order of entering (clang's
 * SourceLocation works alike). A file included twice is entered twice, so a position also says through which `#include` it was reached.
 * Lines and columns are worked out only when someone asks, from a table built on the first question.
 *
 * Line splices (C17 5.1.1.2, phase 2) are removed here, once, so that no later stage knows of them: the table of line starts counts a
 * removed splice as a line start, which keeps lines and columns those of the file as it was written.
 *
 * This file reads nothing from disk and knows nothing of C beyond the splice.
 *
 * @module
 */

const NEWLINE = 10;
const RETURN = 13;

/** The text of a file with its splices removed. Shared by all inclusions of the file. */
export class Content {
  /** The text that the tokenizer reads. */
  readonly text: string;
  /** Offsets into `text` where a splice was removed, ascending; one may repeat. */
  readonly #splices: readonly number[];
  #starts: number[] | null = null;

  constructor(raw: string) {
    let text = raw;
    const splices: number[] = [];
    if (text.charCodeAt(0) === 0xfeff) text = text.slice(1);
    let slash = text.indexOf("\\");
    if (slash >= 0) {
      const parts: string[] = [];
      let from = 0;
      let removed = 0;
      for (; slash >= 0; slash = text.indexOf("\\", slash + 1)) {
        const end = spliceEnd(text, slash + 1);
        if (end < 0) continue;
        parts.push(text.slice(from, slash));
        splices.push(slash - removed);
        removed += end - slash;
        from = end;
        slash = end - 1;
      }
      if (parts.length > 0) text = parts.join("") + text.slice(from);
    }
    this.text = text;
    this.#splices = splices;
  }

  /** Offsets into `text` at which each physical line begins. */
  get starts(): readonly number[] {
    if (this.#starts !== null) return this.#starts;
    const starts = [0];
    const splices = this.#splices;
    let s = 0;
    for (let at = this.text.indexOf("\n"); at >= 0; at = this.text.indexOf("\n", at + 1)) {
      while (s < splices.length && splices[s] <= at) starts.push(splices[s++]);
      starts.push(at + 1);
    }
    while (s < splices.length) starts.push(splices[s++]);
    return this.#starts = starts;
  }

  /** The line that holds `offset`, from 1. */
  lineAt(offset: number): number {
    const starts = this.starts;
    let low = 0;
    let high = starts.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (starts[middle] <= offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The text of a physical line, without its end and without the splice's backslash. */
  lineText(line: number): string {
    const starts = this.starts;
    const from = starts[line - 1];
    let to = line < starts.length ? starts[line] : this.text.length;
    if (to > from && this.text.charCodeAt(to - 1) === NEWLINE) to--;
    if (to > from && this.text.charCodeAt(to - 1) === RETURN) to--;
    return this.text.slice(from, to);
  }
}

/** Where the splice whose backslash stands before `from` ends, or -1. As in GNU C, white space may stand before the newline. */
function spliceEnd(text: string, from: number): number {
  for (let i = from;; i++) {
    const c = text.charCodeAt(i);
    if (c === NEWLINE) return i + 1;
    if (c !== 32 && c !== 9 && c !== RETURN && c !== 11 && c !== 12) return -1;
  }
}

/** A file that was entered: once more for each `#include` of it. */
export class SourceFile {
  /** The name that a `#line` gave, from the position on at which it stands. */
  lines: { readonly offset: number; readonly delta: number; readonly name: string }[] | null = null;

  constructor(
    /** Path as it was opened. */
    readonly path: string,
    /** As the `#include` spelled it. */
    readonly header: string,
    readonly content: Content,
    /** Position of its first character. */
    readonly base: number,
    /** Position of the `#include`, -1 for a main file. */
    readonly from: number,
    /** Declarations in it are not part of the API that is being bound. May turn true by `#pragma GCC system_header`, where nobody else says which are. */
    public system: boolean,
    readonly main: boolean,
    /** Index of the search folder that it was found in, for `#include_next`; -1 where it was found beside its includer. */
    readonly folder: number,
  ) {}
}

/** A position in words. */
export interface Place {
  readonly file: SourceFile;
  readonly line: number;
  readonly column: number;
}

/** All files that were entered. */
export class Sources {
  readonly files: SourceFile[] = [];
  #end = 0;
  #last: SourceFile | null = null;
  #lastLine = 0;

  /** Enters a file and gives it its positions. */
  enter(path: string, header: string, content: Content, from: number, system: boolean, main: boolean, folder: number): SourceFile {
    const file = new SourceFile(path, header, content, this.#end, from, system, main, folder);
    this.#end += content.text.length + 1; // one more, for the position of the end
    this.files.push(file);
    return file;
  }

  /** Characters entered so far. */
  get size(): number {
    return this.#end;
  }

  /** The file that holds a position. */
  fileAt(position: number): SourceFile {
    const last = this.#last;
    if (last !== null && position >= last.base && position <= last.base + last.content.text.length) return last;
    let low = 0;
    let high = this.files.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.files[middle].base <= position) low = middle + 1;
      else high = middle;
    }
    this.#lastLine = 0;
    return this.#last = this.files[low > 0 ? low - 1 : 0];
  }

  /** File, line and column of a position. */
  place(position: number): Place {
    const file = this.fileAt(position);
    const offset = position - file.base;
    const starts = file.content.starts;
    let line = this.#lastLine;
    // Questions mostly come in ascending order: try the last answer and the few lines after it.
    if (line > 0 && line <= starts.length && starts[line - 1] <= offset) {
      let tries = 0;
      while (line < starts.length && starts[line] <= offset && tries < 8) line++, tries++;
      if (line < starts.length && starts[line] <= offset) line = file.content.lineAt(offset);
    } else line = file.content.lineAt(offset);
    this.#lastLine = line;
    return { file, line, column: offset - starts[line - 1] + 1 };
  }

  /** Name and line as `#line` presents them (C17 6.10.4). */
  presumed(position: number): { name: string; line: number } {
    const { file, line } = this.place(position);
    const offset = position - file.base;
    if (file.lines !== null) {
      for (let i = file.lines.length - 1; i >= 0; i--) {
        const entry = file.lines[i];
        if (entry.offset <= offset) return { name: entry.name, line: line + entry.delta };
      }
    }
    return { name: file.path, line };
  }
}
