"""A library of some 300 MB with DWARF 5, made once: 66 units of templates and inlined calls."""

import shutil
import subprocess
from pathlib import Path

SOURCES = 3  # compiled by g++; the other units are these under other names
UNITS = 66
_CLASSES = 36
_HEAD = """#include <algorithm>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <regex>
#include <string>
#include <unordered_map>
#include <vector>
namespace unitNNN {
"""
_CLASS = """
struct Box@ { int id; float w[SIZE]; std::string name;
  bool operator<(const Box@& o) const { return id < o.id; } };
template <class T> inline T scale@(T v, int k) { return v * T(k) + T(@); }
static inline int mix@(int a, int b) {
  int s = 0; for (int i = 0; i < b; i++) s += scale@<int>(a ^ i, b) % PRIME; return s; }
class Layer@ {
 public:
  explicit Layer@(int n) {
    for (int i = 0; i < n; i++) {
      Box@ b; b.id = mix@(i, n % 5); b.name = std::to_string(i);
      boxes_.push_back(b); index_[b.name] = i; } }
  int forward(int x) {
    int total = 0;
    std::sort(boxes_.begin(), boxes_.end());
    for (auto& b : boxes_) {
      total += mix@(b.id, x % 11) + scale@<int>(x, b.id);
      for (float& f : b.w) f = scale@<float>(f, x); }
    auto it = index_.find(std::to_string(x));
    if (it != index_.end()) total += it->second;
    std::function<int(int)> twice = [&total](int v) { return mix@(v, 3) + total; };
    return twice(total); }
 private:
  std::vector<Box@> boxes_;
  MAP<std::string, int> index_;
};
__attribute__((visibility("default"))) int run@(int x) {
  auto layer = std::make_unique<Layer@>(x); return layer->forward(x) + layer->forward(x + 1); }
"""


def library(folder: Path) -> Path:
    """Make the library in `folder` unless it is there; takes some minutes."""
    made = folder / "libbig.so"
    if made.exists():
        return made
    work = folder / "units"
    work.mkdir(parents=True, exist_ok=True)
    for number in range(SOURCES):
        source = work / f"u{number:03}.cpp"
        source.write_text(_source(number), encoding="utf-8")
        words = ["g++", "-std=c++17", "-O2", "-g", "-gdwarf-5", "-fPIC", "-S", source.name]
        subprocess.run(words, cwd=work, check=True)
    for number in range(UNITS):
        base, name = f"{number % SOURCES:03}", f"{number:03}"
        text = (work / f"u{base}.s").read_text(encoding="utf-8")
        own = work / f"own{name}.s"
        renamed = text.replace(f"unit{base}", f"unit{name}")
        own.write_text(renamed.replace(f"u{base}.cpp", f"u{name}.cpp"), encoding="utf-8")
        subprocess.run(["as", "-o", f"{name}.o", own.name], cwd=work, check=True)
        own.unlink()
    objects = sorted(file.name for file in work.glob("*.o"))
    words = ["g++", "-shared", "-Wl,--build-id", "-o", "libbig.so", *objects]
    subprocess.run(words, cwd=work, check=True)
    (work / "libbig.so").rename(made)
    shutil.rmtree(work)
    return made


def _source(number: int) -> str:
    prime = ("97", "89", "83")[number]
    table = ("std::map", "std::map", "std::unordered_map")[number]
    classes = [
        _CLASS.replace("@", str(i))
        .replace("SIZE", str(i % 7 + 1))
        .replace("PRIME", prime)
        .replace("MAP", table)
        for i in range(_CLASSES)
    ]
    return "".join([_HEAD.replace("NNN", f"{number:03}"), *classes, "}\n"])
