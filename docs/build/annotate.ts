/**
 * Puts documentation in the place of the one-line comments that the generated declaration files have.
 *
 * @module
 */

/** The documentation of one declaration. */
export interface Entry {
  /** True to keep the file's own comment, above the text. */
  readonly keep: boolean;
  /** Markdown. */
  readonly text: string;
  /** Tags such as `@category`, a line each. */
  readonly tags: readonly string[];
}

/** A comment and the declaration below it: a top-level one or a getter. */
const COMMENTED = /^( *)\/\*\*((?:(?!\*\/)[^])*)\*\/\n(?=\1(?:export (?:declare )?(?:function|class|const|type) (\w+)|get (\w+)\())/gm;

/**
 * Documents the declarations of a generated file.
 *
 * @param text The file.
 * @param entryOf What is said of a declaration, or of a member of a class; null for what keeps its comment.
 */
export function annotate(text: string, entryOf: (name: string, member: string | null) => Entry | null): string {
  let owner = "";
  const setters = text.replaceAll(/^ *\/\*\* @ignore \*\/\n/gm, ""); // hidden from `deno doc` only
  return setters.replace(COMMENTED, (whole, indent: string, old: string, name?: string, member?: string) => {
    if (name !== undefined) owner = name;
    const entry = entryOf(owner, member ?? null);
    if (entry === null) return whole;
    const lines = old.split("\n").map((line) => line.replace(/^ *\* ?/, "").trim());
    const isTag = (line: string) => line.startsWith("@");
    const own = entry.keep ? lines.filter((line) => !isTag(line)) : [];
    return comment(indent, [...own, "", ...entry.text.split("\n"), "", ...lines.filter(isTag), ...entry.tags]);
  });
}

/** A comment of these lines. What would end it early gets a character of no width. */
function comment(indent: string, lines: readonly string[]): string {
  const inner = lines.map((line) => ` * ${line.replaceAll("*/", "*\u200b/")}`.trimEnd());
  return ["/**", ...inner, " */"].map((line) => `${indent}${line}\n`).join("");
}
