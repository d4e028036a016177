/*
 * What to bind: every header that is included here, and how its pointers behave where C itself doesn't say.
 *
 * Edit this file, or name another with API=<file>, and run `deno task regenerate`. A header that the tree doesn't have is passed over and
 * named at the end. Headers that are only included by these (stdio.h and the like) are read and not bound.
 *
 *   #pragma nullable f(x, y)     f takes null for its parameters x and y. An enum, as a parameter or as the field x of the struct f, takes
 *                                the number of its values too, which stands for none of them
 *   #pragma nullable f(return)   f returns null as one of its answers: not found, failed, nothing there
 *   #pragma nullable f(x[])      f takes null for items of its array x
 *   #pragma keeps f(x, y)        what x stands for keeps a pointer to y after the call, so y must live as long
 *   #pragma keeps f(x, return)   what x stands for keeps a pointer to what f returns
 *   #pragma sets f(x, y)         keeps y in place of what an earlier call of f gave it; `sets f(x, y, n)`: an earlier call with the same n
 *   #pragma forgets g(f1, f2)    after g, its first parameter no longer keeps what f1 and f2 had it keep. If such a thing is freed, g is
 *                                called before; and after f1, if that returns nothing and has it keep what it made, and freed again.
 *                                If f1 itself is one that `forgets`, g has its first parameter, and what that keeps, forget the same
 *   #pragma places f(x, y)       f gives the tensors that the graph y reaches memory of x, if they have none, and takes it from other ones;
 *                                `places f(x)`: it takes it from all
 *   #pragma passing f(return)    what f returns is valid until a function is called that `passes` names
 *   #pragma passes f(x)          f makes anew what was made `passing` of x; `passes f(x[])`: f clears the memory of x. What was made in it
 *                                is gone, x itself is not
 *   #pragma reads f(x, y)        f looks at x and y during the call only: what it returns doesn't depend on them. `reads f(x, return)`: it
 *                                is a copy of x, which depends on what x depends on
 *   #pragma borrows f(return)    what f returns is somebody else's, who frees it
 *   #pragma takes f(x)           after f, x belongs to the other handle, which frees it; where x is f's only parameter, f frees it;
 *                                `takes g(x, f)`: g frees x, which f made of g's other parameters
 *   #pragma gives f(x.y)         f writes a pointer to what it made for the caller to where y points, a field of x
 *   #pragma calls f              f may run callbacks before it returns: what they throw is thrown by f
 *   #pragma length f(x: n)       f reads or writes n elements of x (bytes where x is `void *`): a C expression over the other parameters, their
 *                                fields, and functions of them that are bound here. Null has none: `x ? n : 0` lets it pass. In a module of
 *                                `generate`, a `const char *` with a length is a string or bytes
 *   #pragma check f              f's arguments are looked at in ffi/calls/checks/, for what C doesn't check and doesn't survive
 *
 * Without these, null is a TypeError, and a null result an Error: both mistakes in most functions. A function that returns a handle
 * needs no `keeps`: what it returns holds on to what it was made from. If there is a function that frees such a thing (`ggml_free`, of one
 * parameter and no result) it is the caller's, who made it, and is freed before what it was made from.
 *
 * What the headers say themselves needs no pragma: a parameter `int64_t ne[4]` has four elements, a parameter of an enum type is one of the
 * enum's values unless these are single bits (1, 2, 4, …), and an enum's last name is no value of it if it ends in _COUNT and is one more than
 * any other.
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
#pragma check ggml_init
#pragma check ggml_get_next_tensor
#pragma check ggml_quantize_chunk
#pragma check ggml_new_tensor
#pragma check ggml_new_tensor_1d
#pragma check ggml_new_tensor_2d
#pragma check ggml_new_tensor_3d
#pragma check ggml_new_tensor_4d
#pragma check ggml_row_size
#pragma check ggml_reshape_2d
#pragma check ggml_reshape_3d
#pragma check ggml_reshape_4d
#pragma check ggml_view_1d
#pragma check ggml_view_2d
#pragma check ggml_view_3d
#pragma check ggml_view_4d
#pragma check ggml_graph_cpy
#pragma check ggml_reshape
#pragma check ggml_cont_2d
#pragma check ggml_cont_3d
#pragma check ggml_cont_4d
#pragma check ggml_repeat_4d
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
#pragma check ggml_mul_mat_set_hint
#pragma keeps ggml_build_forward_expand(cgraph, tensor)
#pragma keeps ggml_graph_add_node(cgraph, tensor)
#pragma length ggml_fp16_to_fp32_row(0: arg2)
#pragma length ggml_fp16_to_fp32_row(1: arg2)
#pragma length ggml_fp32_to_fp16_row(0: arg2)
#pragma length ggml_fp32_to_fp16_row(1: arg2)
#pragma length ggml_bf16_to_fp32_row(0: arg2)
#pragma length ggml_bf16_to_fp32_row(1: arg2)
#pragma length ggml_fp32_to_bf16_row_ref(0: arg2)
#pragma length ggml_fp32_to_bf16_row_ref(1: arg2)
#pragma length ggml_fp32_to_bf16_row(0: arg2)
#pragma length ggml_fp32_to_bf16_row(1: arg2)
#pragma length ggml_guid_matches(guid_a: 16)
#pragma length ggml_guid_matches(guid_b: 16)
#pragma length ggml_validate_row_data(data: nbytes)
#pragma length ggml_new_tensor(ne: n_dims)
#pragma length ggml_unravel_index(i0: i0 ? 1 : 0)
#pragma length ggml_unravel_index(i1: i1 ? 1 : 0)
#pragma length ggml_unravel_index(i2: i2 ? 1 : 0)
#pragma length ggml_unravel_index(i3: i3 ? 1 : 0)
#pragma length ggml_im2col_back(ne: 4)
#pragma length ggml_custom_4d(args: n_args)
#pragma length ggml_custom_inplace(args: n_args)
#pragma length ggml_build_forward_select(tensors: n_tensors)
#pragma nullable ggml_build_backward_expand(grad_accs[])
#pragma length ggml_build_backward_expand(grad_accs: grad_accs ? ggml_graph_n_nodes(cgraph) : 0)
#pragma length ggml_log_get(log_callback: 1)
#pragma length ggml_log_get(user_data: 1)
#pragma length ggml_quantize_chunk(src: start + nrows * n_per_row)
#pragma length ggml_quantize_chunk(dst: (start + nrows * n_per_row) / ggml_blck_size(type) * ggml_type_size(type))
#pragma length ggml_quantize_chunk(imatrix: imatrix ? n_per_row : 0)
#pragma keeps ggml_build_forward_select(cgraph, tensors)
#pragma keeps ggml_build_backward_expand(cgraph, ctx)
#pragma keeps ggml_build_backward_expand(cgraph, grad_accs)
#pragma keeps ggml_graph_cpy(dst, src)
#pragma passes ggml_reset(ctx[])
#pragma reads ggml_threadpool_new(params)

/* ggml-alloc.h */
#pragma check ggml_backend_alloc_ctx_tensors
#pragma check ggml_backend_alloc_ctx_tensors_from_buft
#pragma check ggml_gallocr_new_n
#pragma check ggml_gallocr_reserve_n
#pragma check ggml_gallocr_reserve_n_size
#pragma nullable ggml_gallocr_free(galloc)
#pragma nullable ggml_gallocr_reserve_n_size(node_buffer_ids, leaf_buffer_ids)
#pragma nullable ggml_gallocr_reserve_n(node_buffer_ids, leaf_buffer_ids)
#pragma nullable ggml_backend_alloc_ctx_tensors_from_buft(return)
#pragma nullable ggml_backend_alloc_ctx_tensors(return)
#pragma length ggml_gallocr_new_n(bufts: n_bufs)
#pragma length ggml_gallocr_reserve_n_size(node_buffer_ids: node_buffer_ids ? ggml_graph_n_nodes(graph) : 0)
#pragma length ggml_gallocr_reserve_n(node_buffer_ids: node_buffer_ids ? ggml_graph_n_nodes(graph) : 0)
#pragma keeps ggml_tallocr_alloc(tensor, talloc)
#pragma places ggml_gallocr_reserve(galloc)
#pragma places ggml_gallocr_reserve_n_size(galloc)
#pragma places ggml_gallocr_reserve_n(galloc)
#pragma places ggml_gallocr_alloc_graph(galloc, graph)
#pragma reads ggml_backend_alloc_ctx_tensors_from_buft(ctx)
#pragma keeps ggml_backend_alloc_ctx_tensors_from_buft(ctx, return)
#pragma reads ggml_backend_alloc_ctx_tensors(ctx, backend)
#pragma keeps ggml_backend_alloc_ctx_tensors(ctx, return)

