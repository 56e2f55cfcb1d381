/* Other names, so that the same sources can be compiled once more for another instruction set
 * (native/CMakeLists.txt).
 *
 * What does it do?  Included before all else, appends G729_ISA to the names of what the hot files
 * define.  rows.c knows all sets of names and takes the best one that the machine has; results never
 * depend on it.
 * How do I use it?  A function that a hot file defines and another file calls is listed here.
 */
#ifndef TANDEM_G729_ISA_H
#define TANDEM_G729_ISA_H

#define G729_JOINED(name, isa) name##isa
#define G729_FOR(name, isa) G729_JOINED(name, isa)

#define g729_apply_lag_window G729_FOR(g729_apply_lag_window, G729_ISA)
#define g729_autocorrelate G729_FOR(g729_autocorrelate, G729_ISA)
#define g729_decode_batch G729_FOR(g729_decode_batch, G729_ISA)
#define g729_decode_in_step G729_FOR(g729_decode_in_step, G729_ISA)
#define g729_decode_innovation G729_FOR(g729_decode_innovation, G729_ISA)
#define g729_dequantize_gains G729_FOR(g729_dequantize_gains, G729_ISA)
#define g729_dequantize_lsp G729_FOR(g729_dequantize_lsp, G729_ISA)
#define g729_dot G729_FOR(g729_dot, G729_ISA)
#define g729_encode_batch G729_FOR(g729_encode_batch, G729_ISA)
#define g729_encode_in_step G729_FOR(g729_encode_in_step, G729_ISA)
#define g729_encode_subframe G729_FOR(g729_encode_subframe, G729_ISA)
#define g729_energy G729_FOR(g729_energy, G729_ISA)
#define g729_expand G729_FOR(g729_expand, G729_ISA)
#define g729_fade_gains G729_FOR(g729_fade_gains, G729_ISA)
#define g729_filter_backwards G729_FOR(g729_filter_backwards, G729_ISA)
#define g729_gain_memory_reset G729_FOR(g729_gain_memory_reset, G729_ISA)
#define g729_gains_of_entries G729_FOR(g729_gains_of_entries, G729_ISA)
#define g729_interpolate_filters G729_FOR(g729_interpolate_filters, G729_ISA)
#define g729_inverse_sqrt G729_FOR(g729_inverse_sqrt, G729_ISA)
#define g729_log2 G729_FOR(g729_log2, G729_ISA)
#define g729_lpc_memory_reset G729_FOR(g729_lpc_memory_reset, G729_ISA)
#define g729_lsf_compose G729_FOR(g729_lsf_compose, G729_ISA)
#define g729_lsf_decoder_reset G729_FOR(g729_lsf_decoder_reset, G729_ISA)
#define g729_lsf_memory_reset G729_FOR(g729_lsf_memory_reset, G729_ISA)
#define g729_lsf_of_lsp G729_FOR(g729_lsf_of_lsp, G729_ISA)
#define g729_lsf_stabilize G729_FOR(g729_lsf_stabilize, G729_ISA)
#define g729_lsf_unpredict G729_FOR(g729_lsf_unpredict, G729_ISA)
#define g729_lsf_weights G729_FOR(g729_lsf_weights, G729_ISA)
#define g729_lsp_of_filter G729_FOR(g729_lsp_of_filter, G729_ISA)
#define g729_lsp_of_lsf G729_FOR(g729_lsp_of_lsf, G729_ISA)
#define g729_mix_excitation G729_FOR(g729_mix_excitation, G729_ISA)
#define g729_normal_lsf_of_lsp G729_FOR(g729_normal_lsf_of_lsp, G729_ISA)
#define g729_open_loop_lag G729_FOR(g729_open_loop_lag, G729_ISA)
#define g729_pitch_gains G729_FOR(g729_pitch_gains, G729_ISA)
#define g729_postfilter_reset G729_FOR(g729_postfilter_reset, G729_ISA)
#define g729_postfilter_subframe G729_FOR(g729_postfilter_subframe, G729_ISA)
#define g729_postprocess G729_FOR(g729_postprocess, G729_ISA)
#define g729_power2 G729_FOR(g729_power2, G729_ISA)
#define g729_predict G729_FOR(g729_predict, G729_ISA)
#define g729_predict_gain G729_FOR(g729_predict_gain, G729_ISA)
#define g729_predict_long_term G729_FOR(g729_predict_long_term, G729_ISA)
#define g729_preprocess G729_FOR(g729_preprocess, G729_ISA)
#define g729_product G729_FOR(g729_product, G729_ISA)
#define g729_quantize_gains G729_FOR(g729_quantize_gains, G729_ISA)
#define g729_quantize_lsp G729_FOR(g729_quantize_lsp, G729_ISA)
#define g729_residual G729_FOR(g729_residual, G729_ISA)
#define g729_search_innovation G729_FOR(g729_search_innovation, G729_ISA)
#define g729_search_lag G729_FOR(g729_search_lag, G729_ISA)
#define g729_sharpen G729_FOR(g729_sharpen, G729_ISA)
#define g729_sqrt G729_FOR(g729_sqrt, G729_ISA)
#define g729_synthesis G729_FOR(g729_synthesis, G729_ISA)
#define lanes_gather G729_FOR(lanes_gather, G729_ISA)
#define lanes_scatter G729_FOR(lanes_scatter, G729_ISA)

#endif
