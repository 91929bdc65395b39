"""What may happen to a stored file under the eyes of a host that serves from it."""

import os

from host import wait_until


def damage(file, how, chance):
    """Cut off under the feet of those who have it mapped, which kills them. Bytes are changed in another file of that
    name: in a file that is mapped they would be changed under the hands of a model that was loaded long ago."""
    if how == "removed":
        return file.unlink()
    if how == "cut off":
        return os.truncate(file, file.stat().st_size // 2)
    content = bytearray(file.read_bytes())
    for _ in range(16):
        content[chance.randrange(len(content))] ^= chance.randrange(1, 256)
    other = file.with_name(".broken")
    wait_until(lambda: written(other, content), "room for a broken file")
    other.rename(file)


def written(file, content):
    """False while there is no room."""
    try:
        file.write_bytes(content)
        return True
    except OSError:
        return False