/* ggml-backend.h */
#pragma check ggml_backend_tensor_set
#pragma check ggml_backend_tensor_get
#pragma check ggml_backend_tensor_set_async
#pragma check ggml_backend_tensor_get_async
#pragma check ggml_backend_tensor_set_2d
#pragma check ggml_backend_tensor_get_2d
#pragma check ggml_backend_tensor_set_2d_async
#pragma check ggml_backend_tensor_get_2d_async
#pragma check ggml_backend_tensor_memset
#pragma check ggml_set_zero
#pragma check ggml_backend_tensor_alloc
#pragma check ggml_backend_tensor_copy
#pragma check ggml_backend_tensor_copy_async
#pragma check ggml_backend_graph_copy
#pragma check ggml_backend_sched_new
#pragma check ggml_backend_graph_plan_compute
#pragma check ggml_backend_graph_plan_free
#pragma check ggml_backend_compare_graph_backend
#pragma check ggml_backend_graph_compute
#pragma check ggml_backend_graph_compute_async
#pragma check ggml_gallocr_alloc_graph
#pragma check ggml_gallocr_reserve
#pragma check ggml_backend_sched_alloc_graph
#pragma check ggml_backend_sched_split_graph
#pragma check ggml_backend_sched_reserve
#pragma check ggml_backend_sched_reserve_size
#pragma check ggml_backend_sched_reset
#pragma check ggml_backend_sched_set_eval_callback
#pragma check ggml_graph_clear
#pragma check ggml_graph_reset
#pragma check ggml_graph_add_node
#pragma check ggml_build_forward_expand
#pragma check ggml_build_forward_select
#pragma check ggml_build_backward_expand
#pragma check ggml_backend_sched_graph_compute
#pragma check ggml_backend_sched_graph_compute_async
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
#pragma calls ggml_backend_graph_compute
#pragma calls ggml_backend_graph_compute_async
#pragma calls ggml_backend_graph_plan_compute
#pragma calls ggml_backend_sched_reserve
#pragma calls ggml_backend_sched_alloc_graph
#pragma calls ggml_backend_sched_graph_compute
#pragma calls ggml_backend_sched_graph_compute_async
#pragma calls ggml_backend_compare_graph_backend
#pragma length ggml_backend_tensor_set_async(data: size)
#pragma length ggml_backend_tensor_get_async(data: size)
#pragma length ggml_backend_tensor_set_2d_async(data: n_copies ? (n_copies - 1) * stride_data + size : 0)
#pragma length ggml_backend_tensor_get_2d_async(data: n_copies ? (n_copies - 1) * stride_data + size : 0)
#pragma length ggml_backend_tensor_set(data: size)
#pragma length ggml_backend_tensor_get(data: size)
#pragma length ggml_backend_tensor_set_2d(data: n_copies ? (n_copies - 1) * stride_data + size : 0)
#pragma length ggml_backend_tensor_get_2d(data: n_copies ? (n_copies - 1) * stride_data + size : 0)
#pragma length ggml_backend_dev_memory(free: 1)
#pragma length ggml_backend_dev_memory(total: 1)
#pragma length ggml_backend_dev_buffer_from_host_ptr(ptr: size)
#pragma length ggml_backend_sched_new(backends: n_backends)
#pragma length ggml_backend_sched_new(bufts: bufts ? n_backends : 0)
#pragma length ggml_backend_sched_reserve_size(sizes: ggml_backend_sched_get_n_backends(sched))
#pragma length ggml_backend_meta_device(devs: n_devs)
#pragma length ggml_backend_compare_graph_backend(test_nodes: num_test_nodes)
#pragma length ggml_backend_cpu_buffer_from_ptr(ptr: size)
#pragma reads ggml_backend_buffer_get_type(buffer)
#pragma reads ggml_backend_get_default_buffer_type(backend)
#pragma reads ggml_backend_get_device(backend)
#pragma reads ggml_backend_alloc_buffer(backend)
#pragma keeps ggml_backend_tensor_alloc(tensor, buffer)
#pragma takes ggml_backend_graph_plan_free(plan, ggml_backend_graph_plan_create)
#pragma reads ggml_backend_graph_copy(backend, graph)
#pragma borrows ggml_backend_sched_get_backend(return)
#pragma borrows ggml_backend_sched_get_tensor_backend(return)
#pragma reads ggml_backend_sched_get_buffer_type(sched, backend)
#pragma places ggml_backend_sched_reserve_size(sched)
#pragma places ggml_backend_sched_reserve(sched)
#pragma keeps ggml_backend_sched_split_graph(sched, graph)
#pragma keeps ggml_backend_sched_alloc_graph(sched, graph)
#pragma places ggml_backend_sched_alloc_graph(sched, graph)
#pragma keeps ggml_backend_sched_graph_compute(sched, graph)
#pragma places ggml_backend_sched_graph_compute(sched, graph)
#pragma keeps ggml_backend_sched_graph_compute_async(sched, graph)
#pragma places ggml_backend_sched_graph_compute_async(sched, graph)
#pragma forgets ggml_backend_sched_reset(ggml_backend_sched_split_graph, ggml_backend_sched_alloc_graph)
#pragma forgets ggml_backend_sched_reset(ggml_backend_sched_graph_compute, ggml_backend_sched_graph_compute_async)
#pragma forgets ggml_backend_sched_reset(ggml_opt_init, ggml_opt_fit)

