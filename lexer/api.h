/*
 * What to bind: every header that is included here, and how its pointers behave where C itself doesn't say.
 *
 * Edit this file, or name another with API=<file>, and run `deno task regenerate`. A header that the tree doesn't have is passed over and
 * named at the end. Headers that are only included by these (stdio.h and the like) are read and not bound.
 *
 *   #pragma nullable f(x, y)     f takes null for its parameters x and y
 *   #pragma nullable f(return)   f returns null as one of its answers: not found, failed, nothing there
 *   #pragma keeps f(x, y)        what x stands for keeps a pointer to y after the call, so y must live as long
 *   #pragma calls f()            f may run callbacks before it returns: what they throw is thrown by f
 *
 * Without these, null is a TypeError, and a null result an Error: both mistakes in most functions. A function that returns a handle
 * needs no `keeps`: what it returns holds on to what it was made from.
 */

#include "ggml.h"
#if __has_include("ggml-alloc.h")
#include "ggml-alloc.h"
#endif
#if __has_include("ggml-backend.h")
#include "ggml-backend.h"
#endif
#if __has_include("ggml-cpu.h")
#include "ggml-cpu.h"
#endif
#if __has_include("ggml-opt.h")
#include "ggml-opt.h"
#endif
#if __has_include("gguf.h")
#include "gguf.h"
#endif

/* The other backends. Their functions are there if the loaded library was built with them. */
#if __has_include("ggml-blas.h")
#include "ggml-blas.h"
#endif
#if __has_include("ggml-cann.h")
#include "ggml-cann.h"
#endif
#if __has_include("ggml-cuda.h")
#include "ggml-cuda.h"
#endif
#if __has_include("ggml-et.h")
#include "ggml-et.h"
#endif
#if __has_include("ggml-hexagon.h")
#include "ggml-hexagon.h"
#endif
#if __has_include("ggml-metal.h")
#include "ggml-metal.h"
#endif
#if __has_include("ggml-opencl.h")
#include "ggml-opencl.h"
#endif
#if __has_include("ggml-openvino.h")
#include "ggml-openvino.h"
#endif
#if __has_include("ggml-rpc.h")
#include "ggml-rpc.h"
#endif
#if __has_include("ggml-sycl.h")
#include "ggml-sycl.h"
#endif
#if __has_include("ggml-virtgpu.h")
#include "ggml-virtgpu.h"
#endif
#if __has_include("ggml-vulkan.h")
#include "ggml-vulkan.h"
#endif
#if __has_include("ggml-webgpu.h")
#include "ggml-webgpu.h"
#endif
#if __has_include("ggml-zdnn.h")
#include "ggml-zdnn.h"
#endif
#if __has_include("ggml-zendnn.h")
#include "ggml-zendnn.h"
#endif

/* llama.cpp on top of ggml. */
#if __has_include("llama.h")
#include "llama.h"
#endif

