/** Pictures in a browser: nothing is cut off, sticks out, or runs. It needs Chromium. */

import { assertEquals } from "@std/assert";
import { lib } from "@ggml/deno";
import { compute, copy, init, toHtml, toSvg } from "@ggml/deno/utils";
import { findChromium } from "../../docs/build/chromium.ts";
import { newTensor, wave } from "../context.ts";

const chromium = findChromium();
if (chromium === null) console.warn("display_chromium_test.ts: skipped, for there is no chromium");

/** Loads the images in the pictures, which the page waits for. */
const LOAD = `
  const heatMaps = [...document.querySelectorAll("image")].map((image) => Object.assign(new Image(), { src: image.getAttribute("href") }));
`;

/** What the page looks for, in itself. It runs in the browser. */
const LOOK = `
  const inside = (a, b, slack) => a.left >= b.left - slack && a.right <= b.right + slack && a.top >= b.top - slack && a.bottom <= b.bottom + slack;
  const faults = [];
  const svgs = [...document.querySelectorAll("svg")];
  for (const svg of svgs) {
    for (const text of svg.querySelectorAll("text")) {
      if (!inside(text.getBoundingClientRect(), svg.getBoundingClientRect(), 3)) faults.push("sticks out of the picture: " + text.textContent);
    }
    for (const box of svg.querySelectorAll("g.node, g.view, g.leaf, g.outside, g.folded")) {
      const rect = [...box.querySelectorAll("rect")].at(-1).getBoundingClientRect();
      for (const text of box.querySelectorAll("text")) {
        if (!inside(text.getBoundingClientRect(), rect, 0)) faults.push("sticks out of its box: " + text.textContent);
      }
      const lines = [...box.querySelectorAll("text")].map((text) => text.getBoundingClientRect());
      if (lines.some((a, i) => lines.some((b, j) => i < j && a.left < b.right && b.left < a.right && a.top + 3 < b.bottom - 3 && b.top + 3 < a.bottom - 3))) {
        faults.push("lies over other text: " + box.textContent);
      }
    }
  }
  for (const image of heatMaps) if (image.naturalWidth === 0) faults.push("a heat map that is no image");
  for (const image of document.images) if (image.naturalWidth < 50) faults.push("a file that is no picture: " + image.alt);
  if (window.ran) faults.push("a name ran as a script");
  document.body.textContent = JSON.stringify({ pictures: svgs.length, heatMaps: heatMaps.length, files: document.images.length, faults });
`;

/** Opens a page and returns what it found. */
async function look(
  fragments: string[],
  files: string[],
): Promise<{ pictures: number; heatMaps: number; files: number; faults: string[] }> {
  const folder = await Deno.makeTempDir();
  try {
    const images = files.map((svg, i) => `<img alt="${i}" src="data:image/svg+xml;base64,${new TextEncoder().encode(svg).toBase64()}">`);
    const script = `<script>${LOAD}\nonload = () => { ${LOOK} };</script>`;
    await Deno.writeTextFile(
      `${folder}/page.html`,
      `<!DOCTYPE html><meta charset="utf-8">${fragments.join("")}${images.join("")}${script}`,
    );
    const { stdout, stderr } = await new Deno.Command(chromium!, {
      args: [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        `--user-data-dir=${folder}/profile`,
        "--virtual-time-budget=10000",
        "--dump-dom",
      ]
        .concat(`file://${folder}/page.html`),
    }).output();
    const found = /<body>(\{.*\})<\/body>/s.exec(new TextDecoder().decode(stdout));
    if (found === null) throw new Error(`${new TextDecoder().decode(stdout).slice(0, 2000)}\n${new TextDecoder().decode(stderr)}`);
    return JSON.parse(found[1]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test({
  name: "in a browser all text is where it belongs, images are images, and names do nothing",
  ignore: chromium === null,
  async fn() {
    using ctx = init();
    using backend = lib.ggml_backend_cpu_init()!;
    const w = newTensor(ctx, lib.GGML_TYPE_Q8_0, 64, 128), x = newTensor(ctx, lib.GGML_TYPE_F32, 64, 30);
    const cube = newTensor(ctx, lib.GGML_TYPE_F32, 9, 8, 7), vector = newTensor(ctx, lib.GGML_TYPE_F32, 1000);
    const wide = newTensor(ctx, lib.GGML_TYPE_F32, 3000, 2), odd = newTensor(ctx, lib.GGML_TYPE_F32, 2, 2);
    [w, x, cube, vector, wide].forEach((tensor) => copy(wave(lib.ggml_nelements(tensor)), tensor));
    copy([[NaN, Infinity], [-Infinity, -12345.678e-20]], odd);
    w.name = "WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW";
    x.name = "<img src=x onerror=ran=1><script>ran=1</script>";
    cube.name = "</svg><script>ran=1</script>";
    let y = lib.ggml_mul_mat(ctx, w, x);
    for (let i = 0; i < 100; i++) y = lib.ggml_relu(ctx, lib.ggml_scale(ctx, y, 0.5));
    const graph = lib.ggml_new_graph(ctx);
    lib.ggml_build_forward_expand(graph, lib.ggml_cont(ctx, lib.ggml_transpose(ctx, y)));
    const plain = await toHtml(graph), part = await toHtml(graph, { from: 50, to: 60 });
    compute(graph, { timing: true });
    const values = [graph, w, x, y, cube, vector, wide, odd, ctx, backend, lib.ggml_backend_get_device(backend)];
    const fragments = await Promise.all(values.map((value) => toHtml(value)));
    const files = await Promise.all(values.map((value) => toSvg(value)));
    const { pictures, heatMaps, files: shown, faults } = await look([plain, part, ...fragments], files);
    assertEquals(faults, []);
    assertEquals([pictures, heatMaps, shown], [values.length + 2, 12, values.length]);
  },
});
