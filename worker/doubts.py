"""What makes a job's end doubtful, although nothing failed."""

from ..communicators import JobSpec, Outcome
from ..tasks import Catalogue, definition_digest

__all__ = ["with_doubts"]


def with_doubts(outcome: Outcome, spec: JobSpec, catalogue: Catalogue) -> Outcome:
    """Return the outcome, with a warning when the producer meant another description of the task than ours."""
    ours = catalogue.get(spec.task)
    if ours is None or not spec.definition or definition_digest(ours) in ("", spec.definition):
        return outcome
    doubt = (
        f"the file that describes {spec.task} is another here than where the job was submitted; "
        "workers read it when they start, so restart them after a change"
    )
    return outcome.model_copy(update={"warnings": (*outcome.warnings, doubt)})