/* ggml.h */
#pragma nullable ggml_set_abort_callback(return, callback)
#pragma nullable ggml_fopen(return)
#pragma nullable ggml_reset(ctx)
#pragma nullable ggml_free(ctx)
#pragma nullable ggml_get_first_tensor(return)
#pragma nullable ggml_get_next_tensor(return)
#pragma nullable ggml_get_tensor(return)
#pragma nullable ggml_unravel_index(i0, i1, i2, i3)
#pragma nullable ggml_get_data(return)
#pragma nullable ggml_get_data_f32(return)
#pragma nullable ggml_glu_split(b)
#pragma nullable ggml_reglu_split(b)
#pragma nullable ggml_geglu_split(b)
#pragma nullable ggml_swiglu_split(b)
#pragma nullable ggml_geglu_erf_split(b)
#pragma nullable ggml_geglu_quick_split(b)
#pragma nullable ggml_swiglu_oai(b)
#pragma nullable ggml_swiglu_clamp(b)
#pragma nullable ggml_soft_max_ext(mask)
#pragma nullable ggml_soft_max_ext_inplace(mask)
#pragma nullable ggml_soft_max_add_sinks(sinks)
#pragma nullable ggml_rope_ext(c)
#pragma nullable ggml_rope_multi(c)
#pragma nullable ggml_rope_ext_inplace(c)
#pragma nullable ggml_rope_multi_inplace(c)
#pragma nullable ggml_rope_ext_back(c)
#pragma nullable ggml_rope_multi_back(c)
#pragma nullable ggml_flash_attn_ext(mask)
#pragma nullable ggml_flash_attn_ext_add_sinks(sinks)
#pragma nullable ggml_dsv4_hc_post(comb)
#pragma nullable ggml_map_custom1(userdata)
#pragma nullable ggml_map_custom1_inplace(userdata)
#pragma nullable ggml_map_custom2(b, userdata)
#pragma nullable ggml_map_custom2_inplace(b, userdata)
#pragma nullable ggml_map_custom3(b, c, userdata)
#pragma nullable ggml_map_custom3_inplace(b, c, userdata)
#pragma nullable ggml_custom_4d(args, userdata)
#pragma nullable ggml_custom_inplace(args, userdata)
#pragma nullable ggml_build_backward_expand(grad_accs)
#pragma nullable ggml_graph_reset(cgraph)
#pragma nullable ggml_graph_get_tensor(return)
#pragma nullable ggml_graph_get_grad(return)
#pragma nullable ggml_graph_get_grad_acc(return)
#pragma nullable ggml_graph_dump_dot(cgraph)
#pragma nullable ggml_log_set(log_callback, user_data)
#pragma nullable ggml_quantize_chunk(imatrix)
#pragma keeps ggml_build_forward_expand(cgraph, tensor)
#pragma keeps ggml_graph_add_node(cgraph, tensor)

/* ggml-alloc.h */
#pragma nullable ggml_gallocr_free(galloc)
#pragma nullable ggml_gallocr_reserve_n_size(node_buffer_ids, leaf_buffer_ids)
#pragma nullable ggml_gallocr_reserve_n(node_buffer_ids, leaf_buffer_ids)
#pragma nullable ggml_backend_alloc_ctx_tensors_from_buft(return)
#pragma nullable ggml_backend_alloc_ctx_tensors(return)

/* ggml-backend.h */
#pragma nullable ggml_backend_buft_alloc_buffer(return)
#pragma nullable ggml_backend_buft_get_device(return)
#pragma nullable ggml_backend_buffer_free(buffer)
#pragma nullable ggml_backend_buffer_get_base(return)
#pragma nullable ggml_backend_guid(return, backend)
#pragma nullable ggml_backend_name(backend)
#pragma nullable ggml_backend_free(backend)
#pragma nullable ggml_backend_alloc_buffer(return)
#pragma nullable ggml_backend_graph_plan_create(return)
#pragma nullable ggml_backend_event_new(return, device)
#pragma nullable ggml_backend_event_free(event)
#pragma nullable ggml_backend_dev_backend_reg(return)
#pragma nullable ggml_backend_dev_init(return, params)
#pragma nullable ggml_backend_dev_host_buffer_type(return)
#pragma nullable ggml_backend_dev_buffer_from_host_ptr(return)
#pragma nullable ggml_backend_reg_dev_get(return)
#pragma nullable ggml_backend_reg_get_proc_address(return)
#pragma nullable ggml_backend_register(reg)
#pragma nullable ggml_backend_reg_by_name(return)
#pragma nullable ggml_backend_dev_by_name(return)
#pragma nullable ggml_backend_dev_by_type(return)
#pragma nullable ggml_backend_init_by_name(return, params)
#pragma nullable ggml_backend_init_by_type(return, params)
#pragma nullable ggml_backend_init_best(return)
#pragma nullable ggml_backend_load(return)
#pragma nullable ggml_backend_unload(reg)
#pragma nullable ggml_backend_load_all_from_path(dir_path)
#pragma nullable ggml_backend_sched_new(bufts)
#pragma nullable ggml_backend_sched_free(sched)
#pragma nullable ggml_backend_sched_get_tensor_backend(return)
#pragma nullable ggml_backend_sched_set_eval_callback(callback, user_data)
#pragma nullable ggml_backend_meta_device(get_split_state_ud)
#pragma nullable ggml_backend_compare_graph_backend(user_data, test_nodes)
#pragma calls ggml_backend_graph_compute()
#pragma calls ggml_backend_graph_compute_async()
#pragma calls ggml_backend_graph_plan_compute()
#pragma calls ggml_backend_sched_reserve()
#pragma calls ggml_backend_sched_alloc_graph()
#pragma calls ggml_backend_sched_graph_compute()
#pragma calls ggml_backend_sched_graph_compute_async()
#pragma calls ggml_backend_compare_graph_backend()

