/** What `deno task package` does to a module's text: it says the same as before. */

import { assert, assertEquals } from "@std/assert";
import { parse, type Token } from "acorn";
import { compact } from "../../tools/compact.ts";

/** A module's tokens, and where lines end between them: a semicolon may be missing there. */
function tokensOf(text: string): string[] {
  const tokens: Token[] = [];
  parse(text, { ecmaVersion: "latest", sourceType: "module", onToken: tokens });
  return tokens.flatMap(({ start, end }, i) => {
    const gap = text.slice(tokens[i - 1]?.end ?? start, start);
    return [...(gap.includes("\n") ? ["\n"] : []), text.slice(start, end)];
  });
}

Deno.test("a compact module has the tokens and the lines of what it was made of", () => {
  for (const name of ["functions", "structs", "enums", "callbacks", "layouts", "async_functions"]) {
    const text = Deno.readTextFileSync(new URL(`../../ffi/generated/${name}.js`, import.meta.url)), short = compact(text);
    assertEquals(tokensOf(short), tokensOf(text), name);
    assert(short.length < text.length, name);
    assert(!/^[ /]|\n\n/m.test(short), name);
  }
});

Deno.test("what would become another token stays apart, and no text is touched", () => {
  const cases: [from: string, to: string][] = [
    ["a = b + +c - -d - --e;", "a=b+ +c- -d- --e;"],
    ["x = 1 .toString() + a / /b  c/.test(d);", "x=1 .toString()+a/ /b  c/.test(d);"],
    ["const f = async (a) => { return typeof a in b; };", "const f=async(a)=>{return typeof a in b;};"],
    ["class A { static #b = 1; get  c() { return #b in this; } }", "class A{static #b=1;get c(){return #b in this;}}"],
    ["s = `a  ${ b  +  `  c\n  d` }  e`; // why", "s=`a  ${b+`  c\n  d`}  e`;"],
    ["s = 'a  b' /* c */ + \"  d\";\n\n  // e\n  let  é = y\n  ++z", "s='a  b'+\"  d\";\nlet é=y\n++z"],
  ];
  for (const [from, to] of cases) assertEquals(compact(`  ${from}\n`), `${to}\n`);
});
