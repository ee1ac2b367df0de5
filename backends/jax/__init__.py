"""XLA through jax.lax."""
