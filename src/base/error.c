#include <tapline/base.h>

#include <stdarg.h>
#include <stdio.h>

/* Messages quote text from files. A newline would make two lines of a message, and an escape sequence could control the
 * terminal. */
static void keep_one_line(char *text) {
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == '\x7F')
            *text = '?';
        else if ((unsigned char)text[0] == 0xC2 && (unsigned char)text[1] >= 0x80 && (unsigned char)text[1] < 0xA0)
            text[0] = text[1] = '?'; /* U+0080 … U+009F */
}

tl_status tl_fail(tl_error *error, tl_status status, const char *format, ...) {
    if (!error || error->status != TL_OK) return status;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->text, sizeof error->text, format, arguments);
    va_end(arguments);
    keep_one_line(error->text);
    error->status = status;
    return status;
}

bool tl_failed(const tl_error *error) { return error && error->status != TL_OK; }

#define TL_TEXT_OF(x) #x
#define TL_TEXT(x) TL_TEXT_OF(x)

const char *tl_version(void) { return TL_TEXT(TL_VERSION_MAJOR) "." TL_TEXT(TL_VERSION_MINOR) "." TL_TEXT(TL_VERSION_PATCH); }

int tl_version_number(void) { return TL_VERSION_NUMBER; }

const char *tl_precision(void) { return sizeof(tl_real) == sizeof(float) ? "f32" : "f64"; }
