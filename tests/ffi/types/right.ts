/** What must compile: structs given what the setters of their fields take, which is more than the getters give, and numbers out of tensors. */

import { lib } from "@ggml/deno";
import { type GgufTensor, readNpy, type SafetensorsTensor, toArray, view } from "@ggml/deno/utils";

const tokens = Int32Array.of(1, 2);

new lib.llama_batch({ n_tokens: 2, token: tokens, pos: null, seq_id: [tokens, tokens], logits: new Int8Array(2) });
new lib.llama_batch({ embd: new Float32Array(8), seq_id: new BigUint64Array(2) });
new lib.ggml_init_params({ mem_size: 1n << 20n, mem_buffer: new Uint8Array(1 << 20) });
new lib.gguf_init_params({ no_alloc: true, ctx: new BigUint64Array(1) });
new lib.ggml_threadpool_params({ n_threads: 1, cpumask: new Array<number>(512).fill(0) });
new lib.llama_model_params({
  devices: [lib.ggml_backend_dev_get(0)!],
  tensor_split: Float32Array.of(1),
  kv_overrides: [{ tag: 0, val_i64: 1n }],
});
new lib.llama_token_data_array({ data: [{ id: 1, logit: 0.5 }], size: 1n });
new lib.ggml_tensor({ ne: [4n, 1, 1, 1], op_params: new Array<number>(16).fill(0) });

// Numbers are a Float32Array unless it is said otherwise, whatever the function that they are given to takes.
declare const values: (numbers: ArrayLike<number>) => number,
  shaped: (array: { data: ArrayLike<number>; shape: readonly number[] }) => number;
declare const tensor: lib.ggml_tensor, file: { tensors: Map<string, GgufTensor | SafetensorsTensor> };
values(toArray(tensor));
structuredClone(toArray(tensor), { transfer: [toArray(tensor).buffer] });
const integers: Int32Array = toArray<Int32Array>(tensor);
shaped(view(tensor)) + shaped(readNpy("numbers.npy")) + shaped(file.tensors.get("a")!.numbers()) + values(integers);
