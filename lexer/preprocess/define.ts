/**
 * `#define` and `#undef`, C17 6.10.3.
 *
 * @module
 */

import * as K from "../tokens/kinds.ts";
import type { Identifier, Token } from "../tokens/tokenize.ts";
import { closing, Macro, VA_OPT } from "./macro.ts";
import { extra, macroName } from "./operand.ts";
import type { Frame, Preprocessor } from "./preprocess.ts";

/** A macro's parameters. */
interface ParameterList {
  readonly parameters: readonly Identifier[];
  readonly variadic: boolean;
}

/** Defines a macro. */
export function define(pp: Preprocessor, frame: Frame): void {
  const token = macroName(pp, frame, "define");
  if (token === null) return;
  const name = token.id!, { tokenizer } = frame;
  let next = tokenizer.next(), list: ParameterList | null = null;
  if (next.kind === K.LPAREN && next.flags === 0) { // no space before it
    list = parameterList(pp, frame, name);
    if (list === null) return;
    next = tokenizer.next();
  }
  const body: Token[] = [];
  for (; next.kind !== K.EOL; next = tokenizer.next()) body.push(next);
  const slots = list === null ? null : slotsOf(body, list), variadic = list !== null && list.variadic;
  const wrong = wrongIn(body, slots, variadic);
  if (wrong !== null) return pp.error(wrong.at, wrong.message);
  const operators = body.some(({ kind }) => kind === K.HASHHASH);
  const macro = new Macro(name, list === null ? null : list.parameters, variadic, body, token.position, slots, operators);
  warnOfOther(pp, frame, token, macro);
  name.macro = macro;
  if (!frame.file.system) pp.macros.push(macro);
}

/** The parameters up to the parenthesis that closes them; null, and an error, where something else stands there. */
function parameterList(pp: Preprocessor, frame: Frame, name: Identifier): ParameterList | null {
  const tokenizer = frame.tokenizer;
  const parameters: Identifier[] = [];
  let token = tokenizer.next();
  if (token.kind === K.RPAREN) return { parameters, variadic: false };
  for (;;) {
    if (token.kind === K.ELLIPSIS) {
      parameters.push(pp.names.intern("__VA_ARGS__"));
      token = tokenizer.next();
      if (token.kind === K.RPAREN) return { parameters, variadic: true };
      break;
    }
    if (token.id === null) {
      pp.error(
        token,
        token.kind === K.EOL ? `missing ')' in the parameter list of "${name.text}"` : `expected a parameter name, got "${token.text}"`,
      );
      return null;
    }
    if (token.text === "__VA_ARGS__") {
      pp.error(token, "__VA_ARGS__ can only appear in the expansion of a C99 variadic macro");
      return null;
    }
    if (parameters.includes(token.id)) {
      pp.error(token, `duplicate macro parameter "${token.text}"`);
      return null;
    }
    parameters.push(token.id);
    token = tokenizer.next();
    if (token.kind === K.RPAREN) return { parameters, variadic: false };
    if (token.kind === K.ELLIPSIS) { // GNU: name...
      token = tokenizer.next();
      if (token.kind === K.RPAREN) return { parameters, variadic: true };
      break;
    }
    if (token.kind !== K.COMMA) break;
    token = tokenizer.next();
  }
  pp.error(token, `expected ',' or ')' in the parameter list of "${name.text}"`);
  return null;
}

/** The parameter that each token of a body is, by its index. */
function slotsOf(body: readonly Token[], { parameters, variadic }: ParameterList): Int16Array {
  for (let i = 0; i < parameters.length; i++) parameters[i].parameter = i;
  const slots = new Int16Array(body.length);
  for (let i = 0; i < body.length; i++) {
    const id = body[i].id;
    slots[i] = id === null ? -1 : id.parameter >= 0 ? id.parameter : variadic && id.text === "__VA_OPT__" ? VA_OPT : -1;
  }
  for (const id of parameters) id.parameter = -1;
  return slots;
}

/** What is wrong with a body's operators; null if nothing is. */
function wrongIn(body: readonly Token[], slots: Int16Array | null, variadic: boolean): { at: Token; message: string } | null {
  for (let i = 0; i < body.length; i++) {
    const at = body[i];
    if (at.kind === K.HASHHASH) {
      if (i === 0 || i === body.length - 1) return { at, message: "'##' cannot appear at either end of a macro expansion" };
    } else if (at.kind === K.HASH && slots !== null && !(i + 1 < body.length && slots[i + 1] !== -1)) {
      return { at, message: "'#' is not followed by a macro parameter" };
    } else if (at.id !== null && at.text === "__VA_OPT__" && variadic && !(i + 1 < body.length && body[i + 1].kind === K.LPAREN)) {
      return { at, message: "__VA_OPT__ must be followed by an open parenthesis" };
    }
  }
  const at = nestedOptional(body, slots);
  return at === null ? null : { at, message: "__VA_OPT__ may not appear in a __VA_OPT__" }; // C23 6.10.5.2p2
}

/** A `__VA_OPT__` within the parentheses of another. */
function nestedOptional(body: readonly Token[], slots: Int16Array | null): Token | null {
  if (slots === null) return null;
  let end = -1;
  for (let i = 0; i < body.length; i++) {
    if (slots[i] !== VA_OPT) continue;
    if (i < end) return body[i];
    end = closing(body, i + 1, body.length);
  }
  return null;
}

/** Warns where the name stands for something else already. */
function warnOfOther(pp: Preprocessor, frame: Frame, token: Token, macro: Macro): void {
  const old = token.id!.macro;
  if (old === null || old.same(macro)) return;
  if (old.builtIn !== null) pp.diagnostics.warning(token, `redefining builtin macro "${token.text}"`);
  else if (!frame.file.system) {
    pp.diagnostics.warning(token, `"${token.text}" redefined`, [{ at: old.position, message: "this is the previous definition" }]);
  }
}

/** Has a name stand for itself again. */
export function undef(pp: Preprocessor, frame: Frame, directive: Token): void {
  const token = macroName(pp, frame, "undef");
  if (token === null) return;
  if (token.id!.macro?.builtIn) pp.diagnostics.warning(token, `undefining "${token.text}"`);
  token.id!.macro = null;
  extra(pp, frame, directive);
}
