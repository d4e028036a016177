import { lib } from "@ggml/deno";
import { init } from "@ggml/deno/utils";
const ctx = init({ memSize: 1 << 20 });
const a = lib.ggml_new_tensor_2d(ctx, lib.GGML_TYPE_F32, 4, 4);
const v = lib.ggml_view_2d(ctx, a, 4, 4, 1000, 0);
const r = lib.ggml_sqr(ctx, v);
const g = lib.ggml_new_graph(ctx);
lib.ggml_build_forward_expand(g, r);
console.log(lib.ggml_graph_compute_with_ctx(ctx, g, 1));
