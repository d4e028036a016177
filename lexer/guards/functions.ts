/**
 * C functions as JavaScript ones that throw where C aborts, and otherwise compute only what that takes.
 *
 * A statement that matters (`slice.ts`) and can't be translated leaves what it sets unknown; an assertion that reads something unknown is
 * reported and left out, as is all that stands behind a return whose condition is unknown.
 *
 * @module
 */

import type { InitializerList, Node } from "../expression.ts";
import * as K from "../kinds.ts";
import type { CType } from "../model.ts";
import type { Parser } from "../parser.ts";
import type { FunctionBody, Local, Statement } from "../statement.ts";
import * as T from "../types.ts";
import { evaluate } from "../evaluate.ts";
import { explain } from "./explain.ts";
import { BY_HAND, DECORATE, Expressions, MAY_FAIL, NEVER_FAIL, pointee, Untranslatable } from "./expressions.ts";
import { calleeOf, childrenOf, expressionsOf, rootOf, slice, walk } from "./slice.ts";
import { ABORT } from "./sources.ts";

/** An assertion of the sources. */
export interface Assertion {
  /** The C function that it stands in. */
  readonly name: string;
  readonly line: number;
  /** The condition as the source spells it, or the message of an unconditional abort. */
  readonly text: string;
  /** Why it could not be translated; null where it was. */
  readonly reason: string | null;
}

/** A translated function. */
interface Translated {
  readonly lines: readonly string[];
  /** Why its result can't be known, null where it is. */
  readonly unknown: string | null;
}

/** The functions of one source, translated as they are asked for. */
export class Functions {
  readonly parser: Parser;
  readonly assertions: Assertion[] = [];
  /** Enumeration constants in use. */
  readonly constants: Map<string, number> = new Map();
  /** Helpers of the runtime in use. */
  readonly helpers: Set<string> = new Set();
  /** Translated functions in the order in which they must be read: a function's callees before it. */
  readonly translated: Map<string, Translated> = new Map();
  /** Predicates that can say which of their conditions failed, by name. */
  readonly explained: Map<string, readonly string[]> = new Map();
  readonly #bodies: ReadonlyMap<string, FunctionBody>;
  readonly #mayFail: Map<string, boolean> = new Map();
  readonly #fields: ReadonlySet<string>;
  readonly #busy: Set<string> = new Set();

  constructor(parser: Parser, fields: ReadonlySet<string>) {
    this.parser = parser;
    this.#bodies = parser.bodies!;
    this.#fields = fields;
  }

  has(name: string): boolean {
    return this.#bodies.has(name);
  }

  body(name: string): FunctionBody {
    return this.#bodies.get(name)!;
  }

  /** True for a function that may end the process, by itself or by what it calls. */
  mayFail(name: string): boolean {
    if (name === ABORT || MAY_FAIL.has(name)) return true;
    if (BY_HAND[name] !== undefined || NEVER_FAIL.test(name)) return false;
    const known = this.#mayFail.get(name);
    if (known !== undefined) return known;
    this.#mayFail.set(name, false); // while it is looked at: recursion adds nothing
    const body = this.#bodies.get(name);
    const result = body !== undefined && this.#anyCall(body.body, (callee) => this.mayFail(callee));
    this.#mayFail.set(name, result);
    return result;
  }

  #anyCall(statement: Statement, test: (name: string) => boolean): boolean {
    let found = false;
    const visit = (node: Node) => {
      if (node.kind === "call") found ||= test(calleeOf(node));
    };
    for (const expression of expressionsOf(statement)) walk(expression, visit);
    return found || childrenOf(statement).some((child) => this.#anyCall(child, test));
  }

  /** Translates a function with all that it calls; throws where its result isn't known. */
  require(name: string): void {
    const { unknown } = this.translate(name);
    if (unknown !== null) throw new Untranslatable(`${name}'s result is not known: ${unknown}`);
  }