/* ggml-cpu.h */
#pragma check ggml_backend_cpu_set_n_threads
#pragma check ggml_graph_plan
#pragma check ggml_set_i32
#pragma check ggml_set_f32
#pragma check ggml_get_i32_1d
#pragma check ggml_set_i32_1d
#pragma check ggml_get_f32_1d
#pragma check ggml_set_f32_1d
#pragma check ggml_get_i32_nd
#pragma check ggml_set_i32_nd
#pragma check ggml_get_f32_nd
#pragma check ggml_set_f32_nd
#pragma check ggml_cpu_fp32_to_fp32
#pragma check ggml_threadpool_new
#pragma check ggml_graph_compute
#pragma check ggml_graph_compute_with_ctx
#pragma nullable ggml_threadpool_free(threadpool)
#pragma nullable ggml_graph_plan(threadpool)
#pragma nullable ggml_backend_cpu_init(return)
#pragma nullable ggml_backend_is_cpu(backend)
#pragma nullable ggml_backend_cpu_set_threadpool(threadpool)
#pragma nullable ggml_backend_cpu_set_abort_callback(abort_callback, abort_callback_data)
#pragma calls ggml_graph_compute
#pragma calls ggml_graph_compute_with_ctx
#pragma length ggml_cpu_fp32_to_fp32(0: arg2)
#pragma length ggml_cpu_fp32_to_fp32(1: arg2)
#pragma length ggml_cpu_fp32_to_i32(0: arg2)
#pragma length ggml_cpu_fp32_to_i32(1: arg2)
#pragma length ggml_cpu_fp32_to_fp16(0: arg2)
#pragma length ggml_cpu_fp32_to_fp16(1: arg2)
#pragma length ggml_cpu_fp16_to_fp32(0: arg2)
#pragma length ggml_cpu_fp16_to_fp32(1: arg2)
#pragma length ggml_cpu_fp32_to_bf16(0: arg2)
#pragma length ggml_cpu_fp32_to_bf16(1: arg2)
#pragma length ggml_cpu_bf16_to_fp32(0: arg2)
#pragma length ggml_cpu_bf16_to_fp32(1: arg2)
#pragma sets ggml_backend_cpu_set_threadpool(backend_cpu, threadpool)

