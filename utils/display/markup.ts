/**
 * Markup: HTML and SVG as text in which everything that isn't markup is escaped.
 *
 * What is written is valid XML in both cases. A tensor's name can hold anything, tags and control characters among it.
 *
 * @module
 */

/** Text that is markup already. */
export class Markup {
  constructor(readonly text: string) {}

  toString(): string {
    return this.text;
  }
}

/** What may stand in a template: text, which is escaped, and markup, which is not. */
export type Content = string | number | Markup | null | readonly Content[];

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

/** A template of markup. Null is nothing; lists are joined. */
export function markup(strings: TemplateStringsArray, ...values: Content[]): Markup {
  return new Markup(strings.reduce((text, string, i) => text + inner(values[i - 1]) + string));
}

function inner(value: Content): string {
  if (value === null) return "";
  if (value instanceof Markup) return value.text;
  if (Array.isArray(value)) return value.map(inner).join("");
  return escape(String(value));
}

/** Text as it stands in elements and attributes. What XML has no way to write becomes U+FFFD. */
export function escape(text: string): string {
  // deno-lint-ignore no-control-regex -- those are what XML forbids
  return text.toWellFormed().replace(/[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g, "\ufffd").replace(/[&<>"']/g, (c) => ENTITIES[c]);
}
