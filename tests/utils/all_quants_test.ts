/** The example that draws a wave in every quantized type, as a user runs it. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { decode } from "fast-png";
import { lib } from "@ggml/deno";
import { TYPES } from "../context.ts";
import { deno } from "../process.ts";

const EXAMPLE = "examples/all_quants.ts";

/** The names of the types that are quantized, by whether ggml converts them back. */
function quantizedTypes(converts: boolean): string[] {
  return TYPES.filter((type) => {
    const { is_quantized, to_float } = lib.ggml_get_type_traits(type);
    return is_quantized && (to_float !== null) === converts;
  }).map((type) => lib.ggml_type_name(type)!);
}

/** The gray values of the pictures in an SVG, in order. */
function pictures(svg: string): Uint8Array[] {
  return svg.matchAll(/<image [^>]*href="data:image\/png;base64,([^"]+)"\/>/g).map(([, base64]) => {
    const { width, height, channels, data } = decode(Uint8Array.fromBase64(base64));
    assertEquals([width, height, channels], [256, 256, 1]);
    return data as Uint8Array;
  }).toArray();
}

function farthest(a: Uint8Array, b: Uint8Array): number {
  return a.reduce((most, x, i) => Math.max(most, Math.abs(x - b[i])), 0);
}

Deno.test("the example puts a wave through every quantized type, sorts them by error, and draws them beside the wave", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const out = `${folder}/quants.svg`;
    const [plain, drawn] = await Promise.all([
      deno(["run", "--no-prompt", "--allow-ffi", EXAMPLE]),
      deno(["run", "--no-prompt", "--allow-ffi", `--allow-write=${out}`, EXAMPLE, "--out", out]),
    ]);
    assertEquals(plain.code, 0, plain.stderr);
    assertEquals(drawn.code, 0, drawn.stderr);
    assertEquals(drawn.stdout, `${plain.stdout}The picture is in ${out}.\n`);

    const [head, ...lines] = plain.stdout.trimEnd().split("\n");
    assertMatch(head, /^type +bits\/number +compression +rms error +max error$/);
    assertEquals(lines.pop(), `Not converted back by ggml: ${quantizedTypes(false).join(", ")}.`);
    const rows = lines.map((line) => line.trim().split(/ +/));
    const names = rows.map(([name]) => name);
    assertEquals(names.toSorted(), quantizedTypes(true).sort());
    assertEquals(rows.find(([name]) => name === "q8_0")!.slice(0, 4), ["q8_0", "8.5000", "3.8", "x"]);
    const errors = rows.map((row) => Number(row[4]));
    assertEquals(errors, errors.toSorted((a, b) => a - b));
    assert(errors[0] > 0 && errors.at(-1)! < 0.7, String(errors));

    const svg = await Deno.readTextFile(out);
    assertMatch(svg, /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"[^]*<\/svg>\n$/);
    assertEquals(svg.match(/<g class="cell"/g)!.length, names.length);
    assertEquals(svg.match(/<use href="#original"/g)!.length, names.length);
    assertEquals(svg.matchAll(/<tspan[^>]*>([^<]+)<\/tspan>/g).map(([, name]) => name).toArray(), names);
    const [original, ...results] = pictures(svg);
    assertEquals(results.length, names.length);
    assertEquals([Math.min(...original), Math.max(...original)], [0, 255]);
    // The picture of q8_0 is the wave to the eye, that of a type of less than two bits is not.
    assert(farthest(original, results[names.indexOf("q8_0")]) <= 2);
    assert(farthest(original, results[names.indexOf("tq1_0")]) > 50);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("the example says what it doesn't know", async () => {
  const { code, stderr } = await deno(["run", "--no-prompt", "--allow-ffi", EXAMPLE, "--output", "x.svg"]);
  assertEquals(code, 1);
  assertStringIncludes(stderr, "unknown argument --output; there is --out FILE");
});
