import { assertEquals } from "@std/assert";
import * as I from "../../lexer/tokens/integer.ts";

const SAMPLES = [
  0n,
  1n,
  -1n,
  7n,
  -7n,
  255n,
  2147483647n,
  -2147483648n,
  4294967295n,
  4294967296n,
  9007199254740991n,
  -9007199254740991n,
  9007199254740992n,
  0x7fffffffffffffffn,
  -0x8000000000000000n,
  0xffffffffffffffffn,
];

Deno.test("every operation agrees with bigint arithmetic, and keeps the one form", () => {
  for (const a of SAMPLES) {
    for (const b of SAMPLES) {
      const x = I.normal(a);
      const y = I.normal(b);
      const check = (got: I.Int, want: bigint) => assertEquals(got, I.normal(want), `${a} ${b}`);
      check(I.add(x, y), a + b);
      check(I.subtract(x, y), a - b);
      check(I.multiply(x, y), a * b);
      check(I.and(x, y), a & b);
      check(I.or(x, y), a | b);
      check(I.xor(x, y), a ^ b);
      if (b !== 0n) {
        check(I.divide(x, y), a / b);
        check(I.remainder(x, y), a % b);
      }
    }
    for (const count of [0, 1, 31, 32, 63, 64]) {
      assertEquals(I.shiftLeft(I.normal(a), count), I.normal(a << BigInt(count)));
      assertEquals(I.shiftRight(I.normal(a), count), I.normal(a >> BigInt(count)));
    }
    for (const bits of [1, 8, 16, 32, 53, 64, 128]) {
      assertEquals(I.wrap(I.normal(a), bits, true), I.normal(BigInt.asIntN(bits, a)));
      assertEquals(I.wrap(I.normal(a), bits, false), I.normal(BigInt.asUintN(bits, a)));
    }
    assertEquals(I.complement(I.normal(a)), I.normal(~a));
  }
});
