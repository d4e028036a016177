/**
 * C expressions as JavaScript ones, over numbers and the shadows of tensors (`ffi/guard.ts`).
 *
 * Integers are numbers: exact up to 2^53, beyond which no tensor goes (the guard of `ggml_new_tensor_impl` sees to that). What has no such
 * translation, pointer arithmetic above all, throws {@linkcode Untranslatable} with the reason.
 *
 * @module
 */

import { common, integerOf, NotConstant } from "../conversions.ts";
import { evaluate, typeOf } from "../evaluate.ts";
import type { InitializerList, Node } from "../expression.ts";
import * as K from "../kinds.ts";
import type { CType } from "../model.ts";
import { FAILURE, type Parser } from "../parser.ts";
import * as T from "../types.ts";
import { calleeOf } from "./slice.ts";

/** Thrown for what no guard can say, with the reason. */
export class Untranslatable extends Error {}

/** What a guard knows of a C struct: the fields that its shadow has. */
const SHADOWS: Readonly<Record<string, readonly string[]>> = {
  ggml_tensor: ["type", "ne", "nb", "op", "op_params", "flags", "src", "view_src", "view_offs", "data", "buffer"],
  ggml_context: ["mem_size", "no_alloc"],
  ggml_cgraph: ["size", "n_nodes", "n_leafs", "nodes", "leafs", "grads", "grad_accs", "visited_hash_set"],
  ggml_hash_set: ["size", "used", "keys"],
  ggml_compute_params: ["ith", "nth", "use_ref"],
  ggml_type_traits: ["blck_size", "type_size", "is_quantized", "to_float", "from_float_ref"],
  ggml_type_traits_cpu: ["from_float", "vec_dot", "vec_dot_type", "nrows"],
};

/** Functions whose answers come from the library or from the runtime: their C bodies are tables and pointers. */
export const BY_HAND: Readonly<Record<string, string>> = {
  ggml_type_size: "typeSize",
  ggml_blck_size: "blockSize",
  ggml_is_quantized: "isQuantized",
  ggml_new_tensor_impl: "newTensor",
  ggml_new_buffer: "newBuffer",
  ggml_new_graph_custom: "newGraph",
  ggml_build_forward_impl: "buildForward",
  ggml_hash_find: "hashFind",
  ggml_hash_insert: "hashInsert",
  ggml_bitset_get: "bitsetGet",
  ggml_get_type_traits: "typeTraits",
  ggml_get_type_traits_cpu: "cpuTraits",
  calloc: "zeros",
};

/** Tables that the library is asked for, entry by entry. */
const TABLES: Readonly<Record<string, string>> = { type_traits: "typeTraits", type_traits_cpu: "cpuTraits" };

/** Those of them that may throw. */
export const MAY_FAIL: ReadonlySet<string> = new Set([
  "ggml_new_tensor_impl",
  "ggml_new_buffer",
  "ggml_new_graph_custom",
  "ggml_build_forward_impl",
]);

/** What they assert is about their own callers' sizes, which are constants. */
export const NEVER_FAIL = /^ggml_[sg]et_op_params/;

/** Calls whose answer is known: no guard is asked about memory that a backend has laid out its own way. */
export const ANSWERS: Readonly<Record<string, string>> = { ggml_cpu_extra_compute_forward: "false" };

/** Functions that only decorate: what they return is their first argument. */
export const DECORATE: ReadonlySet<string> = new Set(["ggml_set_name", "ggml_format_name"]);

/** The functions of math.h and stdlib.h that JavaScript has too. */
const MATH: Readonly<Record<string, string>> = {
  floor: "floor",
  floorf: "floor",
  ceil: "ceil",
  ceilf: "ceil",
  sqrt: "sqrt",
  sqrtf: "sqrt",
  pow: "pow",
  powf: "pow",
  log2: "log2",
  log2f: "log2",
  abs: "abs",
  std_max: "max",
  std_min: "min",
  fabs: "abs",
  fabsf: "abs",
  round: "round",
  roundf: "round",
};

