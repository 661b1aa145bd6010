// What makes a recording untrustworthy, one thing a mode.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

int main(int argc, char **argv) {
  std::string mode = argc > 1 ? argv[1] : "good";
  volatile long sum = 0;
  if (mode == "exit") {
    const char *preload = std::getenv("LD_PRELOAD");
    return preload != nullptr && std::strstr(preload, "vgpreload") != nullptr ? 3 : 0;
  }
  if (mode == "allocate") {
    for (int i = 0; i < 20000; i++) {
      char *volatile block = static_cast<char *>(std::malloc(100));
      block[0] = 1;
      sum = sum + block[0];
      std::free(block);
    }
  }
  if (mode == "spin")
    for (long i = 0; i < 4'000'000'000; i++) sum = sum + i;
  if (mode == "work")
    for (long i = 0; i < 3'000'000; i++) sum = sum + i;
  std::printf("%ld\n", static_cast<long>(sum));
  return 0;
}