/* ggml-opt.h */
#pragma check ggml_opt_dataset_init
#pragma check ggml_opt_dataset_get_batch
#pragma check ggml_opt_dataset_get_batch_host
#pragma check ggml_opt_result_pred
#pragma check ggml_opt_init
#pragma check ggml_opt_prepare_alloc
#pragma check ggml_opt_alloc
#pragma check ggml_opt_eval
#pragma check ggml_opt_epoch
#pragma check ggml_opt_fit
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
#pragma calls ggml_opt_alloc
#pragma calls ggml_opt_eval
#pragma calls ggml_opt_epoch
#pragma calls ggml_opt_fit
#pragma length ggml_opt_dataset_get_batch_host(data_batch: nb_data_batch)
#pragma length ggml_opt_get_constant_optimizer_params(userdata: sizeof(ggml_opt_optimizer_params))
#pragma length ggml_opt_result_ndata(ndata: 1)
#pragma length ggml_opt_result_loss(loss: 1)
#pragma length ggml_opt_result_loss(unc: unc ? 1 : 0)
#pragma length ggml_opt_result_accuracy(accuracy: 1)
#pragma length ggml_opt_result_accuracy(unc: unc ? 1 : 0)
#pragma keeps ggml_opt_init(params.ctx_compute, params.backend_sched)
#pragma keeps ggml_opt_init(params.backend_sched, return)
#pragma passing ggml_opt_inputs(return)
#pragma passing ggml_opt_outputs(return)
#pragma passing ggml_opt_labels(return)
#pragma passing ggml_opt_loss(return)
#pragma passing ggml_opt_pred(return)
#pragma passing ggml_opt_ncorrect(return)
#pragma passing ggml_opt_grad_acc(return)
#pragma passes ggml_opt_prepare_alloc(opt_ctx)
#pragma passes ggml_opt_alloc(opt_ctx)
#pragma passes ggml_opt_epoch(opt_ctx)
#pragma sets ggml_opt_prepare_alloc(opt_ctx, ctx_compute)
#pragma sets ggml_opt_prepare_alloc(opt_ctx, gf)
#pragma sets ggml_opt_prepare_alloc(opt_ctx, inputs)
#pragma sets ggml_opt_prepare_alloc(opt_ctx, outputs)
#pragma keeps ggml_opt_prepare_alloc(ctx_compute, opt_ctx)
#pragma forgets ggml_opt_alloc(ggml_backend_sched_reset)
#pragma forgets ggml_opt_epoch(ggml_backend_sched_reset)
#pragma keeps ggml_opt_fit(ctx_compute, backend_sched)
#pragma keeps ggml_opt_fit(backend_sched, return)

