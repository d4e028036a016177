/**
 * What of a graph is drawn: all of a small one, of a large one what doesn't repeat, or the part that was asked for. Of what a graph repeats, such as the
 * layers of a language model, one is drawn and the others are counted.
 *
 * @module
 */

import { lib } from "../../ffi/generated/lib.js";
import { type GraphModel, isView, typeAndDimensions } from "./facts.ts";

/** Graphs of more nodes are folded. */
const LARGE = 80;

/** The most nodes that are drawn unasked. */
const MOST = 300;

/** The most nodes that are drawn. */
export const LIMIT = 3000;

/** A leaf that is read by more than FEW nodes, in more than FAR nodes' distance, is drawn beside each: arrows through the whole graph say little. */
const FEW = 2, FAR = 24;

export type Box =
  | { readonly kind: "node" | "view"; readonly id: string; readonly tensor: lib.ggml_tensor; readonly index: number }
  | { readonly kind: "leaf" | "outside"; readonly id: string; readonly tensor: lib.ggml_tensor }
  | { readonly kind: "folded"; readonly id: string; readonly repeat: Repeat };

/** One arrow, from a source to what reads it. */
export interface Arrow {
  readonly from: string;
  readonly to: string;
  /** True where nothing is computed. */
  readonly isView: boolean;
}

/** What is drawn. */
export interface GraphParts {
  readonly boxes: readonly Box[];
  readonly arrows: readonly Arrow[];
  /** What isn't, and how to see it; "" if everything is. */
  readonly note: string;
}

/** What `toSvg`, `toHtml` and `save` take besides what is drawn. */
export interface DrawOptions {
  /** Of a graph: the index of the first node to draw. */
  from?: number;
  /** Of a graph: the index after that of the last node to draw. */
  to?: number;
}

/** Chooses what to draw. */
export function partsOf(model: GraphModel, { from, to }: DrawOptions): GraphParts {
  const count = model.nodes.length;
  const isAsked = from !== undefined || to !== undefined;
  const repeat = isAsked || count <= LARGE ? null : findRepeat(signsOf(model.nodes.map(signOf)));
  const begin = from ?? 0, end = to ?? (isAsked ? count : endOf(count, repeat));
  return { ...new Parts(model, begin, end, repeat).result(), note: noteOf(count, end, repeat, isAsked) };
}

/** Nodes that look the same. */
function signOf(node: lib.ggml_tensor): string {
  return `${lib.ggml_op_desc(node)} ${typeAndDimensions(node)}`;
}

/** Where to stop, so that no more than MOST nodes are drawn. */
function endOf(count: number, repeat: Repeat | null): number {
  if (repeat === null) return Math.min(count, MOST);
  const hidden = (repeat.count - 1) * repeat.period;
  const first = repeat.start + repeat.period;
  return first >= MOST ? MOST : Math.min(count, MOST + hidden);
}

function noteOf(count: number, end: number, repeat: Repeat | null, isAsked: boolean): string {
  if (isAsked) return "";
  const notes: string[] = [];
  if (repeat !== null && end > repeat.start + repeat.period) {
    notes.push(`${repeat.count} equal parts of ${repeat.period} nodes follow each other: the first is drawn`);
  }
  if (end < count) notes.push(`nodes ${end} to ${count - 1} are not drawn`);
  return notes.length === 0 ? "" : `${notes.join("; ")}. To draw a part: toSvg(graph, { from: 100, to: 200 })`;
}

/** Collects boxes and arrows. */
class Parts {
  readonly #model: GraphModel;
  readonly #begin: number;
  readonly #end: number;
  readonly #repeat: Repeat | null;
  readonly #boxes: Map<string, Box> = new Map();
  readonly #arrows: Map<string, Arrow> = new Map();
  /** The nodes that read each source. */
  readonly #readers: Map<bigint, number[]> = new Map();

