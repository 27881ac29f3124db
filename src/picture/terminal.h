/* terminal.h: charts with the characters of a terminal: braille in colours, or plain ASCII. */
#ifndef PICTURE_TERMINAL_H
#define PICTURE_TERMINAL_H

#include "picture/chart.h"

#include <stdio.h>

/* What the output can show. */
typedef struct terminal {
    size_t columns;
    bool unicode; /* UTF-8 */
    bool colours;
} terminal;

/* Finds out about a stream: the width of the terminal, else the variable COLUMNS, else 80; UTF-8 by the locale; colours if it is a
 * terminal, unless NO_COLOR is set or TERM is dumb. */
terminal terminal_of(FILE *stream);

/* A rectangle of characters to draw on. */
typedef struct canvas {
    size_t columns, rows;
    bool braille;         /* 2 × 4 dots in each character, else 1 × 1 */
    unsigned char *dots;  /* (rows, columns) braille: bits; else whether there is a dot */
    unsigned char *owner; /* (rows, columns) the curve that drew last, from 1 */
} canvas;

/* Returns false if memory is short. Free it with canvas_free in any case. */
bool canvas_make(canvas *self, size_t columns, size_t rows, bool braille);
void canvas_free(canvas *self);

/* Draws a curve; its `colour` chooses the colour, or without colours the letter. */
void canvas_curve(canvas *self, const chart_curve *one, const scale *x, const scale *y);

/* Prints a row of the canvas, without a line end. */
void canvas_print(const canvas *self, size_t row, const terminal *kind, FILE *to);

/* Returns whether curves can only be told apart as letters. */
bool terminal_needs_letters(const terminal *kind, size_t curves);

/* Prints a whole chart with axes and legend, `rows` lines high without them. Returns false if memory is short. */
bool terminal_chart(const chart *self, const terminal *kind, size_t rows, FILE *to);

/* Prints a text in the colour of a curve, after the sign of its legend. `name` must be safe for a terminal. */
void terminal_legend(const terminal *kind, size_t colour, bool letters, bool dashed, const char *name, FILE *to);

#endif
