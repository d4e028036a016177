/**
 * What pictures are written in: HTML and SVG in which everything that isn't markup is escaped, and what each picture has: its frame, its text,
 * its colours.
 *
 * What is written is valid XML in both cases. A tensor's name can hold anything, tags and control characters among it.
 *
 * A picture has no background of its own, and text and lines outside its boxes have the colour of the text around it, so that it can be read in
 * dark and in light notebooks. Nothing in it needs a style sheet or an id, which notebooks take away or mix up.
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
function escape(text: string): string {
  // deno-lint-ignore no-control-regex -- those are what XML forbids
  return text.toWellFormed().replace(/[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g, "\ufffd").replace(/[&<>"']/g, (c) => ENTITIES[c]);
}

/** A picture, in pixels. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  /** What it shows, for who can't see it. */
  readonly title: string;
  readonly body: Markup;
}

/** A part of one. */
export type Drawn = Pick<Picture, "width" | "height" | "body">;

/** What can be read as text on paper and on a dark screen, and is there where no other colour is meant. */
export const INK = "#1f2328", PAPER = "#ffffff", GREY = "#8b949e";

/** A picture as an element, to stand in a page. */
export function element({ width, height, title, body }: Picture): Markup {
  const [w, h] = [Math.ceil(width), Math.ceil(height)];
  return markup`<svg xmlns="http://www.w3.org/2000/svg" width="${w}" height="${h}" viewBox="0 0 ${w} ${h}" role="img" aria-label="${title}" font-family="system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif" font-size="12" fill="currentColor">${body}</svg>`;
}

/** A picture as a file of its own, which chooses its colours by itself. */
export function file({ width, height, title, body }: Picture): string {
  const MARGIN = 12;
  const [w, h] = [Math.ceil(width) + 2 * MARGIN, Math.ceil(height) + 2 * MARGIN];
  const style =
    `svg { color: ${INK}; background: ${PAPER} } @media (prefers-color-scheme: dark) { svg { color: #e6edf3; background: #0d1117 } }`;
  const svg =
    markup`<svg xmlns="http://www.w3.org/2000/svg" width="${w}" height="${h}" viewBox="${-MARGIN} ${-MARGIN} ${w} ${h}" role="img" font-family="system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif" font-size="12" fill="currentColor"><title>${title}</title><style>${style}</style>${body}</svg>`;
  return `<?xml version="1.0" encoding="UTF-8"?>\n${svg}\n`;
}

/** A page of its own around what stands in one. */
export function page(content: Markup, title: string): string {
  const style = ":root { color-scheme: light dark } body { font-family: system-ui, sans-serif; margin: 16px }";
  return `<!DOCTYPE html>\n${markup`<html lang="en"><head><meta charset="utf-8"/><title>${title}</title><style>${style}</style></head><body>${content}</body></html>`}\n`;
}

/** How text may look. */
export interface TextStyle {
  readonly size?: number;
  readonly bold?: boolean;
  readonly anchor?: "start" | "middle" | "end";
  readonly fill?: string;
  readonly opacity?: number;
}

/** Text at a point of its base line. */
export function text(x: number, y: number, content: Content, { size = 12, bold, anchor, fill, opacity }: TextStyle = {}): Markup {
  return markup`<text x="${round(x)}" y="${round(y)}" font-size="${size}"${bold ? markup` font-weight="600"` : null}${
    anchor === undefined || anchor === "start" ? null : markup` text-anchor="${anchor}"`
  }${fill === undefined ? null : markup` fill="${fill}"`}${opacity === undefined ? null : markup` opacity="${opacity}"`}>${content}</text>`;
}

/** About how wide text is: a little more than most fonts need, as wide as DejaVu Sans, which is among the widest. */
export function widthOf(text: string, size = 12, bold = false): number {
  let width = 0;
  for (const letter of text) width += letterWidth(letter);
  return width * size * (bold ? 1.12 : 1);
}

/** How wide a letter is, of the size of the font. */
function letterWidth(letter: string): number {
  if (/[ilj.,:;'|!\[\]() ]/.test(letter)) return 0.38;
  if (/[MWmw@%]/.test(letter)) return 1;
  if (/[A-Z0-9=<>+_]/.test(letter)) return 0.72;
  return letter < "\u2e80" ? 0.62 : 1.1; // beyond are Chinese, Japanese, Korean, emoji
}

/** Text that is cut where it is too long. */
export function clip(text: string, most: number): string {
  const letters = [...text];
  return letters.length <= most ? text : `${letters.slice(0, most - 1).join("")}…`;
}

/** A number as it stands in an attribute: two places are enough for a picture. */
export function round(x: number): number {
  return Math.round(x * 100) / 100;
}
