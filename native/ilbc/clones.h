/* One source, several instruction sets (g711/clones.h says how): ILBC_CLONES before a function that is worth
 * a call, ILBC_INLINE before what is to be part of it. */
#ifndef TANDEM_ILBC_CLONES_H
#define TANDEM_ILBC_CLONES_H

#include "g711/clones.h"

#ifndef ILBC_CLONES /* a test compiles one instruction set at a time */
#define ILBC_CLONES G711_CLONES
#endif
#define ILBC_INLINE static inline __attribute__((always_inline))

#endif
