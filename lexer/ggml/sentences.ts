/**
 * What the functions do that the examples, the guide and the notebooks name, and others that a newcomer looks for: a sentence each, in our
 * own words, which an editor shows beside the prototype. Shapes are `ne`, fastest dimension first.
 *
 * @module
 */

/** By the function's name. */
export const SENTENCES: Readonly<Record<string, string>> = {
  // Contexts, tensors and what they say of themselves
  ggml_init: "A context, memory of a fixed size for tensors and graphs; `init` of the utilities takes fewer words for it.",
  ggml_free: "Frees a context with all its tensors and graphs, which can't be used any more; `using` does it at the end of a block.",
  ggml_used_mem: "How many bytes of a context's memory its tensors and graphs take.",
  ggml_get_mem_size: "How many bytes of memory a context has.",
  ggml_print_objects: "Logs what is in a context: `onLog` hears it.",
  ggml_tensor_overhead: "How many bytes a tensor takes of its context's memory besides its data.",
  ggml_new_tensor: "A tensor of a type with one to four dimensions, given as `ne`; its data is in the context, unless that allocates none.",
  ggml_new_tensor_1d: "A vector of `ne0` elements of a type; its data is in the context, unless that allocates none.",
  ggml_new_tensor_2d: "A matrix of `ne1` rows of `ne0` elements each; its data is in the context, unless that allocates none.",
  ggml_new_tensor_3d: "A tensor of the shape `[ne0, ne1, ne2]` and a type; its data is in the context, unless that allocates none.",
  ggml_new_tensor_4d: "A tensor of the shape `[ne0, ne1, ne2, ne3]` and a type; its data is in the context, unless that allocates none.",
  ggml_dup_tensor: "A new tensor of another one's type and shape, without its numbers.",
  ggml_get_tensor: "The first tensor of a context with a name, null if there is none.",
  ggml_get_name: "A tensor's name, as `tensor.name`; empty if it has none.",
  ggml_set_name: "Names a tensor by the first 63 bytes of a text, and returns it.",
  ggml_format_name: "As `ggml_set_name`: the text comes already formatted.",
  ggml_n_dims: "How many dimensions a tensor has, not counting those of 1 at the end: at least 1.",
  ggml_is_contiguous: "True for a tensor whose elements lie in memory in the order of its dimensions, without gaps.",
  ggml_can_repeat: "True if `t0` repeated makes the shape of `t1`: each dimension of `t1` is a multiple of that of `t0`.",
  ggml_nelements: "How many elements a tensor has: the product of its `ne`.",
  ggml_nbytes: "How many bytes a tensor's data spans, from its first element to its last, gaps among them.",
  ggml_type_name: "A type's name, such as `f32` or `q4_K`.",
  ggml_type_size: "How many bytes a block of a type takes; of a type that isn't quantized, an element.",
  ggml_blck_size: "How many elements a block of a type has: 1 where it isn't quantized.",
  ggml_row_size: "How many bytes a row of `ne` elements of a type takes; `ne` is a multiple of the type's block.",
  ggml_is_quantized: "True for the quantized types.",
  ggml_get_type_traits: "What ggml knows of a type: its name, block, size and conversions.",
  ggml_set_f32: "Sets each element of a tensor that isn't quantized to a value, and returns the tensor.",
  ggml_get_f32_nd: "One element of a tensor, by its index in each of the four dimensions, as a number.",
  ggml_get_f32_1d: "One element of a tensor, by its index among them all, as a number.",
  ggml_status_to_string: "What the status that a computation answers means, in words.",
  ggml_abort: "Fails as C's assertions do: an Error with the text, the file and the line.",

  // Operations
  ggml_add: "`a + b`, `b` repeated to the shape of `a`; the result has the type and shape of `a`.",
  ggml_sub: "`a - b`, `b` repeated to the shape of `a`.",
  ggml_mul: "`a * b` element by element, `b` repeated to the shape of `a`.",
  ggml_div: "`a / b` element by element, `b` repeated to the shape of `a`.",
  ggml_scale: "Each element times a number.",
  ggml_mul_mat: "The product of matrices: for `a` of `[k, n]` and `b` of `[k, m]` a result of `[n, m]` in F32; `a` may be quantized.",
  ggml_sum: "The sum of all elements, as a tensor of one.",
  ggml_sum_rows: "The sum of each row: `ne[0]` becomes 1.",
  ggml_mean: "The mean of each row: `ne[0]` becomes 1.",
  ggml_argmax: "The index of the largest element of each row of a matrix, as a vector of I32.",
  ggml_sqr: "The square of each element.",
  ggml_sqrt: "The square root of each element.",
  ggml_log: "The natural logarithm of each element.",
  ggml_exp: "The exponential of each element.",
  ggml_sin: "The sine of each element.",
  ggml_tanh: "The hyperbolic tangent of each element.",
  ggml_relu: "Each element, or 0 where it is negative.",
  ggml_silu: "`x * sigmoid(x)` of each element.",
  ggml_gelu: "GELU of each element, by its approximation with a hyperbolic tangent.",
  ggml_sigmoid: "`1 / (1 + exp(-x))` of each element.",
  ggml_softplus: "`log(1 + exp(x))` of each element.",
  ggml_clamp: "Each element, or `min` where it is smaller and `max` where it is larger.",
  ggml_swiglu_split: "`silu(a) * b` element by element, for `a` and `b` of one shape.",
  ggml_norm: "Each row less its mean, divided by the root of its variance, to which `eps` is added.",
  ggml_rms_norm: "Each row divided by the root of its mean square, to which `eps` is added.",
  ggml_soft_max: "The softmax of each row: positive numbers with a sum of 1.",
  ggml_soft_max_ext:
    "The softmax of each row times `scale`, after a mask is added, which may be null, and by `max_bias` a slope for each head.",
  ggml_cross_entropy_loss: "The mean cross entropy of rows of logits `a` and of probabilities `b`, as a tensor of one element.",
  ggml_rope:
    "Rotary position embedding of the first `n_dims` elements of each head: `a` is `[head size, heads, tokens]`, `b` the tokens' positions.",
  ggml_rope_ext: "As `ggml_rope`, with frequency factors (null for none), base and scales of one's own.",
  ggml_flash_attn_ext:
    "Attention in one operation: of `q`, `k` and `v` in `[head size, tokens, heads]` and a mask, a result of `[head size, heads, tokens]`.",
  ggml_conv_2d:
    "A convolution of images `b` of `[width, height, channels, images]` by kernels `a` of `[width, height, channels, kernels]`; " +
    "strides `s`, paddings `p` and dilations `d` are of the width and of the height.",
  ggml_pool_2d:
    "The largest or the mean element of each window of `k0` by `k1` elements; the windows begin `s0` and `s1` apart, with paddings `p`.",
  ggml_get_rows: "The rows of `a` whose indices are in `b`, an I32 tensor; as F32, but for integers.",
  ggml_set_rows: "`a` with rows of `b` written to the indices in `c` when it is computed; the result is a view of `a`.",
  ggml_concat: "`a` and `b` one after the other along a dimension; all other dimensions are the same.",
  ggml_repeat: "`a` repeated to the shape of `b`.",
  ggml_cast: "A copy of a tensor in another type.",
  ggml_cpy: "Copies `a` into `b` when it is computed, converted to the type of `b`; the result is a view of `b`.",
  ggml_cont: "A copy of a tensor without gaps, in the order of its dimensions.",
  ggml_transpose: "The same memory with the first two dimensions exchanged.",
  ggml_permute: "The same memory with the dimensions in another order: the first becomes dimension `axis0`, and so on.",
  ggml_reshape_1d: "The same memory as one dimension; the tensor has no gaps.",
  ggml_reshape_2d: "The same memory in the shape `[ne0, ne1]`; the tensor has no gaps.",
  ggml_reshape_3d: "The same memory in the shape `[ne0, ne1, ne2]`; the tensor has no gaps.",
  ggml_reshape_4d: "The same memory in the shape `[ne0, ne1, ne2, ne3]`; the tensor has no gaps.",
  ggml_view_1d: "A part of a tensor's memory: how many elements, and where it begins, in bytes.",
  ggml_view_2d: "A part of a tensor's memory: a shape, the bytes between rows, and where it begins, in bytes.",
  ggml_view_3d: "A part of a tensor's memory: a shape, the bytes between rows and between planes, and where it begins, in bytes.",
  ggml_map_custom1:
    "An operation in TypeScript, called when the graph is computed, for each of `n_tasks` parts; the result has the shape of `a`.",

  // Graphs
  ggml_new_graph: "An empty graph for at most 2,048 nodes, in a context's memory.",
  ggml_new_graph_custom: "An empty graph for at most `size` nodes, with room for gradients if they are wanted.",
  ggml_graph_overhead_custom: "How many bytes a graph of `ggml_new_graph_custom` takes of its context's memory.",
  ggml_build_forward_expand: "Adds a tensor to a graph, after all that it needs and that isn't there yet.",
  ggml_build_backward_expand: "Adds to a graph what computes the gradients of its loss with respect to its parameters.",
  ggml_graph_get_grad: "The gradient of a node, null if the graph has none.",
  ggml_graph_reset: "Sets the gradients of a graph and the moments of its optimizer to zero, and the gradient of its loss to 1.",
  ggml_graph_n_nodes: "How many nodes a graph has.",
  ggml_graph_node: "The node of a graph at an index; a negative one counts from the end.",
  ggml_graph_get_tensor: "The tensor of a graph with a name, null if there is none.",
  ggml_graph_print: "Logs the nodes and leafs of a graph: `onLog` hears them.",
  ggml_graph_plan: "What it takes to compute a graph on the CPU: the size of working memory, and how many threads.",
  ggml_graph_compute: "Computes a graph by a plan, on the CPU; `compute` of the utilities makes the plan itself.",
  ggml_graph_compute_with_ctx:
    "Computes a graph on the CPU with a number of threads; its working memory is taken from the context each time.",
  ggml_set_input: "Marks a tensor as one that is written to from outside: an allocator gives it memory before all others.",
  ggml_set_output: "Marks a tensor as one that is read afterwards: an allocator gives its memory to no other.",
  ggml_set_param: "Marks a tensor as a parameter, for which gradients are computed.",
  ggml_set_loss: "Marks a tensor of one element as the loss, whose gradients are wanted.",

  // Backends and memory
  ggml_backend_cpu_init: "A backend for the CPU.",
  ggml_backend_init_best: "A backend for the first GPU, or else for the CPU; null where ggml's registry has no device.",
  ggml_backend_free: "Frees a backend; `using` does it at the end of a block.",
  ggml_backend_blas_init: "A backend that multiplies matrices by a BLAS library, if this build has one.",
  ggml_backend_cpu_set_n_threads: "How many threads a CPU backend computes with.",
  ggml_backend_cpu_set_threadpool: "Has a CPU backend compute with a threadpool; null for threads of its own.",
  ggml_backend_dev_init: "A backend for a device, such as one of `devices()`; null if it can't be had.",
  ggml_backend_name: "A backend's name, such as `CPU` or `Vulkan0`.",
  ggml_backend_dev_count: "How many devices ggml's registry has.",
  ggml_backend_load_all_from_path: "Registers all backends in a folder: `load().path` is the loaded library's.",
  ggml_backend_get_default_buffer_type: "The kind of memory that a backend computes on.",
  ggml_backend_cpu_buffer_type: "The CPU's kind of memory.",
  ggml_backend_cpu_buffer_from_ptr: "A buffer over memory of your own, for tensors that the CPU computes.",
  ggml_backend_alloc_ctx_tensors: "Gives all tensors of a context that have none memory on a backend; null if there is nothing to give.",
  ggml_backend_buffer_clear: "Sets each byte of a buffer.",
  ggml_backend_graph_compute: "Computes a graph whose tensors are in a backend's memory, and waits for it.",
  ggml_backend_graph_copy: "A copy of a graph and of its tensors in another backend's memory; `using` frees it.",
  ggml_backend_sched_new: "A scheduler, which divides a graph among backends, the first of them preferred; the last is a CPU backend.",
  ggml_gallocr_new:
    "An allocator, which gives the tensors of a graph memory of a kind, the same to those that aren't needed at the same time.",
  ggml_gallocr_alloc_graph:
    "Gives the tensors of a graph memory, which they have until the next graph is allocated; false if there is too little.",
  ggml_gallocr_get_buffer_size: "How many bytes an allocator has in one of its buffers; an allocator of one kind of memory has the one 0.",
  ggml_threadpool_params_default: "The parameters of a threadpool of so many threads.",
  ggml_threadpool_new: "Threads that wait for something to compute.",

  // Quantizing
  ggml_quantize_chunk:
    "Quantizes `nrows` rows of `n_per_row` numbers, from element `start` on; `quantize` and `copy` of the utilities do it for you.",
  ggml_quantize_requires_imatrix: "True for the types that can't be quantized to without an importance matrix.",

  // Training
  ggml_opt_dataset_init:
    "A data set of `ndata` points with so many numbers and labels each; shards of `ndata_shard` points are shuffled as one.",
  ggml_opt_dataset_data: "The data of a data set: a tensor of `[ne_datapoint, ndata]`.",
  ggml_opt_dataset_labels: "The labels of a data set: a tensor of `[ne_label, ndata]`; null if it has none.",
  ggml_opt_dataset_shuffle:
    "Shuffles the first `idata` points of a data set, all of them for a negative number, by an optimizer's generator.",
  ggml_opt_default_params: "The parameters of an optimizer on a scheduler's backends, for a kind of loss.",
  ggml_opt_get_default_optimizer_params: "The numbers by which an optimizer steps, such as AdamW's rate, as ggml has them.",
  ggml_opt_init: "An optimizer; null where its parameters make none.",
  ggml_opt_free: "Frees an optimizer.",
  ggml_opt_epoch: "Trains with the first part of a data set, up to `idata_split`, and evaluates with the rest.",
  ggml_opt_fit:
    "Trains for `nepoch` epochs and evaluates on the last part of a data set, `val_split` of it; `silent` keeps it from printing how it goes.",
  ggml_opt_step_adamw: "A step of AdamW on a parameter, as a node: it needs the gradient, both moments of its shape, and seven numbers.",
  ggml_opt_context_optimizer_type: "Which optimizer this is.",
  ggml_opt_optimizer_name: "An optimizer's name.",
  ggml_opt_result_init: "What an epoch's results are added to.",
  ggml_opt_result_reset: "Empties a result, for the next epoch.",
  ggml_opt_result_loss: "The mean loss of a result, and how uncertain it is, into two arrays of one number.",
  ggml_opt_result_accuracy: "The share of right predictions of a result, and how uncertain it is, into two arrays of one number.",

  // Language models
  llama_model_default_params: "How a model is loaded, by default.",
  llama_model_load_from_file: "Loads a model from a GGUF file; null if it can't be, and the log says why.",
  llama_model_free: "Frees a model; `using` does it at the end of a block.",
  llama_model_get_vocab: "A model's vocabulary.",
  llama_context_default_params: "How a context is made, by default: with this machine's number of threads.",
  llama_init_from_model: "A context, in which a model decodes; null if it can't be made, and the log says why.",
  llama_free: "Frees a context of a model's.",
  llama_tokenize: "The tokens of a text, into an array; a negative number says how many there would be, where the array is too short.",
  llama_token_to_piece:
    "The bytes of a token, into an array; a negative number says how many there would be, where the array is too short.",
  llama_vocab_bos: "The token with which a text begins; −1 if there is none.",
  llama_vocab_is_eog: "True for a token that ends what is generated.",
  llama_batch_init: "A batch in C's memory with room for so many tokens, none of them filled in; `using` frees it.",
  llama_batch_get_one: "A batch of tokens of one sequence, which goes on where the context is; the array must live as long.",
  llama_decode: "Computes a batch: 0 for success, 1 where the context has no room; `lib.async` has it compute on another thread.",
  llama_get_logits_ith: "The logits of the i-th token of the last batch, one for each token of the vocabulary; −1 is the last.",
  llama_get_memory: "What a context remembers of the tokens before: its key-value cache, or a state.",
  llama_memory_clear: "Forgets all tokens; with `data` the memory is zeroed, too.",
  llama_sampler_chain_add: "Puts a sampler at the end of a chain, which frees it from then on.",
  llama_sampler_chain_remove: "Takes a sampler out of a chain, by its index, and gives it back to the caller; null if there is none.",

  // Files
  gguf_get_val_u64: "A key's value, of a key whose type is `GGUF_TYPE_UINT64`, by the key's index.",
  gguf_set_arr_data: "Sets a key to a copy of `n` numbers of a type.",
  gguf_write_to_file: "Writes over the file of that name as it goes; false if that fails, and the old file is lost. `writeGguf` keeps it.",
};
