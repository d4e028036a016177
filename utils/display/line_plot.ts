/**
 * A vector as a line: the index to the right, the number up.
 *
 * @module
 */

import { css, INFINITE, NAN, NEGATIVE_INFINITE, type Scale } from "./colours.ts";
import { markup } from "./markup.ts";
import type { Sample } from "./sample.ts";
import { type Drawn, GREY, round, text, widthOf } from "./svg.ts";
import { formatNumber } from "./units.ts";

const WIDTH = 400, HEIGHT = 110, LINE = "#2f81f7";

/** Draws a vector. What isn't finite is a dot at the bottom or, the positive kind, at the top, and interrupts the line. */
export function linePlot({ tiles: [{ values, columns }], shape }: Sample, { min, max }: Scale): Drawn {
  const labels = Number.isNaN(min) ? ["", ""] : [formatNumber(max), formatNumber(min)];
  const left = 8 + Math.max(...labels.map((label) => widthOf(label, 11)));
  const last = shape.at(-1)! - 1;
  const x = (i: number) => round(left + (last === 0 ? WIDTH / 2 : columns[i] / last * WIDTH));
  const y = (value: number) => round(max === min ? HEIGHT / 2 : 4 + (max / 2 - value / 2) / (max / 2 - min / 2) * (HEIGHT - 8));
  const zero = min < 0 && max > 0 ? markup`<path d="M${left},${y(0)}h${WIDTH}" stroke="${GREY}" stroke-dasharray="2 3"/>` : null;
  const odd = [...values].flatMap((value, i) => Number.isFinite(value) ? [] : [{ value, i }]).map(({ value, i }) => {
    const [colour, at] = Number.isNaN(value) ? [NAN, HEIGHT - 4] : value > 0 ? [INFINITE, 4] : [NEGATIVE_INFINITE, HEIGHT - 4];
    return markup`<circle cx="${x(i)}" cy="${at}" r="3" fill="${css(colour)}"/>`;
  });
  const small = { size: 10, opacity: 0.75 } as const;
  return {
    width: left + WIDTH + 4,
    height: HEIGHT + 16,
    body: markup`<rect x="${left}" y="0.5" width="${WIDTH}" height="${HEIGHT - 1}" fill="none" stroke="${GREY}"/>${zero}${
      linesOf(values, x, y)
    }${odd}${text(left - 4, 10, labels[0], { size: 11, anchor: "end" })}${
      min === max ? null : text(left - 4, HEIGHT - 1, labels[1], { size: 11, anchor: "end" })
    }${text(left, HEIGHT + 12, "0", small)}${last > 0 ? text(left + WIDTH, HEIGHT + 12, String(last), { ...small, anchor: "end" }) : null}`,
  };
}

/** A line for each run of finite numbers; a run of one is a dot. */
function linesOf(values: Float64Array, x: (i: number) => number, y: (value: number) => number) {
  const runs: string[][] = [[]];
  values.forEach((value, i) => Number.isFinite(value) ? runs.at(-1)!.push(`${x(i)},${y(value)}`) : runs.push([]));
  return runs.filter((run) => run.length > 0).map((run) => {
    if (run.length > 1) return markup`<polyline points="${run.join(" ")}" fill="none" stroke="${LINE}" stroke-width="1.5"/>`;
    const [cx, cy] = run[0].split(",");
    return markup`<circle cx="${cx}" cy="${cy}" r="2.5" fill="${LINE}"/>`;
  });
}
