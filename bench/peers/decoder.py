"""Builds the decoder's graph of ../ours/decoder.ts, the same calls in the same order, with whatever `lib` the functions come from."""

LAYERS = 32
WIDTH, HEADS, HEAD = 4096, 32, 128
KV_HEADS = 8
KV_WIDTH = KV_HEADS * HEAD
INNER, VOCABULARY = 14336, 128256
EPSILON, ROPE_BASE, TRAINED = 1e-5, 500000, 8192
ROOM, SHOWN, PAST = 4096, 256, 200
F32, F16, Q4_K, I32 = 0, 1, 12, 26


class Layer:
    __slots__ = (
        "attention_norm", "query", "key", "value", "output", "inner_norm", "gate", "up", "down", "keys", "values",
    )


class Model:
    __slots__ = ("embedding", "layers", "norm", "head")


def make_model(lib, ctx):
    def weights(inner, outer):
        return lib.ggml_new_tensor_2d(ctx, Q4_K, inner, outer)

    def norm():
        return lib.ggml_new_tensor_1d(ctx, F32, WIDTH)

    def cache():
        return lib.ggml_new_tensor_1d(ctx, F16, ROOM * KV_WIDTH)

    model = Model()
    model.embedding = weights(WIDTH, VOCABULARY)
    model.layers = []
    for _ in range(LAYERS):
        layer = Layer()
        layer.attention_norm = norm()
        layer.query = weights(WIDTH, WIDTH)
        layer.key = weights(WIDTH, KV_WIDTH)
        layer.value = weights(WIDTH, KV_WIDTH)
        layer.output = weights(WIDTH, WIDTH)
        layer.inner_norm = norm()
        layer.gate = weights(WIDTH, INNER)
        layer.up = weights(WIDTH, INNER)
        layer.down = weights(INNER, WIDTH)
        layer.keys = cache()
        layer.values = cache()
        model.layers.append(layer)
    model.norm = norm()
    model.head = weights(WIDTH, VOCABULARY)
    return model


def build(lib, ctx, model, null):
    lib.ggml_reset(ctx)
    graph = lib.ggml_new_graph_custom(ctx, 2048, False)
    tokens = lib.ggml_new_tensor_1d(ctx, I32, 1)
    positions = lib.ggml_new_tensor_1d(ctx, I32, 1)
    mask = lib.ggml_new_tensor_2d(ctx, F32, SHOWN, 1)

    state = lib.ggml_get_rows(ctx, model.embedding, tokens)
    for layer in model.layers:
        input = lib.ggml_mul(ctx, lib.ggml_rms_norm(ctx, state, EPSILON), layer.attention_norm)
        q = lib.ggml_mul_mat(ctx, layer.query, input)
        k = lib.ggml_mul_mat(ctx, layer.key, input)
        v = lib.ggml_mul_mat(ctx, layer.value, input)
        q = lib.ggml_reshape_3d(ctx, q, HEAD, HEADS, 1)
        k = lib.ggml_reshape_3d(ctx, k, HEAD, KV_HEADS, 1)
        q = lib.ggml_rope_ext(ctx, q, positions, null, HEAD, 0, TRAINED, ROPE_BASE, 1, 0, 1, 32, 1)
        k = lib.ggml_rope_ext(ctx, k, positions, null, HEAD, 0, TRAINED, ROPE_BASE, 1, 0, 1, 32, 1)

        row = lib.ggml_row_size(F16, KV_WIDTH)
        new_keys = lib.ggml_view_1d(ctx, layer.keys, KV_WIDTH, PAST * row)
        lib.ggml_build_forward_expand(graph, lib.ggml_cpy(ctx, k, new_keys))
        size = lib.ggml_element_size(layer.values)
        new_values = lib.ggml_view_2d(ctx, layer.values, 1, KV_WIDTH, ROOM * size, PAST * size)
        lib.ggml_build_forward_expand(graph, lib.ggml_cpy(ctx, lib.ggml_transpose(ctx, v), new_values))

        q = lib.ggml_permute(ctx, q, 0, 2, 1, 3)
        keys = lib.ggml_view_3d(ctx, layer.keys, HEAD, SHOWN, KV_HEADS, row, lib.ggml_row_size(F16, HEAD), 0)
        scores = lib.ggml_mul_mat(ctx, keys, q)
        scores = lib.ggml_soft_max_ext(ctx, scores, mask, 1 / HEAD**0.5, 0)
        values = lib.ggml_view_3d(ctx, layer.values, SHOWN, HEAD, KV_HEADS, ROOM * size, ROOM * size * HEAD, 0)
        attended = lib.ggml_mul_mat(ctx, values, scores)
        attended = lib.ggml_permute(ctx, attended, 0, 2, 1, 3)
        attended = lib.ggml_cont_2d(ctx, attended, WIDTH, 1)
        state = lib.ggml_add(ctx, lib.ggml_mul_mat(ctx, layer.output, attended), state)

        normed = lib.ggml_mul(ctx, lib.ggml_rms_norm(ctx, state, EPSILON), layer.inner_norm)
        gate = lib.ggml_silu(ctx, lib.ggml_mul_mat(ctx, layer.gate, normed))
        inner = lib.ggml_mul(ctx, gate, lib.ggml_mul_mat(ctx, layer.up, normed))
        state = lib.ggml_add(ctx, lib.ggml_mul_mat(ctx, layer.down, inner), state)
    logits = lib.ggml_mul_mat(ctx, model.head, lib.ggml_mul(ctx, lib.ggml_rms_norm(ctx, state, EPSILON), model.norm))
    lib.ggml_set_output(logits)
    lib.ggml_build_forward_expand(graph, logits)
    return graph


def describe(lib, ctx, graph):
    nodes = lib.ggml_graph_n_nodes(graph)
    elements = sum(lib.ggml_nelements(lib.ggml_graph_node(graph, i)) for i in range(nodes))
    return f"{nodes} nodes, {elements} elements, {lib.ggml_used_mem(ctx)} bytes"
