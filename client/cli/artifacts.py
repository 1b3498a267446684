"""The command about the files that a task asked to be kept."""

from pathlib import Path

import click

from ...communicators import StoredFile
from ..default import default_client
from .output import json_option, print_json, print_table

__all__ = ["artifacts"]


@click.command()
@click.argument("job_id")
@click.option("--save", "folder", type=click.Path(file_okay=False, path_type=Path), help="Write them into a folder.")
@json_option
def artifacts(job_id: str, folder: Path | None, as_json: bool) -> None:
    """List the files that a job's task asked to be kept, and save them."""
    kept = default_client().find(job_id).artifacts()
    places = _save(kept, folder) if folder else {}
    if as_json:
        print_json([{"name": n, **f.reference.model_dump(), "saved": places.get(n)} for n, f in kept.items()])
    else:
        rows = [(n, f"{f.reference.size} bytes", str(places.get(n, ""))) for n, f in kept.items()]
        print_table(("ARTEFACT", "SIZE", "SAVED AS" if folder else ""), rows)


def _save(kept: dict[str, StoredFile], folder: Path) -> dict[str, str]:
    """Save each under the last part of its name: a task's word, which must not lead out of the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    places: dict[str, str] = {}
    for name, file in kept.items():
        place = folder / (Path(name).name or "unnamed")
        file.save(place)
        places[name] = str(place)
    return places
