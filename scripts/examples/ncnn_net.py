"""Runs a small network of random weights with ncnn, an engine to record (docs/inference.md).

    pip install ncnn numpy
    python scripts/examples/ncnn_net.py [SIZE [LOOPS]]

Three convolutions, two of them depthwise separable, on an image of SIZE x SIZE (64), LOOPS
times (1), with two threads.
"""

import sys
import tempfile
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np


class Network:
    """ncnn's two files, written layer by layer: `text` is the .param, `weights` the .bin."""

    def __init__(self, size: int) -> None:
        self.layers = [f"Input data 0 1 data 0={size} 1={size} 2=3"]
        self.weights: list[bytes] = []
        self.random = np.random.default_rng(1)

    def _weigh(self, count: int, bias: int) -> None:
        values = self.random.normal(0, 0.1, count).astype(np.float32)
        plain = np.zeros(1, np.uint32)  # a tag: what follows are 32-bit floats
        self.weights += [plain.tobytes(), values.tobytes(), bytes(4 * bias)]

    def convolve(self, bottom: str, top: str, inputs: int, outputs: int, **how: int) -> None:
        """A convolution with ReLU; `how` has kernel, stride and group."""
        kernel, group = how.get("kernel", 3), how.get("group", 1)
        count = inputs // group * outputs * kernel * kernel
        kind = "Convolution" if group == 1 else "ConvolutionDepthWise"
        self.layers.append(
            f"{kind} {top} 1 1 {bottom} {top} 0={outputs} 1={kernel} 3={how.get('stride', 1)} "
            f"4={kernel // 2} 5=1 6={count} 9=1" + (f" 7={group}" if group > 1 else "")
        )
        self._weigh(count, outputs)

    def classify(self, bottom: str, inputs: int, classes: int) -> None:
        self.layers += [
            f"Pooling pool 1 1 {bottom} pool 0=1 4=1",
            f"InnerProduct fc 1 1 pool fc 0={classes} 1=1 2={inputs * classes}",
            "Softmax prob 1 1 fc prob 0=0",
        ]
        self._weigh(inputs * classes, classes)

    def save(self, folder: Path) -> tuple[str, str]:
        text, weights = folder / "net.param", folder / "net.bin"
        head = f"7767517\n{len(self.layers)} {len(self.layers)}\n"
        text.write_text(head + "\n".join(self.layers) + "\n", encoding="ascii")
        weights.write_bytes(b"".join(self.weights))
        return str(text), str(weights)


def main() -> int:
    try:
        ncnn: Any = import_module("ncnn")
    except ImportError:
        print("ncnn is not installed: pip install ncnn", file=sys.stderr)
        return 2
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 64
    loops = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    network = Network(size)
    network.convolve("data", "conv1", 3, 16, stride=2)
    network.convolve("conv1", "dw2", 16, 16, group=16)
    network.convolve("dw2", "pw2", 16, 32, kernel=1)
    network.convolve("pw2", "dw3", 32, 32, stride=2, group=32)
    network.convolve("dw3", "pw3", 32, 64, kernel=1)
    network.classify("pw3", 64, 10)
    net = ncnn.Net()
    net.opt.num_threads = 2
    with tempfile.TemporaryDirectory() as folder:
        text, weights = network.save(Path(folder))
        net.load_param(text)
        net.load_model(weights)
    pixels = network.random.random((3, size, size), np.float32)
    image = ncnn.Mat(pixels).clone()  # a Mat of an array does not own it
    out: Any = None
    for _ in range(loops):
        extractor = net.create_extractor()
        extractor.input("data", image)
        status, out = extractor.extract("prob")
        if status != 0:
            print(f"ncnn: extract failed with {status}", file=sys.stderr)
            return 1
    print(np.array(out).round(6).tolist())
    return 0


if __name__ == "__main__":
    sys.exit(main())
