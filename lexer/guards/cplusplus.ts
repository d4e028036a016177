/**
 * The C++ that ggml's CPU kernels are written in, as C that says the same of types and shapes.
 *
 * Not a C++ front end: the kernels are C with a few templates over element types. Each instance of a template that is called becomes a
 * function of its own; names lose their namespaces; what then still isn't C (lambdas, function objects) stands in its function as a statement
 * that could not be read.
 *
 * @module
 */

/** A function template. */
interface Template {
  readonly parameters: readonly string[];
  readonly text: string;
}

/** The text of a C++ file as C. Lines keep their numbers, as far as the file itself goes. */
export function asC(text: string): string {
  const plain = withoutDefaults(
    text
      .replace(/\bstd::(\w+)/g, "std_$1")
      .replace(/\bnullptr\b/g, "((void *) 0)")
      .replace(/\bstatic_cast<([\w ]+\*?)>/g, "($1)")
      .replace(/\b\w+<\w+>::(\w+)/g, "$1")
      .replace(/\b\w+::(\w+)/g, "$1")
      .replace(/\bif constexpr\b/g, "if")
      .replace(/\bconstexpr\b/g, "const")
      .replace(/\b(?:const )?auto\b(?: *\*)? *(\w+) =/g, "__auto_type $1 =")
      // What a thread works on: any part of it.
      .replace(/const auto \[(\w+), (\w+)\] = [^;]*;/g, "const int64_t $1 = unknown(), $2 = unknown();"),
  );
  const { rest, templates } = takeTemplates(plain);
  const made = new Map<string, string>();
  const body = instantiate(rest, templates, made);
  const instances = [...made.values()].map((instance) =>
    instance.replace(/std_is_same_v<\s*(\w+)\s*,\s*(\w+)\s*>/g, (_, a, b) => a === b ? "1" : "0")
  );
  return [body, ...instances].join("\n");
}

/** Without the default values of parameters, which a definition has and C hasn't. */
function withoutDefaults(text: string): string {
  return text.replace(/ = (?:[\w.]+|\(\(void \*\) 0\))(?=\s*\)\s*\{)/g, "");
}

/** Takes the function templates out of a text. */
function takeTemplates(text: string): { rest: string; templates: Map<string, Template> } {
  const templates = new Map<string, Template>();
  let rest = "", from = 0;
  for (const match of text.matchAll(/^template\s*<([^\n]*)>[^\n]*\n((?:[\w*]+\s+)*?\**(\w+)\s*\()/gm)) {
    if (match.index < from) continue;
    const end = endOfBody(text, match.index);
    const head = match.index + match[0].length - match[2].length;
    templates.set(match[3], { parameters: parameterNames(match[1]), text: text.slice(head, end) });
    rest += text.slice(from, match.index) + text.slice(match.index, end).replace(/[^\n]/g, "");
    from = end;
  }
  return { rest: rest + text.slice(from), templates };
}

/** Behind the brace that closes the first one from `start` on. */
function endOfBody(text: string, start: number): number {
  let depth = 0;
  for (let i = text.indexOf("{", start); i >= 0 && i < text.length; i++) {
    if (text[i] === "{") depth++;
    else if (text[i] === "}" && --depth === 0) return i + 1;
  }
  return text.length;
}

/** The names of a template's parameters: `typename T`, `float (*op)(float)`, `bool x = false`. */
function parameterNames(list: string): string[] {
  const parts: string[] = [];
  let depth = 0, part = "";
  for (const c of list) {
    if (c === "(" || c === "<") depth++;
    if (c === ")" || c === ">") depth--;
    if (c === "," && depth === 0) {
      parts.push(part);
      part = "";
    } else part += c;
  }
  return [...parts, part].map((part) => /\(\*(\w+)\)/.exec(part)?.[1] ?? /(\w+)\s*(?:=.*)?$/.exec(part.trim())?.[1] ?? "");
}

/** Makes each call of a template's instance one of a function, which goes into `made`. */
function instantiate(text: string, templates: ReadonlyMap<string, Template>, made: Map<string, string>): string {
  return text.replace(/\b(\w+)<([\w\s,*]*)>\s*\(/g, (_, name: string, list: string) => {
    const args = list.split(",").map((item) => item.trim());
    const instance = `${name}__${args.join("__").replace(/\W/g, "_")}`;
    const template = templates.get(name);
    if (template !== undefined && !made.has(instance)) {
      made.set(instance, ""); // while it is made: it may call itself
      made.set(instance, instantiate(substituted(name, instance, template, args), templates, made));
    }
    return `${instance}(`;
  });
}

function substituted(name: string, instance: string, { parameters, text }: Template, args: readonly string[]): string {
  let body = withoutDefaults(text.replace(new RegExp(`\\b${name}\\s*\\(`), `${instance}(`));
  parameters.forEach((parameter, i) => {
    if (parameter !== "" && args[i] !== undefined) body = body.replace(new RegExp(`\\b${parameter}\\b`, "g"), args[i]);
  });
  return body;
}
