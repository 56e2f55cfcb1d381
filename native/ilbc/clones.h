/* One source, several instruction sets: the loader picks the best that the machine has.
 *
 * What does it do?  ILBC_CLONES before a function compiles it for plain x86-64 and for AVX2; ILBC_INLINE
 * before a function makes it part of every clone that calls it. How does it work?  As in g711/clones.h. There
 * is none for AVX-512: iLBC's vectors are 40 samples, and summing the lanes of longer registers costs more
 * than they save.
 */
#ifndef TANDEM_ILBC_CLONES_H
#define TANDEM_ILBC_CLONES_H

#include <stdint.h> /* defines __GLIBC__ where there is one */

#if defined(ILBC_CLONES) /* a test compiles one instruction set at a time */
#elif defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && __GNUC__ >= 12 &&                    \
    !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define ILBC_CLONES __attribute__((target_clones("default", "arch=x86-64-v3")))
#else
#define ILBC_CLONES
#endif

#ifndef ILBC_INLINE
#define ILBC_INLINE static inline __attribute__((always_inline))
#endif

#endif
