/**
 * The runtime of generated modules: handles, structs, callbacks, argument checks, and the opening of the library.
 *
 * Nobody imports this file. `generate` reads it as text and copies into each module the declarations that the module uses (pieces.ts), so it
 * keeps to a form: every declaration at the top level has a name that begins with `$`, as no C library's does, and an empty line before it.
 * It is the small relative of ffi/, which knows ggml's arenas and is written for speed first.
 *
 * @module
 */

/** A function as `Deno.dlopen` gives it. */
// deno-lint-ignore no-explicit-any
export type $Symbol = (...args: any[]) => any;

/** The library's file, once one of the candidates was opened. */
let $file: string | null = null;

/** Opens the library; one error lists every name that was tried. */
export function $open(name: string): string {
  if ($file !== null) return $file;
  const tried: string[] = [];
  for (const candidate of $candidates(name)) {
    try {
      Deno.dlopen(candidate, {});
      return $file = candidate;
    } catch (error) {
      if (error instanceof Deno.errors.NotCapable) throw error;
      tried.push(`  ${candidate}: ${(error as Error).message.replace(/^(Could not open library: )+/, "").replace(`${candidate}: `, "")}`);
    }
  }
  throw new Error(`no library ${name}; tried:\n${tried.join("\n")}`);
}

/** File names for a library: a path or file name as it is, else what this system makes of the name. */
export function $candidates(name: string): string[] {
  if (/[/\\]|\.(so|dylib|dll)(\.|$)/.test(name)) return [name];
  const stem = name.startsWith("lib") ? name : `lib${name}`;
  if (Deno.build.os === "windows") return [`${name}.dll`, `${stem}.dll`];
  return [`${stem}.${Deno.build.os === "darwin" ? "dylib" : "so"}`];
}

/** Binds one symbol. Each is looked up by itself, when it is first called: a library may lack some that its headers declare. */
export function $bindIn(library: string, name: string, parameters: readonly Deno.NativeType[], result: Deno.NativeResultType): $Symbol {
  return $lookUp(library, name, { parameters, result }) as $Symbol;
}

/** A symbol of the library: a function, or the address of a variable. */
function $lookUp(library: string, name: string, definition: Deno.ForeignFunction | Deno.ForeignStatic): unknown {
  const file = $open(library);
  try {
    return Deno.dlopen(file, { [name]: definition }).symbols[name];
  } catch (error) {
    if (!(error instanceof Error) || !error.message.startsWith(`Failed to register symbol ${name}`)) throw error;
    throw new Error(`${name} is not in the library ${file}: ${error.message.replace(/^.*Could not obtain symbol from the library: /, "")}`);
  }
}

/** The variables that were read or written already. */
const $variables = new Map<string, $Pointer>();

/** A variable of the library, whose memory has `size` bytes. */
export function $variableIn(library: string, name: string, size: number): $Pointer {
  let found: $Pointer | null | undefined = $variables.get(name);
  if (found === undefined) {
    found = $Pointer.from($lookUp(library, name, { type: "pointer" }) as Deno.PointerValue);
    if (found === null) throw new Error(`${name} is at the address 0 of the library ${$open(library)}`);
    found.$view = new DataView(found.bytes(size).buffer);
    $variables.set(name, found);
  }
  return found;
}

/** What must stay alive for a set of pointers to stay valid. Handles that C made from other handles share the owner of those. */
export class $Owner {
  /** The address of the object itself, 0n for what is never freed. */
  readonly address: bigint;
  /** True once C was told to free the object. Its handles throw from then on. */
  freed = false;
  /** The object's memory, where it is JavaScript's. */
  memory: DataView | null = null;
  readonly #kept: Set<unknown> = new Set();

  constructor(address: bigint) {
    this.address = address;
  }

  /** Keeps `value` from being garbage-collected for as long as this owner lives. */
  keep(value: unknown): void {
    if (value !== null && value !== this && value !== $STATIC) this.#kept.add(value);
  }
}

/** The owner of what is never freed by this module. It also keeps the callbacks that C may call for ever. */
export const $STATIC: $Owner = new $Owner(0n);

