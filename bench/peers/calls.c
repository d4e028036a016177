/*
 * What ../ours/calls.ts and ../ours/fields.ts do, in C: ./calls type_size|nelements|type|ne
 *
 * The compiler can't see into the library; where it could see through a loop it is told not to.
 */

#include <string.h>

#include "ggml.h"
#include "rounds.h"

enum { ROUNDS = 15, TURNS = 1000000, TENSORS = 64 };

static struct ggml_tensor * tensors[TENSORS];

/* The sum over the turns. */
static long long work(const char * what) {
    long long sum = 0;
    if (strcmp(what, "type_size") == 0) {
        for (int i = 0; i < TURNS; i++) sum += ggml_type_size(GGML_TYPE_F32);
    } else if (strcmp(what, "nelements") == 0) {
        for (int i = 0; i < TURNS; i++) sum += ggml_nelements(tensors[0]);
    } else if (strcmp(what, "type") == 0) {
        for (int i = 0; i < TURNS; i++) {
            sum += tensors[i % TENSORS]->type;
            __asm__ volatile("" : "+r"(sum) : : "memory");
        }
    } else {
        for (int i = 0; i < TURNS; i++) {
            sum += tensors[i % TENSORS]->ne[0];
            __asm__ volatile("" : "+r"(sum) : : "memory");
        }
    }
    return sum;
}

int main(int argc, char ** argv) {
    if (argc != 2) return 2;
    struct ggml_init_params params = { 1 << 20, NULL, false };
    struct ggml_context * ctx = ggml_init(params);
    for (int i = 0; i < TENSORS; i++) tensors[i] = ggml_new_tensor_1d(ctx, GGML_TYPE_F16, 256);
    double times[ROUNDS];
    long long sum = 0;
    for (int round = 0; round < ROUNDS; round++) {
        double start = now();
        sum = work(argv[1]);
        times[round] = (now() - start) / TURNS;
    }
    char answer[32];
    snprintf(answer, sizeof answer, "%lld", sum / TURNS);
    report(median(times, ROUNDS), answer);
    return 0;
}
