/**
 * Characters inside of a JSON string: sets of code points, and how a grammar writes one of a set with JSON's escapes.
 *
 * @module
 */

import { chars, choice, type Expr, type Grammar, type Ranges, rule, sequence, text, times } from "./gbnf.ts";

/** The last code point of Unicode. */
const LAST = 0x10ffff;

/** Every code point that UTF-8 can say: surrogates are none. */
export const EVERY: Ranges = [[0, 0xd7ff], [0xe000, LAST]];

/** What stands in a JSON string as it is (RFC 8259, section 7). */
const PLAIN: Ranges = [[0x20, 0x21], [0x23, 0x5b], [0x5d, 0xd7ff], [0xe000, LAST]];

/** The code points that are in one of the lists, sorted and joined. */
export function union(ranges: Ranges): Ranges {
  const joined: [number, number][] = [];
  for (const [first, last] of ranges.toSorted((a, b) => a[0] - b[0])) {
    const before = joined.at(-1);
    if (before !== undefined && first <= before[1] + 1) before[1] = Math.max(before[1], last);
    else joined.push([first, last]);
  }
  return joined;
}

/** The code points that are not in a sorted list. */
export function complement(ranges: Ranges): Ranges {
  const rest: [number, number][] = [];
  let next = 0;
  for (const [first, last] of ranges) {
    if (first > next) rest.push([next, first - 1]);
    next = last + 1;
  }
  if (next <= LAST) rest.push([next, LAST]);
  return rest;
}

/** The code points that are in both of two sorted lists. */
export function intersection(a: Ranges, b: Ranges): Ranges {
  return complement(union([...complement(a), ...complement(b)]));
}

/** The letters after a backslash, by the code points that they stand for. */
const SHORT: Readonly<Record<number, string>> = { 8: "b", 9: "t", 10: "n", 12: "f", 13: "r", 0x22: '"', 0x5c: "\\" };

/** One character out of a set, as JSON writes it: itself, or by its one escape. */
export function escaped(ranges: Ranges): Expr {
  const plain = intersection(ranges, PLAIN), options: Expr[] = plain.length > 0 ? [chars(plain)] : [];
  for (const code of [...Array(0x20).keys(), 0x22, 0x5c]) {
    if (ranges.some(([first, last]) => first <= code && code <= last)) options.push(text(escapeOf(code)));
  }
  return choice(...options);
}

function escapeOf(code: number): string {
  return SHORT[code] === undefined ? `\\u${code.toString(16).padStart(4, "0")}` : `\\${SHORT[code]}`;
}

/** One character of a key: written as itself, so that no key can be a name in another spelling. */
export function plain(except: string): Expr {
  const codes = [...except].map((c) => c.codePointAt(0)!);
  return chars(intersection(PLAIN, complement(union(codes.map((code) => [code, code] as const)))));
}

/** Any character, written in any way that JSON allows. No escape of half a surrogate pair, which would count as a character of its own. */
export function anyCharacter(grammar: Grammar): Expr {
  return grammar.shared("char", () => {
    const hex = chars([[0x30, 0x39], [0x41, 0x46], [0x61, 0x66]]);
    const notD = chars([[0x30, 0x39], [0x41, 0x43], [0x45, 0x46], [0x61, 0x63], [0x65, 0x66]]);
    const d = sequence(chars([[0x44, 0x44], [0x64, 0x64]]), chars([[0x30, 0x37]]), times(hex, 2, 2));
    const short = chars(union([...'"\\/bfnrt'].map((c) => [c.charCodeAt(0), c.charCodeAt(0)] as const)));
    const unicode = sequence(text("u"), choice(sequence(notD, times(hex, 3, 3)), d));
    return choice(chars(PLAIN), sequence(text("\\"), choice(short, unicode)));
  });
}

/** Any JSON string. */
export function anyString(grammar: Grammar): Expr {
  anyCharacter(grammar);
  return grammar.shared("string", () => sequence(text('"'), times(rule("char"), 0), text('"')));
}