/** A C pointer. A null one is `null`. */
export abstract class $Handle {
  /** The C type, for the compiler only: it tells classes without fields apart. */
  declare readonly $struct: string;
  /** The C address, never 0. */
  readonly address: bigint;
  /** What keeps the address valid. */
  readonly owner: $Owner;
  /** @ignore The memory that the fields are read through, from the first time on. */
  $view: DataView | null = null;
  /** @ignore Where in `$view` the struct begins. */
  $offset = 0;

  constructor(address: bigint, owner: $Owner = $STATIC) {
    this.address = address;
    this.owner = owner;
  }

  /** A handle of this class from an address (what C wrote through an out-parameter) or a Deno pointer; null for a null one. */
  static from<H>(this: new (address: bigint, owner?: $Owner) => H, pointer: bigint | Deno.PointerValue, owner: $Owner = $STATIC): H | null {
    const address = typeof pointer === "bigint" ? pointer : BigInt(Deno.UnsafePointer.value(pointer));
    return address === 0n ? null : new this(address, owner);
  }

  /** The same pointer as Deno's own FFI functions take it. */
  get pointer(): Deno.PointerObject {
    if (this.owner.freed) throw $freedError(this, "pointer");
    return Deno.UnsafePointer.create(this.address)!;
  }

  /** True if `other` points to the same place. */
  equals(other: $Handle | null): boolean {
    return other !== null && other.address === this.address;
  }
}

/** A pointer to something that has no class: `void *`, `float *`, `char **`. */
export class $Pointer extends $Handle {
  declare readonly $struct: "void";

  /** The bytes that it points to, without a copy. C doesn't say how many there are: a wrong number reads what isn't yours. */
  bytes(byteLength: number): Uint8Array<ArrayBuffer> {
    if (this.owner.freed) throw $freedError(this, "bytes");
    return new Uint8Array($externalBuffer(this.address, byteLength, this.owner));
  }

  /** The text that it points to, up to the NUL. */
  text(): string {
    return Deno.UnsafePointerView.getCString(this.pointer);
  }
}

/** What a struct is made from: its fields, the bytes that become its memory, or the C address of one that exists. */
export type $Init<Fields> = Fields | Uint8Array<ArrayBuffer> | bigint;

/** A struct, in C's memory or in JavaScript's. */
export abstract class $Struct extends $Handle {
  constructor(init: object | bigint = {}, owner?: $Owner) {
    if (typeof init === "bigint") {
      super(init, owner);
      return;
    }
    const { size } = new.target as unknown as { readonly size: number };
    const bytes = init instanceof Uint8Array ? init as Uint8Array<ArrayBuffer> : new Uint8Array(size);
    if (bytes.length < size) throw new RangeError(`new ${new.target.name}: expected ${size} bytes, got ${bytes.length}`);
    const address = $addressOf(bytes);
    super(address, new $Owner(address));
    this.owner.memory = this.$view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (!(init instanceof Uint8Array)) $assign(this, init);
  }

  /** The struct's own bytes, not a copy. */
  get bytes(): Uint8Array<ArrayBuffer> {
    const view = $memory(this);
    const { size } = this.constructor as unknown as { readonly size: number };
    return new Uint8Array(view.buffer as ArrayBuffer, view.byteOffset + this.$offset, size);
  }

  /** The struct `index` places on, where this is the first of several. C doesn't say how many there are. */
  at(index: number): this {
    const { size } = this.constructor as unknown as { readonly size: number };
    return new (this.constructor as new (address: bigint, owner: $Owner) => this)(this.address + BigInt(index * size), this.owner);
  }
}

/** Sets the fields of a new struct. */
function $assign(target: $Struct, fields: object): void {
  for (const [name, value] of Object.entries(fields)) {
    const setter = Object.getOwnPropertyDescriptor(target.constructor.prototype, name)?.set;
    if (setter === undefined) throw new TypeError(`new ${target.constructor.name}: it has no field ${JSON.stringify(name)} to be set`);
    if (value !== undefined) setter.call(target, value);
  }
}

