/**
 * Where a grammar in GBNF goes wrong: C says only that it does.
 *
 * This reads what llama.cpp's grammars/README.md describes. It refuses nothing that C takes (tests/models/grammar_test.ts tries that), and not all
 * that C refuses.
 *
 * @module
 */

/** What is wrong, and at which character. */
export interface GrammarError {
  readonly offset: number;
  readonly message: string;
}

/** The first mistake in a grammar; null if this finds none. */
export function findGrammarError(grammar: string): GrammarError | null {
  try {
    new Reader(grammar).read();
    return null;
  } catch (error) {
    if (error instanceof Mistake) return { offset: error.offset, message: error.message };
    throw error;
  }
}

class Mistake extends Error {
  readonly offset: number;

  constructor(offset: number, message: string) {
    super(message);
    this.offset = offset;
  }
}

const NAME = /[a-zA-Z0-9-]+/y, SPACE = /(?:[ \t]|#[^\r\n]*)*/y, LINES = /(?:[ \t\r\n]|#[^\r\n]*)*/y;
const ESCAPE = /\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[tnr\\"[\]-])/y,
  TIMES = /\{\s*\d+\s*(?:,\s*\d*\s*)?\}/y,
  TOKEN = /!?<[^>\n]+>/y;

class Reader {
  readonly #text: string;
  #at = 0;
  /** Which other rules each rule names, and where. Of two rules of one name the second counts. */
  readonly #rules: Map<string, [string, number][]> = new Map();
  #used: [string, number][] = [];

  constructor(text: string) {
    this.#text = text;
  }

  read(): void {
    const at = this.#text.search(/\0|\p{Surrogate}/u);
    if (at >= 0) throw new Mistake(at, "expected text, got a NUL or half a character");
    this.#take(LINES);
    while (this.#at < this.#text.length) this.#rule();
    for (const [name, offset] of [...this.#rules.values()].flat()) {
      if (!this.#rules.has(name)) throw new Mistake(offset, `there is no rule ${name}`);
    }
    if (!this.#rules.has("root")) throw new Mistake(this.#text.length, "there is no rule root");
  }

  #rule(): void {
    this.#used = [];
    this.#rules.set(this.#expect(NAME, "the name of a rule"), this.#used);
    this.#take(SPACE);
    if (!this.#text.startsWith("::=", this.#at)) this.#fail('"::="');
    this.#at += 3;
    this.#take(LINES);
    this.#alternatives(false);
    if (this.#at < this.#text.length && !/[\r\n]/.test(this.#text[this.#at])) {
      this.#fail("the end of the rule, or something that it may have");
    }
    this.#take(LINES);
  }

  /** In parentheses, lines may end anywhere. */
  #alternatives(nested: boolean): void {
    for (;;) {
      this.#sequence(nested);
      if (this.#text[this.#at] !== "|") return;
      this.#at++;
      this.#take(LINES);
    }
  }

  #sequence(nested: boolean): void {
    for (let begun = false; this.#item() || (begun && this.#repetition()); begun = true) this.#take(nested ? LINES : SPACE);
  }

  /** False if there is none. */
  #item(): boolean {
    const begin = this.#at, first = this.#text[begin];
    if (first === '"') this.#quoted('"', "the end of the text that begins", begin);
    else if (first === "[") this.#quoted("]", "the end of the characters that begin", begin);
    else if (first === "(") this.#group(begin);
    else if (first === ".") this.#at++;
    else if (this.#take(TOKEN) === "") {
      const name = this.#take(NAME);
      if (name !== "") this.#used.push([name, begin]);
      return name !== "";
    }
    return true;
  }

  #group(begin: number): void {
    this.#at++;
    this.#take(LINES);
    this.#alternatives(true);
    if (this.#text[this.#at] !== ")") this.#fail(`")" for the "(" at ${placeIn(this.#text, begin)}`);
    this.#at++;
  }

  #quoted(end: string, expected: string, begin: number): void {
    this.#at++;
    while (this.#text[this.#at] !== end) {
      if (this.#at >= this.#text.length) this.#fail(`${expected} at ${placeIn(this.#text, begin)}`);
      if (this.#text[this.#at] !== "\\") this.#at++;
      else this.#expect(ESCAPE, "an escape such as \\n, \\x0a, \\u000a");
    }
    this.#at++;
  }

  /** How often what comes before it is to come. False if there is none. */
  #repetition(): boolean {
    if (this.#text[this.#at] === "{") return this.#expect(TIMES, "how often, such as {2}, {2,} or {2,5}") !== "";
    if (!/[*+?]/.test(this.#text[this.#at] ?? "")) return false;
    this.#at++;
    return true;
  }

  /** What a pattern matches here, which may be nothing. */
  #take(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const text = pattern.exec(this.#text)?.[0] ?? "";
    this.#at += text.length;
    return text;
  }

  #expect(pattern: RegExp, what: string): string {
    const text = this.#take(pattern);
    if (text === "") this.#fail(what);
    return text;
  }

  #fail(expected: string): never {
    const rest = this.#text.slice(this.#at), [got] = rest;
    throw new Mistake(this.#at, `expected ${expected}, got ${rest === "" ? "the end" : JSON.stringify(got)}`);
  }
}

/** `line:column` of a character. */
export function placeIn(text: string, offset: number): string {
  const before = text.slice(0, offset).split("\n");
  return `${before.length}:${before.at(-1)!.length + 1}`;
}

/** The line of a character, with a caret under it. */
export function showPlace(text: string, offset: number): string {
  const before = text.slice(0, offset).split("\n");
  return `${text.split("\n")[before.length - 1]}\n${" ".repeat(before.at(-1)!.length)}^`;
}