/* gguf.h */
#pragma check gguf_init_from_file
#pragma check gguf_init_from_file_ptr
#pragma check gguf_init_from_buffer
#pragma check gguf_init_from_callback
#pragma check gguf_get_arr_str
#pragma check gguf_set_arr_data
#pragma check gguf_set_kv
#pragma check gguf_add_tensor
#pragma check gguf_set_tensor_data
#pragma check gguf_write_to_file
#pragma check gguf_write_to_file_ptr
#pragma nullable gguf_init_from_file_ptr(return, file)
#pragma nullable gguf_init_from_file(return)
#pragma nullable gguf_init_from_buffer(return, data)
#pragma nullable gguf_init_from_callback(return, callback, userdata)
#pragma nullable gguf_free(ctx)
#pragma nullable gguf_type_name(return)
#pragma nullable gguf_get_arr_data(return)
#pragma nullable gguf_set_arr_data(data)
#pragma sets gguf_set_tensor_data(ctx, data, name)
#pragma keeps gguf_add_tensor(ctx, tensor)
#pragma nullable gguf_set_arr_str(data)
#pragma calls gguf_init_from_callback
#pragma length gguf_init_from_buffer(data: data ? size : 0)
#pragma length gguf_set_arr_data(data: n * (type < 2 || type == 7 ? 1 : type < 4 ? 2 : type < 8 ? 4 : 8))
#pragma length gguf_set_arr_str(data: n)
#pragma length gguf_set_tensor_data(data: gguf_find_tensor(ctx, name) < 0 ? 0 : gguf_get_tensor_size(ctx, gguf_find_tensor(ctx, name)))
#pragma length gguf_get_meta_data(data: gguf_get_meta_size(ctx))
#pragma passing gguf_get_val_data(return)
#pragma passing gguf_get_arr_data(return)
#pragma passing gguf_get_tensor_ne(return)
#pragma passes gguf_remove_key(ctx)
#pragma passes gguf_set_val_u8(ctx)
#pragma passes gguf_set_val_i8(ctx)
#pragma passes gguf_set_val_u16(ctx)
#pragma passes gguf_set_val_i16(ctx)
#pragma passes gguf_set_val_u32(ctx)
#pragma passes gguf_set_val_i32(ctx)
#pragma passes gguf_set_val_f32(ctx)
#pragma passes gguf_set_val_u64(ctx)
#pragma passes gguf_set_val_i64(ctx)
#pragma passes gguf_set_val_f64(ctx)
#pragma passes gguf_set_val_bool(ctx)
#pragma passes gguf_set_val_str(ctx)
#pragma passes gguf_set_arr_data(ctx)
#pragma passes gguf_set_arr_str(ctx)
#pragma passes gguf_set_kv(ctx)
#pragma passes gguf_add_tensor(ctx)
#pragma passes gguf_set_tensor_type(ctx)
#pragma passes gguf_set_tensor_data(ctx)
#pragma gives gguf_init_from_file_ptr(params.ctx)
#pragma gives gguf_init_from_file(params.ctx)
#pragma gives gguf_init_from_buffer(params.ctx)
#pragma gives gguf_init_from_callback(params.ctx)

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
#pragma takes ggml_backend_sycl_comm_free(comm_ctx, ggml_backend_sycl_comm_init)

