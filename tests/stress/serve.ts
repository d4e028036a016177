/**
 * Asks a server many times at once, and says how much memory it took.
 *
 *     deno task stress:serve [--deterministic] [REQUESTS [AT_ONCE [MODEL]]]
 *
 * @module
 */

import { loadModel } from "@ggml/deno/models";
import { onLog } from "@ggml/deno/utils";
import { writeByteLlama } from "../models/byte_llama.ts";
import { load } from "./serve_load.ts";

const args = Deno.args.filter((arg) => arg !== "--deterministic"), deterministic = args.length < Deno.args.length;
const [requests = 1000, atOnce = 32] = args.slice(0, 2).map(Number), folder = await Deno.makeTempDir();
const path = args[2] ?? `${folder}/bytes.gguf`;
using _quiet = onLog(() => {});
const megabytes = () => Math.round(Deno.memoryUsage().rss / 2 ** 20);

try {
  if (args[2] === undefined) writeByteLlama(path);
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
