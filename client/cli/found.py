"""How commands get a record: by an id or the beginning of it, also when the ledger has forgotten it."""

import click

from ...communicators import JobRecord
from ..default import default_client

__all__ = ["found_record"]


def found_record(word: str) -> JobRecord:
    """Return the record; say so when it comes from the job's directory."""
    found = default_client().record(word)
    if found.folder is not None:
        click.echo(f"The ledger has forgotten this job; what follows is from {found.folder}.", err=True)
    return found.record
