// One costly habit a mode, and `good`, which does like work without any.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#define KEEP __attribute__((noinline))

namespace {
constexpr int N = 1024;

KEEP float walk_columns(const float *in) {
  float sum = 0;
  for (int x = 0; x < N; x++)
    for (int y = 0; y < N; y++) sum += in[y * N + x];  // MARK column
  return sum;
}
KEEP float walk_rows(const float *in) {
  float sum = 0;
  for (int y = 0; y < N; y++)
    for (int x = 0; x < N; x++) sum += in[y * N + x];
  return sum;
}

// Down the columns: a tap reads a new cache line once in its thirteen, the store each time.
constexpr int WIDE = 1000, HIGH = 1400, TAPS = 13;
KEEP void blur_columns(const std::vector<float> &in, std::vector<float> &out) {
  for (int x = 0; x < WIDE; x++)
    for (int y = 0; y < HIGH - TAPS; y++) {
      float sum = 0;
      for (int k = 0; k < TAPS; k++) sum += in[(y + k) * WIDE + x];  // MARK taps
      out[y * WIDE + x] = sum;  // MARK store
    }
}

// The load is in a line of the standard library, inlined.
KEEP float walk_through_a_header(const std::vector<float> &in) {
  float largest = 0;
  for (int x = 0; x < N; x++)
    for (int y = 0; y < N; y++) largest = std::max(largest, in[y * N + x]);
  return largest;
}

// A random place of 16 MiB each time; the arithmetic keeps the line's own rate below a walk's.
KEEP uint32_t jump_about(const std::vector<uint32_t> &table, int times) {
  uint32_t at = 1, sum = 0;
  volatile uint32_t local[4] = {1, 2, 3, 4};
  for (int i = 0; i < times; i++) {
    at = at * 1664525u + 1013904223u;
    sum += table[(at >> 8) % table.size()] + local[0] + local[1] + local[2] + local[3];
  }
  return sum;
}

// Half of the branches go each way, by chance.
KEEP int choose(const std::vector<uint8_t> &coins) {
  volatile int heads = 0, tails = 0;
  for (int round = 0; round < 40; round++)
    for (uint8_t coin : coins) {
      if (coin & 1) {
        heads = heads + 1;
      } else {
        tails = tails + 1;
      }
    }
  return heads - tails;
}

KEEP int churn(int times) {
  int sum = 0;
  for (int i = 0; i < times; i++) {
    volatile char *block = static_cast<char *>(std::malloc(24 + i % 1000 * 16));
    block[0] = char(i);
    sum += block[0];
    std::free(const_cast<char *>(block));
  }
  return sum;
}

// Sixty-four functions too large to be together in a small instruction cache.
template <int I>
KEEP unsigned step(unsigned v) {
#define TURN v = v * 1664525u + I; v ^= v >> 3; v += v << 5; v ^= v >> 7;
  TURN TURN TURN TURN TURN TURN TURN TURN TURN TURN TURN TURN TURN TURN TURN TURN
  return v;
}
template <int... I>
KEEP unsigned run_all(unsigned v, std::integer_sequence<int, I...>) {
  ((v = step<I>(v)), ...);
  return v;
}
}  // namespace

int main(int argc, char **argv) {
  std::string mode = argc > 1 ? argv[1] : "good";
  double result = 0;
  if (mode == "columns" || mode == "good") {
    std::vector<float> image(size_t(N) * N, 1.0f);
    for (int i = 0; i < (mode == "good" ? 4 : 2); i++)
      result += mode == "columns" ? walk_columns(image.data()) : walk_rows(image.data());
  }
  if (mode == "header") result += walk_through_a_header(std::vector<float>(size_t(N) * N, 1.0f));
  if (mode == "blur") {
    std::vector<float> in(size_t(WIDE) * HIGH, 1.0f), out(in.size());
    blur_columns(in, out);
    result += out[WIDE];
  }
  if (mode == "random") {
    std::vector<uint32_t> table(4 << 20);
    result += jump_about(table, 2'000'000);
  }
  if (mode == "branches" || mode == "good") {
    std::vector<uint8_t> coins(100'000);
    uint32_t seed = 7;
    for (auto &coin : coins) coin = mode == "good" ? 1 : (seed = seed * 1664525u + 1013904223u) >> 24;
    result += choose(coins);
  }
  if (mode == "churn") result += churn(200'000);
  if (mode == "code") {
    unsigned v = 1;
    for (int i = 0; i < 2000; i++) v = run_all(v, std::make_integer_sequence<int, 64>());
    result += v;
  }
  std::printf("%s %.1f\n", mode.c_str(), result);
  return 0;
}
