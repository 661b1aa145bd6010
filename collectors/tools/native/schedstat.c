/* The native sampler: what the scheduler does to each thread of a process and its children.
 *
 *     schedstat INTERVAL MICROSECONDS PID|- NAME|- [NOT]    samples until its input ends
 *     schedstat --try                                       prints "ok": it runs here
 *
 * INTERVAL is MICROSECONDS as they are to be named in the head; NOT is a process that is not
 * meant by NAME: the one that asks.
 *
 * Prints the format of collectors/readers/proc.py, as collectors/tools/schedstat_shell.py does
 * without it. A sample is a handful of system calls a thread: files in /proc stay open as far
 * as the limit on descriptors allows, and of a thread that has not run since the sample before
 * only schedstat is read. An open file in /proc belongs to one process or thread for good, so
 * that a number which is used again is never mistaken for the one that was watched.
 *
 * It ends with a whole last sample at the end of its input, at SIGTERM, SIGINT and SIGHUP. Its
 * exit status is 0, or the errno with which its output could not be written. Static, against
 * musl, so that it runs on any Android and any Linux; built by scripts/build-native.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum {
    TURNS = 5,             /* threads a sample whose switches and children are read */
    SEARCH_SECONDS = 1,    /* between looks for a process that is not there yet */
    SEARCH_MORE_SECONDS = 2,
    TREE_SECONDS = 1,      /* between looks for children where /proc does not list them */
    SLOW_SECONDS = 10,     /* between readings of temperatures */
    MOST_ZONES = 16,
    MOST_OPEN = 4096,      /* each costs the kernel some 5 KB */
    SPARE_DESCRIPTORS = 16,
    TIMES_BYTES = 64,      /* three 64-bit numbers and what is between them */
    LINE_BYTES = 1024,     /* of a thread's stat */
    NAME_BYTES = 15,       /* of a thread's name */
};

typedef struct {
    char *at;
    size_t used, room;
} Text;

typedef struct {
    int tid;
    int stat, schedstat; /* descriptors; -1: opened each time */
    bool gone;           /* ended, though its number may be listed again */
    char times[TIMES_BYTES];
    char times_of_switches[TIMES_BYTES];
} Thread;

typedef struct {
    int pid;
    int tasks; /* descriptor of /proc/PID/task; -1: opened each time */
    bool gone;
    Thread *threads;
    size_t count, room;
    size_t turn; /* where the next look at switches begins */
} Process;

typedef struct {
    int number, file;
} Numbered;

static Text out, scratch;
static Process *processes;
static size_t process_count, process_room, watched_ever;
static Numbered *policies, *zones;
static size_t policy_count, zone_count;
static int proc, system_stat, not_meant;
static int open_count, most_open;
static bool lists_children;
static volatile sig_atomic_t ending;

static void *grown(void *array, size_t count, size_t *room, size_t size) {
    if (count < *room) return array;
    *room = *room ? *room * 2 : 16;
    array = realloc(array, *room * size);
    if (!array) _exit(ENOMEM);
    return array;
}

/* What is printed is gathered in `out`, and written once a sample. */

static char *space(Text *text, size_t bytes) {
    while (text->room - text->used < bytes) {
        text->room = text->room ? text->room * 2 : 1 << 15;
        text->at = realloc(text->at, text->room);
        if (!text->at) _exit(ENOMEM);
    }
    return text->at + text->used;
}

static void put_bytes(const char *bytes, size_t count) {
    memcpy(space(&out, count), bytes, count);
    out.used += count;
}

static void put(const char *text) { put_bytes(text, strlen(text)); }

static char *as_digits(char *end, uint64_t number) {
    *end = 0;
    do *--end = '0' + number % 10;
    while (number /= 10);
    return end;
}

static void put_number(uint64_t number) {
    char digits[24];
    put(as_digits(digits + sizeof digits - 1, number));
}

static void put_numbers(const char *kind, uint64_t first, uint64_t second) {
    put(kind);
    put_number(first);
    put(" ");
    put_number(second);
}

static void put_seconds(struct timespec when) {
    char digits[24];
    put_number(when.tv_sec);
    put(".");
    put(as_digits(digits + sizeof digits - 1, 1000000 + when.tv_nsec / 1000) + 1);
}

