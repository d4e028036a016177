/**
 * Slicing: which statements of a function decide whether it aborts (M. Weiser, "Program slicing", 1981).
 *
 * A statement matters if it can abort, or makes an object in a context's memory, or computes something that such a one reads, or jumps. The
 * rest (names, parameters of the operation, what its sources are) a guard does without. It errs on the side of keeping: names stand for
 * themselves in every block, and a write to a field matters wherever that field is read.
 *
 * @module
 */

import type { InitializerList, Node } from "../expression.ts";
import type { FunctionBody, Statement } from "../statement.ts";
import * as K from "../kinds.ts";

/** What the slicer is told of the functions that a body calls. */
export interface Callees {
  /** True for one whose call may end the process. */
  mayFail(name: string): boolean;
  /** True for a field of tensors that a guard may look at. */
  isRead(field: string): boolean;
}

/** Calls `visit` with every expression inside another, itself first. */
export function walk(node: Node | InitializerList, visit: (node: Node) => void): void {
  if ("items" in node) {
    for (const { value } of node.items) walk(value, visit);
    return;
  }
  visit(node);
  switch (node.kind) {
    case "unary":
    case "cast":
    case "postfix":
      return walk(node.operand, visit);
    case "binary":
    case "assign":
      walk(node.left, visit);
      return walk(node.right, visit);
    case "conditional":
      walk(node.test, visit);
      if (node.yes !== null) walk(node.yes, visit);
      return walk(node.no, visit);
    case "member":
      return walk(node.object, visit);
    case "index":
      walk(node.object, visit);
      return walk(node.index, visit);
    case "call":
      for (const argument of node.args) walk(argument, visit);
      return;
    case "object":
      if (node.list !== null) walk(node.list, visit);
  }
}

/** The expressions that stand directly in a statement. */
export function expressionsOf(statement: Statement): (Node | InitializerList)[] {
  switch (statement.kind) {
    case "declare":
      return statement.locals.flatMap(({ value }) => value === null ? [] : [value]);
    case "expression":
    case "switch":
      return [statement.value];
    case "if":
    case "while":
    case "do":
      return [statement.test];
    case "for":
      return [statement.test, statement.step].filter((node) => node !== null);
    case "return":
    case "case":
      return statement.value === null ? [] : [statement.value];
    default:
      return [];
  }
}

/** The statements directly inside another. */
export function childrenOf(statement: Statement): readonly Statement[] {
  switch (statement.kind) {
    case "block":
      return statement.body;
    case "if":
      return statement.no === null ? [statement.yes] : [statement.yes, statement.no];
    case "for":
      return statement.first === null ? [statement.body] : [statement.first, statement.body];
    case "while":
    case "do":
    case "switch":
      return [statement.body];
    default:
      return [];
  }
}

/** The name of the function that a call calls, "" for one through a pointer. */
export function calleeOf(node: Node & { readonly kind: "call" }): string {
  return node.callee.kind === "name" ? node.callee.at.text : "";
}

/** The variable that an lvalue is or is part of, null where it is none. */
export function rootOf(node: Node): string | null {
  switch (node.kind) {
    case "name":
      return node.at.text;
    case "member":
    case "index":
      return rootOf(node.object);
    case "unary":
    case "cast":
      return rootOf(node.operand);
    case "binary": // array + offset
      return rootOf(node.left);
    default:
      return null;
  }
}

/** The field that an lvalue is or is an element of, null where it is none. */
function fieldOf(node: Node): string | null {
  switch (node.kind) {
    case "member":
      return node.name;
    case "index":
      return fieldOf(node.object);
    case "cast":
    case "unary":
      return fieldOf(node.operand);
    case "binary":
      return fieldOf(node.left);
    default:
      return null;
  }
}

/** The statements of `body` that matter. */
export function slice({ body }: FunctionBody, callees: Callees): ReadonlySet<Statement> {
  const kept = new Set<Statement>();
  const read = new Set<string>();
  let changed = true;
  const need = (node: Node | InitializerList): void =>
    walk(node, (inner) => {
      if (inner.kind !== "name" || read.has(inner.at.text)) return;
      read.add(inner.at.text);
      changed = true;
    });
  const keep = (statement: Statement): void => {
    if (kept.has(statement)) return;
    kept.add(statement);
    changed = true;
    expressionsOf(statement).forEach(need);
  };
  // A jump matters where what it jumps out of does.
  const visit = (statement: Statement, jumps: boolean): boolean => {
    const jumpsInside = isLoop(statement) || statement.kind === "switch" ? kept.has(statement) : jumps;
    let inside = false;
    for (const child of childrenOf(statement)) inside = visit(child, jumpsInside) || inside;
    if (inside || (isJump(statement) && jumps) || matters(statement, read, callees)) keep(statement);
    if (kept.has(statement) && statement.kind === "for" && statement.first !== null) keep(statement.first);
    return kept.has(statement);
  };
  while (changed) {
    changed = false;
    visit(body, false);
  }
  return kept;
}

function isLoop({ kind }: Statement): boolean {
  return kind === "for" || kind === "while" || kind === "do";
}

function isJump({ kind }: Statement): boolean {
  return kind === "break" || kind === "continue" || kind === "case";
}

function matters(statement: Statement, read: ReadonlySet<string>, callees: Callees): boolean {
  switch (statement.kind) {
    case "return":
    case "goto":
    case "label":
    case "unread":
      return true;
    case "declare":
      if (statement.locals.some(({ name }) => read.has(name))) return true;
      break;
  }
  return expressionsOf(statement).some((expression) => {
    let found = false;
    walk(expression, (node) => found ||= decides(node, read, callees));
    return found;
  });
}

function decides(node: Node, read: ReadonlySet<string>, callees: Callees): boolean {
  switch (node.kind) {
    case "call": {
      const name = calleeOf(node);
      if (callees.mayFail(name)) return true;
      // memcpy(x, …) and its like set what their first argument points to.
      return /^mem(cpy|set|move)$/.test(name) && writes(node.args[0], read, callees);
    }
    case "assign":
      return writes(node.left, read, callees);
    case "postfix":
      return writes(node.operand, read, callees);
    case "unary":
      return (node.operator === K.INCREMENT || node.operator === K.DECREMENT) && writes(node.operand, read, callees);
    default:
      return false;
  }
}

function writes(target: Node, read: ReadonlySet<string>, callees: Callees): boolean {
  const field = fieldOf(target);
  if (field !== null) return callees.isRead(field);
  const root = rootOf(target);
  return root === null || read.has(root);
}
