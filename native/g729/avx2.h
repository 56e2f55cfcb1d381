/* Other names, so that the same sources can be compiled once more for AVX2 (native/CMakeLists.txt).
 *
 * What does it do?  Included before all else, renames what the hot files define.  rows.c knows both sets of
 * names and takes the better one that the machine has; results never depend on it.
 * How do I use it?  A function that a hot file defines and another file calls is listed here. */
#ifndef TANDEM_G729_AVX2_H
#define TANDEM_G729_AVX2_H

#define g729_apply_lag_window g729_apply_lag_window_avx2
#define g729_autocorrelate g729_autocorrelate_avx2
#define g729_decode_batch g729_decode_batch_avx2
#define g729_decode_in_step g729_decode_in_step_avx2
#define g729_decode_innovation g729_decode_innovation_avx2
#define g729_dequantize_gains g729_dequantize_gains_avx2
#define g729_dequantize_lsp g729_dequantize_lsp_avx2
#define g729_dot g729_dot_avx2
#define g729_encode_batch g729_encode_batch_avx2
#define g729_encode_in_step g729_encode_in_step_avx2
#define g729_encode_subframe g729_encode_subframe_avx2
#define g729_energy g729_energy_avx2
#define g729_expand g729_expand_avx2
#define g729_fade_gains g729_fade_gains_avx2
#define g729_filter_backwards g729_filter_backwards_avx2
#define g729_gain_memory_reset g729_gain_memory_reset_avx2
#define g729_gains_of_entries g729_gains_of_entries_avx2
#define g729_interpolate_filters g729_interpolate_filters_avx2
#define g729_inverse_sqrt g729_inverse_sqrt_avx2
#define g729_log2 g729_log2_avx2
#define g729_lpc_memory_reset g729_lpc_memory_reset_avx2
#define g729_lsf_compose g729_lsf_compose_avx2
#define g729_lsf_decoder_reset g729_lsf_decoder_reset_avx2
#define g729_lsf_memory_reset g729_lsf_memory_reset_avx2
#define g729_lsf_of_lsp g729_lsf_of_lsp_avx2
#define g729_lsf_stabilize g729_lsf_stabilize_avx2
#define g729_lsf_unpredict g729_lsf_unpredict_avx2
#define g729_lsf_weights g729_lsf_weights_avx2
#define g729_lsp_of_filter g729_lsp_of_filter_avx2
#define g729_lsp_of_lsf g729_lsp_of_lsf_avx2
#define g729_mix_excitation g729_mix_excitation_avx2
#define g729_normal_lsf_of_lsp g729_normal_lsf_of_lsp_avx2
#define g729_open_loop_lag g729_open_loop_lag_avx2
#define g729_pitch_gains g729_pitch_gains_avx2
#define g729_postfilter_reset g729_postfilter_reset_avx2
#define g729_postfilter_subframe g729_postfilter_subframe_avx2
#define g729_postprocess g729_postprocess_avx2
#define g729_power2 g729_power2_avx2
#define g729_predict g729_predict_avx2
#define g729_predict_gain g729_predict_gain_avx2
#define g729_predict_long_term g729_predict_long_term_avx2
#define g729_preprocess g729_preprocess_avx2
#define g729_product g729_product_avx2
#define g729_quantize_gains g729_quantize_gains_avx2
#define g729_quantize_lsp g729_quantize_lsp_avx2
#define g729_residual g729_residual_avx2
#define g729_search_innovation g729_search_innovation_avx2
#define g729_search_lag g729_search_lag_avx2
#define g729_sharpen g729_sharpen_avx2
#define g729_sqrt g729_sqrt_avx2
#define g729_synthesis g729_synthesis_avx2
#define lanes_gather lanes_gather_avx2
#define lanes_scatter lanes_scatter_avx2

#endif