static void write_out(void) {
    for (size_t done = 0; done < out.used;) {
        ssize_t count = write(1, out.at + done, out.used - done);
        if (count < 0 && errno != EINTR) _exit(errno);
        if (count > 0) done += count;
    }
    out.used = 0;
}

/* Files */

static bool is_number(const char *text) {
    return *text && strspn(text, "0123456789") == strlen(text) && strlen(text) < 10;
}

static int file_in(int folder, const char *path) {
    return openat(folder, path, O_RDONLY | O_CLOEXEC);
}

static void let_go(int *file) {
    if (*file < 0) return;
    close(*file);
    *file = -1;
    open_count--;
}

/* The path `number/name`, in a buffer that the next call uses again. */
static const char *below(int number, const char *name) {
    static char path[64];
    char digits[24];
    strcpy(path, as_digits(digits + sizeof digits - 1, number));
    return strcat(strcat(path, "/"), name);
}

/* The content of a small file as a string, from a descriptor that is kept, or by its path. */
static ssize_t content(int kept, int folder, const char *path, char *into, size_t room) {
    int file = kept >= 0 ? kept : file_in(folder, path);
    if (file < 0) return -1;
    ssize_t count = pread(file, into, room - 1, 0);
    if (kept < 0) close(file);
    into[count > 0 ? count : 0] = 0;
    return count;
}

/* A file of any length; it is in `scratch`, and a string. */
static bool whole(int file) {
    scratch.used = 0;
    for (;;) {
        char *at = space(&scratch, 4097);
        ssize_t count = pread(file, at, scratch.room - scratch.used - 1, scratch.used);
        at[count > 0 ? count : 0] = 0;
        if (count <= 0) return count == 0;
        scratch.used += count;
    }
}

static bool whole_of(int folder, const char *path) {
    int file = file_in(folder, path);
    if (file < 0) return false;
    bool read = whole(file);
    close(file);
    return read;
}

static void first_line(const char *folder, int number, const char *name, char *into, size_t room,
                       const char *otherwise) {
    char path[160], digits[24];
    strcpy(path, folder);
    strcat(path, as_digits(digits + sizeof digits - 1, number));
    if (content(-1, AT_FDCWD, strcat(path, name), into, room) <= 0) strcpy(into, "");
    into[strcspn(into, "\n")] = 0;
    if (!*into) strcpy(into, otherwise);
}

/* The numbers that a folder has names for, behind a prefix; -1 where it cannot be read. */
static ssize_t numbers_in(int folder, const char *prefix, int **numbers, size_t *room) {
    static char entries[1 << 15] __attribute__((aligned(16)));
    size_t count = 0, skip = strlen(prefix);
    if (lseek(folder, 0, SEEK_SET) < 0) return -1;
    for (;;) {
        int bytes = getdents(folder, (struct dirent *)entries, sizeof entries);
        if (bytes < 0) return -1;
        if (bytes == 0) return count;
        for (int at = 0; at < bytes;) {
            struct dirent *entry = (struct dirent *)(entries + at);
            at += entry->d_reclen;
            if (strncmp(entry->d_name, prefix, skip) || !is_number(entry->d_name + skip))
                continue;
            *numbers = grown(*numbers, count, room, sizeof **numbers);
            (*numbers)[count++] = atoi(entry->d_name + skip);
        }
    }
}

/* The same of a folder by its path, by rising number. */
static size_t sorted_numbers(const char *path, const char *prefix, int **numbers) {
    size_t room = 0;
    *numbers = NULL;
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ssize_t count = folder < 0 ? 0 : numbers_in(folder, prefix, numbers, &room);
    if (folder >= 0) close(folder);
    for (ssize_t i = 1; i < count; i++)
        for (ssize_t j = i; j > 0 && (*numbers)[j - 1] > (*numbers)[j]; j--) {
            int other = (*numbers)[j];
            (*numbers)[j] = (*numbers)[j - 1];
            (*numbers)[j - 1] = other;
        }
    return count < 0 ? 0 : count;
}

/* Processes and their threads */

static bool may_keep(int count) { return open_count + count <= most_open; }

