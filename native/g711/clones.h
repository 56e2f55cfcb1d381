/* One source, several instruction sets: the loader picks the best that the machine has.
 *
 * What does it do?  G711_CLONES before a function compiles it for plain x86-64, for AVX2 and for AVX-512;
 * G711_INLINE before a function makes it part of every clone that calls it.
 * How does it work?  Through an ifunc, so only with GCC, x86-64 and glibc; elsewhere the macro is empty and
 * the loop is compiled once.  Not under the sanitizers either: a resolver runs before they are set up.
 * How do I use it?  On loops alone, not on what calls them: a clone is never inlined.
 */
#ifndef TANDEM_G711_CLONES_H
#define TANDEM_G711_CLONES_H

#include <stdint.h> /* defines __GLIBC__ where there is one */

#if defined(G711_CLONES) /* a test compiles one instruction set at a time */
#elif defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && __GNUC__ >= 12 &&                    \
    !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define G711_CLONES __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define G711_CLONES
#endif

#define G711_INLINE static inline __attribute__((always_inline))

#endif
