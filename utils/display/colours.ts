/**
 * Colour scales: which colour stands for which number.
 *
 * Numbers of one sign go from dark blue to yellow (viridis), those of both from blue over white to red, with white for 0. What is no finite
 * number has colours that neither scale has.
 *
 * @module
 */

/** Red, green and blue, from 0 to 255. */
export type Colour = readonly [red: number, green: number, blue: number];

/** Every eighth of matplotlib's viridis. */
const VIRIDIS: readonly Colour[] = [
  [68, 1, 84],
  [71, 44, 122],
  [59, 81, 139],
  [44, 113, 142],
  [33, 144, 141],
  [39, 173, 129],
  [92, 200, 99],
  [170, 220, 50],
  [253, 231, 37],
];

/** ColorBrewer's RdBu, the other way round. */
const DIVERGING: readonly Colour[] = [
  [33, 102, 172],
  [67, 147, 195],
  [146, 197, 222],
  [209, 229, 240],
  [247, 247, 247],
  [253, 219, 199],
  [244, 165, 130],
  [214, 96, 77],
  [178, 24, 43],
];

/** What is not a number is magenta, what is infinite black or, the positive kind, bright green. */
export const NAN: Colour = [255, 0, 255], INFINITE: Colour = [0, 230, 60], NEGATIVE_INFINITE: Colour = [0, 0, 0];

/** A colour scale, and what was found on it. */
export interface Scale {
  /** The least and the greatest finite number; NaN if there is none. */
  readonly min: number;
  readonly max: number;
  /** The numbers at the ends of the scale. */
  readonly low: number;
  readonly high: number;
  readonly nan: number;
  readonly infinite: number;
  readonly negativeInfinite: number;
  colour(value: number): Colour;
}

/** The scale for some numbers. */
export function scaleFor(values: Iterable<Float64Array>): Scale {
  let min = Infinity, max = -Infinity, nan = 0, infinite = 0, negativeInfinite = 0;
  for (const part of values) {
    for (const x of part) {
      if (Number.isNaN(x)) nan++;
      else if (x === Infinity) infinite++;
      else if (x === -Infinity) negativeInfinite++;
      else {
        if (x < min) min = x;
        if (x > max) max = x;
      }
    }
  }
  if (min > max) min = max = NaN;
  const isSigned = min < 0 && max > 0;
  const high = isSigned ? Math.max(max, -min) : max, low = isSigned ? -high : min;
  const stops = isSigned ? DIVERGING : VIRIDIS;
  const colour = (x: number): Colour => {
    if (Number.isNaN(x)) return NAN;
    if (!Number.isFinite(x)) return x > 0 ? INFINITE : NEGATIVE_INFINITE;
    // Halves: the difference of two finite numbers may not be one.
    return between(stops, high === low ? 0.5 : (x / 2 - low / 2) / (high / 2 - low / 2));
  };
  return { min, max, low, high, nan, infinite, negativeInfinite, colour };
}

function between(stops: readonly Colour[], t: number): Colour {
  const at = Math.min(Math.max(t, 0), 1) * (stops.length - 1), i = Math.min(Math.floor(at), stops.length - 2);
  const mix = (channel: number) => Math.round(stops[i][channel] + (stops[i + 1][channel] - stops[i][channel]) * (at - i));
  return [mix(0), mix(1), mix(2)];
}

/** A colour as CSS. */
export function css(colour: Colour): string {
  return `rgb(${colour.join(",")})`;
}