static bool open_thread(Thread *thread, int tasks, int tid) {
    *thread = (Thread){.tid = tid, .stat = -1, .schedstat = -1};
    if (!may_keep(2)) return true;
    thread->stat = file_in(tasks, below(tid, "stat"));
    thread->schedstat = file_in(tasks, below(tid, "schedstat"));
    open_count += (thread->stat >= 0) + (thread->schedstat >= 0);
    if (thread->stat >= 0 && thread->schedstat >= 0) return true;
    let_go(&thread->stat);
    let_go(&thread->schedstat);
    return false; /* it has ended meanwhile */
}

static void close_thread(Thread *thread) {
    let_go(&thread->stat);
    let_go(&thread->schedstat);
    thread->gone = true;
}

/* Let go of a process that is no more; its place in the array stays until the sample's end. */
static void end_process(Process *process) {
    for (size_t i = 0; i < process->count; i++) close_thread(&process->threads[i]);
    free(process->threads);
    let_go(&process->tasks);
    put("G ");
    put_number(process->pid);
    put("\n");
    *process = (Process){.pid = process->pid, .tasks = -1, .gone = true};
}

static void watch(int pid) {
    if (pid == getpid()) return;
    for (size_t i = 0; i < process_count; i++) {
        Process *same = &processes[i];
        if (same->pid != pid || same->gone) continue;
        if (same->tasks < 0 || !faccessat(same->tasks, below(pid, "stat"), F_OK, 0)) return;
        end_process(same); /* another process has its number already */
    }
    processes = grown(processes, process_count, &process_room, sizeof *processes);
    processes[process_count++] = (Process){.pid = pid, .tasks = -1};
    watched_ever++;
}

/* Bring the threads up to date with what is listed, mostly in the same order as before. */
static void match(Process *process, int tasks, const int *tids, size_t count) {
    bool same = count == process->count;
    for (size_t i = 0; same && i < count; i++)
        same = process->threads[i].tid == tids[i] && !process->threads[i].gone;
    if (same) return;
    Thread *before = process->threads;
    size_t before_count = process->count, hint = 0;
    process->threads = NULL;
    process->count = process->room = 0;
    for (size_t i = 0; i < count; i++) {
        Thread thread = {.gone = true};
        for (size_t j = 0; j < before_count && thread.gone; j++) {
            Thread *old = &before[(hint + j) % before_count];
            if (old->gone || old->tid != tids[i]) continue;
            thread = *old;
            old->stat = old->schedstat = -1;
            old->gone = true;
            hint += j + 1;
        }
        if (thread.gone && !open_thread(&thread, tasks, tids[i])) continue;
        process->threads =
            grown(process->threads, process->count, &process->room, sizeof *process->threads);
        process->threads[process->count++] = thread;
    }
    for (size_t j = 0; j < before_count; j++) close_thread(&before[j]);
    free(before);
    put("L ");
    put_number(process->pid);
    for (size_t i = 0; i < process->count; i++) {
        put(" ");
        put_number(process->threads[i].tid);
    }
    put("\n");
}

static void read_times(const Process *process, Thread *thread, int tasks) {
    char times[TIMES_BYTES], stat[LINE_BYTES];
    if (content(thread->schedstat, tasks, below(thread->tid, "schedstat"), times, sizeof times) <=
        0) {
        close_thread(thread);
        return;
    }
    if (!strcmp(times, thread->times)) return;
    ssize_t bytes = content(thread->stat, tasks, below(thread->tid, "stat"), stat, sizeof stat);
    if (bytes <= 0) {
        close_thread(thread);
        return;
    }
    strcpy(thread->times, times);
    while (bytes > 0 && stat[bytes - 1] == '\n') bytes--;
    for (ssize_t i = 0; i < bytes; i++)
        if (stat[i] == '\n') stat[i] = ' '; /* in the thread's name: it would break the line */
    put_numbers("T ", process->pid, thread->tid);
    put(" ");
    put_bytes(stat, bytes);
    put_numbers("\nR ", process->pid, thread->tid);
    put(" ");
    put(times);
}

