/**
 * What may stand behind a directive's name: the name of a macro, and nothing more.
 *
 * @module
 */

import * as K from "../tokens/kinds.ts";
import type { Token } from "../tokens/tokenize.ts";
import type { Frame, Preprocessor } from "./preprocess.ts";

/** The macro's name; null, and an error, where there is none. `what` is the directive. */
export function macroName(pp: Preprocessor, frame: Frame, what: string): Token | null {
  const token = frame.tokenizer.next();
  if (token.id === null) {
    pp.error(token, token.kind === K.EOL ? `no macro name given in #${what} directive` : "macro names must be identifiers");
    return null;
  }
  if (token.text === "defined" || (token.text === "__VA_OPT__" && what !== "ifdef" && what !== "ifndef")) {
    pp.error(token, `"${token.text}" cannot be used as a macro name`);
    return null;
  }
  return token;
}

/** Warns of tokens behind a directive that takes no more. */
export function extra(pp: Preprocessor, frame: Frame, directive: Token): void {
  const token = frame.tokenizer.next();
  if (token.kind !== K.EOL && !frame.file.system) pp.diagnostics.warning(token, `extra tokens at end of #${directive.text} directive`);
}
