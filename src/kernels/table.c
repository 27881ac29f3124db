#include "kernels/kernel.h"

double TL_KERNEL(tl_kernel_peak)(size_t rounds, tl_real *sink);

#define TL_NAME_OF(isa) #isa
#define TL_NAME(isa) TL_NAME_OF(isa)

const tl_kernels TL_KERNEL(tl_kernels) = {
    .isa = TL_NAME(TL_KERNEL_ISA),
    .peak = TL_KERNEL(tl_kernel_peak),
};
