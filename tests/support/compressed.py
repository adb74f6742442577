"""Compressed bodies."""

import shutil
import subprocess

import pytest


def zstd(body: bytes, *options: str) -> bytes:
    if shutil.which("zstd") is None:
        pytest.skip("zstd is not installed")
    return subprocess.run(["zstd", "-cq", *options], input=body, capture_output=True, check=True).stdout
