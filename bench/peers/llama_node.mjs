// Computes a prompt of 128 tokens and the 64 likeliest that follow, by node-llama-cpp on Node:
//
//     llama_node.mjs FOLDER prompt|token THREADS MODEL
//
// FOLDER is where the package was installed. Prints what ../ours/llama.ts prints, measured the same way.

import { pathToFileURL } from "node:url";

const [folder, what, threads, path] = process.argv.slice(2);
const { getLlama, LlamaLogLevel } = await import(pathToFileURL(`${folder}/node_modules/node-llama-cpp/dist/index.js`));

const TEXT = "Once upon a time, in a small village by the sea, there lived";
const PROMPT = 128, TOKENS = 64, ROUNDS = 3, CONTEXT = 1024;

/** Milliseconds: of the processor's time, or of a clock. */
function now() {
  if (threads !== "1") return performance.now();
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

const llama = await getLlama({ gpu: false, build: "never", logLevel: LlamaLogLevel.error, maxThreads: Number(threads) });
const model = await llama.loadModel({ modelPath: path, gpuLayers: 0 });
const context = await model.createContext({ contextSize: CONTEXT, sequences: 1, threads: Number(threads), batchSize: 512 });
const sequence = context.getSequence();
const ids = model.tokenize(TEXT, true), prompt = Array.from({ length: PROMPT }, (_, i) => ids[i % ids.length]);

/** One round: how long each took, and the tokens. */
async function compute() {
  await sequence.clearHistory();
  const tokens = [], start = now();
  let first = start;
  for await (const token of sequence.evaluate(prompt, { temperature: 0 })) {
    tokens.push(token);
    if (tokens.length === 1) first = now();
    if (tokens.length > TOKENS) break;
  }
  return { prompt: first - start, token: (now() - first) / TOKENS, tokens };
}

await compute(); // warms up
const rounds = [];
for (let i = 0; i < ROUNDS; i++) rounds.push(await compute());
const times = rounds.map((round) => round[what]).sort((a, b) => a - b);
console.log(JSON.stringify({ ns: times[ROUNDS >> 1] * 1e6, answer: rounds[0].tokens.join(" ") }));
process.exit(0);
