/**
 * The HTML of the reference and the guide, by TypeDoc.
 *
 * @module
 */

import { join } from "@std/path";
import { Application, PageEvent, type TypeDocOptions } from "typedoc";
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
    categorizeByGroup: false,
    categoryOrder: [...categories, "*"],
    navigation: { includeCategories: true },
    highlightLanguages: ["bash", "c", "console", "javascript", "json", "python", "shell", "text", "tsx", "typescript"],
    customCss: join(ROOT, "docs/build/style.css"),
  };
  const app = await Application.bootstrap(options);
  app.renderer.on(PageEvent.END, (page) => void (page.contents = ownIcons(page.contents ?? "")));
  const project = await app.convert();
  if (project !== undefined) await app.generateOutputs(project);
  if (project === undefined || app.logger.hasErrors()) throw new Error("TypeDoc wrote no reference: see above");
}

/** Icons by the copies that TypeDoc's script puts into each page: a page that is read from a file may not use those of another file. */
function ownIcons(html: string): string {
  return html.replaceAll(/<use href="[^"#]*assets\/icons\.svg#/g, '<use href="#');
}
