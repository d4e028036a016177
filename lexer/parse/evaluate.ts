/**
 * Constant expressions, C17 6.6: trees to values, with C's types, promotions and conversions.
 *
 * Also the types of expressions that have no constant value, which `sizeof` and `typeof` need.
 *
 * Floating values are kept as doubles; what a `long double` holds beyond that is lost, and where a value leaves the range it is said so.
 *
 * @module
 */

import { common, convert, integerOf, not, NotConstant, promote, type Value } from "./conversions.ts";
import type { Node } from "./expression.ts";
import * as I from "../tokens/integer.ts";
import type { Int } from "../tokens/integer.ts";
import * as K from "../tokens/kinds.ts";
import { alignOf, findField, sizeOf } from "../model/layout.ts";
import type { CType } from "../model/model.ts";
import { FAILURE, type Parser } from "./parser.ts";
import * as T from "../model/types.ts";

/** The value of an expression, or the reason why it has none. */
export function evaluate(p: Parser, node: Node): Value | string {
  try {
    return value(p, node);
  } catch (error) {
    if (error instanceof NotConstant) return error.reason;
    throw error;
  }
}

/** The value of an integer constant expression, or the reason why it is none. */
export function evaluateInt(p: Parser, node: Node): Int | string {
  if (node.kind === "int") return node.value;
  const result = evaluate(p, node);
  if (typeof result === "string") return result;
  if (result.kind === "int") return result.value;
  return result.kind === "float" ? "it is no integer" : "it is a string";
}

/** The value of an integer constant expression; reports, and gives null, where it is none. */
export function constantInt(p: Parser, node: Node, what: string): Int | null {
  const result = evaluateInt(p, node);
  if (typeof result !== "string") return result;
  p.diagnostics.error(node.at, `${what} is not an integer constant: ${result}`);
  return null;
}

/** The type of an expression; fails where it can't be known. */
export function typeOf(p: Parser, node: Node): CType {
  try {
    return type(p, node);
  } catch (error) {
    if (!(error instanceof NotConstant)) throw error;
    p.diagnostics.error(node.at, `the type of this expression is not known: ${error.reason}`);
    throw FAILURE;
  }
}

/** Whether an expression has a constant value. */
export function isConstant(p: Parser, node: Node): boolean {
  return typeof evaluate(p, node) !== "string";
}

// Values

function int(value: Int, type: CType): Value {
  return { kind: "int", type, value };
}

function truth(value: Value): boolean {
  return value.kind === "string" || value.value !== 0;
}

function sizeType(p: Parser): CType {
  return T.basic(p.target.sizeType);
}

function value(p: Parser, node: Node): Value {
  switch (node.kind) {
    case "int":
      return node as Value & Node;
    case "float":
      return node as Value & Node;
    case "string":
      return {
        kind: "string",
        type: { kind: "array", of: node.element, length: node.units.length + 1 },
        units: node.units,
        wide: node.encoding !== "" && node.encoding !== "u8",
      };
    case "name": {
      const symbol = node.symbol;
      if (symbol === null) return not(`'${node.at.text}' is not declared`);
      if (symbol.kind === "enumerator") return int(symbol.value, symbol.type);
      if (symbol.kind === "variable" && symbol.value !== null) {
        const constant = symbol.value;
        if (constant.kind === "float") return { kind: "float", type: constant.type, value: constant.value as number };
        if (constant.kind === "int") return int(constant.value as Int, constant.type);
      }
      return not(`'${node.at.text}' is a ${symbol.kind}`);
    }
    case "unary":
      return unary(p, node);
    case "binary":
      return binary(p, node);
    case "conditional": {
      const test = value(p, node.test);
      const yes = node.yes ?? node.test;
      const chosen = !truth(test) ? value(p, node.no) : node.yes === null ? test : value(p, node.yes);
      const a = type(p, yes);
      const b = type(p, node.no);
      if (T.isArithmetic(a) && T.isArithmetic(b)) return convert(p, chosen, common(p, a, b));
      return chosen;
    }
    case "cast":
      return convert(p, value(p, node.operand), node.type);
    case "size": {
      const operand = node.type ?? type(p, node.operand!);
      const bytes = node.align ? alignOf(operand, p.target) : T.resolve(operand).kind === "function" ? 1 : sizeOf(operand, p.target);
      if (bytes === null) not(`'${T.printType(operand)}' is incomplete`);
      return int(bytes, sizeType(p));
    }
    case "offset":
      return int(place(p, node.path, true).offset, sizeType(p));
    case "member":
    case "index":
      return not("it reads an object");
    case "call":
      return builtin(p, node);
    case "assign":
    case "postfix":
      return not("it assigns");
    case "object":
      return not("it is a compound literal");
    case "opaque":
      return not(node.reason);
  }
}

