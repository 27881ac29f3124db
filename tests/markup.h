/* markup.h: checks of the SVG and HTML that the command writes. */
#ifndef TESTS_MARKUP_H
#define TESTS_MARKUP_H

/* Fails unless each element is closed in order, attributes are quoted, and the text has no bare & and no control character. <meta>,
 * <link> and <br> have no end. */
void check_markup(const char *what, const char *text);

/* Returns how often `part` occurs in `text`. */
size_t count_in(const char *text, const char *part);

/* Returns the contents of a file; fails the test if it cannot be read. The caller frees them. */
char *contents_of(const char *path);

#endif
