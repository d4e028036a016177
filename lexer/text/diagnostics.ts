/**
 * Diagnostics as data, and their printed form.
 *
 * A stage reports and goes on; nothing here throws. What a stage does to recover is its own affair.
 *
 * @module
 */

import type { Sources } from "./source.ts";
import type { Token } from "../tokens/tokenize.ts";

/** How bad it is. Only an error makes the commands exit with 1. */
export type Severity = "error" | "warning";

/** A remark that belongs to a diagnostic. */
export interface Note {
  /** The file that it is about. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
  /** What is wrong, in words. */
  readonly message: string;
  /** The text of that line. */
  readonly sourceLine: string;
}

/** Something wrong in a header. */
export interface Diagnostic extends Note {
  /** How bad it is. */
  readonly severity: Severity;
  /** The chain of `#include`s, innermost first. */
  readonly includes: readonly { readonly file: string; readonly line: number }[];
  /** The chain of macro expansions, innermost first, then other remarks. */
  readonly notes: readonly Note[];
}

/** More than this many are counted, but not kept. */
const MAX_DIAGNOSTICS = 500;
const MAX_CHAIN = 12;
const MAX_LINE_SHOWN = 200;
/** More of a message is shown of its beginning and end: it may name a token of a megabyte. */
const MAX_MESSAGE = 2000;

/** Collects diagnostics. */
export class Diagnostics {
  readonly list: Diagnostic[] = [];
  /** All errors, also those past the limit. */
  errors = 0;
  readonly #sources: Sources;
  #seen = new Set<string>();
  /** While above zero nothing is kept: a stage is only trying. */
  muted = 0;

  constructor(sources: Sources) {
    this.#sources = sources;
  }

  /** Reports an error at a token or position. */
  error(at: Token | number, message: string, notes: readonly { at: number; message: string }[] = []): void {
    this.#report("error", at, message, notes);
  }

  /** Reports a warning at a token or position. */
  warning(at: Token | number, message: string, notes: readonly { at: number; message: string }[] = []): void {
    this.#report("warning", at, message, notes);
  }

  #report(severity: Severity, at: Token | number, message: string, notes: readonly { at: number; message: string }[]): void {
    if (this.muted > 0) return;
    if (severity === "error") this.errors++;
    if (this.list.length >= MAX_DIAGNOSTICS) return;
    const chain: Note[] = [];
    let position: number;
    if (typeof at === "number") position = at;
    else {
      position = at.position;
      let expansion = at.expansion;
      if (expansion !== null) {
        // The place that matters to a reader is the one in the text of the header, so it comes first; the macros follow.
        const inner = position;
        position = outermost(at);
        chain.push(this.#note(inner, `in the body of macro '${expansion.macro.name.text}'`));
        for (let depth = 0; expansion !== null && expansion.parent !== null && depth < MAX_CHAIN; depth++, expansion = expansion.parent) {
          chain.push(this.#note(expansion.position, `expanded from here, in the body of macro '${expansion.parent.macro.name.text}'`));
        }
      }
    }
    for (const note of notes) chain.push(this.#note(note.at, note.message));
    const main = this.#note(position, shortened(message));
    const key = `${main.file}:${main.line}:${main.column}:${message}`;
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    const includes: { file: string; line: number }[] = [];
    let from = position < 0 || this.#sources.files.length === 0 ? -1 : this.#sources.fileAt(position).from;
    while (from >= 0 && includes.length < MAX_CHAIN) {
      const place = this.#sources.place(from);
      includes.push({ file: place.file.path, line: place.line });
      from = place.file.from;
    }
    this.list.push({ severity, ...main, includes, notes: chain });
  }

  #note(position: number, message: string): Note {
    if (position < 0 || this.#sources.files.length === 0) return { file: "", line: 0, column: 0, message, sourceLine: "" };
    const { file, line, column } = this.#sources.place(position);
    const presumed = file.lines === null ? null : this.#sources.presumed(position);
    return {
      file: presumed === null ? file.path : presumed.name,
      line: presumed === null ? line : presumed.line,
      column,
      message,
      sourceLine: file.content.lineText(line),
    };
  }
}

function shortened(message: string): string {
  return message.length <= MAX_MESSAGE ? message : `${message.slice(0, MAX_MESSAGE / 2)}…${message.slice(-MAX_MESSAGE / 2)}`;
}

/** The position in the text of a header that a token stands for: its own, or that of the outermost macro it came from. */
export function outermost(token: Token): number {
  let expansion = token.expansion;
  if (expansion === null) return token.position;
  while (expansion.parent !== null) expansion = expansion.parent;
  return expansion.position;
}

/**
 * Prints a diagnostic as compilers do: `file:line:column: error: message`, the line, a caret, and the notes.
 *
 * @param diagnostic What `parse` reported.
 * @returns Lines without a newline at the end.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { format, parse } from "@ggml/deno/lexer";
 *
 * const { diagnostics } = parse(["a.h"], { read: (path) => path === "a.h" ? "int f(strukt s);\n" : undefined });
 * assertEquals(format(diagnostics[0]).split("\n")[0], "a.h:1:7: error: unknown type name 'strukt'");
 * ```
 */
export function format(diagnostic: Diagnostic): string {
  let out = "";
  for (let i = 0; i < diagnostic.includes.length; i++) {
    const { file, line } = diagnostic.includes[i];
    out += `${i === 0 ? "In file included from" : "                 from"} ${printable(file)}:${line}${
      i + 1 === diagnostic.includes.length ? ":" : ","
    }\n`;
  }
  out += one(diagnostic, diagnostic.severity);
  for (const note of diagnostic.notes) out += "\n" + one(note, "note");
  return out;
}

function one(note: Note, label: string): string {
  const head = note.column > 0 ? `${printable(note.file)}:${note.line}:${note.column}: ` : "";
  const out = `${head}${label}: ${printable(note.message)}`;
  if (note.sourceLine.trim() === "") return out;
  // A line of a megabyte is shown around the caret only.
  let line = note.sourceLine;
  let column = note.column;
  if (line.length > MAX_LINE_SHOWN) {
    const from = Math.max(0, column - 1 - MAX_LINE_SHOWN / 2);
    line = line.slice(from, from + MAX_LINE_SHOWN);
    column -= from;
  }
  const before = Math.max(0, Math.min(column - 1, line.length));
  let margin = "";
  for (let i = 0; i < before; i++) margin += line.charCodeAt(i) === 9 ? "\t" : " ";
  return `${out}\n${printable(line)}\n${margin}^`;
}

/** Text of a header, of which a terminal obeys nothing: control characters (but for tabs) are replaced. */
export function printable(text: string): string {
  return text.replace(CONTROLS, "\ufffd");
}

const CONTROLS = /(?!\t)\p{Cc}/gu;
