"""The type of an image between disk and batch."""

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
"""One face: uint8 ``(H, W, 3)``, RGB, values 0..255."""
