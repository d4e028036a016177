/**
 * Writes what comes before a call: the checks of a function's arguments, and their conversions.
 *
 * @module
 */

import { resolve } from "../../model/types.ts";
import type { Api, BoundFunction, BoundParameter } from "../api/api.ts";
import { LINE_WIDTH, list, type Printer } from "../print.ts";
import { toC, type Uses } from "../typescript.ts";
import { isFreed } from "./lifetimes.ts";
import { elementsOf } from "./structs.ts";

/**
 * Checks a function's arguments, and gives the expressions for what C is called with.
 *
 * @param brief Whether handles are checked by a function of the runtime, and not where they are used.
 */
export function emitArguments(bound: BoundFunction, api: Api, uses: Uses, printer: Printer, brief: boolean): string[] {
  const { declaration, parameters } = bound;
  let strings = 0;
  const arrays = arraysOf(bound, elementsOf(api));
  parameters.forEach((parameter, i) => takeArray(bound, parameter, arrays.has(i), uses, printer));
  const args = parameters.map((parameter, i) => {
    const where = `"${declaration.name}(${parameter.name})"`;
    if (isFreed(bound, parameter, uses)) return checkFreed(parameter, where, uses, printer);
    if (parameter.crossing.kind === "handle" || parameter.crossing.kind === "callback") {
      // What is freed by way of something that can't be used any more is freed all the same.
      const flag = bound.annotation.frees.length > 0 ? "gone" : "freed";
      if (brief && flag === "freed" && bound.annotation.clears.size === 0 && !(uses.isModule && arrays.has(i))) {
        return emitConversion(i, toC(parameter, parameter.name, where, 0, uses), printer);
      }
      return checkHandle(parameter, parameter.crossing.name, flag, where, uses, printer);
    }
    const slot = parameter.crossing.kind === "string" ? strings++ : 0;
    return emitConversion(i, toC(parameter, parameter.name, where, slot, uses), printer);
  });
  emitLengths(bound, uses, printer);
  emitCheck(bound, uses, printer);
  return args;
}

/**
 * Takes what is in an array of JavaScript's, before anything is looked at: its getters are the caller's code, which may free what the other arguments
 * are, or make the array longer.
 *
 * @param areStructs Whether it is one of structs.
 */
function takeArray({ declaration }: BoundFunction, { name, crossing }: BoundParameter, areStructs: boolean, uses: Uses, printer: Printer) {
  const taken = areStructs && crossing.kind === "handle"
    ? `${uses.$("structs")}(${name}, ${uses.own(crossing.name)}, "${declaration.name}(${name})")`
    : crossing.kind === "pointers" && crossing.item !== null
    ? `[...${name}]`
    : null;
  if (taken !== null) printer.line(`    if (Array.isArray(${name})) ${name} = ${taken};`);
}

/** Converts an argument, by its number. Gives the expression for it. */
function emitConversion(i: number, [conversion, ...args]: readonly string[], printer: Printer): string {
  printer.line(list(`    const $${i} = ${conversion}(`, args, ");"));
  return `$${i}`;
}

/** Checks that memory is as long as C takes it to be. */
function emitLengths({ declaration, parameters, lengths }: BoundFunction, uses: Uses, printer: Printer): void {
  for (const { parameter, count, why, what, width } of lengths) {
    const { name } = parameters[parameter];
    const own = uses.isModule ? count.replaceAll(/\bfunctions\.(\w+)\(/g, "$1(") : count;
    const args = [name, own, String(width), JSON.stringify(what), JSON.stringify(why), `"${declaration.name}(${name})"`];
    printer.line(list(`    ${uses.$("atLeast")}(`, args, ");"));
  }
}

/** Looks at what C doesn't check; the arguments have the right types by now. */
function emitCheck({ checked, declaration: { name }, parameters }: BoundFunction, uses: Uses, printer: Printer): void {
  if (!checked) return;
  printer.line(list(`    ${uses.$("checks")}.${name}(`, ["functions", ...parameters.map((parameter) => parameter.name)], ");"));
}

const NONE: ReadonlySet<number> = new Set();

/** The parameters, by index, that point to structs that C reads, and of which it is told how many there are. */
export function arraysOf({ parameters, lengths, declaration }: BoundFunction, elements: ReadonlySet<string>): ReadonlySet<number> {
  if (lengths.length === 0) return NONE;
  return new Set(lengths.flatMap(({ parameter }) => {
    const { crossing } = parameters[parameter], type = resolve(declaration.type.parameters[parameter].type);
    const isRead = type.kind === "pointer" && type.to.const === true; // what C writes to a copy would be lost
    return crossing.kind === "handle" && isRead && elements.has(crossing.name) ? [parameter] : [];
  }));
}

/** Checks the class of what is to be freed. Whether it may be is for the runtime to say. */
function checkFreed({ name, nullable, crossing }: BoundParameter, where: string, uses: Uses, printer: Printer): string {
  if (nullable) printer.line(`    if (${name} === null) return;`);
  if (crossing.kind === "data") printer.line(`    ${uses.$("data")}(${name}, 0, ${where});`);
  if (crossing.kind === "handle" || crossing.kind === "struct") {
    refuse(`!(${name} instanceof ${uses.own(crossing.name)})`, name, crossing.name, where, uses, printer);
  }
  return name;
}

/** Checks a handle and gives the expression for its address. */
function checkHandle(
  { name, nullable }: BoundParameter,
  className: string,
  flag: "freed" | "gone",
  where: string,
  uses: Uses,
  printer: Printer,
): string {
  const wrong = `!(${name} instanceof ${uses.own(className)}) || ${name}.owner.${flag}`;
  refuse(nullable ? `${name} !== null && (${wrong})` : wrong, name, className, where, uses, printer);
  return nullable ? `${name} === null ? 0n : ${name}.address` : `${name}.address`;
}

/** Throws if a condition says that a handle is wrong. */
function refuse(condition: string, name: string, className: string, where: string, uses: Uses, printer: Printer): void {
  const head = `    if (${condition})`, failure = `throw ${uses.$("wrongHandle")}(${name}, ${className}, ${where});`;
  if (`${head} ${failure}`.length <= LINE_WIDTH) return printer.line(`${head} ${failure}`);
  const fits = `${head} {`.length <= LINE_WIDTH + (uses.isModule ? 2 : 0); // a module's functions stand further out
  printer.line(...(fits ? [`${head} {`] : ["    if (", `      ${condition}`, "    ) {"]), `      ${failure}`, "    }");
}
