/**
 * Boxes: the elements that two sides of a copy have in common, as dimensions with a stride on either side.
 *
 * Pure arithmetic on counts and byte offsets: nothing here touches memory or knows a type. Everything that copies cuts, merges and orders
 * boxes until what is left is a run of bytes or a small loop.
 *
 * @module
 */

/** How the elements of one side lie in memory. Row-major: the fastest dimension is the last. */
export interface Layout {
  /** Elements in each dimension. */
  readonly shape: readonly number[];
  /** Bytes from one element to the next in each dimension; along the dimension of the blocks, from one block to the next. */
  readonly strides: readonly number[];
  /** Where the first element is. */
  readonly offset: number;
  /** Elements in a block; 1 for what isn't quantized. */
  readonly blockSize: number;
  /** Bytes in a block. */
  readonly unit: number;
  /** The dimension along which the elements of a block lie. */
  readonly blockAxis: number;
}

/** One dimension of a box. */
export interface Axis {
  /** Elements. */
  readonly count: number;
  /** Bytes between neighbours (elements or, if there is more than one element in a block along this axis, blocks) on the side that is read. */
  readonly from: number;
  /** Bytes between neighbours on the side that is written. */
  readonly to: number;
  /** Elements in a block along this axis on the side that is read. */
  readonly fromBlock: number;
  /** Elements in a block along this axis on the side that is written. */
  readonly toBlock: number;
}

/** Elements of two sides. */
export interface Box {
  readonly axes: readonly Axis[];
  /** The offset of the first element on the side that is read. */
  readonly from: number;
  /** The offset of the first element on the side that is written. */
  readonly to: number;
}

/** Elements in all. */
export function countOf(shape: readonly number[]): number {
  let count = 1;
  for (const n of shape) count *= n;
  return count;
}

/** Elements that lie one after the other, in row-major order. */
export function denseLayout(shape: readonly number[], { blockSize, typeSize }: { blockSize: number; typeSize: number }): Layout {
  const blockAxis = shape.length - 1;
  const strides = shape.map(() => 0);
  let next = typeSize;
  for (let i = blockAxis; i >= 0; i--) {
    strides[i] = next;
    next *= i === blockAxis ? shape[i] / blockSize : shape[i];
  }
  return { shape, strides, offset: 0, blockSize, unit: typeSize, blockAxis };
}

/** The bytes that a layout reaches over: from the first to behind the last, relative to where its offset is relative to. */
export function reachOf({ shape, strides, offset, blockSize, unit, blockAxis }: Layout): { begin: number; end: number } {
  let begin = offset, end = offset + unit;
  for (let i = 0; i < shape.length; i++) {
    const units = i === blockAxis ? shape[i] / blockSize : shape[i];
    if (units === 0) return { begin: offset, end: offset };
    const last = (units - 1) * strides[i];
    if (last < 0) begin += last;
    else end += last;
  }
  return { begin, end };
}

/** The box of two layouts of the same shape. A written element that is there several times (stride 0) gets the last value. */
export function boxOf(from: Layout, to: Layout): Box {
  const axes: Axis[] = [];
  let start = from.offset;
  for (let i = 0; i < to.shape.length; i++) {
    const count = to.shape[i];
    const fromBlock = i === from.blockAxis ? from.blockSize : 1, toBlock = i === to.blockAxis ? to.blockSize : 1;
    if (count === 1) continue;
    if (count > 1 && to.strides[i] === 0 && fromBlock === 1 && toBlock === 1) start += (count - 1) * from.strides[i];
    else axes.push({ count, from: from.strides[i], to: to.strides[i], fromBlock, toBlock });
  }
  return { axes, from: start, to: to.offset };
}

/** A box with the axes joined that lie one after the other on both sides. Where rows matter, the last axis stays as it is. */
export function merge({ axes, from, to }: Box, keepRows = false): Box {
  const merged: Axis[] = [];
  axes.forEach((axis, i) => {
    const outer = merged.at(-1);
    if (outer === undefined || (keepRows && i === axes.length - 1) || !follows(outer, axis)) merged.push(axis);
    else merged[merged.length - 1] = { ...axis, count: outer.count * axis.count };
  });
  return { axes: merged, from, to };
}

