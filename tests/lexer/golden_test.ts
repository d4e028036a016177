/**
 * The corpus in tests/headers: each header has its model beside it.
 *
 *     deno test -A tests/lexer/golden_test.ts -- --update     rewrites the models
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { stringify } from "../../lexer/model/dump.ts";
import { dump, format, parse, type TargetName } from "../../lexer/mod.ts";
import { haveGcc, judge } from "./judge.ts";

const folder = new URL("./headers/", import.meta.url);
const update = Deno.args.includes("--update");
const headers = [...Deno.readDirSync(folder)].map((entry) => entry.name).filter((name) => name.endsWith(".h")).sort();

for (const header of headers) {
  Deno.test(`${header} has the model beside it`, () => {
    const target: TargetName = header === "windows.h" ? "x86_64-windows" : "x86_64-linux";
    const read = (path: string) => path === header ? Deno.readTextFileSync(new URL(header, folder)) : undefined;
    const { model, diagnostics } = parse([header], { target, read });
    assertEquals(diagnostics.map(format), []);
    const text = stringify(dump(model));
    const golden = new URL(header.replace(/\.h$/, ".model"), folder);
    if (update) Deno.writeTextFileSync(golden, text);
    assertEquals(text, Deno.readTextFileSync(golden));
  });

  Deno.test({
    name: `${header}: gcc agrees`,
    ignore: !haveGcc(),
    fn() {
      assertEquals(judge([decodeURIComponent(new URL(header, folder).pathname)]).differences, []);
    },
  });
}
