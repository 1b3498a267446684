"""Tasklets that tests run."""


def nothing():
    pass


def add(a, b=0):
    return a + b
