/* PhysioNet records (`.hea`, with samples and `.atr`; WFDB Applications Guide, header(5), signal(5), annot(5)): each annotated beat
 * is a series, the samples around it, and its kind is the label. */
#include "data/missing_policy.h"
#include "io/source.h"
#include "read/folder.h"
#include "read/reader.h"
#include "read/wfdb.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_SEGMENT = 256, NOTE = 22, SKIP = 59, NUMBER = 60, CHANNEL = 62, AUXILIARY = 63 };

/* The kind of beat for each code of an annotation, as PhysioNet prints it; other codes are not beats. */
static const char beats[64] = {
    [1] = 'N',  [2] = 'L',  [3] = 'R',  [4] = 'a',  [5] = 'V',  [6] = 'F',  [7] = 'J',  [8] = 'A',  [9] = 'S', [10] = 'E',
    [11] = 'j', [12] = '/', [13] = 'Q', [25] = 'B', [30] = '?', [34] = 'e', [35] = 'n', [38] = 'f', [41] = 'r'};

typedef struct beat_reader {
    tl_record record;
    tl_source annotations;
    size_t segment;   /* samples of each signal in a series */
    int64_t time;     /* of the annotation, in its own unit */
    double unit;      /* samples in that unit */
    size_t all, lost; /* number of annotations; number of those outside of the record */
} beat_reader;

/* ---- annotations ---- */

/* A note may give the unit of the times of annotations: "## time resolution: 125" per second. */
static tl_status read_note(beat_reader *self, size_t length, tl_error *error) {
    static const char key[] = "## time resolution: ";
    char text[80] = "";
    double rate;
    const size_t kept = length < sizeof text ? length : sizeof text - 1, skipped = sizeof key - 1;
    tl_source *source = &self->annotations;
    if (tl_source_read(source, text, kept, "a note", error) != TL_OK || strncmp(text, key, skipped) != 0) return error->status;
    const tl_field number = {text + skipped, text + strlen(text)};
    if (!tl_field_number(&source->where, number, &rate) || rate <= 0)
        return tl_text_expected(&source->where, number, error, "the time resolution of the annotations");
    self->unit = self->record.header.rate / rate;
    return TL_OK;
}

/* Skips the text of an annotation of this kind. */
static tl_status pass_text(beat_reader *self, unsigned kind, unsigned length, tl_error *error) {
    tl_source *source = &self->annotations;
    const uint64_t end = source->where.offset + length + length % 2;
    if (kind == NOTE && self->time == 0 && end <= source->where.offset + source->left) read_note(self, length, error);
    return tl_source_seek(source, end, error);
}

/* Goes to the next annotation and sets the time; *code: [IN] that of the previous one, [OUT] that of this one; 0: no more. */
static tl_status next_annotation(beat_reader *self, unsigned *code, tl_error *error) {
    tl_source *source = &self->annotations;
    unsigned char word[2] = {0}, skip[4] = {0};
    for (const unsigned before = *code;;) {
        if (tl_source_read(source, word, sizeof word, "an annotation", error) != TL_OK) return error->status;
        const unsigned interval = word[0] | (word[1] & 3U) << 8;
        *code = word[1] >> 2;
        if (*code == SKIP) {
            tl_source_read(source, skip, sizeof skip, "a skip to an annotation", error);
            const uint32_t distance = (uint32_t)skip[0] << 16 | (uint32_t)skip[1] << 24 | skip[2] | (uint32_t)skip[3] << 8;
            self->time += (int32_t)distance;
        } else if (*code == AUXILIARY)
            pass_text(self, before, interval, error);
        else if (*code < NUMBER || *code > CHANNEL) {
            self->time += interval;
            if (*code != 0 || interval == 0) return TL_OK;
        }
        if (tl_failed(error)) return error->status;
    }
}

static tl_status add_beat(beat_reader *self, tl_samples *s, unsigned code, tl_error *error) {
    const tl_wfdb *record = &self->record.header;
    const double sample = floor((double)self->time * self->unit + 0.5);
    self->all++;
    if (!(sample >= 0 && sample <= (double)record->frames)) {
        self->lost++;
        return TL_OK;
    }
    const size_t centre = (size_t)sample, before = self->segment / 2;
    if (!beats[code] || centre < before || centre - before > record->frames - self->segment) return TL_OK;
    if (s->counting) {
        tl_samples_count(s, 1, self->segment, record->signals, self->segment * record->signals);
        return TL_OK;
    }
    double *row = tl_samples_row(s, self->segment, record->signals, error);
    if (row && tl_record_read(&self->record, centre - before, self->segment, s->missing_policy, row, error) == TL_OK)
        tl_samples_end(s, (tl_field){beats + code, beats + code + 1}, error);
    return error->status;
}

/* Counts, or reads, all beats. */
static tl_status walk_beats(beat_reader *self, tl_samples *s, tl_error *error) {
    unsigned code = 0;
    self->time = 0;
    self->unit = 1;
    self->all = self->lost = 0;
    tl_source_seek(&self->annotations, 0, error);
    while (next_annotation(self, &code, error) == TL_OK && code != 0) add_beat(self, s, code, error);
    return error->status;
}

static tl_status add_beats(beat_reader *self, tl_samples *s, tl_error *error) {
    const tl_wfdb *record = &self->record.header;
    s->text = &self->annotations.where;
    s->counting = s->needless = true;
    if (tl_samples_rate(s, record->rate, error) != TL_OK || walk_beats(self, s, error) != TL_OK) return error->status;
    if (s->counted == 0)
        return tl_source_expected(&self->annotations, 0, "none", error, "a beat with %zu samples around it in the record",
                                  self->segment);
    if (!tl_samples_fit(s->held, record->frames * record->signals))
        return tl_fail(error, TL_ERROR_FORMAT,
                       "%s: %zu beats with %zu samples around each have more than %d times the samples of the record",
                       s->text->path, s->counted, self->segment, TL_MAX_TIMES);
    if (self->lost > 0)
        tl_samples_warn(s, "%s: %zu of %zu annotations were left out because they are outside the %zu samples of the record",
                        s->text->path, self->lost, self->all, record->frames);
    return tl_samples_announce(s, error) == TL_OK ? walk_beats(self, s, error) : error->status;
}

/* ---- the record ---- */

static tl_status check_segment(const beat_reader *self, tl_error *error) {
    const size_t frames = self->record.header.frames;
    char got[40];
    snprintf(got, sizeof got, "%zu", frames);
    return frames >= self->segment
               ? TL_OK
               : tl_source_expected(&self->record.file[0], 0, got, error, "at least the %zu samples of a segment", self->segment);
}

static tl_dataset *read_record(const char *path, const tl_read_cfg *cfg, tl_error *error) {
    beat_reader self = {.segment = cfg->segment ? cfg->segment : DEFAULT_SEGMENT};
    tl_samples samples = tl_samples_begin(NULL, cfg);
    tl_dataset *data = NULL;
    char *beside = NULL;
    if (tl_record_open(&self.record, path, error) == TL_OK && (beside = tl_wfdb_annotations(path, cfg->annotator, error)) &&
        tl_source_open(&self.annotations, beside, error) == TL_OK && check_segment(&self, error) == TL_OK &&
        add_beats(&self, &samples, error) == TL_OK)
        data = tl_samples_finish(&samples, error);
    tl_samples_release(&samples);
    tl_source_close(&self.annotations);
    tl_record_close(&self.record);
    free(beside);
    return data;
}

static const char *const endings[] = {".hea", NULL};

const tl_reader tl_wfdb_reader = {.endings = endings, .read = read_record};
