/**
 * Writes the function-like macros: each a function that computes C's integer arithmetic on bigints.
 *
 * Each operation is a statement, so that what C doesn't compute isn't computed here either: a division by zero behind `?:`.
 *
 * @module
 */

import type { MacroExpression, MacroFunction } from "../../model/model.ts";

import { localName } from "../api/names.ts";
import type { Parts } from "../policy.ts";
import { doc, list } from "../print.ts";
import type { Uses } from "../typescript.ts";

/** The documentation and the head of a macro's function, with its types. */
export function macroHead(macro: MacroFunction, before: string, after: string, { policy }: Uses): string[] {
  const what = `\`${macro.name}(${macro.parameters.join(", ")})\` (${
    policy.place(macro)
  }), as C computes it of arguments of type \`int64_t\`.`;
  const signature = macroParameters(macro).map((parameter) => `${parameter}: number | bigint`);
  return [doc("", what), list(`${before} ${localName(macro.name, [])}(`, signature, `): number${after}`)];
}

function macroParameters({ parameters }: MacroFunction): string[] {
  const taken: string[] = [];
  for (const parameter of parameters) taken.push(localName(parameter, taken));
  return taken;
}

/** The lines of a macro's function. They are made for TypeScript: JavaScript has no types to say. */
export function macroLines(macro: MacroFunction, { types }: Parts, uses: Uses): string[] {
  const { lines, result } = macroBody(macro);
  const checks = macroParameters(macro).map((name, i) => {
    const isUsed = [...lines, result].some((line) => line.match(/\$\d+/g)?.includes(`$${i}`));
    return `    ${isUsed ? `const $${i} = ` : ""}${uses.$("int64")}(${name}, "${macro.name}(${macro.parameters[i]})");`;
  });
  const computed = lines.map((line) => `  ${types ? line : line.replace(/^( *(?:const|let) \$\d+): bigint/, "$1")}`);
  const args = uses.isModule ? [result] : [result, `"${macro.name}"`];
  return [...checks, ...computed, list(`    return ${uses.$("fromInt64")}(`, args, ");")];
}

/** The statements that compute a macro from `$0`, `$1`, …, its arguments as bigints. */
interface MacroBody {
  /** Indented by two. */
  readonly lines: readonly string[];
  /** The value as a bigint: a variable or a literal. */
  readonly result: string;
}

/** The body of a macro's function. */
function macroBody({ body, parameters }: MacroFunction): MacroBody {
  const writer = new Writer(parameters.length);
  const result = writer.value(body);
  return { lines: writer.lines, result };
}

class Writer {
  readonly lines: string[] = [];
  #next: number;
  #indent = "  ";

  constructor(parameters: number) {
    this.#next = parameters;
  }

  /** Computes an expression; gives the variable or literal that has its value. */
  value(expression: MacroExpression): string {
    switch (expression.kind) {
      case "parameter":
        return `$${expression.index}`;
      case "constant":
        return `${expression.value}n`;
      case "conditional":
        return this.#conditional(expression);
      case "convert":
      case "unary":
      case "binary": {
        const text = this.#operation(expression);
        const name = `$${this.#next++}`;
        this.#line(`const ${name}: bigint = ${text};`);
        return name;
      }
    }
  }

  /** One operation on values that are computed before it. */
  #operation(expression: MacroExpression): string {
    switch (expression.kind) {
      case "convert":
        return `BigInt.as${expression.signed ? "Int" : "Uint"}N(${expression.bits}, ${this.#operation(expression.operand)})`;
      case "unary": {
        const operand = this.value(expression.operand);
        return expression.operator === "!" ? `${operand} === 0n ? 1n : 0n` : expression.operator + operand;
      }
      case "binary": {
        const { operator } = expression;
        const text = `${this.value(expression.left)} ${operator} ${this.value(expression.right)}`;
        return /^([=!]==|[<>]=?)$/.test(operator) ? `${text} ? 1n : 0n` : text;
      }
      default:
        return this.value(expression);
    }
  }

  #conditional({ test, yes, no }: MacroExpression & { kind: "conditional" }): string {
    const condition = this.value(test);
    const name = `$${this.#next++}`;
    this.#line(`let ${name}: bigint;`, `if (${condition} !== 0n) {`);
    this.#branch(name, yes);
    this.#line("} else {");
    this.#branch(name, no);
    this.#line("}");
    return name;
  }

  #branch(name: string, expression: MacroExpression): void {
    const indent = this.#indent;
    this.#indent += "  ";
    this.#line(`${name} = ${this.value(expression)};`);
    this.#indent = indent;
  }

  #line(...lines: string[]): void {
    for (const line of lines) this.lines.push(this.#indent + line);
  }
}
