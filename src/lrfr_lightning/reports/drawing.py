"""A figure as a PNG file or as part of a page, and how its axes are dressed."""

import io
import re
import textwrap

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lrfr_lightning.reports.styles import CHARACTER, INK, RC

_POINTS_DPI = 150


def png_bytes(figure: Figure, dpi: int = 200) -> bytes:
    """The figure as PNG on white; at 200 dpi twice as fine as it is shown."""
    with mpl.rc_context(RC), io.BytesIO() as buffer:
        figure.savefig(
            buffer, format="png", dpi=dpi, facecolor="white", metadata={"Software": None}
        )
        return buffer.getvalue()


def inline_svg(figure: Figure, name: str) -> str:
    """The figure as an SVG element on a clear ground, whose ink is the text colour of the page.

    Text stays text, in the page's own font, which is narrower than the one it was laid out with.

    Args:
        figure: what to draw.
        name: prefix of the ids inside, letters, digits and hyphens; another one per figure.
    """
    nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    with mpl.rc_context(RC), io.StringIO() as buffer:
        figure.savefig(buffer, format="svg", transparent=True, dpi=_POINTS_DPI, metadata=nothing)
        drawing = buffer.getvalue()
    drawing = re.sub(r"<!--.*?-->", "", drawing[drawing.index("<svg") :], flags=re.DOTALL)
    drawing = re.sub(r'(id="|href="#|url\(#)', rf"\g<1>{name}-", drawing)
    return drawing.replace(INK, "currentColor")


def dress(axes: Axes, title: str, x_label: str, y_label: str) -> None:
    """Title, labels and a faint grid."""
    room = axes.bbox.width / axes.figure.dpi / CHARACTER
    axes.set_title(textwrap.fill(title, int(room)), loc="left", fontsize=10, fontweight="bold")
    axes.set_xlabel(x_label)
    axes.set_ylabel(y_label)
    axes.grid(color=INK, alpha=0.13, linewidth=0.8)
