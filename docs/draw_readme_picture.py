"""Draw docs/coats.png, the picture on the README's first screen.

    python docs/draw_readme_picture.py

Trains notebook 01's cat detectors (16 seeds, about half a minute), then draws their accuracy.
"""

from pathlib import Path

from helpers.experiments.covariate_shift import measure_coats
from helpers.figures.covariate_shift import CoatPicture

if __name__ == "__main__":
    picture = CoatPicture().show(measure_coats(("plain", "with", "reference")))
    Path(__file__).with_name("coats.png").write_bytes(picture.png())
    print(picture.sentence)
