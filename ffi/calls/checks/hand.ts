/**
 * Tensors whose fields were set by hand: what a builder asserted of them, and kernels take for granted, need not hold any more.
 *
 * What was built after the field was set was built of the tensor as it is now. What was built before isn't computed. And memory that was set by
 * hand must be large enough.
 *
 * @module
 */

import { type Original, originalOf } from "../changes.ts";
import { ABI } from "../../generated/layouts.js";
import { type Owner, STATIC } from "../../core/owner.ts";
import { ownersOf, roomOf } from "../reach.ts";
import type { Node } from "./node.ts";
import { reach } from "./views.ts";

const { fields } = ABI.records.ggml_tensor;

/** The fields by which a kernel finds a source's numbers, and those that say what a node computes, with the bytes that they have. */
const SHAPE = { type: 4, ne: 32, nb: 32, view_src: 8, view_offs: 8 } as const;
const OPERATION = { ...SHAPE, op: 4, op_params: 64, src: 80 } as const;

/** A look at what was set by hand, for one graph. */
export class HandLook {
  readonly #owners: ReadonlySet<Owner>;

  constructor(owner: Owner) {
    this.#owners = new Set([...ownersOf(owner), STATIC]);
  }

  /** Why a node can't be computed any more; null if it can. */
  node(node: Node): string | null {
    const field = this.#differs(node, OPERATION);
    return field === null ? this.#outside(node) : `its ${field} was set by hand`;
  }

  /** Why a node's source can't be read any more; null if it can. */
  source(source: Node, node: Node): string | null {
    const original = this.#originalOf(source.address), field = this.#differs(source, SHAPE);
    if (field !== null && !this.#isAfter(node.address, original!)) return `was given another ${field} by hand`;
    return this.#outside(source);
  }

  #originalOf(address: bigint): Original | null {
    for (const owner of this.#owners) {
      const original = originalOf(owner, Number(address));
      if (original !== null) return original;
    }
    return null;
  }

  /** The first field that isn't what it was; null for none. */
  #differs({ address, words, at }: Node, lengths: Readonly<Partial<Record<keyof typeof fields, number>>>): string | null {
    const original = this.#originalOf(address);
    if (original === null) return null;
    for (const [field, length] of Object.entries(lengths)) {
      const begin = fields[field as keyof typeof fields] / 4;
      for (let i = begin; i < begin + length / 4; i++) if (original.words[i] !== words[at + i]) return field;
    }
    return null;
  }

  /** True if a node was made after a tensor's fields were set. */
  #isAfter(node: bigint, { filled }: Original): boolean {
    for (const owner of this.#owners) {
      if (owner.type !== "ggml_context" || owner.arena === null) continue;
      const offset = Number(node - owner.base);
      if (offset >= 0 && offset < owner.arena.byteLength) return offset >= (filled.get(owner) ?? 0);
    }
    return false;
  }

  /** What was set by hand, or is a view of such, lies in memory that is its own. */
  #outside(tensor: Node): string | null {
    const { view } = tensor;
    if (this.#originalOf(tensor.address) === null && (view === null || this.#originalOf(view.address) === null)) return null;
    const bytes = reach(tensor), room = roomOf(tensor.address, this.#owners);
    return bytes <= room ? null : `has memory for ${room} bytes, and reaches over ${bytes}`;
  }
}
