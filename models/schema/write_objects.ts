/**
 * The grammar of objects: the properties in the order of the schema, those that aren't required may be missing, others come last.
 *
 * @module
 */

import { anyString, plain } from "./characters.ts";
import type { Node } from "./document.ts";
import { SchemaError } from "./error.ts";
import { choice, type Expr, type Grammar, rule, sequence, text, times } from "./gbnf.ts";
import { writePattern } from "./pattern.ts";
import { COLON, COMMA, SPACE } from "./space.ts";
import type { Objects } from "./values.ts";

/** So many properties are written in one rule. */
const INLINE = 10;

/** The grammar of objects of which there are some. */
export function writeObjects(objects: Objects, grammar: Grammar, hasValues: (node: Node) => boolean, write: (node: Node) => Expr): Expr {
  const members = [...objects.properties].filter(([, node]) => hasValues(node));
  const { required, pointer } = objects, entry = otherEntry(), known = new Map<string, Expr | null>();
  const counts = objects.min > required.size || objects.max < members.length || entry !== null && objects.max < Infinity;
  const min = counts ? objects.min : 0, max = counts ? objects.max : Infinity;
  /** How far it matters how many properties were written; without counts, only whether a comma is needed. */
  const most = max < Infinity ? max : Math.max(1, min);
  return sequence(text("{"), SPACE, from(0, 0) ?? text(""), SPACE, text("}"));

  /** What may follow when `written` properties are there and the next is the one of that index; null if nothing that is right. */
  function from(index: number, written: number): Expr | null {
    if (index === members.length) return others(written);
    const [name, node] = members[index];
    if (required.has(name)) return withMember(index, written);
    if (written > 0 && !counts) return sequence(times(sequence(COMMA, member(name, node)), 0, 1), rest(index + 1));
    return shared(`${index} ${written}`, () => {
      const options = [withMember(index, written), from(index + 1, written)].filter((option) => option !== null);
      return options.length === 0 ? null : choice(...options);
    });
  }

  /** Any of the properties from an index on, where others were written: all in one rule, unless they are many, which many rules would repeat. */
  function rest(index: number): Expr {
    return members.length <= INLINE ? from(index, 1)! : shared(`${index} 1`, () => from(index, 1))!;
  }

  function withMember(index: number, written: number): Expr | null {
    if (written >= max) return null;
    const [name, node] = members[index], after = Math.min(written + 1, most);
    const rest = required.has(name) ? from(index + 1, after) : shared(`${index + 1} ${after}`, () => from(index + 1, after));
    return rest === null ? null : sequence(written > 0 ? COMMA : text(""), member(name, node), rest);
  }

  /** A rule for what is wanted from several places. */
  function shared(key: string, make: () => Expr | null): Expr | null {
    const before = known.get(key);
    if (before !== undefined) return before;
    const made = make();
    if (made === null || made.kind === "rule" || made.kind === "text") {
      known.set(key, made);
      return made;
    }
    const name = grammar.reserve(`${pointer}-rest`);
    grammar.define(name, made);
    known.set(key, rule(name));
    return rule(name);
  }

  function member(name: string, node: Node): Expr {
    return sequence(text(JSON.stringify(name)), COLON, write(node));
  }

  /** Properties that have no name in the schema. */
  function others(written: number): Expr | null {
    const least = Math.max(0, min - written), free = max - written;
    if (entry === null || free === 0) return least > 0 ? null : text("");
    if (least > 1 || least === 1 && written > 0 && objects.others !== "none" && members.length === 0) {
      throw new SchemaError("a grammar can't count properties without names, which could be the same twice: name them", pointer);
    }
    if (written > 0) return times(sequence(COMMA, entry), least, free);
    const some = sequence(entry, times(sequence(COMMA, entry), 0, free - 1));
    return least === 0 ? times(some, 0, 1) : some;
  }

  /** The name and value of such a property, or null if there is none. */
  function otherEntry(): Expr | null {
    const { others, othersNode, properties } = objects;
    if (others === "none" || !hasValues(othersNode)) return null;
    if (others === "any") return sequence(otherName([...properties.keys()]), COLON, write(othersNode));
    const fits = new RegExp(others.source, "u");
    if ([...properties.keys()].some((name) => fits.test(name))) return null;
    return sequence(text('"'), writePattern(others, { min: 0, max: Infinity }, grammar), text('"'), COLON, write(othersNode));
  }

  function otherName(names: readonly string[]): Expr {
    if (names.length === 0) return anyString(grammar);
    const name = grammar.reserve(`${pointer}-other-name`);
    grammar.define(name, sequence(text('"'), nameBut(names.filter((name) => JSON.stringify(name) === `"${name}"`))));
    return rule(name);
  }
}

/** The rest of a name that is none of those, with the quotation mark behind it. */
function nameBut(names: readonly string[]): Expr {
  const heads = [...new Set(names.flatMap((name) => [...name].slice(0, 1)))];
  const different = sequence(plain(heads.join("")), times(plain(""), 0), text('"'));
  const same = heads.map((head) =>
    sequence(text(head), nameBut(names.filter((name) => name.startsWith(head)).map((name) => name.slice(head.length))))
  );
  return choice(different, ...same, ...names.includes("") ? [] : [text('"')]);
}
