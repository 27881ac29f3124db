/* A network between network namespaces of one machine, for kernels without netem: each namespace gets a tap device, and this
 * program passes on the frames of one to the others, later, and as slowly as asked. It ends with its standard input.
 *
 * usage: bench_network DELAY RATE NAMESPACE…      DELAY: milliseconds; RATE: Mbit/s that each device sends
 *
 * Device number i (from 1) has the address 02:00:00:00:00:i. A frame is read when the one before it has been sent: the kernel makes
 * programs wait, as before a real network card. */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <math.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { DEVICES = 16, FRAMES = 8192, FRAME = 9216, ADDRESS = 6, OVERHEAD = 24 /* bytes between two frames of Ethernet */ };

static const double late = 2e-4; /* seconds that the program may wake up too late without a loss of rate */

typedef struct frame {
    double due; /* when it arrives */
    size_t size;
    unsigned char bytes[FRAME];
} frame;

typedef struct device {
    int file;
    double free;  /* when the frame before has been sent */
    frame *queue; /* (FRAMES) a ring of those on their way */
    size_t first, count;
} device;

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void fail(const char *what) {
    fprintf(stderr, "bench_network: %s: %s\n", what, strerror(errno));
    exit(EXIT_FAILURE);
}

/* Opens the tap device of a namespace, which this process then stays in. */
static int open_tap(const char *name) {
    char path[200];
    struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI};
    snprintf(path, sizeof path, "/var/run/netns/%s", name);
    const int space = open(path, O_RDONLY | O_CLOEXEC);
    if (space < 0 || setns(space, CLONE_NEWNET) != 0) fail(path);
    close(space);
    const int file = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    snprintf(request.ifr_name, sizeof request.ifr_name, "tap0");
    if (file < 0 || ioctl(file, TUNSETIFF, &request) != 0) fail("/dev/net/tun");
    return file;
}

/* Takes frames that the device sends, as its rate allows. */
static void take(device *from, double delay, double rate) {
    const double now = seconds();
    while (from->free <= now && from->count < FRAMES) {
        frame *next = &from->queue[(from->first + from->count) % FRAMES];
        const ssize_t size = read(from->file, next->bytes, FRAME);
        if (size <= 0) return;
        from->free = fmax(from->free, now - late) + 8 * (double)(size + OVERHEAD) / rate;
        next->size = (size_t)size;
        next->due = fmax(from->free, now) + delay;
        from->count++;
    }
}

/* Frames to more than one device have an odd first byte. */
static void pass_on(const device *all, size_t devices, size_t from, const frame *one) {
    for (size_t to = 0; to < devices; to++)
        if (to != from && (one->bytes[0] % 2 == 1 || one->bytes[ADDRESS - 1] == to + 1))
            if (write(all[to].file, one->bytes, one->size) < 0 && errno != EAGAIN && errno != EIO) fail("a frame");
}

static void deliver(device *all, size_t devices, size_t from) {
    device *self = &all[from];
    for (const double now = seconds(); self->count > 0 && self->queue[self->first].due <= now; self->count--) {
        pass_on(all, devices, from, &self->queue[self->first]);
        self->first = (self->first + 1) % FRAMES;
    }
}

/* Waits until something is due or can be read. Returns whether standard input is open. */
static int wait_for(const device *all, size_t devices) {
    struct pollfd files[DEVICES + 1] = {{.fd = STDIN_FILENO, .events = POLLIN}};
    double next = seconds() + 1;
    for (size_t i = 0; i < devices; i++) {
        const int ready = all[i].free <= seconds() && all[i].count < FRAMES;
        files[i + 1] = (struct pollfd){.fd = all[i].file, .events = ready ? POLLIN : 0};
        if (!ready && all[i].count < FRAMES) next = fmin(next, all[i].free);
        if (all[i].count > 0) next = fmin(next, all[i].queue[all[i].first].due);
    }
    const double left = fmax(next - seconds(), 0);
    const struct timespec timeout = {.tv_sec = (time_t)left, .tv_nsec = (long)(1e9 * fmod(left, 1))};
    ppoll(files, (nfds_t)devices + 1, &timeout, NULL);
    return files[0].revents == 0;
}

int main(int argc, char **argv) {
    static device all[DEVICES];
    const size_t devices = argc > 3 ? (size_t)argc - 3 : 0;
    if (devices < 2 || devices > DEVICES) {
        fprintf(stderr, "usage: bench_network DELAY RATE NAMESPACE…      (2 to %d of them)\n", DEVICES);
        return EXIT_FAILURE;
    }
    const double delay = 1e-3 * strtod(argv[1], NULL), rate = 1e6 * strtod(argv[2], NULL);
    for (size_t i = 0; i < devices; i++) {
        all[i] = (device){.file = open_tap(argv[i + 3]), .queue = calloc(FRAMES, sizeof(frame))};
        if (!all[i].queue) fail("memory");
    }
    puts("ready");
    fflush(stdout);
    while (wait_for(all, devices))
        for (size_t i = 0; i < devices; i++) {
            take(&all[i], delay, rate);
            deliver(all, devices, i);
        }
    return EXIT_SUCCESS;
}