/** The memory that a struct's fields are read through; where in it the struct begins is put into `$offset`. */
export function $memory(handle: $Handle): DataView {
  if (handle.owner.freed) throw $freedError(handle, handle.constructor.name);
  if (handle.$view !== null) return handle.$view;
  const { size } = handle.constructor as unknown as { readonly size: number };
  const { memory, address } = handle.owner;
  const offset = Number(handle.address - address);
  if (memory !== null && offset >= 0 && offset + size <= memory.byteLength) {
    handle.$offset = offset;
    return handle.$view = memory;
  }
  return handle.$view = new DataView($externalBuffer(handle.address, size, handle.owner));
}

/** Owners that are kept alive by the buffers which show their memory. */
const $bufferOwners = new WeakMap<ArrayBuffer, $Owner>();

/** C memory as an `ArrayBuffer` that keeps `owner` alive. */
function $externalBuffer(address: bigint, byteLength: number, owner: $Owner): ArrayBuffer {
  const buffer = Deno.UnsafePointerView.getArrayBuffer(Deno.UnsafePointer.create(address)!, byteLength);
  if (owner !== $STATIC) $bufferOwners.set(buffer, owner);
  return buffer;
}

/** The address of the first byte of a buffer or of a view of one. */
function $addressOf(data: ArrayBuffer | ArrayBufferView<ArrayBuffer>): bigint {
  return BigInt(Deno.UnsafePointer.value(Deno.UnsafePointer.of(data)));
}

/** The error for a handle that is used after its owner was freed. */
function $freedError(handle: $Handle, where: string): Error {
  return new Error(`${where}: this ${handle.constructor.name} was freed`);
}

/** Marks what `handle` stands for as freed, after C freed it. */
export function $markFreed(handle: $Handle | null): void {
  if (handle !== null && handle.owner.address === handle.address) handle.owner.freed = true;
}

/** Has `owner` keep alive whatever `handle` points into. */
export function $keep(owner: $Owner, handle: $Handle | null): void {
  if (handle !== null && handle.owner !== owner) owner.keep(handle.owner);
}

/** Any value in a few words, for "expected this, got that". */
export function $describe(value: unknown): string {
  if (typeof value === "string") return `the string ${JSON.stringify(value.length > 40 ? value.slice(0, 40) + "…" : value)}`;
  if (typeof value === "bigint") return `the bigint ${value}n`;
  if (value === null || value === undefined || typeof value !== "object") return String(value);
  const name = value.constructor?.name;
  return name === undefined || name === "Object" ? "a plain object" : `${/^[AEIOU]/.test(name) ? "an" : "a"} ${name}`;
}

/** The error for a value of the wrong type. */
export function $wrong(value: unknown, expected: string, where: string): TypeError {
  return new TypeError(`${where}: expected ${expected}, got ${$describe(value)}`);
}

/** The error for a value that is no integer of the right width. */
function $notInteger(value: unknown, expected: string, where: string): Error {
  const error = $wrong(value, expected, where);
  return typeof value === "number" || typeof value === "bigint" ? new RangeError(error.message) : error;
}

/** A signed integer of 32 bits. */
export function $int32(value: number, where: string): number {
  if (typeof value !== "number" || (value | 0) !== value) throw $notInteger(value, "an int32", where);
  return value;
}

/** An unsigned integer of 32 bits. */
export function $uint32(value: number, where: string): number {
  if (typeof value !== "number" || (value >>> 0) !== value) throw $notInteger(value, "a uint32", where);
  return value;
}

/** A signed integer of 8 or 16 bits. */
export function $small(value: number, bits: number, where: string): number {
  if (typeof value !== "number" || (value << (32 - bits) >> (32 - bits)) !== value) throw $notInteger(value, `an int${bits}`, where);
  return value;
}

/** An unsigned integer of 8 or 16 bits. */
export function $smallUnsigned(value: number, bits: number, where: string): number {
  if (typeof value !== "number" || (value << (32 - bits) >>> (32 - bits)) !== value) throw $notInteger(value, `a uint${bits}`, where);
  return value;
}

