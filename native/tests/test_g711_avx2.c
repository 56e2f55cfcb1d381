#if defined(__x86_64__) && defined(__GNUC__) && __GNUC__ >= 12 && !defined(__clang__)
#pragma GCC target("arch=x86-64-v3")
#define G711_ARCH "x86-64-v3"
#include "g711_clone.h"
#else
int main(void) {
    return 0; /* nowhere else are there clones (g711/clones.h) */
}
#endif
