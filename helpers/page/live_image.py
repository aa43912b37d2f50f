"""An Image whose pictures are on the screen sooner."""

import base64

import ipywidgets
from ipywidgets.widgets.trait_types import CByteMemoryView


def _as_url(jpeg, _widget):
    return b"data:image/jpeg;base64," + base64.b64encode(jpeg)


class LiveImage(ipywidgets.Image):
    """An Image whose `value`, the bytes of a JPEG, goes to the page as a data URL.

    What an Image sends as bytes the page turns into a blob, which the browser fetches back through
    another of its processes: 7 ms a picture, of 59 in all.
    """

    value = CByteMemoryView().tag(sync=True, to_json=_as_url)

    def __init__(self, **settings):
        super().__init__(format="url", **settings)
