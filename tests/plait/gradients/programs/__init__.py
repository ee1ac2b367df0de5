"""Programs as users write them, beside the same mathematics in jax."""