/* A thread's switches and children. False: it has ended. */
static bool read_switches(const Process *process, const Thread *thread, int tasks) {
    static const char first[] = "\nvoluntary_ctxt_switches:";
    static const char second[] = "\nnonvoluntary_ctxt_switches:";
    int pid = process->pid;
    if (!whole_of(tasks, below(thread->tid, "status"))) return false;
    const char *voluntary = strstr(scratch.at, first), *involuntary = strstr(scratch.at, second);
    if (voluntary && involuntary) {
        put_numbers("V ", pid, thread->tid);
        put_numbers(" ", strtoull(voluntary + sizeof first - 1, NULL, 10),
                    strtoull(involuntary + sizeof second - 1, NULL, 10));
        put("\n");
    }
    if (lists_children && whole_of(tasks, below(thread->tid, "children"))) {
        char *rest = scratch.at, *word;
        while ((word = strsep(&rest, " ")))
            if (is_number(word)) watch(atoi(word));
    }
    return true;
}

/* Takes the process's place in the array: `watch` may move them all. */
static void sample_process(size_t place) {
    static int *tids;
    static size_t room;
    Process process = processes[place];
    bool kept = process.tasks >= 0;
    int tasks = kept ? process.tasks
                     : openat(proc, below(process.pid, "task"),
                              O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ssize_t count = tasks < 0 ? -1 : numbers_in(tasks, "", &tids, &room);
    if (count < 0) {
        if (!kept && tasks >= 0) close(tasks);
        end_process(&processes[place]);
        return;
    }
    if (!kept && may_keep(1)) {
        process.tasks = tasks;
        open_count++;
        kept = true;
    }
    match(&process, tasks, tids, count);
    for (size_t i = 0; i < process.count; i++) read_times(&process, &process.threads[i], tasks);
    size_t at = ending || process.turn >= process.count ? 0 : process.turn;
    for (int done = 0; at < process.count && (done < TURNS || ending); at++) {
        Thread *thread = &process.threads[at];
        /* who has not run has neither switched nor forked */
        if (thread->gone || !strcmp(thread->times, thread->times_of_switches)) continue;
        strcpy(thread->times_of_switches, thread->times);
        done += read_switches(&process, thread, tasks);
    }
    process.turn = at;
    if (!kept) close(tasks);
    processes[place] = process;
}

/* Processes by their name, and where the kernel does not list them, the children of those that
 * are watched. */

static void search_name(const char *wanted) {
    static int *pids;
    static size_t room;
    size_t length = strlen(wanted);
    ssize_t count = numbers_in(proc, "", &pids, &room);
    for (ssize_t i = 0; i < count; i++) {
        char name[32];
        if (pids[i] == not_meant) continue;
        if (content(-1, proc, below(pids[i], "comm"), name, sizeof name) <= 0) continue;
        char *end = strrchr(name, '\n');
        if (end) *end = 0;
        bool found = !strncmp(name, wanted, NAME_BYTES);
        if (!found && whole_of(proc, below(pids[i], "cmdline")) && scratch.used)
            found = !strncmp(scratch.at, wanted, length) &&
                    (!scratch.at[length] || scratch.at[length] == ':');
        if (found) watch(pids[i]);
    }
}

/* A child is younger than its parent: only who was not there the last time is looked at, but
 * everybody after somebody was found by name. */
static void search_children(void) {
    static int *pids, *known, *fresh;
    static size_t room, known_room, fresh_room, known_count, watched_then;
    ssize_t count = numbers_in(proc, "", &pids, &room);
    size_t left = 0, k = 0;
    if (watched_ever != watched_then) known_count = 0;
    for (ssize_t i = 0; i < count; i++) { /* both by rising number */
        while (k < known_count && known[k] < pids[i]) k++;
        if (k < known_count && known[k] == pids[i]) continue;
        fresh = grown(fresh, left, &fresh_room, sizeof *fresh);
        fresh[left++] = pids[i];
    }
    for (size_t before = 0; before != process_count;) {
        before = process_count;
        for (size_t i = 0; i < left; i++) {
            char stat[LINE_BYTES];
            if (content(-1, proc, below(fresh[i], "stat"), stat, sizeof stat) <= 0) continue;
            char *end = strrchr(stat, ')');
            if (!end || strlen(end) < 5) continue;
            int parent = atoi(end + 4); /* behind ") S " */
            for (size_t j = 0; j < before; j++)
                if (processes[j].pid == parent && !processes[j].gone) watch(fresh[i]);
        }
    }
    int *list = known;
    size_t list_room = known_room;
    known = pids, known_room = room, known_count = count < 0 ? 0 : count;
    pids = list, room = list_room;
    watched_then = watched_ever;
}

/* The whole */

static void put_system(void) {
    if (!whole(system_stat)) return;
    for (char *line = scratch.at; *line;) {
        size_t length = strcspn(line, "\n");
        if (!strncmp(line, "cpu", 3) || !strncmp(line, "ctxt ", 5) ||
            !strncmp(line, "procs_", 6)) {
            put_bytes(line, length);
            put("\n");
        } else if (!strncmp(line, "intr ", 5)) {
            put_bytes(line, 5 + strcspn(line + 5, " \n"));
            put("\n");
        }
        line += length + (line[length] == '\n');
    }
}

static void put_values(const char *kind, const Numbered *files, size_t count) {
    for (size_t i = 0; i < count; i++) {
        char value[32];
        if (content(files[i].file, -1, "", value, sizeof value) <= 0) continue;
        value[strcspn(value, "\n")] = 0;
        if (!is_number(value + (*value == '-'))) continue;
        put(kind);
        put_number(files[i].number);
        put(" ");
        put(value);
        put("\n");
    }
}

static void sample(const char *wanted) {
    static time_t searched, looked, warmed;
    struct timespec now, spent;
    clock_gettime(CLOCK_BOOTTIME, &now);
    time_t seconds = now.tv_sec + 1; /* 0: never yet */
    put("S ");
    put_seconds(now);
    put("\n");
    put_system();
    put_values("F ", policies, policy_count);
    if (!warmed || seconds - warmed >= SLOW_SECONDS) {
        warmed = seconds;
        put_values("Z ", zones, zone_count);
    }
    time_t pause = process_count ? SEARCH_MORE_SECONDS : SEARCH_SECONDS;
    if (wanted && (!searched || seconds - searched >= pause)) {
        searched = seconds;
        search_name(wanted);
    }
    if (!lists_children && process_count && (!looked || seconds - looked >= TREE_SECONDS)) {
        looked = seconds;
        search_children();
    }
    for (size_t i = 0; i < process_count; i++) sample_process(i);
    size_t left = 0;
    for (size_t i = 0; i < process_count; i++)
        if (!processes[i].gone) processes[left++] = processes[i];
    process_count = left;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
    put("C ");
    put_number((uint64_t)spent.tv_sec * 1000000000 + spent.tv_nsec);
    put("\nE\n");
    write_out();
}

static Numbered *open_numbered(const char *folder, const char *prefix, const char *name,
                               size_t most, size_t *count) {
    int *numbers;
    size_t found = sorted_numbers(folder, prefix, &numbers);
    Numbered *files = calloc(found + 1, sizeof *files);
    if (!files) _exit(ENOMEM);
    *count = 0;
    for (size_t i = 0; i < found && *count < most; i++) {
        char path[160], value[32];
        strcpy(path, folder);
        strcat(strcat(strcat(path, "/"), prefix), below(numbers[i], name));
        int file = file_in(AT_FDCWD, path);
        if (file < 0) continue;
        if (content(file, -1, "", value, sizeof value) > 0)
            files[(*count)++] = (Numbered){numbers[i], file};
        else
            close(file);
    }
    free(numbers);
    return files;
}

static void put_head(const char *interval) {
    static const char cpus[] = "/sys/devices/system/cpu/cpu";
    static const char frequencies[] = "/sys/devices/system/cpu/cpufreq";
    struct timespec now;
    char text[4096];
    int *numbers;
    clock_gettime(CLOCK_REALTIME, &now);
    put("# droidgrind-schedstat 1\n# way native\n# clock_ticks ");
    put_number(getauxval(AT_CLKTCK));
    put("\n# page_bytes ");
    put_number(getauxval(AT_PAGESZ));
    put("\n# interval_seconds ");
    put(interval);
    put("\n# started_unix ");
    put_seconds(now);
    put("\n");
    size_t count = sorted_numbers("/sys/devices/system/cpu", "cpu", &numbers);
    for (size_t i = 0; i < count; i++) {
        static const char *const names[] = {"/online", "/cpufreq/cpuinfo_max_freq",
                                            "/cpu_capacity"};
        put("# cpu ");
        put_number(numbers[i]);
        for (int j = 0; j < 3; j++) {
            first_line(cpus, numbers[i], names[j], text, sizeof text, j ? "-" : "1");
            put(" ");
            put(text);
        }
        put("\n");
    }
    free(numbers);
    policies = open_numbered(frequencies, "policy", "scaling_cur_freq", SIZE_MAX, &policy_count);
    for (size_t i = 0; i < policy_count; i++) {
        first_line("/sys/devices/system/cpu/cpufreq/policy", policies[i].number, "/related_cpus",
                   text, sizeof text, "");
        put("# policy ");
        put_number(policies[i].number);
        put(" ");
        put(text);
        put("\n");
    }
    zones = open_numbered("/sys/class/thermal", "thermal_zone", "temp", MOST_ZONES, &zone_count);
    for (size_t i = 0; i < zone_count; i++) {
        first_line("/sys/class/thermal/thermal_zone", zones[i].number, "/type", text, sizeof text,
                   "");
        put("# zone ");
        put_number(zones[i].number);
        put(" ");
        put(text);
        put("\n");
    }
    write_out();
}

static void raise_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit)) return;
    rlim_t wanted = MOST_OPEN + SPARE_DESCRIPTORS + zone_count + policy_count;
    if (limit.rlim_cur < wanted) {
        limit.rlim_cur = wanted < limit.rlim_max ? wanted : limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
        getrlimit(RLIMIT_NOFILE, &limit);
    }
    rlim_t spare = wanted - MOST_OPEN;
    if (limit.rlim_cur > spare)
        most_open = limit.rlim_cur < wanted ? limit.rlim_cur - spare : MOST_OPEN;
}

