"""Carry out jobs."""

from .celery_app import app, celery_name
from .executor import Executor
from .host import ExecutorHost
from .launch import Launch, plan_launch
from .site import Site

__all__ = ["Executor", "ExecutorHost", "Launch", "Site", "app", "celery_name", "plan_launch"]
