/* Faults of a machine, caused inside a real process: LD_PRELOAD this. Built by fault_tools.py with gcc.
 *
 *   FAULT_CLOCK=FILE          eight bytes (int64): added to the system clock's nanoseconds; CLOCK_MONOTONIC stays.
 *   FAULT_EIO=FILE            eight bytes: while not 0, fsync and fdatasync of paths with FAULT_EIO_MATCH fail with EIO.
 *   FAULT_SLOW=FILE           eight bytes: so many milliseconds each of them takes, where FAULT_EIO_MATCH is in the path.
 *   FAULT_LOG=FILE            every change below FAULT_ROOT is written down, in order (see fault_tools.Operation).
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static volatile int64_t zero, *clock_ns = &zero, *eio = &zero, *slow_ms = &zero;
static const char *eio_match, *root;
static int log_fd = -1;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static volatile int64_t *shared(const char *name) {
    const char *path = getenv(name);
    int fd = path ? REAL(open)(path, O_RDWR) : -1;
    if (fd < 0) return &zero;
    void *at = mmap(NULL, 8, PROT_READ, MAP_SHARED, fd, 0);
    close(fd);
    return at == MAP_FAILED ? &zero : at;
}

__attribute__((constructor)) static void begin(void) {
    clock_ns = shared("FAULT_CLOCK");
    eio = shared("FAULT_EIO");
    slow_ms = shared("FAULT_SLOW");
    eio_match = getenv("FAULT_EIO_MATCH");
    root = getenv("FAULT_ROOT");
    const char *log = getenv("FAULT_LOG");
    if (log && root) log_fd = REAL(open)(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

/* ---- the clock */

int clock_gettime(clockid_t which, struct timespec *at) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = REAL(clock_gettime);
    int result = real(which, at);
    if (!result && (which == CLOCK_REALTIME || which == CLOCK_REALTIME_COARSE) && *clock_ns) {
        int64_t ns = at->tv_sec * 1000000000LL + at->tv_nsec + *clock_ns;
        at->tv_sec = ns / 1000000000LL;
        at->tv_nsec = ns % 1000000000LL;
    }
    return result;
}

int gettimeofday(struct timeval *at, void *zone) {
    struct timespec now;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    at->tv_sec = now.tv_sec;
    at->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *at) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (at) *at = now.tv_sec;
    return now.tv_sec;
}

/* ---- the disk */

static int path_of(int fd, char *path) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, path, PATH_MAX - 1);
    if (size < 0) return 0;
    path[size] = 0;
    return 1;
}

static int ours(const char *path) { return log_fd >= 0 && !strncmp(path, root, strlen(root)); }

static void note(char op, const char *path, uint64_t number, const void *data, size_t size) {
    uint32_t lengths[2] = {strlen(path), size};
    struct iovec parts[] = {{&op, 1}, {lengths, 8}, {&number, 8}, {(void *)path, lengths[0]}, {(void *)data, size}};
    pthread_mutex_lock(&lock);
    if (REAL(writev)(log_fd, parts, 5) < 0) abort();
    pthread_mutex_unlock(&lock);
}

static int refused(int fd) {
    char path[PATH_MAX];
    if (!*eio && !*slow_ms) return 0;
    if (!path_of(fd, path) || !strstr(path, eio_match ? eio_match : "/")) return 0;
    struct timespec while_ns = {*slow_ms / 1000, *slow_ms % 1000 * 1000000};
    if (*slow_ms) nanosleep(&while_ns, NULL);
    return *eio != 0;
}

/* Noted before it is done: what another thread writes meanwhile may not be on disk. */
static void syncing(int fd) {
    char path[PATH_MAX];
    if (log_fd >= 0 && path_of(fd, path) && ours(path)) note('s', path, 0, "", 0);
}

int fsync(int fd) {
    if (refused(fd)) { errno = EIO; return -1; }
    syncing(fd);
    return REAL(fsync)(fd);
}

int fdatasync(int fd) {
    if (refused(fd)) { errno = EIO; return -1; }
    syncing(fd);
    return REAL(fdatasync)(fd);
}

ssize_t write(int fd, const void *data, size_t size) {
    static ssize_t (*real)(int, const void *, size_t);
    if (!real) real = REAL(write);
    char path[PATH_MAX];
    if (log_fd < 0 || !path_of(fd, path) || !ours(path)) return real(fd, data, size);
    struct stat about;
    off_t at = (fcntl(fd, F_GETFL) & O_APPEND) && !fstat(fd, &about) ? about.st_size : lseek(fd, 0, SEEK_CUR);
    ssize_t result = real(fd, data, size);
    if (result > 0) note('w', path, at, data, result);
    return result;
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) {
    char path[PATH_MAX];
    ssize_t result = REAL(pwrite64)(fd, data, size, at);
    if (result > 0 && log_fd >= 0 && path_of(fd, path) && ours(path)) note('w', path, at, data, result);
    return result;
}
ssize_t pwrite(int fd, const void *data, size_t size, off_t at) { return pwrite64(fd, data, size, at); }

int ftruncate64(int fd, off64_t size) {
    char path[PATH_MAX];
    int result = REAL(ftruncate64)(fd, size);
    if (!result && log_fd >= 0 && path_of(fd, path) && ours(path)) note('t', path, size, "", 0);
    return result;
}
int ftruncate(int fd, off_t size) { return ftruncate64(fd, size); }

static int opened(int fd, const char *path, int flags, int was) {
    char real[PATH_MAX];
    (void)path;
    if (fd < 0 || log_fd < 0 || !path_of(fd, real) || !ours(real)) return fd;
    if ((flags & O_CREAT) && !was) note('c', real, 0, "", 0);
    else if (flags & O_TRUNC) note('t', real, 0, "", 0);
    return fd;
}

#define OPEN(name)                                                   \
    int name(const char *path, int flags, ...) {                     \
        va_list rest;                                                \
        va_start(rest, flags);                                       \
        mode_t mode = va_arg(rest, mode_t);                          \
        va_end(rest);                                                \
        int was = log_fd < 0 || !access(path, F_OK);                 \
        return opened(REAL(name)(path, flags, mode), path, flags, was); \
    }
OPEN(open)
OPEN(open64)

#define OPENAT(name)                                                 \
    int name(int folder, const char *path, int flags, ...) {         \
        va_list rest;                                                \
        va_start(rest, flags);                                       \
        mode_t mode = va_arg(rest, mode_t);                          \
        va_end(rest);                                                \
        int was = log_fd < 0 || !faccessat(folder, path, F_OK, 0);   \
        return opened(REAL(name)(folder, path, flags, mode), path, flags, was); \
    }
OPENAT(openat)
OPENAT(openat64)

int mkdir(const char *path, mode_t mode) {
    int result = REAL(mkdir)(path, mode);
    if (!result && log_fd >= 0 && ours(path)) note('m', path, 0, "", 0);
    return result;
}

int unlink(const char *path) {
    int result = REAL(unlink)(path);
    if (!result && log_fd >= 0 && ours(path)) note('u', path, 0, "", 0);
    return result;
}

int rename(const char *from, const char *to) {
    int result = REAL(rename)(from, to);
    if (!result && log_fd >= 0 && ours(from)) note('r', from, 0, to, strlen(to));
    return result;
}
