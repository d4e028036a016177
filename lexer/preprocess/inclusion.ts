/**
 * `#include`, C17 6.10.2.
 *
 * @module
 */

import type { Found } from "../text/search.ts";
import { nearest } from "../text/suggest.ts";
import * as K from "../tokens/kinds.ts";
import { Token } from "../tokens/tokenize.ts";
import type { Frame, Preprocessor } from "./preprocess.ts";

/** How deep `#include` may nest, as in gcc. */
const MAX_INCLUDE_DEPTH = 200;

/** Enters a file, unless it is there already and was to be read once. */
export function include(pp: Preprocessor, frame: Frame, directive: Token): void {
  const name = headerName(pp, frame, directive, K.EOL);
  if (name === null) return;
  const wanted = name.text.slice(1, -1);
  if (wanted === "") {
    pp.error(name, `empty filename in #${directive.text}`);
    return;
  }
  const found = find(pp, frame, name, directive.text === "include_next");
  if (found === null) {
    const near = nearest(wanted, pp.search.known(wanted, frame.file.path));
    const looked = pp.search.paths;
    pp.error(
      name,
      `'${wanted}' file not found${near === null ? "" : `; did you mean '${near}'?`} (looked ${
        name.text.startsWith('"') ? "beside the including file" + (looked.length > 0 ? ", " : "") : looked.length > 0 ? "in " : "nowhere"
      }${looked.join(", ")})${pp.search.failure(wanted)}`,
    );
    return;
  }
  const { file } = found;
  if (directive.text === "import") file.once = true;
  if (file.once && file.included) return;
  if (file.guard !== null && file.guard.macro !== null) return;
  if (pp.frames.length > MAX_INCLUDE_DEPTH) {
    pp.halt(name, `#include nested deeper than ${MAX_INCLUDE_DEPTH} levels`);
  }
  file.included = true;
  pp.enter(pp.sources.enter(file.path, wanted, file.content, name.position, found.system, false, found.folder), file);
}

/** A header name, direct or made by macros, with its quotes or angles. `end` closes it in `__has_include`. */
export function headerName(pp: Preprocessor, frame: Frame, directive: Token, end: number): Token | null {
  const direct = pp.buffered ? null : frame.tokenizer.headerName();
  if (direct !== null) return direct;
  const first = pp.next();
  if (first.kind === K.STRING && first.text.startsWith('"')) return first;
  if (first.kind === K.LESS) {
    let text = "<";
    for (;;) {
      const token = pp.next();
      if (token.kind === K.EOL || token.kind === K.EOF) {
        pp.error(directive, "missing terminating > character");
        pp.unread(token);
        return null;
      }
      if (token.kind === K.GREATER) break;
      text += (token.flags !== 0 && text.length > 1 ? " " : "") + token.text;
    }
    return new Token(K.STRING, text + ">", null, 0, first.position, null, first.expansion);
  }
  if (first.kind === K.EOL || first.kind === end) pp.unread(first);
  pp.error(first.kind === K.EOL ? directive : first, `#${directive.text.replace("__has_", "")} expects "FILENAME" or <FILENAME>`);
  return null;
}

/** The file of a header name; null if there is none. `next`: behind the folder of the file that asks. */
export function find(pp: Preprocessor, frame: Frame, name: Token, next: boolean): Found | null {
  return pp.search.find(name.text.slice(1, -1), name.text.startsWith('"'), frame.file, next && !frame.file.main);
}
