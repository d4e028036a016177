/**
 * Predicates that say which of their conditions is false: `ggml_can_mul_mat` knows more than that it is.
 *
 * @module
 */

import type { Node } from "../expression.ts";
import * as K from "../kinds.ts";
import type { FunctionBody } from "../statement.ts";
import { type Expressions, Untranslatable } from "./expressions.ts";

/** The lines of a function that gives the first false condition as text; none where the predicate is no conjunction. */
export function explain({ name, type, body }: FunctionBody, expressions: Expressions): string[] {
  const [only] = body.body;
  if (body.body.length !== 1 || only.kind !== "return" || only.value === null) return [];
  const conditions = conjuncts(only.value);
  if (conditions.length < 2) return [];
  try {
    const checks = conditions.map((condition) => `  if (!(${expressions.write(condition)})) return ${describe(condition, expressions)};`);
    return [`function ${name}$why(${type.parameters.map((parameter) => parameter.name).join(", ")}) {`, ...checks, `  return "";`, "}"];
  } catch (error) {
    if (error instanceof Untranslatable) return [];
    throw error;
  }
}

/** The conditions that `&&` joins. */
function conjuncts(node: Node): Node[] {
  return node.kind === "binary" && node.operator === K.ANDAND ? [...conjuncts(node.left), ...conjuncts(node.right)] : [node];
}

/** A template that says what is wrong: `ne[0] differ: 64 and 65`. */
function describe(node: Node, expressions: Expressions): string {
  if (node.kind === "binary" && node.operator === K.EQ) {
    const { left, right } = node;
    const a = part(left), b = part(right);
    if (a !== null && a === b) return `\`${a} differ: \${${expressions.write(left)}} and \${${expressions.write(right)}}\``;
    if (left.kind === "binary" && left.operator === K.PERCENT) {
      return `\`${part(left.left) ?? "a size"} is no multiple: \${${expressions.write(left.left)}} and \${${
        expressions.write(left.right)
      }}\``;
    }
  }
  return `""`;
}

/** The part of a tensor that an expression reads: `ne[0]`. */
function part(node: Node): string | null {
  if (node.kind === "member") return node.name;
  if (node.kind !== "index" || node.index.kind !== "int") return null;
  const object = part(node.object);
  return object === null ? null : `${object}[${node.index.value}]`;
}
