// One way to spend CPUs badly a mode, and `good`: one thread that works by itself.
#include <cstdlib>
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <ctime>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace {
using Clock = std::chrono::steady_clock;
Clock::time_point end;
std::atomic<long> total{0};

void spin() {
  volatile long n = 0;
  while (Clock::now() < end)
    for (int i = 0; i < 20000; i++) n = n + i;
  total += n;
}
// On a busy machine it goes on until it has run long enough to be judged by.
bool goes_on() { return Clock::now() < end || std::clock() < CLOCKS_PER_SEC / 2; }
void name(int number) {
  std::string text = "pool-" + std::to_string(number);
  pthread_setname_np(pthread_self(), text.c_str());
}
void join(std::vector<std::thread> &threads) {
  for (auto &thread : threads) thread.join();
}
}  // namespace

int main(int argc, char **argv) {
  std::string mode = argc > 1 ? argv[1] : "good";
  end = Clock::now() + std::chrono::milliseconds(argc > 2 ? std::stoi(argv[2]) : 1500);
  std::vector<std::thread> threads;
  if (mode == "crowd") {
    for (int i = 0; i < 12; i++) threads.emplace_back([i] { name(i); spin(); });
  } else if (mode == "pingpong") {
    int there[2], back[2];
    if (pipe(there) || pipe(back)) return 1;
    threads.emplace_back([&] {
      char c;
      while (read(there[0], &c, 1) == 1 && c != 'q')
        if (write(back[1], &c, 1) != 1) return;
    });
    char c = 'x';
    while (goes_on())
      if (write(there[1], &c, 1) != 1 || read(back[0], &c, 1) != 1) return 1;
    c = 'q';
    if (write(there[1], &c, 1) != 1) return 1;
  } else if (mode == "kernel") {
    while (goes_on())
      for (int i = 0; i < 1000; i++) total += access("/nowhere/at/all", R_OK);
  } else if (mode == "lonely") {
    for (int i = 0; i < 4; i++)
      threads.emplace_back([i] {
        name(i);
        if (i == 0) spin(); else std::this_thread::sleep_until(end);
      });
  } else if (mode == "hop") {
    // A thread that never stays on a CPU; on a busy machine it waits for most of its time.
    end += std::chrono::milliseconds(1500);
    for (int turn = 0; Clock::now() < end; turn++) {
      cpu_set_t one;
      CPU_ZERO(&one);
      CPU_SET(turn % 2, &one);
      if (sched_setaffinity(0, sizeof one, &one)) return 1;
      // in no rhythm with the sampler's, which might see it on the same CPU each time
      auto next = Clock::now() + std::chrono::milliseconds(5 + turn % 3 * 3);
      volatile long n = 0;
      while (Clock::now() < next) n = n + 1;
    }
  } else if (mode == "sleepers") {  // many threads to look at, hardly any work
    for (int i = 0; i < 400; i++)
      threads.emplace_back([i] { name(i); std::this_thread::sleep_until(end); });
  } else if (mode == "signal") {  // what POSIX allows, and Helgrind finds dubious
    static std::mutex mutex;
    static std::condition_variable ready;
    static bool set = false;
    threads.emplace_back([&] {
      std::unique_lock<std::mutex> lock(mutex);
      ready.wait(lock, [] { return set; });
    });
    {
      std::lock_guard<std::mutex> lock(mutex);
      set = true;
    }
    ready.notify_one();
  } else if (mode == "heaprace") {
    int *shared = static_cast<int *>(std::calloc(1, sizeof(int)));
    for (int i = 0; i < 2; i++)
      threads.emplace_back([shared] { for (int k = 0; k < 100; k++) ++*shared; });
    for (auto &thread : threads) thread.join();
    std::free(shared);
    return 0;
  } else if (mode == "race" || mode == "locked") {
    static long shared = 0;
    static std::mutex mutex;
    for (int i = 0; i < 2; i++)
      threads.emplace_back([&] {
        for (int k = 0; k < 100; k++) {
          if (mode == "locked") {
            std::lock_guard<std::mutex> lock(mutex);
            shared = shared + 1;
          } else {
            shared = shared + 1;
          }
        }
      });
  } else {
    spin();
  }
  join(threads);
  std::printf("%s %ld\n", mode.c_str(), total.load());
  return 0;
}
