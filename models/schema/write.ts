/**
 * Writes the grammar of what a document's schemas mean.
 *
 * @module
 */

import { mostItems, writeArrays } from "./arrays.ts";
import { keyOf, type Node } from "./document.ts";
import { choice, type Expr, Grammar, rule, text } from "./gbnf.ts";
import type { Meaning } from "./meaning.ts";
import { writeNumbers } from "./numbers.ts";
import { defineSpace } from "./space.ts";
import { writeStrings } from "./strings.ts";
import { writeUnique } from "./unique.ts";
import type { Values } from "./values.ts";
import { writeObjects } from "./write_objects.ts";

/** The grammar of the values of a node, which has to have some, with its root rule's name. */
export function writeGrammar(root: Node, meaning: Meaning, rootName: string): Grammar {
  const grammar = new Grammar(), names = new Map<string, string>();
  const name = grammar.reserve(rootName);
  names.set(keyOf(root), name);
  grammar.define(name, writeValues(root));
  defineSpace(grammar);
  return grammar;

  /** Arrays and objects are rules of their own, since they may hold themselves; other values are written where they stand. */
  function write(node: Node): Expr {
    const key = keyOf(node), known = names.get(key), values = meaning.written(node);
    if (known !== undefined) return rule(known);
    if (values.every(({ kind }) => kind !== "array" && kind !== "object")) return writeValues(node);
    const name = grammar.reserve(node.length === 0 ? "value" : readable(node[0].pointer));
    names.set(key, name);
    grammar.define(name, writeValues(node));
    return rule(name);
  }

  function writeValues(node: Node): Expr {
    return choice(...meaning.written(node).filter((values) => meaning.canWrite(values)).map(writeOne));
  }

  function writeOne(values: Values): Expr {
    switch (values.kind) {
      case "literal":
        return text(JSON.stringify(values.value));
      case "null":
        return text("null");
      case "boolean":
        return grammar.shared("boolean", () => choice(text("true"), text("false")));
      case "number":
        return writeNumbers(values, grammar);
      case "string":
        return writeStrings(values, grammar);
      case "array":
        if (values.unique && mostItems(values, meaning.hasValues) > 1) return writeUnique(values, meaning.written(values.rest), grammar);
        return writeArrays(values, meaning.hasValues, write);
      case "object":
        return writeObjects(values, grammar, meaning.hasValues, write);
    }
  }
}

/** A rule's name out of the place of its schema. */
function readable(pointer: string): string {
  return decodeURIComponent(pointer).replaceAll(/\/(properties|\$defs|definitions)(?=\/)/g, "");
}
