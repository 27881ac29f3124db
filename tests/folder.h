/* folder.h: a folder of the test, which is removed with everything in it. */
#ifndef FOLDER_H
#define FOLDER_H

#include <stdio.h>

extern char folder[40]; /* its path, after folder_setup */

/* For the set-up of cmocka_run_group_tests: creates the folder; returns 0, or 1 on failure. */
int folder_setup(void);

/* For cmocka_run_group_tests: removes the folder. */
int folder_teardown(void **unused);

/* Returns the path of a file in the folder. Static storage, for eight paths at a time. */
const char *in_folder(const char *name);

/* Creates a file in the folder; the test fails if it cannot. */
FILE *folder_create(const char *name);

#endif