function unary(p: Parser, node: Node & { kind: "unary" }): Value {
  if (node.operator === K.AMP) {
    const target = place(p, node.operand, false);
    return int(I.wrap(target.offset, 64, false), T.pointer(target.type));
  }
  if (node.operator === K.STAR) return not("it reads an object");
  if (node.operator === K.INCREMENT || node.operator === K.DECREMENT) return not("it assigns");
  const operand = value(p, node.operand);
  if (operand.kind === "string") return node.operator === K.NOT ? int(0, T.basic("int")) : not("an operator on a string");
  switch (node.operator) {
    case K.NOT:
      return truthValue(operand.value === 0);
    case K.PLUS:
    case K.MINUS: {
      if (operand.kind === "float") return { ...operand, value: node.operator === K.MINUS ? -operand.value : operand.value };
      const to = arithmeticType(operand.type);
      const promoted = convert(p, operand, to) as Value & { kind: "int" };
      return node.operator === K.PLUS ? promoted : integer(p, I.subtract(0, promoted.value), to);
    }
    default: {
      if (operand.kind === "float") return not("'~' of a floating value");
      const to = arithmeticType(operand.type);
      return integer(p, I.complement((convert(p, operand, to) as { value: Int }).value), to);
    }
  }
}

function arithmeticType(type: CType): CType {
  if (!T.isInteger(type)) not("arithmetic on a pointer");
  return promote(type);
}

function integer(p: Parser, exact: Int, type: CType): Value {
  const { bits, signed } = integerOf(p, type);
  return int(I.wrap(exact, bits, signed), type);
}

function binary(p: Parser, node: Node & { kind: "binary" }): Value {
  const { operator } = node;
  if (operator === K.ANDAND || operator === K.OROR) {
    const left = truth(value(p, node.left));
    return truthValue(left === (operator === K.OROR) ? left : truth(value(p, node.right)));
  }
  if (operator === K.COMMA) return not("it is a comma expression");
  const left = value(p, node.left);
  const right = value(p, node.right);
  if (left.kind === "string" || right.kind === "string") return not("an operator on a string");
  const a = T.resolve(left.type);
  const b = T.resolve(right.type);
  if (a.kind === "pointer" || b.kind === "pointer") return pointers(p, operator, left, right);
  if (operator === K.SHL || operator === K.SHR) {
    if (left.kind === "float" || right.kind === "float") return not("a shift of a floating value");
    const to = promote(a);
    const { bits } = integerOf(p, to);
    const count = right.value;
    if (count < 0 || count >= bits) return not(`a shift by ${count} bits`);
    const from = (convert(p, left, to) as { value: Int }).value;
    return integer(p, operator === K.SHL ? I.shiftLeft(from, Number(count)) : I.shiftRight(from, Number(count)), to);
  }
  const to = common(p, a, b);
  const x = convert(p, left, to);
  const y = convert(p, right, to);
  if (x.kind === "float" && y.kind === "float") return floating(p, operator, x.value, y.value, to);
  if (x.kind !== "int" || y.kind !== "int") return not("operands that don't go together");
  return integers(p, operator, x.value, y.value, to);
}

