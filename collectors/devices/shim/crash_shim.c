/* Preloaded into a target under Valgrind on Android, so that its crash ends it.
 *
 * Bionic's dynamic linker installs debuggerd's handler for the fatal signals before anything
 * else runs. In a crash the handler starts a helper by a clone() whose flags Valgrind
 * refuses: Valgrind then exits at once, without the leak search and without its summary.
 * This library puts those signals back to their default action. Its constructor runs after
 * the linker's own work and before the target's, so a handler that the target installs for
 * itself stays in place.
 *
 * No libc: the library must load into any process of any Android, also a musl one, and its
 * calls must not pass through libsigchain or a sanitizer. Built by scripts/build-native.
 */

/* SIGILL SIGTRAP SIGABRT SIGBUS SIGFPE SIGSEGV SIGSTKFLT SIGSYS, and bionic's
 * BIONIC_SIGNAL_DEBUGGER, by which debuggerd asks for a dump. */
static const unsigned char fatal[] = {4, 5, 6, 7, 8, 11, 16, 31, 35};

/* A struct sigaction of the kernel, whose layout differs between architectures, is all zero
 * for SIG_DFL without flags and mask; the largest has 32 bytes. */
static const unsigned long default_action[16];

enum { KERNEL_SIGSET_BYTES = 8 };

#if defined(__aarch64__)
static void set_default(long number) {
    register long x8 __asm__("x8") = 134; /* rt_sigaction */
    register long x0 __asm__("x0") = number;
    register const void *x1 __asm__("x1") = default_action;
    register void *x2 __asm__("x2") = 0;
    register long x3 __asm__("x3") = KERNEL_SIGSET_BYTES;
    __asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory");
}
#elif defined(__arm__)
static void set_default(long number) {
    register long r7 __asm__("r7") = 174; /* rt_sigaction */
    register long r0 __asm__("r0") = number;
    register const void *r1 __asm__("r1") = default_action;
    register void *r2 __asm__("r2") = 0;
    register long r3 __asm__("r3") = KERNEL_SIGSET_BYTES;
    __asm__ volatile("svc #0" : "+r"(r0) : "r"(r7), "r"(r1), "r"(r2), "r"(r3) : "memory");
}
#elif defined(__x86_64__)
static void set_default(long number) {
    long result = 13; /* rt_sigaction */
    register long r10 __asm__("r10") = KERNEL_SIGSET_BYTES;
    __asm__ volatile("syscall"
                     : "+a"(result)
                     : "D"(number), "S"(default_action), "d"(0L), "r"(r10)
                     : "rcx", "r11", "memory");
}
#elif defined(__i386__)
static void set_default(long number) {
    long result = 174; /* rt_sigaction */
    __asm__ volatile("int $0x80"
                     : "+a"(result)
                     : "b"(number), "c"(default_action), "d"(0L), "S"(KERNEL_SIGSET_BYTES)
                     : "memory");
}
#else
#error "no Android ABI"
#endif

__attribute__((constructor)) static void restore_default_actions(void) {
    for (unsigned long i = 0; i < sizeof fatal; i++) {
        set_default(fatal[i]);
    }
}
