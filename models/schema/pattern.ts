/**
 * Regular expressions of `pattern` as grammars.
 *
 * The dialect is JavaScript's with the `u` flag, as JSON Schema wants it (Core 6.4). Look-around, word boundaries and references back are
 * no part of a grammar.
 *
 * @module
 */

import { type AST, RegExpParser } from "@eslint-community/regexpp";
import { anyCharacter, complement, escaped, EVERY, intersection, union } from "./characters.ts";
import { SchemaError } from "./error.ts";
import { choice, type Expr, type Grammar, type Ranges, sequence, text, times } from "./gbnf.ts";

/** A regular expression that was read. */
export interface Pattern {
  readonly source: string;
  /** Where it stands in the schema. */
  readonly pointer: string;
  readonly alternatives: readonly Alternative[];
}

/** One of the alternatives at the top: what it may have before and behind it, and its elements without the anchors. */
interface Alternative {
  readonly fromStart: boolean;
  readonly toEnd: boolean;
  readonly elements: readonly AST.Element[];
}

/** Reads a regular expression; an Error says what can't be said by a grammar. */
export function readPattern(source: string, pointer: string): Pattern {
  let parsed: AST.Pattern;
  try {
    parsed = new RegExpParser().parsePattern(source, 0, source.length, { unicode: true });
  } catch (error) {
    throw new SchemaError(`${JSON.stringify(source)} is no regular expression: ${(error as Error).message}`, pointer);
  }
  return { source, pointer, alternatives: parsed.alternatives.map((alternative) => withoutAnchors(alternative.elements)) };
}

function withoutAnchors(elements: readonly AST.Element[]): Alternative {
  const isAnchor = (element: AST.Element | undefined, kind: string) => element?.type === "Assertion" && element.kind === kind;
  const fromStart = isAnchor(elements[0], "start"), toEnd = isAnchor(elements.at(-1), "end");
  return { fromStart, toEnd, elements: elements.slice(fromStart ? 1 : 0, toEnd ? -1 : undefined) };
}

/** The lengths of a string, in code points. */
export interface Lengths {
  readonly min: number;
  readonly max: number;
}

/** The inside of a JSON string that a pattern allows, with a length in bounds. */
export function writePattern(pattern: Pattern, lengths: Lengths, grammar: Grammar): Expr {
  const options = pattern.alternatives.flatMap((alternative) => writeAlternative(alternative, pattern, lengths, grammar));
  if (options.length === 0) throw new SchemaError(`no string of ${describe(lengths)} characters fits ${pattern.source}`, pattern.pointer);
  return choice(...options);
}

function describe({ min, max }: Lengths): string {
  return max === Infinity ? `at least ${min}` : min === max ? `${min}` : `${min} to ${max}`;
}

/** What is before an open start, or behind an open end, takes what the length leaves. */
function writeAlternative(alternative: Alternative, pattern: Pattern, { min, max }: Lengths, grammar: Grammar): Expr[] {
  const { elements, fromStart, toEnd } = alternative, inner = lengthsOf(elements, pattern);
  if (inner.min > max || fromStart && toEnd && inner.max < min) return [];
  if (inner.min >= min && max === Infinity) {
    const rest = () => times(anyCharacter(grammar), 0), middle = elements.map((element) => write(element, pattern));
    return [sequence(fromStart ? text("") : rest(), ...middle, toEnd ? text("") : rest())];
  }
  if (fromStart && toEnd) {
    if (inner.min >= min && inner.max <= max) return [sequence(...elements.map((element) => write(element, pattern)))];
    return [writeFitted(elements, pattern, { min, max })];
  }
  const fixed = inner.min === inner.max;
  if (!fixed || !fromStart && !toEnd) throw cannot(pattern, { min, max });
  const rest = times(anyCharacter(grammar), Math.max(0, min - inner.min), max - inner.min);
  const middle = elements.map((element) => write(element, pattern));
  return [fromStart ? sequence(...middle, rest) : sequence(rest, ...middle)];
}

