/**
 * What guards are written against: shadows of tensors and contexts, and the errors for what C would abort on.
 *
 * The generated `guards.js` runs ggml's own conditions before C does, over shadows: a tensor's type, shape and strides as numbers, whether it
 * exists already or would be made on the way (`ggml_conv_2d` makes five). A guard changes nothing. What ggml.c says in pointers and tables
 * instead of conditions (how an object is put into a context's memory) is written by hand here.
 *
 * @module
 */

import type { Data } from "./arguments.ts";
import { Handle, memory } from "./handle.ts";
import { fromUint64, readFour, readInt64 } from "./integers.ts";
import { ABI } from "./layouts.js";
import { library } from "./library.ts";

/** What a guard reads of a `ggml_tensor`. */
export interface TensorHandle extends Handle {
  readonly type: number;
  readonly ne: readonly number[];
  readonly nb: readonly number[];
  readonly op: number;
  readonly flags: number;
  readonly op_params: Int32Array;
  readonly view_src: TensorHandle | null;
  readonly view_offs: number;
  readonly data: Handle | null;
  readonly buffer: Handle | null;
  readonly src: readonly (TensorHandle | null)[];
}

/** `GGML_MEM_ALIGN`: what sizes in a context's memory are rounded up to. */
const ALIGN = 16;

/** `sizeof(struct ggml_object)`, which stands before each object in a context's memory. */
const OBJECT_SIZE = 32;

/** A tensor as guards see it. */
export class Tensor {
  type: number;
  ne: number[];
  /** Null until somebody wants to know. */
  #nb: number[] | null;
  /** The tensor that exists; null for one that C would make on the way. */
  readonly handle: TensorHandle | null;
  #op = 0;
  #flags = 0;
  #view: Tensor | null;
  #offset: number;

  constructor(handle: TensorHandle | null, type: number, ne: number[], nb: number[] | null, view: Tensor | null, offset: number) {
    this.handle = handle;
    this.type = type;
    this.ne = ne;
    this.#nb = nb;
    this.#view = view;
    this.#offset = offset;
  }

  get nb(): number[] {
    return this.#nb ??= this.handle!.nb as number[];
  }

  get op(): number {
    return this.handle?.op ?? this.#op;
  }
  set op(op: number) {
    if (this.handle === null) this.#op = op;
  }

  get flags(): number {
    return this.handle?.flags ?? this.#flags;
  }
  set flags(flags: number) {
    if (this.handle === null) this.#flags = flags;
  }

  get view_src(): Tensor | null {
    return this.handle === null ? this.#view : tensor(this.handle.view_src);
  }

  get view_offs(): number {
    return this.handle === null ? this.#offset : this.handle.view_offs;
  }

  get op_params(): ArrayLike<number> {
    return this.handle?.op_params ?? new Int32Array(16);
  }

  get src(): (Tensor | null)[] {
    return this.handle === null ? [] : this.handle.src.map(tensor);
  }

  /** Addresses, which are equal where C's pointers are. */
  get data(): bigint | null {
    return this.handle?.data?.address ?? null;
  }

  get buffer(): bigint | null {
    return this.handle?.buffer?.address ?? null;
  }

  /** What makes it the same tensor as another shadow. */
  get key(): unknown {
    return this.handle?.address ?? this;
  }

  /** Type and shape in a few words. */
  toString(): string {
    let dimensions = this.ne.length;
    while (dimensions > 1 && this.ne[dimensions - 1] === 1) dimensions--;
    return `${typeName(this.type)} ne=[${this.ne.slice(0, dimensions).join(", ")}]`;
  }
}

/** A context as guards see it: its memory, and how much of that the call would take. */
export class Context {
  readonly #address: bigint;
  #planned = 0;

  constructor(address: bigint) {
    this.#address = address;
  }

