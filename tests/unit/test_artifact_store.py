"""The artefact store: what is put there comes back as it was, or not at all; no key leads out of it."""

import hashlib
import os
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outrider.communicators import ArtifactStore, Reference
from outrider.communicators.values.artifact_key import check_key, plain_word
from outrider.config.errors import ArtifactDamaged, ArtifactError, ArtifactUnavailable, SettingsError


@pytest.fixture(params=["file", "memory"])
def store(request, tmp_path):
    """A store in a folder, and one on a file system that is none."""
    path = f"{tmp_path}/store"
    return ArtifactStore(f"{request.param}://{path}")


@pytest.fixture
def folder(tmp_path):
    """A local store and its folder."""
    return ArtifactStore(f"file://{tmp_path}/store"), tmp_path / "store"


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def reference(key: str, content: bytes = b"content") -> Reference:
    return Reference(key=key, size=len(content), sha256=hashlib.sha256(content).hexdigest())


def test_what_is_put_comes_back_with_its_size_and_sum(store):
    kept = store.put("job-1/artifacts", "value.bin", [b"one", bytearray(b" two"), memoryview(b" three")], "text/plain")
    assert kept == Reference(
        key=kept.key, size=13, sha256=hashlib.sha256(b"one two three").hexdigest(), media_type="text/plain"
    )
    assert kept.key == f"job-1/artifacts/{kept.sha256[:16]}-value.bin"
    assert store.read(kept) == b"one two three"


@pytest.mark.parametrize("size", [0, 1, 4 * 2**20, 4 * 2**20 + 1, 9 * 2**20])
def test_content_of_any_size_comes_back(store, size, tmp_path):
    content = os.urandom(size)
    kept = store.put("a", "b", [content])
    assert store.read(kept) == content
    store.download(kept, tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == content


def test_a_file_is_put_and_downloaded(store, tmp_path):
    (tmp_path / "source").write_bytes(b"\0\xff" * 3_000_000)
    kept = store.put_file("job", "my plot (1).png", tmp_path / "source", "image/png")
    assert kept.key.endswith("-my-plot-1-.png")
    store.download(kept, tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == (tmp_path / "source").read_bytes()


def test_equal_content_is_stored_once_and_other_content_beside_it(folder):
    store, root = folder
    first, again, other = (store.put("job", "x", [content]) for content in (b"same", b"same", b"other"))
    assert first == again
    assert names(root) == sorted([first.key, other.key])
    assert (store.read(first), store.read(other)) == (b"same", b"other")


def test_an_unfinished_file_of_the_same_name_is_replaced(store):
    kept = store.put("job", "x", [b"content"])
    system, path = store._place(kept.key)
    with system.open(path, "wb") as file:
        file.write(b"con")
    store.put("job", "x", [b"content"])
    assert store.read(kept) == b"content"


@pytest.mark.parametrize("refusal", [NotImplementedError, OSError("Operation unsupported")])
def test_a_file_system_that_cannot_rename_is_written_twice(monkeypatch, refusal, tmp_path):
    from fsspec.implementations.memory import MemoryFileSystem

    def refuse(*_: object, **__: object) -> None:
        raise refusal

    monkeypatch.setattr(MemoryFileSystem, "mv", refuse)
    store, content = ArtifactStore(f"memory://{tmp_path}"), os.urandom(9 * 2**20)
    assert store.read(store.put("job", "x", [content])) == content
    system, path = store._place("job")
    assert len(system.ls(path)) == 1


def test_many_may_put_the_same_at_once(folder):
    store, root = folder
    content = os.urandom(2**20)
    threads = [threading.Thread(target=store.put, args=("job", "x", [content])) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (name,) = names(root)
    assert (root / name).read_bytes() == content


def test_what_fails_halfway_leaves_nothing(folder):
    store, root = folder

    def chunks():
        yield b"half"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.put("job", "x", chunks())
    assert names(root) == []


def test_a_download_that_fails_leaves_no_file_and_spares_the_old_one(folder, tmp_path):
    store, root = folder
    kept = store.put("job", "x", [b"content"])
    (root / kept.key).write_bytes(b"cOntent")
    target = tmp_path / "target"
    target.write_text("old")
    with pytest.raises(ArtifactDamaged, match="its sha256 is another"):
        store.download(kept, target)
    assert target.read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["store", "target"]


def test_a_target_that_cannot_be_written_is_not_blamed_on_the_store(store, tmp_path):
    kept = store.put("job", "x", [b"content"])
    with pytest.raises(FileNotFoundError):
        store.download(kept, tmp_path / "no" / "folder")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"cOntent", "its sha256 is another"),
        (b"conten", "it has 6 bytes instead of 7"),
        (b"content!", "it has 8 bytes"),
    ],
)
def test_what_was_changed_is_not_given(store, content, words):
    kept = store.put("job", "x", [b"content"])
    system, path = store._place(kept.key)
    with system.open(path, "wb") as file:
        file.write(content)
    with pytest.raises(ArtifactDamaged, match=words):
        store.read(kept)


def test_a_reference_whose_size_lies_costs_no_memory(folder):
    store, _ = folder
    kept = store.put("job", "x", [b"content"])
    with pytest.raises(ArtifactDamaged, match="it has 7 bytes instead of"):
        store.read(kept.model_copy(update={"size": 2**60}))


