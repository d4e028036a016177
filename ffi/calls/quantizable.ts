/**
 * Numbers that ggml's grid types can't quantize: looking for the nearest point of a grid, C aborts where a sum of squares is no finite number.
 *
 * Those are the types whose names begin with iq1, iq2 and iq3 (measured: every other type takes any bits). Looking at each number takes a
 * thousandth of the time that quantizing it does.
 *
 * @module
 */

const GRID = /^iq[123]/;

/**
 * What numbers and weights may come to: C adds up squares of weights times fourth powers of numbers, which must stay below 3.4e38.
 * Measured: with this, no sum overflows by a factor of a thousand.
 */
const MOST = 1e15;

/** True for a type that takes not every number. */
export function isGridType(name: string): boolean {
  return GRID.test(name);
}

/**
 * Throws where `ggml_quantize_chunk` would abort with a grid type.
 *
 * @param name The type's name.
 * @param numbers The floats to quantize.
 * @param weights The importance matrix, if there is one.
 */
export function expectQuantizable(name: string, numbers: Float32Array, weights: Float32Array | null, where: string): void {
  let weight = 1;
  if (weights !== null) {
    weights.forEach((value, i) => {
      if (!(value >= 0 && value < Infinity)) {
        throw new RangeError(`${where}: ${name} takes no importance matrix with negative or infinite values or NaN, got ${value} at ${i}`);
      }
      weight = Math.max(weight, value);
    });
  }
  const most = Math.sqrt(MOST / weight);
  for (let i = 0; i < numbers.length; i++) {
    if (!(Math.abs(numbers[i]) <= most)) {
      throw new RangeError(
        `${where}: ${name} takes numbers up to ${most.toExponential(1)} (times the root of the largest importance), got ${
          numbers[i]
        } at ${i}`,
      );
    }
  }
}
