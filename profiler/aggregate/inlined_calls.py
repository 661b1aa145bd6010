"""What bare call operators of allocation trees are: inlined lambdas bear no other name."""

from collections.abc import Iterator, Mapping

from collectors.records.heap import AllocTree
from collectors.records.shared import Frame
from profiler.functions import is_bare_call, name_in_stack, short_name


def call_names(tree: AllocTree) -> Mapping[int, str]:
    """By the numbers of their points: `lambda in infer`, as findings have it.

    An instruction is inlined into the same functions wherever it is met, so that the first
    node that tells is enough.
    """
    numbers = tree.point
    left = {
        number
        for number in set(numbers)
        if (frame := tree.points[number].frame) is not None
        and frame.fn is not None
        and is_bare_call(frame.fn)
    }
    found: dict[int, str] = {}
    for node, number in enumerate(numbers if left else ()):
        if number not in left:
            continue
        frames = tuple(_inlined(tree, node))
        name = name_in_stack(frames, 0)
        if name is not None and not is_bare_call(name):
            found[number] = short_name(name)
            left.discard(number)
    return found


def _inlined(tree: AllocTree, node: int) -> Iterator[Frame]:
    """The frame of a node and those around it that have its address."""
    first = tree.points[tree.point[node]].frame
    depth = tree.depth[node]
    while True:
        frame = tree.points[tree.point[node]].frame
        if frame is None or first is None or frame.ip != first.ip:
            return
        yield frame
        node, depth = node + 1, depth + 1
        if node >= len(tree) or tree.depth[node] != depth:
            return