class Growing:
    """A file that has fewer or more bytes than it said."""

    def __init__(self, content: bytes) -> None:
        self.rest = content

    def read(self, size: int) -> bytes:
        given, self.rest = self.rest[:size], self.rest[size:]
        return given


@pytest.mark.parametrize(("content", "words"), [(b"conten", "it ends after 6 of 7 bytes"), (b"content!", "another")])
def test_a_file_that_changes_while_it_is_read_is_not_given(content, words):
    from outrider.communicators.values.artifact_store import _checked_blocks

    with pytest.raises(ArtifactDamaged, match=words):
        list(_checked_blocks(Growing(content), reference("x"), memoryview(bytearray(7))))


def test_an_artefact_that_is_not_there_says_what_to_set(store):
    with pytest.raises(ArtifactUnavailable, match=r"no such file in .*OUTRIDER_ARTIFACT_URL.*OUTRIDER_WORK_ROOT"):
        store.read(reference("job/artifacts/missing"))


def test_a_store_that_cannot_be_written_says_so(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ArtifactUnavailable, match=r"NotADirectoryError|FileExistsError"):
        ArtifactStore(f"file://{tmp_path}/file").put("job", "x", [b""])


# --- keys

OUTSIDE = [
    "",
    ".",
    "..",
    "/etc/passwd",
    "../secret",
    "a/../../secret",
    "a/./b",
    "a//b",
    "a/",
    "/",
    "a\\..\\b",
    "a\0b",
    "a\nb",
    "file:///etc/passwd",
    "memory://x",
    "x::file:///etc/passwd",
    "C:x",
    "a?b",
    "a#b",
    "a%2e%2e",
    "*",
    "a[b]",
]


@pytest.mark.parametrize("key", OUTSIDE, ids=repr)
def test_s2_a_key_that_is_no_relative_path_is_refused(store, key, tmp_path):
    (tmp_path / "secret").write_bytes(b"content")
    for use in (
        lambda: store.read(reference(key)),
        lambda: store.download(reference(key), tmp_path / "copy"),
        lambda: store.put(key, "x", [b""]),
    ):
        with pytest.raises(ArtifactDamaged, match="no artefact can have this name"):
            use()
    assert not (tmp_path / "copy").exists()


def test_s2_a_link_that_leads_out_is_not_followed(folder, tmp_path):
    store, root = folder
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "x").write_bytes(b"content")
    root.mkdir()
    (root / "file").symlink_to(secret / "x")
    (root / "folder").symlink_to(secret)
    (root / "up").symlink_to("..")
    for key in ("file", "folder/x", "up/secret/x", "up"):
        with pytest.raises(ArtifactDamaged, match="a link leads out of the store"):
            store.read(reference(key))
    for place in ("folder", "folder/deeper", "up/secret"):
        with pytest.raises(ArtifactDamaged, match="a link leads out of the store"):
            store.put(place, "x", [b""])
    assert [path.name for path in secret.iterdir()] == ["x"]


def test_a_link_that_stays_inside_is_followed_and_the_root_may_be_one(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "root").symlink_to(tmp_path / "real")
    (tmp_path / "real" / "alias").symlink_to("job")
    store = ArtifactStore(f"file://{tmp_path}/root")
    kept = store.put("job", "x", [b"content"])
    assert store.read(kept.model_copy(update={"key": kept.key.replace("job", "alias")})) == b"content"


@pytest.mark.parametrize("what", ["folder", "pipe"])
def test_what_is_no_file_is_refused_and_nobody_waits_for_it(folder, what):
    store, root = folder
    root.mkdir()
    (root / "x").mkdir() if what == "folder" else os.mkfifo(root / "x")
    with pytest.raises(ArtifactError, match="it is no file"):
        store.read(reference("x"))


@given(st.text())
def test_every_name_becomes_a_plain_word(name):
    word = plain_word(name)
    assert check_key(word) == word
    assert word.isascii()
    assert 0 < len(word) <= 80
    assert not word.startswith(".")


# --- URLs

WRONG = [
    ("/shared/artifacts", "give a URL"),
    ("artifacts", "give a URL"),
    ("file://artifacts", "give a URL"),
    ("nosuch://me:secret@host/x", "Protocol not known"),
]


@pytest.mark.parametrize(("url", "words"), WRONG)
def test_a_url_that_cannot_be_used_names_the_setting(url, words):
    for use in (lambda s: s.put("job", "x", [b""]), lambda s: s.read(reference("job/x"))):
        with pytest.raises(SettingsError, match=f"OUTRIDER_ARTIFACT_URL=.*{words}") as refusal:
            use(ArtifactStore(url))
        assert "secret" not in str(refusal.value)


@pytest.mark.parametrize(
    "url", ["memory://me:secret@host/x", "memory:///x?token=secret", "ftp://me:secret@127.0.0.1:1/x"]
)
def test_s3_no_secret_of_the_url_is_shown(url):
    store = ArtifactStore(url)
    assert "secret" not in repr(store)
    with pytest.raises(ArtifactError) as raised:
        store.read(reference("job/x"))
    assert "secret" not in str(raised.value)
