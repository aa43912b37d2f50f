"""nbconvert's settings for slides; the command stands in the module above."""

from pathlib import Path

c = get_config()  # noqa: F821, nbconvert hands it to this file
c.SlidesExporter.preprocessors = ["helpers.slides.Slides"]
c.SlidesExporter.extra_template_basedirs = [str(Path(__file__).parent)]
c.SlidesExporter.template_name = "template"
c.SlidesExporter.exclude_anchor_links = True
