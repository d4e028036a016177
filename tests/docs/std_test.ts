/** The stand-ins of `links/` do as the packages that they stand in for: what @std/cli and @std/assert document, and the types that they give. */

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { parseArgs } from "@std/cli/parse-args";

/** Arguments, each list with what the real parseArgs makes of it and whom it takes for unknown. */
const LISTS: readonly (readonly [args: string, parsed: Record<string, unknown>, unknown?: string])[] = [
  ["", {}],
  ["--check", { check: true }],
  ["--check=true", { check: true }],
  ["--check=false", { check: false }],
  ["--check false", { check: false }],
  ["--check true a", { check: true, _: ["a"] }, "a"],
  ["--check a", { check: true, _: ["a"] }, "a"],
  ["--include a", { include: "a" }],
  ["--include=a", { include: "a" }],
  ["--include=a=b", { include: "a=b" }],
  ["--include", { include: "" }],
  ["--include --check", { include: "", check: true }],
  ["--include -", { include: "", _: ["-"] }, "-"],
  ["--include 5", { include: "5" }],
  ["--include a --include b", { include: "b" }],
  ["--include=a -- --check b", { include: "a", _: ["--check", "b"] }],
  ["--no-check", { "no-check": true }, "--no-check"],
  ["--other", { other: true }, "--other"],
  ["--other 5", { other: 5 }, "--other"],
  ["--other=a 0x10 1e3", { other: "a", _: [16, 1000] }, "--other=a 0x10 1e3"],
  ["-x 3 -y 4 -n5 -abc", { x: 3, y: 4, n: 5, a: true, b: true, c: true }, "-x -y -n5 -abc -abc -abc"],
  ["-n=5 -x a", { n: 5, x: "a" }, "-n=5 -x"],
  ["5 a -1", { "1": true, _: [5, "a"] }, "5 a -1"],
  ["--no-check=1 --no-other=a", { check: true, other: "a" }, "--no-other=a"],
  ["1E3 0X1F .5 +5", { _: ["1E3", 31, 0.5, 5] }, "1E3 0X1F .5 +5"],
  ["--a.b --a.c=5 -x.", { a: { b: true, c: 5 }, x: true, "": { "": true } }, "--a.b --a.c=5 -x. -x."],
];

Deno.test("parseArgs makes of 26 argument lists what the real one makes of them", () => {
  assertEquals(LISTS.length, 26);
  for (const [args, expected, asked = ""] of LISTS) {
    const unknown: string[] = [];
    const parsed = parseArgs(args.split(" ").filter((arg) => arg !== ""), {
      string: ["include"],
      boolean: ["check"],
      unknown: (arg) => void unknown.push(arg),
    });
    assertEquals({ ...parsed }, { check: false, _: [], ...expected }, args);
    assertEquals(unknown.join(" "), asked, args);
  }
});

Deno.test("parseArgs leaves out what unknown answers false for, and takes words for strings if they are named", () => {
  const parsed = parseArgs(["--other", "a", "5", "-x"], { string: ["_"], boolean: ["check"], unknown: (arg) => !arg.startsWith("-") });
  assertEquals({ ...parsed }, { _: ["5"], check: false } as never);
  const { _: words } = parseArgs(["5", "a"]);
  assertEquals(words, [5, "a"]);
});

Deno.test("parseArgs and assertThrows have the types of the real ones", async () => {
  const { include, check, _ } = parseArgs([], { string: ["include"], boolean: ["check"] });
  const text: string | undefined = include, flag: boolean = check, words: (string | number)[] = _;
  assertEquals([text, flag, words], [undefined, false, []]);
  const thrown: unknown = assertThrows(() => JSON.parse("{"));
  // @ts-expect-error: without a class it is anything that was thrown
  assertEquals(thrown.name, "SyntaxError");
  const { name } = assertThrows(() => JSON.parse("{"), SyntaxError);
  assertEquals(name, "SyntaxError");
  const rejected: unknown = await assertRejects(() => Promise.reject(5));
  assertEquals(rejected, 5);
});

Deno.test("assertThrows and assertRejects fail if nothing is thrown, another class, another message, or no promise is given", async () => {
  const says = (pattern: RegExp) => ({ message }: { message: string }) => pattern.test(message);
  const fails = (run: () => unknown, pattern: RegExp) => {
    try {
      run();
    } catch (error) {
      return assertEquals(says(pattern)(error as Error), true, (error as Error).message);
    }
    throw new Error("nothing was thrown");
  };
  fails(() => assertThrows(() => 5), /throw/);
  fails(() => assertThrows(() => JSON.parse("{"), RangeError), /RangeError/);
  fails(() => assertThrows(() => JSON.parse("{"), SyntaxError, "no such words"), /no such words/);
  fails(() =>
    assertThrows(() => {
      throw 5;
    }, Error), /Error/);
  await assertRejects(async () => await assertRejects(() => Promise.resolve(5)), Error, "reject");
  await assertRejects(async () => await assertRejects(() => JSON.parse("{"), SyntaxError), Error, "reject");
});
