// Memory errors of every rule, each in a function of its own; `good` does the same without them.
#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#define KEEP __attribute__((noinline))

namespace {
bool good = false;
volatile int sink = 0;
void *volatile kept[64];

KEEP void write_past() {
  volatile char *block = static_cast<char *>(std::malloc(40));
  block[good ? 39 : 40] = 1;  // MARK write
  std::free(const_cast<char *>(block));
}

KEEP int *make_freed() {
  int *block = static_cast<int *>(std::malloc(64));
  std::memset(block, 1, 64);
  if (!good) std::free(block);  // one cause of three reports
  return block;
}
KEEP void read_three_times() {
  volatile int *block = make_freed();
  sink += block[0];
  sink += block[1];
  sink += block[2];
  if (good) std::free(const_cast<int *>(block));
}

KEEP void use_unset() {
  int *block = static_cast<int *>(std::malloc(64));
  if (good) std::memset(block, 0, 64);
  if (block[1] > 5) sink += 1;
  if (block[2] > 5) sink += 1;
  std::free(block);
}

KEEP void free_twice() {
  char *block = static_cast<char *>(std::malloc(8));
  char *volatile again = block;
  std::free(block);
  if (!good) std::free(again);
}

KEEP void free_wrongly() {
  int *block = new int[4];
  void *volatile plain = block;
  if (good) {
    delete[] block;
  } else {
    std::free(plain);
  }
}

KEEP void copy_over() {
  char text[64] = "a text that is moved by a few places within itself";
  volatile size_t far = good ? 32 : 4;
  std::strncpy(text + far, text, 20);
  sink += text[10];
}

KEEP void tell_kernel() {
  char *block = static_cast<char *>(std::malloc(16));
  if (good) std::memset(block, 0, 16);
  int file = open("/dev/null", O_WRONLY);
  if (write(file, block, 16) < 0) sink += 1;
  close(file);
  std::free(block);
}

KEEP void ask_for_too_much() {
  volatile long size = good ? 16 : -1;
  std::free(std::malloc(static_cast<size_t>(size)));
}

KEEP void lose_each_time() {
  char *block = static_cast<char *>(std::malloc(100));
  block[0] = 1;
  sink += block[0];
  if (good) std::free(block);
}
KEEP void lose_once() {
  char *block = static_cast<char *>(std::malloc(5000));
  block[0] = 1;
  sink += block[0];
  if (good) std::free(block);
}
KEEP void lose_little() {
  char *block = static_cast<char *>(std::malloc(12));
  block[0] = 1;
  sink += block[0];
}
KEEP void clear_stack() {
  volatile char space[4096];
  for (size_t i = 0; i < sizeof space; i++) space[i] = 0;
}
struct Long {
  int before[4];
  int member;
};
KEEP int read_member(Long *of) { return of->member; }
KEEP int one_way(const std::string &mode) {
  char *unset = static_cast<char *>(std::malloc(32));
  if (mode == "printed") {
    if (unset[3] > 5) sink += 1;
    std::printf("%c\n", unset[1]);
    std::fflush(stdout);
  }
  std::free(unset);
  if (mode == "null") return read_member(nullptr);
  if (mode == "abort") std::abort();
  return 0;
}
}  // namespace

int main(int argc, char **argv) {
  if (argc > 1 && std::strchr("pna", argv[1][0])) return one_way(argv[1]);
  good = argc > 1 && std::string(argv[1]) == "good";
  write_past();
  read_three_times();
  use_unset();
  free_twice();
  free_wrongly();
  copy_over();
  tell_kernel();
  ask_for_too_much();
  for (int i = 0; i < 30; i++) lose_each_time();
  lose_once();
  lose_little();
  clear_stack();
  std::printf("%d\n", sink);
  std::fflush(stdout);
  if (!good) std::raise(SIGSEGV);
  return 0;
}
