/**
 * What the pragmas of an API file add to the functions of a generated module: null is refused where C takes none, memory is as long as C says, and
 * what C keeps a pointer to stays alive. A module without an API file takes null everywhere and asks for no length.
 *
 * The rest of the verbs is for bindings that know when things are freed, made anew or moved, as ggml's do. Of these it is said that they do nothing here.
 *
 * @module
 */

import type { BoundFunction } from "../api/api.ts";
import { isPointer } from "../api/crossing.ts";
import { list, type Printer } from "../print.ts";
import type { Pragma, Skipped } from "../../model/model.ts";

/** The verbs that are honoured here. Enums are plain numbers in these modules, so what is said of those asks for nothing. */
const HONOURED: ReadonlySet<string> = new Set(["nullable", "length", "keeps", "reads", "borrows", "lasts", "flags", "count"]);

/** Pragmas that a generated module can't honour. */
export function unhonoured(pragmas: readonly Pragma[]): Skipped[] {
  return pragmas.flatMap((pragma) => {
    const verb = /^\w+/.exec(pragma.text)?.[0] ?? "", known = `generated modules honour ${[...HONOURED].join(", ")}`;
    return HONOURED.has(verb) ? [] : [{ ...pragma, name: `#pragma ${pragma.text}`, reason: known }];
  });
}

/** Writes the refusals of null, before the arguments are converted. */
export function refuseNulls({ declaration, parameters }: BoundFunction, printer: Printer): void {
  for (const { crossing, name, nullable, nullableItems } of parameters) {
    const where = `"${declaration.name}(${name})"`;
    if (!isPointer(crossing)) continue;
    if (!nullable) printer.line(`  $notNull(${name}, ${where});`);
    if (crossing.kind === "pointers" && crossing.item !== null && !nullableItems) printer.line(`  $noNulls(${name}, ${where});`);
  }
}

/** Writes the checks of lengths, after the arguments were converted. */
export function checkLengths({ declaration, parameters, lengths }: BoundFunction, printer: Printer): void {
  for (const { parameter, count, width, what, why } of lengths) {
    const { name } = parameters[parameter];
    const own = count.replaceAll(/\bfunctions\.(\w+)\(/g, "$1("); // the module's functions are its exports
    const args = [name, own, String(width), `"${what}"`, JSON.stringify(why), `"${declaration.name}(${name})"`];
    printer.line(list("  $atLeast(", args, ");"));
  }
}

/** Writes what C keeps a pointer to. What it returns is made of its handles, and keeps them already. */
export function keepWhatCKeeps({ declaration, parameters, annotation }: BoundFunction, printer: Printer): void {
  for (const [holder, kept] of annotation.keeps) {
    const find = (name: string) =>
      parameters[declaration.type.parameters.findIndex((parameter, i) => (parameter.name ?? String(i)) === name)];
    const from = find(holder), to = find(kept);
    if (from?.crossing.kind === "handle" && to !== undefined) printer.line(`  $keepIn(${from.name}, ${to.name});`);
  }
}
