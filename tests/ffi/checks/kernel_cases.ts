/**
 * What the tests of kernels' checks make graphs with, and compare refusals by.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { lib } from "@ggml/deno";
import { copy, init, view } from "@ggml/deno/utils";

const { GGML_TYPE_F32: F32 } = lib;

export type Tensor = lib.ggml_tensor;

/** Makes tensors full of zeros in one context. */
export class Maker {
  readonly ctx: lib.ggml_context;

  constructor(ctx: lib.ggml_context) {
    this.ctx = ctx;
  }

  new(type: lib.ggml_type, a: number, b = 1, c = 1, d = 1): Tensor {
    const tensor = lib.ggml_new_tensor_4d(this.ctx, type, a, b, c, d);
    tensor.data?.bytes(lib.ggml_nbytes(tensor)).fill(0);
    return tensor;
  }

  f32(...ne: [number, number?, number?, number?]): Tensor {
    return this.new(F32, ...ne);
  }

  /** Numbers 0, 1, 2, … modulo 7, less 3. */
  ramp(...ne: [number, number?, number?, number?]): Tensor {
    const tensor = this.f32(...ne);
    copy(Float32Array.from({ length: lib.ggml_nelements(tensor) }, (_, i) => i % 7 - 3), tensor);
    return tensor;
  }

  /** Rows with a gap behind each. */
  padded(a: number, b: number, c = 1, d = 1): Tensor {
    const whole = this.f32(a + 1, b, c, d), [, ...nb] = whole.nb;
    return lib.ggml_view_4d(this.ctx, whole, a, b, c, d, nb[0], nb[1], nb[2], 0);
  }

  /** Matrices with a gap behind each. */
  gapped(a: number, b: number, c: number, d = 1): Tensor {
    const whole = this.f32(a, b + 1, c, d), [, ...nb] = whole.nb;
    return lib.ggml_view_4d(this.ctx, whole, a, b, c, d, nb[0], nb[1], nb[2], 0);
  }

  /** Each second number. */
  sparse(type: lib.ggml_type, count: number): Tensor {
    const whole = this.new(type, 2, count);
    return lib.ggml_permute(this.ctx, lib.ggml_view_2d(this.ctx, whole, 1, count, whole.nb[1], 0), 1, 0, 2, 3);
  }

  /** Matrices of one row, of which C doesn't look at the stride. */
  loose(a: number, c: number): Tensor {
    const whole = this.f32(a, 1, c);
    return lib.ggml_view_4d(this.ctx, whole, a, 1, c, 1, 4, whole.nb[2], whole.nb[3], 0);
  }

  transposed(a: number, b: number): Tensor {
    return lib.ggml_permute(this.ctx, this.f32(b, a), 1, 0, 2, 3);
  }

  parameter(...ne: [number, number?, number?, number?]): Tensor {
    const tensor = this.f32(...ne);
    lib.ggml_set_param(tensor);
    return tensor;
  }
}

type Make = (maker: Maker, ctx: lib.ggml_context) => Tensor;

/** What is refused, a part of the message, and what is right beside it. */
export type Case = readonly [wrong: Make, says: string, right: Make];

export function compute({ ctx }: Maker, result: Tensor): void {
  const graph = lib.ggml_new_graph(ctx);
  lib.ggml_build_forward_expand(graph, result);
  assertEquals(lib.ggml_graph_compute_with_ctx(ctx, graph, 2), lib.GGML_STATUS_SUCCESS);
}

/** What computing a tensor throws; "" for nothing. */
export function refusal(maker: Maker, result: Tensor): string {
  try {
    compute(maker, result);
    return "";
  } catch (error) {
    return (error as Error).message;
  }
}

export function check(cases: readonly Case[]): void {
  cases.forEach(([wrong, says, right], i) => {
    using ctx = init({ memSize: 64 << 20 });
    const maker = new Maker(ctx);
    const message = refusal(maker, wrong(maker, ctx));
    assert(
      message.startsWith("ggml_graph_compute_with_ctx: node ") && message.includes(says),
      `case ${i}: ${says} is not in: ${message || "nothing"}`,
    );
    const other = refusal(maker, right(maker, ctx));
    assertEquals(other, "", `case ${i} (${says}): what is right is refused`);
  });
}

export function numbersOf(tensor: Tensor): number[] {
  return [...view<Float32Array>(tensor).data];
}
