/**
 * The HTML of the reference and the guide, by TypeDoc.
 *
 * @module
 */

import { join } from "@std/path";
import { Application, Converter, type DocumentReflection, PageEvent, type TypeDocOptions } from "typedoc";
import { ROOT } from "./root.ts";
import type { Staged } from "./stage.ts";

/**
 * Writes the site.
 *
 * @param out The folder. It is emptied first.
 * @throws {Error} If TypeDoc finds an error.
 */
export async function writeSite({ entryPoints, tsconfig, release, categories }: Staged, out: string): Promise<void> {
  const options: Partial<TypeDocOptions> = {
    entryPoints: [...entryPoints],
    tsconfig,
    plugin: [],
    skipErrorChecking: true, // `deno check` checks it, by Deno's rules
    name: "ggml for Deno",
    customFooterHtml: release === null ? "" : `<p>The C API is that of ggml ${release}.</p>`,
    readme: join(ROOT, "README.md"),
    projectDocuments: [join(ROOT, "docs/*.md")],
    out,
    cleanOutputDir: true,
    disableSources: true,
    hideGenerator: true,
    searchInComments: true,
    searchInDocuments: true,
    searchGroupBoosts: { Functions: 2, Classes: 1.5 },
    categorizeByGroup: false,
    categoryOrder: [...categories, "*"],
    navigation: { includeCategories: true, includeFolders: false },
    highlightLanguages: ["bash", "c", "console", "javascript", "json", "python", "shell", "text", "tsx", "typescript"],
    customCss: join(ROOT, "docs/build/style.css"),
  };
  const app = await Application.bootstrap(options);
  app.converter.on(Converter.EVENT_END, ({ project }) => project.documents?.forEach(titled));
  app.renderer.on(PageEvent.END, (page) => void (page.contents = fromFile(page.contents ?? "")));
  const project = await app.convert();
  if (project !== undefined) await app.generateOutputs(project);
  if (project === undefined || app.logger.hasErrors()) throw new Error("TypeDoc wrote no reference: see above");
}

/** Calls a page of the guide by its heading, and lets its headings have no code: TypeDoc's list of them would leave it out. */
function titled(document: DocumentReflection): void {
  document.name = /^# (.*)$/m.exec(document.content[0].text)?.[1] ?? document.name;
  document.content.forEach((part, i) => {
    if (part.kind !== "code" || !/^#+ $/m.test(document.content[i - 1]?.text.split("\n").at(-1) ?? "")) return;
    document.content[i] = { kind: "text", text: part.text.slice(1, -1).replaceAll(/[!-/:-@[-`{-~]/g, "\\$&") };
  });
}

/**
 * Makes a page that can be read from a file: a link to a folder would show what is in it, and the icons of another file may not be used; each
 * page has a copy of them, made by a script.
 */
function fromFile(html: string): string {
  return html.replaceAll(/<use href="[^"#]*assets\/icons\.svg#/g, '<use href="#').replaceAll(/(<a href="\.\.\/)([#"])/g, "$1index.html$2");
}
