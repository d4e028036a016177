/**
 * Stands in for `jsr:@std/cli` where JSR can't be reached: `parseArgs` with the options that this project uses, and no others. A user of
 * the published package gets the real one, which says what each argument means: a word after `--name` is its value unless it begins with
 * `-` or `name` is a boolean, of several values the last one counts, and what looks like a number is one unless `name` is a string.
 *
 * @module
 */

/** Which names are strings and which booleans, and who is asked about any other argument: it is left out where the answer is false. */
export interface ParseOptions<S extends string = string, B extends string = string> {
  string?: readonly S[];
  boolean?: readonly B[];
  unknown?: (arg: string, key?: string, value?: unknown) => unknown;
}

type Named<S extends string, B extends string> = [S | B] extends [never] // deno-lint-ignore no-explicit-any
  ? Record<string, any>
  : Record<string, unknown> & { [K in Exclude<S, "_">]?: string } & { [K in B]: boolean };

export type Args<S extends string = string, B extends string = string> = Named<S, B> & { _: (string | number)[] };

/** Sets `key`, if `arg`, in which it stands, isn't refused. */
type Set = (key: string, value: string | boolean, arg: string) => void;

export function parseArgs<const S extends string = never, const B extends string = never>(
  args: string[],
  options: ParseOptions<S, B> = {},
): Args<S, B> {
  const strings: readonly string[] = options.string ?? [], booleans: readonly string[] = options.boolean ?? [];
  const refused = options.unknown ?? (() => true);
  const parsed: Record<string, unknown> & { _: (string | number)[] } = { _: [] };
  const set: Set = (key, value, arg) => {
    if (!strings.includes(key) && !booleans.includes(key) && refused(arg, key, value) === false) return;
    nest(parsed, key.split("."), strings.includes(key) ? value : numberOr(value));
  };
  const alone = (key: string) => strings.includes(key) ? "" : true;
  /** Sets `key` to the next argument, if that can be a value of its; the result is how many arguments that took. */
  const setToNext = (key: string, arg: string, next: string | undefined, isValue: boolean): number => {
    const takes = next !== undefined && next !== "" && (isValue && !booleans.includes(key) || /^(true|false)$/.test(next));
    const isBoolean = booleans.includes(key) || !isValue;
    set(key, !takes ? alone(key) : isBoolean ? next !== "false" : next, arg);
    return takes ? 1 : 0;
  };

  const end = args.indexOf("--"), before = end === -1 ? args : args.slice(0, end);
  for (let i = 0; i < before.length; i++) {
    const arg = before[i], next = before[i + 1];
    const [, dashes, key, , value] = /^(--?)(.+?)(=(.+))?$/s.exec(arg) ?? [];
    if (dashes === undefined) {
      if (refused(arg) !== false) parsed._.push(strings.includes("_") ? arg : numberOr(arg) as string | number);
    } else if (dashes === "-") {
      const last = setLetters(arg, alone, set);
      if (last !== null) i += setToNext(last, arg, next, next !== undefined && !/^--?[^-]/.test(next));
    } else if (value !== undefined) {
      const own = key.replace(/^no-/, ""); // which means nothing here, but is taken away
      set(own, booleans.includes(own) ? value !== "false" : value, arg);
    } else {
      i += setToNext(key, arg, next, next !== undefined && !next.startsWith("-"));
    }
  }
  for (const key of booleans) parsed[key] ??= false;
  if (end !== -1) parsed._.push(...args.slice(end + 1));
  return parsed as Args<S, B>;
}

/**
 * `-abc`: each letter is an option of its own, and what follows one may be its value: `-n5`, `-n=5`. The result is the last one, if it has
 * none.
 */
function setLetters(arg: string, alone: (key: string) => string | boolean, set: Set): string | null {
  const letters = arg.slice(1);
  for (let i = 0; i < letters.length - 1; i++) {
    const letter = letters[i], rest = letters.slice(i + 1), isLetter = /[A-Za-z]/.test(letter);
    const value = isLetter && rest.includes("=")
      ? rest.slice(rest.indexOf("=") + 1)
      : isLetter && /\d$/.test(rest) || /^(\W.|-$)/.test(rest)
      ? rest
      : null;
    set(letter, value ?? alone(letter), arg);
    if (value !== null) return null;
  }
  return letters.at(-1) ?? null;
}

/** `--a.b 5` is `{ a: { b: 5 } }`. */
function nest(parsed: Record<string, unknown>, [key, ...inner]: string[], value: unknown): void {
  if (inner.length === 0) parsed[key] = value;
  else nest((parsed[key] ??= {}) as Record<string, unknown>, inner, value);
}

function numberOr(value: string | boolean): string | number | boolean {
  return typeof value === "string" && /^(0[xX][0-9a-fA-F]+|[-+]?(\d+(\.\d*)?|\.\d+)(e[-+]?\d+)?)$/.test(value) ? Number(value) : value;
}
