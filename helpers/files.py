"""Files are written whole or not at all."""

import os
import shutil


def write_whole(path, content):
    """Let the file `path` hold `content`, bytes.

    Whoever is stopped half-way, or finds the disk full, keeps the old file. Raises OSError, which
    names `path`.
    """
    # Beside the file, since replacing is atomic only on one file system.
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        unfinished.write_bytes(content)
        if path.exists():
            shutil.copymode(path, unfinished)
        os.replace(unfinished, path)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None
    finally:
        unfinished.unlink(missing_ok=True)