/** A signed integer of 64 bits. */
export function $int64(value: number | bigint, where: string): bigint {
  if (typeof value === "number" && Number.isSafeInteger(value)) return BigInt(value);
  if (typeof value === "bigint" && BigInt.asIntN(64, value) === value) return value;
  throw $notInteger(value, "an int64", where);
}

/** An unsigned integer of 64 bits. */
export function $uint64(value: number | bigint, where: string): bigint {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return BigInt(value);
  if (typeof value === "bigint" && BigInt.asUintN(64, value) === value) return value;
  throw $notInteger(value, "a uint64", where);
}

/** A 64-bit integer from C as a number. What no number holds exactly throws a RangeError whose cause is the bigint. */
export function $fromInt64(value: bigint): number {
  const number = Number(value);
  if (Number.isSafeInteger(number)) return number;
  throw new RangeError(`${value} is beyond 2^53, where numbers are no longer exact; it is this error's cause, as a bigint`, {
    cause: value,
  });
}

/** A boolean. */
export function $bool(value: boolean, where: string): boolean {
  if (typeof value !== "boolean") throw $wrong(value, "a boolean", where);
  return value;
}

/** A `float` or `double`. */
export function $float(value: number, where: string): number {
  if (typeof value !== "number") throw $wrong(value, "a number", where);
  return value;
}

/** A string as C takes it: NUL-terminated UTF-8. */
function $encode(value: string, where: string): Uint8Array<ArrayBuffer> {
  if (typeof value !== "string") throw $wrong(value, "a string", where);
  const nul = value.indexOf("\0");
  if (nul >= 0) throw new TypeError(`${where}: the string has a NUL at index ${nul}, where C would cut it off`);
  return new TextEncoder().encode(value + "\0");
}

/** A `const char *`. */
export function $string(value: string | null, where: string): Uint8Array<ArrayBuffer> | null {
  return value === null ? null : $encode(value, where);
}

/** The format of a printf-like function, whose other arguments can't be passed: C prints the text as it is. */
export function $format(value: string, where: string): Uint8Array<ArrayBuffer> {
  return $encode(typeof value === "string" ? value.replaceAll("%", "%%") : value, where);
}

/** A `const char *` that C returned. */
export function $fromString(pointer: Deno.PointerValue): string | null {
  return pointer === null ? null : Deno.UnsafePointerView.getCString(pointer);
}

/** What a pointer parameter to numbers takes: a typed array of that width, or memory as bytes. */
export type $Data<Typed extends ArrayBufferView = ArrayBufferView> =
  | Typed
  | Uint8Array
  | DataView
  | ArrayBuffer
  | $Handle
  | Deno.PointerObject;

/** Memory that C reads or writes. `width` is the bytes of an element as C declares it; 0 for `void`, which takes anything. */
export function $data(value: $Data | null, width: number, where: string): ArrayBufferView<ArrayBuffer> | ArrayBuffer | null {
  if (value === null || value instanceof ArrayBuffer) return value;
  if (ArrayBuffer.isView(value)) {
    const bytes = "BYTES_PER_ELEMENT" in value ? value.BYTES_PER_ELEMENT as number : 1;
    if (width !== 0 && bytes !== width && bytes !== 1) throw $wrong(value, `memory with elements of ${width} bytes`, where);
    if (value.buffer instanceof ArrayBuffer) return value as ArrayBufferView<ArrayBuffer>;
  }
  if (value instanceof $Handle) {
    if (value.owner.freed) throw $freedError(value, where);
    return $externalBuffer(value.address, 1, value.owner);
  }
  if ($isPointerObject(value)) return Deno.UnsafePointerView.getArrayBuffer(value, 1);
  throw $wrong(value, "a typed array, an ArrayBuffer, a handle, a Deno pointer or null", where);
}

/** Deno's pointers are objects without a prototype. */
function $isPointerObject(value: unknown): value is Deno.PointerObject {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === null;
}

/** What a parameter `T **` takes: an array that C reads, or memory of 64-bit addresses that C may write. */
export type $Pointers<Item> = readonly (Item | null)[] | $Data<BigUint64Array>;