  get no_alloc(): boolean {
    return (getNoAlloc ??= bind("ggml_get_no_alloc", "u64", "bool"))(this.#address);
  }

  get mem_size(): number {
    return fromUint64((getMemSize ??= bind("ggml_get_mem_size", "u64", "u64"))(this.#address));
  }

  /** Plans an object of so many bytes: `ggml_new_object`. */
  plan(size: number): void {
    this.planRaw(OBJECT_SIZE + pad(size, ALIGN));
  }

  /** Plans so many bytes. */
  planRaw(size: number): void {
    this.#planned += size;
  }

  /** Throws if the memory can't hold what was planned. */
  expectRoom(): void {
    if (this.#planned === 0) return;
    const size = this.mem_size;
    const free = size - fromUint64((usedMem ??= bind("ggml_used_mem", "u64", "u64"))(this.#address));
    if (this.#planned <= free) return;
    throw new GuardError("", `the context's memory is full: ${this.#planned} bytes are needed, ${free} of ${size} are free`);
  }
}

// Bound when they are first needed.
let getNoAlloc: ((context: bigint) => boolean) | null = null;
let getMemSize: ((context: bigint) => bigint) | null = null;
let usedMem: ((context: bigint) => bigint) | null = null;

/** Thrown inside a guard; {@linkcode named} adds the function's name. */
class GuardError extends Error {
  /** The C function that would have aborted, "" for any. */
  readonly where: string;
  /** What was shown of the variables in the message. */
  readonly shown: Readonly<Record<string, unknown>>;

  constructor(where: string, message: string, shown: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.where = where;
    this.shown = shown;
  }
}

/** The error for a condition that doesn't hold. */
export function failed(where: string, condition: string, variables: Readonly<Record<string, unknown>>, why = ""): Error {
  const shown = show(variables);
  return new GuardError(where, `${condition}${shown === "" ? "" : `: ${shown}`}${why === "" ? "" : ` (${why})`}`, variables);
}

/** The error where C aborts whatever the arguments. */
export function aborted(where: string, message: string): Error {
  return new GuardError(where, message);
}

/** An error of a guard as the caller of `name` is to see it; any other error as it is. */
export function named(error: unknown, name: string, tensors: Readonly<Record<string, unknown>>): unknown {
  if (!(error instanceof GuardError)) return error;
  const { where, message } = error;
  if (where === "") return new Error(`${name}: ${message}`);
  const inside = where === name || where === `${name}_impl` ? "" : ` in ${where.replace(/__.*/, "")}`; // an instance of a template
  const known = new Set(Object.values(error.shown));
  const more = show(Object.fromEntries(Object.entries(tensors).filter(([, value]) => !known.has(value))));
  return new Error(`${name}: assertion failed${inside}: ${message}${more === "" ? "" : `; ${more}`}`);
}

function show(variables: Readonly<Record<string, unknown>>): string {
  return Object.entries(variables).map(([name, value]) => {
    if (value instanceof Tensor) return `${name} is ${value}`;
    if (name === "type" || name.endsWith("_type")) return `${name} is ${typeName(value as number)}`;
    return `${name} is ${Array.isArray(value) ? `[${value.join(", ")}]` : value}`;
  }).join(", ");
}

/** The shadow of a tensor. */
export function tensor(handle: TensorHandle | null): Tensor | null {
  if (handle === null) return null;
  const view = memory(handle), offset = handle.$offset;
  const type = view.getUint32(offset + fields.type, true);
  return new Tensor(handle, type, readFour(view, offset + fields.ne, readInt64), null, null, 0);
}

const { fields } = ABI.records.ggml_tensor;

/** The shadow of a context. */
export function context(handle: Handle): Context {
  return new Context(handle.address);
}

/** The typed arrays that C's arrays of numbers are. */
type Numbers = Int32Array | Uint32Array | Float32Array | Float64Array | Int8Array | Uint8Array | Int16Array | Uint16Array;
type Integers64 = BigInt64Array | BigUint64Array;

/** How many elements a guard looks at behind a bare pointer: none looks at more than a tensor has dimensions. */
const DIMENSIONS = 4;

/**
 * An array argument as numbers.
 *
 * @param array The typed array that fits what C declares.
 */
export function numbers(
  value: Data | null,
  array: new (buffer: ArrayBuffer, byteOffset: number, length?: number) => Numbers | Integers64,
): ArrayLike<number> | null {
  if (value === null) return null;
  let typed: Numbers | Integers64;
  if (value instanceof ArrayBuffer) typed = new array(value, 0);
  else if (ArrayBuffer.isView(value)) typed = value instanceof array ? value : new array(value.buffer as ArrayBuffer, value.byteOffset);
  else {
    const pointer = value instanceof Handle ? Deno.UnsafePointer.create(value.address)! : value;
    typed = new array(Deno.UnsafePointerView.getArrayBuffer(pointer, DIMENSIONS * 8), 0, DIMENSIONS);
  }
  return typed instanceof BigInt64Array || typed instanceof BigUint64Array ? Array.from(typed, Number) : typed;
}

/**
 * What `ggml_new_tensor_impl` makes: a tensor in the context's memory, or a view of another's.
 *
 * Beyond what C asserts it refuses what C would take and then not survive: negative dimensions, rows that are no multiple of the type's
 * block, and sizes beyond 2^53 bytes, which C's own arithmetic overflows with.
 */
export function newTensor(
  ctx: Context,
  type: number,
  dimensions: number,
  ne: ArrayLike<number>,
  view: Tensor | null,
  offset: number,
): Tensor {
  const where = "ggml_new_tensor";
  const block = blockSize(type), size = typeSize(type);
  if (block === 0) throw failed(where, "type >= 0 && type < GGML_TYPE_COUNT", { type });
  if (!(dimensions >= 1 && dimensions <= DIMENSIONS)) throw failed(where, "n_dims >= 1 && n_dims <= GGML_MAX_DIMS", { n_dims: dimensions });
  const shape = [1, 1, 1, 1];
  for (let i = 0; i < dimensions; i++) shape[i] = ne[i];
  if (!shape.every((n) => n >= 0)) throw failed(where, "no dimension is negative", { ne: shape });
  if (shape[0] % block !== 0) throw failed(where, "ne[0] % ggml_blck_size(type) == 0", { ne: shape, type });
  const nb = [size, size * (shape[0] / block), 0, 0];
  nb[2] = nb[1] * shape[1];
  nb[3] = nb[2] * shape[2];
  const bytes = nb[3] * shape[3];
  if (Math.max(nb[1], 1) * Math.max(shape[1], 1) * Math.max(shape[2], 1) * Math.max(shape[3], 1) > Number.MAX_SAFE_INTEGER) {
    throw failed(where, "the size fits into 2^53 bytes", { ne: shape, type });
  }
  let source = view;
  if (source !== null && source.view_src !== null) {
    offset += source.view_offs;
    source = source.view_src;
  }
  if (offset > Number.MAX_SAFE_INTEGER) throw failed(where, "view_offs fits into 2^53 bytes", { view_offs: offset });
  if (source !== null && bytes > 0 && bytes + offset > byteLength(source)) {
    throw failed(where, "data_size + view_offs <= ggml_nbytes(view_src)", { data_size: bytes, view_offs: offset, view_src: source });
  }
  count++;
  ctx.plan(TENSOR_SIZE + (source === null && !ctx.no_alloc ? bytes : 0));
  return new Tensor(null, type, shape, nb, source, source === null ? 0 : offset);
}

let count = 0;

/** How many tensors guards have made so far. */
export function made(): number {
  return count;
}

/** True if two pointers point to the same tensor. */
export function same(a: Tensor | null, b: Tensor | null): boolean {
  return a === b || (a !== null && b !== null && a.key === b.key);
}

/** A parameter of an operation, which C keeps in words of 32 bits: `index` counts values of its kind. */
export function parameter(words: ArrayLike<number>, index: number, kind: "float" | "int32" | "int64"): number {
  const bytes = new DataView(Int32Array.from(words).buffer);
  if (kind === "float") return bytes.getFloat32(4 * index, true);
  return kind === "int32" ? bytes.getInt32(4 * index, true) : Number(bytes.getBigInt64(8 * index, true));
}

/** `memset(array, 0, …)`. */
export function zero(array: unknown[]): void {
  array.fill(0);
}

/** `calloc`: what isn't set is as good as zero. */
export function zeros(): number[] {
  return [];
}

/** `sizeof(struct ggml_tensor)`; the check of the ABI sees to it that the library agrees. */
const TENSOR_SIZE = 336;

/** `ggml_nbytes`. */
function byteLength({ type, ne, nb }: Tensor): number {
  if (!ne.every((n) => n > 0)) return 0;
  const block = blockSize(type);
  const row = block === 1 ? typeSize(type) + (ne[0] - 1) * nb[0] : Math.floor(ne[0] * nb[0] / block);
  return row + (ne[1] - 1) * nb[1] + (ne[2] - 1) * nb[2] + (ne[3] - 1) * nb[3];
}

/** What `GGML_PAD` computes. */
export function pad(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple;
}

/** C's division of integers. */
export function divide(a: number, b: number): number {
  if (b === 0) throw new GuardError("", `it would divide ${a} by zero`);
  return Math.trunc(a / b);
}

/** C's remainder. */
export function remainder(a: number, b: number): number {
  if (b === 0) throw new GuardError("", `it would divide ${a} by zero`);
  return a % b;
}

const blockSizes: number[] = [], typeSizes: number[] = [], quantized: boolean[] = [];

/** `ggml_blck_size`; 0 for a type that was removed, or never was. */
export function blockSize(type: number): number {
  return blockSizes[type] ??= isType(type) ? Number(bind("ggml_blck_size", "i32", "i64")(type)) : 0;
}

/** `ggml_type_size`. */
export function typeSize(type: number): number {
  return typeSizes[type] ??= isType(type) ? Number(bind("ggml_type_size", "i32", "u64")(type)) : 0;
}

/** `ggml_is_quantized`. */
export function isQuantized(type: number): boolean {
  return quantized[type] ??= isType(type) && bind("ggml_is_quantized", "i32", "bool")(type);
}

/** What guards read of `ggml_type_traits`: functions are there or null. */
export interface TypeTraits {
  readonly blck_size: number;
  readonly type_size: number;
  readonly is_quantized: boolean;
  readonly to_float: bigint | null;
  readonly from_float_ref: bigint | null;
}

/** What guards read of `ggml_type_traits_cpu`. */
export interface CpuTraits {
  readonly from_float: bigint | null;
  readonly vec_dot: bigint | null;
  readonly vec_dot_type: number;
  readonly nrows: number;
}

const traits: TypeTraits[] = [], cpu: CpuTraits[] = [];

/** `ggml_get_type_traits`. */
export function typeTraits(type: number): TypeTraits {
  return traits[type] ??= readTraits(type, "ggml_get_type_traits", "ggml_type_traits", (view, at) => ({
    blck_size: blockSize(type),
    type_size: typeSize(type),
    is_quantized: isQuantized(type),
    to_float: address(view, at.to_float),
    from_float_ref: address(view, at.from_float_ref),
  }));
}

/** `ggml_get_type_traits_cpu`. */
export function cpuTraits(type: number): CpuTraits {
  return cpu[type] ??= readTraits(type, "ggml_get_type_traits_cpu", "ggml_type_traits_cpu", (view, at) => ({
    from_float: address(view, at.from_float),
    vec_dot: address(view, at.vec_dot),
    vec_dot_type: view.getUint32(at.vec_dot_type, true),
    nrows: Number(view.getBigInt64(at.nrows, true)),
  }));
}

function readTraits<T>(
  type: number,
  name: string,
  record: keyof typeof ABI.records,
  read: (view: DataView, at: Readonly<Record<string, number>>) => T,
): T {
  const { size, fields } = ABI.records[record];
  const pointer = isType(type) ? bind(name, "i32", "pointer")(type) as Deno.PointerValue : null;
  const bytes = pointer === null ? new ArrayBuffer(size) : Deno.UnsafePointerView.getArrayBuffer(pointer, size);
  return read(new DataView(bytes), fields);
}

function address(view: DataView, offset: number): bigint | null {
  return view.getBigUint64(offset, true) || null;
}

/** `ggml_type_name`. */
export function typeName(type: number): string {
  if (!isType(type)) return String(type);
  const name = bind("ggml_type_name", "i32", "pointer")(type) as Deno.PointerValue;
  return name === null ? String(type) : Deno.UnsafePointerView.getCString(name);
}

/** How many types the headers know; the generated bindings say so when they are loaded. */
let typeCount = 0;

/** Tells guards how many types there are: `GGML_TYPE_COUNT`. */
export function expectTypes(count: number): void {
  typeCount = count;
}

function isType(type: number): boolean {
  return Number.isInteger(type) && type >= 0 && type < typeCount;
}

/** A function of the library with one parameter. */
// deno-lint-ignore no-explicit-any
function bind(name: string, parameter: Deno.NativeType, result: Deno.NativeType): (argument: any) => any {
  return library().symbol(name, { parameters: [parameter], result }) as (argument: unknown) => unknown;
}
