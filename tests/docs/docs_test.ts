/**
 * `deno task docs`: every C function has an entry with what its header says, no link leads nowhere, what headers say does no harm, and in a
 * browser a search finds a function and its page opens, from files alone.
 *
 * @module
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { dirname, fromFileUrl, join, resolve, toFileUrl } from "@std/path";
import { launch } from "../../docs/build/browser.ts";
import { findChromium, isFile } from "../../docs/build/chromium.ts";
import { selectApi } from "../../lexer/emit/api/select.ts";
import { readTree } from "../../lexer/ggml/tree.ts";
import { headers } from "../lexer/headers.ts";
import { deno } from "../process.ts";

const API = fromFileUrl(new URL("../../lexer/ggml/api.h", import.meta.url));

let built: Promise<string> | undefined;

/** The reference of the pinned headers, built once. */
function reference(): Promise<string> {
  return built ??= headers().then((tree) => build(["--include", tree]));
}

async function build(args: readonly string[]): Promise<string> {
  const out = await Deno.makeTempDir({ prefix: "ggml-reference-" });
  folders.push(out);
  const { code, stdout, stderr } = await deno(["task", "--quiet", "docs", "--out", out, ...args]);
  assertEquals(code, 0, stdout + stderr);
  return out;
}

const folders: string[] = [];

addEventListener("unload", () => folders.forEach((folder) => Deno.removeSync(folder, { recursive: true })));

function allFiles(folder: string): string[] {
  const entries = [...Deno.readDirSync(folder)].sort((a, b) => a.name < b.name ? -1 : 1);
  return entries.flatMap(({ name, isDirectory }) => isDirectory ? allFiles(join(folder, name)) : [join(folder, name)]);
}

/** What a page shows. */
function textOf(file: string): string {
  const text = Deno.readTextFileSync(file).replaceAll(/<br\/?>/g, "\n").replaceAll(/<[^>]*>/g, "");
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&quot;", '"').replaceAll("&#39;", "'").replaceAll("&amp;", "&");
}

Deno.test("every function, struct, enum, constant and callback has a page, functions with their C declaration", async () => {
  const out = await reference();
  const { model } = readTree(await headers(), API);
  const { functions, records, enums, constants, callbacks, macros } = selectApi(model);
  // GGML_PAD and ggml_pad would be one file where file names have no case.
  const page = (kind: string, name: string) => join(out, kind, `_ggml_deno.lib.${name}${name === "GGML_PAD" ? "-1" : ""}.html`);
  const pages = [
    ...[...functions, ...macros].map(({ name }) => page("functions", name)),
    ...[...records, ...callbacks].map(({ name }) => page("classes", name)),
    ...enums.flatMap(({ name }) => name === null ? [] : [page("types", name)]),
    ...[...constants, ...enums.flatMap(({ declaration }) => declaration.values)].map(({ name }) => page("variables", name)),
  ];
  assert(functions.length >= 900, String(functions.length));
  assertEquals(new Set(pages).size, pages.length);
  assertEquals(pages.filter((path) => !isFile(path)), []);
  for (const { name, declaration } of functions) {
    const text = textOf(page("functions", name));
    assert(text.includes(`${declaration.header}:${declaration.line}`), name);
    assert(text.replaceAll(/\s/g, "").includes(`${declaration.name}(`), name);
  }
});

