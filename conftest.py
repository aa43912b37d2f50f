"""What holds for every test run: unit tests in tests/ and, through nbval, the notebooks.

It stands in the root because pytest reads it for `pytest notebooks` too. The kernels of nbval are
child processes and inherit this environment.
"""

import os
import tempfile

from helpers.execute import ONE_THREAD, QUIET_KERNEL

# BLAS reads these once, when NumPy is imported: before any other import.
os.environ.update(ONE_THREAD | QUIET_KERNEL)

# Kernels shall neither read the settings of who runs the tests nor write beside them.
_scratch = tempfile.TemporaryDirectory(prefix="batch-norm-tests-", ignore_cleanup_errors=True)
os.environ["IPYTHONDIR"] = os.path.join(_scratch.name, "ipython")
os.environ["JUPYTER_RUNTIME_DIR"] = os.path.join(_scratch.name, "runtime")

import hypothesis  # noqa: E402
import matplotlib.font_manager  # noqa: E402, F401 (lists a new machine's fonts, with a warning)

# The same examples in every run, and no verdict from a clock.
hypothesis.settings.register_profile("course", derandomize=True, deadline=None, database=None)
hypothesis.settings.load_profile("course")
