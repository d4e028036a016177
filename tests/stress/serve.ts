/**
 * Asks a server many times at once, and says how much memory it took.
 *
 *     deno task stress:serve [--deterministic] [REQUESTS [AT_ONCE [MODEL]]]
 *
 * @module
 */

import { loadModel } from "@ggml/deno/models";
import { onLog } from "@ggml/deno/utils";
import { readCommandLine, refuse } from "../command_line.ts";
import { writeByteLlama } from "../models/byte_llama.ts";
import { load } from "./serve_load.ts";

const usage = "stress:serve [--deterministic] [REQUESTS [AT_ONCE [MODEL]]]";
const { numbers: [requests, atOnce], names: [given, ...more], options } = readCommandLine(usage, [1000, 32], {
  deterministic: { type: "boolean" },
});
if (more.length > 0) refuse(usage, `one MODEL at most, not ${more.join(" ")} as well`);
const { deterministic = false } = options, folder = await Deno.makeTempDir();
const path = given ?? `${folder}/bytes.gguf`;
using _quiet = onLog(() => {});
const megabytes = () => Math.round(Deno.memoryUsage().rss / 2 ** 20);

try {
  if (given === undefined) writeByteLlama(path);
  await using model = await loadModel(path);
  const memory: number[] = [], start = performance.now();
  const result = await load(model, {
    requests,
    atOnce,
    sequences: 8,
    context: 512,
    deterministic,
    onProgress: (done) => {
      memory.push(megabytes());
      console.log(`${done} of ${requests} after ${((performance.now() - start) / 1000).toFixed(1)} s, ${memory.at(-1)} MB`);
    },
  });
  const { answered, cancelled, rounded, tokens, seconds } = result;
  console.log(
    `${answered} answered as alone (${rounded} as in company), ${cancelled} cancelled, in ${
      seconds.toFixed(1)
    } s: at most ${tokens} tokens; ${memory.join(", ")} MB`,
  );
} finally {
  await Deno.remove(folder, { recursive: true });
}