/** The strings that an array of pointers points to, alive as long as it is. */
const $argumentStrings = new WeakMap<BigUint64Array, Uint8Array[]>();

/** Pointers to handles or strings, one after the other. The strings live as long as the call. */
export function $pointers(value: $Pointers<$Handle | string> | null, where: string): ArrayBufferView<ArrayBuffer> | ArrayBuffer | null {
  if (!Array.isArray(value)) return $data(value as $Data | null, 8, where);
  const addresses = new BigUint64Array(value.length);
  const strings: Uint8Array[] = [];
  value.forEach((item, i) => {
    if (typeof item === "string") {
      const bytes = $encode(item, `${where}[${i}]`);
      strings.push(bytes);
      addresses[i] = $addressOf(bytes);
    } else addresses[i] = $handle(item, $Handle, `${where}[${i}]`);
  });
  if (strings.length > 0) $argumentStrings.set(addresses, strings);
  return addresses;
}

/** The address of a handle of the given class, 0n for null. */
export function $handle<H extends $Handle>(value: H | null, expected: abstract new (...args: never[]) => H, where: string): bigint {
  if (value === null) return 0n;
  if (!(value instanceof expected)) throw $wrong(value, `a ${expected.name} or null`, where);
  if (value.owner.freed) throw $freedError(value, where);
  return value.address;
}

/** The bytes of a struct that is passed by value. */
export function $structBytes<S extends $Struct>(
  value: S,
  expected: abstract new (...args: never[]) => S,
  where: string,
): Uint8Array<ArrayBuffer> {
  if (!(value instanceof expected)) throw $wrong(value, `a ${expected.name}`, where);
  return value.bytes;
}

/** A pointer field as a handle. What it points to is taken to live as long as the struct's owner. */
export function $getHandle<H>(struct: $Handle, offset: number, wrapper: new (address: bigint, owner: $Owner) => H): H | null {
  const address = $memory(struct).getBigUint64(struct.$offset + offset, true);
  return address === 0n ? null : new wrapper(address, struct.owner);
}

/** An array of pointers as handles. */
export function $getHandles<H>(
  struct: $Handle,
  offset: number,
  length: number,
  wrapper: new (address: bigint, owner: $Owner) => H,
): (H | null)[] {
  return Array.from({ length }, (_, i) => $getHandle(struct, offset + 8 * i, wrapper));
}

/** An array of structs. Each reads and writes the memory of the struct that holds them. */
export function $getStructs<S>(
  struct: $Handle,
  offset: number,
  length: number,
  wrapper: (new (address: bigint, owner: $Owner) => S) & { readonly size: number },
): S[] {
  return Array.from({ length }, (_, i) => new wrapper(struct.address + BigInt(offset + i * wrapper.size), struct.owner));
}

/** Points a field at something, and keeps that alive as long as the struct's owner. */
export function $setPointer(struct: $Handle, offset: number, value: $Data | null, where: string): void {
  let address = 0n;
  if (value instanceof $Handle) address = $handle(value, $Handle, where);
  else if (value !== null) address = $addressOf($data(value, 0, where)!);
  $memory(struct).setBigUint64(struct.$offset + offset, address, true);
  struct.owner.keep(value instanceof $Handle ? value.owner : value);
}

/** Points each element of an array field at something. */
export function $setPointers(struct: $Handle, offset: number, length: number, values: readonly ($Data | null)[], where: string): void {
  $expectLength(values, length, where);
  values.forEach((value, i) => $setPointer(struct, offset + 8 * i, value, `${where}[${i}]`));
}

/** A `const char *` field. */
export function $getString(struct: $Handle, offset: number): string | null {
  return $fromString(Deno.UnsafePointer.create($memory(struct).getBigUint64(struct.$offset + offset, true)));
}

/** Points a `const char *` field at a copy of `value` that lives as long as the struct's owner. */
export function $setString(struct: $Handle, offset: number, value: string | null, where: string): void {
  $setPointer(struct, offset, $string(value, where), where);
}