Deno.test("a function's page has the header's comment, and who frees what", async () => {
  const out = await reference();
  const pageOf = (name: string) => textOf(join(out, `functions/_ggml_deno.lib.${name}.html`));
  const header = Deno.readTextFileSync(join(await headers(), "ggml/include/ggml.h"));
  const [, comment] = /\/\/ ([^\n]+)\n[^/;]*\bggml_mul_mat\(/.exec(header)!;
  assertStringIncludes(pageOf("ggml_mul_mat"), comment);
  assertStringIncludes(pageOf("ggml_init"), "yours to free");
  assertStringIncludes(pageOf("ggml_free"), "Frees ctx");
});

Deno.test("no link leads nowhere", async () => {
  const out = await reference();
  const ids = new Map<string, Set<string>>();
  const links: { from: string; to: string; anchor: string }[] = [];
  for (const file of allFiles(out).filter((path) => path.endsWith(".html"))) {
    const text = Deno.readTextFileSync(file).replaceAll(/<use [^>]*>/g, ""); // icons, which a script puts into the page
    ids.set(file, new Set([...text.matchAll(/\b(?:id|name)="([^"]+)"/g)].map(([, id]) => id)));
    for (const [, link] of text.matchAll(/\b(?:href|src)="([^"]*)"/g)) {
      if (/^(https?:|data:|mailto:)/.test(link)) continue;
      const [path, anchor = ""] = decodeURI(link.replaceAll("&amp;", "&")).split("#");
      links.push({ from: file, to: path === "" ? file : resolve(dirname(file), path.split("?")[0]), anchor });
    }
  }
  assert(links.length > 10_000);

  const broken = links.filter(({ to, anchor }) => !isFile(to) || (anchor !== "" && ids.has(to) && !ids.get(to)!.has(anchor)));
  assertEquals([...new Set(broken.map(({ from, to, anchor }) => `${from}: ${to}#${anchor}`))], []);
});

Deno.test("what a header says is shown as it is, whatever it is", async () => {
  const tree = await Deno.makeTempDir();
  try {
    await Deno.mkdir(join(tree, "include"));
    await Deno.writeTextFile(join(tree, "include/hostile.h"), HOSTILE);
    await Deno.writeTextFile(join(tree, "api.h"), '#include "hostile.h"\n');
    const out = await build(["--include", tree, "--api", join(tree, "api.h")]);
    const path = join(out, "functions/_ggml_deno.lib.hostile.html");
    const html = Deno.readTextFileSync(path), text = textOf(path);
    assert(!/<script>alert|<img src=x|<\/code><b>/.test(html), html);
    for (const said of HOSTILE_LINES) assertStringIncludes(text.replaceAll("\u200b", ""), said);
    assert(textOf(join(out, "modules/_ggml_deno.lib.html")).includes("hostile.h: Bold words"));

    const again = await build(["--include", tree, "--api", join(tree, "api.h")]);
    // The same headers give the same files, but for colours: TypeDoc's highlighter gives up on a line after half a second.
    const read = (path: string) =>
      path.endsWith(".html") ? textOf(path) : path.endsWith("highlight.css") ? "" : Deno.readTextFileSync(path);
    const files = (folder: string) => allFiles(folder).map((path) => [path.slice(folder.length), read(path)]);
    assertEquals(files(again), files(out));
  } finally {
    await Deno.remove(tree, { recursive: true });
  }
});

const HOSTILE_LINES = [
  "<script>alert(1)</script> <img src=x onerror=alert(2)> </code><b>",
  "end it: */ export const injected = 1; /*",
  "```",
  "@category Nowhere",
  "{@link nowhere} {@include /etc/passwd} & &amp;",
];
const HOSTILE = `// Bold words\n\n${HOSTILE_LINES.map((line) => `// ${line}\n`).join("")}int hostile(int x);\n`;

Deno.test("nothing is written where a header is wrong or missing, or where the folder holds something else", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const { code, stderr } = await deno(["task", "--quiet", "docs", "--out", join(folder, "out"), "--include", join(folder, "none")]);
    assertEquals(code, 1);
    assertStringIncludes(stderr, "docs: no such folder");
    await Deno.writeTextFile(join(folder, "bad.h"), "int f(;\n");
    const bad = await deno(["task", "--quiet", "docs", "--out", join(folder, "out"), "--include", folder, "--api", join(folder, "bad.h")]);
    assertEquals(bad.code, 1);
    assertStringIncludes(bad.stderr, "bad.h:1:7");
    assertEquals((await deno(["task", "--quiet", "docs", "--frobnicate"])).code, 2);
    assertStringIncludes(
      (await deno(["task", "--quiet", "docs", "--include", "--out", join(folder, "out")])).stderr,
      "--include wants a path",
    );
    assert(!isFile(join(folder, "out/index.html")));
    const full = await deno(["task", "--quiet", "docs", "--out", folder, "--include", await headers()]);
    assertStringIncludes(full.stderr, "holds something else");
    assert(isFile(join(folder, "bad.h")));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

const browserless = findChromium() === null;
if (browserless) console.warn("SKIPPED: no Chromium here, so the reference isn't looked at in a browser");

Deno.test({
  name: "in a browser, from files: a search for ggml_mul_mat finds it, and its page opens without an error",
  ignore: browserless,
  // Its process and sockets end with the browser, a moment after `close`.
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async () => {
    const out = await reference();
    const browser = await launch();
    try {
      const page = await browser.newPage();
      const errors: string[] = [];
      page.on("console", (message) => void (message.type() === "error" && errors.push(message.text())));
      page.on("pageerror", (error) => void errors.push(String(error)));
      page.on("requestfailed", (request) => void errors.push(`${request.url()}: ${request.failure()?.errorText}`));
      await page.goto(toFileUrl(join(out, "index.html")).href);
      await page.click("#tsd-search-trigger");
      await page.type("#tsd-search-input", "ggml_mul_mat");
      const hit = await page.waitForSelector("#tsd-search-results li:first-child a[href$='lib.ggml_mul_mat.html']");
      await Promise.all([page.waitForNavigation(), hit!.click()]);
      await page.waitForSelector(".site-menu .current");
      const shown = await page.$eval(".col-content", (element) => (element as unknown as { innerText: string }).innerText);
      assertStringIncludes(shown, "GGML_API struct ggml_tensor * ggml_mul_mat(");
      assertStringIncludes(shown, "columns");
      // The menu is made by a script: what it links to is there too.
      const menu = await page.$$eval(".site-menu a", (links) => links.map((link) => (link as unknown as { href: string }).href));
      assert(menu.length > 1000, String(menu.length));
      assertEquals(menu.filter((href) => !isFile(fromFileUrl(href.split("#")[0]))), []);
      await page.setViewport({ width: 390, height: 800 });
      const [needed, wide] = await page.$eval("html", (html) => [html.scrollWidth, html.clientWidth]);
      assert(needed <= wide, `on a phone it is ${needed} pixels wide`);
      assertEquals(errors, []);
    } finally {
      await browser.close();
    }
  },
});