static void on_signal(int number) {
    (void)number;
    ending = 1;
}

/* Wait for the time that the next sample is due; what comes by the input ends it, as its end
 * does. Signals are let in only here. */
static void wait_until(int64_t due, const sigset_t *open_mask) {
    struct timespec now;
    struct pollfd input = {.fd = 0, .events = POLLIN};
    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t left = due - ((int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000);
    if (left < 0) left = 0;
    struct timespec pause = {.tv_sec = left / 1000000, .tv_nsec = left % 1000000 * 1000};
    if (ppoll(&input, 1, &pause, open_mask) > 0) ending = 1;
}

int main(int count, char **words) {
    if (count == 2 && !strcmp(words[1], "--try")) return write(1, "ok\n", 3) != 3;
    int64_t micros = count == 5 || count == 6 ? strtoll(words[2], NULL, 10) : 0;
    if (micros <= 0) return EINVAL;
    const char *wanted = strcmp(words[4], "-") ? words[4] : NULL;
    if (count == 6) not_meant = atoi(words[5]);
    prctl(PR_SET_NAME, "droidgrind-proc"); /* started by a descriptor, it would be called 9 */

    sigset_t blocked, open_mask;
    sigemptyset(&blocked);
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    static const int signals[] = {SIGTERM, SIGINT, SIGHUP};
    for (int i = 0; i < 3; i++) {
        sigaddset(&blocked, signals[i]);
        sigaction(signals[i], &action, NULL);
    }
    sigprocmask(SIG_BLOCK, &blocked, &open_mask);
    for (int i = 0; i < 3; i++) sigdelset(&open_mask, signals[i]);

    proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (proc < 0) return errno;
    system_stat = file_in(proc, "stat");
    char own[64] = "self/task/";
    lists_children = !faccessat(proc, strcat(own, below(getpid(), "children")), R_OK, 0);
    put_head(words[1]);
    raise_limit();
    if (is_number(words[3])) watch(atoi(words[3]));

    struct timespec start;
    clock_gettime(CLOCK_MONOTONIC, &start);
    int64_t due = (int64_t)start.tv_sec * 1000000 + start.tv_nsec / 1000;
    while (!ending) {
        struct timespec now;
        sample(wanted);
        due += micros;
        clock_gettime(CLOCK_MONOTONIC, &now);
        int64_t late = (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000 - due;
        if (late > 0) due += micros * (late / micros + 1); /* keep the rhythm */
        wait_until(due, &open_mask);
    }
    sample(wanted);
    return 0;
}
