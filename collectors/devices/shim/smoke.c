/* The smallest program: whether Valgrind runs at all for this ABI, with no library involved.
 * Built by scripts/build-native beside the shim. */

__attribute__((noreturn)) void _start(void) {
#if defined(__aarch64__)
    register long x8 __asm__("x8") = 94; /* exit_group */
    register long x0 __asm__("x0") = 0;
    __asm__ volatile("svc #0" : : "r"(x8), "r"(x0));
#elif defined(__arm__)
    register long r7 __asm__("r7") = 248; /* exit_group */
    register long r0 __asm__("r0") = 0;
    __asm__ volatile("svc #0" : : "r"(r7), "r"(r0));
#elif defined(__x86_64__)
    __asm__ volatile("syscall" : : "a"(231L), "D"(0L)); /* exit_group */
#elif defined(__i386__)
    __asm__ volatile("int $0x80" : : "a"(252L), "b"(0L)); /* exit_group */
#else
#error "no Android ABI"
#endif
    __builtin_unreachable();
}
