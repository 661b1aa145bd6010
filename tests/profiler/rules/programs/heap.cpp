// One habit of the heap a mode, and `good`: buffers made once, used, given back.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#define KEEP __attribute__((noinline))

namespace {
KEEP long work(int rounds) {
  volatile long sum = 0;
  for (int i = 0; i < rounds; i++) sum = sum + i;
  return sum;
}

struct Entry {
  Entry *next;
  char text[20000];
};

KEEP Entry *remember(Entry *list) {  // grows, and nobody forgets
  Entry *entry = static_cast<Entry *>(std::malloc(sizeof(Entry)));
  std::memset(entry, 1, sizeof *entry);
  entry->next = list;
  return entry;
}

struct Node {
  Node *next;
  int value;
};
KEEP Node *make_nodes(int count) {
  Node *list = nullptr;
  for (int i = 0; i < count; i++) {
    Node *node = static_cast<Node *>(std::malloc(sizeof(Node)));
    *node = {list, i};
    list = node;
  }
  return list;
}
KEEP void free_nodes(Node *list) {
  while (list != nullptr) {
    Node *next = list->next;
    std::free(list);
    list = next;
  }
}
KEEP void use_buffer(size_t size) {
  char *buffer = static_cast<char *>(std::malloc(size));
  std::memset(buffer, 1, size);
  std::free(buffer);
}
Entry *global_list = nullptr;
}  // namespace

int main(int argc, char **argv) {
  std::string mode = argc > 1 ? argv[1] : "good";
  long result = 0;
  if (mode == "growth") {
    for (int i = 0; i < 200; i++) {
      global_list = remember(global_list);
      result += work(3000);
    }
  } else if (mode == "freed") {  // grows as well, and all goes at once at the end
    for (int i = 0; i < 200; i++) {
      global_list = remember(global_list);
      result += work(3000);
    }
    while (global_list != nullptr) {
      Entry *next = global_list->next;
      std::free(global_list);
      global_list = next;
    }
  } else if (mode == "tiny") {
    Node *list = make_nodes(60'000);
    result += work(200'000);
    free_nodes(list);
  } else if (mode == "small") {
    static void *blocks[30'000];
    for (auto &block : blocks) block = std::malloc(56);
    result += work(200'000);
    for (void *block : blocks) std::free(block);
  } else if (mode == "churn") {
    for (int i = 0; i < 60; i++) {
      use_buffer(2 << 20);
      result += work(10'000);
    }
  } else if (mode == "start") {
    use_buffer(8 << 20);
    std::vector<char> little(100'000);
    for (int i = 0; i < 200; i++) {
      result += work(30'000);
      use_buffer(100);
    }
  } else if (mode == "kept") {
    for (int i = 0; i < 100; i++) global_list = remember(global_list);
    for (int i = 0; i < 200; i++) {
      result += work(5'000);
      use_buffer(100);
    }
  } else {
    std::vector<char> buffer(3 << 20);
    for (int i = 0; i < 100; i++) {
      std::memset(buffer.data(), i, buffer.size() / 100);
      result += work(5'000);
      use_buffer(1000);
    }
  }
  std::printf("%s %ld\n", mode.c_str(), result);
  return 0;
}
