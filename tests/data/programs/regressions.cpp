// A program with a regression of each kind, chosen at compile time: the comparison must find
// what -DWORSE adds, and nothing that the other switches only move.
//
//   -DWORSE         a new leak, about 5 % more instructions in `convolve`, 10 % more heap
//   -DFIXED         the write past the end is gone
//   -DINLINE        `scale` is inlined into its caller
//   -DMOVED_LINES   the source is some lines longer above all functions
#include <cstdio>
#include <cstdlib>
#include <cstring>

#ifdef INLINE
#define MAYBE_INLINE inline __attribute__((always_inline))
#else
#define MAYBE_INLINE __attribute__((noinline))
#endif
#define KEEP __attribute__((noinline))

//@moved

static volatile int sink;

MAYBE_INLINE static int scale(int value) {
  int sum = value;
  for (int i = 0; i < 400; i++) {
    sum = sum * 3 + i;
  }
  return sum;
}

KEEP static int scale_all(int count) {
  int sum = 0;
  for (int i = 0; i < count; i++) sum += scale(i);
  return sum;
}

KEEP static int convolve(int count) {
  int sum = 0;
#ifdef WORSE
  count += count / 20;
#endif
  for (int i = 0; i < count; i++) {
    sum += (i ^ sum) * 5;
  }
  return sum;
}

KEEP static char *fill_cache(size_t bytes) {
  char *cache = static_cast<char *>(std::malloc(bytes));
  std::memset(cache, 1, bytes);
  return cache;
}

KEEP static void write_past(int count) {
  volatile int *boxes = static_cast<int *>(std::malloc(count * sizeof(int)));
  boxes[count] = 1;
  std::free(const_cast<int *>(boxes));
}

KEEP static void lose_label() { sink = std::strlen(static_cast<char *>(std::calloc(77, 1))); }

int main() {
  size_t bytes = 1000000;
#ifdef WORSE
  bytes += bytes / 10;
  lose_label();
#else
  (void)lose_label;
#endif
#ifndef FIXED
  write_past(25);
#endif
  char *cache = fill_cache(bytes);
  sink = scale_all(2000) + convolve(1000000) + cache[0];
  std::free(cache);
  return 0;
}
