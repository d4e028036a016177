/* What examples/add_quant.ts does, in C: ./demo */

#include <stdio.h>
#include <unistd.h>

#include "ggml-cpu.h"
#include "ggml.h"

enum { N = 256 };

static void print(const float * numbers) {
    for (int i = 0; i < N; i++) printf("%g%s", numbers[i], i + 1 < N ? ", " : "\n");
}

static void print_dequantized(const struct ggml_tensor * tensor) {
    float numbers[N];
    ggml_get_type_traits(tensor->type)->to_float(tensor->data, numbers, N);
    print(numbers);
}

int main(void) {
    struct ggml_init_params params = { 12 * 1024 * 1024, NULL, false };
    struct ggml_context * ctx = ggml_init(params);

    struct ggml_tensor * a = ggml_new_tensor_1d(ctx, GGML_TYPE_Q5_K, N);
    struct ggml_tensor * b = ggml_new_tensor_1d(ctx, GGML_TYPE_F32, N);
    struct ggml_tensor * sum = ggml_add(ctx, a, b);

    struct ggml_cgraph * graph = ggml_new_graph(ctx);
    ggml_build_forward_expand(graph, sum);

    float numbers[N];
    for (int i = 0; i < N; i++) numbers[i] = i;
    ggml_quantize_chunk(GGML_TYPE_Q5_K, numbers, a->data, 0, 1, N, NULL);
    for (int i = 0; i < N; i++) ((float *) b->data)[i] = i * 100;
    ggml_graph_compute_with_ctx(ctx, graph, (int) sysconf(_SC_NPROCESSORS_ONLN));

    print_dequantized(a);
    print(b->data);
    print_dequantized(sum);
    ggml_free(ctx);
    return 0;
}