  constructor(model: GraphModel, begin: number, end: number, repeat: Repeat | null) {
    this.#model = model;
    this.#begin = begin;
    this.#end = end;
    this.#repeat = repeat !== null && end > repeat.start + repeat.period ? repeat : null;
  }

  result(): Pick<GraphParts, "boxes" | "arrows"> {
    for (let i = this.#begin; i < this.#end; i++) {
      for (const { address } of this.#model.sources[i]) {
        const readers = this.#readers.get(address);
        if (readers === undefined) this.#readers.set(address, [i]);
        else readers.push(i);
      }
    }
    for (let i = this.#begin; i < this.#end; i++) this.#add(i);
    return { boxes: [...this.#boxes.values()], arrows: [...this.#arrows.values()] };
  }

  #add(index: number): void {
    const { nodes, sources } = this.#model;
    const to = this.#node(index), view = isView(nodes[index]);
    const isFolded = to === "folded";
    for (const source of sources[index]) {
      const from = this.#source(source, index, isFolded);
      if (from === null || from === to) continue;
      const key = `${from} ${to}`;
      // A folded part shows its first source of each kind only once.
      if (!this.#arrows.has(key)) this.#arrows.set(key, { from, to, isView: view && !isFolded });
    }
  }

  #node(index: number): string {
    const tensor = this.#model.nodes[index];
    if (this.#isFolded(index)) return this.#box({ kind: "folded", id: "folded", repeat: this.#repeat! });
    return this.#box({ kind: isView(tensor) ? "view" : "node", id: `n${index}`, tensor, index });
  }

  /** The box of a source; null for the leafs of what is folded. */
  #source(tensor: lib.ggml_tensor, reader: number, isFolded: boolean): string | null {
    const index = this.#model.indices.get(tensor.address);
    if (index !== undefined && index >= this.#begin && index < this.#end) return this.#node(index);
    if (isFolded) return null;
    const readers = this.#readers.get(tensor.address)!;
    const isShared = readers.length > FEW && readers.at(-1)! - readers[0] > FAR;
    const id = `l${tensor.address}${isShared ? `-${reader}` : ""}`;
    return this.#box({ kind: index === undefined ? "leaf" : "outside", id, tensor });
  }

  #isFolded(index: number): boolean {
    const repeat = this.#repeat;
    if (repeat === null) return false;
    const { start, period, count } = repeat;
    return index >= start + period && index < start + period * count;
  }

  #box(box: Box): string {
    if (!this.#boxes.has(box.id)) this.#boxes.set(box.id, box);
    return box.id;
  }
}

/** A run of equal parts. */
export interface Repeat {
  /** The index of the first element of the first part. */
  readonly start: number;
  /** The length of a part. */
  readonly period: number;
  /** How many there are. */
  readonly count: number;
}

/** The longest period that is looked for: a layer has some tens of nodes. */
const LONGEST = 1000;

/**
 * Finds the parts that follow each other, are equal, and together leave out the most.
 *
 * @param signs Equal for elements that look the same.
 * @returns Null if nothing is there three times.
 */
function findRepeat(signs: Int32Array): Repeat | null {
  let best: Repeat | null = null, saved = 0;
  for (let period = 1; period <= Math.min(LONGEST, signs.length / 3); period++) {
    let start = 0;
    for (let i = 0; i + period <= signs.length; i++) {
      if (i + period < signs.length && signs[i] === signs[i + period]) continue;
      const count = Math.floor((i - start) / period) + 1;
      if (count >= 3 && (count - 1) * period > saved) {
        best = { start, period, count };
        saved = (count - 1) * period;
      }
      start = i + 1;
    }
  }
  return best;
}

/** Numbers that are equal where the texts are. */
function signsOf(texts: readonly string[]): Int32Array {
  const known = new Map<string, number>();
  return Int32Array.from(texts, (text) => {
    const sign = known.get(text) ?? known.size;
    known.set(text, sign);
    return sign;
  });
}