  /** Translates a function with all that it calls. */
  translate(name: string): Translated {
    let made = this.translated.get(name);
    if (made === undefined) {
      if (this.#busy.has(name)) throw new Untranslatable(`${name} calls itself`);
      const body = this.#bodies.get(name);
      if (body === undefined) throw new Untranslatable(`it calls ${name === "" ? "through a pointer" : name}`);
      this.#busy.add(name);
      made = new FunctionWriter(this, body).write();
      this.#busy.delete(name);
      this.translated.set(name, made);
    }
    return made;
  }

  /** The assertions that stand in a function itself, translated or not. */
  assertionsIn(name: string): Assertion[] {
    const found: Assertion[] = [];
    const visit = (statement: Statement): void => {
      const assertion = assertionOf(statement);
      if (assertion !== null) found.push({ name, line: this.line(statement), text: assertion.text, reason: null });
      else childrenOf(statement).forEach(visit);
    };
    const body = this.#bodies.get(name);
    if (body !== undefined) visit(body.body);
    return found;
  }

  slice(body: FunctionBody): ReadonlySet<Statement> {
    return slice(body, { mayFail: (name) => this.mayFail(name), isRead: (field) => this.#fields.has(field) });
  }

  /** Has a predicate say why it is false, if it is one of several conditions. */
  explain(name: string): boolean {
    if (this.explained.has(name)) return this.explained.get(name)!.length > 0;
    const body = this.#bodies.get(name);
    const lines = body === undefined ? [] : explain(body, new FunctionWriter(this, body).expressions);
    this.explained.set(name, lines);
    return lines.length > 0;
  }

  line(statement: Statement): number {
    return this.parser.origin(statement.at).line;
  }
}

/** The names that JavaScript has for itself. */
const RESERVED: ReadonlySet<string> = new Set(
  "delete export function in instanceof let new this throw try typeof var with yield".split(" "),
);

class FunctionWriter {
  readonly expressions: Expressions;
  readonly #all: Functions;
  readonly #body: FunctionBody;
  readonly #types: Map<string, CType> = new Map();
  /** Variables whose values aren't known, with the reason. */
  readonly #unknown: Map<string, string> = new Map();
  readonly #assigned: Set<string> = new Set();
  readonly #lines: string[] = [];
  /** True for a function that computes: its loops run over the elements, of which nothing is known beforehand. */
  readonly #isKernel: boolean;
  #indent = "  ";
  #resultUnknown: string | null = null;
  /** Whether nobody wants the result of the call that is about to be written. */
  #discards = false;
  /** Set where the function may have returned, nobody knows. */
  #lost: string | null = null;

  constructor(all: Functions, body: FunctionBody) {
    this.#all = all;
    this.#body = body;
    this.#isKernel = KERNEL.test(body.name);
    for (const { name, type } of body.type.parameters) if (name !== null) this.#types.set(name, type);
    this.expressions = new Expressions({
      parser: all.parser,
      variable: (name) => this.#variable(name),
      callee: (name) => this.#callee(name),
      parameters: (name) => all.has(name) ? all.body(name).type.parameters.map(({ type }) => type) : BY_HAND_PARAMETERS,
      constant: (name, value) => {
        all.constants.set(name, value);
        return name;
      },
      helper: (name) => this.#helper(name),
    });
  }

  write(): Translated {
    const { name, type, body } = this.#body;
    const kept = this.#all.slice(this.#body);
    collectAssigned(body, this.#assigned);
    const parameters = type.parameters.map((parameter, i) => rename(parameter.name ?? `arg${i}`));
    for (const statement of body.body) if (kept.has(statement)) this.#statement(statement, kept);
    const lines = [`function ${name}(${parameters.join(", ")}) {`, ...this.#withoutDead(this.#lines), "}"];
    return { lines, unknown: this.#resultUnknown ?? this.#lost };
  }

  /** Without variables that nothing reads: what read them could not be translated. */
  #withoutDead(lines: readonly string[]): readonly string[] {
    const text = lines.join("\n");
    const left = lines.filter((line) => {
      const [, name, value] = /^ *(?:const|let) (\w+)(?: = (.*))?;$/.exec(line) ?? [];
      if (name === undefined || text.match(new RegExp(`\\b${name}\\b`, "g"))!.length > 1) return true;
      return value !== undefined && [...value.matchAll(/(\$?\w+)\(/g)].some(([, callee]) => this.#mayThrow(callee));
    });
    return left.length === lines.length ? lines : this.#withoutDead(left);
  }

  #mayThrow(callee: string): boolean {
    if (callee.startsWith("$")) return /^\$(divide|remainder|new|build)/.test(callee);
    return this.#all.mayFail(callee);
  }

  #line(text: string): void {
    this.#lines.push(this.#indent + text);
  }

  #helper(name: string): string {
    this.#all.helpers.add(name);
    return `$${name}`;
  }

  #variable(name: string): string {
    const reason = this.#unknown.get(name);
    if (reason !== undefined) throw new Untranslatable(`${name} is not known: ${reason}`);
    if (!this.#types.has(name)) throw new Untranslatable(`it reads the global ${name}`);
    return rename(name);
  }

  #callee(name: string): string {
    const byHand = BY_HAND[name];
    if (byHand !== undefined) return this.#helper(byHand);
    if (this.#discards) this.#all.translate(name);
    else this.#all.require(name);
    this.#discards = false;
    return name;
  }

  #statement(statement: Statement, kept: ReadonlySet<Statement>): void {
    if (this.#lost !== null) return this.#leaveOut(statement, this.#lost);
    try {
      this.#translate(statement, kept);
    } catch (error) {
      if (!(error instanceof Untranslatable)) throw error;
      this.#giveUp(statement, error.message);
    }
  }

  /** Leaves a statement out: what it sets is unknown from here on, and what it asserts is reported. */
  #giveUp(statement: Statement, reason: string): void {
    this.#leaveOut(statement, reason);
    if (assertionOf(statement) !== null) return;
    if (statement.kind === "return") this.#resultUnknown ??= reason;
    else if (statement.kind === "unread" || containsReturn(statement)) this.#lost = reason;
  }

  #leaveOut(statement: Statement, reason: string): void {
    const assertion = assertionOf(statement);
    if (assertion !== null) return this.#report(statement, assertion.text, reason);
    if (statement.kind === "declare") {
      for (const { name, type } of statement.locals) {
        this.#types.set(name, type);
        this.#unknown.set(name, reason);
      }
    }
    const assigned = new Set<string>();
    collectAssigned(statement, assigned, false);
    for (const name of assigned) this.#unknown.set(name, reason);
    for (const child of childrenOf(statement)) this.#leaveOut(child, reason);
  }

  #report(statement: Statement, text: string, reason: string | null): void {
    this.#all.assertions.push({ name: this.#body.name, line: this.#all.line(statement), text, reason });
  }

  #translate(statement: Statement, kept: ReadonlySet<Statement>): void {
    const assertion = assertionOf(statement);
    if (assertion !== null) return this.#assertion(statement, assertion);
    switch (statement.kind) {
      case "block":
        this.#line("{");
        this.#inside(statement, kept);
        this.#line("}");
        return;
      case "declare":
        return statement.locals.forEach((local) => this.#declare(local));
      case "expression":
        return this.#expression(statement.value);
      case "if":
        return this.#if(statement, kept);
      case "for":
        return this.#for(statement, kept);
      case "while":
        if (this.#isKernel) throw new Untranslatable("it loops over the data");
        this.#line(`while (${this.expressions.write(statement.test)}) {`);
        this.#inside(statement.body, kept);
        this.#line("}");
        return;
      case "switch":
        return this.#switch(statement, kept);
      case "return":
        this.#line(
          statement.value === null ? "return;" : `return ${this.expressions.initializer(this.#body.type.result, statement.value)};`,
        );
        return;
      case "break":
      case "continue":
        this.#line(`${statement.kind};`);
        return;
      case "unread":
        throw new Untranslatable("it could not be read");
      default:
        throw new Untranslatable(`it uses '${statement.kind}'`);
    }
  }

  #inside(statement: Statement, kept: ReadonlySet<Statement>): void {
    const indent = this.#indent;
    this.#indent += "  ";
    for (const child of statement.kind === "block" ? statement.body : [statement]) if (kept.has(child)) this.#statement(child, kept);
    this.#indent = indent;
  }

