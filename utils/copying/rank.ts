/**
 * Numbers of dimensions: of tensors that were made from arrays, where `ne` doesn't tell, and of layouts.
 *
 * @module
 */

import type { lib } from "../../ffi/generated/lib.js";
import type { Owner } from "../../ffi/core/owner.ts";
import type { Layout } from "./box.ts";

/** What is known of a tensor: its `ne` then, since another one may come to lie at its address. */
interface Known {
  readonly ne: string;
  readonly rank: number;
}

/** By the owner of the tensors' memory, and address. */
const ranks = new WeakMap<Owner, Map<bigint, Known>>();
let any = false;

/** How many dimensions `ne` has up to the last that isn't 1. */
function leastRank(ne: readonly number[]): number {
  let rank = ne.length;
  while (rank > 1 && ne[rank - 1] === 1) rank--;
  return rank;
}

/** Remembers how many dimensions a tensor has. */
export function rememberRank({ address, owner, ne }: lib.ggml_tensor, rank: number): void {
  let known = ranks.get(owner);
  if (rank <= leastRank(ne)) {
    known?.delete(address);
    return;
  }
  if (known === undefined) ranks.set(owner, known = new Map());
  known.set(address, { ne: ne.join(), rank });
  any = true;
}

/** How many dimensions a tensor has. */
export function rankOf(tensor: lib.ggml_tensor): number {
  const { ne } = tensor, least = leastRank(ne);
  if (!any || least === ne.length) return least;
  const known = ranks.get(tensor.owner)?.get(tensor.address);
  return known === undefined || known.ne !== ne.join() ? least : known.rank;
}

/** A layout in so many dimensions: those of 1 in front come and go. */
export function inDims<L extends Pick<Layout, "shape" | "strides" | "blockAxis">>(layout: L, dims: number, role: string): L {
  const shape = [...layout.shape], strides = [...layout.strides];
  while (shape.length > dims && shape[0] === 1) shape.shift(), strides.shift();
  if (shape.length > dims) {
    throw new RangeError(`${role}: dims: expected at least ${shape.length} for the shape [${shape.join(", ")}], got ${dims}`);
  }
  while (shape.length < dims) {
    strides.unshift((shape[0] ?? 1) * (strides[0] ?? 1));
    shape.unshift(1);
  }
  return { ...layout, shape, strides, blockAxis: layout.blockAxis + shape.length - layout.shape.length };
}
