/**
 * A use of freed memory, on purpose: past this package's own checks, by raw addresses. AddressSanitizer must report it.
 *
 * @module
 */

import { lib, load } from "@ggml/deno";

const { symbols } = Deno.dlopen(load().files[0], {
  ggml_nelements: { parameters: ["u64"], result: "i64" },
  ggml_free: { parameters: ["u64"], result: "void" },
});

// A null buffer: the memory is C's, which frees it.
const ctx = lib.ggml_init(new lib.ggml_init_params({ mem_size: 4096, mem_buffer: null }));
const { address } = lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, 10);
console.log(`${symbols.ggml_nelements(address)} elements`);
symbols.ggml_free(ctx.address);
console.log(`still ${symbols.ggml_nelements(address)}`);
