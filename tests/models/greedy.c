/*
 * The likeliest tokens after a prompt, by libllama alone: what a Session's are compared with.
 *
 *     models_greedy FOLDER MODEL THREADS COUNT TOKEN...
 *
 * It loads the backends in FOLDER, maps MODEL, and prints COUNT tokens that follow TOKEN..., one a line, or fewer where the text ends.
 */

#include <stdio.h>
#include <stdlib.h>

#include "ggml-backend.h"
#include "llama.h"

static void say_nothing(enum ggml_log_level level, const char *text, void *data) {
  (void)data;
  if (level == GGML_LOG_LEVEL_ERROR) fputs(text, stderr);
}

int main(int argc, char **argv) {
  if (argc < 6) return 2;
  int threads = atoi(argv[3]), count = atoi(argv[4]), given = argc - 5;
  llama_log_set(say_nothing, NULL);
  ggml_backend_load_all_from_path(argv[1]);

  struct llama_model *model = llama_model_load_from_file(argv[2], llama_model_default_params());
  if (model == NULL) return 1;
  struct llama_context_params params = llama_context_default_params();
  params.n_ctx = 512;
  params.n_threads = params.n_threads_batch = threads;
  struct llama_context *ctx = llama_init_from_model(model, params);
  if (ctx == NULL) return 1;

  llama_token *tokens = malloc(sizeof *tokens * (size_t)given);
  for (int i = 0; i < given; i++) tokens[i] = atoi(argv[5 + i]);
  struct llama_batch batch = llama_batch_get_one(tokens, given);
  struct llama_sampler *greedy = llama_sampler_init_greedy();
  llama_token token;
  for (int i = 0; i < count; i++) {
    if (llama_decode(ctx, batch) != 0) return 1;
    token = llama_sampler_sample(greedy, ctx, -1);
    if (llama_vocab_is_eog(llama_model_get_vocab(model), token)) break;
    printf("%d\n", token);
    batch = llama_batch_get_one(&token, 1);
  }
  llama_sampler_free(greedy);
  llama_free(ctx);
  llama_model_free(model);
  free(tokens);
  return 0;
}
