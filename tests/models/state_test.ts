/** Models that keep a state in place of a cache: one that is gone can't be had back, so that more is computed, and the tokens are the same. */

import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { lib } from "@ggml/deno";
import { loadModel, type Model } from "@ggml/deno/models";
import { type GgufValueInput, ndarray, onLog, readGguf, writeGguf } from "@ggml/deno/utils";
import { generator } from "../random.ts";
import { folder, GREEDY, read, tinyPath } from "./models.ts";

const quiet = onLog(() => {});
addEventListener("unload", () => quiet[Symbol.dispose]());

const EMBD = 16, INNER = 32, CONV = 4, STATE = 16, RANK = 4, VOCAB = 64;

/** A Mamba of a layer or two with random weights and the tiny llama's vocabulary. */
async function tinyMamba(layers = 2): Promise<Model> {
  const path = `${folder}/mamba.gguf`, below = generator(3);
  const random = (...ne: number[]) => {
    const length = ne.reduce((a, b) => a * b);
    return ndarray(Float32Array.from({ length }, () => below(1001) / 1000 - 0.5), ne.toReversed());
  };
  const same = (value: number, ...ne: number[]) => ndarray(new Float32Array(ne.reduce((a, b) => a * b)).fill(value), ne.toReversed());
  const layer = (i: number) =>
    Object.entries({
      "attn_norm.weight": same(1, EMBD),
      "ssm_in.weight": random(EMBD, 2 * INNER),
      "ssm_conv1d.weight": random(CONV, INNER),
      "ssm_conv1d.bias": random(INNER),
      "ssm_x.weight": random(INNER, RANK + 2 * STATE),
      "ssm_dt.weight": random(RANK, INNER),
      "ssm_dt.bias": random(INNER),
      "ssm_a": same(-0.1, STATE, INNER), // it forgets slowly
      "ssm_d": same(1, INNER),
      "ssm_out.weight": random(INNER, EMBD),
    }).map(([name, values]) => [`blk.${i}.${name}`, values] as const);
  const numbers = {
    context_length: 256,
    embedding_length: EMBD,
    block_count: layers,
    feed_forward_length: 0,
    "attention.head_count": 0,
    "ssm.conv_kernel": CONV,
    "ssm.inner_size": INNER,
    "ssm.state_size": STATE,
    "ssm.time_step_rank": RANK,
  };
  using llama = readGguf(tinyPath());
  await writeGguf(path, {
    metadata: new Map<string, GgufValueInput>([
      ["general.architecture", "mamba"],
      ...[...llama.metadata].filter(([key]) => key.startsWith("tokenizer.")),
      ...Object.entries(numbers).map(([key, value]) => [`mamba.${key}`, { type: "u32", value }] as const),
      ["mamba.attention.layer_norm_rms_epsilon", { type: "f32", value: 1e-5 }],
    ]),
    tensors: new Map([
      ["token_embd.weight", random(EMBD, VOCAB)],
      ["output_norm.weight", same(1, EMBD)],
      ...Array.from({ length: layers }, (_, i) => layer(i)).flat(),
    ]),
  });
  return await loadModel(path);
}

/** The likeliest tokens by `llama_decode` alone, but for what ends a text. */
function plainly(model: Model, prompt: ArrayLike<number>, count: number): number[] {
  using ctx = lib.llama_init_from_model(model.handle, Object.assign(lib.llama_context_default_params(), { n_ctx: 256, n_threads: 1 }))!;
  const tokens: number[] = [];
  for (let next = Int32Array.from(prompt); tokens.length < count; next = Int32Array.of(tokens.at(-1)!)) {
    assertEquals(lib.llama_decode(ctx, lib.llama_batch_get_one(next, next.length)), 0);
    const logits = new Float32Array(lib.llama_get_logits_ith(ctx, -1)!.bytes(4 * VOCAB).slice().buffer);
    logits[2] = -Infinity;
    tokens.push(logits.indexOf(Math.max(...logits)));
  }
  return tokens;
}

Deno.test("a Mamba generates what plain calls do: at once, again, going on, from another beginning, aborted, saved, and in company", async () => {
  await using model = await tinyMamba();
  assertEquals(lib.llama_model_is_recurrent(model.handle), true);
  using session = model.session({ context: 128, threads: 1, overflow: "stop" });
  const tokensOf = async (prompt: ArrayLike<number>, user: Pick<typeof session, "generate"> = session) =>
    (await read(user.generate(prompt, { ...GREEDY, maxTokens: 16 }))).tokens;
  const prompt = [...model.tokenize("the thing is in the inn")], expected = plainly(model, prompt, 16);
  assertEquals(await tokensOf(prompt), expected);
  assertEquals(await tokensOf(prompt), expected, "again");
  const longer = [...prompt, ...expected, 7, 9];
  const { ended, tokens } = await read(session.generate(longer, { ...GREEDY, maxTokens: 4 }));
  assertEquals([tokens, ended.promptTokens], [plainly(model, longer, 4), longer.length]);
  const other = [...prompt.slice(0, 4), 11, 12, 13];
  assertEquals(await tokensOf(other), plainly(model, other, 16), "another beginning");
  const stop = new AbortController();
  await assertRejects(async () => {
    for await (const _ of session.generate(longer, { ...GREEDY, signal: stop.signal })) stop.abort();
  }, DOMException);
  assertEquals(await tokensOf(prompt), expected, "after an abort");
  const bytes = session.save();
  using restored = model.session({ context: 128, threads: 1 });
  restored.restore(bytes);
  assertEquals(await tokensOf(longer, restored), plainly(model, longer, 16), "restored");
  using batcher = model.batcher({ context: 128, sequences: 3, threads: 1 });
  const prompts = [prompt, other, longer, prompt.slice(0, 3), other.slice(0, 6)];
  const together = await Promise.all(prompts.map((each) => tokensOf(each, batcher)));
  assertEquals(together, prompts.map((each) => plainly(model, each, 16)));
});

Deno.test("a Mamba's sessions in a batcher aren't saved or restored while C computes for one of them", async () => {
  await using model = await tinyMamba();
  using batcher = model.batcher({ context: 128, sequences: 3, threads: 1 });
  using session = batcher.session();
  const prompt = [...model.tokenize("the thing is in the inn")], longer = [...prompt, 7, 9];
  await session.complete(prompt, { ...GREEDY, maxTokens: 2 });
  const saved = session.save();
  let refused = 0;
  for (let round = 0; round < 20; round++) {
    let busy = true;
    const other = batcher.complete(Array.from({ length: 100 }, (_, i) => 3 + (i + round) % 40), { ...GREEDY, maxTokens: 20 })
      .finally(() => busy = false);
    while (busy) {
      await new Promise((resolve) => setTimeout(resolve, 0));
      for (const act of [() => session.save(), () => session.restore(saved)]) {
        try {
          act();
        } catch (error) {
          assertMatch((error as Error).message, /^Session\.(save|restore): others of this batcher are generating/);
          refused++;
        }
      }
    }
    await other;
  }
  assert(refused > 0);
  session.restore(saved);
  assertEquals((await read(session.generate(longer, { ...GREEDY, maxTokens: 16 }))).tokens, plainly(model, longer, 16));
});

Deno.test("a Mamba's session isn't deterministic", async () => {
  await using model = await tinyMamba(1);
  const { message } = assertThrows(() => model.session({ deterministic: true }), Error);
  assertEquals(
    message.replace(/\(.*\)/, "()"),
    "Model.session: deterministic isn't there for models that keep a state (): it can't forget one token",
  );
});
