/**
 * Structs: handles whose fields are known, in C memory or in memory of their own.
 *
 * The generated classes add a getter and a setter a field. `new ggml_init_params({ mem_size: 1024 })` makes one in JavaScript memory, zero
 * but for the given fields; a handle that C returned reads and writes C's memory.
 *
 * @module
 */

import { show } from "./shown.ts";
import { describe } from "./describe.ts";
import { withoutElements } from "./elements.ts";
import { host } from "./host.ts";
import { addressOf, externalBuffer, freedError, Handle } from "./handle.ts";
import { Owner, STATIC } from "./owner.ts";

/** The fields of a struct class, all optional, each as its setter takes it: `$set` is declared where that is not what its getter gives. */
export type Fields<S> = {
  -readonly [K in Exclude<keyof S, keyof Struct | "$struct" | "$set">]?: S extends { readonly $set: { readonly [field in K]: infer T } } ? T
    : S[K];
};

/** What a struct is made from: its fields, the bytes of another (of several: it is the first), or a C address. */
export type Init<S> = Fields<S> | Uint8Array<ArrayBuffer> | bigint;

/** Structs one after the other, where C takes a pointer to the first and a length: one, which may be the first of several, or an array. */
export type Structs<S extends Struct> = S | readonly (S | Fields<S>)[];

/** What the generated struct classes know of their layout. */
interface StructClass {
  readonly name: string;
  readonly size: number;
  /** Where C wants it at multiples of more than the 16 bytes at which all memory begins. */
  readonly align?: number;
}

/** A handle with fields. */
export abstract class Struct extends Handle {
  /**
   * A new struct, or a handle of one that exists.
   *
   * @param init The fields of a new struct, the bytes that become its memory, or the C address of one that exists.
   * @param owner With an address: what keeps it valid.
   * @throws {TypeError} If there is no such field.
   */
  constructor(init: object | bigint = {}, owner?: Owner) {
    // What is rare is a function of its own: with it in here V8 would no longer inline the constructor.
    super(init as bigint, owner ?? STATIC);
    if (typeof init !== "bigint") make(this, init);
  }

  /** The struct's own bytes, not a copy. */
  get bytes(): Uint8Array<ArrayBuffer> {
    if (this.owner.freed) throw freedError(this, "bytes");
    host.exposed(this);
    const { size } = this.constructor as unknown as StructClass;
    const { arena, base } = this.owner;
    const offset = arena === null ? -1 : Number(this.address - base);
    if (arena === null || offset < 0 || offset + size > arena.byteLength) {
      return show(new Uint8Array(externalBuffer(this.address, size, this.owner, "structs")));
    }
    return show(new Uint8Array(arena.buffer as ArrayBuffer, arena.byteOffset + offset, size));
  }

  /** The struct `index` places on, where C returned a pointer to the first of several. C doesn't say how many there are. */
  at(index: number): this {
    const { size } = this.constructor as unknown as StructClass;
    return new (this.constructor as new (address: bigint, owner: Owner) => this)(this.address + BigInt(index) * BigInt(size), this.owner);
  }
}

withoutElements(Struct, (index) => `of several that lie one after the other, at(${index}) is one`);

/** Makes a handle one of a new struct. */
function make(struct: Struct, init: object): void {
  const bytes = memoryFor(init, struct.constructor as unknown as StructClass), address = addressOf(bytes), owner = new Owner(address);
  owner.arena = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  owner.base = address;
  Object.assign(struct, { address, owner });
  if (!(init instanceof Uint8Array)) assign(struct, init);
}

/** The memory of a new struct: the given bytes, those of one or of several that lie one after the other, or fresh ones. */
function memoryFor(init: object, { name, size, align }: StructClass): Uint8Array<ArrayBuffer> {
  if (typeof init !== "object" || init === null) throw new TypeError(`new ${name}: expected its fields, got ${describe(init)}`);
  if (!(init instanceof Uint8Array)) return fresh(size, align);
  if (init.byteLength < size || init.byteLength % size > 0) {
    throw new RangeError(`new ${name}: expected ${size} bytes, got ${init.byteLength}`);
  }
  return init as Uint8Array<ArrayBuffer>;
}

/** Zeros that begin at a multiple of `align`. */
function fresh(size: number, align: number = 0): Uint8Array<ArrayBuffer> {
  if (align === 0) return new Uint8Array(size);
  const bytes = new Uint8Array(size + align), past = Number(addressOf(bytes) % BigInt(align));
  return bytes.subarray(align - past, align - past + size);
}

function assign(target: Struct, fields: object): void {
  for (const [name, value] of Object.entries(fields)) {
    const setter = Object.getOwnPropertyDescriptor(target.constructor.prototype, name)?.set;
    if (setter === undefined) throw new TypeError(`new ${target.constructor.name}: it has no field ${describe(name).slice(11)}`);
    setter.call(target, value);
  }
}

/**
 * The first of structs that lie one after the other, in memory of their own. It keeps alive what they point to. What is no array is given back as it is.
 *
 * @param value The structs, or the fields of each.
 * @param more How many of zeros come behind them: where C isn't told how many there are, it reads up to one.
 */
export function structs<S extends Struct>(
  value: unknown,
  wrapper: new (address: bigint, owner: Owner) => S,
  where: string,
  more: number = 0,
): unknown {
  if (!Array.isArray(value)) return value;
  const { size, name, align } = wrapper as unknown as StructClass, items = [...value];
  const bytes = fresh((items.length + 1) * size, align), address = addressOf(bytes), owner = new Owner(address);
  owner.arena = new DataView(bytes.buffer, bytes.byteOffset, (items.length + more) * size);
  owner.base = address;
  items.forEach((item, i) => {
    if (item instanceof wrapper) {
      if (item.owner.freed) throw freedError(item, `${where}[${i}]`);
      bytes.set(item.bytes, i * size);
      owner.keep(item.owner);
    } else if (typeof item === "object" && item !== null && !(item instanceof Handle)) {
      assign(new wrapper(address + BigInt(i * size), owner), item);
    } else throw new TypeError(`${where}[${i}]: expected a ${name} or its fields, got ${describe(item)}`);
  });
  const first = new wrapper(address, owner);
  owner.keep(bytes);
  return first;
}
