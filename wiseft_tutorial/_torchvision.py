"""Lets open_clip import torchvision beside a torch it was not compiled for.

Package registries pair a CPU build of torch with a CUDA build of torchvision. The compiled half of
torchvision then fails to load, and its Python half stops at
``operator torchvision::nms does not exist``, although open_clip needs only that Python half
(image transforms). Declaring the two missing operators, without an implementation, is enough:
whoever *calls* one still gets torch's own error.
"""

from __future__ import annotations

import sys

import torch

_SCHEMAS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)
_kept: list[torch.library.Library] = []  # a Library unregisters its operators when it is collected


def ensure_torchvision() -> None:
    """Import torchvision, declaring its missing compiled operators if that is what it takes.

    Raises:
        RuntimeError: torchvision fails to import for another reason than its compiled half.
    """
    if "torchvision" in sys.modules:
        return
    try:
        import torchvision
    except RuntimeError as error:
        if "torchvision::nms" not in str(error):
            raise
        for name in [n for n in sys.modules if n.split(".")[0] == "torchvision"]:
            del sys.modules[name]
        library = torch.library.Library("torchvision", "DEF")
        for schema in _SCHEMAS:
            library.define(schema)
        _kept.append(library)
        import torchvision  # noqa: F401
