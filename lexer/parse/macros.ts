/**
 * Function-like macros as functions: those whose body is a pure integer expression over their parameters, such as
 * `#define GGML_PAD(x, n) (((x) + (n) - 1) & ~((n) - 1))`.
 *
 * A macro has no types, and what it computes may depend on those of its arguments. This reads it as C does where every argument is a value of
 * type `int64_t`; with C's promotions and conversions written out, that leaves nothing to choose. What uses a parameter in any other way (its
 * type, its spelling, as a pointer or a floating value) is left alone.
 *
 * @module
 */

import { originOf } from "./constants.ts";
import { common, integerOf, not, NotConstant, promote } from "./conversions.ts";
import { evaluate } from "./evaluate.ts";
import { expression, type Node } from "./expression.ts";
import * as K from "../tokens/kinds.ts";
import type { Macro } from "../preprocess/macro.ts";
import type { CType, MacroExpression, MacroFunction } from "../model/model.ts";
import { FAILURE, listSource, Parser } from "./parser.ts";
import { withoutPragmas } from "../preprocess/pragmas.ts";
import { Halt } from "../preprocess/preprocess.ts";
import type { Identifier, Token } from "../tokens/tokenize.ts";
import * as T from "../model/types.ts";

/** What the arguments are taken for. */
const ARGUMENT: CType = T.basic("long long");

/** Words by which an expression looks at more than the values of its operands. */
const TYPE_WORDS = /^(__)?(typeof|auto_type|builtin_|extension)|^typeof_unqual$|^_Generic$/;

/** The macros of the headers that can be functions, in the order of their definition. */
export function macroFunctions(p: Parser): MacroFunction[] {
  const seen = new Set<Macro>();
  const made: MacroFunction[] = [];
  for (const macro of p.preprocessor.macros) {
    const { name, parameters } = macro;
    if (name.macro !== macro || seen.has(macro) || parameters === null || macro.variadic || macro.operators) continue;
    seen.add(macro);
    const body = macroBody(p, macro, parameters);
    if (body === null || body.kind === "parameter") continue; // one that passes its argument on is for attributes
    made.push({ ...originOf(p, macro), name: name.text, parameters: parameters.map(({ text }) => text), body });
  }
  return made;
}

/** The body as an expression; null where it is none. */
function macroBody(p: Parser, macro: Macro, parameters: readonly Identifier[]): MacroExpression | null {
  if (macro.body.length === 0 || parameters.some(({ macro, keyword }) => macro !== null || keyword !== 0)) return null;
  const { preprocessor: pp, diagnostics } = p;
  // Inside the body a parameter is one, whatever else has its name.
  const hidden = parameters.map(({ symbol }) => symbol);
  const own = parameters.map(() => ({ kind: "parameter", type: ARGUMENT, position: 0 } as const));
  diagnostics.muted++;
  try {
    const { positional } = pp;
    const tokens = withoutPragmas(pp.expandAlone(macro.body as Token[]));
    if (pp.positional > positional || tokens.some(({ text, kind }) => kind === K.IDENTIFIER && TYPE_WORDS.test(text))) return null;
    parameters.forEach((id, i) => id.symbol = own[i] as never);
    const sub = new Parser(listSource(tokens), pp, p.target, p.c23);
    const node = expression(sub);
    return sub.token.kind === K.EOF ? new Translator(sub, own).value(node).expression : null;
  } catch (error) {
    if (error === FAILURE || error instanceof NotConstant || error instanceof Halt) return null;
    throw error;
  } finally {
    parameters.forEach((id, i) => id.symbol = hidden[i]);
    diagnostics.muted--;
  }
}

/** An expression and its C type. */
interface Typed {
  readonly expression: MacroExpression;
  readonly type: CType;
}

const ARITHMETIC: ReadonlyMap<number, string> = new Map([
  [K.PLUS, "+"],
  [K.MINUS, "-"],
  [K.STAR, "*"],
  [K.SLASH, "/"],
  [K.PERCENT, "%"],
  [K.AMP, "&"],
  [K.PIPE, "|"],
  [K.CARET, "^"],
]);

const COMPARISONS: ReadonlyMap<number, string> = new Map([
  [K.EQ, "==="],
  [K.NOTEQ, "!=="],
  [K.LESS, "<"],
  [K.GREATER, ">"],
  [K.LESSEQ, "<="],
  [K.GREATEREQ, ">="],
]);

/** From C's trees to expressions with their conversions. Leaves by `not` where there is none. */
class Translator {
  readonly #p: Parser;
  readonly #parameters: readonly unknown[];

  constructor(p: Parser, parameters: readonly unknown[]) {
    this.#p = p;
    this.#parameters = parameters;
  }