/** What a comparison gives; null for another operator. */
function comparison(operator: number, a: Int, b: Int): Value | null {
  switch (operator) {
    case K.EQ:
      return truthValue(a === b);
    case K.NOTEQ:
      return truthValue(a !== b);
    case K.LESS:
      return truthValue(a < b);
    case K.GREATER:
      return truthValue(a > b);
    case K.LESSEQ:
      return truthValue(a <= b);
    case K.GREATEREQ:
      return truthValue(a >= b);
  }
  return null;
}

/** The `int` that C's comparisons and logic give. */
function truthValue(truth: boolean): Value {
  return int(truth ? 1 : 0, T.basic("int"));
}

function integers(p: Parser, operator: number, a: Int, b: Int, type: CType): Value {
  switch (operator) {
    case K.PLUS:
      return integer(p, I.add(a, b), type);
    case K.MINUS:
      return integer(p, I.subtract(a, b), type);
    case K.STAR:
      return integer(p, I.multiply(a, b), type);
    case K.SLASH:
    case K.PERCENT:
      if (b === 0) return not("it divides by zero");
      return integer(p, operator === K.SLASH ? I.divide(a, b) : I.remainder(a, b), type);
    case K.AMP:
      return integer(p, I.and(a, b), type);
    case K.PIPE:
      return integer(p, I.or(a, b), type);
    case K.CARET:
      return integer(p, I.xor(a, b), type);
  }
  return comparison(operator, a, b) ?? not("an operator that no constant has");
}

function floating(p: Parser, operator: number, a: number, b: number, type: CType): Value {
  const made = (value: number): Value => convert(p, { kind: "float", type, value }, type);
  switch (operator) {
    case K.PLUS:
      return made(a + b);
    case K.MINUS:
      return made(a - b);
    case K.STAR:
      return made(a * b);
    case K.SLASH:
      return made(a / b);
  }
  return comparison(operator, a, b) ?? not("an operator that floating values don't have");
}

/** Arithmetic on pointers whose value is a number, as in old spellings of offsetof. */
function pointers(p: Parser, operator: number, left: Value, right: Value): Value {
  if (left.kind !== "int" || right.kind !== "int") return not("operands that don't go together");
  const a = T.resolve(left.type);
  const b = T.resolve(right.type);
  switch (operator) {
    case K.EQ:
    case K.NOTEQ:
      return comparison(operator, left.value, right.value)!;
    case K.PLUS:
    case K.MINUS: {
      if (a.kind === "pointer" && b.kind === "pointer") {
        if (operator === K.PLUS) return not("two pointers are added");
        const bytes = step(p, a.to);
        return int(I.divide(I.subtract(left.value, right.value), bytes), T.basic(p.target.ptrdiffType));
      }
      const [base, count] = a.kind === "pointer" ? [left, right] : [right, left];
      const bytes = I.multiply(count.value, step(p, (T.resolve(base.type) as { to: CType }).to));
      const sum = operator === K.PLUS ? I.add(base.value, bytes) : I.subtract(base.value, bytes);
      return int(I.wrap(sum, 64, false), base.type);
    }
  }
  return not("arithmetic on a pointer");
}

function step(p: Parser, type: CType): number {
  const bytes = T.resolve(type).kind === "function" ? 1 : sizeOf(type, p.target);
  return bytes === null || bytes === 0 ? not(`'${T.printType(type)}' is incomplete`) : bytes;
}

/** Where an object is: its type, and its offset from a null base. */
interface ObjectPlace {
  readonly type: CType;
  readonly offset: Int;
}

/** What a pointer points to; `wrong` says what is wrong with anything else. */
function behind(p: Parser, node: Node, wrong: string): ObjectPlace {
  const pointer = value(p, node), type = T.resolve(pointer.type);
  return pointer.kind === "int" && type.kind === "pointer" ? { type: type.to, offset: pointer.value } : not(wrong);
}

