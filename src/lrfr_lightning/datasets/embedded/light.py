"""From paint to a photograph: light, backdrop and camera."""

import cv2
import numpy as np
from numpy.typing import NDArray

from lrfr_lightning.datasets.base import Image
from lrfr_lightning.datasets.codec import decode_image, encode_jpeg
from lrfr_lightning.datasets.embedded.canvas import SIZE, Canvas
from lrfr_lightning.datasets.embedded.palette import BACKDROP
from lrfr_lightning.datasets.embedded.variation import Camera, Light, Scene, Variation

Picture = NDArray[np.float32]
"""float32 ``(112, 112, 3)``, RGB 0..255, not clipped."""

_COARSE = 28
_SHADOW = np.array([0.82, 1.03, 1.08], dtype=np.float32)
"""How much each channel loses in shade: shadows on skin keep more red."""
_BLUSH = np.array([0.02, 0.42, 0.36], dtype=np.float32)
"""How much each channel loses where the skin is red."""
_GLOSS = np.float32(55)
"""How bright a highlight is where the paint is light by 1."""
_KNEE, _GREY = np.float32(212), 118.0


def illuminate(canvas: Canvas, variation: Variation) -> Picture:
    """Shade the person and set them before the backdrop."""
    colour, cover = canvas.colour_and_cover()
    painted = canvas.darkness()
    dark = np.clip(painted + _form(variation), -0.3, 0.85)
    redness = canvas.redness()
    factors = [1 - dark * tint - redness * loss for tint, loss in zip(_SHADOW, _BLUSH, strict=True)]
    colour *= cv2.merge(factors)
    gloss = np.maximum(-painted, 0) * _GLOSS * cover
    colour += cv2.merge([gloss, gloss, gloss])
    behind = 1 - cover
    colour += backdrop(variation.scene) * cv2.merge([behind, behind, behind])
    return colour


def backdrop(scene: Scene) -> Picture:
    """Two colours that run into each other, with a soft spot of light."""
    y, x = _grid()
    ramp = 0.5 + 0.5 * (np.cos(scene.slope) * x + np.sin(scene.slope) * y)
    spot = 14 * np.exp(-3 * ((x - np.sin(3 * scene.slope)) ** 2 + (y + 0.6) ** 2))
    first, second = BACKDROP[list(scene.backdrop)]
    coarse = first + (second - first) * ramp[..., None] + spot[..., None]
    return _enlarged(coarse.astype(np.float32))


def develop(picture: Picture, variation: Variation, rng: np.random.Generator) -> Image:
    """What the camera makes of it: colour, blur, noise, JPEG."""
    camera = variation.camera
    picture = cv2.transform(picture, _colour_matrix(variation.light, camera))
    picture = np.minimum(picture, _KNEE + (picture - _KNEE) * np.float32(0.45))
    if camera.blur > 0.3:
        picture = cv2.GaussianBlur(picture, (0, 0), camera.blur)
    noise = rng.standard_normal((SIZE, SIZE), dtype=np.float32) * np.float32(camera.noise)
    pixels = np.clip(picture + cv2.merge([noise, noise, noise]), 0, 255).astype(np.uint8)
    return decode_image(encode_jpeg(pixels, camera.quality), "embedded face")


def _colour_matrix(light: Light, camera: Camera) -> NDArray[np.float64]:
    """Exposure, white balance, saturation and contrast as one affine map ``(3, 4)`` of RGB."""
    saturation = np.full((3, 3), (1 - camera.saturation) / 3) + np.eye(3) * camera.saturation
    colour = saturation @ np.diag(light.balance) * light.exposure * camera.contrast
    offset = np.full(3, _GREY * (1 - camera.contrast))
    return np.column_stack([colour, offset])


def _form(variation: Variation) -> NDArray[np.float32]:
    """Darkness from the roundness of the head: 0 lit from the front, above 0 in shade."""
    light, pose = variation.light, variation.pose
    y, x = _grid()
    u = (x * 56 + 12 * pose.yaw) / 52
    v = (y * 56 - 4) / 66
    square = np.minimum(u * u + v * v, 0.96)
    facing = light.direction[0] * u + light.direction[1] * v
    facing += light.direction[2] * np.sqrt(1 - square)
    lit = light.ambient + (1 - light.ambient) * 1.16 * np.maximum(facing, 0)
    lit += 0.25 * light.rim * np.maximum(square - 0.55, 0) * np.sign(light.direction[0]) * u
    return _enlarged((1.0 - lit).astype(np.float32))


def _enlarged(coarse: NDArray[np.float32]) -> NDArray[np.float32]:
    fine = cv2.resize(coarse, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC)
    return np.asarray(fine, dtype=np.float32)


def _grid() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Height and width -1..1 of the places of a coarse picture, ``(28, 1)`` and ``(1, 28)``."""
    line = (np.arange(_COARSE) + 0.5) / _COARSE * 2 - 1
    return line[:, None], line[None]