/** Narrows the one element whose length varies, if it is a character so many times. */
function writeFitted(elements: readonly AST.Element[], pattern: Pattern, { min, max }: Lengths): Expr {
  const each = elements.map((element) => lengthsOf([element], pattern));
  const [varying, ...others] = each.flatMap((lengths, i) => lengths.min === lengths.max ? [] : [i]);
  const element = elements[varying];
  if (others.length > 0 || element?.type !== "Quantifier") throw cannot(pattern, { min, max });
  const unit = lengthsOf([element.element], pattern);
  if (unit.min !== 1 || unit.max !== 1) throw cannot(pattern, { min, max });
  const fixed = each.reduce((sum, lengths, i) => i === varying ? sum : sum + lengths.min, 0);
  const least = Math.max(element.min, min - fixed), most = Math.min(element.max, max - fixed);
  if (least > most) throw new SchemaError(`no string of ${describe({ min, max })} characters fits ${pattern.source}`, pattern.pointer);
  return sequence(...elements.map((e, i) => i === varying ? times(write(element.element, pattern), least, most) : write(e, pattern)));
}

function cannot(pattern: Pattern, lengths: Lengths): SchemaError {
  return new SchemaError(
    `a grammar can't say that ${pattern.source} fits and that there are ${describe(lengths)} characters: write the length into the pattern`,
    pattern.pointer,
  );
}

/** How short and how long a text can be. */
function lengthsOf(elements: readonly AST.Element[], pattern: Pattern): Lengths {
  const all = elements.map((element): Lengths => {
    switch (element.type) {
      case "Character":
      case "CharacterSet":
      case "CharacterClass":
        return { min: 1, max: 1 };
      case "Group":
      case "CapturingGroup": {
        const options = element.alternatives.map((alternative) => lengthsOf(alternative.elements, pattern));
        return { min: Math.min(...options.map(({ min }) => min)), max: Math.max(...options.map(({ max }) => max)) };
      }
      case "Quantifier": {
        const one = lengthsOf([element.element], pattern);
        return { min: one.min * element.min, max: one.max === 0 || element.max === 0 ? 0 : one.max * element.max };
      }
      default:
        throw unsayable(element, pattern);
    }
  });
  return { min: all.reduce((sum, { min }) => sum + min, 0), max: all.reduce((sum, { max }) => sum + max, 0) };
}

function unsayable(element: AST.Element, { source, pointer }: Pattern): SchemaError {
  const anchor = element.type === "Assertion" && (element.kind === "start" || element.kind === "end");
  const why = anchor ? "which stands inside of the pattern" : "which is no part of a grammar";
  return new SchemaError(`the pattern ${source} has ${element.raw}, ${why}`, pointer);
}

function write(element: AST.Element, pattern: Pattern): Expr {
  switch (element.type) {
    case "Character":
    case "CharacterSet":
    case "CharacterClass":
      return writeSet(element, pattern);
    case "Group":
    case "CapturingGroup":
      return choice(...element.alternatives.map(({ elements }) => sequence(...elements.map((inner) => write(inner, pattern)))));
    case "Quantifier":
      return times(write(element.element, pattern), element.min, element.max);
    default:
      throw unsayable(element, pattern);
  }
}

function writeSet(element: AST.Character | AST.CharacterSet | AST.CharacterClass, pattern: Pattern): Expr {
  const set = intersection(setOf(element), EVERY);
  if (set.length === 0) throw new SchemaError(`no character fits ${element.raw} of the pattern ${pattern.source}`, pattern.pointer);
  return set.length === 1 && set[0][0] === set[0][1] && set[0][0] > 0x1f && set[0][0] !== 0x22 && set[0][0] !== 0x5c
    ? text(String.fromCodePoint(set[0][0]))
    : escaped(set);
}

/** The code points that one element of a pattern fits. */
function setOf(element: AST.Character | AST.CharacterSet | AST.CharacterClass | AST.CharacterClassElement): Ranges {
  switch (element.type) {
    case "Character":
      return [[element.value, element.value]];
    case "CharacterClassRange":
      return [[element.min.value, element.max.value]];
    case "CharacterClass": {
      const set = union((element.elements as AST.CharacterClassElement[]).flatMap(setOf));
      return element.negate ? complement(set) : set;
    }
    default:
      return scan(element.raw);
  }
}

const scanned = new Map<string, Ranges>();

/** The code points that JavaScript itself finds to fit, such as those of `\w`, `.` or `\p{Letter}`. */
function scan(raw: string): Ranges {
  let found = scanned.get(raw);
  if (found !== undefined) return found;
  const fits = new RegExp(`^${raw}$`, "u"), codes: [number, number][] = [];
  for (let code = 0; code <= EVERY[1][1]; code++) {
    if (!fits.test(String.fromCodePoint(code))) continue;
    const last = codes.at(-1);
    if (last !== undefined && last[1] === code - 1) last[1] = code;
    else codes.push([code, code]);
  }
  scanned.set(raw, found = codes);
  return found;
}
