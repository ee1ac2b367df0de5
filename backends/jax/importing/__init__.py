"""Functions of jax as graphs: traced as jaxprs, translated primitive by primitive."""

from plait.backends.jax.importing.tracing import Imported as Imported
from plait.backends.jax.importing.tracing import Leaf as Leaf
from plait.backends.jax.importing.tracing import argument_names as argument_names
from plait.backends.jax.importing.tracing import array_payload as array_payload
from plait.backends.jax.importing.tracing import configuration as configuration
from plait.backends.jax.importing.tracing import flatten as flatten
from plait.backends.jax.importing.tracing import leaf_names as leaf_names
from plait.backends.jax.importing.tracing import trace as trace
from plait.backends.jax.importing.tracing import unflatten as unflatten
