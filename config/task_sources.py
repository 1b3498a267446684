"""What the setting `tasks` names: modules, and YAML files or folders of them."""

__all__ = ["YAML_ENDINGS", "is_file_source"]

YAML_ENDINGS = (".yaml", ".yml")


def is_file_source(source: str) -> bool:
    """Whether a source is a file or a folder; else it is a module.

    >>> [is_file_source(source) for source in ("tasks", "my.tasks", "sort.yaml", "programs/", "./programs")]
    [False, False, True, True, True]
    """
    return "/" in source or source.endswith(YAML_ENDINGS)