/** The place of an lvalue; its offset is from any object's beginning where `relative`. */
function place(p: Parser, node: Node, relative: boolean): ObjectPlace {
  switch (node.kind) {
    case "member": {
      const base = node.arrow ? behind(p, node.object, "'->' on something that is no pointer") : place(p, node.object, relative);
      const found = findField(base.type, node.name);
      if (found === null) return not(`there is no member '${node.name}'`);
      if (found.field.bitWidth !== undefined) return not(`'${node.name}' is a bit-field`);
      return { type: T.qualify(found.field.type, T.qualifiersOf(base.type)), offset: I.add(base.offset, found.offset) };
    }
    case "index": {
      const index = value(p, node.index);
      if (index.kind !== "int") return not("an index that is no integer");
      const object = T.resolve(type(p, node.object));
      const first = object.kind === "array"
        ? { type: object.of, offset: place(p, node.object, relative).offset }
        : behind(p, node.object, "an index of something that is no array");
      return { type: first.type, offset: I.add(first.offset, I.multiply(index.value, step(p, first.type))) };
    }
    case "unary":
      if (node.operator === K.STAR) return behind(p, node.operand, "'*' of something that is no pointer");
      break;
    case "object":
      if (relative) return { type: node.type, offset: 0 };
      break;
    case "name":
      return not(`it is the address of '${node.at.text}'`);
  }
  return not("it is the address of an object");
}

/** Builtins that are constant on constants. */
function builtin(p: Parser, node: Node & { kind: "call" }): Value {
  const name = node.callee.kind === "name" ? node.callee.at.text : "";
  switch (name) {
    case "__builtin_expect":
    case "__builtin_assume_aligned":
      if (node.args.length > 0) return value(p, node.args[0]);
      break;
    case "__builtin_huge_val":
    case "__builtin_inf":
      return { kind: "float", type: T.basic("double"), value: Infinity };
    case "__builtin_huge_valf":
    case "__builtin_inff":
      return { kind: "float", type: T.basic("float"), value: Infinity };
    case "__builtin_huge_vall":
    case "__builtin_infl":
      return { kind: "float", type: T.basic("long double"), value: Infinity };
    case "__builtin_nan":
      return { kind: "float", type: T.basic("double"), value: NaN };
    case "__builtin_nanf":
      return { kind: "float", type: T.basic("float"), value: NaN };
    case "__builtin_strlen": {
      const text = node.args.length === 1 ? value(p, node.args[0]) : null;
      if (text !== null && text.kind === "string") return int(text.units.length, sizeType(p));
      break;
    }
    case "__builtin_bswap16":
    case "__builtin_bswap32":
    case "__builtin_bswap64": {
      const operand = node.args.length === 1 ? value(p, node.args[0]) : null;
      if (operand === null || operand.kind !== "int") break;
      const bytes = Number(name.slice(15)) / 8;
      let wide = BigInt(I.wrap(operand.value, bytes * 8, false));
      let out = 0n;
      for (let i = 0; i < bytes; i++, wide >>= 8n) out = (out << 8n) | (wide & 255n);
      return int(I.normal(out), T.basic(bytes === 8 ? "unsigned long" : bytes === 4 ? "unsigned int" : "unsigned short"));
    }
  }
  return not(name === "" ? "it calls a function" : `it calls '${name}'`);
}

// Types of expressions

/** Array and function types as the pointers that they become (C17 6.3.2.1). */
function decayed(type: CType): CType {
  const t = T.resolve(type);
  if (t.kind === "array") return T.pointer(t.of);
  if (t.kind === "function") return T.pointer(t);
  return t;
}