/* ggml-vulkan.h */
#pragma nullable ggml_backend_is_vk(backend)
#pragma nullable ggml_backend_vk_reg(return)

/* ggml-webgpu.h */
#pragma nullable ggml_backend_webgpu_init(return)

/* ggml-zendnn.h */
#pragma nullable ggml_backend_is_zendnn(backend)

/* llama.h */
#pragma check llama_decode
#pragma check llama_encode
#pragma check llama_batch_init
#pragma check llama_set_n_threads
#pragma check llama_init_from_model
#pragma check llama_new_context_with_model
#pragma check llama_model_load_from_file
#pragma check llama_load_model_from_file
#pragma check llama_model_load_from_file_ptr
#pragma check llama_model_load_from_splits
#pragma check llama_model_init_from_user
#pragma check llama_model_quantize
#pragma check llama_vocab_is_control
#pragma check llama_token_is_control
#pragma check llama_sampler_init_grammar
#pragma check llama_sampler_init_grammar_lazy
#pragma check llama_sampler_init_grammar_lazy_patterns
#pragma check llama_sampler_chain_add
#pragma check llama_sampler_chain_n
#pragma check llama_sampler_chain_remove
#pragma check llama_set_sampler
#pragma check llama_sampler_apply
#pragma check llama_sampler_init_penalties
#pragma check llama_sampler_init_dry
#pragma check llama_state_set_data
#pragma check llama_state_load_file
#pragma check llama_load_session_file
#pragma check llama_set_state_data
#pragma check llama_opt_epoch
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
#pragma calls llama_model_init_from_user
#pragma calls llama_load_model_from_file
#pragma calls llama_model_load_from_file
#pragma calls llama_model_load_from_file_ptr
#pragma calls llama_model_load_from_splits
#pragma calls llama_init_from_model
#pragma calls llama_new_context_with_model
#pragma calls llama_free
#pragma calls llama_encode
#pragma calls llama_decode
#pragma calls llama_set_sampler
#pragma calls llama_sampler_init
#pragma calls llama_sampler_name
#pragma calls llama_sampler_accept
#pragma calls llama_sampler_apply
#pragma calls llama_sampler_reset
#pragma calls llama_sampler_clone
#pragma calls llama_sampler_copy
#pragma calls llama_sampler_free
#pragma calls llama_sampler_sample
#pragma calls llama_sampler_chain_remove
#pragma calls llama_opt_init
#pragma calls llama_opt_epoch
#pragma keeps llama_opt_init(lctx, lopt_params)
#pragma nullable llama_model_quantize_params(output_tensor_type, token_embedding_type)
#pragma length llama_model_load_from_splits(paths: n_paths)
#pragma length llama_model_meta_val_str(buf: buf_size)
#pragma length llama_model_meta_key_by_index(buf: buf_size)
#pragma length llama_model_meta_val_str_by_index(buf: buf_size)
#pragma length llama_model_desc(buf: buf_size)
#pragma length llama_adapter_meta_val_str(buf: buf_size)
#pragma length llama_adapter_meta_key_by_index(buf: buf_size)
#pragma length llama_adapter_meta_val_str_by_index(buf: buf_size)
#pragma length llama_set_adapters_lora(adapters: n_adapters)
#pragma length llama_set_adapters_lora(scales: n_adapters)
#pragma length llama_set_adapter_cvec(data: data ? len : 0)
#pragma length llama_copy_state_data(dst: llama_state_get_size(ctx))
#pragma length llama_state_get_data(dst: size)
#pragma length llama_state_set_data(src: size)
#pragma length llama_state_load_file(tokens_out: n_token_capacity)
#pragma length llama_state_load_file(n_token_count_out: 1)
#pragma length llama_load_session_file(tokens_out: n_token_capacity)
#pragma length llama_load_session_file(n_token_count_out: 1)
#pragma length llama_state_save_file(tokens: n_token_count)
#pragma length llama_save_session_file(tokens: n_token_count)
#pragma length llama_state_seq_get_data(dst: size)
#pragma length llama_state_seq_set_data(src: size)
#pragma length llama_state_seq_get_data_ext(dst: size)
#pragma length llama_state_seq_set_data_ext(src: size)
#pragma length llama_state_seq_save_file(tokens: n_token_count)
#pragma length llama_state_seq_load_file(tokens_out: n_token_capacity)
#pragma length llama_state_seq_load_file(n_token_count_out: 1)
#pragma length llama_batch_get_one(tokens: n_tokens)
#pragma length llama_vocab_get_suppress_tokens(n_suppress_tokens: n_suppress_tokens ? 1 : 0)
#pragma length llama_tokenize(text: text_len)
#pragma length llama_tokenize(tokens: n_tokens_max)
#pragma length llama_token_to_piece(buf: length)
#pragma length llama_detokenize(tokens: n_tokens)
#pragma length llama_detokenize(text: text_len_max)
#pragma length llama_chat_apply_template(chat: n_msg)
#pragma length llama_chat_apply_template(buf: buf ? length : 0)
#pragma length llama_chat_builtin_templates(output: len)
#pragma length llama_sampler_init_grammar_lazy(trigger_words: num_trigger_words)
#pragma length llama_sampler_init_grammar_lazy(trigger_tokens: num_trigger_tokens)
#pragma length llama_sampler_init_grammar_lazy_patterns(trigger_patterns: num_trigger_patterns)
#pragma length llama_sampler_init_grammar_lazy_patterns(trigger_tokens: num_trigger_tokens)
#pragma nullable llama_sampler_init_dry(seq_breakers[])
#pragma length llama_sampler_init_dry(seq_breakers: seq_breakers ? num_breakers : 0)
#pragma length llama_sampler_init_logit_bias(logit_bias: n_logit_bias)
#pragma length llama_split_path(split_path: maxlen)
#pragma length llama_split_prefix(split_prefix: maxlen)
#pragma length llama_log_get(log_callback: 1)
#pragma length llama_log_get(user_data: 1)
#pragma reads llama_model_init_from_user(metadata)
#pragma borrows llama_get_model(return)
#pragma keeps llama_attach_threadpool(ctx, threadpool)
#pragma keeps llama_attach_threadpool(ctx, threadpool_batch)
#pragma forgets llama_detach_threadpool(llama_attach_threadpool)
#pragma sets llama_set_adapters_lora(ctx, adapters)
#pragma borrows llama_batch_get_one(return)
#pragma sets llama_set_sampler(ctx, smpl, seq_id)
#pragma reads llama_sampler_clone(smpl, return)
#pragma takes llama_sampler_chain_add(smpl)
#pragma borrows llama_sampler_chain_get(return)
#pragma reads llama_sampler_chain_remove(chain)
#pragma keeps llama_opt_init(lctx, model)
#pragma passing llama_get_logits(return)
#pragma passing llama_get_logits_ith(return)
#pragma passing llama_get_embeddings(return)
#pragma passing llama_get_embeddings_ith(return)
#pragma passing llama_get_embeddings_seq(return)
#pragma passing llama_get_sampled_probs_ith(return)
#pragma passing llama_get_sampled_logits_ith(return)
#pragma passing llama_get_sampled_candidates_ith(return)
#pragma passes llama_encode(ctx)
#pragma passes llama_decode(ctx)
#pragma passes llama_state_set_data(ctx)
#pragma passes llama_state_load_file(ctx)
#pragma passes llama_load_session_file(ctx)
#pragma passes llama_state_seq_set_data(ctx)
#pragma passes llama_state_seq_load_file(ctx)
#pragma passes llama_state_seq_set_data_ext(ctx)
