"""A program with inlined calls, stripped and not, in a project's folders."""

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

SOURCE = """
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>
namespace net {
static inline __attribute__((always_inline)) char *take(std::size_t n) {
  return static_cast<char *>(std::malloc(n));
}
template <class T> static inline __attribute__((always_inline)) T *take_many(int n) {
  return reinterpret_cast<T *>(take(sizeof(T) * n));
}
struct Layer {
  explicit Layer(int n) : weights(n, 0.5f) { name = std::string(40, 'x'); }
  float sum() const { float s = 0; for (float w : weights) s += w; return s; }
  std::vector<float> weights;
  std::string name;
};
__attribute__((noinline)) int lose(int n) {
  volatile int *lost = take_many<int>(n);
  lost[n] = 7;  // past the end
  return lost[0] > 3 ? 1 : 0;
}
__attribute__((noinline)) float run(int n) {
  std::vector<Layer> layers;
  for (int i = 1; i <= n; i++) layers.emplace_back(100 * i);
  float s = 0;
  for (auto &layer : layers) s += layer.sum();
  return s;
}
}  // namespace net
int main(int argc, char **) {
  return net::run(20 + argc) + net::lose(10) > 0 ? 0 : 1;
}
"""

Compiled = Callable[..., Path]


@dataclass(frozen=True, slots=True)
class Twins:
    """One build: `whole` with its symbols in a folder of its own, `stripped` as it ships."""

    whole: Path
    stripped: Path


def strip(program: Path, output: Path, *options: str) -> Path:
    output.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["strip", *options, "-o", str(output), str(program)], check=True)
    return output


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Compiled:
    """Compile the source with some options; the same options are compiled once."""
    folder = tmp_path_factory.mktemp("compiled")
    source = folder / "project/src/net.cpp"
    source.parent.mkdir(parents=True)
    source.write_text(SOURCE, encoding="utf-8")

    def compile_with(*options: str) -> Path:
        words = options or ("-O2", "-g")
        program = folder / "project/build" / "_".join(words).replace("/", "-") / "net"
        if not program.exists():
            program.parent.mkdir(parents=True, exist_ok=True)
            command = ["g++", "-std=c++17", "-Wl,--build-id", *words, "-o", str(program)]
            subprocess.run([*command, str(source)], check=True, timeout=120)
        return program

    return compile_with


@pytest.fixture(scope="session")
def twins(compiled: Compiled, tmp_path_factory: pytest.TempPathFactory) -> Twins:
    folder = tmp_path_factory.mktemp("twins")
    whole = folder / "symbols/net"
    whole.parent.mkdir()
    shutil.copy2(compiled(), whole)
    return Twins(whole, strip(whole, folder / "device/net"))