  /** `if (!(condition)) ggml_abort(…)`, or the call alone. */
  #assertion(statement: Statement, { condition, text }: { condition: Node | null; text: string }): void {
    if (condition === null) {
      this.#line(`throw ${this.#helper("aborted")}("${this.#body.name}", ${JSON.stringify(text)});`);
      return this.#report(statement, text, null);
    }
    const test = this.expressions.write(condition);
    const why = condition.kind === "call" && this.#all.explain(calleeOf(condition))
      ? `, ${calleeOf(condition)}$why(${condition.args.map((argument) => this.expressions.write(argument)).join(", ")})`
      : "";
    const shown = `{ ${this.#shown(condition).join(", ")} }`.replace("{  }", "{}");
    this.#line(`if (!(${test})) throw ${this.#helper("failed")}("${this.#body.name}", ${JSON.stringify(text)}, ${shown}${why});`);
    this.#report(statement, text, null);
  }

  /** The variables that a condition reads, to be shown where it is false. */
  #shown(condition: Node): string[] {
    const names = new Set<string>();
    walk(condition, (node) => {
      if (node.kind === "name" && this.#types.has(node.at.text) && !this.#unknown.has(node.at.text)) names.add(node.at.text);
    });
    return [...names].map((name) => rename(name) === name ? name : `${name}: ${rename(name)}`);
  }

  #declare({ name, type, static: isStatic, value }: Local): void {
    this.#types.set(name, type);
    if (isStatic && !type.const) throw new Untranslatable("it is static");
    const t = T.resolve(type);
    const word = this.#assigned.has(name) || value === null ? "let" : "const";
    try {
      if (value !== null) this.#line(`${word} ${rename(name)} = ${this.expressions.initializer(type, value)};`);
      else if (t.kind === "array") this.#line(`const ${rename(name)} = new Array(${t.length}).fill(0);`);
      else this.#line(`let ${rename(name)};`);
    } catch (error) {
      if (!(error instanceof Untranslatable)) throw error;
      this.#unknown.set(name, error.message);
      if (value !== null) this.#callsOf(value, error);
    }
  }

  /** A value that can't be known may still come with calls that may abort: then the reason is worth a report. */
  #callsOf(value: Node | InitializerList, error: Untranslatable): void {
    walk(value, (node) => {
      if (node.kind !== "call" || !this.#all.mayFail(calleeOf(node))) return;
      const line = this.#all.parser.origin(node.at).line;
      this.#all.assertions.push({ name: this.#body.name, line, text: `the call of ${calleeOf(node)}`, reason: error.message });
    });
  }

  #expression(value: Node): void {
    if (value.kind === "cast" && T.isVoid(value.type)) return; // GGML_UNUSED
    if (value.kind === "call") {
      const name = calleeOf(value);
      if (name === "memcpy" || name === "memmove") return this.#copy(value.args);
      if (name === "memset") return this.#line(`${this.#helper("zero")}(${this.expressions.write(value.args[0])});`);
      if (name.startsWith("ggml_log_") || DECORATE.has(name) || SILENT.has(name)) return;
    }
    try {
      this.#discards = value.kind === "call";
      this.#line(`${this.expressions.write(value)};`);
    } catch (error) {
      this.#discards = false;
      if (!(error instanceof Untranslatable)) throw error;
      this.#callsOf(value, error);
      throw error;
    }
  }

  /** `memcpy(to, from, size)` between arrays of numbers, or from an operation's parameters. */
  #copy([target, from, size]: readonly Node[]): void {
    let to = uncast(target);
    if (to.kind === "unary" && to.operator === K.AMP) {
      if (T.resolve(this.expressions.typeOf(to.operand)).kind !== "array") {
        return this.#line(`${this.#parameter(to.operand, uncast(from))};`);
      }
      to = to.operand;
    }
    const bytes = evaluate(this.#all.parser, size);
    const t = T.resolve(this.expressions.typeOf(to));
    const element = t.kind === "array" || t.kind === "pointer" ? T.resolve(t.kind === "array" ? t.of : t.to) : null;
    if (typeof bytes === "string" || element === null || element.kind !== "basic") throw new Untranslatable("it copies memory");
    const count = Number(bytes.kind === "int" ? bytes.value : 0) / this.#all.parser.target.sizes[element.name][0];
    const offset = from.kind === "binary" && from.operator === K.PLUS;
    const source = this.expressions.write(offset ? uncast(from.left) : from, true);
    const index = offset ? `$i + ${this.expressions.write(from.right)}` : "$i";
    this.#line(`for (let $i = 0; $i < ${count}; $i++) ${this.expressions.write(to, true)}[$i] = ${source}[${index}];`);
  }

  /** `x = …`, for `memcpy(&x, (T *) tensor->op_params + n, sizeof(x))`. */
  #parameter(target: Node, from: Node): string {
    const [base, index] = from.kind === "binary" && from.operator === K.PLUS ? [uncast(from.left), from.right] : [from, null];
    const t = T.bare(this.expressions.typeOf(target));
    if (base.kind !== "member" || base.name !== "op_params" || t.kind !== "basic") throw new Untranslatable("it copies memory");
    const position = index === null ? "0" : this.expressions.write(index);
    const { [t.name]: sizes } = this.#all.parser.target.sizes;
    const kind = t.name === "float" ? "float" : sizes[0] === 8 ? "int64" : "int32";
    return `${this.expressions.write(target)} = ${this.#helper("parameter")}(${this.expressions.write(base)}, ${position}, "${kind}")`;
  }

  #if(statement: Statement & { readonly kind: "if" }, kept: ReadonlySet<Statement>): void {
    this.#line(`if (${this.expressions.write(statement.test)}) {`);
    this.#inside(statement.yes, kept);
    if (statement.no !== null && kept.has(statement.no)) {
      this.#line("} else {");
      this.#inside(statement.no, kept);
    }
    this.#line("}");
  }

  #for(statement: Statement & { readonly kind: "for" }, kept: ReadonlySet<Statement>): void {
    const { first, test, step, body } = statement;
    if (this.#isKernel && !this.#isShort(test)) throw new Untranslatable("it loops over the data");
    let head = "";
    if (first?.kind === "declare") {
      for (const { name, type } of first.locals) this.#types.set(name, type);
      head = "let " +
        first.locals.map(({ name, type, value }) => `${rename(name)} = ${this.expressions.initializer(type, value!)}`).join(", ");
    } else if (first?.kind === "expression") head = this.expressions.write(first.value);
    const condition = test === null ? "" : ` ${this.expressions.write(test)}`;
    this.#line(`for (${head};${condition};${step === null ? "" : ` ${this.expressions.write(step)}`}) {`);
    this.#inside(body, kept);
    this.#line("}");
  }

  /** True for a loop over dimensions or sources, whose number is a constant. */
  #isShort(test: Node | null): boolean {
    if (test?.kind !== "binary") return false;
    const limit = evaluate(this.#all.parser, test.right);
    return typeof limit !== "string" && limit.kind === "int" && Number(limit.value) <= 16;
  }

  #switch({ value, body }: Statement & { readonly kind: "switch" }, kept: ReadonlySet<Statement>): void {
    if (body.kind !== "block") throw new Untranslatable("it switches without a block");
    this.#line(`switch (${this.expressions.write(value)}) {`);
    const indent = this.#indent;
    for (const child of body.body) {
      this.#indent = `${indent}  `;
      if (child.kind === "case") this.#line(child.value === null ? "default:" : `case ${this.expressions.write(child.value)}:`);
      else if (kept.has(child)) {
        this.#indent = `${indent}    `;
        this.#statement(child, kept);
      }
    }
    this.#indent = indent;
    this.#line("}");
  }
}

