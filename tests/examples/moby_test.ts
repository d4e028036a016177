/** The model that `examples/train_llama.ts` made and that comes with the repository, in libllama. */

import { assert, assertEquals } from "@std/assert";
import { lib } from "@ggml/deno";
import { BEGIN, END, FIRST_BYTE, mobyDick, tokenize, VOCABULARY } from "../../examples/training/text.ts";
import { loadTinyLlama, tinyContext } from "../tiny_llama.ts";

const MODEL = new URL("../../examples/models/moby.gguf", import.meta.url).pathname;

/** Its mean loss in eight pieces of the held-out text, as its README says, in nats a byte. */
const LOSS = 1.488;

/** The committed model in libllama, on one thread. */
class Moby implements Disposable {
  readonly #model: lib.llama_model = loadTinyLlama(MODEL);
  readonly #context: lib.llama_context = tinyContext(this.#model, { n_ctx: 256 });
  readonly vocabulary: lib.llama_vocab = lib.llama_model_get_vocab(this.#model)!;

  /** Begins anew. */
  forget(): void {
    lib.llama_memory_clear(lib.llama_get_memory(this.#context), true);
  }

  /** The logits of what follows a token, `[VOCABULARY]`. */
  after(token: number): Float32Array<ArrayBuffer> {
    assertEquals(lib.llama_decode(this.#context, lib.llama_batch_get_one(Int32Array.of(token), 1)), 0);
    return new Float32Array(lib.llama_get_logits_ith(this.#context, -1)!.bytes(VOCABULARY * 4).slice().buffer);
  }

  /** The tokens of a text. */
  tokens(text: string, special: boolean): number[] {
    const tokens = new Int32Array(text.length * 4), { length } = new TextEncoder().encode(text);
    const count = lib.llama_tokenize(this.vocabulary, text, length, tokens, tokens.length, special, false);
    return [...tokens.subarray(0, count)];
  }

  /** The text of tokens. */
  text(tokens: readonly number[]): string {
    const bytes = new Uint8Array(tokens.length + 8);
    const count = lib.llama_detokenize(this.vocabulary, Int32Array.from(tokens), tokens.length, bytes, bytes.length, false, false);
    return new TextDecoder().decode(bytes.subarray(0, count));
  }

  [Symbol.dispose](): void {
    this.#context[Symbol.dispose]();
    this.#model[Symbol.dispose]();
  }
}

Deno.test("the committed model is small, and its tokens are bytes for libllama", () => {
  assert(Deno.statSync(MODEL).size <= 1_500_000);
  using moby = new Moby();
  assertEquals(lib.llama_vocab_n_tokens(moby.vocabulary), VOCABULARY);
  assertEquals([lib.llama_vocab_bos(moby.vocabulary), lib.llama_vocab_eos(moby.vocabulary)], [BEGIN, END]);
  const ascii = String.fromCharCode(...Array.from({ length: 126 }, (_, i) => i + 1));
  for (const text of ["Call me Ishmael.  Some years ago\n", " a space first", ascii, "“Œ” — 🐋"]) {
    const tokens = moby.tokens(text, false);
    assertEquals(tokens, Array.from(new TextEncoder().encode(text), (byte) => byte + FIRST_BYTE));
    assertEquals(moby.text(tokens), text);
    assertEquals(moby.tokens(text, true), [BEGIN, ...tokens]);
  }
});

Deno.test("the committed model knows what is held out as well as its README says", async () => {
  using moby = new Moby();
  const text = tokenize((await mobyDick()).heldOut), windows = 8, length = 256;
  let loss = 0;
  for (let window = 0; window < windows; window++) {
    const begin = Math.floor(window * text.length / windows);
    moby.forget();
    let logits = moby.after(BEGIN);
    for (let i = 0; i < length; i++) {
      loss -= logits[text[begin + i]] - logSumExp(logits);
      if (i + 1 < length) logits = moby.after(text[begin + i]);
    }
  }
  const mean = loss / windows / length;
  assert(Math.abs(mean - LOSS) < 0.01, `expected ${LOSS} nats a byte, got ${mean}`);
});

function logSumExp(logits: Float32Array): number {
  const most = logits.reduce((a, b) => Math.max(a, b));
  return most + Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - most), 0));
}

Deno.test("what the committed model writes are words of the novel", async () => {
  using moby = new Moby();
  const tokens = moby.tokens("The whale", true);
  let logits = new Float32Array();
  for (const token of tokens) logits = moby.after(token);
  for (let i = 0; i < 200; i++) {
    const best = logits.indexOf(logits.reduce((a, b) => Math.max(a, b)));
    tokens.push(best);
    logits = moby.after(best);
  }
  const written = moby.text(tokens), words = written.toLowerCase().match(/[a-z]+/g)!.slice(2, -1);
  const { training } = await mobyDick(), known = new Set(training.join(" ").toLowerCase().match(/[a-z]+/g));
  assert(words.length > 25, written);
  assertEquals(words.filter((word) => !known.has(word)), [], written);
});
