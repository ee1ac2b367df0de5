"""Whether a function was converted, asked without loading the converter."""

from __future__ import annotations

import sys
from typing import Any


def is_converted(function: Any) -> bool:
    """Whether the code of a function tells what it reads and writes."""
    converter = sys.modules.get("plait.tracer.convert")
    return converter is not None and bool(converter.is_converted(function))