/* ggml-cpu.h */
#pragma nullable ggml_threadpool_free(threadpool)
#pragma nullable ggml_graph_plan(threadpool)
#pragma nullable ggml_backend_cpu_init(return)
#pragma nullable ggml_backend_is_cpu(backend)
#pragma nullable ggml_backend_cpu_set_threadpool(threadpool)
#pragma nullable ggml_backend_cpu_set_abort_callback(abort_callback, abort_callback_data)
#pragma calls ggml_graph_compute()
#pragma calls ggml_graph_compute_with_ctx()

/* ggml-opt.h */
#pragma nullable ggml_opt_dataset_labels(return)
#pragma nullable ggml_opt_dataset_get_batch(labels_batch)
#pragma nullable ggml_opt_dataset_get_batch_host(labels_batch)
#pragma nullable ggml_opt_get_default_optimizer_params(userdata)
#pragma nullable ggml_opt_free(opt_ctx)
#pragma nullable ggml_opt_inputs(return)
#pragma nullable ggml_opt_outputs(return)
#pragma nullable ggml_opt_labels(return)
#pragma nullable ggml_opt_loss(return)
#pragma nullable ggml_opt_pred(return)
#pragma nullable ggml_opt_ncorrect(return)
#pragma nullable ggml_opt_grad_acc(return)
#pragma nullable ggml_opt_result_free(result)
#pragma nullable ggml_opt_result_loss(unc)
#pragma nullable ggml_opt_result_accuracy(unc)
#pragma nullable ggml_opt_eval(result)
#pragma nullable ggml_opt_epoch(result_train, result_eval, callback_train, callback_eval)
#pragma nullable ggml_opt_epoch_callback_progress_bar(dataset)
#pragma calls ggml_opt_alloc()
#pragma calls ggml_opt_eval()
#pragma calls ggml_opt_epoch()
#pragma calls ggml_opt_fit()

/* gguf.h */
#pragma nullable gguf_init_from_file_ptr(return, file)
#pragma nullable gguf_init_from_file(return)
#pragma nullable gguf_init_from_buffer(return, data)
#pragma nullable gguf_init_from_callback(return, callback, userdata)
#pragma nullable gguf_free(ctx)
#pragma nullable gguf_type_name(return)
#pragma nullable gguf_get_arr_data(return)
#pragma nullable gguf_set_arr_data(data)
#pragma keeps gguf_set_tensor_data(ctx, data)
#pragma keeps gguf_add_tensor(ctx, tensor)
#pragma nullable gguf_set_arr_str(data)
#pragma calls gguf_init_from_callback()

/* ggml-blas.h */
#pragma nullable ggml_backend_is_blas(backend)

/* ggml-cann.h */
#pragma nullable ggml_backend_cann_init(return)
#pragma nullable ggml_backend_is_cann(backend)
#pragma nullable ggml_backend_cann_buffer_type(return)

/* ggml-cuda.h */
#pragma nullable ggml_backend_cuda_init(return)
#pragma nullable ggml_backend_is_cuda(backend)
#pragma nullable ggml_backend_cuda_buffer_type(return)

