/**
 * Memory that lasts as long as an asynchronous call: copies, in C's memory, of what is TypeScript's.
 *
 * When an isolate ends, which a Worker does without a word, its ArrayBuffers are freed at once, and C would go on in them. So C works on copies: of
 * arrays, and of structs with all that they point to which is TypeScript's, the pointers changed accordingly. What C may have changed is copied back
 * when the call has settled. Nobody frees the copies of an isolate that has ended.
 *
 * This is not for what C, or its result, still points to after the call: that must be the very memory.
 *
 * @module
 */

import { cBytes } from "./c_memory.ts";
import { addressOf, Handle } from "./handle.ts";
import type { Owner } from "./owner.ts";

/** Memory of TypeScript's. */
type Memory = ArrayBuffer | ArrayBufferView<ArrayBuffer>;

/** What is done when the call has settled, whose name is for errors. */
export type Back = ((where: string) => void)[];

/** A struct of TypeScript's, or of C's. */
type Struct = Handle & { readonly bytes: Uint8Array<ArrayBuffer> };

function bytesOf(memory: Memory): Uint8Array<ArrayBuffer> {
  return memory instanceof ArrayBuffer ? new Uint8Array(memory) : new Uint8Array(memory.buffer, memory.byteOffset, memory.byteLength);
}

function copied(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const copy = cBytes(bytes.length);
  copy.set(bytes);
  return copy;
}

/** Memory that C reads: a copy, unless the argument stands for an address. */
export function inward(value: unknown, memory: Memory | null): Memory | null {
  return memory === null || isPointer(value) ? memory : copied(bytesOf(memory));
}

/** Memory that C reads and writes: a copy that is copied back, unless the argument stands for an address. */
export function outward(value: unknown, memory: Memory | null, back: Back): Memory | null {
  if (memory === null || isPointer(value)) return memory;
  const bytes = bytesOf(memory), copy = copied(bytes);
  back.push((where) => putBack(bytes, copy, where));
  return copy;
}

/** Copies to where the caller wants it what C changed. */
function putBack(bytes: Uint8Array<ArrayBuffer>, copy: Uint8Array<ArrayBuffer>, where: string): void {
  if (bytes.length < copy.length) {
    throw new TypeError(`${where}: memory of ${copy.length} bytes, for what C gives, was transferred elsewhere meanwhile, or shrank`);
  }
  bytes.set(copy);
}

function isPointer(value: unknown): boolean {
  return value instanceof Handle || (typeof value === "object" && value !== null && Object.getPrototypeOf(value) === null);
}

/** A struct that is passed by value. Its copy is of this moment: the struct may be changed while C works. */
export function passed(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return copied(bytes);
}

/** A struct that is passed by value, given by its bytes too, with what it points to. C has no more than a copy of it. */
export function passedWhole(struct: Struct, bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return isOurs(struct.owner) ? copyWhole(struct)[0].copy : copied(bytes);
}

/**
 * The address of a copy of a struct, with what it points to, where it is TypeScript's; else its own.
 *
 * @param address Its own; 0n for null.
 * @param back Where C may change it: for what copies it back.
 */
export function pointedWhole(struct: Struct | null, address: bigint, back: Back | null): bigint {
  if (struct === null || !isOurs(struct.owner) || struct.owner.address !== address) return address;
  const pieces = copyWhole(struct);
  back?.push((where) => {
    const home = pieces.map(moveOf).map(({ from, length, to }) => ({ from: to, length, to: from }));
    for (const { bytes, copy, points } of pieces) {
      if (points) relocate(copy, home);
      putBack(bytes, copy, where);
    }
  });
  return addressOf(pieces[0].copy);
}

/** True for the owner of a struct's own memory. */
function isOurs({ type, arena, address }: Owner): boolean {
  return type === "" && arena !== null && address !== 0n;
}

/** A piece of TypeScript's memory, and its copy. */
interface Piece {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly copy: Uint8Array<ArrayBuffer>;
  /** Whether it may hold pointers. */
  readonly points: boolean;
}

/** Copies a struct, which is the first piece, and what it points to. */
function copyWhole({ owner }: Struct): Piece[] {
  const found = new Map<ArrayBuffer, Piece[]>();
  collect(owner, found);
  const pieces = [...found.values()].flat(), moves = pieces.map(moveOf);
  for (const { copy, points } of pieces) if (points) relocate(copy, moves);
  return pieces;
}

function moveOf({ bytes, copy }: Piece): Move {
  return { from: addressOf(bytes), length: BigInt(bytes.length), to: addressOf(copy) };
}

/** Copies a struct's memory, and what it keeps. */
function collect({ arena, kept }: Owner, found: Map<ArrayBuffer, Piece[]>): void {
  const take = (memory: Memory, points: boolean): boolean => {
    const bytes = bytesOf(memory), known = found.get(bytes.buffer) ?? [];
    if (bytes.length === 0 || known.some((piece) => covers(piece.bytes, bytes))) return false;
    found.set(bytes.buffer, [...known, { bytes, copy: copied(bytes), points }]);
    return true;
  };
  if (!take(arena as DataView<ArrayBuffer>, true)) return;
  for (const value of kept) {
    if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) take(value as Memory, value instanceof BigUint64Array);
    else if (isOwner(value) && isOurs(value)) collect(value, found);
  }
}

function isOwner(value: unknown): value is Owner {
  return typeof value === "object" && value !== null && "keptOwners" in value;
}

function covers(outer: Uint8Array, inner: Uint8Array): boolean {
  return outer.byteOffset <= inner.byteOffset && outer.byteOffset + outer.length >= inner.byteOffset + inner.length;
}

interface Move {
  readonly from: bigint;
  readonly length: bigint;
  readonly to: bigint;
}

/** Has pointers into what was moved follow it. */
function relocate(bytes: Uint8Array<ArrayBuffer>, moves: readonly Move[]): void {
  const words = new BigUint64Array(bytes.buffer, bytes.byteOffset, bytes.length >> 3);
  words.forEach((word, i) => {
    const move = moves.find(({ from, length }) => word >= from && word < from + length);
    if (move !== undefined) words[i] = word - move.from + move.to;
  });
}
