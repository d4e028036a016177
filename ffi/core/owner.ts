/**
 * Owners: what must stay alive for a set of pointers to stay valid, and what becomes of those that point into it when it is freed.
 *
 * Every handle has an owner. A context's tensors share the context's; a struct made in TypeScript has one for its own memory. An owner
 * *keeps* what its object points to: alive against the garbage collector, and knows in turn, weakly, who keeps it. So freeing one by hand
 * can tell all the others, and a generated function has a single flag to test, `owner.freed`.
 *
 * What is right when an object ends depends on what C does with the pointers to it. There are three relations:
 *
 * - **needs**: C made the one from the other, and frees it by way of it (a `llama_context` reads its model when it is freed). Such dependents
 *   are freed first. That holds for whatever C made and has a function to free: a scheduler of its backends, samplers and adapters of their
 *   model. Collected in one go, they are freed in the same order: a finalizer's record holds what the object needs until it has run.
 * - **keeps**: it only points there. It can't be used any more, with an error that names the culprit, but C frees it without a look at what it
 *   points to, so disposing of it, and collecting it, stay safe. Such is a context with tensors whose sources are in another context, one
 *   whose tensors lie in a backend's buffer or were placed by an allocator or a scheduler, and a gguf with their data. A context's tensors,
 *   graphs and fields are all unusable then, even those that would still be readable: C follows the pointers of any of them.
 * - **forgets**: it points there until a function tells it to forget that (a scheduler its graph, `ggml_backend_sched_reset`; a
 *   `llama_context` its thread pool). The function is called before the object ends, and it stays usable.
 *
 * Some things end before what they lie in: what a `gguf_context` shows of itself when it is changed, a `llama_context`'s logits when it decodes
 * on, an optimizer's tensors when it makes new ones. They have an owner of their own, which is ended then (`passing`). And the memory that an
 * allocator or a scheduler gives to a graph's tensors is taken from them when it is used again; see `placement.ts`.
 *
 * A backend's buffers need no backend: they belong to its device, so they outlive it. Neither do they need the context whose tensors lie in
 * them. What a call only reads leaves no relation (`#pragma reads`).
 *
 * Ownership changes hands in two calls: `llama_sampler_chain_add` takes a sampler, which is then freed with its chain, and
 * `llama_sampler_chain_remove` gives it back. Disposing of a sampler that a chain has does nothing, `llama_sampler_free` of it is an Error.
 *
 * This file knows nothing of C's functions; which relation is whose is said by the pragmas in `lexer/ggml/api.h`, and who may be freed, by
 * `roots.ts`.
 *
 * @module
 */

import { lastly, type Later } from "./after.ts";
import { forgetOwner } from "./known.ts";
import { guardMemory, guardOwner } from "./transferred.ts";
import { type Tie, WeakList } from "./weak.ts";

/** How and why an object ended, or can't be used any more. */
export interface Ending {
  /** The C type; "" for a struct's memory. */
  readonly type: string;
  /** How, to go after "was": `freed by ggml_free`, `freed (disposed of)`. */
  readonly how: string;
  /** True if C freed it; false if it only points to what ended. */
  readonly gone: boolean;
  /** Where the object only points to what ended: that. Null for what C freed, and for what it left half done. */
  readonly culprit: Ending | null;
  /** Where it was freed, with {@linkcode traceFrees} on; of what C left half done, what it failed of. */
  readonly site: Error | null;
  /** True where it can be used again, when an asynchronous call has settled. */
  readonly isLent?: boolean;
}

/** What a setter was last given, and the function that makes C forget it. */
interface Latest {
  readonly values: ReadonlySet<unknown>;
  readonly forget: (() => void) | null;
}

/** How an owner depends on what it keeps. What it was made of it keeps for as long as it lives, whatever its object is made to forget. */
type Keeping = "needs" | "keeps" | "made of";

/** How an owner depends on another; a function makes it forget the other. */
type Relation = Keeping | (() => void);

/** Owners that asynchronous calls use: whoever else lets go of them, they live. */
const inUse = new Map<Owner, string[]>();

const NOTHING: readonly Owner[] = [];

/** Below this many dependents nothing is tidied up. */
const SMALL = 32;

/**
 * Weak references that stood for owners which have ended, to be used again: V8 holds a new one until the event loop turns. Whoever still has one of
 * these asks whether its target is the owner that it means.
 */
const spare: { readonly tie: Tie<Owner>; readonly weak: WeakRef<Tie<Owner>> }[] = [];

/** How many of those are kept. */
const SPARE = 256;

