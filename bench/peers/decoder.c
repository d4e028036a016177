/*
 * Builds the decoder's graph of ../ours/decoder.ts, the same calls in the same order: ./decoder warm|first
 *
 * Prints nanoseconds a build and what was built, as ../rounds.ts reads it.
 */

#include <math.h>
#include <string.h>

#include "ggml.h"
#include "rounds.h"

enum { LAYERS = 32, WIDTH = 4096, HEADS = 32, HEAD = 128, KV_HEADS = 8, KV_WIDTH = KV_HEADS * HEAD, INNER = 14336, VOCABULARY = 128256 };
enum { TRAINED = 8192, ROOM = 4096, SHOWN = 256, PAST = 200 };
enum { ROUNDS = 31, BUILDS = 40 };
static const float EPSILON = 1e-5f, ROPE_BASE = 500000;

typedef struct ggml_tensor * tensor;
typedef struct ggml_context * context;

struct layer {
    tensor attention_norm, query, key, value, output, inner_norm, gate, up, down, keys, values;
};

struct model {
    tensor embedding;
    struct layer layers[LAYERS];
    tensor norm, head;
};

static tensor weights(context ctx, int inner, int outer) {
    return ggml_new_tensor_2d(ctx, GGML_TYPE_Q4_K, inner, outer);
}

static tensor norm(context ctx) {
    return ggml_new_tensor_1d(ctx, GGML_TYPE_F32, WIDTH);
}

static tensor cache(context ctx) {
    return ggml_new_tensor_1d(ctx, GGML_TYPE_F16, ROOM * KV_WIDTH);
}

static void make_model(context ctx, struct model * model) {
    model->embedding = weights(ctx, WIDTH, VOCABULARY);
    for (int i = 0; i < LAYERS; i++) {
        struct layer * layer = &model->layers[i];
        layer->attention_norm = norm(ctx);
        layer->query = weights(ctx, WIDTH, WIDTH);
        layer->key = weights(ctx, WIDTH, KV_WIDTH);
        layer->value = weights(ctx, WIDTH, KV_WIDTH);
        layer->output = weights(ctx, WIDTH, WIDTH);
        layer->inner_norm = norm(ctx);
        layer->gate = weights(ctx, WIDTH, INNER);
        layer->up = weights(ctx, WIDTH, INNER);
        layer->down = weights(ctx, INNER, WIDTH);
        layer->keys = cache(ctx);
        layer->values = cache(ctx);
    }
    model->norm = norm(ctx);
    model->head = weights(ctx, WIDTH, VOCABULARY);
}

static struct ggml_cgraph * build(context ctx, const struct model * model) {
    ggml_reset(ctx);
    struct ggml_cgraph * graph = ggml_new_graph_custom(ctx, 2048, false);
    tensor tokens = ggml_new_tensor_1d(ctx, GGML_TYPE_I32, 1);
    tensor positions = ggml_new_tensor_1d(ctx, GGML_TYPE_I32, 1);
    tensor mask = ggml_new_tensor_2d(ctx, GGML_TYPE_F32, SHOWN, 1);

    tensor state = ggml_get_rows(ctx, model->embedding, tokens);
    for (int i = 0; i < LAYERS; i++) {
        const struct layer * layer = &model->layers[i];
        tensor input = ggml_mul(ctx, ggml_rms_norm(ctx, state, EPSILON), layer->attention_norm);
        tensor q = ggml_mul_mat(ctx, layer->query, input);
        tensor k = ggml_mul_mat(ctx, layer->key, input);
        tensor v = ggml_mul_mat(ctx, layer->value, input);
        q = ggml_reshape_3d(ctx, q, HEAD, HEADS, 1);
        k = ggml_reshape_3d(ctx, k, HEAD, KV_HEADS, 1);
        q = ggml_rope_ext(ctx, q, positions, NULL, HEAD, 0, TRAINED, ROPE_BASE, 1, 0, 1, 32, 1);
        k = ggml_rope_ext(ctx, k, positions, NULL, HEAD, 0, TRAINED, ROPE_BASE, 1, 0, 1, 32, 1);

        size_t row = ggml_row_size(GGML_TYPE_F16, KV_WIDTH);
        tensor new_keys = ggml_view_1d(ctx, layer->keys, KV_WIDTH, PAST * row);
        ggml_build_forward_expand(graph, ggml_cpy(ctx, k, new_keys));
        size_t size = ggml_element_size(layer->values);
        tensor new_values = ggml_view_2d(ctx, layer->values, 1, KV_WIDTH, ROOM * size, PAST * size);
        ggml_build_forward_expand(graph, ggml_cpy(ctx, ggml_transpose(ctx, v), new_values));

        q = ggml_permute(ctx, q, 0, 2, 1, 3);
        tensor keys = ggml_view_3d(ctx, layer->keys, HEAD, SHOWN, KV_HEADS, row, ggml_row_size(GGML_TYPE_F16, HEAD), 0);
        tensor scores = ggml_mul_mat(ctx, keys, q);
        scores = ggml_soft_max_ext(ctx, scores, mask, 1 / sqrtf(HEAD), 0);
        tensor values = ggml_view_3d(ctx, layer->values, SHOWN, HEAD, KV_HEADS, ROOM * size, ROOM * size * HEAD, 0);
        tensor attended = ggml_mul_mat(ctx, values, scores);
        attended = ggml_permute(ctx, attended, 0, 2, 1, 3);
        attended = ggml_cont_2d(ctx, attended, WIDTH, 1);
        state = ggml_add(ctx, ggml_mul_mat(ctx, layer->output, attended), state);

        tensor normed = ggml_mul(ctx, ggml_rms_norm(ctx, state, EPSILON), layer->inner_norm);
        tensor gate = ggml_silu(ctx, ggml_mul_mat(ctx, layer->gate, normed));
        tensor inner = ggml_mul(ctx, gate, ggml_mul_mat(ctx, layer->up, normed));
        state = ggml_add(ctx, ggml_mul_mat(ctx, layer->down, inner), state);
    }
    tensor logits = ggml_mul_mat(ctx, model->head, ggml_mul(ctx, ggml_rms_norm(ctx, state, EPSILON), model->norm));
    ggml_set_output(logits);
    ggml_build_forward_expand(graph, logits);
    return graph;
}

/* What the graph is, in a line: equal for equal graphs. */
static void report_graph(double ns, context ctx, struct ggml_cgraph * graph) {
    long long elements = 0;
    int nodes = ggml_graph_n_nodes(graph);
    for (int i = 0; i < nodes; i++) elements += ggml_nelements(ggml_graph_node(graph, i));
    char answer[96];
    snprintf(answer, sizeof answer, "%d nodes, %lld elements, %zu bytes", nodes, elements, ggml_used_mem(ctx));
    report(ns, answer);
}

int main(int argc, char ** argv) {
    struct ggml_init_params whole = { 16 * 1024 * 1024, NULL, true }, part = { 4 * 1024 * 1024, NULL, true };
    static struct model model;
    make_model(ggml_init(whole), &model);
    context ctx = ggml_init(part);

    double start = now();
    struct ggml_cgraph * graph = build(ctx, &model);
    double first = now() - start;
    if (argc > 1 && strcmp(argv[1], "first") == 0) {
        report_graph(first, ctx, graph);
        return 0;
    }
    double times[ROUNDS];
    for (int round = 0; round < ROUNDS; round++) {
        start = now();
        for (int i = 0; i < BUILDS; i++) graph = build(ctx, &model);
        times[round] = (now() - start) / BUILDS;
    }
    report_graph(median(times, ROUNDS), ctx, graph);
    return 0;
}
