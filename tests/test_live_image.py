"""What an Image of a demo sends to the page."""

import base64

from helpers.page.live_image import LiveImage


def test_a_picture_goes_to_the_page_as_a_url_that_holds_it():
    image = LiveImage(value=b"\xff\xd8 some JPEG")
    state = image.get_state()
    head, _, content = bytes(state["value"]).partition(b",")
    assert (state["format"], head) == ("url", b"data:image/jpeg;base64")
    assert base64.b64decode(content) == image.value == b"\xff\xd8 some JPEG"
    assert (state["_model_name"], state["_view_module"]) == (
        "ImageModel", "@jupyter-widgets/controls"
    )
