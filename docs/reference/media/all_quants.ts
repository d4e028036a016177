// A wave through every quantized type that ggml knows: how much of it is left, at how many bits a number.
//
// It prints a table, and with --out draws a picture, the wave beside what is left of it:
//   deno run --allow-ffi examples/all_quants.ts
//   deno run --allow-ffi --allow-write=quants.svg examples/all_quants.ts --out quants.svg
//
// Most of its time goes to tables that ggml makes once for the types whose names begin with iq1 and iq2.

import { parseArgs } from "@std/cli/parse-args";
import { lib } from "@ggml/deno";
import { dequantize, type QuantizationError, quantizationError, quantize } from "@ggml/deno/utils";

const SIZE = 256;

/** What became of the wave in one type. */
interface Result {
  readonly name: string;
  readonly error: QuantizationError;
  readonly numbers: Float32Array; // [SIZE, SIZE]
}

// Rings that get narrower from the middle to the corners, from -1 to 1. [SIZE, SIZE]
const wave = Float32Array.from({ length: SIZE * SIZE }, (_, i) => {
  const x = (i % SIZE) / SIZE - 0.5, y = Math.floor(i / SIZE) / SIZE - 0.5;
  return Math.cos(60 * (x * x + y * y)) * Math.cos(2 * x);
});

/** Every type that is quantized, says the library. */
function quantizedTypes(): lib.ggml_type[] {
  const names = Object.keys(lib).filter((name) => name.startsWith("GGML_TYPE_") && name !== "GGML_TYPE_COUNT");
  const types = names.map((name) => lib[name as "GGML_TYPE_Q8_0"]);
  return types.filter((type) => lib.ggml_get_type_traits(type).is_quantized);
}

/** Quantizes the wave and reads it again. Null for a type that ggml uses between two steps only, and doesn't convert back. */
function through(type: lib.ggml_type): Result | null {
  if (lib.ggml_get_type_traits(type).to_float === null) return null;
  // Types of two bits and less can't do without being told which columns matter. Here all do, equally.
  const imatrix = lib.ggml_quantize_requires_imatrix(type) ? new Float32Array(SIZE).fill(1) : undefined;
  const options = { rowLength: SIZE, imatrix };
  return {
    name: lib.ggml_type_name(type)!,
    error: quantizationError(wave, type, options),
    numbers: dequantize(quantize(wave, type, options), type),
  };
}

function progress(done: number, total: number, name: string): void {
  if (!Deno.stderr.isTerminal()) return;
  const width = 30, filled = Math.round(width * done / total);
  const bar = done === total ? "" : `[${"#".repeat(filled)}${".".repeat(width - filled)}] ${done}/${total} ${name}`;
  Deno.stderr.writeSync(new TextEncoder().encode(`\r\x1b[K${bar}`));
}

function printTable(results: readonly Result[]): void {
  console.log("type     bits/number  compression  rms error  max error");
  for (const { name, error: { bitsPerWeight, rmse, max } } of results) {
    const ratio = `${(32 / bitsPerWeight).toFixed(1)} x`;
    console.log(
      `${name.padEnd(8)} ${bitsPerWeight.toFixed(4).padStart(11)}  ${ratio.padStart(11)}  ${rmse.toFixed(6)}   ${max.toFixed(6)}`,
    );
  }
}

/** A grid of pairs: the wave, and beside it what a type left of it. */
async function draw(results: readonly Result[]): Promise<string> {
  const { encode } = await import("fast-png");
  const image = (numbers: Float32Array) => {
    const data = Uint8Array.from(numbers, (x) => Math.min(Math.max(Math.round((x + 1) * 127.5), 0), 255));
    return `<image width="176" height="176" href="data:image/png;base64,${
      encode({ width: SIZE, height: SIZE, data, channels: 1, depth: 8 }).toBase64()
    }"/>`;
  };
  const columns = 4, cellWidth = 376, cellHeight = 220;
  const width = columns * cellWidth + 16, height = Math.ceil(results.length / columns) * cellHeight + 16;
  const cells = results.map(({ name, error: { bitsPerWeight, rmse }, numbers }, i) => `
<g class="cell" transform="translate(${i % columns * cellWidth + 16} ${Math.floor(i / columns) * cellHeight + 16})">
  <text y="16"><tspan font-weight="bold">${name}</tspan>  ${bitsPerWeight.toFixed(2)} bits, rms error ${rmse.toFixed(4)}</text>
  <use href="#original" y="24"/>
  <g transform="translate(180 24)">${image(numbers)}</g>
</g>`);
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"
  font-family="sans-serif" font-size="14">
<defs><g id="original">${image(wave)}</g></defs>
<rect width="100%" height="100%" fill="white"/>${cells.join("")}
</svg>
`;
}

const { out } = parseArgs(Deno.args, {
  string: ["out"],
  unknown: (argument) => {
    throw new Error(`unknown argument ${argument}; there is --out FILE`);
  },
});
const types = quantizedTypes();
const results: Result[] = [], without: string[] = [];
types.forEach((type, i) => {
  const name = lib.ggml_type_name(type)!;
  progress(i, types.length, name);
  const result = through(type);
  if (result === null) without.push(name);
  else results.push(result);
});
progress(types.length, types.length, "");
results.sort((a, b) => a.error.rmse - b.error.rmse);

printTable(results);
if (without.length > 0) console.log(`Not converted back by ggml: ${without.join(", ")}.`);
if (out) {
  await Deno.writeTextFile(out, await draw(results));
  console.log(`The picture is in ${out}.`);
}
