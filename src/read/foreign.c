#include "read/foreign.h"

#include "read/folder.h"

#define TABLE(reader) "in Python, pandas.read_" reader "(FILE).to_csv(\"data.csv\", index=False) converts it to .csv"
#define ARRAYS(load)                                                                                                               \
    "in Python, m = " load                                                                                                         \
    " and numpy.savez(\"data.npz\", x=m[\"X\"], y=m[\"Y\"]), with the names of its arrays, convert it to .npz"
#define SOUND "ffmpeg -i FILE sound.wav converts it to .wav"
#define UNPACK "unpack it first"

static const struct {
    const char *ending, *format, *cure;
} formats[] = {
    {".parquet", "Parquet", TABLE("parquet")},
    {".feather", "Feather", TABLE("feather")},
    {".xlsx", "Excel", TABLE("excel")},
    {".xls", "Excel", TABLE("excel")},
    {".ods", "OpenDocument", TABLE("excel")},
    {".json", "JSON", TABLE("json")},
    {".h5", "HDF5", ARRAYS("h5py.File(FILE)")},
    {".hdf5", "HDF5", ARRAYS("h5py.File(FILE)")},
    {".mat", "MATLAB", ARRAYS("scipy.io.loadmat(FILE)")},
    {".pkl", "pickled", ARRAYS("pickle.load(open(FILE, \"rb\"))")},
    {".pickle", "pickled", ARRAYS("pickle.load(open(FILE, \"rb\"))")},
    {".pt", "PyTorch", ARRAYS("torch.load(FILE)")},
    {".edf", "EDF",
     "in Python, numpy.save(\"recording.npy\", mne.io.read_raw_edf(FILE).get_data().T) converts it to .npy (length, channels)"},
    {".bdf", "BDF",
     "in Python, numpy.save(\"recording.npy\", mne.io.read_raw_bdf(FILE).get_data().T) converts it to .npy (length, channels)"},
    {".wav", "single WAVE", "put them into a folder for each class, or name them in a table with --file (tl_read_cfg.file)"},
    {".mp3", "MP3", SOUND},
    {".flac", "FLAC", SOUND},
    {".ogg", "Ogg", SOUND},
    {".m4a", "MPEG-4", SOUND},
    {".gz", "gzip", UNPACK},
    {".bz2", "bzip2", UNPACK},
    {".xz", "xz", UNPACK},
    {".zip", "zip", UNPACK},
    {".dat", "sample", "name the header of the record, its .hea file"},
    {".atr", "annotation", "name the header of the record, its .hea file"},
};

tl_status tl_foreign_check(const char *path, tl_error *error) {
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (tl_has_ending(path, formats[i].ending))
            return tl_fail(error, TL_ERROR_FORMAT, "%s: %s files are not read; %s", path, formats[i].format, formats[i].cure);
    return error->status;
}
