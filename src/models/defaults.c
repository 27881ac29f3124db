/* The ready-made networks by name, and the training settings that were published with them. */
#include <tapline/architecture.h>
#include <tapline/layers.h>

#include <string.h>

enum { MIN_BATCH = 2 }; /* batch norm learns nothing from a single series */

static tl_node unet(tl_model *model, tl_node x, size_t outputs) { return tl_unet(model, x, &(tl_unet_cfg){.outputs = outputs}); }

/* Columns: name, build, batch, epochs, schedule, members, tenth, ridge. None were published for tcn, wavenet and unet on such
 * series: theirs are our own, as are those of networks in files. */
static const tl_architecture architectures[] = {
    {"fcn", tl_fcn, 16, 2000, TL_SCHEDULE_PLATEAU, 1, true, false},
    {"resnet", tl_resnet, 64, 1500, TL_SCHEDULE_PLATEAU, 1, true, false},
    {"inception", tl_inception, 64, 1500, TL_SCHEDULE_PLATEAU, 1, false, false},
    {"inceptiontime", tl_inception, 64, 1500, TL_SCHEDULE_PLATEAU, 5, false, false},
    {"timecnn", tl_time_cnn, 16, 2000, TL_SCHEDULE_CONSTANT, 1, false, false},
    {"lite", tl_lite, 64, 1500, TL_SCHEDULE_PLATEAU, 1, false, false},
    {"litetime", tl_lite, 64, 1500, TL_SCHEDULE_PLATEAU, 5, false, false},
    {"tcn", tl_tcn, 64, 300, TL_SCHEDULE_PLATEAU, 1, true, false},
    {"wavenet", tl_wavenet, 64, 300, TL_SCHEDULE_PLATEAU, 1, true, false},
    {"unet", unet, 64, 300, TL_SCHEDULE_PLATEAU, 1, true, false},
    {"minirocket", tl_mini_rocket, 64, 200, TL_SCHEDULE_PLATEAU, 1, false, true},
    {"multirocket", tl_multi_rocket, 64, 200, TL_SCHEDULE_PLATEAU, 1, false, true},
    {"hydra", tl_hydra, 64, 200, TL_SCHEDULE_PLATEAU, 1, false, true},
    {"multirocket-hydra", tl_multi_rocket_hydra, 64, 200, TL_SCHEDULE_PLATEAU, 1, false, true},
    {NULL, NULL, 16, 1500, TL_SCHEDULE_PLATEAU, 1, true, false}, /* networks in files */
};

enum { LAST = sizeof architectures / sizeof *architectures - 1 };

const char *tl_architecture_name(size_t index) { return index < LAST ? architectures[index].name : NULL; }

const tl_architecture *tl_architecture_find(const char *name) {
    const tl_architecture *found = architectures;
    while (found->name && !(name && strcmp(found->name, name) == 0)) found++;
    return found;
}

size_t tl_architecture_batch(const tl_architecture *architecture, size_t series) {
    if (!architecture) return 0;
    size_t batch = architecture->batch;
    if (architecture->tenth && series / 10 < batch) batch = series / 10 > MIN_BATCH ? series / 10 : MIN_BATCH;
    return batch < series ? batch : series;
}