/* ggml-et.h */
#pragma nullable ggml_backend_et_init(return)
#pragma nullable ggml_backend_is_et(backend)
#pragma nullable ggml_backend_et_buffer_type(return)
#pragma nullable ggml_backend_et_reg(return)

/* ggml-hexagon.h */
#pragma nullable ggml_backend_is_hexagon(backend)
#pragma nullable ggml_backend_hexagon_reg(return)

/* ggml-metal.h */
#pragma nullable ggml_backend_metal_init(return)
#pragma nullable ggml_backend_is_metal(backend)
#pragma nullable ggml_backend_metal_set_abort_callback(abort_callback, user_data)

/* ggml-opencl.h */
#pragma nullable ggml_backend_is_opencl(backend)

/* ggml-openvino.h */
#pragma nullable ggml_backend_openvino_init(return)
#pragma nullable ggml_backend_is_openvino(backend)

/* ggml-rpc.h */
#pragma nullable ggml_backend_is_rpc(backend)
#pragma nullable ggml_backend_rpc_start_server(cache_dir)
#pragma nullable ggml_backend_rpc_add_server(return)

/* ggml-sycl.h */
#pragma nullable ggml_backend_sycl_init(return)
#pragma nullable ggml_backend_is_sycl(backend)
#pragma nullable ggml_backend_sycl_split_buffer_type(tensor_split)
#pragma nullable ggml_backend_sycl_comm_init(return)
#pragma nullable ggml_backend_sycl_comm_free(comm_ctx)
#pragma nullable ggml_backend_sycl_comm_allreduce_tensor(comm_ctx)

/* ggml-vulkan.h */
#pragma nullable ggml_backend_is_vk(backend)
#pragma nullable ggml_backend_vk_reg(return)

/* ggml-webgpu.h */
#pragma nullable ggml_backend_webgpu_init(return)

/* ggml-zendnn.h */
#pragma nullable ggml_backend_is_zendnn(backend)

