"""XLA, the default backend: graphs lowered with jax.lax, compiled ahead of time."""

from plait.backends.jax import exporting as exporting
from plait.backends.jax.executable import Lowered as Lowered
from plait.backends.jax.executable import XlaExecutable as XlaExecutable
from plait.backends.jax.executable import compile as compile
from plait.backends.jax.executable import lower as lower
from plait.backends.jax.portable import Artifact as Artifact
from plait.backends.jax.portable import export as export
