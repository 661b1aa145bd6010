// A small program of a mobile-inference kind with five planted problems, to record and learn on.
//
//   sample [--images N] [--size N] [--threads N] [--clean]
//
// It runs a two-layer "network" over N images: a convolution that walks its input along the rows
// (cache-friendly), one that walks it along the columns (cache-hostile), and a pool of workers that
// gets a burst of images every 150 ms, as from a camera, so that the workers wait for a CPU.
// Every planted problem is marked `PLANTED` and named; `--clean` runs without any of them.
//
// Build: ./build.sh. The functions are kept apart (noinline), so that each has a name in a profile.

#include <pthread.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <mutex>
#include <queue>
#include <string>
#include <thread>
#include <vector>

#define KEEP __attribute__((noinline))

namespace {

struct Options {
  int images = 40;
  int size = 512;   // the image is size x size floats
  int threads = 4;
  bool clean = false;
};

// ---------------------------------------------------------------- the network

// Walks along the rows: each cache line is read once and used whole.
KEEP void convolve_rows(const float *in, float *out, int size) {
  for (int y = 1; y < size - 1; y++) {
    for (int x = 1; x < size - 1; x++) {
      const float *p = in + y * size + x;
      out[y * size + x] = 0.25f * p[-1] + 0.5f * p[0] + 0.25f * p[1];
    }
  }
}

// Walks along the columns: a new cache line for each value.
KEEP void convolve_columns(const float *in, float *out, int size) {
  for (int x = 1; x < size - 1; x++) {
    for (int y = 1; y < size - 1; y++) {
      const float *p = in + y * size + x;
      out[y * size + x] = 0.25f * p[-size] + 0.5f * p[0] + 0.25f * p[size];  // PLANTED: column walk
    }
  }
}

KEEP float pool(const float *in, int size) {
  float sum = 0;
  for (int i = 0; i < size * size; i += 4) sum += in[i] > 0 ? in[i] : 0;
  return sum;
}

// ---------------------------------------------------------------- what leaks and breaks

struct Scratch {
  std::vector<float *> blocks;
};

// Keeps every buffer that it ever made: the heap grows image by image.
KEEP float *grow_scratch(Scratch &scratch, int size) {
  float *block = static_cast<float *>(std::calloc(size_t(size) * size, sizeof(float)));
  scratch.blocks.push_back(block);
  return block;
}

KEEP void lose_labels() {
  char *labels = static_cast<char *>(std::malloc(1000));  // PLANTED: leak
  std::strcpy(labels, "cat dog");
  std::fprintf(stderr, "labels: %s\n", labels);
}

KEEP void write_past_boxes() {
  int count = 25;
  volatile int *boxes = static_cast<int *>(std::malloc(count * sizeof(int)));
  for (int i = 0; i <= count; i++) boxes[i] = i;  // PLANTED: write past the end
  std::free(const_cast<int *>(boxes));
}

KEEP void read_freed_result() {
  volatile int *result = static_cast<int *>(std::malloc(16 * sizeof(int)));
  result[3] = 42;
  std::free(const_cast<int *>(result));
  (void)result[3];  // PLANTED: read after free
}

KEEP void branch_on_garbage() {
  volatile int *scores = static_cast<int *>(std::malloc(8 * sizeof(int)));
  if (scores[5] > 1000000) {  // PLANTED: uninitialised value
    std::fprintf(stderr, "a very good score\n");
  }
  std::free(const_cast<int *>(scores));
}

char *model_name = nullptr;  // still reachable at exit, on purpose and harmless

// ---------------------------------------------------------------- the workers

class Pool {
 public:
  explicit Pool(int count) {
    for (int i = 0; i < count; i++) workers_.emplace_back([this, i] { work(i); });
  }
  ~Pool() {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      done_ = true;
    }
    wake_.notify_all();
    for (auto &worker : workers_) worker.join();
  }
  void add(std::function<void()> job) {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      jobs_.push(std::move(job));
    }
    wake_.notify_one();
  }

 private:
  void work(int number) {
    std::string name = "omp-worker-" + std::to_string(number);
    pthread_setname_np(pthread_self(), name.c_str());
    for (;;) {
      std::function<void()> job;
      {
        std::unique_lock<std::mutex> lock(mutex_);
        wake_.wait(lock, [this] { return done_ || !jobs_.empty(); });
        if (jobs_.empty()) return;
        job = std::move(jobs_.front());
        jobs_.pop();
      }
      job();
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  std::queue<std::function<void()>> jobs_;
  std::vector<std::thread> workers_;
  bool done_ = false;
};

KEEP void run_layers(const std::vector<float> &image, std::vector<float> &out, const Options &o) {
  convolve_rows(image.data(), out.data(), o.size);
  if (o.clean) {
    convolve_rows(out.data(), out.data(), o.size);
  } else {
    convolve_columns(image.data(), out.data(), o.size);
  }
}

KEEP double infer(const Options &o) {
  Scratch scratch;
  std::atomic<double> total{0};
  {
    Pool workers(o.threads);
    for (int i = 0; i < o.images; i++) {
      if (i > 0 && i % o.threads == 0) std::this_thread::sleep_for(std::chrono::milliseconds(150));
      if (!o.clean) grow_scratch(scratch, o.size / 4)[0] = float(i);
      workers.add([&o, &total, i] {
        std::vector<float> image(size_t(o.size) * o.size), out(image.size());
        for (size_t k = 0; k < image.size(); k++) image[k] = float((k * 31 + i) % 255) / 255;
        run_layers(image, out, o);
        double sum = pool(out.data(), o.size), before = total.load();
        while (!total.compare_exchange_weak(before, before + sum)) {
        }
      });
    }
  }
  for (float *block : scratch.blocks) std::free(block);
  return total;
}

int number(const char *text) {
  int value = std::atoi(text);
  if (value > 0) return value;
  std::fprintf(stderr, "sample: %s is not a number above 0\n", text);
  std::exit(2);
}

}  // namespace

int main(int argc, char **argv) {
  Options o;
  for (int i = 1; i < argc; i++) {
    std::string word = argv[i];
    bool more = i + 1 < argc;
    if (word == "--clean") {
      o.clean = true;
    } else if (word == "--images" && more) {
      o.images = number(argv[++i]);
    } else if (word == "--size" && more) {
      o.size = number(argv[++i]);
    } else if (word == "--threads" && more) {
      o.threads = number(argv[++i]);
    } else {
      std::fprintf(stderr, "usage: sample [--images N] [--size N] [--threads N] [--clean]\n");
      return 2;
    }
  }
  model_name = static_cast<char *>(std::malloc(32));
  std::strcpy(model_name, o.clean ? "clean" : "sample");
  double sum = infer(o);
  if (!o.clean) {
    lose_labels();
    write_past_boxes();
    read_freed_result();
    branch_on_garbage();
  }
  std::printf("%s: %d images of %dx%d, sum %.1f\n", model_name, o.images, o.size, o.size, sum);
  return 0;
}
