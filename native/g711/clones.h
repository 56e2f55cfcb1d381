/* One source, several instruction sets: the loader picks the best that the machine has.
 *
 * Only where it exists: GCC, x86-64 and glibc (the choice is made through an ifunc).  Elsewhere the macro is
 * empty and the loop is compiled once.  Not under the sanitizers: a resolver runs before they are set up.
 */
#ifndef TANDEM_G711_CLONES_H
#define TANDEM_G711_CLONES_H

#include <stddef.h> /* defines __GLIBC__ where there is one, through features.h */
#include <stdint.h>

#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && __GNUC__ >= 12 &&                      \
    !defined(__clang__) && !defined(__SANITIZE_ADDRESS__)
#define G711_CLONES __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define G711_CLONES
#endif

#endif
