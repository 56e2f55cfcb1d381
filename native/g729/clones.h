/* One source, two instruction sets: the loader picks the better that the machine has.
 *
 * What does it do?  G729_CLONES before a function compiles it for plain x86-64 and for AVX2.  (For AVX-512
 * GCC 12 makes these short loops slower.) How does it work?  Through an ifunc, so only with GCC, x86-64 and
 * glibc; elsewhere the macro is empty and the loop is compiled once.  Not under the sanitizers either: a
 * resolver runs before they are set up.  Results are integers and never depend on the choice. How do I use
 * it?  On loops alone, not on what calls them: a clone is never inlined.
 */
#ifndef TANDEM_G729_CLONES_H
#define TANDEM_G729_CLONES_H

#include <stdint.h> /* defines __GLIBC__ where there is one */

#if defined(G729_CLONES) /* a test compiles one instruction set at a time */
#elif defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && __GNUC__ >= 12 &&                    \
    !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define G729_CLONES __attribute__((target_clones("default", "arch=x86-64-v3")))
#else
#define G729_CLONES
#endif

#endif
