"""From nothing to a plot: frames of a known substance, a job that integrates them, and a look at what must come out."""

import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from ...config import Settings, load_settings, project_folder
from ...config.errors import OutriderError
from ...tasklets import FilePart, Peak, plot, strongest_peak
from ...tasks.library import IntegrateImages, Pattern
from ..client import Client
from ..job import Job
from ..live import show_messages
from ..services import running_services
from ..submit_options import SubmitOptions
from .frame_tasklets import check_frames, list_peaks

if TYPE_CHECKING:
    from .frames import DiffractionFrames

__all__ = ["check_peak", "run_demo"]

_FRAMES = 200
#: The job takes seconds; a worker that never takes it must not hold the demonstration for ever.
_TIMEOUT_SECONDS = 180.0

_CURVE = {"x": "{{ result.radial }}", "y": "{{ result.intensity }}"}
_LABELS = {
    "title": "LaB6, mean of {{ result.frames }} frames",
    "x_label": "q (nm⁻¹)",
    "y_label": "intensity (counts per pixel)",
}


def run_demo(directory: Path | None = None) -> None:
    """Simulate diffraction frames, integrate them in a job of their own worker, and check the pattern.

    Tasklets of the job look at the frames before, list the pattern's peaks, and draw it.

    Args:
        directory: where the frames go; default: `.outrider/demo/frames` in the project.

    Raises:
        OutriderError: when pyFAI is missing, a service does not start, the job does not succeed, or the strongest peak
            does not lie where LaB6 has it.
    """
    # A queue of its own: on a shared broker this worker takes nobody's jobs, and nobody takes this one.
    settings = load_settings()
    own = {"queue": f"outrider-demo-{os.getpid()}", "tasks": (*settings.tasks, check_frames.__module__)}
    settings = settings.model_copy(update=own)
    console = Console(highlight=False, markup=False, emoji=False, soft_wrap=True)
    with _ended_in_order():
        started = time.monotonic()
        frames = _write_frames(directory or project_folder(settings.project) / "demo" / "frames")
        megabytes = sum(image.stat().st_size for image in frames.images) / 1e6
        console.print(
            f"{len(frames.images)} simulated diffraction frames ({megabytes:.0f} MB): {frames.geometry.parent}"
        )
        job, flower_url = _run_job(settings, frames, console)
        _show_result(job, frames, console)
        console.print(f"Flower    {flower_url} (it ran until now; `outrider up` starts one that stays)")
        console.print(f"Next      outrider show {job.id}")
        console.print(f"\nDone in {time.monotonic() - started:.0f} s; worker and Flower have ended.")


def check_peak(peak: Peak, ring: float, bin_width: float) -> str:
    """Return a sentence that says where the peak lies and where the ring, in nm^-1.

    Raises:
        OutriderError: when they are more than one bin apart.
    """
    places = f"the strongest peak lies at q = {peak.position:.3f} nm^-1, the strongest ring of LaB6 at {ring:.3f}"
    if abs(peak.position - ring) > bin_width:
        raise OutriderError(f"{places}: more than one bin ({bin_width:.3f}) apart; the integration is wrong")
    return f"{places}: within one bin ({bin_width:.3f})"


def _write_frames(directory: Path) -> "DiffractionFrames":
    try:
        from .frames import write_frames
    except ImportError as error:
        raise OutriderError(f"the demo needs pyFAI ({error}): pip install 'outrider[demo]'") from error
    return write_frames(directory, _FRAMES)


def _run_job(settings: Settings, frames: "DiffractionFrames", console: Console) -> tuple[Job[Pattern], str]:
    """Run the job to its end beside services of its own; return it and where Flower was."""
    with running_services(settings, concurrency=2) as services:
        console.print(f"A worker and Flower are ready: {services.flower_url}")
        task = IntegrateImages(images=frames.images, geometry=frames.geometry, output="pattern.h5")
        tasklets = SubmitOptions(
            before=check_frames.si(images="{{ parameters.images }}"),
            after=[list_peaks.si(**_CURVE), plot.si(**_CURVE, **_LABELS)],
        )
        job = Client(settings).submit(task, options=tasklets)
        console.print(f"Job {job.id} is submitted")
        try:
            show_messages(job.watch(_TIMEOUT_SECONDS), console)
        finally:
            job.cancel()  # changes nothing once it has ended
        return job, services.flower_url


def _show_result(job: Job[Pattern], frames: "DiffractionFrames", console: Console) -> None:
    """Check the pattern's peak, and say where everything lies."""
    pattern = job.result(_TIMEOUT_SECONDS)
    record = job.record()
    if record.outcome is None or record.run is None:
        raise AssertionError("the record of a job with a result holds its outcome and its run")
    peak = strongest_peak(pattern.radial, pattern.intensity)
    sentence = check_peak(peak, frames.strongest_ring, pattern.radial[1] - pattern.radial[0])
    console.print(f"{sentence[0].upper()}{sentence[1:]}.\n")
    console.print(f"Result    {record.outcome.outputs['output'].path}")
    for part in (part for run in record.tasklets if run.tasklet == plot.name for part in run.parts):
        if isinstance(part, FilePart):
            console.print(f"Picture   {part.path}")
    console.print(f"Job       {record.run.directory}")


@contextlib.contextmanager
def _ended_in_order() -> Iterator[None]:
    """Turn TERM and HUP into an exit, so that what was started is stopped."""

    def leave(number: int, _frame: Any) -> None:
        sys.exit(128 + number)

    before = {number: signal.signal(number, leave) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
