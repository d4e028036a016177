/**
 * 64-bit integers, which C has and `number` has not: read from structs, returned by calls.
 *
 * They come back as numbers. What no number holds exactly throws a RangeError whose cause is the value as a bigint, so nothing is lost
 * silently; a caller who asks for all bits ({@linkcode allBits}) gets them. Bigints are taken apart and put together through a scratch array: half
 * the price of `Number(bigint)` and `BigInt(number)`, which V8 doesn't optimize (measured: 4 ns for a whole call against 10, and a decoder's graph
 * 7 % faster).
 *
 * @module
 */

/** 2^32, what one unit of the upper half is worth. */
const WORD = 4294967296;

const scratch = new BigInt64Array(1);
const halves = new Uint32Array(scratch.buffer);

/** A whole number as a bigint. */
export function toInt64(value: number): bigint {
  halves[0] = value;
  halves[1] = Math.floor(value / WORD);
  return scratch[0];
}

/**
 * The result of a call that returns a signed 64-bit integer.
 *
 * @param name The function's, where all bits of its result can be asked for.
 */
export function fromInt64(result: bigint, name?: string): number {
  scratch[0] = result;
  return halves[1] === 0 ? halves[0] : joinSigned(halves[1], halves[0], name);
}

/** The result of a call that returns an unsigned 64-bit integer, `size_t` among them. */
export function fromUint64(result: bigint, name?: string): number {
  scratch[0] = result;
  return halves[1] === 0 ? halves[0] : joinUnsigned(halves[1], halves[0], name);
}

/** The function of whose result all bits are asked for, and that result where no number holds it. */
let asked: string | undefined = undefined;
let exact: bigint | null = null;

/** What a function returns, with all its bits. Other functions that are called on the way return what they always do. */
export function allBits(name: string, call: () => number): bigint {
  const before = asked;
  asked = name;
  exact = null;
  try {
    const result = call();
    return exact ?? BigInt(result);
  } finally {
    asked = before;
    exact = null;
  }
}

/** Reads an `int64_t`. */
export function readInt64(view: DataView, offset: number): number {
  const high = view.getUint32(offset + 4, true), low = view.getUint32(offset, true);
  return high === 0 ? low : joinSigned(high, low);
}

/** Reads a `uint64_t`. */
export function readUint64(view: DataView, offset: number): number {
  const high = view.getUint32(offset + 4, true), low = view.getUint32(offset, true);
  return high === 0 ? low : joinUnsigned(high, low);
}

/** Reads four 64-bit integers in a row, as a tensor's `ne` and `nb` are: one test for the usual case, that all are small and positive. */
export function readFour(view: DataView, offset: number, read: (view: DataView, offset: number) => number): readonly number[] {
  const a = view.getInt32(offset, true), b = view.getInt32(offset + 8, true);
  const c = view.getInt32(offset + 16, true), d = view.getInt32(offset + 24, true);
  const high = view.getInt32(offset + 4, true) | view.getInt32(offset + 12, true) | view.getInt32(offset + 20, true) |
    view.getInt32(offset + 28, true);
  if (high !== 0 || (a | b | c | d) < 0) return Object.freeze([0, 8, 16, 24].map((i) => read(view, offset + i)));
  const slot = (a ^ Math.imul(b, 31) ^ Math.imul(c, 961) ^ Math.imul(d, 29791)) & (SHAPES - 1), at = 4 * slot;
  if (made[at] === a && made[at + 1] === b && made[at + 2] === c && made[at + 3] === d) return shapes[slot];
  made[at] = a;
  made[at + 1] = b;
  made[at + 2] = c;
  made[at + 3] = d;
  return shapes[slot] = Object.freeze([a, b, c, d]);
}

/**
 * The shapes that were read last, by what they are made of. They are frozen, because writing to one would change no tensor; and freezing takes as long
 * as ten reads. What each is made of stands in a typed array too, of which V8 reads four numbers faster than of frozen arrays.
 */
const SHAPES = 256;
const shapes: (readonly number[])[] = Array(SHAPES);
const made: Int32Array<ArrayBuffer> = new Int32Array(4 * SHAPES).fill(-1);

/** Reads a pointer; 0n for null. */
export function readAddress(view: DataView, offset: number): bigint {
  if (view.getUint32(offset, true) === 0 && view.getUint32(offset + 4, true) === 0) return 0n;
  return view.getBigUint64(offset, true);
}

function joinSigned(high: number, low: number, name?: string): number {
  const value = (high | 0) * WORD + low;
  return Number.isSafeInteger(value) ? value : unsafeInteger((BigInt(high | 0) << 32n) + BigInt(low), name);
}

function joinUnsigned(high: number, low: number, name?: string): number {
  const value = high * WORD + low;
  return Number.isSafeInteger(value) ? value : unsafeInteger((BigInt(high) << 32n) + BigInt(low), name);
}

/** Keeps what no number holds for who asks for it, and throws it to anybody else. */
function unsafeInteger(value: bigint, name: string | undefined): number {
  if (name !== undefined && name === asked) {
    exact = value;
    return 0;
  }
  const function_ = name === undefined ? "" : `${name}: `, way = name === undefined ? "" : `; lib.bigint.${name} returns it`;
  throw new RangeError(
    `${function_}${value} is beyond 2^53, where numbers are no longer exact; it is this error's cause, as a bigint${way}`,
    {
      cause: value,
    },
  );
}
