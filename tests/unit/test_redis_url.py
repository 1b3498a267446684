"""One Redis, three spellings, and a fourth without its password."""

import pytest

from outrider.config import check_redis_url, shown
from outrider.config.errors import SettingsError
from outrider.config.redis_url import for_celery_results, for_kombu

SPELLINGS = [
    ("redis://host:6379/1", "redis://host:6379/1", "redis://host:6379/1"),
    ("rediss://:pw@host/0", "rediss://:pw@host/0", "rediss://:pw@host/0"),
    ("unix:///run/r.sock?db=2", "redis+socket:///run/r.sock?virtual_host=2", "socket:///run/r.sock?virtual_host=2"),
    ("unix:///run/r.sock", "redis+socket:///run/r.sock?virtual_host=0", "socket:///run/r.sock?virtual_host=0"),
]


@pytest.mark.parametrize(("url", "kombu", "results"), SPELLINGS)
def test_kombu_and_celery_get_their_own_spelling(url, kombu, results):
    assert check_redis_url(url, "OUTRIDER_BROKER_URL") == url
    assert for_kombu(url) == kombu
    assert for_celery_results(url) == results


@pytest.mark.parametrize("url", ["unix://:secret@/run/r.sock?db=1", "unix:///run/r.sock?db=1&password=secret"])
@pytest.mark.parametrize("spell", [for_kombu, for_celery_results])
def test_the_password_of_a_socket_is_kept(url, spell):
    assert "secret" in spell(url)


@pytest.mark.parametrize(
    "url", ["", "localhost:6379", "amqp://host", "http://host", "/run/r.sock", "redis", "redis://[host"]
)
def test_a_url_that_is_no_redis_is_an_error_naming_the_variable(url):
    with pytest.raises(SettingsError, match=r"^OUTRIDER_LEDGER_URL="):
        check_redis_url(url, "OUTRIDER_LEDGER_URL")


def test_s3_the_error_for_a_wrong_url_does_not_show_its_password():
    with pytest.raises(SettingsError) as refusal:
        check_redis_url("amqp://me:secret@host", "OUTRIDER_BROKER_URL")
    assert "secret" not in str(refusal.value)


SECRETS = [
    "redis://:secret@host/0",
    "redis://me:secret@host:6379/0",
    "rediss://me:secret@host/0?ssl_cert_reqs=none",
    "redis://me:sec:ret@secret@host/0",
    "unix://me:secret@/run/r.sock?db=0",
    "unix:///run/r.sock?password=secret",
    "redis://host/0?password=secret",
    "sftp://me:secret@host/folder",
    "simplecache::ftp://me:secret@host/folder",
    "abfs://box/folder?sv=2024&sig=secret%2B&sp=r",
    "s3://bucket?access_key=secret&AWS_SESSION_TOKEN=secret",
    "cannot connect to 'sftp://me:secret@host/folder': refused",
]


@pytest.mark.parametrize("url", SECRETS)
def test_s3_a_password_is_not_shown(url):
    assert "secret" not in shown(url)
    assert "ret@" not in shown(url)


@pytest.mark.parametrize(
    "url", ["redis://host:6379/1", "redis://me@host/0", "unix:///run/r.sock?db=0", "s3://bucket/a?b=c"]
)
def test_a_url_without_a_password_is_shown_as_it_is(url):
    assert shown(url) == url