function type(p: Parser, node: Node): CType {
  switch (node.kind) {
    case "int":
    case "float":
    case "cast":
    case "object":
      return node.type;
    case "string":
      return { kind: "array", of: node.element, length: node.units.length + 1 };
    case "name": {
      const symbol = node.symbol;
      if (symbol === null) return not(`'${node.at.text}' is not declared`);
      return symbol.kind === "function" || symbol.kind === "variable" ? symbol.declaration.type : symbol.type;
    }
    case "size":
    case "offset":
      return sizeType(p);
    case "assign":
      return T.unqualified(type(p, node.left));
    case "postfix":
      return T.unqualified(type(p, node.operand));
    case "opaque":
      return node.type ?? not(node.reason);
    case "conditional": {
      const a = decayed(type(p, node.yes ?? node.test));
      const b = decayed(type(p, node.no));
      if (T.isArithmetic(a) && T.isArithmetic(b)) return common(p, a, b);
      if (a.kind === "pointer" && b.kind === "pointer") return conditionalPointer(p, node, a, b);
      return a.kind === "pointer" ? a : b.kind === "pointer" ? b : a;
    }
    case "unary":
      return unaryType(p, node);
    case "binary":
      return binaryType(p, node);
    case "member": {
      let object = type(p, node.object);
      if (node.arrow) {
        const t = decayed(object);
        if (t.kind !== "pointer") return not("'->' on something that is no pointer");
        object = t.to;
      }
      const found = findField(object, node.name);
      if (found === null) return not(`there is no member '${node.name}'`);
      return T.qualify(found.field.type, T.qualifiersOf(T.resolve(object)));
    }
    case "index": {
      const a = decayed(type(p, node.object));
      if (a.kind === "pointer") return a.to;
      const b = decayed(type(p, node.index));
      return b.kind === "pointer" ? b.to : not("an index of something that is no array");
    }
    case "call": {
      const callee = decayed(type(p, node.callee));
      const t = callee.kind === "pointer" ? T.resolve(callee.to) : callee;
      return t.kind === "function" ? t.result : not("a call of something that is no function");
    }
  }
}

function unaryType(p: Parser, node: Node & { kind: "unary" }): CType {
  const operand = type(p, node.operand);
  switch (node.operator) {
    case K.NOT:
      return T.basic("int");
    case K.AMP:
      return T.pointer(operand);
    case K.STAR: {
      const t = decayed(operand);
      return t.kind === "pointer" ? t.to : not("'*' of something that is no pointer");
    }
    case K.INCREMENT:
    case K.DECREMENT:
      return operand;
  }
  return T.isInteger(operand) ? promote(operand) : T.unqualified(T.resolve(operand));
}

/** C17 6.5.15p6: a null pointer constant takes the other's type; with `void *` it is `void *`. */
function conditionalPointer(
  p: Parser,
  node: Node & { kind: "conditional" },
  a: CType & { kind: "pointer" },
  b: CType & { kind: "pointer" },
): CType {
  const isNull = (side: Node | null): boolean => {
    if (side === null || side.kind !== "cast") return false;
    const v = evaluate(p, side);
    return typeof v !== "string" && v.kind === "int" && v.value === 0;
  };
  if (T.isVoid(a.to)) return isNull(node.yes) ? b : a;
  if (T.isVoid(b.to)) return isNull(node.no) ? a : b;
  return a;
}

function binaryType(p: Parser, node: Node & { kind: "binary" }): CType {
  switch (node.operator) {
    case K.COMMA:
      return decayed(type(p, node.right));
    case K.ANDAND:
    case K.OROR:
    case K.EQ:
    case K.NOTEQ:
    case K.LESS:
    case K.GREATER:
    case K.LESSEQ:
    case K.GREATEREQ:
      return T.basic("int");
    case K.SHL:
    case K.SHR:
      return promote(type(p, node.left));
  }
  const a = decayed(type(p, node.left));
  const b = decayed(type(p, node.right));
  if (a.kind === "pointer" && b.kind === "pointer") return T.basic(p.target.ptrdiffType);
  if (a.kind === "pointer") return a;
  if (b.kind === "pointer") return b;
  return common(p, a, b);
}

/** The type that `_Generic` looks at: after lvalue conversion (C17 6.5.1.1p2 as amended). */
export function controlType(p: Parser, node: Node): CType {
  return T.unqualified(decayed(typeOf(p, node)));
}
