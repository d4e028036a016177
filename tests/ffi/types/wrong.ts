/**
 * What must not compile. `types_test.ts` checks this file as it is, and that without each `@ts-expect-error` there is an error on its line.
 */

import { lib, load } from "@ggml/deno";
import { copy, devices, init, view } from "@ggml/deno/utils";

const ctx = init();
const tensor = lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, 4);
const params = new lib.ggml_init_params();

// handles
// @ts-expect-error a tensor is no context
lib.ggml_new_tensor_1d(tensor, lib.GGML_TYPE_F32, 4);
// @ts-expect-error a context is no backend
lib.ggml_backend_free(ctx);
// @ts-expect-error a struct of parameters is no handle
lib.ggml_free(params);
// @ts-expect-error an address is no handle
lib.ggml_nelements(0x1000n);
// @ts-expect-error null where C takes none
lib.ggml_add(ctx, tensor, null);
// @ts-expect-error what may be null is not taken for granted
lib.ggml_nelements(lib.ggml_get_tensor(ctx, "x"));
// @ts-expect-error no plain object either
lib.ggml_nelements({ ne: [4, 1, 1, 1] });

// numbers and strings
// @ts-expect-error a string is no number
lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, "4");
// @ts-expect-error a bigint only for 64 bits
lib.ggml_set_f32_1d(tensor, 0n, 1);
// @ts-expect-error a number is no string
lib.ggml_set_name(tensor, 4);
// @ts-expect-error a boolean is no number
lib.ggml_set_f32(tensor, true);
// @ts-expect-error an argument is missing
lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32);
// @ts-expect-error an argument too many
lib.ggml_free(ctx, ctx);
// @ts-expect-error an array of numbers is no typed array
lib.ggml_new_tensor(ctx, lib.GGML_TYPE_F32, 2, ["4", 4]);

// enums
// @ts-expect-error no value of the enum
lib.ggml_new_tensor_1d(ctx, 4711, 4);
// @ts-expect-error any number
lib.ggml_new_tensor_1d(ctx, 0 as number, 4);
// @ts-expect-error its name
lib.ggml_new_tensor_1d(ctx, "f32", 4);
// @ts-expect-error the number of its values is none
lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_COUNT, 4);
// @ts-expect-error a constant can't be set
lib.GGML_TYPE_F32 = 1;

// structs
// @ts-expect-error a field of another type
new lib.ggml_init_params({ mem_size: "1" });
// @ts-expect-error no such field
new lib.ggml_init_params({ memSize: 1 });
// @ts-expect-error numbers of another width
new lib.llama_batch({ token: new Float32Array(2) });
// @ts-expect-error no field, but what only the types know
new lib.llama_batch({ $struct: "llama_batch" });
// @ts-expect-error a field of another type
params.no_alloc = 1;
// @ts-expect-error a field that is an array
tensor.ne = 4;
// @ts-expect-error a field that is an enum
tensor.type = "f32";
// @ts-expect-error a field that is a string
tensor.name = 4;
// @ts-expect-error no such field
tensor.shape;

// functions
// @ts-expect-error no such function
lib.ggml_nope();
// @ts-expect-error another type of result
lib.ggml_nelements(tensor).toUpperCase();
// @ts-expect-error a callback that returns nothing where C takes a boolean
new lib.ggml_abort_callback((_data) => "yes");
// @ts-expect-error a function is no callback
lib.ggml_map_custom1(ctx, tensor, () => {}, 1, null);
// @ts-expect-error a promise
lib.async.ggml_nelements(tensor).toFixed();
// @ts-expect-error another type of argument
lib.async.ggml_nelements(4);
// @ts-expect-error C can't be told to stop
lib.async.ggml_nelements(tensor, { signal: AbortSignal.timeout(1) });
// @ts-expect-error no such function
lib.async.ggml_nope();

// @ts-expect-error a bigint is no number
lib.bigint.ggml_nelements(tensor).toFixed();
// @ts-expect-error another type of argument
lib.bigint.ggml_nelements(4);
// @ts-expect-error it returns 32 bits
lib.bigint.ggml_n_dims(tensor);

// utils
// @ts-expect-error no numbers
copy(5, tensor);
// @ts-expect-error a text is no numbers, though its letters can be counted out
copy("12", tensor);
// @ts-expect-error nor are texts
copy(["1", "2"], tensor);
// @ts-expect-error no tensor
view(4);
// @ts-expect-error no such option
view(tensor, { allowcopy: true });
// @ts-expect-error another type of array
const _data: Int8Array = view<Float32Array>(tensor).data;
// @ts-expect-error no such option
init({ memory: 1 });
// @ts-expect-error no such kind
load({ gpu: "rocm" });
// @ts-expect-error it is a list
devices().name;