/** What the writer of expressions asks of its surroundings. */
export interface Surroundings {
  readonly parser: Parser;
  /** The JavaScript name of a variable; throws where its value isn't known. */
  variable(name: string): string;
  /** The JavaScript name of a translated C function; throws where it has none. */
  callee(name: string): string;
  /** The parameter types of a C function. */
  parameters(name: string): readonly CType[];
  /** The name of an enumeration constant, which is declared where it is used. */
  constant(name: string, value: number): string;
  /** The name of a helper of the runtime. */
  helper(name: string): string;
}

/** The struct that a pointer type points to, null for any other type. */
export function pointee(type: CType): string | null {
  const t = T.resolve(type);
  if (t.kind !== "pointer") return null;
  const to = T.resolve(t.to);
  return to.kind === "record" ? to.record.name : null;
}

function recordName(type: CType): string | null {
  const t = T.resolve(type);
  return t.kind === "record" ? t.record.name : null;
}

/** True for a pointer or array whose elements are numbers. */
export function isNumbers(type: CType): boolean {
  const t = T.resolve(type);
  if (t.kind === "array") return T.isArithmetic(T.resolve(t.of)) || isNumbers(t.of);
  return t.kind === "pointer" && T.isArithmetic(T.resolve(t.to)) && !isChar(t.to);
}

function isChar(type: CType): boolean {
  const t = T.bare(type);
  return t.kind === "basic" && t.name === "char";
}

/** Writes expressions. */
export class Expressions {
  readonly #in: Surroundings;

  constructor(surroundings: Surroundings) {
    this.#in = surroundings;
  }

