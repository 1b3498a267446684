"""A Celery that changed what we rely on is a clear error."""

import pytest

from outrider.config.errors import SettingsError
from outrider.worker import celery_internals
from outrider.worker.celery_internals import Request, check_celery


def test_this_celery_is_one_that_we_know():
    check_celery()


def test_a_changed_method_is_named(monkeypatch):
    monkeypatch.setattr(Request, "on_accepted", lambda self, pid: None)
    with pytest.raises(SettingsError, match=r"Request\.on_accepted"):
        check_celery()


def test_a_missing_attribute_is_named(monkeypatch):
    monkeypatch.delattr(Request, "request_dict")
    with pytest.raises(SettingsError, match=r"Request\.request_dict"):
        check_celery()


def test_another_flow_is_named(monkeypatch):
    monkeypatch.setattr(celery_internals, "_FLOW", {check_celery: ("call_on_accepted_later",)})
    with pytest.raises(SettingsError, match="call_on_accepted_later"):
        check_celery()