/** True if the outer axis goes on where the inner one ends, on both sides. */
function follows(outer: Axis, inner: Axis): boolean {
  return outer.fromBlock === 1 && outer.toBlock === 1 &&
    outer.from === inner.from * (inner.count / inner.fromBlock) &&
    outer.to === inner.to * (inner.count / inner.toBlock);
}

/** A box with its axes in the order of their strides on one side, the largest first; the axis for which `last` is true comes last. */
export function sortBy(side: "from" | "to", { axes, from, to }: Box, last: (axis: Axis) => boolean = () => false): Box {
  const other = side === "to" ? "from" : "to";
  const sorted = axes.toSorted((a, b) =>
    Number(last(a)) - Number(last(b)) || Math.abs(b[side]) - Math.abs(a[side]) || Math.abs(b[other]) - Math.abs(a[other])
  );
  return { axes: sorted, from, to };
}

/** True if an element of the destination may be in two places of the box, so that the order of writing matters. */
export function overlapsItself(axes: readonly Axis[], unit: number): boolean {
  let extent = unit;
  for (const { count, toBlock, to } of axes.toSorted((a, b) => Math.abs(a.to) - Math.abs(b.to))) {
    const units = count / toBlock, stride = Math.abs(to);
    if (units <= 1) continue;
    if (stride < extent) return true;
    extent += (units - 1) * stride;
  }
  return false;
}

/** True if one side of the box is one run of bytes in the order of the axes. */
export function isRun(side: "from" | "to", axes: readonly Axis[], unit: number): boolean {
  const block = side === "to" ? "toBlock" : "fromBlock";
  let next = unit;
  for (let i = axes.length - 1; i >= 0; i--) {
    if (axes[i][block] > 1 && i !== axes.length - 1) return false;
    const units = axes[i].count / axes[i][block];
    if (units !== 1 && axes[i][side] !== next) return false;
    next *= units;
  }
  return true;
}

/**
 * Cuts a box into smaller ones, in the order of its axes. A block is never cut.
 *
 * @param most How many elements a piece has at most, if its blocks allow.
 * @param wholeRows Whether the last axis stays whole.
 */
export function* pieces({ axes, from, to }: Box, most: number, wholeRows = false): Generator<Box> {
  if (axes.some(({ count }) => count === 0)) return;
  const steps = stepsOf(axes, most, wholeRows);
  const begin = axes.map(() => 0);
  while (true) {
    let start = from, end = to;
    const part = axes.map((axis, i) => {
      start += begin[i] / axis.fromBlock * axis.from;
      end += begin[i] / axis.toBlock * axis.to;
      return { ...axis, count: Math.min(steps[i], axis.count - begin[i]) };
    });
    yield { axes: part, from: start, to: end };
    let i = axes.length - 1;
    for (; i >= 0; i--) {
      begin[i] += steps[i];
      if (begin[i] < axes[i].count) break;
      begin[i] = 0;
    }
    if (i < 0) return;
  }
}

/** How many elements a piece has along each axis: all of the last ones, and as many as fit of the one before. */
function stepsOf(axes: readonly Axis[], most: number, wholeRows: boolean): number[] {
  const steps: number[] = axes.map(() => 1);
  let inner = 1;
  for (let i = axes.length - 1; i >= 0; i--) {
    const { count, fromBlock, toBlock } = axes[i];
    const grain = wholeRows && i === axes.length - 1 ? count : leastCommonMultiple(fromBlock, toBlock);
    const fit = Math.floor(most / inner / grain) * grain;
    steps[i] = Math.min(Math.max(fit, grain), count);
    inner *= steps[i];
  }
  return steps;
}

function leastCommonMultiple(a: number, b: number): number {
  let [x, y] = [a, b];
  while (y > 0) [x, y] = [y, x % y];
  return a / x * b;
}
