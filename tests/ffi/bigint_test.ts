/** `lib.bigint`: results of 64 bits with all their bits; the functions themselves keep throwing what no number holds. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { lib } from "@ggml/deno";
import { allBits, fromInt64, fromUint64 } from "../../ffi/core/integers.ts";

const most = 2 ** 53 - 1;

/** A GGUF with an unsigned and a signed value, which are at 0 and 1. */
function withValues<T>(unsigned: bigint, signed: bigint, use: (gguf: lib.gguf_context) => T): T {
  using gguf = lib.gguf_init_empty()!;
  lib.gguf_set_val_u64(gguf, "unsigned", unsigned);
  lib.gguf_set_val_i64(gguf, "signed", signed);
  return use(gguf);
}

Deno.test("lib.bigint's functions return every integer of 64 bits", () => {
  for (const unsigned of [0n, 1n, 2n ** 32n, BigInt(most), BigInt(most) + 1n, 2n ** 53n + 1n, 2n ** 63n, 2n ** 64n - 1n]) {
    for (const signed of [0n, -1n, BigInt(-most), BigInt(-most) - 1n, 2n ** 62n + 1n, 2n ** 63n - 1n, -(2n ** 63n)]) {
      withValues(unsigned, signed, (gguf) => {
        assertEquals(lib.bigint.gguf_get_val_u64(gguf, 0), unsigned);
        assertEquals(lib.bigint.gguf_get_val_i64(gguf, 1n), signed);
      });
    }
  }
  assertEquals(lib.bigint.GGML_PAD(2n ** 60n + 1n, 32), 2n ** 60n + 32n);
  assertEquals(lib.bigint.ggml_type_size(lib.GGML_TYPE_F32), 4n);
});

Deno.test("numbers as arguments are the same integers", () => {
  using gguf = lib.gguf_init_empty()!;
  for (const value of [0, -0, 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 52 + 1, most]) {
    lib.gguf_set_val_u64(gguf, "unsigned", value);
    lib.gguf_set_val_i64(gguf, "signed", -value);
    assertEquals(lib.bigint.gguf_get_val_u64(gguf, 0), BigInt(value));
    assertEquals(lib.bigint.gguf_get_val_i64(gguf, 1), -BigInt(value));
  }
});

Deno.test("the functions themselves throw what no number holds, before and after, and name the way", () =>
  withValues(2n ** 53n, -(2n ** 53n), (gguf) => {
    for (let i = 0; i < 2; i++) {
      const unsigned = assertThrows(() => lib.gguf_get_val_u64(gguf, 0), RangeError, "gguf_get_val_u64: 9007199254740992 is beyond 2^53");
      assertEquals(unsigned.cause, 2n ** 53n);
      assert(unsigned.message.endsWith("lib.bigint.gguf_get_val_u64 returns it"), unsigned.message);
      const signed = assertThrows(() => lib.gguf_get_val_i64(gguf, 1), RangeError, "gguf_get_val_i64: -9007199254740992 is beyond 2^53");
      assertEquals(signed.cause, -(2n ** 53n));
      assertThrows(() => lib.GGML_PAD(2n ** 60n, 32), RangeError, "GGML_PAD: 1152921504606846976 is beyond");
      assertEquals(lib.bigint.gguf_get_val_u64(gguf, 0), 2n ** 53n);
    }
  }));

Deno.test("and so does lib.async", async () => {
  using gguf = lib.gguf_init_empty()!;
  lib.gguf_set_val_u64(gguf, "unsigned", 2n ** 64n - 1n);
  const error = await lib.async.gguf_get_val_u64(gguf, 0).then(() => null, (error) => error);
  assert(error instanceof RangeError && error.cause === 2n ** 64n - 1n, String(error));
});

Deno.test("an error on the way is the function's own, and what another function is asked for is no result", () =>
  withValues(2n ** 64n - 1n, 0n, (gguf) => {
    assertThrows(() => lib.bigint.gguf_get_val_u64(gguf, 7), Error, "gguf_get_val_u64: assertion failed: key_id >= 0");
    assertThrows(
      () => lib.bigint.gguf_get_val_u64(null as never, 0),
      TypeError,
      "gguf_get_val_u64(ctx): expected a gguf_context, got null",
    );
    // What an argument's check calls, no public function shows.
    assertThrows(() => allBits("outer", () => fromUint64(2n ** 63n, "inner")), RangeError, "inner: 9223372036854775808 is beyond");
    assertThrows(() => allBits("outer", () => fromInt64(-(2n ** 63n))), RangeError, "-9223372036854775808 is beyond");
    assertEquals(allBits("outer", () => fromInt64(-(2n ** 63n), "outer")), -(2n ** 63n));
    assertThrows(() => lib.gguf_get_val_u64(gguf, 0), RangeError, "beyond 2^53");
  }));

Deno.test("lib.bigint has the functions that return integers of 64 bits, and no others", () => {
  const names = Object.keys(lib.bigint);
  assert(names.length > 60 && names.includes("llama_model_size") && names.includes("ggml_nbytes"), `${names.length} functions`);
  for (const name of names) assert(typeof lib[name as "ggml_nbytes"] === "function", name);
  for (const name of ["ggml_add", "ggml_n_dims", "toString", "bigint", "then"]) {
    assert(!(name in lib.bigint) && (lib.bigint as unknown as Record<string, unknown>)[name] === undefined, name);
  }
  assert(lib.bigint.ggml_nbytes === lib.bigint.ggml_nbytes);
  assertEquals([lib.bigint.ggml_nbytes.name, lib.bigint.gguf_get_val_u64.length], ["ggml_nbytes", 2]);
  assertThrows(() => (lib.bigint as unknown as Record<string, unknown>).ggml_nbytes = 1, TypeError);
});
