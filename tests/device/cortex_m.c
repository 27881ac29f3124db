/* What runs before main on a Cortex-M4: the table of vectors, and the floating-point unit switched on. */
#include <stdint.h>

extern char __stack[];
extern void _start(void); /* of the C library, which calls the two below */
void _init(void);
void _fini(void);
void reset(void);

void _init(void) {}
void _fini(void) {}

void reset(void) {
    *(volatile uint32_t *)0xE000ED88 |= 0xFu << 20; /* CPACR: full access to coprocessors 10 and 11 */
    _start();
}

struct vectors {
    char *stack;
    void (*reset)(void);
};

__attribute__((section(".vectors"), used)) static const struct vectors vectors = {__stack, reset};