/** How many owners there were. */
let count = 0;

let tracing = false;

/** True once something ended that lies in another object's memory: until then none need be looked for. */
let havePartsEnded = false;

/** Has every free remember its stack, which the errors for what was freed then have as their cause. */
export function traceFrees(on: boolean): void {
  tracing = on;
}

/**
 * What must stay alive for a set of pointers to stay valid: a context, a backend, a struct's own memory.
 *
 * Handles that C made from other handles share the owner of the handle that they came from. Handles of one object that is freed by a function
 * of its own share its owner, wherever they were got.
 */
export class Owner {
  /** The address of the object itself; 0n for memory that is never freed. */
  readonly address: bigint;
  /** A number that no other owner has, for those who must know it again and not hold it. */
  readonly id: number = ++count;
  /** True once the object can't be used any more: C freed it, or what it points to. Its handles throw from then on. */
  freed = false;
  /** The memory in which the object keeps its structs, if it is known: their fields are then read through this one view. */
  arena: DataView | null = null;
  /** The arena where it is the object's own, to be given back when C frees the object. */
  memory: { free(): void } | null = null;
  /** The address of the first byte of `arena`. */
  base = 0n;
  /** The C type, for messages; "" for a struct's own memory. */
  type = "";
  /** Why it can't be used; null while it can. */
  ending: Ending | null = null;
  /** Frees the object, by C's function; null where somebody else does. It doesn't reach this owner, or nothing were ever collected. */
  release: (() => void) | null = null;
  /** The owner of the object that C gave this one to, and that frees it. */
  taker: Owner | null = null;
  /** The object that {@linkcode keep} was last given: graphs are built from the same weights again and again. */
  lastKept: Owner | null = null;
  #kept: Map<unknown, Keeping> | null = null;
  #latest: Map<string, Latest> | null = null;
  /** The owners that keep this one, or did: each once. */
  #dependents: Set<WeakRef<Tie<Owner>>> | null = null;
  /** How many there may be before those that were collected are dropped: twice what lived the last time, so that adding stays cheap. */
  #limit = SMALL;
  /** Itself, for those who hold it weakly. */
  #tie: Tie<Owner> | null = null;
  #weak: WeakRef<Tie<Owner>> | null = null;
  /** Buffers that show the object's structs, and those that show data of its tensors and the like. */
  #views: WeakList<ArrayBuffer> | null = null;
  #data: WeakList<ArrayBuffer> | null = null;
  #stays = false;
  #endedParts: Map<bigint, Owner> | null = null;
  /** What is valid for a shorter time than the object; see {@linkcode passing}. */
  #passing: Owner | null = null;

  /** The owner of the object at `address`. */
  constructor(address: bigint) {
    this.address = address;
  }

  /** True once C freed the object. */
  get gone(): boolean {
    return this.freed && (this.ending === null || this.ending.gone);
  }

