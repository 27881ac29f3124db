#include "check.h"

#include "markup.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH = 64, NAME = 24 };

size_t count_in(const char *text, const char *part) {
    size_t count = 0;
    for (const char *at = text; (at = strstr(at, part)); at += strlen(part)) count++;
    return count;
}

char *contents_of(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file) fail_msg("%s: cannot be opened", path);
    fseek(file, 0, SEEK_END);
    const long size = ftell(file);
    rewind(file);
    char *text = calloc(1, (size_t)size + 1);
    assert_non_null(text);
    assert_int_equal(fread(text, 1, (size_t)size, file), size);
    fclose(file);
    return text;
}

/* The elements that are open. */
typedef struct walk {
    const char *what, *at;
    char open[DEPTH][NAME];
    size_t depth;
} walk;

static void fail_at(const walk *self, const char *why) { fail_msg("%s: %s at \"%.60s\"", self->what, why, self->at); }

static bool has_no_end(const char *name) {
    return strcmp(name, "meta") == 0 || strcmp(name, "link") == 0 || strcmp(name, "br") == 0;
}

/* Skips attributes up to the end of the tag; returns whether the tag closes itself. */
static bool skip_attributes(walk *self) {
    while (*self->at && *self->at != '>' && *self->at != '/') {
        if (*self->at != '"') {
            if (*self->at == '<') fail_at(self, "< in a tag");
            self->at++;
            continue;
        }
        self->at++;
        const size_t length = strcspn(self->at, "\"<");
        if (self->at[length] != '"') fail_at(self, "an attribute without its end");
        self->at += length + 1;
    }
    const bool closed = *self->at == '/';
    if (closed) self->at++;
    if (*self->at != '>') fail_at(self, "expected >");
    self->at++;
    return closed;
}

static void enter(walk *self) {
    char name[NAME] = "";
    const bool end = self->at[1] == '/';
    self->at += end ? 2 : 1;
    for (size_t i = 0; i + 1 < NAME && isalnum((unsigned char)*self->at); i++) name[i] = *self->at++;
    if (!*name) fail_at(self, "a bare <");
    const bool closed = skip_attributes(self);
    if (end) {
        if (self->depth == 0 || strcmp(self->open[self->depth - 1], name) != 0) fail_at(self, "closes what is not open before");
        self->depth--;
    } else if (!closed && !has_no_end(name)) {
        assert_true(self->depth < DEPTH);
        strcpy(self->open[self->depth++], name); // NOLINT(clang-analyzer-security.insecureAPI.strcpy): both have NAME bytes
    }
}

static void check_entity(walk *self) {
    static const char *const known[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"};
    size_t i = 0;
    while (i < 5 && strncmp(self->at, known[i], strlen(known[i])) != 0) i++;
    if (i == 5) fail_at(self, "a bare &");
    self->at++;
}

void check_markup(const char *what, const char *text) {
    walk self = {.what = what, .at = text};
    while (*self.at) {
        if (strncmp(self.at, "<!DOCTYPE html>", 15) == 0)
            self.at += 15;
        else if (*self.at == '<')
            enter(&self);
        else if (*self.at == '&')
            check_entity(&self);
        else {
            if ((unsigned char)*self.at < ' ' && *self.at != '\n') fail_at(&self, "a control character");
            self.at++;
        }
    }
    if (self.depth > 0) fail_msg("%s: <%s> is not closed", what, self.open[self.depth - 1]);
}
