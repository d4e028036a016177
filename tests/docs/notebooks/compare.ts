/**
 * Outputs of one notebook beside those of another run: the same but for what two processors compute differently.
 *
 * Numbers may differ in their last printed place or by a thousandth, unless both are integers; pictures and colours by what the eye can't
 * see; places in our own files by any number of lines; what a model wrote, where each token depends on those before, by all but its beginning.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { decode } from "fast-png";
import { type Notebook, type Output, textOf } from "./notebook.ts";

const COLOUR_STEPS = 8;

/** Prose, as the notebook of language models shows it: in an element that keeps its lines. */
const PROSE = /pre-wrap[^<>]*>[^<]*/;

/** How many characters of prose are the same: its element's style, and a word or two. */
const BEGINNING = 35;

const TOKENS = /pre-wrap[^<>]*>[^<]*|[\w./]+\.[jt]s:\d+:\d+|iVBORw0KGgo[\w+/=]+|#[\da-f]{6}\b|-?\d+(?:\.\d+)?(?:e[+-]?\d+)?/gi;

/** Fails if the outputs are not the same, and shows the first difference of a cell. */
export function assertSameOutputs(actual: Notebook, expected: Notebook): void {
  assertEquals(actual.cells.length, expected.cells.length);
  actual.cells.forEach(({ outputs = [] }, i) => {
    const wanted = comparable(expected.cells[i].outputs ?? []), got = adopt(comparable(outputs), wanted);
    // Pictures make long lines: what is shown begins a little before the difference.
    const at = Math.max(0, wanted.split("").findIndex((c, place) => c !== got[place]) - 200);
    const near = (text: string) => text.slice(at, at + 400);
    if (got !== wanted) assertEquals(near(got), near(wanted), `the outputs of cell ${i} are other than the committed ones`);
  });
}

/** Outputs as text, a line for each line that they have. Columns of numbers are as wide as their longest number, and may be wrapped there. */
function comparable(outputs: readonly Output[]): string {
  const isText = (value: unknown) => Array.isArray(value) && value.every((line) => typeof line === "string");
  const joined = JSON.parse(JSON.stringify(outputs), (_, value) => isText(value) ? textOf(value) : value);
  const text = JSON.stringify(joined, null, 1).replaceAll("\\n", "\n").replaceAll("><", ">\n<");
  return text.replace(/(?<=[\d.])\s+(?=[-\d])| +/g, " ").replace(/(?<=\[) | (?=\])/g, "");
}

/** The text with what is close enough to what is expected replaced by that. */
export function adopt(actual: string, expected: string): string {
  const tokens = expected.match(TOKENS) ?? [];
  let i = 0;
  return actual.replace(TOKENS, (token) => {
    const wanted = tokens[i++];
    return wanted !== undefined && isClose(token, wanted) ? wanted : token;
  });
}

function isClose(actual: string, expected: string): boolean {
  if (actual === expected) return true;
  if (PROSE.test(expected)) return PROSE.test(actual) && actual.slice(0, BEGINNING) === expected.slice(0, BEGINNING);
  if (/\.[jt]s:/.test(expected)) return actual.replace(/:.*/, "") === expected.replace(/:.*/, "");
  if (expected.startsWith("iVBOR")) return actual.startsWith("iVBOR") && isClosePicture(actual, expected);
  if (expected.startsWith("#")) return actual.startsWith("#") && isCloseColour(actual, expected);
  return isCloseNumber(actual, expected);
}

function isCloseNumber(actual: string, expected: string): boolean {
  const decimals = Math.max(decimalsOf(actual), decimalsOf(expected)), difference = Math.abs(Number(actual) - Number(expected));
  return decimals > 0 && difference <= Math.max(1.01 * 10 ** -decimals, Math.abs(Number(expected)) / 1000, 1e-6);
}

function decimalsOf(number: string): number {
  const [, fraction = "", exponent = "0"] = number.match(/^-?\d+\.?(\d*)(?:e(.*))?$/i) ?? [];
  return fraction.length - Number(exponent);
}

function isCloseColour(actual: string, expected: string): boolean {
  const [a, b] = [actual, expected].map((colour) => Uint8Array.fromHex(colour.slice(1)));
  return a.every((channel, i) => Math.abs(channel - b[i]) <= COLOUR_STEPS);
}

function isClosePicture(actual: string, expected: string): boolean {
  const [a, b] = [actual, expected].map((base64) => decode(Uint8Array.fromBase64(base64)));
  if (a.width !== b.width || a.height !== b.height || a.data.length !== b.data.length) return false;
  return a.data.every((channel, i) => Math.abs(channel - b.data[i]) <= COLOUR_STEPS);
}
