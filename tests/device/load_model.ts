/** A language model whose layers are in a device's memory says what it says on the CPU. */

import { assert, assertEquals } from "@std/assert";
import { devices } from "@ggml/deno/utils";
import { difference, sayWith } from "../models/said.ts";
import { device } from "./find.ts";

const MODEL = "examples/models/moby.gguf", PROMPT = "Call me Ishmael. Some years";

Deno.test("loadModel({ gpuLayers }) has the layers on the device, and says what the CPU says", async () => {
  const gpu = devices().find((each) => each.device.equals(device))!;
  const here = await sayWith(MODEL, { gpuLayers: 0 }, PROMPT, 1), all = await sayWith(MODEL, { gpuLayers: 99 }, PROMPT, 1);
  const some = await sayWith(MODEL, { gpuLayers: 3, devices: [gpu] }, PROMPT, 1);
  assertEquals([here.offloaded, all.offloaded, some.offloaded], ["0/7", "7/7", "3/7"]);
  for (const there of [all, some]) {
    let sure = 0, most = 0;
    for (const [i, logits] of here.logits.entries()) {
      // A device multiplies in another order, and rounds what it multiplies otherwise.
      const far = difference(logits, there.logits[i]), [first, second] = logits.toSorted().toReversed();
      most = Math.max(most, far / first);
      if (first - second <= 2 * far) continue; // either may be the likeliest
      sure++;
      assertEquals(likeliest(there.logits[i]), likeliest(logits), `after ${i + 1} tokens`);
    }
    console.log(
      `${there.offloaded} layers: logits differ by ${(100 * most).toFixed(1)} % of the largest at most; ${sure} likeliest tokens`,
    );
    assert(most > 0 && most < 0.1 && sure > here.logits.length / 2, `${most}, ${sure}`);
  }
});

function likeliest(logits: Float32Array): number {
  return logits.indexOf(Math.max(...logits));
}
