/* Records in the format of PhysioNet (`.hea`, with its samples and `.atr`; WFDB Applications Guide, header(5), signal(5),
 * annot(5)): each beat that is annotated is a series, the samples around it, and its kind the label. */
#include "data/missing.h"
#include "io/source.h"
#include "read/folder.h"
#include "read/reader.h"
#include "read/wfdb.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_SEGMENT = 256, SKIP = 59, NUMBER = 60, CHANNEL = 62, AUXILIARY = 63 };

/* The kinds of beats by the code of their annotation, as PhysioNet prints them; what is not here is no beat. */
static const char beats[64] = {
    [1] = 'N',  [2] = 'L',  [3] = 'R',  [4] = 'a',  [5] = 'V',  [6] = 'F',  [7] = 'J',  [8] = 'A',  [9] = 'S', [10] = 'E',
    [11] = 'j', [12] = '/', [13] = 'Q', [25] = 'B', [30] = '?', [34] = 'e', [35] = 'n', [38] = 'f', [41] = 'r'};

typedef struct beat_reader {
    tl_wfdb record;
    tl_source samples, annotations;
    size_t segment;       /* samples of each signal in a series */
    unsigned char *block; /* those of one series, as they are in the file */
    int64_t time;         /* of the annotation, in samples */
} beat_reader;

/* ---- samples ---- */

static int sample_of(const unsigned char *bytes, unsigned format, size_t index) {
    static const tl_number_type word = {.kind = TL_SIGNED, .size = 2};
    if (format == 16) return (int)(int64_t)tl_integer_of(bytes + 2 * index, &word);
    const unsigned char *pair = bytes + index / 2 * 3;
    const int value = index % 2 ? pair[2] | (pair[1] & 0xF0) << 4 : pair[0] | (pair[1] & 0x0F) << 8;
    return (value ^ 0x800) - 0x800;
}

/* Bytes from the first of `count` samples to the last: of format 212, pairs of samples in three bytes each. */
static size_t bytes_of(unsigned format, size_t count) { return format == 16 ? 2 * count : count / 2 * 3 + count % 2 * 2; }

/* The segment from a frame on, as physical values. */
static tl_status read_segment(beat_reader *self, size_t start, tl_missing policy, tl_real *row, tl_error *error) {
    const tl_wfdb *record = &self->record;
    const unsigned format = record->format;
    const size_t first = start * record->signals, skipped = format == 16 ? 0 : first % 2,
                 count = self->segment * record->signals + skipped;
    const int missing = format == 16 ? INT16_MIN : -2048;
    tl_source_seek(&self->samples, record->offset + bytes_of(format, first - skipped), error);
    if (tl_source_read(&self->samples, self->block, bytes_of(format, count), "samples", error) != TL_OK) return error->status;
    for (size_t i = skipped; i < count; i++) {
        const size_t channel = (i - skipped) % record->signals, t = (i - skipped) / record->signals;
        const int sample = sample_of(self->block, format, i);
        const double value = (sample - record->signal[channel].baseline) / record->signal[channel].gain;
        if (sample == missing ? policy == TL_MISSING_REFUSE : !tl_number_fits(value))
            return tl_source_expected(&self->samples, bytes_of(format, count) - bytes_of(format, i), "none", error,
                                      "a sample" TL_MISSING_HINT);
        row[t * record->signals + channel] = sample == missing ? (tl_real)NAN : (tl_real)value;
    }
    return TL_OK;
}

/* How many frames there are, and memory for a segment. */
static tl_status prepare(beat_reader *self, size_t segment, tl_error *error) {
    tl_wfdb *record = &self->record;
    char got[60];
    if (tl_source_seek(&self->samples, record->offset, error) != TL_OK) return error->status;
    const uint64_t left = self->samples.left, samples = record->format == 16 ? left / 2 : left / 3 * 2 + left % 3 / 2;
    const size_t frames = (size_t)samples / record->signals;
    snprintf(got, sizeof got, "%zu", frames);
    if (record->frames > frames)
        return tl_source_expected(&self->samples, 0, got, error, "%zu samples of each signal, as the header says", record->frames);
    if (record->frames == 0) record->frames = frames;
    self->segment = segment ? segment : DEFAULT_SEGMENT;
    snprintf(got, sizeof got, "%zu", record->frames);
    if (record->frames < self->segment)
        return tl_source_expected(&self->samples, 0, got, error, "the %zu samples of a segment or more", self->segment);
    self->block = malloc(bytes_of(record->format, self->segment * record->signals + 1) + 1);
    return self->block ? TL_OK : tl_fail(error, TL_ERROR_MEMORY, "%s: out of memory", self->samples.where.path);
}

/* ---- annotations ---- */

/* Goes to the next annotation and sets the time; *code: 0: there are no more. */
static tl_status next_annotation(beat_reader *self, unsigned *code, tl_error *error) {
    tl_source *source = &self->annotations;
    unsigned char word[2] = {0}, skip[4] = {0};
    for (;;) {
        if (tl_source_read(source, word, sizeof word, "an annotation", error) != TL_OK) return error->status;
        const unsigned interval = word[0] | (word[1] & 3U) << 8;
        *code = word[1] >> 2;
        if (*code == SKIP) {
            tl_source_read(source, skip, sizeof skip, "a skip to an annotation", error);
            const uint32_t distance = (uint32_t)skip[0] << 16 | (uint32_t)skip[1] << 24 | skip[2] | (uint32_t)skip[3] << 8;
            self->time += (int32_t)distance;
        } else if (*code == AUXILIARY)
            tl_source_seek(source, source->where.offset + interval + interval % 2, error);
        else if (*code < NUMBER || *code > CHANNEL) {
            self->time += interval;
            if (*code != 0 || interval == 0) return TL_OK;
        }
        if (tl_failed(error)) return error->status;
    }
}