  typeOf(node: Node): CType {
    try {
      return typeOf(this.#in.parser, node);
    } catch (error) {
      if (error === FAILURE) throw new Untranslatable("its type is not known");
      throw error;
    }
  }

  /** An expression as JavaScript; `inner` puts one of several parts in parentheses. */
  write(node: Node, inner = false): string {
    const constant = node.kind === "name" ? null : this.#constant(node);
    if (constant !== null) return constant;
    switch (node.kind) {
      case "int":
      case "float":
        return String(node.value);
      case "name":
        return this.#name(node);
      case "unary":
        return this.#unary(node);
      case "postfix":
        return this.write(node.operand, true) + node.operator;
      case "binary":
        return parenthesized(this.#binary(node), inner);
      case "assign":
        return parenthesized(this.#assign(node), inner);
      case "conditional": {
        if (node.yes === null) throw new Untranslatable("it uses '?:' without a middle");
        const text = `${this.write(node.test, true)} ? ${this.write(node.yes, true)} : ${this.write(node.no, true)}`;
        return parenthesized(text, inner);
      }
      case "cast":
        return this.#cast(node, inner);
      case "member":
        return this.#member(node);
      case "index": {
        const table = node.object.kind === "name" ? TABLES[node.object.at.text] : undefined;
        if (table !== undefined) return `${this.#in.helper(table)}(${this.write(node.index)})`;
        return `${this.write(node.object, true)}[${this.write(node.index)}]`;
      }
      case "call":
        return this.#call(node);
      case "object":
        return this.#literal(node.type, node.list);
      case "string": // `condition && "what is wrong"`
        return "true";
      default:
        throw new Untranslatable(node.kind === "opaque" ? node.reason : "it holds a type");
    }
  }

  /** A variable's initializer as a value of its type. */
  initializer(type: CType, value: Node | InitializerList): string {
    if ("items" in value) return this.#literal(type, value);
    if (T.resolve(type).kind === "array") throw new Untranslatable("it initializes an array by a string");
    return convert(this.#in.parser, this.write(value), this.typeOf(value), type);
  }

  /** An array of numbers: C fills it up with zeros. */
  #literal(type: CType, list: InitializerList | null): string {
    const t = T.resolve(type);
    if (list === null || t.kind !== "array" || !T.isArithmetic(T.resolve(t.of))) throw new Untranslatable("it makes a struct");
    if (list.items.some(({ field, index }) => field !== null || index !== null)) throw new Untranslatable("it uses designators");
    const items = list.items.map(({ value }) => this.initializer(t.of, value));
    while (items.length < (t.length ?? 0)) items.push("0");
    return `[${items.join(", ")}]`;
  }

  #constant(node: Node): string | null {
    if (node.kind === "call" || node.kind === "assign" || node.kind === "postfix") return null;
    if (isNull(node)) return "null";
    const result = evaluate(this.#in.parser, node);
    if (typeof result === "string" || result.kind === "string") return null;
    return T.resolve(result.type).kind === "pointer" ? null : String(Number(result.value));
  }

  #name(node: Node & { readonly kind: "name" }): string {
    const { symbol } = node;
    if (symbol?.kind === "enumerator") return this.#in.constant(node.at.text, Number(symbol.value));
    if (symbol?.kind === "function") throw new Untranslatable(`it takes the address of ${node.at.text}`);
    return this.#in.variable(node.at.text);
  }

  #unary(node: Node & { readonly kind: "unary" }): string {
    switch (node.operator) {
      case K.STAR:
        throw new Untranslatable("it follows a pointer");
      case K.AMP:
        // The address of a shadow's part stands for the part.
        if (node.operand.kind === "member" && T.resolve(this.typeOf(node.operand)).kind === "record") return this.write(node.operand);
        throw new Untranslatable("it takes an address");
      case K.INCREMENT:
      case K.DECREMENT:
        return (node.operator === K.INCREMENT ? "++" : "--") + this.write(node.operand, true);
      case K.TILDE:
        if (this.#bits(node.operand) > 32) throw new Untranslatable("it complements 64 bits");
        return `~${this.write(node.operand, true)}`;
    }
    return ({ [K.NOT]: "!", [K.MINUS]: "-", [K.PLUS]: "+" })[node.operator] + this.write(node.operand, true);
  }

  #bits(node: Node): number {
    const t = T.resolve(this.typeOf(node));
    return T.isInteger(t) ? integerOf(this.#in.parser, t).bits : 0;
  }

  #binary(node: Node & { readonly kind: "binary" }): string {
    const { operator, left, right } = node;
    const padded = this.#padding(node);
    if (padded !== null) return padded;
    const a = this.write(left, true), b = this.write(right, true);
    if ((operator === K.EQ || operator === K.NOTEQ) && a !== "null" && b !== "null" && pointee(this.typeOf(left)) === "ggml_tensor") {
      return `${operator === K.EQ ? "" : "!"}${this.#in.helper("same")}(${a}, ${b})`;
    }
    switch (operator) {
      case K.ANDAND:
        return `${a} && ${b}`;
      case K.OROR:
        return `${a} || ${b}`;
      case K.EQ:
      case K.NOTEQ: {
        // JavaScript's booleans are no numbers; C's are.
        const mixed = this.#isTruth(left) !== this.#isTruth(right);
        return `${a} ${operator === K.EQ ? "==" : "!="}${mixed ? "" : "="} ${b}`;
      }
      case K.COMMA:
        throw new Untranslatable("it uses a comma");
    }
    if (T.resolve(this.typeOf(left)).kind === "pointer" || T.resolve(this.typeOf(right)).kind === "pointer") {
      throw new Untranslatable("it does arithmetic on pointers");
    }
    const type = this.#common(left, right);
    if (operator === K.SLASH && T.isInteger(type)) return `${this.#in.helper("divide")}(${this.write(left)}, ${this.write(right)})`;
    if (operator === K.PERCENT) return `${this.#in.helper("remainder")}(${this.write(left)}, ${this.write(right)})`;
    const symbol = OPERATORS[operator];
    if (COMPARISONS.has(operator)) return `${a} ${symbol} ${b}`;
    if (symbol === undefined) throw new Untranslatable(`it uses '${node.at.text}'`);
    if (isInt32(this.#in.parser, type)) { // it wraps
      if (operator === K.STAR) return `Math.imul(${a}, ${b})`;
      if (operator === K.PLUS || operator === K.MINUS) return `${a} ${symbol} ${b} | 0`;
    }
    if (BITWISE.has(operator) && integerOf(this.#in.parser, type).bits > 32) throw new Untranslatable(`it uses '${symbol}' on 64 bits`);
    return isFloat32(type) ? `Math.fround(${a} ${symbol} ${b})` : `${a} ${symbol} ${b}`;
  }

  #common(left: Node, right: Node): CType {
    try {
      return common(this.#in.parser, this.typeOf(left), this.typeOf(right));
    } catch (error) {
      if (error instanceof NotConstant) throw new Untranslatable(error.reason);
      throw error;
    }
  }

  /** `(x + n - 1) & ~(n - 1)`, what GGML_PAD expands to: x rounded up to a multiple of n. */
  #padding({ operator, left, right }: Node & { readonly kind: "binary" }): string | null {
    if (operator !== K.AMP || right.kind !== "unary" || right.operator !== K.TILDE) return null;
    const mask = evaluate(this.#in.parser, right.operand);
    if (typeof mask === "string" || mask.kind !== "int") return null;
    if (left.kind !== "binary" || left.operator !== K.MINUS || left.left.kind !== "binary" || left.left.operator !== K.PLUS) return null;
    return `${this.#in.helper("pad")}(${this.write(left.left.left)}, ${Number(mask.value) + 1})`;
  }

  #isTruth(node: Node): boolean {
    if (node.kind === "unary" && node.operator === K.NOT) return true;
    if (node.kind === "binary" && COMPARISONS.has(node.operator)) return true;
    return isBool(this.typeOf(node)) && this.#constant(node) === null;
  }

  #assign({ operator, left, right }: Node & { readonly kind: "assign" }): string {
    const target = this.write(left, true);
    const type = this.typeOf(left);
    if (operator === "=") return `${target} = ${convert(this.#in.parser, this.write(right), this.typeOf(right), type)}`;
    if (operator === "/=" && T.isInteger(type)) return `${target} = ${this.#in.helper("divide")}(${target}, ${this.write(right)})`;
    if (operator === "%=") return `${target} = ${this.#in.helper("remainder")}(${target}, ${this.write(right)})`;
    if (/^[&|^<>]/.test(operator) && this.#bits(left) > 32) throw new Untranslatable(`it uses '${operator}' on 64 bits`);
    return `${target} ${operator} ${this.write(right, true)}`;
  }

  #cast({ type, operand }: Node & { readonly kind: "cast" }, inner: boolean): string {
    if (T.isVoid(type)) throw new Untranslatable("it is no value");
    const from = this.typeOf(operand);
    if (sameNumbers(type, from)) return this.write(operand, inner);
    if (T.resolve(type).kind === "pointer" && pointee(type) !== pointee(from)) throw new Untranslatable("it casts a pointer");
    return convert(this.#in.parser, this.write(operand, inner), from, type);
  }

  #member({ object, arrow, name }: Node & { readonly kind: "member" }): string {
    const struct = arrow ? pointee(this.typeOf(object)) : recordName(this.typeOf(object));
    if (struct === null) throw new Untranslatable(`it reads .${name} of a struct`);
    if (SHADOWS[struct]?.includes(name) !== true) throw new Untranslatable(`it reads ${struct}.${name}`);
    return `${this.write(object, true)}.${name}`;
  }

  #call(node: Node & { readonly kind: "call" }): string {
    const name = calleeOf(node);
    if (MATH[name] !== undefined) return `Math.${MATH[name]}(${node.args.map((argument) => this.write(argument)).join(", ")})`;
    if (DECORATE.has(name)) return this.write(node.args[0]);
    if (ANSWERS[name] !== undefined) return ANSWERS[name];
    const callee = this.#in.callee(name);
    const parameters = this.#in.parameters(name);
    return `${callee}(${node.args.map((argument, i) => this.#argument(argument, parameters[i])).join(", ")})`;
  }

  /** The address of a number, where a function takes an array, is an array of one. */
  #argument(node: Node, type: CType | undefined): string {
    if (type === undefined) return this.write(node);
    if (node.kind === "unary" && node.operator === K.AMP && isNumbers(type)) return `[${this.write(node.operand)}]`;
    return convert(this.#in.parser, this.write(node), this.typeOf(node), type);
  }
}

const OPERATORS: Readonly<Record<number, string>> = {
  [K.PLUS]: "+",
  [K.MINUS]: "-",
  [K.STAR]: "*",
  [K.SLASH]: "/",
  [K.LESS]: "<",
  [K.GREATER]: ">",
  [K.LESSEQ]: "<=",
  [K.GREATEREQ]: ">=",
  [K.AMP]: "&",
  [K.PIPE]: "|",
  [K.CARET]: "^",
  [K.SHL]: "<<",
  [K.SHR]: ">>",
};

const BITWISE: ReadonlySet<number> = new Set([K.AMP, K.PIPE, K.CARET, K.SHL, K.SHR]);
const COMPARISONS: ReadonlySet<number> = new Set([K.EQ, K.NOTEQ, K.LESS, K.GREATER, K.LESSEQ, K.GREATEREQ, K.ANDAND, K.OROR]);

/** C's implicit conversions, as far as they change a number. */
function convert(parser: Parser, text: string, from: CType, to: CType): string {
  const target = T.resolve(to), source = T.resolve(from);
  if (!T.isArithmetic(target) || !T.isArithmetic(source) || /^-?\d+$/.test(text)) return text;
  const bare = T.bare(target);
  if (bare.kind === "basic" && bare.name === "_Bool") return isBool(source) ? text : `!!(${text})`;
  if (isFloat32(target) && isFloat32(source)) return text;
  if (T.isFloat(target)) return bare.kind === "basic" && bare.name === "float" ? `Math.fround(${text})` : text;
  const { bits, signed } = integerOf(parser, target);
  if (T.isFloat(source)) return bits > 32 ? `Math.trunc(${text})` : `(${text} | 0)`;
  if (integerOf(parser, source).bits <= bits || bits !== 32) return text;
  return signed ? `(${text} | 0)` : `(${text} >>> 0)`;
}

function isInt32(parser: Parser, type: CType): boolean {
  if (!T.isInteger(type)) return false;
  const { bits, signed } = integerOf(parser, type);
  return bits === 32 && signed;
}

function isFloat32(type: CType): boolean {
  const t = T.bare(type);
  return t.kind === "basic" && t.name === "float";
}

/** True for pointers to integers of 32 bits, signed or not: the parameters of an operation are kept as such. */
function sameNumbers(a: CType, b: CType): boolean {
  const x = T.resolve(a), y = T.resolve(b);
  if (x.kind !== "pointer" || (y.kind !== "pointer" && y.kind !== "array")) return false;
  const to = T.bare(x.to), of = T.bare(y.kind === "pointer" ? y.to : y.of);
  return to.kind === "basic" && of.kind === "basic" && /^(unsigned )?int$/.test(to.name) && /^(unsigned )?int$/.test(of.name);
}

function isBool(type: CType): boolean {
  const t = T.bare(type);
  return t.kind === "basic" && t.name === "_Bool";
}

function isNull(node: Node): boolean {
  return node.kind === "cast" && T.resolve(node.type).kind === "pointer" && node.operand.kind === "int" && node.operand.value === 0;
}

function parenthesized(text: string, inner: boolean): string {
  return inner ? `(${text})` : text;
}
