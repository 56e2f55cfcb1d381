/* A test of iLBC on one instruction set: results never depend on the clone that the loader picked.
 *
 * How does it work?  The including file sets the target, and then includes this, the kernel and its test: the
 * kernel is compiled here once more, for that target, and takes the place of the library's.  Optimised and
 * without the sanitizers, or there would be no vectors to test.
 */
#pragma GCC optimize("O3")

#include "ilbc_check.h"
#include <stddef.h>

#define NO_SANITIZE __attribute__((no_sanitize("address", "undefined")))
#define ILBC_CLONES NO_SANITIZE
#define ILBC_INLINE static inline NO_SANITIZE
#define inline inline __attribute__((always_inline)) NO_SANITIZE /* -O0 of a debug build inlines nothing */