  /** Keeps `value` from being garbage-collected for as long as this owner lives. An owner's end makes this one unusable. */
  keep(value: unknown): void {
    if (this.#keeps(value)) this.#add(value, "keeps");
    if (value instanceof Owner && value.type !== "") this.lastKept = value;
  }

  /** Like {@linkcode keep}, for what the object lies in from the beginning: it stays kept when C forgets all that it was given since. */
  keepForLife(value: unknown): void {
    if (this.#keeps(value)) this.#add(value, "made of");
  }

  /** Like {@linkcode keep}, for what C looks at when it frees this one: an owner's end frees this one first. */
  need(value: unknown): void {
    if (this.#kept?.has(value)) this.#kept.set(value, "needs");
    else if (this.#keeps(value)) this.#add(value, "needs");
  }

  /** Keeps what the setter `name` was given, in place of what it was given before: C holds on to the latest only. */
  keepLatest(name: string, values: readonly unknown[]): void {
    const kept = values.filter((value) => this.#keeps(value));
    (this.#latest ??= new Map()).set(name, { values: new Set(kept), forget: null });
    this.#dependOn(kept);
    guardMemory(this, kept, name);
  }

  /** Keeps `value` until {@linkcode Owner.forget} is told its name, or `value` ends: `forget` is called then. */
  keepUntil(name: string, value: unknown, forget: () => void): void {
    const values = this.#latest?.get(name)?.values ?? new Set();
    if (values.has(value) || !this.#keeps(value)) return;
    (this.#latest ??= new Map()).set(name, { values: new Set([...values, value]), forget });
    this.#dependOn([value]);
  }

  /** Lets go of what was kept by that name. */
  forget(name: string): void {
    this.#latest?.delete(name);
  }

  /** What the setter `name` was last given; null for nothing. */
  latest(name: string): readonly unknown[] | null {
    const latest = this.#latest?.get(name);
    return latest === undefined ? null : [...latest.values];
  }

  /** True if this owner itself keeps `value`. */
  keeps(value: unknown): boolean {
    return this.#kept?.has(value) === true || this.#relationTo(value as Owner) !== null;
  }

  /** All that this one keeps itself. */
  get kept(): readonly unknown[] {
    if (this.#latest === null) return this.#kept === null ? NOTHING : [...this.#kept.keys()];
    return [...this.#kept?.keys() ?? [], ...[...this.#latest.values()].flatMap(({ values }) => [...values])];
  }

  /** The owners that this one keeps itself. */
  get keptOwners(): readonly Owner[] {
    return this.kept.filter((value) => value instanceof Owner);
  }

  /** The memory of JavaScript's own that this one keeps itself. */
  get keptMemory(): readonly (ArrayBuffer | ArrayBufferView<ArrayBuffer>)[] {
    return this.kept.filter((value) => value instanceof ArrayBuffer || ArrayBuffer.isView(value)) as ArrayBuffer[];
  }

  /** What {@linkcode need} was given. */
  get needed(): unknown[] {
    return [...this.#kept ?? []].flatMap(([value, relation]) => relation === "needs" ? [value] : []);
  }

  /** Lets go of a thing that was kept. */
  drop(value: unknown): void {
    this.#kept?.delete(value);
    this.lastKept = null;
  }

  /** Has this owner depend on whatever `other` does. */
  inherit(other: Owner): void {
    if (other === STATIC) return;
    for (const [value, relation] of other.#kept ?? []) {
      if (value instanceof Owner && value.taker === other) this.inherit(value);
      else if (value !== other.taker && this.#keeps(value)) this.#add(value, relation);
    }
  }

  /** Takes the place of the owner of the same object before C cleared that: it depends on what the object was made of, and on nothing else. */
  succeed(old: Owner): void {
    this.#tie = old.#tie;
    this.#weak = old.#weak;
    this.memory = old.memory;
    old.memory = null;
    old.#tie = old.#weak = null;
    if (this.#tie !== null) this.#tie.target = this;
    for (const [value, relation] of old.#kept ?? []) if (relation !== "keeps") this.#add(value, relation);
  }

  /** A reference that doesn't keep it alive. */
  get weak(): WeakRef<{ target: Owner | null }> {
    if (this.#weak === null) {
      const { tie, weak } = spare.pop() ?? newTie();
      tie.target = this;
      this.#tie = tie;
      this.#weak = weak;
    }
    return this.#weak;
  }

  /** Has a buffer that shows this object's memory detached when the object ends. */
  show(buffer: ArrayBuffer, kind: "structs" | "data"): void {
    if (kind === "structs") (this.#views ??= new WeakList()).add(buffer);
    else (this.#data ??= new WeakList()).add(buffer);
  }

  /** Detaches the buffers that show data. */
  hideData(): void {
    detach(this.#data);
    this.#data = null;
  }

  /** The owner of what lies in the object until {@linkcode endPassing}. */
  get passing(): Owner {
    if (this.#passing === null) {
      this.#passing = new Owner(0n);
      this.#passing.type = this.type;
      this.#passing.keep(this);
    }
    return this.#passing;
  }

  /**
   * Ends what {@linkcode passing} owns.
   *
   * @throws {Error} If an array over it was transferred elsewhere.
   */
  endPassing(how: string): void {
    this.#passing?.expectHere(`what lies in this ${this.type} can't be ${how} now`);
    this.#passing?.end(how, () => {});
    this.#passing = null;
  }

  /**
   * Marks the object as in use: until the hold ends, it and what it depends on may be neither freed nor collected.
   *
   * @param why What uses it, for the error: "computeAsync is using it".
   * @returns Ends the hold; calling it again does nothing.
   */
  hold(why: string): () => void {
    const held = inUse.get(this) ?? [];
    inUse.set(this, held);
    held.push(why);
    let over = false;
    return () => {
      if (over) return;
      over = true;
      held.splice(held.indexOf(why), 1);
      if (held.length === 0) inUse.delete(this);
    };
  }

  /**
   * Has the object be nobody's but an asynchronous call's, which changes it: whoever else uses it meanwhile gets an Error.
   *
   * @param to The call.
   * @returns Ends that.
   */
  lend(to: string): () => void {
    const ending: Ending = { type: this.type, how: to, gone: false, culprit: null, site: null, isLent: true };
    this.freed = true;
    this.ending = ending;
    return () => {
      if (this.ending !== ending) return;
      this.freed = false;
      this.ending = null;
    };
  }

  /** Why it may not be freed now, for a hold on it or on what depends on it; null if it may. */
  get heldBy(): string | null {
    if (inUse.size === 0) return null;
    for (const owner of dependentsOf(this)) {
      const held = inUse.get(owner);
      if (held !== undefined) return held[0];
    }
    return null;
  }

  /**
   * Ends the object: frees what needs it, has those forget it that can, has C free it, detaches the views of its memory, and makes unusable
   * what points to it.
   *
   * @param how For the errors that follow, to go after "was": "freed by ggml_free".
   * @param free Calls C.
   * @returns What `free` does: a promise where C frees it on another thread.
   * @throws {Error} If it, or what depends on it, is in use; nothing is freed then.
   */
  end<T>(how: string, free: () => T | Promise<T>): T | Promise<T> {
    const why = this.heldBy;
    if (why !== null) throw new Error(`this ${this.type} can't be ${how} now: ${why}`);
    return this.#end(how, free, tracing ? new Error(`here the ${this.type} was ${how}`) : null);
  }

  /**
   * Makes the object unusable, but for being freed, and what points to it, because C left it half done.
   *
   * @param how To go after "was": "left half done by ggml_opt_alloc, which failed: …".
   * @param error What C failed of.
   */
  leaveHalfDone(how: string, error: Error): void {
    const ending: Ending = { type: this.type, how, gone: false, culprit: null, site: error };
    const spoilt = spoiltBy(this);
    this.spoil(ending);
    for (const owner of spoilt) {
      if (owner.ending === null) owner.spoil({ type: owner.type, how: "", gone: false, culprit: ending, site: error });
    }
  }

  /** As {@linkcode leaveHalfDone}, for what lies in the object's memory. Gives its owner, which every handle of it has from now on. */
  endPart(address: bigint, type: string, how: string, error: Error): Owner {
    const part = new Owner(address);
    part.type = type;
    part.keep(this);
    part.spoil({ type, how, gone: false, culprit: null, site: error });
    (this.#endedParts ??= new Map()).set(address, part);
    havePartsEnded = true;
    return part;
  }

  /** The owner of a handle of what lies at an address in the object's memory: this one, unless that ended before. */
  at(address: bigint): Owner {
    return havePartsEnded ? this.#endedParts?.get(address) ?? this : this;
  }

  /** Makes it unusable, because it points to what ended, or C freed it together with that. */
  spoil(ending: Ending): void {
    this.freed = true;
    this.ending = ending;
    this.arena = null;
    this.#detach();
    if (!ending.gone) return;
    forgetOwner(this);
    this.memory?.free();
    this.memory = null;
    this.#letGo();
  }

  /** Lets go of all that it keeps, which knows it no longer. */
  #letGo(): void {
    if (this.#weak !== null) { for (const owner of this.keptOwners) owner.#dependents?.delete(this.#weak); }
    if (this.#tie !== null && this.#weak !== null) {
      this.#tie.target = null;
      if (spare.length < SPARE) spare.push({ tie: this.#tie, weak: this.#weak });
    }
    this.#kept =
      this.#latest =
      this.lastKept =
      this.#tie =
      this.#weak =
        null;
  }

  /** The owners whose objects may point to this one's. */
  get dependents(): readonly Owner[] {
    const found: Owner[] = [];
    for (const weak of this.#dependents ?? []) {
      const owner = weak.deref()?.target ?? null;
      if (owner !== null && owner.#relationTo(this) !== null) found.push(owner);
    }
    return found;
  }

  #end<T>(how: string, free: () => Later<T>, site: Error | null): Later<T> {
    const ending: Ending = { type: this.type, how, gone: true, culprit: null, site };
    // From here on nobody may use it, or a callback that C calls while it frees could.
    this.freed = true;
    this.ending = ending;
    for (const owner of this.dependents) {
      if (!owner.gone && owner.freedBefore(this)) owner.#end(`freed with its ${this.type}, which was ${how}`, owner.release!, site);
    }
    const spoilt = spoiltBy(this);
    for (const owner of [this, ...spoilt]) {
      for (const dependent of owner.dependents) {
        const relation = dependent.#relationTo(owner);
        if (typeof relation === "function" && !dependent.freed && !spoilt.has(dependent)) relation();
      }
    }
    const freed = this.#isElsewhere ? undefined as T : free();
    return lastly(() => freed, () => {
      for (const owner of spoilt) {
        if (owner.gone) continue;
        if (owner.taker === this) owner.spoil({ ...ending, type: owner.type, how: `freed with its ${this.type}, which was ${how}` });
        else if (owner.ending === null) owner.spoil({ type: owner.type, how: "", gone: false, culprit: ending, site });
      }
      this.spoil(ending);
    });
  }

  /** True for what can be kept: what is never freed needs no keeping. */
  #keeps(value: unknown): boolean {
    return value !== null && value !== this && value !== STATIC && !(value instanceof Owner && this.#kept?.has(value));
  }

  #add(value: unknown, relation: Keeping): void {
    (this.#kept ??= new Map()).set(value, relation);
    this.#dependOn([value]);
    if (value instanceof Owner) guardOwner(this, value);
    else if (this !== STATIC) guardMemory(this, [value], null);
  }

  #dependOn(values: readonly unknown[]): void {
    if (this === STATIC) return; // whatever ends, the rest stays usable
    for (const value of values) if (value instanceof Owner) value.#addDependent(this.weak);
  }

  #addDependent(dependent: WeakRef<Tie<Owner>>): void {
    const dependents = this.#dependents ??= new Set();
    dependents.add(dependent);
    if (dependents.size < this.#limit) return;
    for (const weak of dependents) if ((weak.deref()?.target ?? null) === null) dependents.delete(weak);
    this.#limit = Math.max(SMALL, 2 * dependents.size);
  }

  #relationTo(owner: Owner): Relation | null {
    const relation = this.#kept?.get(owner);
    if (relation !== undefined) return relation;
    for (const { values, forget } of this.#latest?.values() ?? []) if (values.has(owner)) return forget ?? "keeps";
    return null;
  }

  /** True if C frees this one by way of `owner`, so that it must do so first. */
  freedBefore(owner: Owner): boolean {
    return this.#relationTo(owner) === "needs" && this.release !== null && this.taker === null;
  }

  /** True if this one can't be used without `owner`. */
  spoiltBy(owner: Owner): boolean {
    return typeof this.#relationTo(owner) === "string" && !this.freedBefore(owner);
  }

  /** Has C never free the object: an array over its memory was transferred elsewhere. */
  stay(): void {
    if (this.gone) return;
    this.#stays = true;
    STATIC.keep(this);
  }

  /** Throws if an array over the object's memory was transferred elsewhere: C would free that, or write to it. */
  expectHere(what: string): void {
    if (this.#isShownElsewhere) {
      throw new Error(`${what}: an array over its memory was transferred elsewhere; make another, and transfer copies`);
    }
  }

  /** True if C may not free the object: an array over its memory, or over what others may have of it, was transferred elsewhere. */
  get #isElsewhere(): boolean {
    return this.#isShownElsewhere || this.dependents.some((other) => other.#isShownElsewhere);
  }

  get #isShownElsewhere(): boolean {
    return this.#stays || areDetached(this.#data) || areDetached(this.#views);
  }

  #detach(): void {
    detach(this.#views);
    this.#views = null;
    this.hideData();
  }
}

/** The owner of what is never freed: static tables, devices, registries. It also keeps the callbacks that C may call for ever. */
export const STATIC: Owner = new Owner(0n);

function newTie(): { tie: Tie<Owner>; weak: WeakRef<Tie<Owner>> } {
  const tie: Tie<Owner> = { target: null };
  return { tie, weak: new WeakRef(tie) };
}

/** True if one of the buffers is. */
function areDetached(buffers: WeakList<ArrayBuffer> | null): boolean {
  for (const buffer of buffers ?? []) if (buffer.detached) return true;
  return false;
}

function detach(buffers: WeakList<ArrayBuffer> | null): void {
  for (const buffer of buffers ?? []) if (!buffer.detached) buffer.transfer();
}

/** An owner and all that depend on it, directly or not. */
function dependentsOf(owner: Owner, found: Set<Owner> = new Set()): Set<Owner> {
  if (found.has(owner)) return found;
  found.add(owner);
  for (const dependent of owner.dependents) dependentsOf(dependent, found);
  return found;
}

/** What can't be used without `owner`, directly or not. */
function spoiltBy(owner: Owner, found: Set<Owner> = new Set()): Set<Owner> {
  for (const dependent of owner.dependents) {
    if (found.has(dependent) || dependent.gone || !dependent.spoiltBy(owner)) continue;
    found.add(dependent);
    spoiltBy(dependent, found);
  }
  return found;
}
