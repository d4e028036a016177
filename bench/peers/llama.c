/*
 * Computes a prompt of 128 tokens and the 64 likeliest that follow, by libllama: ./llama FOLDER prompt|token THREADS MODEL
 *
 * FOLDER holds the backends. Prints what ../ours/llama.ts prints, measured the same way.
 */

#include <string.h>

#include "ggml-backend.h"
#include "llama.h"
#include "rounds.h"

enum { PROMPT = 128, TOKENS = 64, ROUNDS = 3, CONTEXT = 1024 };

static const char * TEXT = "Once upon a time, in a small village by the sea, there lived";
static clockid_t watch;

/* Nanoseconds: of the processor's time, or of a clock. */
static double spent(void) {
    struct timespec time;
    clock_gettime(watch, &time);
    return time.tv_sec * 1e9 + time.tv_nsec;
}

static void quiet(enum ggml_log_level level, const char * text, void * data) {
    (void) level, (void) text, (void) data;
}

static void decode(struct llama_context * ctx, llama_token * tokens, int count) {
    if (llama_decode(ctx, llama_batch_get_one(tokens, count)) != 0) exit(1);
}

int main(int argc, char ** argv) {
    if (argc != 5) return 2;
    int is_prompt = strcmp(argv[2], "prompt") == 0, threads = atoi(argv[3]);
    watch = threads == 1 ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC;
    llama_log_set(quiet, NULL);
    ggml_backend_load_all_from_path(argv[1]);

    struct llama_model_params model_params = llama_model_default_params();
    model_params.n_gpu_layers = 0;
    struct llama_model * model = llama_model_load_from_file(argv[4], model_params);
    if (model == NULL) return 1;
    struct llama_context_params params = llama_context_default_params();
    params.n_ctx = CONTEXT;
    params.n_batch = 512;
    params.n_threads = params.n_threads_batch = threads;
    struct llama_context * ctx = llama_init_from_model(model, params);
    if (ctx == NULL) return 1;

    llama_token ids[64], prompt[PROMPT], tokens[TOKENS + 1];
    int count = llama_tokenize(llama_model_get_vocab(model), TEXT, strlen(TEXT), ids, 64, true, true);
    if (count <= 0) return 1;
    for (int i = 0; i < PROMPT; i++) prompt[i] = ids[i % count];

    struct llama_sampler * greedy = llama_sampler_init_greedy();
    double times[ROUNDS];
    for (int round = -1; round < ROUNDS; round++) { /* the first warms up */
        llama_memory_clear(llama_get_memory(ctx), true);
        double start = spent();
        decode(ctx, prompt, PROMPT);
        tokens[0] = llama_sampler_sample(greedy, ctx, -1);
        double first = spent();
        for (int i = 0; i < TOKENS; i++) {
            decode(ctx, &tokens[i], 1);
            tokens[i + 1] = llama_sampler_sample(greedy, ctx, -1);
        }
        double end = spent();
        if (round >= 0) times[round] = is_prompt ? first - start : (end - first) / TOKENS;
    }

    char answer[16 * (TOKENS + 1)];
    for (int i = 0, at = 0; i <= TOKENS; i++) at += sprintf(answer + at, i == 0 ? "%d" : " %d", tokens[i]);
    report(median(times, ROUNDS), answer);
    return 0;
}
