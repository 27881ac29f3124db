/* The start of a program on a Cortex-M4: the vector table, and a reset handler that enables the floating-point unit. */
#include <stdint.h>

extern char __stack[];
extern void _start(void); /* of the C library; it calls _init and _fini */
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
