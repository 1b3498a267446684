"""Carry out jobs."""

from .celery_app import app, celery_name
from .executor import Executor, Site
from .host import ExecutorHost
from .launch import Launch, plan_launch

__all__ = ["Executor", "ExecutorHost", "Launch", "Site", "app", "celery_name", "plan_launch"]
