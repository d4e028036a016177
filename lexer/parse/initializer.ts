/**
 * Initializers in braces, C17 6.7.9: only how many elements they give an array whose length is left open. Their values are skipped.
 *
 * @module
 */

import { evaluateInt } from "./evaluate.ts";
import { expression } from "./expression.ts";
import * as K from "../tokens/kinds.ts";
import { MAX_SIZE, sizeOf } from "../model/layout.ts";
import type { CType } from "../model/model.ts";
import type { Parser } from "./parser.ts";
import { isArithmetic, resolve } from "../model/types.ts";

/**
 * From the opening brace to behind the closing one. Gives the type, with the length that the braces say; it stays open where inner braces may be left
 * out, so that the items can't be counted without the layout of what they fill.
 */
export function braced(p: Parser, type: CType): CType {
  const array = resolve(type);
  if (array.kind !== "array" || array.length !== null) {
    p.skipBalanced();
    return type;
  }
  const of = resolve(array.of), length = countElements(p, of);
  return length === null || length * (sizeOf(of, p.target) ?? 1) > MAX_SIZE ? type : { ...array, length };
}

/** The number of elements; null where it can't be told. */
function countElements(p: Parser, of: CType): number | null {
  const open = p.token, isNumber = isArithmetic(of);
  let length = 0, index = 0, known = true;
  p.advance();
  while (p.token.kind !== K.RBRACE) {
    if (p.token.kind === K.LBRACKET) {
      const designated = designator(p);
      if (designated === null) known = false;
      else index = designated;
    }
    // A string may be all the elements of an array of characters.
    known &&= p.token.kind === K.LBRACE || of.kind === "pointer" || isNumber && p.token.kind !== K.STRING;
    if (!p.trySkipItem()) p.fail(`'${open.text}' is never closed`, open);
    length = Math.max(length, ++index);
    if (p.token.kind === K.COMMA) p.advance();
  }
  p.advance();
  return known ? length : null;
}

/** `[n] =`, or GNU's `[m ... n] =`: the last index; null where it is no constant, or more is designated than an element. */
function designator(p: Parser): number | null {
  p.advance();
  let value = evaluateInt(p, expression(p));
  if (p.token.kind === K.ELLIPSIS) {
    p.advance();
    value = evaluateInt(p, expression(p));
  }
  p.expect(K.RBRACKET, "]", "after the index of an element");
  if (p.token.kind === K.DOT || p.token.kind === K.LBRACKET) return null;
  if (p.token.kind === K.ASSIGN) p.advance();
  return typeof value === "string" || value < 0 || value > Number.MAX_SAFE_INTEGER ? null : Number(value);
}
