/* What ../ours/computing.ts does, in C: ./computing add|sums|product */

#include <string.h>
#include <unistd.h>

#include "ggml-cpu.h"
#include "ggml.h"
#include "rounds.h"

enum { ADD_ROUNDS = 15, RESETS = 100, ADDS = 1000, ROUNDS = 31, SUMS = 1000, SIDE = 512 };

static struct ggml_context * context(size_t size, bool no_alloc) {
    struct ggml_init_params params = { size, NULL, no_alloc };
    return ggml_init(params);
}

/* Building a tensor, the context emptied now and then. */
static void add(void) {
    struct ggml_context * weights = context(1 << 20, true), * ctx = context(1 << 20, true);
    struct ggml_tensor * a = ggml_new_tensor_1d(weights, GGML_TYPE_F32, 64), * b = ggml_new_tensor_1d(weights, GGML_TYPE_F32, 64), * last = a;
    double times[ADD_ROUNDS];
    for (int round = 0; round < ADD_ROUNDS; round++) {
        double start = now();
        for (int i = 0; i < RESETS; i++) {
            ggml_reset(ctx);
            for (int j = 0; j < ADDS; j++) last = ggml_add(ctx, a, b);
        }
        times[round] = (now() - start) / (RESETS * ADDS);
    }
    char answer[32];
    snprintf(answer, sizeof answer, "%lld", (long long) ggml_nelements(last));
    report(median(times, ADD_ROUNDS), answer);
}

static struct ggml_tensor * sums(struct ggml_context * ctx) {
    struct ggml_tensor * sum = ggml_set_f32(ggml_new_tensor_1d(ctx, GGML_TYPE_F32, 64), 0);
    struct ggml_tensor * one = ggml_set_f32(ggml_new_tensor_1d(ctx, GGML_TYPE_F32, 64), 1);
    for (int i = 0; i < SUMS; i++) sum = ggml_add(ctx, sum, one);
    return sum;
}

static struct ggml_tensor * product(struct ggml_context * ctx) {
    struct ggml_tensor * a = ggml_set_f32(ggml_new_tensor_2d(ctx, GGML_TYPE_F32, SIDE, SIDE), 1);
    struct ggml_tensor * b = ggml_set_f32(ggml_new_tensor_2d(ctx, GGML_TYPE_F32, SIDE, SIDE), 2);
    return ggml_mul_mat(ctx, a, b);
}

static void compute(struct ggml_context * ctx, struct ggml_tensor * result, int threads, int repeats) {
    struct ggml_cgraph * graph = ggml_new_graph_custom(ctx, 2048, false);
    ggml_build_forward_expand(graph, result);
    double times[ROUNDS];
    for (int round = 0; round < ROUNDS; round++) {
        double start = now();
        for (int i = 0; i < repeats; i++) ggml_graph_compute_with_ctx(ctx, graph, threads);
        times[round] = (now() - start) / repeats;
    }
    char answer[32];
    snprintf(answer, sizeof answer, "%.0f", ggml_get_f32_1d(result, 0));
    report(median(times, ROUNDS), answer);
}

int main(int argc, char ** argv) {
    if (argc != 2) return 2;
    ggml_cpu_init();
    struct ggml_context * ctx = context(64 << 20, false);
    if (strcmp(argv[1], "add") == 0) add();
    else if (strcmp(argv[1], "sums") == 0) compute(ctx, sums(ctx), 1, 20);
    else compute(ctx, product(ctx), (int) sysconf(_SC_NPROCESSORS_ONLN), 3);
    return 0;
}
