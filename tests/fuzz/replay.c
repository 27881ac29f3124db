/* Runs a fuzz target on each file of a folder: the corpus, on every compiler.
 *
 * usage: fuzz_corpus_NAME FOLDER */
#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

static void replay(const char *folder, const char *name) {
    static uint8_t bytes[1 << 16];
    char path[1000];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    REQUIRE(file);
    const size_t count = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    uint8_t *exact = malloc(count); /* exactly this size, so that sanitizers see reads after the end */
    REQUIRE(exact);
    for (size_t i = 0; i < count; i++) exact[i] = bytes[i];
    LLVMFuzzerTestOneInput(exact, count);
    free(exact);
}

int main(int count, char **arguments) {
    DIR *folder = count == 2 ? opendir(arguments[1]) : NULL;
    REQUIRE(folder);
    int files = 0;
    for (const struct dirent *entry = readdir(folder); entry; entry = readdir(folder))
        if (entry->d_name[0] != '.') replay(arguments[1], entry->d_name), files++;
    closedir(folder);
    printf("%d files\n", files);
    return files > 0 ? 0 : 1;
}
