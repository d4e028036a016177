/**
 * XML as a tree, for tests of pictures. It is a strict parser: what is not well-formed throws.
 *
 * @module
 */

import { SaxesParser } from "saxes";

export interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: Element[];
  /** All text in it, its children's too. */
  text: string;
}

/** Parses a document. */
export function parseXml(xml: string): Element {
  const parser = new SaxesParser();
  const root: Element = { name: "", attributes: {}, children: [], text: "" };
  const open: Element[] = [root];
  parser.on("error", (error) => {
    throw error;
  });
  parser.on("opentag", ({ name, attributes }) => {
    const element: Element = { name, attributes: { ...attributes } as Record<string, string>, children: [], text: "" };
    open.at(-1)!.children.push(element);
    open.push(element);
  });
  parser.on("text", (text) => open.forEach((element) => element.text += text));
  parser.on("closetag", () => void open.pop());
  parser.write(xml).close();
  return root.children[0];
}

/** Every element under one, for which a test holds. */
function findAll(element: Element, test: (element: Element) => boolean): Element[] {
  return element.children.flatMap((child) => [...(test(child) ? [child] : []), ...findAll(child, test)]);
}

/** Every element of a name. */
export function byName(element: Element, name: string): Element[] {
  return findAll(element, (each) => each.name === name);
}

/** Every element of a class. */
export function byClass(element: Element, name: string): Element[] {
  return findAll(element, (each) => each.attributes.class === name);
}
