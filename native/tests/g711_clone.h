/* test_g711.c on one instruction set: results never depend on the clone that the loader picked.
 *
 * How does it work?  The including file sets the target and names it in G711_ARCH; the kernels are compiled
 * here once more, for that target, and take the place of the library's.  Optimised and without the
 * sanitizers, or there would be no vectors to test: test_g711.c itself runs under them, and looks after its
 * own guards.
 */
#pragma GCC optimize("O3")

#include "g711/g711.h"
#include <string.h>

#define NO_SANITIZE __attribute__((no_sanitize("address", "undefined")))
#define G711_CLONES NO_SANITIZE
#define inline inline __attribute__((always_inline)) NO_SANITIZE /* -O0 of a debug build inlines nothing */
#include "g711/g711.c"
#undef inline

#include "test_g711.c"