/* llama.h */
#pragma nullable llama_attach_threadpool(threadpool, threadpool_batch)
#pragma nullable llama_model_init_from_user(return, set_tensor_data_ud)
#pragma nullable llama_load_model_from_file(return)
#pragma nullable llama_model_load_from_file(return)
#pragma nullable llama_model_load_from_file_ptr(return, file)
#pragma nullable llama_model_load_from_splits(return)
#pragma nullable llama_free_model(model)
#pragma nullable llama_model_free(model)
#pragma nullable llama_init_from_model(return, model)
#pragma nullable llama_new_context_with_model(return, model)
#pragma nullable llama_free(ctx)
#pragma nullable llama_get_memory(return, ctx)
#pragma nullable llama_model_cls_label(return)
#pragma nullable llama_model_meta_val_str(buf)
#pragma nullable llama_model_meta_key_str(return)
#pragma nullable llama_model_meta_key_by_index(buf)
#pragma nullable llama_model_meta_val_str_by_index(buf)
#pragma nullable llama_model_desc(buf)
#pragma nullable llama_model_chat_template(return, name)
#pragma nullable llama_adapter_lora_init(return)
#pragma nullable llama_adapter_lora_init_from_file_ptr(return, file)
#pragma nullable llama_adapter_meta_val_str(buf)
#pragma nullable llama_adapter_meta_key_by_index(buf)
#pragma nullable llama_adapter_meta_val_str_by_index(buf)
#pragma nullable llama_adapter_lora_free(adapter)
#pragma nullable llama_adapter_get_alora_n_invocation_tokens(adapter)
#pragma nullable llama_adapter_get_alora_invocation_tokens(return)
#pragma nullable llama_set_adapters_lora(adapters, scales)
#pragma nullable llama_set_adapter_cvec(data)
#pragma nullable llama_memory_clear(mem)
#pragma nullable llama_memory_seq_rm(mem)
#pragma nullable llama_memory_seq_cp(mem)
#pragma nullable llama_memory_seq_keep(mem)
#pragma nullable llama_memory_seq_add(mem)
#pragma nullable llama_memory_seq_div(mem)
#pragma nullable llama_memory_seq_pos_min(mem)
#pragma nullable llama_memory_seq_pos_max(mem)
#pragma nullable llama_memory_can_shift(mem)
#pragma nullable llama_state_load_file(tokens_out)
#pragma nullable llama_load_session_file(tokens_out)
#pragma nullable llama_state_save_file(tokens)
#pragma nullable llama_save_session_file(tokens)
#pragma nullable llama_state_seq_save_file(tokens)
#pragma nullable llama_state_seq_load_file(tokens_out)
#pragma nullable llama_batch_get_one(tokens)
#pragma nullable llama_set_abort_callback(abort_callback, abort_callback_data)
#pragma nullable llama_get_logits(return)
#pragma nullable llama_get_logits_ith(return)
#pragma nullable llama_get_embeddings(return)
#pragma nullable llama_get_embeddings_ith(return)
#pragma nullable llama_get_embeddings_seq(return)
#pragma nullable llama_get_sampled_probs_ith(return)
#pragma nullable llama_get_sampled_logits_ith(return)
#pragma nullable llama_get_sampled_candidates_ith(return)
#pragma nullable llama_vocab_get_suppress_tokens(return, n_suppress_tokens)
#pragma nullable llama_tokenize(tokens)
#pragma nullable llama_token_to_piece(buf)
#pragma nullable llama_detokenize(text)
#pragma nullable llama_chat_apply_template(tmpl, buf)
#pragma nullable llama_chat_builtin_templates(output)
#pragma nullable llama_set_sampler(smpl)
#pragma nullable llama_sampler_init(ctx)
#pragma nullable llama_sampler_accept(smpl)
#pragma nullable llama_sampler_apply(smpl)
#pragma nullable llama_sampler_reset(smpl)
#pragma nullable llama_sampler_clone(return, smpl)
#pragma nullable llama_sampler_copy(src, dst)
#pragma nullable llama_sampler_free(smpl)
#pragma nullable llama_sampler_chain_get(return, chain)
#pragma nullable llama_sampler_chain_remove(return)
#pragma nullable llama_sampler_init_grammar(return, grammar_str)
#pragma nullable llama_sampler_init_grammar_lazy(return, grammar_str, trigger_words, trigger_tokens)
#pragma nullable llama_sampler_init_grammar_lazy_patterns(return, grammar_str, trigger_patterns, trigger_tokens)
#pragma nullable llama_sampler_init_dry(seq_breakers)
#pragma nullable llama_sampler_init_logit_bias(logit_bias)
#pragma nullable llama_split_prefix(split_prefix)
#pragma nullable llama_log_set(log_callback, user_data)
#pragma nullable llama_perf_context(ctx)
#pragma nullable llama_perf_context_print(ctx)
#pragma nullable llama_opt_param_filter_all(tensor, userdata)
#pragma nullable llama_opt_epoch(result_train, result_eval, callback_train, callback_eval)
#pragma calls llama_model_init_from_user()
#pragma calls llama_load_model_from_file()
#pragma calls llama_model_load_from_file()
#pragma calls llama_model_load_from_file_ptr()
#pragma calls llama_model_load_from_splits()
#pragma calls llama_init_from_model()
#pragma calls llama_new_context_with_model()
#pragma calls llama_free()
#pragma calls llama_encode()
#pragma calls llama_decode()
#pragma calls llama_set_sampler()
#pragma calls llama_sampler_init()
#pragma calls llama_sampler_name()
#pragma calls llama_sampler_accept()
#pragma calls llama_sampler_apply()
#pragma calls llama_sampler_reset()
#pragma calls llama_sampler_clone()
#pragma calls llama_sampler_copy()
#pragma calls llama_sampler_free()
#pragma calls llama_sampler_sample()
#pragma calls llama_sampler_chain_remove()
#pragma calls llama_opt_init()
#pragma calls llama_opt_epoch()
#pragma keeps llama_opt_init(lctx, lopt_params)
