/**
 * The expressions of `#if`, C17 6.10.1: integers of 64 bits, signed or unsigned, and nothing else.
 *
 * Tokens are pulled one by one, because `defined` and the `__has_…` operators must see their operands unexpanded, also where a macro
 * produced the operator (undefined in the standard; this is what GNU C does, and headers rely on it).
 *
 * @module
 */

import * as I from "../tokens/integer.ts";
import type { Int } from "../tokens/integer.ts";
import * as K from "../tokens/kinds.ts";
import { characterValue, floatLiteral, integerLiteral } from "../tokens/literals.ts";
import type { Token } from "../tokens/tokenize.ts";

/** Where a condition's tokens come from. */
export interface ConditionSource {
  /** The next token, macro-expanded; EOL at the end. */
  next(): Token;
  /** The next token as it stands. */
  raw(): Token;
  /** Value of an operator such as `__has_include`, whose operand follows; null where the name is none. */
  operator(name: Token): number | null;
  error(at: Token, message: string): void;
}

/** How deep parentheses and operators may nest. */
const MAX_CONDITION_DEPTH = 400;

/** Facts about characters that a condition can ask for. */
export interface CharacterFacts {
  readonly charSigned: boolean;
  readonly wideBits: number;
  readonly wideSigned: boolean;
}

/** Thrown and caught in here: an error was reported. */
class Failed {}
const FAILED = new Failed();

interface Value {
  readonly value: Int;
  readonly unsigned: boolean;
}

const ZERO: Value = { value: 0, unsigned: false };
const ONE: Value = { value: 1, unsigned: false };

/** Evaluates a condition up to the end of its line; null where it is wrong, which was then reported. */
export function condition(source: ConditionSource, at: Token, facts: CharacterFacts): boolean | null {
  try {
    const reader = new Reader(source, facts);
    if (reader.token.kind === K.EOL) {
      source.error(at, `#${at.text} with no expression`);
      return null;
    }
    const value = reader.comma(true);
    if (reader.token.kind !== K.EOL) {
      const text = reader.token.text;
      reader.fail(text === ")" ? "missing '(' in expression" : `missing binary operator before token "${text}"`);
    }
    return value.value !== 0;
  } catch (error) {
    if (error === FAILED) return null;
    throw error;
  }
}

class Reader {
  token: Token;
  #depth = 0;

  constructor(readonly source: ConditionSource, readonly facts: CharacterFacts) {
    this.token = source.next();
  }

  fail(message: string): never {
    this.source.error(this.token, message);
    throw FAILED;
  }

  advance(): void {
    this.token = this.source.next();
  }

  /** `live` is false in an operand that is not evaluated, where a division by zero is no error. */
  comma(live: boolean): Value {
    let value = this.conditional(live);
    while (this.token.kind === K.COMMA) {
      if (live) this.fail("comma operator in operand of #if");
      this.advance();
      value = this.conditional(live);
    }
    return value;
  }