/** The names of functions that compute. */
const KERNEL = /^ggml_compute_forward_|__/;

/** What the runtime's own `newTensor` takes. */
const BY_HAND_PARAMETERS: readonly CType[] = [];

/** Functions that change nothing that a guard looks at. */
const SILENT: ReadonlySet<string> = new Set(["fprintf", "printf", "free"]);

function uncast(node: Node): Node {
  return node.kind === "cast" ? uncast(node.operand) : node;
}

function rename(name: string): string {
  return RESERVED.has(name) ? `${name}_` : name;
}

/** The condition and text of a statement that is an assertion; null where it is none. */
function assertionOf(statement: Statement): { condition: Node | null; text: string } | null {
  if (statement.kind === "if") {
    const { test, yes, no } = statement;
    const text = no === null && test.kind === "unary" && test.operator === K.NOT ? abortText(yes) : null;
    return text === null ? null : { condition: (test as Node & { kind: "unary" }).operand, text };
  }
  const text = abortText(statement);
  return text === null ? null : { condition: null, text };
}

/** What a call of `ggml_abort` says, null where the statement is none. */
function abortText(statement: Statement): string | null {
  if (statement.kind === "block") return statement.body.length === 1 ? abortText(statement.body[0]) : null;
  if (statement.kind !== "expression" || statement.value.kind !== "call" || calleeOf(statement.value) !== ABORT) return null;
  const [, , format, text] = statement.value.args;
  return textOf(text ?? format) ?? textOf(format) ?? "";
}