/** A `char name[length]` field: its text up to the NUL. */
export function $getText(struct: $Handle, offset: number, length: number): string {
  const bytes = $getArray(struct, offset, length, Uint8Array);
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
}

/** Writes text and its NUL into a `char name[length]` field. Throws a RangeError if it doesn't fit. */
export function $setText(struct: $Handle, offset: number, length: number, value: string, where: string): void {
  const bytes = $encode(value, where);
  if (bytes.length > length) throw new RangeError(`${where}: ${bytes.length} bytes with the NUL don't fit into ${length}`);
  const field = $getArray(struct, offset, length, Uint8Array);
  field.fill(0);
  field.set(bytes);
}

/** An array of numbers as a typed array over the struct's own memory: writing an element writes the field. */
export function $getArray<T>(
  struct: $Handle,
  offset: number,
  length: number,
  constructor: new (buffer: ArrayBuffer, byteOffset: number, length: number) => T,
): T {
  const view = $memory(struct);
  return new constructor(view.buffer as ArrayBuffer, view.byteOffset + struct.$offset + offset, length);
}

/** An array of 64-bit integers as numbers. */
export function $getInt64s(struct: $Handle, offset: number, length: number, signed: boolean): number[] {
  const view = $memory(struct);
  const at = (i: number) => struct.$offset + offset + 8 * i;
  return Array.from({ length }, (_, i) => $fromInt64(signed ? view.getBigInt64(at(i), true) : view.getBigUint64(at(i), true)));
}

/** Sets an array of 64-bit integers. */
export function $setInt64s(
  struct: $Handle,
  offset: number,
  length: number,
  signed: boolean,
  values: readonly (number | bigint)[],
  where: string,
): void {
  $expectLength(values, length, where);
  const view = $memory(struct);
  for (let i = 0; i < length; i++) {
    const value = signed ? $int64(values[i], where) : $uint64(values[i], where);
    view.setBigInt64(struct.$offset + offset + 8 * i, value, true);
  }
}

/** Throws a RangeError unless `values` has as many elements as the array field. */
export function $expectLength(values: { readonly length: number }, length: number, where: string): void {
  if (values?.length !== length) throw new RangeError(`${where}: expected ${length} elements, got ${values?.length ?? $describe(values)}`);
}

/** Copies a struct into a field of its type. */
export function $setStruct<S extends $Struct>(
  struct: $Handle,
  offset: number,
  value: S,
  wrapper: abstract new (...args: never[]) => S,
  where: string,
): void {
  const bytes = $structBytes(value, wrapper, where);
  $getArray(struct, offset, bytes.length, Uint8Array).set(bytes);
  $keep(struct.owner, value);
}

/** A bit-field; `bit` counts from the lowest bit of the struct's first byte. */
export function $getBits(struct: $Handle, bit: number, width: number, signed: boolean): number {
  const view = $memory(struct);
  let value = 0n;
  for (let i = (bit + width - 1) >> 3; i >= bit >> 3; i--) value = (value << 8n) | BigInt(view.getUint8(struct.$offset + i));
  value >>= BigInt(bit & 7);
  return $fromInt64(signed ? BigInt.asIntN(width, value) : BigInt.asUintN(width, value));
}

/** Sets a bit-field and leaves its neighbours as they are. */
export function $setBits(struct: $Handle, bit: number, width: number, signed: boolean, value: number | bigint, where: string): void {
  const whole = signed ? $int64(value, where) : $uint64(value, where);
  if ((signed ? BigInt.asIntN(width, whole) : BigInt.asUintN(width, whole)) !== whole) {
    throw new RangeError(`${where}: expected ${signed ? "a signed" : "an unsigned"} integer of ${width} bits, got ${$describe(value)}`);
  }
  const view = $memory(struct);
  for (let i = 0; i < width; i++) {
    const at = struct.$offset + ((bit + i) >> 3), mask = 1 << ((bit + i) & 7);
    const rest = view.getUint8(at) & ~mask;
    view.setUint8(at, (whole >> BigInt(i) & 1n) === 1n ? rest | mask : rest);
  }
}
