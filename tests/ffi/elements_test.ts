/** Elements of pointers, as C has them: here they are an Error, whatever is done with them, and all else of a handle is as ever. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { lib } from "@ggml/deno";
import { init } from "@ggml/deno/utils";
import { loadTinyLlama, tinyContext, writeTinyLlama } from "../tiny_llama.ts";

/** What a program without types would write. */
// deno-lint-ignore no-explicit-any
type Untyped = any;

Deno.test("an element of a pointer, or of a pointer in it, is neither read nor passed over", () => {
  using batch = lib.llama_batch_init(8, 0, 1);
  const untyped: Untyped = batch, fields = ["token", "pos", "n_seq_id", "seq_id", "logits"];
  const before = fields.map((field) => untyped[field].bytes(8).slice());
  for (const field of fields) {
    for (const index of [0, 7]) {
      const says =
        `[${index}] of a Pointer: C doesn't say how many elements there are: say so, as in new Int32Array(pointer.bytes(4 * count)`;
      assertThrows(() => untyped[field][index] = 5, TypeError, says);
      assertThrows(() => untyped[field][index], TypeError, says);
    }
  }
  assertThrows(() => untyped.seq_id[0][0] = 3, TypeError, "[Int32Array.of(…), …] where there are pointers in it");
  assertEquals(fields.map((field) => untyped[field].bytes(8).slice()), before);
});

Deno.test("an element of a struct that may be the first of several", () => {
  using ctx = init();
  const a: Untyped = lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, 4), says = "of several that lie one after the other, at(1) is one";
  assertThrows(() => a[1] = 5, TypeError, `[1] of a ggml_tensor: C doesn't say how many elements there are: ${says}`);
  assertThrows(() => a[1], TypeError, says);
});

Deno.test("what the Error says works: an array of one's own, and the pointer's bytes", () => {
  const path = Deno.makeTempFileSync();
  writeTinyLlama(path);
  using model = loadTinyLlama(path);
  Deno.removeSync(path);
  /** The logits of a token, of a batch that C made or one over arrays of ours. */
  const decoded = (fill: (token: number) => lib.llama_batch): Float32Array => {
    using ctx = tinyContext(model);
    assertEquals(lib.llama_decode(ctx, fill(5)), 0);
    return new Float32Array(lib.llama_get_logits(ctx)!.bytes(4 * 64).slice().buffer);
  };
  const own = decoded((token) =>
    new lib.llama_batch({
      n_tokens: 1,
      token: Int32Array.of(token),
      pos: Int32Array.of(0),
      n_seq_id: Int32Array.of(1),
      seq_id: [Int32Array.of(0)],
      logits: Int8Array.of(1),
    })
  );
  using made = lib.llama_batch_init(1, 0, 1);
  const filled = decoded((token) => {
    const numbers = (field: "token" | "pos" | "n_seq_id") => new Int32Array(made[field]!.bytes(4).buffer);
    numbers("token")[0] = token;
    numbers("pos")[0] = 0;
    numbers("n_seq_id")[0] = 1;
    made.seq_id = [Int32Array.of(0)];
    made.logits!.bytes(1)[0] = 1;
    made.n_tokens = 1;
    return made;
  });
  assert(own.some((logit) => logit !== 0));
  assertEquals(filled, own);
});

Deno.test("all else of a pointer is as ever: its class, its members, what is asked of it and what it lacks", async () => {
  using batch = lib.llama_batch_init(8, 0, 1);
  const pointer: Untyped = batch.token;
  assertEquals([pointer.nothing, pointer.then, await pointer === pointer], [undefined, undefined, true]);
  assertEquals(Object.keys(pointer), Object.keys(batch.pos!));
  assertEquals(String(pointer), `Pointer { 0x${pointer.address.toString(16)} }`);
  assertEquals(Deno.inspect(pointer), String(pointer));
  pointer.mine = 1;
  assertEquals([pointer.mine, batch.token!.equals(pointer)], [1, true]);
});
