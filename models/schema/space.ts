/**
 * The space between the parts of a JSON text.
 *
 * @module
 */

import { type Expr, type Grammar, rule, sequence, text, times } from "./gbnf.ts";

/** Some space, or none: a bounded amount, since a model that has nothing to say would write space for ever. */
export const SPACE: Expr = rule("space");

/** Between two items or properties. */
export const COMMA: Expr = sequence(text(","), SPACE);

/** Between a name and its value. */
export const COLON: Expr = sequence(text(":"), SPACE);

/** Defines what {@linkcode SPACE} stands for. */
export function defineSpace(grammar: Grammar): void {
  grammar.shared(SPACE.kind === "rule" ? SPACE.name : "", () => sequence(times(text("\n"), 0, 1), times(text(" "), 0, 16)));
}
