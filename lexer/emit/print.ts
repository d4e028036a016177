/**
 * Printing TypeScript as `deno fmt` would, so that generated files need no formatter: only the few shapes that the emitters use.
 *
 * @module
 */

/** The line width in `deno.json`. */
export const LINE_WIDTH = 140;

/** Collects the lines of one generated file. */
export class Printer {
  readonly #lines: string[] = [];
  #gap = false;

  /** Adds a line, or several. */
  line(...lines: string[]): void {
    if (this.#gap) this.#lines.push("");
    this.#gap = false;
    this.#lines.push(...lines);
  }

  /** Has an empty line come before the next one, unless that is the first. */
  gap(): void {
    this.#gap = this.#lines.length > 0;
  }

  /** The text of the file. */
  toString(): string {
    return this.#lines.length === 0 ? "" : this.#lines.join("\n") + "\n";
  }
}

/**
 * A bracketed list: on one line if it fits there with what is around it, else one item a line, with a comma after the last.
 *
 * @param head What stands before, with the indentation and the opening bracket.
 * @param items The items.
 * @param tail The closing bracket and what follows.
 */
export function list(head: string, items: readonly string[], tail: string): string {
  return broken(head, head + items.join(", ") + tail, items, tail);
}

/** {@linkcode list} in braces, which stand apart from the items between them. `head` ends with one, `tail` begins with one. */
export function braces(head: string, items: readonly string[], tail: string): string {
  return broken(head, items.length === 0 ? head + tail : `${head} ${items.join(", ")} ${tail}`, items, tail);
}

function broken(head: string, line: string, items: readonly string[], tail: string): string {
  if (line.length <= LINE_WIDTH || items.length === 0) return line;
  const indent = " ".repeat(head.length - head.trimStart().length);
  return [head, ...items.map((item) => `${indent}  ${item},`), indent + tail].join("\n");
}

/** A union type: on one line if it fits, else one member a line. */
export function union(head: string, members: readonly string[]): string {
  const line = `${head} = ${members.join(" | ")};`;
  if (line.length <= LINE_WIDTH) return line;
  return [`${head} =`, ...members.map((member, i) => `  | ${member}${i === members.length - 1 ? ";" : ""}`)].join("\n");
}

/** Sorted names in an import from `specifier`. */
export function importNames(names: Iterable<string>, specifier: string, typeOnly = false): string {
  const key = (name: string) => name.replace(/^type /, "").split(" as ")[0];
  const sorted = [...names].sort((a, b) => compareNames(key(a), key(b)));
  return braces(`import ${typeOnly ? "type " : ""}{`, sorted, `} from "${specifier}";`);
}

/** The order in which `deno fmt` sorts imported names: without regard to case. */
function compareNames(a: string, b: string): number {
  const x = a.toLowerCase(), y = b.toLowerCase();
  return x < y ? -1 : x > y ? 1 : a < b ? -1 : a > b ? 1 : 0;
}

/** A JSDoc comment. */
export function doc(indent: string, ...lines: string[]): string {
  if (lines.length === 1) return `${indent}/** ${lines[0]} */`;
  return [`${indent}/**`, ...lines.map((line) => `${indent} * ${line}`.trimEnd()), `${indent} */`].join("\n");
}

/** The text of a file: what stands on its first lines, its imports, and what follows. */
export function fileText(head: readonly string[], imports: readonly string[], body: Printer): string {
  const parts = [head, imports].filter((lines) => lines.length > 0).map((lines) => lines.join("\n") + "\n");
  return [...parts, body.toString()].join("\n");
}

/** A string literal with the quotes that need fewer escapes, as `deno fmt` has it. */
export function quoted(text: string): string {
  const count = (quote: string) => text.split(quote).length;
  const literal = JSON.stringify(text);
  return count('"') > count("'") ? `'${literal.slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'` : literal;
}
