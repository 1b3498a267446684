"""Inputs for real programs, made up so that it is known what must come out; the same ones every time."""

import math
import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np

_SEED = 20240110
#: FITS files consist of blocks, their heads of cards.
_BLOCK, _CARD = 2880, 80


@dataclass(frozen=True)
class Sky:
    """An image of stars on noise."""

    image: Path
    #: Where the stars are, x and y in pixels from 1, as FITS counts, and the light of each.
    stars: list[tuple[float, float, float]]


def write_sky(path: Path, *, side: int = 512, stars: int = 40, spread: float = 2.0) -> Sky:
    """Write a square FITS image: stars with a Gaussian profile that stand clear of each other, on a noisy background."""
    noise = np.random.default_rng(_SEED)
    pixels = noise.normal(100, 5, (side, side)).astype(np.float32)
    cells = math.ceil(math.sqrt(stars))
    pitch = side / cells
    found = []
    for number in range(stars):
        x, y = ((place + noise.uniform(0.3, 0.7)) * pitch for place in (number % cells, number // cells))
        light = noise.uniform(4000, 20000)
        _add_star(pixels, x, y, light, spread)
        found.append((x + 1, y + 1, light))
    _write_fits(path, pixels)
    return Sky(path, found)


def _add_star(pixels: np.ndarray, x: float, y: float, light: float, spread: float) -> None:
    left, low, reach = int(x), int(y), int(5 * spread)
    rows, columns = np.mgrid[low - reach : low + reach + 1, left - reach : left + reach + 1]
    profile = np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * spread**2)) / (2 * math.pi * spread**2)
    pixels[rows, columns] += light * profile


def _write_fits(path: Path, pixels: np.ndarray) -> None:
    """Write an image as the FITS standard 4.0 has it: a head of cards, big-endian numbers, both in whole blocks."""
    rows, columns = pixels.shape
    values = {"SIMPLE": "T", "BITPIX": -32, "NAXIS": 2, "NAXIS1": columns, "NAXIS2": rows}
    cards = [f"{name:<8}= {value:>20}" for name, value in values.items()]
    head = "".join(card.ljust(_CARD) for card in (*cards, "END")).encode()
    data = pixels.astype(">f4").tobytes()
    path.write_bytes(head.ljust(_blocks(head), b" ") + data.ljust(_blocks(data), b"\0"))


def _blocks(data: bytes) -> int:
    return math.ceil(len(data) / _BLOCK) * _BLOCK


@dataclass(frozen=True)
class Sequenced:
    """A genome and reads of it."""

    genome: Path
    reads: Path
    #: By the reads' names: the position in the genome where each begins, from 1.
    origins: dict[str, int]


def write_reads(folder: Path, *, length: int = 20_000, reads: int = 500, read_length: int = 100) -> Sequenced:
    """Write a random genome of one chromosome (FASTA) and reads of it without errors (FASTQ)."""
    dice = random.Random(_SEED)
    genome = "".join(dice.choices("ACGT", k=length))
    begins = [dice.randrange(length - read_length) for _ in range(reads)]
    (folder / "genome.fa").write_text(f">chr1\n{genome}\n")
    quality = "I" * read_length
    with (folder / "reads.fq").open("w") as file:
        for number, begin in enumerate(begins):
            file.write(f"@read{number}\n{genome[begin : begin + read_length]}\n+\n{quality}\n")
    origins = {f"read{number}": begin + 1 for number, begin in enumerate(begins)}
    return Sequenced(folder / "genome.fa", folder / "reads.fq", origins)


@dataclass(frozen=True)
class Complex:
    """A receptor, a hollow ball of atoms about the origin, and a ligand that fits into it."""

    receptor: Path
    ligand: Path


_LIGAND = [("C", 0.0, 0.0, 0.0), ("OA", 1.4, 0.0, 0.0), ("C", -0.7, 1.3, 0.0)]


def write_complex(folder: Path, *, atoms: int = 40, radius: float = 6.0) -> Complex:
    """Write a receptor and a ligand as PDBQT, atoms spread evenly over the ball (a Fibonacci lattice)."""
    shell = []
    for number in range(atoms):
        height = 1 - (2 * number + 1) / atoms
        across, angle = math.sqrt(1 - height**2), number * math.pi * (3 - math.sqrt(5))
        place = (across * math.cos(angle), across * math.sin(angle), height)
        shell.append((("C", "OA", "N", "C")[number % 4], *(radius * part for part in place)))
    receptor, ligand = folder / "receptor.pdbqt", folder / "ligand.pdbqt"
    receptor.write_text("".join(_atom(number, *atom) for number, atom in enumerate(shell, 1)))
    body = "".join(_atom(number, *atom) for number, atom in enumerate(_LIGAND, 1))
    ligand.write_text(f"ROOT\n{body}ENDROOT\nTORSDOF 0\n")
    return Complex(receptor, ligand)


def _atom(number: int, kind: str, x: float, y: float, z: float) -> str:
    """Return a line of PDBQT: columns as in PDB, then charge and AutoDock's type."""
    place = f"{x:8.3f}{y:8.3f}{z:8.3f}"
    return f"ATOM  {number:5d}  {kind[0]:<3} ALA A{number:4d}    {place}  1.00  0.00    {0:6.3f} {kind:<2}\n"
