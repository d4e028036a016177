/** What C fails of on another thread is the Error of the call that it failed in, and the process goes on. */

import { assertEquals, assertRejects } from "@std/assert";
import { lib } from "@ggml/deno";
import { onLog } from "@ggml/deno/utils";
import { decode } from "../../models/decode.ts";
import { tinyModel } from "./models.ts";

const quiet = onLog(() => {});
addEventListener("unload", () => quiet[Symbol.dispose]());

Deno.test("C's assertions in one of two calls at once: that one rejects, 200 times", async () => {
  using model = await tinyModel();
  const context = () =>
    lib.llama_init_from_model(
      model.handle,
      Object.assign(lib.llama_context_default_params(), { n_ctx: 256, n_threads: 1, n_threads_batch: 1 }),
    )!;
  using wrong = context();
  using right = context();
  const none = lib.llama_batch_get_one(null, 0), one = lib.llama_batch_get_one(Int32Array.of(5), 1);
  for (let i = 0; i < 200; i++) {
    const [failed, status] = await Promise.all([
      assertRejects(
        () => decode("a test", wrong, null, none, true),
        Error,
        "llama_decode: assertion failed: batch_inp.token || batch_inp.embd",
      ),
      decode("a test", right, null, one, true),
    ]);
    assertEquals([failed.constructor, status], [Error, 0]);
  }
  assertEquals(lib.llama_memory_seq_pos_max(lib.llama_get_memory(right), 0), 199);
  assertEquals(await decode("a test", wrong, null, one, true), 0, "C had only looked at the batch");
});
