"""Simulated powder-diffraction frames of LaB6, with the geometry they were taken in.

LaB6 is the line-position standard that beamlines calibrate with (NIST SRM 660): where its rings lie is known, so whoever
integrates these frames knows what must come out. Needs pyFAI, of the extra `demo`.
"""

from dataclasses import dataclass
from math import pi
from pathlib import Path
from typing import Any

import fabio
import numpy as np
from pyFAI.calibrant import get_calibrant
from pyFAI.detectors import Detector
from pyFAI.integrator.azimuthal import AzimuthalIntegrator

__all__ = ["CALIBRANT", "DiffractionFrames", "write_frames"]

CALIBRANT = "LaB6"

#: The place of (1 1 0) in pyFAI's list, which falls in d: the strongest line of LaB6 (1 0 0 has 60 % of it).
_STRONGEST_REFLECTION = 1
_SHAPE = (512, 512)
_PIXEL_METRES = 200e-6
_DISTANCE_METRES = 0.1
_WAVELENGTH_METRES = 0.5e-10  # about 24.8 keV
_RING_WIDTH_DEGREES = 0.25  # in 2 theta, full width at half maximum
_RING_COUNTS = 400.0  # photons in a pixel on top of the strongest ring
_BACKGROUND_COUNTS = 20.0
_SEED = 20240110


@dataclass(frozen=True)
class DiffractionFrames:
    """A series of frames on disk, and what integrating them must show."""

    images: list[Path]
    #: The detector's geometry, a .poni file.
    geometry: Path
    #: Momentum transfer q of the strongest ring, in nm^-1.
    strongest_ring: float


def write_frames(directory: Path, count: int) -> DiffractionFrames:
    """Write `count` noisy frames of one LaB6 exposure, and their geometry, to a folder; the same ones every time."""
    directory.mkdir(parents=True, exist_ok=True)
    calibrant = get_calibrant(CALIBRANT, wavelength=_WAVELENGTH_METRES)
    geometry = _centred_geometry()
    rings = calibrant.fake_calibration_image(
        geometry, Imax=_RING_COUNTS, Imin=_BACKGROUND_COUNTS, resolution=_RING_WIDTH_DEGREES
    )
    poni = directory / "detector.poni"
    poni.unlink(missing_ok=True)  # pyFAI appends
    geometry.save(str(poni))
    return DiffractionFrames(
        images=_write_exposures(directory, rings, count),
        geometry=poni,
        strongest_ring=2 * pi / float(calibrant.dspacing[_STRONGEST_REFLECTION]) * 10,  # d is in Å
    )


def _centred_geometry() -> Any:
    """Return a square detector, perpendicular to a beam that meets its centre."""
    rows, columns = _SHAPE
    return AzimuthalIntegrator(
        dist=_DISTANCE_METRES,
        poni1=rows * _PIXEL_METRES / 2,
        poni2=columns * _PIXEL_METRES / 2,
        wavelength=_WAVELENGTH_METRES,
        detector=Detector(pixel1=_PIXEL_METRES, pixel2=_PIXEL_METRES, max_shape=_SHAPE),
    )


def _write_exposures(directory: Path, rings: Any, count: int) -> list[Path]:
    """Count photons `count` times over, one .tif file each."""
    photons = np.random.default_rng(_SEED)
    images = [directory / f"frame_{number:04d}.tif" for number in range(1, count + 1)]
    for image in images:
        exposure = photons.poisson(rings).astype(np.uint16)
        fabio.tifimage.TifImage(data=exposure).write(str(image))
    return images
