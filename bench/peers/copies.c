/*
 * What ../ours/copies.ts does, by C's own routines: ./copies FIGURE [threads]
 *
 * On one thread; with "threads", "f32-q4_K" is shared by as many as there are cores.
 * The answer is a checksum of the result.
 */

#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "ggml-cpu.h"
#include "ggml.h"
#include "rounds.h"

enum { COUNT = 1 << 24, SIDE = 4096, SMALL = 64, ROUNDS = 9, SMALL_ROUNDS = 101, SLOW_ROUNDS = 3, MOST_THREADS = 256 };

static float * f32, * out;
static void * blocks;
static const char * figure;
static int threads = 1;
static struct ggml_context * ctx;
static struct ggml_cgraph * graph;

static int is(const char * name) {
    return strcmp(figure, name) == 0;
}

static size_t prepare(void) {
    size_t size = sizeof(float) * COUNT;
    if (is("f16-f32")) ggml_cpu_fp32_to_fp16(f32, blocks, COUNT);
    if (is("q4_K-f32")) ggml_quantize_chunk(GGML_TYPE_Q4_K, f32, blocks, 0, SIDE, SIDE, NULL);
    if (is("f32-f16")) return sizeof(ggml_fp16_t) * COUNT;
    if (is("f32-q4_K")) return ggml_row_size(GGML_TYPE_Q4_K, COUNT);
    if (is("small")) return sizeof(float) * SMALL;
    if (is("transposed")) {
        struct ggml_tensor * tensor = ggml_new_tensor_2d(ctx, GGML_TYPE_F32, SIDE, SIDE);
        memcpy(tensor->data, f32, size);
        struct ggml_tensor * result = ggml_cont(ctx, ggml_transpose(ctx, tensor));
        graph = ggml_new_graph(ctx);
        ggml_build_forward_expand(graph, result);
        out = result->data;
    }
    return size;
}

static void * quantize_share(void * argument) {
    int64_t i = (int64_t) (intptr_t) argument, first = i * SIDE / threads, last = (i + 1) * SIDE / threads;
    ggml_quantize_chunk(GGML_TYPE_Q4_K, f32, out, first * SIDE, last - first, SIDE, NULL);
    return NULL;
}

static void quantize(void) {
    pthread_t others[MOST_THREADS];
    for (int i = 1; i < threads; i++) pthread_create(&others[i], NULL, quantize_share, (void *) (intptr_t) i);
    quantize_share(0);
    for (int i = 1; i < threads; i++) pthread_join(others[i], NULL);
}

static void run(void) {
    if (is("f32-f32")) memcpy(out, f32, sizeof(float) * COUNT);
    else if (is("f32-f16")) ggml_cpu_fp32_to_fp16(f32, (ggml_fp16_t *) out, COUNT);
    else if (is("f16-f32")) ggml_cpu_fp16_to_fp32(blocks, out, COUNT);
    else if (is("q4_K-f32")) ggml_get_type_traits(GGML_TYPE_Q4_K)->to_float(blocks, out, COUNT);
    else if (is("f32-q4_K")) quantize();
    else if (is("transposed")) ggml_graph_compute_with_ctx(ctx, graph, (int) sysconf(_SC_NPROCESSORS_ONLN));
    else for (int i = 0; i < 1000; i++) {
        memcpy(out, f32, sizeof(float) * SMALL);
        __asm__ volatile("" : : "r"(out) : "memory");
    }
}

int main(int argc, char ** argv) {
    if (argc != 2 && (argc != 3 || strcmp(argv[2], "threads") != 0)) return 2;
    figure = argv[1];
    if (argc == 3) threads = (int) sysconf(_SC_NPROCESSORS_ONLN);
    if (threads > MOST_THREADS) threads = MOST_THREADS;
    struct ggml_init_params params = { sizeof(float) * COUNT * 2 + (16 << 20), NULL, false };
    ctx = ggml_init(params);
    ggml_cpu_init();
    f32 = malloc(sizeof(float) * COUNT);
    out = malloc(sizeof(float) * COUNT);
    blocks = malloc(sizeof(float) * COUNT);
    memset(out, 1, sizeof(float) * COUNT);
    for (uint32_t i = 0; i < COUNT; i++) f32[i] = (float) (i * 0x9e3779b1u / 4294967296.0 - 0.5);

    size_t size = prepare();
    double times[SMALL_ROUNDS];
    int rounds = is("small") ? SMALL_ROUNDS : is("f32-q4_K") ? SLOW_ROUNDS : ROUNDS;
    for (int round = -2; round < rounds; round++) {
        double start = now();
        run();
        if (round >= 0) times[round] = now() - start;
    }
    long sum = 0;
    for (size_t i = 0; i < 1024; i++) sum += ((uint8_t *) out)[i * size / 1024];
    char answer[32];
    snprintf(answer, sizeof answer, "%ld", sum);
    report(median(times, rounds), answer);
    return 0;
}
