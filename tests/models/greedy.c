/*
 * The likeliest tokens after a text, by libllama alone: what a Session's and those of examples/llama2.ts are compared with.
 *
 *     greedy FOLDER MODEL THREADS COUNT TEXT [LOGITS]
 *
 * It loads the backends in FOLDER, maps MODEL, and prints the tokens of TEXT on one line and the COUNT that follow on the next, or fewer
 * where the text ends. The file LOGITS gets what each of them was chosen by: a 32-bit float for every token of the vocabulary.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ggml-backend.h"
#include "llama.h"

enum { CONTEXT = 512 };

static void say_nothing(enum ggml_log_level level, const char *text, void *data) {
  (void)data;
  if (level == GGML_LOG_LEVEL_ERROR) fputs(text, stderr);
}

int main(int argc, char **argv) {
  if (argc < 6) return 2;
  int threads = atoi(argv[3]), count = atoi(argv[4]);
  FILE *file = argc > 6 ? fopen(argv[6], "wb") : NULL;
  if (argc > 6 && file == NULL) return 1;
  llama_log_set(say_nothing, NULL);
  ggml_backend_load_all_from_path(argv[1]);

  struct llama_model *model = llama_model_load_from_file(argv[2], llama_model_default_params());
  if (model == NULL) return 1;
  const struct llama_vocab *vocab = llama_model_get_vocab(model);
  struct llama_context_params params = llama_context_default_params();
  params.n_ctx = CONTEXT;
  params.n_threads = params.n_threads_batch = threads;
  struct llama_context *ctx = llama_init_from_model(model, params);
  if (ctx == NULL) return 1;

  llama_token prompt[CONTEXT], token;
  int given = llama_tokenize(vocab, argv[5], strlen(argv[5]), prompt, CONTEXT, true, true);
  if (given <= 0) return 1;
  for (int i = 0; i < given; i++) printf(i == 0 ? "%d" : " %d", prompt[i]);
  printf("\n");

  struct llama_batch batch = llama_batch_get_one(prompt, given);
  struct llama_sampler *greedy = llama_sampler_init_greedy();
  size_t size = (size_t)llama_vocab_n_tokens(vocab);
  for (int i = 0; i < count; i++) {
    if (llama_decode(ctx, batch) != 0) return 1;
    if (file != NULL && fwrite(llama_get_logits_ith(ctx, -1), sizeof(float), size, file) != size) return 1;
    token = llama_sampler_sample(greedy, ctx, -1);
    if (llama_vocab_is_eog(vocab, token)) break;
    printf(i == 0 ? "%d" : " %d", token);
    batch = llama_batch_get_one(&token, 1);
  }
  printf("\n");
  if (file != NULL && fclose(file) != 0) return 1;
  llama_sampler_free(greedy);
  llama_free(ctx);
  llama_model_free(model);
  return 0;
}
