/**
 * Calls of libllama in a wrong order, of what was freed, with what belongs to another model. Each is an Error, or right.
 *
 * @module
 */

import { lib } from "@ggml/deno";
import { tinyContext, writeTinyAdapter, writeTinyLlama } from "../../tiny_llama.ts";
import { folder, model, pathOf, threeTokens } from "./made.ts";

export const misuses: Readonly<Record<string, () => unknown>> = {
  "llama pool attached then freed then decode": () => {
    const m = model(), c = tinyContext(m), p = lib.ggml_threadpool_new(lib.ggml_threadpool_params_default(1));
    lib.llama_attach_threadpool(c, p, p);
    lib.ggml_threadpool_free(p);
    return lib.llama_decode(c, threeTokens());
  },
  "model freed, then context used": () => {
    const m = model(), c = tinyContext(m);
    lib.llama_model_free(m);
    return lib.llama_decode(c, threeTokens());
  },
  "sampler chain in itself": () => {
    const c = lib.llama_sampler_chain_init(lib.llama_sampler_chain_default_params());
    lib.llama_sampler_chain_add(c, c);
  },
  "chain a in b in a": () => {
    const P = () => lib.llama_sampler_chain_init(lib.llama_sampler_chain_default_params());
    const a = P(), b = P();
    lib.llama_sampler_chain_add(a, b);
    lib.llama_sampler_chain_add(b, a);
    lib.llama_sampler_reset(a);
  },
  "chain_get beyond": () => {
    const c = lib.llama_sampler_chain_init(lib.llama_sampler_chain_default_params());
    return [lib.llama_sampler_chain_get(c, 5), lib.llama_sampler_chain_remove(c, -1)];
  },
  "grammar accept wrong token": () => {
    const m = model(), v = lib.llama_model_get_vocab(m)!;
    const s = lib.llama_sampler_init_grammar(v, 'root ::= "a"', "root")!;
    lib.llama_sampler_accept(s, 50);
    lib.llama_sampler_accept(s, 50);
  },
  "grammar of no root": () => {
    const v = lib.llama_model_get_vocab(model())!;
    return lib.llama_sampler_init_grammar(v, 'x ::= "a"', "root");
  },
  "grammar left-recursive": () => {
    const v = lib.llama_model_get_vocab(model())!;
    return lib.llama_sampler_init_grammar(v, 'root ::= root "a"', "root");
  },
  "grammar infill sampler, no vocab": () => {
    const v = lib.llama_model_get_vocab(model("no_vocab"))!;
    const s = lib.llama_sampler_init_infill(v);
    const d = new lib.llama_token_data();
    const arr = new lib.llama_token_data_array({ data: d, size: 1, selected: -1, sorted: false });
    lib.llama_sampler_apply(s, arr);
  },
  "grammar sampler over candidates beyond the vocabulary": () => {
    const v = lib.llama_model_get_vocab(model())!;
    const s = lib.llama_sampler_init_grammar(v, 'root ::= "a"', "root")!;
    const d = new lib.llama_token_data({ id: 1_000_000, logit: 1, p: 0 });
    lib.llama_sampler_apply(s, new lib.llama_token_data_array({ data: d, size: 1, selected: -1, sorted: false }));
  },
  "mirostat with n_vocab 0": () => {
    const s = lib.llama_sampler_init_mirostat(0, 1, 5, 0.1, 0);
    const d = new lib.llama_token_data();
    lib.llama_sampler_apply(s, new lib.llama_token_data_array({ data: d, size: 1, selected: -1, sorted: false }));
  },
  "state of another model": () => {
    const c = tinyContext(model()), d = tinyContext(model(), { n_ctx: 256, n_seq_max: 2 } as never);
    lib.llama_decode(c, threeTokens());
    const n = lib.llama_state_get_size(c), b = new Uint8Array(n);
    lib.llama_state_get_data(c, b, n);
    return lib.llama_state_set_data(d, b, n);
  },
  "state half": () => {
    const c = tinyContext(model());
    lib.llama_decode(c, threeTokens());
    const n = lib.llama_state_get_size(c), b = new Uint8Array(n);
    lib.llama_state_get_data(c, b, n);
    lib.llama_state_set_data(c, b.subarray(0, n >> 1), n >> 1);
    return lib.llama_decode(c, threeTokens());
  },
  "state seq of a negative sequence": () => {
    const c = tinyContext(model());
    return [lib.llama_state_seq_get_size(c, -5), lib.llama_state_seq_get_size(c, 99)];
  },
  "memory seq ops beyond": () => {
    const c = tinyContext(model());
    const m = lib.llama_get_memory(c)!;
    lib.llama_decode(c, threeTokens());
    return [lib.llama_memory_seq_rm(m, 500, -1, -1), lib.llama_memory_seq_cp(m, 0, 700, 0, -1)];
  },
  "memory seq_add then decode": () => {
    const c = tinyContext(model());
    const m = lib.llama_get_memory(c)!;
    lib.llama_decode(c, threeTokens());
    lib.llama_memory_seq_add(m, 0, 0, -1, 2 ** 31 - 5);
    return lib.llama_decode(c, threeTokens());
  },
  "adapter of another model": () => {
    const p = `${folder}/adapter`;
    writeTinyAdapter(p);
    const m = model(), n = model("gpt2");
    const a = lib.llama_adapter_lora_init(m, p)!;
    const c = tinyContext(n);
    lib.llama_set_adapters_lora(c, [a], 1, Float32Array.of(1));
    return lib.llama_decode(c, threeTokens());
  },
  "control vector short": () => {
    const c = tinyContext(model());
    return lib.llama_set_adapter_cvec(c, new Float32Array(3), 3, 32, 1, 99);
  },
  "control vector wrong embd": () => {
    const c = tinyContext(model());
    lib.llama_set_adapter_cvec(c, new Float32Array(32), 32, 7, 0, 0);
    return lib.llama_decode(c, threeTokens());
  },
  "quantize onto itself": () => {
    const p = `${folder}/self.gguf`;
    writeTinyLlama(p);
    const q = lib.llama_model_quantize_default_params();
    q.nthread = 1;
    return lib.llama_model_quantize(p, p, q);
  },
  "quantize to iq1 without imatrix": () => {
    const q = lib.llama_model_quantize_default_params();
    q.nthread = 1;
    (q as never as Record<string, number>).ftype = 24;
    return lib.llama_model_quantize(pathOf("llama"), `${folder}/q`, q);
  },
  "chat template with nothing": () =>
    lib.llama_chat_apply_template(
      null as never,
      new lib.llama_chat_message({ role: "user", content: "x" } as never),
      1,
      true,
      new Uint8Array(2),
      2,
    ),
  "chat template n_msg 5 of 1": () =>
    lib.llama_chat_apply_template(
      "chatml",
      new lib.llama_chat_message({ role: "user", content: "x" } as never),
      5,
      true,
      new Uint8Array(200),
      200,
    ),
  "detokenize negative": () =>
    lib.llama_detokenize(lib.llama_model_get_vocab(model())!, Int32Array.of(-1, 99999), 2, new Uint8Array(10), 10, false, false),
  "tokenize with a length of a million": () =>
    lib.llama_tokenize(lib.llama_model_get_vocab(model())!, "abc", 1_000_000, new Int32Array(4), 4, true, true),
  "warmup, causal off, more than ubatch": () => {
    const c = tinyContext(model(), { n_batch: 32, n_ubatch: 8 } as never);
    lib.llama_set_causal_attn(c, false);
    return lib.llama_decode(c, lib.llama_batch_get_one(new Int32Array(30).fill(1), 30));
  },
  "opt_init without a filter": () => {
    const m = model(), c = tinyContext(m);
    lib.llama_opt_init(c, m, new lib.llama_opt_params());
  },
  "grammar: groups too deep in each other": () => {
    const vocab = lib.llama_model_get_vocab(model())!;
    return lib.llama_sampler_init_grammar(vocab, "root ::= " + "(".repeat(100_000) + '"a"' + ")".repeat(100_000), "root");
  },
  "grammar: rules too deep in each other": () => {
    const rules = Array.from({ length: 100_000 }, (_, i) => `a${i} ::= a${i + 1}`);
    return lib.llama_sampler_init_grammar(lib.llama_model_get_vocab(model())!, `root ::= a0\n${rules.join("\n")}\na100000 ::= "a"`, "root");
  },
};
