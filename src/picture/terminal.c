#include "picture/terminal.h"

#include <langinfo.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* ---- what it can show ---- */

static bool is_unicode(void) {
    const locale_t own = newlocale(LC_CTYPE_MASK, "", (locale_t)0);
    const bool unicode = own && strcmp(nl_langinfo_l(CODESET, own), "UTF-8") == 0;
    if (own) freelocale(own);
    return unicode;
}

static size_t count_columns(FILE *stream) {
    struct winsize size;
    if (ioctl(fileno(stream), TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
    const char *text = getenv("COLUMNS");
    const long columns = text ? strtol(text, NULL, 10) : 0;
    return columns > 0 && columns < 10000 ? (size_t)columns : 80;
}

terminal terminal_of(FILE *stream) {
    const char *kind = getenv("TERM"), *without = getenv("NO_COLOR");
    const bool dumb = !kind || strcmp(kind, "dumb") == 0;
    const size_t columns = count_columns(stream);
    return (terminal){.columns = columns < 30 ? 30 : columns,
                      .unicode = is_unicode(),
                      .colours = isatty(fileno(stream)) && !dumb && !(without && *without)};
}

/* ---- canvas ---- */

bool canvas_make(canvas *self, size_t columns, size_t rows, bool braille) {
    *self = (canvas){.columns = columns, .rows = rows, .braille = braille};
    self->dots = calloc(columns * rows, 1);
    self->owner = calloc(columns * rows, 1);
    return self->dots && self->owner;
}

void canvas_free(canvas *self) {
    free(self->dots);
    free(self->owner);
}

static size_t dots_across(const canvas *self) { return self->columns * (self->braille ? 2 : 1); }
static size_t dots_down(const canvas *self) { return self->rows * (self->braille ? 4 : 1); }

static void set(canvas *self, size_t x, size_t y, size_t owner) {
    static const unsigned char bits[4][2] = {{1, 8}, {2, 16}, {4, 32}, {64, 128}}; /* U+2800 … U+28FF */
    if (x >= dots_across(self) || y >= dots_down(self)) return;
    const size_t cell = self->braille ? y / 4 * self->columns + x / 2 : y * self->columns + x;
    self->dots[cell] |= self->braille ? bits[y % 4][x % 2] : 1;
    self->owner[cell] = (unsigned char)(owner % 200 + 1);
}

/* Dots of one column, from `a` to `b`. */
static void set_column(canvas *self, size_t x, size_t a, size_t b, size_t owner) {
    for (size_t y = a < b ? a : b; y <= (a < b ? b : a); y++) set(self, x, y, owner);
}

/* A line from dot to dot: each column is filled up to the middle between both heights. */
static void set_line(canvas *self, size_t x0, size_t y0, size_t x1, size_t y1, size_t owner) {
    if (x1 <= x0) {
        set_column(self, x1, y0, y1, owner);
        return;
    }
    double before = (double)y0;
    for (size_t x = x0; x <= x1; x++) {
        const double here = (double)y0 + ((double)y1 - (double)y0) * (double)(x - x0) / (double)(x1 - x0);
        set_column(self, x, (size_t)lround(x == x0 ? here : (before + here) / 2), (size_t)lround(here), owner);
        if (x > x0) set_column(self, x - 1, (size_t)lround(before), (size_t)lround((before + here) / 2), owner);
        before = here;
    }
}

void canvas_curve(canvas *self, const chart_curve *one, const scale *x, const scale *y) {
    const double across = (double)dots_across(self) - 1, down = (double)dots_down(self) - 1;
    size_t before_x = 0, before_y = 0;
    bool joined = false;
    for (size_t i = 0; i < one->count; i++) {
        const bool there = isfinite(one->y[i]);
        if (there) {
            const double place = fmin(fmax(scale_place(x, one->x ? one->x[i] : (double)i), 0), 1);
            const size_t at_x = (size_t)lround(place * across);
            const size_t at_y = (size_t)lround((1 - fmin(fmax(scale_place(y, one->y[i]), 0), 1)) * down);
            if (joined)
                set_line(self, before_x, before_y, at_x, at_y, one->colour);
            else
                set(self, at_x, at_y, one->colour);
            before_x = at_x;
            before_y = at_y;
        }
        joined = there && one->kind != CURVE_DOTS;
    }
}

/* ---- printing ---- */

static const char *const colours[PICTURE_COLOURS] = {"38;5;32",  "38;5;166", "38;5;36", "38;5;175",
                                                     "38;5;214", "38;5;75",  "38;5;245"};
static const char letters[] = "*o+x#@%abcdefghijkmnpqrstuvwyz";

static char letter_of(size_t owner) { return letters[owner % (sizeof letters - 1)]; }

bool terminal_needs_letters(const terminal *kind, size_t curves) { return !kind->unicode || (!kind->colours && curves > 1); }

void canvas_print(const canvas *self, size_t row, const terminal *kind, FILE *to) {
    size_t colour = 0;
    for (size_t c = 0; c < self->columns; c++) {
        const size_t cell = row * self->columns + c;
        if (kind->colours && self->owner[cell] != colour) {
            colour = self->owner[cell];
            fprintf(to, "\033[%sm", colour ? colours[(colour - 1) % PICTURE_COLOURS] : "0");
        }
        if (!self->dots[cell])
            fputc(' ', to);
        else if (self->braille)
            fprintf(to, "\xE2%c%c", 0xA0 + (self->dots[cell] >> 6), 0x80 + (self->dots[cell] & 63)); /* U+2800 + dots */
        else
            fputc(letter_of(self->owner[cell] - 1u), to);
    }
    if (colour) fputs("\033[0m", to);
}

void terminal_legend(const terminal *kind, size_t colour, bool as_letters, bool dashed, const char *name, FILE *to) {
    if (kind->colours) fprintf(to, "\033[%sm", colours[colour % PICTURE_COLOURS]);
    if (as_letters)
        fprintf(to, "%c ", letter_of(colour));
    else
        fputs(dashed ? "╌╌ " : "── ", to);
    if (kind->colours) fputs("\033[0m", to);
    fputs(name, to);
}

/* Prints the label of the y axis in `row` if there is a tick. */
static void print_label(const scale *y, size_t row, size_t rows, size_t width, const terminal *kind, FILE *to) {
    double at[SCALE_TICKS];
    char text[SCALE_LABEL] = "";
    const size_t count = scale_ticks(y, at);
    for (size_t i = 0; i < count; i++)
        if (lround((1 - scale_place(y, at[i])) * (double)(rows - 1)) == (long)row) scale_label(y, at[i], text);
    fprintf(to, "%*s %s", (int)width, text, kind->unicode ? *text ? "┤" : "│" : *text ? "+" : "|");
}

/* Prints the ticks of the x axis and their labels below. */
static void print_x_axis(const chart *self, const scale *x, size_t width, size_t columns, const terminal *kind, FILE *to) {
    double at[SCALE_TICKS];
    char *line = calloc(columns + SCALE_LABEL, 1), text[SCALE_LABEL];
    const size_t count = scale_ticks(x, at);
    fprintf(to, "%*s %s", (int)width, "", kind->unicode ? "└" : "+");
    for (size_t c = 0; c < columns; c++) fputs(kind->unicode ? "─" : "-", to);
    fputc('\n', to);
    if (!line) return;
    memset(line, ' ', columns);
    size_t free_from = 0;
    for (size_t i = 0; i < count; i++) {
        scale_label(x, at[i], text);
        const size_t length = strlen(text);
        const double middle = scale_place(x, at[i]) * (double)(columns - 1);
        size_t begin = middle > (double)length / 2 ? (size_t)(middle - (double)(length - 1) / 2 + 0.5) : 0;
        if (begin + length > columns) begin = columns > length ? columns - length : 0;
        if (begin < free_from || begin + length > columns) continue;
        memcpy(line + begin, text, length);
        free_from = begin + length + 1;
    }
    for (size_t end = columns; end > 0 && line[end - 1] == ' '; end--) line[end - 1] = '\0';
    fprintf(to, "%*s  %s%s%s\n", (int)width, "", line, self->x_label ? "  " : "", self->x_label ? self->x_label : "");
    free(line);
}

static void print_legend(const chart *self, const terminal *kind, bool as_letters, FILE *to) {
    size_t used = 0;
    if (self->title) used = (size_t)fprintf(to, "%s", self->title);
    for (size_t i = 0; i < self->count; i++) {
        const chart_curve *one = &self->curves[i];
        if (!one->name) continue;
        const size_t width = markup_length(one->name) + 6;
        if (used > 0 && used + width > kind->columns) {
            fputc('\n', to);
            used = 0;
        }
        fputs(used ? "   " : "", to);
        terminal_legend(kind, one->colour, as_letters, one->kind == CURVE_DASHED, one->name, to);
        used += width;
    }
    if (used) fputc('\n', to);
}

bool terminal_chart(const chart *self, const terminal *kind, size_t rows, FILE *to) {
    scale x, y;
    canvas on;
    const bool as_letters = terminal_needs_letters(kind, self->count);
    chart_scales(self, &x, &y);
    const size_t width = 8, label = self->x_label ? strlen(self->x_label) + 2 : 0;
    const size_t columns = kind->columns - width - 2 - label;
    const bool made = canvas_make(&on, columns, rows, !as_letters);
    if (made) {
        for (size_t i = 0; i < self->count; i++) canvas_curve(&on, &self->curves[i], &x, &y);
        print_legend(self, kind, as_letters, to);
        for (size_t row = 0; row < rows; row++) {
            print_label(&y, row, rows, width, kind, to);
            canvas_print(&on, row, kind, to);
            fputc('\n', to);
        }
        print_x_axis(self, &x, width, columns, kind, to);
    }
    canvas_free(&on);
    return made;
}
