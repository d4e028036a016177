/**
 * The documentation of the C API: each declaration as its header spells it, with the header's comment, and what is known of its memory.
 *
 * @module
 */

import type { Api, BoundEnum, BoundFunction, BoundRecord } from "../../lexer/emit/api/api.ts";
import { Comments, type Description } from "../../lexer/tokens/comments.ts";
import type { Origin } from "../../lexer/model/model.ts";
import type { Entry } from "./annotate.ts";
import { factsOf } from "./facts.ts";

/** What is said of an API. */
export class Descriptions {
  readonly #entries = new Map<string, Entry>();
  readonly #files = new Map<string, Comments>();
  readonly #read: (path: string) => string;
  readonly #headers: readonly string[];

  /**
   * Documents an API.
   *
   * @param read Gives the text of a header.
   */
  constructor(api: Api, read: (path: string) => string) {
    this.#read = read;
    this.#headers = [...new Set(api.functions.map(({ declaration }) => declaration.header))];
    for (const bound of api.functions) this.#add(bound.name, bound.declaration, false, remarks(bound, api));
    for (const declared of [...api.macros, ...api.constants]) this.#add(declared.name, declared, true);
    for (const { name, declaration } of api.aliases) this.#add(name, declaration, true);
    for (const { name, origin } of api.callbacks) {
      for (const suffix of ["", "_function", "_call"]) this.#add(name + suffix, origin, true);
    }
    for (const record of api.records) this.#addRecord(record);
    for (const bound of api.enums) this.#addEnum(bound);
  }

  /** The documentation of a declaration, or of a member of a class. */
  entryOf(name: string, member: string | null): Entry | null {
    return this.#entries.get(member === null ? name : `${name}.${member}`) ?? null;
  }

  /** The categories: header by header, and in a header in the order of the declarations, enums last. */
  get categories(): string[] {
    const all = [...new Set([...this.#entries.values()].flatMap(({ tags }) => tags.map((tag) => tag.replace(/^@category /, ""))))];
    const rank = (name: string) => this.#headers.indexOf(name.split(":")[0]) * 2 + (/: enum\b/.test(name) ? 1 : 0);
    return all.sort((a, b) => rank(a) - rank(b));
  }

  #add(name: string, origin: Origin, keep: boolean, more: readonly string[] = []): void {
    const description = this.#comments(origin).at(origin.line, origin.column);
    const { header, line } = origin, { section } = description;
    const text = [...(keep ? [] : [`\`${header}:${line}\``]), ...textOf(description), ...more].join("\n\n");
    this.#entries.set(name, { keep, text, tags: [`@category ${section === null ? header : `${header}: ${section}`}`] });
  }

  #addRecord({ name, declaration, fields }: BoundRecord): void {
    this.#add(name, declaration, true);
    for (const field of fields) {
      const said = this.#comments(declaration).member(declaration.line, declaration.column, field.name, "declaration")?.comment ?? "";
      if (said !== "") this.#entries.set(`${name}.${field.name}`, { keep: true, text: fenced("text", said), tags: [] });
    }
  }

  #addEnum({ name, declaration }: BoundEnum): void {
    const tags = [`@category ${declaration.header}: enum${name === null ? "" : ` ${name}`}`];
    if (name !== null) {
      this.#add(name, declaration, true);
      this.#entries.set(name, { ...this.#entries.get(name)!, tags });
    }
    for (const value of declaration.values) {
      const said = this.#comments(declaration).member(declaration.line, declaration.column, value.name, "enumerator")?.comment ?? "";
      this.#entries.set(value.name, { keep: true, text: said === "" ? "" : fenced("text", said), tags });
    }
  }

  #comments({ file }: Origin): Comments {
    let comments = this.#files.get(file);
    if (comments === undefined) this.#files.set(file, comments = new Comments(this.#read(file)));
    return comments;
  }
}

/** The declaration and its comment. */
function textOf({ source, comment, shared }: Description): string[] {
  const parts = [fenced("c", source)];
  if (comment !== "") parts.push(fenced("text", comment));
  if (shared !== "") parts.push("Of this one and those beside it the header says:", fenced("text", shared));
  return parts;
}

/** What isn't in the header. */
function remarks(bound: BoundFunction, api: Api): string[] {
  const facts = factsOf(bound, api).map((fact) => `- ${fact}`);
  return facts.length === 0 ? [] : ["@remarks", facts.join("\n")];
}

/** Text in a code block whose fence it doesn't contain. */
function fenced(language: string, text: string): string {
  const fence = "`".repeat(Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length)) + 1);
  return `${fence}${language}\n${text}\n${fence}`;
}
