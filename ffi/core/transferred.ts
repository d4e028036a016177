/**
 * JavaScript's memory that C points to, and that somebody transfers elsewhere (`structuredClone`, `postMessage`) or makes shorter (`resize`): it isn't
 * there any more then, or it is somebody else's. Nothing tells; an ArrayBuffer only says that it is detached, or how long it is. So what keeps such
 * memory, and what keeps that, looks whenever it is used: `freed`, which every function tests, is a property that asks, of those owners alone.
 *
 * C's own memory (`c_memory.ts`) stays where it is, whoever has the ArrayBuffer over it.
 *
 * @module
 */

import { isOfC } from "./c_memory.ts";
import type { Ending, Owner } from "./owner.ts";

/** What an owner looks at. */
interface Guard {
  /** What `freed` was set to. */
  freed: boolean;
  /** The memory that it keeps itself: by the name of the setter that it was given to, or by itself. */
  readonly own: Map<unknown, readonly Piece[]>;
  /** The owners that it keeps, which keep memory. */
  readonly others: Set<Owner>;
}

interface Piece {
  readonly buffer: ArrayBuffer;
  /** Where in the buffer it ends. */
  readonly end: number;
  /** For errors, as it was: a detached array has no length. */
  readonly text: string;
}

const guards = new WeakMap<Owner, Guard>();

/** Which field memory was first given to. */
const fields = new WeakMap<ArrayBuffer, string>();

/** Memory that nobody can transfer: who has it doesn't give it away. */
const kept = new WeakSet<ArrayBuffer>();

/** Says of new memory that nobody outside will have it: then nothing need look at it. */
export function keptInside<T extends ArrayBufferView<ArrayBuffer>>(memory: T): T {
  kept.add(memory.buffer);
  return memory;
}

/** What `freed` of such an owner is. */
const ASKING: PropertyDescriptor & ThisType<Owner> = {
  get() {
    const guard = guards.get(this)!;
    return guard.freed || isLost(this, guard);
  },
  set(value: boolean) {
    guards.get(this)!.freed = value;
  },
  enumerable: true,
  configurable: true,
};

/**
 * Has an owner that keeps memory look at it. Does nothing with what is none.
 *
 * @param setter The setter whose latest values they are; null for what is kept for good.
 */
export function guardMemory(owner: Owner, values: readonly unknown[], setter: string | null): void {
  const pieces = values.flatMap((value) => pieceOf(value, setter) ?? []);
  if (setter !== null) guards.get(owner)?.own.delete(setter);
  if (pieces.length === 0) return;
  const { own } = guardOf(owner);
  if (setter !== null) own.set(setter, pieces);
  else for (const piece of pieces) own.set(piece.buffer, [longest(piece, own.get(piece.buffer))]);
  for (const dependent of owner.dependents) guardOwner(dependent, owner);
}

/** Of two parts of one buffer, that which ends later. */
function longest(piece: Piece, [before]: readonly Piece[] = []): Piece {
  return before === undefined || before.end < piece.end ? piece : before;
}

/** Has an owner that keeps another look at the memory that this one keeps. */
export function guardOwner(owner: Owner, other: Owner): void {
  if (!guards.has(other) || guards.get(owner)?.others.has(other)) return;
  guardOf(owner).others.add(other);
  for (const dependent of owner.dependents) guardOwner(dependent, owner);
}

function guardOf(owner: Owner): Guard {
  let guard = guards.get(owner);
  if (guard === undefined) {
    guards.set(owner, guard = { freed: owner.freed, own: new Map(), others: new Set() });
    Object.defineProperty(owner, "freed", ASKING);
  }
  return guard;
}

function pieceOf(value: unknown, setter: string | null): Piece | null {
  const memory = value instanceof ArrayBuffer || ArrayBuffer.isView(value) ? value : null;
  const buffer = memory instanceof ArrayBuffer ? memory : memory?.buffer ?? null;
  if (memory === null || !(buffer instanceof ArrayBuffer) || kept.has(buffer) || isOfC(buffer)) return null;
  if (setter !== null && !fields.has(buffer)) fields.set(buffer, setter);
  const field = fields.get(buffer), as = field === undefined ? "that it was made of" : `given as ${field}`;
  const end = memory instanceof ArrayBuffer ? memory.byteLength : memory.byteOffset + memory.byteLength;
  return { buffer, end, text: `the ${memory.constructor.name} of ${memory.byteLength} bytes ${as}` };
}

/** Whether memory is gone. Then the owner can't be used any more, and says why. */
function isLost(owner: Owner, guard: Guard): boolean {
  const ending = lossOf(owner, guard, new Set());
  if (ending === null) return false;
  guard.freed = true;
  owner.ending ??= ending;
  return true;
}

function lossOf(owner: Owner, { own, others }: Guard, seen: Set<Owner>): Ending | null {
  seen.add(owner);
  for (const pieces of own.values()) {
    for (const { buffer, end, text } of pieces) {
      if (!buffer.detached && buffer.byteLength >= end) continue;
      const how = `left without its memory: ${text} ${buffer.detached ? "was transferred elsewhere" : "shrank"}`;
      return { type: owner.type, how, gone: false, culprit: null, site: null };
    }
  }
  for (const other of others) {
    const culprit = seen.has(other) || !owner.keeps(other) ? null : lossOf(other, guards.get(other)!, seen);
    if (culprit !== null) return { type: owner.type, how: "", gone: false, culprit: culprit.culprit ?? culprit, site: null };
  }
  return null;
}
