#if defined(__x86_64__) && defined(__GNUC__) && __GNUC__ >= 12 && !defined(__clang__)
#pragma GCC target("arch=x86-64-v3")
#define ILBC_ARCH "x86-64-v3"
#include "ilbc_clone.h"

#include "ilbc/high_pass.c"
#undef inline
#include "test_ilbc_high_pass.c"
#else
int main(void) {
    return 0; /* nowhere else are there clones (ilbc/clones.h) */
}
#endif
