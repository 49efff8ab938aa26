"""The alpha slider: drag it, and the weights are averaged and a gallery classified anew."""

from wiseft_tutorial.explorer.widget import Explorer, explore

__all__ = ["Explorer", "explore"]
