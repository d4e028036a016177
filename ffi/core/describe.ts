/**
 * Says what a value is, for messages of the form "expected this, got that".
 *
 * @module
 */

/** Any value in a few words, for "expected this, got that". It never throws, whatever the value's own getters do. */
export function describe(value: unknown): string {
  try {
    return inWords(value);
  } catch {
    return "an object that can't be looked at";
  }
}

function inWords(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === "string") return `the string ${quote(value.length > 40 ? value.slice(0, 40) + "…" : value)}`;
  if (typeof value === "number" || typeof value === "boolean") return `the ${typeof value} ${value}`;
  if (typeof value === "bigint") return `the bigint ${value}n`;
  if (typeof value === "function") return `the function ${value.name || "(anonymous)"}`;
  if (typeof value === "symbol") return String(value);
  if (ArrayBuffer.isView(value) && "length" in value) return `${withArticle(value.constructor.name)} of ${value.length}`;
  if (value instanceof ArrayBuffer || value instanceof DataView) {
    return `${withArticle(value.constructor.name)} of ${value.byteLength} bytes`;
  }
  if (Array.isArray(value)) return `an array of ${value.length}`;
  const name = value.constructor?.name;
  return name === undefined || name === "Object" ? "a plain object" : withArticle(name);
}

/** Text in quotes, with nothing in it that a terminal would obey: JSON leaves DEL and the controls from U+0080 on as they are. */
export function quote(text: string): string {
  return JSON.stringify(text).replace(/[\x7f-\x9f]/g, (control) => `\\u00${control.charCodeAt(0).toString(16)}`);
}

/** Text without quotes, and with nothing in it that a terminal would obey. */
export function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, (control) => quote(control).slice(1, -1));
}

function withArticle(name: string): string {
  return `${/^[AEIO]/.test(name) ? "an" : "a"} ${name}`;
}