  conditional(live: boolean): Value {
    if (++this.#depth > MAX_CONDITION_DEPTH) this.fail(`#if expression nested deeper than ${MAX_CONDITION_DEPTH} levels`);
    const test = this.binary(1, live);
    let value = test;
    if (this.token.kind === K.QUESTION) {
      this.advance();
      const truth = test.value !== 0;
      const yes = this.token.kind === K.COLON ? test : this.comma(live && truth);
      if (this.token.kind !== K.COLON) this.fail("'?' without following ':'");
      this.advance();
      const no = this.conditional(live && !truth);
      value = converted(truth ? yes : no, yes.unsigned || no.unsigned);
    }
    this.#depth--;
    return value;
  }

  binary(least: number, live: boolean): Value {
    let left = this.unary(live);
    for (;;) {
      const operator = this.token;
      const strength = K.PRECEDENCE[operator.kind];
      if (strength < least || strength === 0) return left;
      this.advance();
      const short = operator.kind === K.ANDAND ? left.value === 0 : operator.kind === K.OROR ? left.value !== 0 : false;
      const right = this.binary(strength + 1, live && !short);
      left = this.apply(operator, left, right, live);
    }
  }

  unary(live: boolean): Value {
    if (++this.#depth > MAX_CONDITION_DEPTH) this.fail(`#if expression nested deeper than ${MAX_CONDITION_DEPTH} levels`);
    const token = this.token;
    let value: Value;
    switch (token.kind) {
      case K.PLUS:
        this.advance();
        value = this.unary(live);
        break;
      case K.MINUS:
        this.advance();
        value = this.unary(live);
        value = result(I.subtract(0, value.value), value.unsigned);
        break;
      case K.TILDE:
        this.advance();
        value = this.unary(live);
        value = result(I.complement(value.value), value.unsigned);
        break;
      case K.NOT:
        this.advance();
        value = this.unary(live).value === 0 ? ONE : ZERO;
        break;
      default:
        value = this.primary(live);
    }
    this.#depth--;
    return value;
  }

  primary(live: boolean): Value {
    const token = this.token;
    switch (token.kind) {
      case K.LPAREN: {
        this.advance();
        const value = this.comma(live);
        if (this.token.kind !== K.RPAREN) this.fail("missing ')' in expression");
        this.advance();
        return value;
      }
      case K.NUMBER: {
        const literal = integerLiteral(token.text);
        if (literal === null) {
          this.fail(
            floatLiteral(token.text) === null ? `invalid integer constant "${token.text}"` : "floating constant in preprocessor expression",
          );
        }
        this.advance();
        const value = I.wrap(literal.value, 64, false);
        if (value !== literal.value) this.source.error(token, "integer constant is too large for its type");
        return { value, unsigned: literal.unsigned || value > 0x7fffffffffffffffn };
      }
      case K.CHARACTER: {
        const value = characterValue(token.text, this.facts.charSigned, this.facts.wideBits, this.facts.wideSigned);
        if (typeof value === "string") this.fail(value);
        this.advance();
        return { value, unsigned: false };
      }
      case K.IDENTIFIER: {
        if (token.text === "defined") return this.defined();
        const value = this.source.operator(token);
        this.advance();
        if (value !== null) return { value, unsigned: false };
        if (this.token.kind === K.LPAREN) {
          this.source.error(token, `missing binary operator before token "(": function-like macro '${token.text}' is not defined`);
          throw FAILED;
        }
        return token.text === "true" && token.id!.keyword === K.KW_TRUE ? ONE : ZERO; // C17 6.10.1p4
      }
      case K.EOL:
        return this.fail("#if expression ends too early");
      case K.STRING:
        return this.fail("a string is not valid in preprocessor expressions");
      default:
        return this.fail(`token "${token.text}" is not valid in preprocessor expressions`);
    }
  }

  /** `defined X` and `defined(X)`. */
  defined(): Value {
    let name = this.source.raw();
    const parenthesized = name.kind === K.LPAREN;
    if (parenthesized) name = this.source.raw();
    if (name.id === null) {
      this.token = name;
      this.fail('operator "defined" requires an identifier');
    }
    if (parenthesized) {
      const close = this.source.raw();
      if (close.kind !== K.RPAREN) {
        this.token = close;
        this.fail("missing ')' after \"defined\"");
      }
    }
    this.advance();
    return name.id.macro === null ? ZERO : ONE;
  }

  apply(operator: Token, left: Value, right: Value, live: boolean): Value {
    const unsigned = left.unsigned || right.unsigned;
    const a = converted(left, unsigned).value;
    const b = converted(right, unsigned).value;
    switch (operator.kind) {
      case K.PLUS:
        return result(I.add(a, b), unsigned);
      case K.MINUS:
        return result(I.subtract(a, b), unsigned);
      case K.STAR:
        return result(I.multiply(a, b), unsigned);
      case K.SLASH:
      case K.PERCENT:
        if (b === 0) {
          if (!live) return ZERO;
          this.source.error(operator, "division by zero in #if");
          throw FAILED;
        }
        return result(operator.kind === K.SLASH ? I.divide(a, b) : I.remainder(a, b), unsigned);
      case K.SHL:
      case K.SHR: {
        // The type is that of the left operand alone. A negative count shifts the other way, as in GNU C.
        let count = right.unsigned || right.value >= 0 ? right.value : I.subtract(0, right.value);
        const leftwards = (operator.kind === K.SHL) === (right.unsigned || right.value >= 0);
        if (count > 64) count = 64;
        const n = Number(count);
        return result(leftwards ? I.shiftLeft(left.value, n) : I.shiftRight(left.value, n), left.unsigned);
      }
      case K.AMP:
        return result(I.and(a, b), unsigned);
      case K.PIPE:
        return result(I.or(a, b), unsigned);
      case K.CARET:
        return result(I.xor(a, b), unsigned);
      case K.ANDAND:
        return left.value !== 0 && right.value !== 0 ? ONE : ZERO;
      case K.OROR:
        return left.value !== 0 || right.value !== 0 ? ONE : ZERO;
      case K.EQ:
        return a === b ? ONE : ZERO;
      case K.NOTEQ:
        return a !== b ? ONE : ZERO;
      case K.LESS:
        return a < b ? ONE : ZERO;
      case K.GREATER:
        return a > b ? ONE : ZERO;
      case K.LESSEQ:
        return a <= b ? ONE : ZERO;
      default:
        return a >= b ? ONE : ZERO;
    }
  }
}

function result(value: Int, unsigned: boolean): Value {
  return { value: I.wrap(value, 64, !unsigned), unsigned };
}

/** The usual arithmetic conversion, where there are only two types. */
function converted(value: Value, unsigned: boolean): Value {
  return unsigned && !value.unsigned ? { value: I.wrap(value.value, 64, false), unsigned } : value;
}
