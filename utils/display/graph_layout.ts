/**
 * Where a graph's boxes and arrows go: Graphviz's `dot`, compiled to WebAssembly (npm's `@viz-js/viz`).
 *
 * @module
 */

import { load } from "./package.ts";

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
