"""Photographs of screens and of paper, as a phone takes them: askew, turned, blurred, noisy, compressed."""

import random
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageFilter


def photo(shown: Image.Image, *, width: int = 900, turn: float = 7, seed: int = 1, quality: int = 55) -> bytes:
    """A JPEG of ``shown``, ``width`` pixels wide before it is turned."""
    chance = random.Random(seed)
    shown = shown.convert("L")
    small = shown.resize((width, width * shown.height // shown.width), Image.Resampling.LANCZOS)
    table = Image.new("L", (small.width * 8 // 5, small.height * 8 // 5), 205)
    table.paste(small, (small.width * 3 // 10, small.height * 3 // 10))
    seen = table.rotate(turn, fillcolor=190, resample=Image.Resampling.BICUBIC)
    across, down = seen.size
    askew = [chance.uniform(0, 0.03 * across) for _ in range(8)]
    corners = (
        *askew[:2],
        askew[2],
        down - askew[3],
        across - askew[4],
        down - askew[5],
        across - askew[6],
        askew[7],
    )
    seen = seen.transform(seen.size, Image.Transform.QUAD, corners, resample=Image.Resampling.BICUBIC)
    seen = seen.filter(ImageFilter.GaussianBlur(width / 1100))
    seen = Image.blend(seen, Image.effect_noise(seen.size, 60), 0.15)
    seen = Image.blend(seen, Image.linear_gradient("L").resize(seen.size), 0.25)  # light from one side
    taken = BytesIO()
    seen.save(taken, "JPEG", quality=quality)
    return taken.getvalue()


def photos(pictures: list[Path], folder: Path, *, width: int = 900) -> list[Path]:
    """A photo of each picture, each turned another way."""
    folder.mkdir()
    taken = []
    for number, picture in enumerate(pictures):
        with Image.open(picture) as shown:
            raw = photo(shown, width=width, turn=(4, -9, 93, 181, 30)[number % 5], seed=number)
        path = folder / f"IMG_{1000 - number}.jpg"
        path.write_bytes(raw)
        taken.append(path)
    return taken
