/**
 * What pictures have from npm: where a graph's boxes and arrows go, by Graphviz's `dot`, compiled to WebAssembly (`@viz-js/viz`), and PNG images, by
 * `fast-png`.
 *
 * The packages are named where nothing looks for imports in advance: who never draws doesn't download them, and starts a millisecond earlier.
 *
 * @module
 */

import type { Colour } from "./colours.ts";

/**
 * Loads a package of npm's, downloading it if need be.
 *
 * @param name With its exact version.
 * @param purpose What it does, for errors: "graphs are laid out".
 * @throws {Error} If it can't be had.
 */
async function load<T>(name: string, purpose: string): Promise<T> {
  try {
    return await import(`npm:/${name}`);
  } catch (cause) {
    throw new Error(`${purpose} by npm:${name}, which can't be loaded: ${(cause as Error).message}`, { cause });
  }
}

/** What is used of the package. */
interface Viz {
  instance(): Promise<{ render(graph: unknown, options: { format: "json0"; engine: "dot" }): Rendered }>;
}

type Rendered =
  | { readonly status: "success"; readonly output: string }
  | { readonly status: "failure"; readonly errors: readonly { readonly message: string }[] };

/** Something with a size, in pixels. */
export interface Sized {
  readonly id: string;
  readonly width: number;
  readonly height: number;
}

/** A point, in pixels from the upper left corner. */
export type Point = readonly [x: number, y: number];

/** Where everything is. */
export interface Placed {
  readonly width: number;
  readonly height: number;
  /** The middle of each box, by id. */
  readonly centres: ReadonlyMap<string, Point>;
  /** For each arrow a curve: a start, then three points for each Bézier piece; and its tip. */
  readonly curves: readonly { readonly points: readonly Point[]; readonly tip: Point }[];
}

/** What Graphviz writes as JSON, as far as it is used. */
interface Output {
  readonly bb: string;
  readonly objects?: readonly { readonly name: string; readonly pos: string }[];
  readonly edges?: readonly { readonly pos: string; readonly id: string }[];
}

/** Points in an inch: Graphviz's sizes are inches, its positions points. A pixel is a point here. */
const POINTS = 72;

/** From so many boxes on, arrows are straight, and the search for the best places is cut short: it takes minutes for 1,000. */
const MANY = 150;

/** Places boxes and arrows, sources above what reads them. */
export async function layOut(boxes: readonly Sized[], arrows: readonly { readonly from: string; readonly to: string }[]): Promise<Placed> {
  const viz = await load<Viz>("@viz-js/viz@3.31.0", "graphs are laid out");
  const graphviz = await viz.instance();
  const quick: Record<string, string | number> = boxes.length > MANY ? { splines: "line", nslimit: 0.1, nslimit1: 0.1, mclimit: 0.1 } : {};
  const result = graphviz.render({
    directed: true,
    graphAttributes: { rankdir: "TB", nodesep: 0.2, ranksep: 0.35, pad: 0, ...quick },
    nodeAttributes: { shape: "box", fixedsize: true, label: "" },
    nodes: boxes.map(({ id, width, height }) => ({ name: id, attributes: { width: width / POINTS, height: height / POINTS } })),
    edges: arrows.map(({ from, to }, i) => ({ tail: from, head: to, attributes: { id: String(i), arrowsize: 0.7 } })),
  }, { format: "json0", engine: "dot" });
  if (result.status !== "success") {
    throw new Error(`Graphviz can't lay the graph out: ${result.errors.map(({ message }) => message).join("; ")}`);
  }
  return read(JSON.parse(result.output), arrows.length);
}

function read({ bb, objects = [], edges = [] }: Output, count: number): Placed {
  const [, , width, height] = bb.split(",").map(Number);
  const point = (text: string): Point => {
    const [x, y] = text.split(",").map(Number);
    return [x, height - y]; // Graphviz counts from below
  };
  const curves: { points: Point[]; tip: Point }[] = new Array(count);
  for (const { pos, id } of edges) {
    const [end, ...rest] = pos.split(" ");
    curves[Number(id)] = { points: rest.map(point), tip: point(end.replace(/^e,/, "")) };
  }
  return { width, height, centres: new Map(objects.map(({ name, pos }) => [name, point(pos)])), curves };
}

/** What is used of the package. */
interface FastPng {
  encode(image: { width: number; height: number; data: Uint8Array; channels: 4; depth: 8 }): Uint8Array;
}

/** Dots of colour; those that are never set are transparent. */
export class Dots {
  readonly #data: Uint8Array;

  constructor(readonly width: number, readonly height: number) {
    this.#data = new Uint8Array(width * height * 4);
  }

  /** Fills a square. */
  fill(x: number, y: number, size: number, [red, green, blue]: Colour): void {
    for (let row = y; row < y + size; row++) {
      for (let column = x; column < x + size; column++) this.#data.set([red, green, blue, 255], (row * this.width + column) * 4);
    }
  }

  /** The image as a file. */
  async encode(): Promise<Uint8Array<ArrayBuffer>> {
    const { encode } = await load<FastPng>("fast-png@8.0.0", "heat maps are made");
    return new Uint8Array(encode({ width: this.width, height: this.height, data: this.#data, channels: 4, depth: 8 }));
  }
}
