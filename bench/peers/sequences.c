/*
 * 16 sequences of a model in one batch, by libllama: ./sequences FOLDER THREADS MODEL
 *
 * FOLDER holds the backends. Prints what ../ours/sequences.ts prints, measured the same way.
 */

#include <string.h>

#include "ggml-backend.h"
#include "llama.h"
#include "rounds.h"

enum { SEQUENCES = 16, PROMPT = 16, TOKENS = 32, CONTEXT = 256, ANSWER = 16 * SEQUENCES * (TOKENS + 1) };

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

/* Adds a token to a batch and gives its index. */
static int add(struct llama_batch * batch, llama_token token, llama_pos position, llama_seq_id sequence, int output) {
    int i = batch->n_tokens++;
    batch->token[i] = token;
    batch->pos[i] = position;
    batch->n_seq_id[i] = 1;
    batch->seq_id[i][0] = sequence;
    batch->logits[i] = output;
    return i;
}

int main(int argc, char ** argv) {
    if (argc != 4) return 2;
    int threads = atoi(argv[2]);
    watch = threads == 1 ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC;
    llama_log_set(quiet, NULL);
    ggml_backend_load_all_from_path(argv[1]);

    struct llama_model_params model_params = llama_model_default_params();
    model_params.n_gpu_layers = 0;
    struct llama_model * model = llama_model_load_from_file(argv[3], model_params);
    if (model == NULL) return 1;
    struct llama_context_params params = llama_context_default_params();
    params.n_ctx = SEQUENCES * CONTEXT;
    params.n_seq_max = SEQUENCES;
    params.n_batch = params.n_ubatch = 512;
    params.n_threads = params.n_threads_batch = threads;
    struct llama_context * ctx = llama_init_from_model(model, params);
    if (ctx == NULL) return 1;

    llama_token ids[64], tokens[SEQUENCES][TOKENS + 1];
    int count = llama_tokenize(llama_model_get_vocab(model), TEXT, strlen(TEXT), ids, 64, true, false);
    if (count <= 0) return 1;

    struct llama_sampler * greedy = llama_sampler_init_greedy();
    struct llama_batch batch = llama_batch_init(512, 0, 1);
    int outputs[SEQUENCES];
    double start = 0;
    batch.n_tokens = 0;
    for (int s = 0; s < SEQUENCES; s++)
        for (int i = 0; i < PROMPT; i++) outputs[s] = add(&batch, ids[(i + s) % count], i, s, i + 1 == PROMPT);
    for (int n = 0; n <= TOKENS; n++) {
        if (llama_decode(ctx, batch) != 0) return 1;
        batch.n_tokens = 0;
        for (int s = 0; s < SEQUENCES; s++) tokens[s][n] = llama_sampler_sample(greedy, ctx, outputs[s]);
        for (int s = 0; s < SEQUENCES; s++) outputs[s] = add(&batch, tokens[s][n], PROMPT + n, s, 1);
        if (n == 0) start = spent();
    }
    double time = spent() - start;

    static char answer[ANSWER];
    for (int s = 0, at = 0; s < SEQUENCES; s++)
        for (int n = 0; n <= TOKENS; n++) at += sprintf(answer + at, at == 0 ? "%d" : " %d", tokens[s][n]);
    report(time / (SEQUENCES * TOKENS), answer);
    return 0;
}