function textOf(node: Node | undefined): string | null {
  return node?.kind === "string" ? String.fromCharCode(...node.units) : null;
}

/** True if a statement may leave more than itself. */
function containsReturn(statement: Statement): boolean {
  if (statement.kind === "return" || statement.kind === "goto") return true;
  const isAround = statement.kind === "for" || statement.kind === "while" || statement.kind === "do" || statement.kind === "switch";
  if (!isAround && (statement.kind === "break" || statement.kind === "continue")) return true;
  return childrenOf(statement).some((child) => isAround ? leavesFunction(child) : containsReturn(child));
}

function leavesFunction(statement: Statement): boolean {
  return statement.kind === "return" || statement.kind === "goto" || childrenOf(statement).some(leavesFunction);
}

/** The variables that a statement and what is in it assign to, by any of their parts. */
function collectAssigned(statement: Statement, into: Set<string>, deep = true): void {
  const visit = (node: Node) => {
    const target = node.kind === "assign" ? node.left : node.kind === "postfix" ? node.operand : null;
    const root = target === null ? (isStep(node) ? rootOf(node.operand) : null) : rootOf(target);
    if (root !== null) into.add(root);
    if (node.kind === "call" && /^mem(cpy|set|move)$/.test(calleeOf(node))) {
      const written = rootOf(node.args[0]);
      if (written !== null) into.add(written);
    }
  };
  for (const expression of expressionsOf(statement)) walk(expression, visit);
  if (deep) { for (const child of childrenOf(statement)) collectAssigned(child, into); }
}

function isStep(node: Node): node is Node & { readonly kind: "unary" } {
  return node.kind === "unary" && (node.operator === K.INCREMENT || node.operator === K.DECREMENT);
}

/** True for a parameter that a guard can look into. */
export function isTensor(type: CType): boolean {
  return pointee(type) === "ggml_tensor";
}
