/* page.h: a page of HTML in one file: its style for light, dark and print, and its frame. */
#ifndef PICTURE_PAGE_H
#define PICTURE_PAGE_H

#include "picture/markup.h"

/* Begins a page up to <main>. reload: seconds after which the browser loads the page again; 0: never. */
void page_begin(markup *to, const char *title, int reload);

void page_end(markup *to);

/* Begins a section with a heading; `id` is its anchor. */
void page_section(markup *to, const char *id, const char *heading);

/* Begins a <div> that is scrolled sideways where it is too wide, also with the keyboard. name: what a screen reader says of it.
 * classes, style: more of both; "": none. */
void page_scroll_begin(markup *to, const char *name, const char *classes, const char *style);

/* Begins a <div> of the class "tiles", with its name above what follows. */
void page_tile_begin(markup *to, const char *name);

#endif