  value(node: Node): Typed {
    if (!this.#mentions(node)) return this.#constant(node);
    switch (node.kind) {
      case "name":
        return { expression: { kind: "parameter", index: this.#parameters.indexOf(node.symbol) }, type: ARGUMENT };
      case "cast":
        return this.#convert(this.value(node.operand), node.type);
      case "unary":
        return this.#unary(node);
      case "binary":
        return this.#binary(node);
      case "conditional":
        return this.#conditional(node);
      default:
        return not("it is more than arithmetic");
    }
  }

  #constant(node: Node): Typed {
    const value = evaluate(this.#p, node);
    if (typeof value === "string") return not(value);
    if (value.kind !== "int" || !T.isInteger(value.type)) return not("it is no integer");
    return { expression: { kind: "constant", value: BigInt(value.value) }, type: value.type };
  }

  /** The expression in another type, as a cast or an operator converts it: as it is where the type has all its values already. */
  #convert({ expression, type }: Typed, to: CType): Typed {
    if (!T.isInteger(to)) not("it is no integer");
    const a = integerOf(this.#p, type), b = integerOf(this.#p, to);
    if (b.bits > 64) not("it needs more than 64 bits");
    if (b.bits === 1) return { expression: this.#truth(expression), type: to };
    if (expression.kind === "constant") {
      return { expression: { kind: "constant", value: wrap(expression.value, b.bits, b.signed) }, type: to };
    }
    const fits = a.signed === b.signed ? b.bits >= a.bits : b.signed && b.bits > a.bits;
    return { expression: fits ? expression : { kind: "convert", ...b, operand: expression }, type: to };
  }

  /** The result of an operator in a type that it may leave. */
  #wrapped(expression: MacroExpression, type: CType): Typed {
    const { bits, signed } = integerOf(this.#p, type);
    if (bits > 64) not("it needs more than 64 bits");
    return { expression: { kind: "convert", bits, signed, operand: expression }, type };
  }

  #truth(expression: MacroExpression): MacroExpression {
    if (expression.kind === "constant") return { kind: "constant", value: expression.value === 0n ? 0n : 1n };
    return { kind: "binary", operator: "!==", left: expression, right: { kind: "constant", value: 0n } };
  }

  #unary({ operator, operand }: Node & { kind: "unary" }): Typed {
    if (operator === K.NOT) {
      return { expression: { kind: "unary", operator: "!", operand: this.value(operand).expression }, type: T.basic("int") };
    }
    if (operator !== K.PLUS && operator !== K.MINUS && operator !== K.TILDE) return not("it takes an address, reads memory or assigns");
    const inner = this.value(operand);
    const type = promote(inner.type);
    const { expression } = this.#convert(inner, type);
    if (operator === K.PLUS) return { expression, type };
    return this.#wrapped({ kind: "unary", operator: operator === K.MINUS ? "-" : "~", operand: expression }, type);
  }

  #binary({ operator, left, right }: Node & { kind: "binary" }): Typed {
    const int = T.basic("int");
    if (operator === K.ANDAND || operator === K.OROR) return { expression: this.#logical(operator, left, right), type: int };
    const a = this.value(left), b = this.value(right);
    if (operator === K.SHL || operator === K.SHR) {
      const type = promote(a.type);
      const shift = { kind: "binary", left: this.#convert(a, type).expression, right: b.expression } as const;
      return this.#wrapped({ ...shift, operator: operator === K.SHL ? "<<" : ">>" }, type);
    }
    const type = common(this.#p, a.type, b.type);
    const operands = { left: this.#convert(a, type).expression, right: this.#convert(b, type).expression };
    const comparison = COMPARISONS.get(operator), arithmetic = ARITHMETIC.get(operator);
    if (comparison !== undefined) return { expression: { kind: "binary", operator: comparison, ...operands }, type: int };
    if (arithmetic === undefined) return not("it is a comma expression");
    const expression = { kind: "binary", operator: arithmetic, ...operands } as const;
    return "&|^%".includes(arithmetic) ? { expression, type } : this.#wrapped(expression, type);
  }

  /** `&&` and `||`: the right side is not computed where the left decides. */
  #logical(operator: number, left: Node, right: Node): MacroExpression {
    const a = this.#truth(this.value(left).expression), b = this.#truth(this.value(right).expression);
    const decided: MacroExpression = { kind: "constant", value: operator === K.ANDAND ? 0n : 1n };
    if (a.kind === "constant") return a.value === decided.value ? decided : b;
    return operator === K.ANDAND
      ? { kind: "conditional", test: a, yes: b, no: decided }
      : { kind: "conditional", test: a, yes: decided, no: b };
  }

  #conditional({ test, yes, no }: Node & { kind: "conditional" }): Typed {
    if (yes === null) return not("it leaves out a side of a conditional");
    const a = this.value(yes), b = this.value(no), condition = this.value(test).expression;
    const type = common(this.#p, a.type, b.type);
    const x = this.#convert(a, type).expression, y = this.#convert(b, type).expression;
    if (condition.kind === "constant") return { expression: condition.value === 0n ? y : x, type };
    return { expression: { kind: "conditional", test: condition, yes: x, no: y }, type };
  }

  #mentions(node: Node): boolean {
    switch (node.kind) {
      case "name":
        return this.#parameters.includes(node.symbol);
      case "unary":
      case "cast":
        return this.#mentions(node.operand);
      case "binary":
        return this.#mentions(node.left) || this.#mentions(node.right);
      case "conditional":
        return this.#mentions(node.test) || node.yes !== null && this.#mentions(node.yes) || this.#mentions(node.no);
      case "size":
        return node.operand !== null && this.#mentions(node.operand);
      case "member":
        return this.#mentions(node.object);
      case "index":
        return this.#mentions(node.object) || this.#mentions(node.index);
      case "call":
        return this.#mentions(node.callee) || node.args.some((arg) => this.#mentions(arg));
      case "offset":
        return this.#mentions(node.path);
      default:
        return false;
    }
  }
}

function wrap(value: bigint, bits: number, signed: boolean): bigint {
  return signed ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value);
}