static tl_status add_beat(beat_reader *self, tl_samples *s, unsigned code, tl_error *error) {
    char got[40];
    snprintf(got, sizeof got, "sample %" PRId64, self->time);
    if (self->time < 0 || (uint64_t)self->time > self->record.frames)
        return tl_source_expected(&self->annotations, 2, got, error, "an annotation within the %zu samples of the record",
                                  self->record.frames);
    const size_t centre = (size_t)self->time, before = self->segment / 2;
    if (!beats[code] || centre < before || centre - before > self->record.frames - self->segment) return TL_OK;
    if (s->counting) {
        tl_samples_count(s, 1, self->segment, self->record.signals, self->segment * self->record.signals);
        return TL_OK;
    }
    tl_real *row = tl_samples_row(s, self->segment, self->record.signals, error);
    if (row && read_segment(self, centre - before, s->missing, row, error) == TL_OK)
        tl_samples_end(s, (tl_field){beats + code, beats + code + 1}, error);
    return error->status;
}

/* Counts all beats, or reads them. */
static tl_status walk_beats(beat_reader *self, tl_samples *s, tl_error *error) {
    unsigned code = 0;
    self->time = 0;
    tl_source_seek(&self->annotations, 0, error);
    while (next_annotation(self, &code, error) == TL_OK && code != 0) add_beat(self, s, code, error);
    return error->status;
}

static tl_status add_beats(beat_reader *self, tl_samples *s, tl_error *error) {
    s->text = &self->annotations.where;
    s->counting = true;
    if (walk_beats(self, s, error) != TL_OK) return error->status;
    if (s->counted == 0)
        return tl_source_expected(&self->annotations, 0, "none", error, "a beat with %zu samples around it in the record",
                                  self->segment);
    if (!tl_samples_fit(s->held, self->record.frames * self->record.signals))
        return tl_fail(error, TL_ERROR_FORMAT, "%s: %zu beats with %zu samples around each are more than %d times the record",
                       s->text->path, s->counted, self->segment, TL_MOST_TIMES);
    return tl_samples_announce(s, error) == TL_OK ? walk_beats(self, s, error) : error->status;
}

/* ---- the record ---- */

/* Opens the file of this name in the header's folder; *path: free it. */
static tl_status open_beside(const char *header, const char *name, tl_source *source, char **path, tl_error *error) {
    const char *slash = strrchr(header, '/');
    char *folder = strndup(header, slash ? (size_t)(slash - header) : 0);
    if (!folder) return tl_fail(error, TL_ERROR_MEMORY, "%s: out of memory", header);
    *path = slash ? tl_folder_join(folder, name, error) : strdup(name);
    free(folder);
    if (!*path) return tl_fail(error, TL_ERROR_MEMORY, "%s: out of memory", header);
    return tl_source_open(source, *path, error);
}

/* NAME.atr of PATH/NAME.hea. */
static tl_status open_annotations(const char *header, tl_source *source, char **path, tl_error *error) {
    const char *slash = strrchr(header, '/'), *name = slash ? slash + 1 : header;
    const size_t size = strlen(name) + 1;
    char *file = malloc(size);
    if (!file) return tl_fail(error, TL_ERROR_MEMORY, "%s: out of memory", header);
    snprintf(file, size, "%.*s.atr", (int)size - 5, name);
    open_beside(header, file, source, path, error);
    free(file);
    return error->status;
}

static tl_status read_header(const char *path, tl_wfdb *record, tl_error *error) {
    tl_text text;
    if (tl_text_open(&text, path, error) == TL_OK) tl_wfdb_header(&text, record, error);
    tl_text_release(&text);
    return error->status;
}

static tl_dataset *read_record(const char *path, const tl_read_cfg *cfg, tl_error *error) {
    beat_reader self = {0};
    tl_samples samples = {.like = cfg->like, .missing = cfg->missing, .unlabelled = cfg->unlabelled};
    tl_dataset *data = NULL;
    char *paths[2] = {NULL, NULL};
    if (read_header(path, &self.record, error) == TL_OK &&
        open_beside(path, self.record.file, &self.samples, &paths[0], error) == TL_OK &&
        open_annotations(path, &self.annotations, &paths[1], error) == TL_OK && prepare(&self, cfg->segment, error) == TL_OK &&
        add_beats(&self, &samples, error) == TL_OK)
        data = tl_samples_finish(&samples, error);
    tl_samples_release(&samples);
    tl_source_close(&self.samples);
    tl_source_close(&self.annotations);
    free(self.block);
    free(paths[0]);
    free(paths[1]);
    return data;
}

static const char *const endings[] = {".hea", NULL};

const tl_reader tl_wfdb_reader = {.endings = endings, .read = read_record};
