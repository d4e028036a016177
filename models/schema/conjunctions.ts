/**
 * Takes `$ref`, `allOf`, `anyOf`, `oneOf`, `if`, and the `not` of objects out of a schema: what is left is a choice of lists of schemas without them, each list to hold
 * as a whole.
 *
 * @module
 */

import { below, type Keywords, type Node, type Place, placeAt, type SchemaDocument } from "./document.ts";
import { SchemaError } from "./error.ts";
import { checkKeywords, listOf } from "./keywords.ts";
import { casesAgainst, leftOutBy } from "./opposites.ts";

/** One schema of a conjunction: only its own keywords count. */
export interface Part {
  readonly schema: Keywords;
  readonly pointer: string;
}

/** Schemas that all have to hold. */
export interface Conjunction {
  readonly parts: readonly Part[];
  /** Which case of each `oneOf` was taken, by the pointer of the `oneOf`. */
  readonly cases: ReadonlyMap<string, number>;
}

/** So many cases a value may have: a schema with more has several `anyOf` that multiply. */
const MOST = 2000;

/** A schema that still has to be looked into, and the schemas which it is a part of. */
interface Pending {
  readonly place: Place;
  readonly within: readonly string[];
}

/** The cases of some schemas that have to hold together. */
export function conjunctionsOf(node: Node, document: SchemaDocument): Conjunction[] {
  const found: Conjunction[] = [];
  expand(node.map((place) => ({ place, within: [] })), { parts: [], cases: new Map() });
  return found;

  function expand(pending: readonly Pending[], so_far: Conjunction): void {
    if (pending.length === 0) {
      if (found.push(so_far) > MOST) throw new SchemaError(`anyOf and oneOf make more than ${MOST} cases here`, node[0].pointer);
      return;
    }
    const [{ place: { schema, pointer }, within }, ...others] = pending;
    if (schema === false) return;
    if (within.includes(pointer)) {
      throw new SchemaError("the schema is a part of itself, without a property or an item between", pointer);
    }
    if (schema === true || so_far.parts.some((part) => part.pointer === pointer)) return expand(others, so_far);
    checkKeywords(schema, pointer);
    const inside = (place: Place): Pending => ({ place, within: [...within, pointer] });
    const all = [...others, ...alwaysPartsOf(schema, pointer).map(inside)];
    expandCases(schema, pointer, inside, all, { ...so_far, parts: [...so_far.parts, { schema, pointer }] });
  }

  function alwaysPartsOf(schema: Keywords, pointer: string): Place[] {
    const parts = casesOf(schema, "allOf", pointer);
    return schema.$ref === undefined ? parts : [document.resolve(schema.$ref, pointer), ...parts];
  }

  function expandCases(schema: Keywords, pointer: string, inside: (place: Place) => Pending, all: Pending[], so_far: Conjunction): void {
    const one = casesOf(schema, "oneOf", pointer);
    for (const cases of combined(choicesOf(schema, pointer))) {
      const withAny = [...all, ...cases.map(inside)];
      if (one.length === 0) expand(withAny, so_far);
      one.forEach((oneCase, i) =>
        expand([...withAny, inside(oneCase)], { ...so_far, cases: new Map([...so_far.cases, [below(pointer, "oneOf"), i]]) })
      );
    }
  }
}

/** The choices that have to be made of one schema: of each one case, which is schemas that hold together. */
function choicesOf(schema: Keywords, pointer: string): Node[][] {
  const any = casesOf(schema, "anyOf", pointer), choices: Node[][] = any.length > 0 ? [any.map((place) => [place])] : [];
  if (schema.not !== undefined && leftOutBy({ schema, pointer }).length === 0) {
    choices.push(casesAgainst(placeAt(schema.not, below(pointer, "not"))));
  }
  if (schema.if === undefined || schema.then === undefined && schema.else === undefined) return choices;
  const condition = placeAt(schema.if, below(pointer, "if"));
  const [yes, no] = ["then", "else"].map((keyword) => placeAt(schema[keyword] ?? true, below(pointer, keyword)));
  return [...choices, [[condition, yes], ...casesAgainst(condition).map((against) => [...against, no])]];
}

/** Each way to choose a case of each. */
function combined(choices: readonly Node[][]): Node[] {
  return choices.reduce<Node[]>((ways, cases) => ways.flatMap((way) => cases.map((one) => [...way, ...one])), [[]]);
}

function casesOf(schema: Keywords, keyword: string, pointer: string): Place[] {
  return listOf(schema, keyword, pointer).map((inner, i) => placeAt(inner, below(pointer, keyword, i)));
}
