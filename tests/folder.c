#include "folder.h"

#include "check.h"

#include <stdlib.h>

char folder[40];

int folder_setup(void) {
    snprintf(folder, sizeof folder, "/tmp/tapline-test-XXXXXX");
    return mkdtemp(folder) ? 0 : 1;
}

int folder_teardown(void **unused) {
    (void)unused;
    char command[60];
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command); // NOLINT(cert-env33-c): a folder of our own
}

const char *in_folder(const char *name) {
    static char paths[8][120];
    static size_t next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

FILE *folder_create(const char *name) {
    FILE *file = fopen(in_folder(name), "w");
    assert_non_null(file);
    return file;
}
