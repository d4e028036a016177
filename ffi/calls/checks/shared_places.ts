/**
 * Graphs of which another allocator placed some tensors: it uses memory again once its own graph needs a tensor no longer, and another graph may need
 * that for longer. C takes such tensors for placed, and computes wrong numbers.
 *
 * @module
 */

import type { Handle } from "../../core/handle.ts";
import { library } from "../../load/library.ts";
import { nodeText } from "../../load/tensor_text.ts";
import { nodesOf } from "../graph_nodes.ts";
import { placedElsewhere } from "../placement.ts";
import { TensorMemory } from "../tensor_memory.ts";
import { Node } from "./node.ts";

/** A tensor with memory of its own: where that is, and which of the graph's nodes writes it and is the last to read it. */
interface Span {
  readonly begin: number;
  readonly end: number;
  readonly written: number;
  read: number;
}

/** Throws where a graph writes to what another allocator placed before the graph has read what lies there. */
export function expectApart(where: string, graph: Handle, home: Pick<Handle, "owner">): void {
  const elsewhere = placedElsewhere(graph.owner, home, () => nodesOf(graph.address));
  if (elsewhere.length === 0) return;
  const memory = new TensorMemory(graph.owner), nodes = Array.from(nodesOf(graph.address), (address) => new Node(address, memory));
  const numbers = new Map(nodes.map(({ address }, i) => [address, i])), spans = new Map<bigint, Span>();
  nodes.forEach((node, i) => {
    for (const source of node.sources) {
      const root = source.view ?? source, span = spans.get(root.address) ?? spanOf(root, numbers.get(root.address) ?? -1);
      span.read = i;
      spans.set(root.address, span);
    }
  });
  for (const address of elsewhere) {
    const node = new Node(address, memory), number = numbers.get(address)!, { begin, end } = spanOf(node, number);
    if (node.view !== null) continue;
    for (const [other, span] of spans) {
      const isNeeded = span.written < number && number < span.read;
      if (!isNeeded || span.begin >= end || begin >= span.end) continue;
      const [writer, written, reader] = [address, other, nodes[span.read].address].map((each) => nodeText(library(), each));
      throw new Error(
        `${where}(graph): another allocator has put ${writer} in the place of ${written}, which ${reader} takes after that: make its tensors anew`,
      );
    }
  }
}

function spanOf(node: Node, written: number): Span {
  return { begin: node.data, end: node.data + node.bytes, written, read: written };
}
