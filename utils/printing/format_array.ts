/**
 * Arrays as text, as numpy prints them: brackets in brackets, rows under each other, long rows in several lines, "..." for what is left out.
 *
 * @module
 */

import { countOf } from "../copying/box.ts";
import type { PrintOptions } from "../print.ts";
import { type Corners, corners, rowsOf } from "./corners.ts";
import { formatNumbers } from "./format_numbers.ts";

/** The most numbers in one text: they take minutes and 4 GB, about what V8's heap holds, and where that is full it ends the process. */
const MOST = 2 ** 24;

/** How an array is shown. */
export type ArrayFormat = Required<Omit<PrintOptions, "dims">>;

/** The text of an array, which is read no further than it shows. */
export function formatArray(array: unknown, name: string, { threshold, edgeItems, precision, lineWidth }: ArrayFormat): string {
  const rows = rowsOf(array, name), isAll = countOf(rows.shape) <= threshold, edge = isAll ? Infinity : edgeItems;
  const shown = countOf(rows.shape.map((n) => Math.min(n, 2 * edge)));
  if (shown > MOST) throw new RangeError(`${name}: ${shown} numbers are too many for one text, of ${MOST} at most: give a threshold`);
  return formatCorners(corners(rows, edge), precision, lineWidth);
}

function formatCorners({ values, shape, edgeItems }: Corners, precision: number, lineWidth: number): string {
  if (shape.includes(0)) return "[]";
  const words = formatNumbers(values, precision);
  let next = 0;
  // What stands before a row's first word is as long as there are brackets, and at its end one place is left for a bracket.
  const indent = " ".repeat(shape.length), limit = lineWidth - shape.length;
  const format = (axis: number): string => {
    if (axis === shape.length) return words[next++];
    const isLeftOut = shape[axis] > 2 * edgeItems;
    const items = Array.from({ length: isLeftOut ? 2 * edgeItems : shape[axis] }, () => format(axis + 1));
    if (isLeftOut) items.splice(edgeItems, 0, "...");
    if (axis === shape.length - 1) return `[${wrap(items, indent, limit)}]`;
    return `[${items.join("\n".repeat(shape.length - 1 - axis) + indent.slice(0, axis + 1))}]`;
  };
  return format(0);
}

/** Words in lines. The first begins where the text is to be put, the others with `indent`. */
function wrap(words: string[], indent: string, limit: number): string {
  let text = "", line = indent;
  for (const word of words) {
    if (line.length + word.length > limit && line.length > indent.length) {
      text += `${line.trimEnd()}\n`;
      line = indent;
    }
    line += `${word} `;
  }
  return (text + line.slice(0, -1)).slice(indent.length);
}
